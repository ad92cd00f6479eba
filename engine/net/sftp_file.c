/* Files: opening, reading with much asked ahead, closing. */
// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "net/sftp_private.h"
#include "net/ssh_text.h"

/* ---- closing ---- */

static int close_step(struct net_sftp_op *op, struct ap_error *err)
{
  (void)err;
  int rc = libssh2_sftp_close_handle(op->handle);
  if (rc == LIBSSH2_ERROR_EAGAIN)
    return AP_PENDING;
  op->handle = NULL; /* freed, whatever the server said */
  return AP_OK;
}

static void close_finish(struct net_sftp_op *op, int code, const char *text)
{
  (void)op;
  (void)code;
  (void)text;
}

void net_sftp_close_later(struct net_sftp *sftp, LIBSSH2_SFTP_HANDLE *handle)
{
  struct net_sftp_op *op = handle ? net_sftp_op_new(sftp, NULL) : NULL;
  if (!op)
    return; /* out of memory: it goes with the connection */
  op->handle = handle;
  op->step = close_step;
  op->finish = close_finish;
  (void)net_sftp_op_submit(op, NULL);
}

static void file_free(struct net_sftp_file *file)
{
  if (file->sftp)
    DL_DELETE(file->sftp->files, file);
  free(file);
}

void net_sftp_file_close(struct net_sftp_file *file)
{
  if (!file)
    return;
  struct net_sftp *sftp = file->sftp;
  struct net_sftp_op *read = file->read;
  if (read)
    net_sftp_cancel(read);
  if (sftp && sftp->current && sftp->current->file == file) {
    sftp->current->handle = file->handle; /* the read that ends unheard closes it */
    sftp->current->file = NULL;
  } else if (sftp) {
    net_sftp_close_later(sftp, file->handle);
  }
  file_free(file);
}

/* ---- opening ---- */

enum open_stage { OPEN_LOOK, OPEN_OPEN, OPEN_STAT };

static int check_kind(const struct net_sftp_op *op, struct ap_error *err)
{
  static const char *const kinds[] = {
      [NET_SFTP_FOLDER] = "a folder",
      [NET_SFTP_LINK] = "a symbolic link: name the file that it points to",
      [NET_SFTP_OTHER] = "not a regular file",
  };
  char clean[300];
  net_ssh_clean(clean, sizeof(clean), op->path, strlen(op->path));
  if (op->stat.type == NET_SFTP_FILE)
    return AP_OK;
  return ap_fail(err, AP_E_INVALID, "%s: on %.100s it is %s", clean, op->sftp->where,
                 kinds[op->stat.type]);
}

static int open_look(struct net_sftp_op *op, struct ap_error *err)
{
  LIBSSH2_SFTP_ATTRIBUTES attributes = {0};
  int rc = libssh2_sftp_stat_ex(op->sftp->session, op->path, (unsigned)strlen(op->path),
                                LIBSSH2_SFTP_LSTAT, &attributes);
  if (rc == LIBSSH2_ERROR_EAGAIN)
    return AP_PENDING;
  if (rc != 0)
    return net_sftp_refused(op, rc, op->path, err);
  op->stat = net_sftp_stat_of(&attributes);
  op->stage = OPEN_OPEN;
  return check_kind(op, err);
}

static int open_open(struct net_sftp_op *op, struct ap_error *err)
{
  LIBSSH2_SESSION *session = net_ssh_session(op->sftp->ssh);
  op->handle = libssh2_sftp_open_ex(op->sftp->session, op->path, (unsigned)strlen(op->path),
                                    LIBSSH2_FXF_READ, 0, LIBSSH2_SFTP_OPENFILE);
  int rc = op->handle ? 0 : libssh2_session_last_errno(session);
  if (rc == LIBSSH2_ERROR_EAGAIN)
    return AP_PENDING;
  if (rc != 0)
    return net_sftp_refused(op, rc, op->path, err);
  op->stage = OPEN_STAT;
  return AP_OK;
}

/* Of what was opened, which may not be what was there a moment ago. */
static int open_stat(struct net_sftp_op *op, struct ap_error *err)
{
  LIBSSH2_SFTP_ATTRIBUTES attributes = {0};
  int rc = libssh2_sftp_fstat_ex(op->handle, &attributes, 0);
  if (rc == LIBSSH2_ERROR_EAGAIN)
    return AP_PENDING;
  if (rc != 0)
    return net_sftp_refused(op, rc, op->path, err);
  op->stat = net_sftp_stat_of(&attributes);
  if (!(attributes.flags & LIBSSH2_SFTP_ATTR_SIZE))
    return ap_fail(err, AP_E_IO, "%.100s does not say how large the file is", op->sftp->where);
  return check_kind(op, err);
}

static int open_step(struct net_sftp_op *op, struct ap_error *err)
{
  for (;;) {
    int stage = op->stage;
    int rc = stage == OPEN_LOOK   ? open_look(op, err)
             : stage == OPEN_OPEN ? open_open(op, err)
                                  : open_stat(op, err);
    if (rc != AP_OK || stage == OPEN_STAT)
      return rc;
    op->has_progress = true;
  }
}

static struct net_sftp_file *file_new(struct net_sftp_op *op)
{
  enum { PATH_SHOWN = 300 };
  struct net_sftp_file *file = calloc(1, sizeof(*file) + PATH_SHOWN);
  if (!file)
    return NULL;
  net_ssh_clean(file->path, PATH_SHOWN, op->path, strlen(op->path));
  file->sftp = op->sftp;
  file->handle = op->handle;
  file->stat = op->stat;
  DL_APPEND(op->sftp->files, file);
  return file;
}

static void open_finish(struct net_sftp_op *op, int code, const char *text)
{
  struct net_sftp_file *file = NULL;
  if (code == AP_OK && !op->is_canceled) {
    file = file_new(op);
    if (!file) {
      code = AP_E_NO_MEMORY;
      text = "out of memory";
    }
  }
  if (!file)
    net_sftp_close_later(op->sftp, op->handle);
  if (!op->is_canceled)
    op->done.file(op->arg, code, text, file);
}

int net_sftp_open_file(struct net_sftp *sftp, const char *path, net_sftp_file_fn *done, void *arg,
                       struct net_sftp_op **out)
{
  const struct net_sftp_op asked = {
      .step = open_step, .finish = open_finish, .done.file = done, .arg = arg};
  return net_sftp_ask(sftp, path, &asked, out);
}

const struct net_sftp_stat *net_sftp_file_stat(const struct net_sftp_file *file)
{
  return &file->stat;
}

/* ---- reading ---- */

enum read_stage { READ_DATA, READ_STAT };

static uint64_t now_ms(void)
{
  return uv_hrtime() / 1000000;
}

/* How much room libssh2 is given: it asks for four times as much ahead, so this bounds what is
 * asked past the end of the file, and what all open files may have on the way together. */
static size_t room_for(const struct net_sftp_op *op)
{
  const struct net_sftp_file *file = op->file;
  size_t open = 0;
  const struct net_sftp_file *other;
  DL_COUNT(op->sftp->files, other, open);
  size_t share = open > 1 ? NET_SFTP_ROOM / open : NET_SFTP_ROOM;
  size_t least = 64 * 1024;
  uint64_t rest = file->stat.size - file->offset;
  size_t room = NET_SFTP_ROOM - op->used;
  if (share < least)
    share = least;
  if (room > share)
    room = share;
  if (rest / 4 + 1 < room)
    room = (size_t)(rest / 4 + 1);
  return room;
}

static int changed(const struct net_sftp_file *file, const char *what, struct ap_error *err)
{
  return ap_fail(err, AP_E_IO, "%s: on %.100s it %s while it was read", file->path,
                 file->sftp->where, what);
}

/* A server that gives little by little keeps every single deadline. */
static bool is_too_slow(struct net_sftp_op *op)
{
  struct net_sftp_file *file = op->file;
  uint64_t min_rate = op->sftp->min_rate;
  uint64_t now = now_ms();
  file->waited_ms += now - op->begun_ms;
  op->begun_ms = now;
  if (file->waited_ms < op->sftp->wait_ms)
    return false;
  bool is_slow = min_rate && file->waited_bytes * 1000 / file->waited_ms < min_rate;
  file->waited_ms = file->waited_bytes = 0;
  return is_slow;
}

/* libssh2 cannot take a short answer in the middle: from a regular file it means that the end was
 * there a moment ago. */
static bool is_short_answer(struct net_sftp *sftp)
{
  char *message = NULL;
  (void)libssh2_session_last_error(net_ssh_session(sftp->ssh), &message, NULL, 0);
  return message && strstr(message, "Unexpected Offset");
}

static int read_some(struct net_sftp_op *op, struct ap_error *err)
{
  struct net_sftp_file *file = op->file;
  ssize_t got = libssh2_sftp_read(file->handle, op->sftp->room + op->used, room_for(op));
  if (got == LIBSSH2_ERROR_EAGAIN)
    return AP_PENDING;
  if (got == LIBSSH2_ERROR_SFTP_PROTOCOL && is_short_answer(op->sftp))
    return changed(file, "changed its length", err);
  if (got < 0)
    return net_sftp_refused(op, got, file->path, err);
  if (got == 0 && file->offset != file->stat.size)
    return changed(file, "became shorter", err);
  op->used += (size_t)got;
  file->offset += (uint64_t)got;
  file->waited_bytes += (uint64_t)got;
  op->has_progress = true;
  if (file->offset > file->stat.size)
    return changed(file, "grew", err);
  if (got == 0 && op->used == 0)
    op->stage = READ_STAT;
  return AP_OK;
}

static int read_end(struct net_sftp_op *op, struct ap_error *err)
{
  struct net_sftp_file *file = op->file;
  LIBSSH2_SFTP_ATTRIBUTES attributes = {0};
  int rc = libssh2_sftp_fstat_ex(file->handle, &attributes, 0);
  if (rc == LIBSSH2_ERROR_EAGAIN)
    return AP_PENDING;
  if (rc != 0)
    return net_sftp_refused(op, rc, file->path, err);
  struct net_sftp_stat stat = net_sftp_stat_of(&attributes);
  if (stat.size != file->stat.size || stat.mtime_s != file->stat.mtime_s)
    return changed(file, "changed", err);
  return AP_OK;
}

static int begin_read(struct net_sftp_op *op, struct ap_error *err)
{
  struct net_sftp_file *file = op->file;
  if (!net_sftp_room(op->sftp))
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  if (file->must_rewind) {
    libssh2_sftp_seek64(file->handle, 0);
    file->offset = 0;
    file->must_rewind = false;
  }
  op->begun_ms = now_ms();
  return AP_OK;
}

static int read_piece(struct net_sftp_op *op, struct ap_error *err)
{
  while (op->stage == READ_DATA) {
    int rc = read_some(op, err);
    if (rc != AP_OK)
      return rc;
    if (op->used >= NET_SFTP_PIECE || (op->used && op->file->offset == op->file->stat.size))
      return AP_OK;
  }
  return read_end(op, err);
}

static int read_step(struct net_sftp_op *op, struct ap_error *err)
{
  struct net_sftp *sftp = op->sftp;
  if (!op->file) { /* closed meanwhile: libssh2 must be out of it before the handle can go */
    ssize_t got = libssh2_sftp_read(op->handle, sftp->room, 1);
    return got == LIBSSH2_ERROR_EAGAIN ? AP_PENDING : AP_E_CANCELED;
  }
  int rc = op->begun_ms ? AP_OK : begin_read(op, err);
  if (rc == AP_OK)
    rc = read_piece(op, err);
  if (rc >= 0 && is_too_slow(op)) {
    char text[500];
    (void)snprintf(text, sizeof(text), "%.250s: it sends less than %" PRIu64 " bytes a second",
                   sftp->where, sftp->min_rate);
    net_sftp_lose(sftp, AP_E_TIMEOUT, text);
    return AP_E_TIMEOUT;
  }
  return rc;
}

static void read_finish(struct net_sftp_op *op, int code, const char *text)
{
  struct ap_slice data = {NULL, 0};
  if (op->file && op->file->read == op)
    op->file->read = NULL;
  if (!op->file)
    net_sftp_close_later(op->sftp, op->handle);
  if (op->is_canceled)
    return;
  if (code == AP_OK)
    data = (struct ap_slice){op->sftp->room, op->used};
  op->done.data(op->arg, code, text, data);
}

int net_sftp_read(struct net_sftp_file *file, net_sftp_data_fn *done, void *arg,
                  struct net_sftp_op **out)
{
  if (!file->sftp)
    return AP_E_CLOSED;
  if (file->read)
    return AP_E_BUSY;
  if (file->is_torn)
    return AP_E_INVALID;
  struct net_sftp_op *op = net_sftp_op_new(file->sftp, NULL);
  if (!op)
    return AP_E_NO_MEMORY;
  op->file = file;
  op->step = read_step;
  op->finish = read_finish;
  op->done.data = done;
  op->arg = arg;
  file->read = op;
  return net_sftp_op_submit(op, out);
}

int net_sftp_rewind(struct net_sftp_file *file)
{
  if (!file->sftp)
    return AP_E_CLOSED;
  if (file->read)
    return AP_E_BUSY;
  file->must_rewind = true; /* by the next read: libssh2 may still be in a canceled one */
  file->is_torn = false;
  return AP_OK;
}
