/* What is at a path, and what is in a folder. */
// SPDX-License-Identifier: Apache-2.0
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "net/sftp_private.h"

enum { NAME_BYTES_MAX = 255, LEFT_OUT_MAX = 10000 };

struct net_sftp_stat net_sftp_stat_of(const LIBSSH2_SFTP_ATTRIBUTES *attributes)
{
  struct net_sftp_stat stat = {.type = NET_SFTP_OTHER};
  if (attributes->flags & LIBSSH2_SFTP_ATTR_PERMISSIONS) {
    unsigned long mode = attributes->permissions;
    stat.type = LIBSSH2_SFTP_S_ISREG(mode)   ? NET_SFTP_FILE
                : LIBSSH2_SFTP_S_ISDIR(mode) ? NET_SFTP_FOLDER
                : LIBSSH2_SFTP_S_ISLNK(mode) ? NET_SFTP_LINK
                                             : NET_SFTP_OTHER;
  }
  if (attributes->flags & LIBSSH2_SFTP_ATTR_SIZE)
    stat.size = attributes->filesize;
  if (attributes->flags & LIBSSH2_SFTP_ATTR_ACMODTIME)
    stat.mtime_s = (int64_t)attributes->mtime;
  return stat;
}

/* ---- one path ---- */

static int stat_step(struct net_sftp_op *op, struct ap_error *err)
{
  LIBSSH2_SFTP_ATTRIBUTES attributes = {0};
  int rc = libssh2_sftp_stat_ex(op->sftp->session, op->path, (unsigned)strlen(op->path),
                                LIBSSH2_SFTP_LSTAT, &attributes);
  if (rc == LIBSSH2_ERROR_EAGAIN)
    return AP_PENDING;
  if (rc != 0)
    return net_sftp_refused(op, rc, op->path, err);
  op->stat = net_sftp_stat_of(&attributes);
  return AP_OK;
}

static void stat_finish(struct net_sftp_op *op, int code, const char *text)
{
  if (!op->is_canceled)
    op->done.stat(op->arg, code, text, &op->stat);
}

int net_sftp_stat(struct net_sftp *sftp, const char *path, net_sftp_stat_fn *done, void *arg,
                  struct net_sftp_op **out)
{
  const struct net_sftp_op asked = {
      .step = stat_step, .finish = stat_finish, .done.stat = done, .arg = arg};
  return net_sftp_ask(sftp, path, &asked, out);
}

/* ---- a folder ---- */

struct item {
  size_t at; /* in names */
  size_t len;
  struct net_sftp_stat stat;
};

static bool is_dots(const char *name, size_t len)
{
  return (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.');
}

static int open_folder(struct net_sftp_op *op, struct ap_error *err)
{
  LIBSSH2_SESSION *session = net_ssh_session(op->sftp->ssh);
  op->handle = libssh2_sftp_open_ex(op->sftp->session, op->path, (unsigned)strlen(op->path), 0, 0,
                                    LIBSSH2_SFTP_OPENDIR);
  int rc = op->handle ? 0 : libssh2_session_last_errno(session);
  if (rc == LIBSSH2_ERROR_EAGAIN)
    return AP_PENDING;
  if (rc != 0)
    return net_sftp_refused(op, rc, op->path, err);
  op->has_progress = true;
  return AP_OK;
}

void net_sftp_take_entry(struct net_sftp_op *op, const char *name, size_t len,
                         const LIBSSH2_SFTP_ATTRIBUTES *attributes)
{
  if (is_dots(name, len) && ++op->dots <= 2)
    return;
  if (is_dots(name, len) || len == 0 || len > NAME_BYTES_MAX || memchr(name, '/', len) ||
      memchr(name, '\0', len)) {
    op->left_out++;
    return;
  }
  if (op->count == op->max_entries) {
    op->is_cut = true;
    return;
  }
  const struct item item = {.at = op->names.len, .len = len, .stat = net_sftp_stat_of(attributes)};
  ap_buf_add(&op->names, name, len);
  ap_buf_add_char(&op->names, '\0');
  ap_buf_add(&op->items, &item, sizeof(item));
  op->count++;
}

#define UNTOUCHED ULONG_MAX

static int list_step(struct net_sftp_op *op, struct ap_error *err)
{
  int rc = op->handle ? AP_OK : open_folder(op, err);
  /* Room for any answer: after a name without room libssh2 does not get at the ones behind it. */
  char *name = net_sftp_room(op->sftp);
  if (!name)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  while (rc == AP_OK && !op->is_cut) {
    /* An empty name is 0 bytes, and so is the end: only a name brings attributes with it. */
    LIBSSH2_SFTP_ATTRIBUTES attributes = {.flags = UNTOUCHED};
    int got = libssh2_sftp_readdir_ex(op->handle, name, NET_SFTP_ROOM, NULL, 0, &attributes);
    if (got == LIBSSH2_ERROR_EAGAIN)
      return AP_PENDING;
    if (got == 0 && attributes.flags == UNTOUCHED)
      break;
    op->has_progress = true;
    if (got == LIBSSH2_ERROR_BUFFER_TOO_SMALL)
      op->left_out++;
    else if (got < 0)
      rc = net_sftp_refused(op, got, op->path, err);
    else
      net_sftp_take_entry(op, name, (size_t)got, &attributes);
    if (op->left_out > LEFT_OUT_MAX)
      return ap_fail(err, AP_E_BAD_ANSWER, "%.200s: the answer to a list makes no sense",
                     op->sftp->where);
  }
  if (rc == AP_OK && (ap_buf_error(&op->names) || ap_buf_error(&op->items)))
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  return rc;
}

static void tell_list(struct net_sftp_op *op)
{
  struct net_sftp_list list = {.count = op->count, .left_out = op->left_out, .is_cut = op->is_cut};
  struct net_sftp_entry *entries = calloc(op->count + 1, sizeof(*entries));
  if (!entries) {
    op->done.list(op->arg, AP_E_NO_MEMORY, "out of memory", &list);
    return;
  }
  for (size_t i = 0; i < op->count; i++) {
    struct item item;
    memcpy(&item, op->items.ptr + i * sizeof(item), sizeof(item));
    entries[i] = (struct net_sftp_entry){op->names.ptr + item.at, item.len, item.stat};
  }
  list.entries = entries;
  op->done.list(op->arg, AP_OK, "", &list);
  free(entries);
}

static void list_finish(struct net_sftp_op *op, int code, const char *text)
{
  static const struct net_sftp_list nothing = {0};
  net_sftp_close_later(op->sftp, op->handle);
  if (op->is_canceled)
    return;
  if (code == AP_OK)
    tell_list(op);
  else
    op->done.list(op->arg, code, text, &nothing);
}

int net_sftp_list(struct net_sftp *sftp, const char *folder, size_t max_entries,
                  net_sftp_list_fn *done, void *arg, struct net_sftp_op **out)
{
  if (max_entries == 0)
    return AP_E_INVALID;
  const struct net_sftp_op asked = {.step = list_step,
                                    .finish = list_finish,
                                    .done.list = done,
                                    .arg = arg,
                                    .max_entries = max_entries};
  return net_sftp_ask(sftp, folder, &asked, out);
}
