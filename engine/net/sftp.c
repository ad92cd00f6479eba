/* The connection and the queue of calls on it. */
// SPDX-License-Identifier: Apache-2.0
#include "net/sftp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "net/sftp_private.h"
#include "net/ssh_text.h"

/* ---- calls ---- */

struct net_sftp_op *net_sftp_op_new(struct net_sftp *sftp, const char *path)
{
  struct net_sftp_op *op = calloc(1, sizeof(*op));
  if (!op)
    return NULL;
  op->sftp = sftp;
  op->path = path ? strdup(path) : NULL;
  if (path && !op->path) {
    free(op);
    return NULL;
  }
  return op;
}

void net_sftp_op_free(struct net_sftp_op *op)
{
  if (!op)
    return;
  ap_buf_deinit(&op->names);
  ap_buf_deinit(&op->items);
  free(op->path);
  free(op);
}

static void kicked(uv_idle_t *handle);

static void kick(struct net_sftp *sftp)
{
  (void)uv_idle_start(sftp->kick, kicked);
}

int net_sftp_op_submit(struct net_sftp_op *op, struct net_sftp_op **out)
{
  DL_APPEND(op->sftp->ops, op);
  if (!op->sftp->current && (op->sftp->is_open || op->sftp->lost_code))
    kick(op->sftp);
  if (out)
    *out = op;
  return AP_PENDING;
}

int net_sftp_ask(struct net_sftp *sftp, const char *path, const struct net_sftp_op *asked,
                 struct net_sftp_op **out)
{
  if (!*path)
    return AP_E_INVALID;
  struct net_sftp_op *op = net_sftp_op_new(sftp, path);
  if (!op)
    return AP_E_NO_MEMORY;
  char *copy = op->path;
  *op = *asked;
  op->sftp = sftp;
  op->path = copy;
  return net_sftp_op_submit(op, out);
}

void net_sftp_cancel(struct net_sftp_op *op)
{
  if (!op)
    return;
  struct net_sftp *sftp = op->sftp;
  op->is_canceled = true;
  if (op->file && op->file->read == op) {
    op->file->read = NULL;
    op->file->is_torn = op == sftp->current;
  }
  if (op == sftp->current)
    return; /* libssh2 is in the middle of it: it ends unheard */
  DL_DELETE(sftp->ops, op);
  op->finish(op, AP_E_CANCELED, "");
  net_sftp_op_free(op);
}

char *net_sftp_room(struct net_sftp *sftp)
{
  if (!sftp->room)
    sftp->room = malloc(NET_SFTP_ROOM);
  return sftp->room;
}

/* ---- one call at a time ---- */

static void finish(struct net_sftp_op *op, int code, const char *text)
{
  struct net_sftp *sftp = op->sftp;
  DL_DELETE(sftp->ops, op);
  sftp->current = NULL;
  if (sftp->ops)
    kick(sftp);
  op->finish(op, code, text); /* may close all */
  net_sftp_op_free(op);
}

/* What is told when nothing more can be: the files stay for their owners to close. */
void net_sftp_lose(struct net_sftp *sftp, int code, const char *text)
{
  sftp->lost_code = code;
  (void)snprintf(sftp->lost_text, sizeof(sftp->lost_text), "%s", text);
  for (struct net_sftp_file *file = sftp->files; file; file = file->next)
    file->handle = NULL;
  for (struct net_sftp_op *op = sftp->ops; op; op = op->next)
    op->handle = NULL;
  sftp->session = NULL;
  sftp->current = NULL;
  net_ssh_close(sftp->ssh);
  sftp->ssh = NULL;
  if (sftp->ops)
    kick(sftp);
}

static void step(struct net_sftp *sftp)
{
  struct net_sftp_op *op = sftp->current;
  struct ap_error err = {0};
  op->has_progress = false;
  int rc = op->step(op, &err);
  if (rc == AP_PENDING) {
    if (op->has_progress)
      net_ssh_deadline(sftp->ssh, sftp->wait_ms);
    net_ssh_wait(sftp->ssh);
    return;
  }
  if (sftp->ssh) {
    net_ssh_deadline(sftp->ssh, 0);
    net_ssh_rest(sftp->ssh, libssh2_sftp_get_channel(sftp->session));
  }
  if (sftp->lost_code)
    (void)uv_idle_start(sftp->kick, kicked); /* with the sentence of the connection */
  else
    finish(op, rc, rc == AP_OK ? "" : err.text);
}

static void kicked(uv_idle_t *handle)
{
  struct net_sftp *sftp = handle->data;
  (void)uv_idle_stop(handle);
  if (!sftp->ops)
    return;
  if (sftp->lost_code) {
    finish(sftp->ops, sftp->lost_code, sftp->lost_text);
    return;
  }
  sftp->current = sftp->ops;
  net_ssh_deadline(sftp->ssh, sftp->wait_ms);
  step(sftp);
}

/* ---- what the connection tells ---- */

static void opened(void *arg)
{
  struct net_sftp *sftp = arg;
  sftp->is_open = true;
  kick(sftp);
}

static void ready(void *arg)
{
  struct net_sftp *sftp = arg;
  if (sftp->current)
    step(sftp);
}

static void lost(void *arg, int code, const char *text)
{
  net_sftp_lose(arg, code, text);
}

/* libssh2 keeps the last status of the server for ever: only these errors brought a new one. */
static bool is_status(const char *message)
{
  return strcmp(message, "SFTP Protocol Error") == 0 || strcmp(message, "SFTP READ error") == 0 ||
         strcmp(message, "Failed opening remote file") == 0;
}

static unsigned long status_of(struct net_sftp *sftp, long rc)
{
  char *message = NULL;
  (void)libssh2_session_last_error(net_ssh_session(sftp->ssh), &message, NULL, 0);
  if (rc != LIBSSH2_ERROR_SFTP_PROTOCOL || !message || !is_status(message))
    return LIBSSH2_FX_OK;
  return libssh2_sftp_last_error(sftp->session);
}

int net_sftp_refused(struct net_sftp_op *op, long rc, const char *path, struct ap_error *err)
{
  struct net_sftp *sftp = op->sftp;
  char clean[300];
  net_ssh_clean(clean, sizeof(clean), path, strlen(path));
  unsigned long status = status_of(sftp, rc);
  switch (status) {
  case LIBSSH2_FX_NO_SUCH_FILE:
    return ap_fail(err, AP_E_NOT_FOUND, "%s: no such file on %.100s", clean, sftp->where);
  case LIBSSH2_FX_PERMISSION_DENIED:
    return ap_fail(err, AP_E_FORBIDDEN, "%s: permission denied on %.100s", clean, sftp->where);
  case LIBSSH2_FX_FAILURE:
    return ap_fail(err, AP_E_IO, "%s: reading it failed on %.100s", clean, sftp->where);
  case LIBSSH2_FX_OP_UNSUPPORTED:
    return ap_fail(err, AP_E_IO, "%s: %.100s cannot do that", clean, sftp->where);
  case LIBSSH2_FX_OK:
  case LIBSSH2_FX_BAD_MESSAGE:
  case LIBSSH2_FX_NO_CONNECTION:
  case LIBSSH2_FX_CONNECTION_LOST:
    break;
  default:
    return ap_fail(err, AP_E_IO, "%s: failed on %.100s with status %lu", clean, sftp->where,
                   status);
  }
  char text[sizeof(err->text)];
  int code = net_ssh_describe(sftp->ssh, (int)rc, err);
  (void)snprintf(text, sizeof(text), "%.300s: %.170s", sftp->where, err->text);
  net_sftp_lose(sftp, code, text);
  return code;
}

/* ---- opening and closing ---- */

static int begin_session(struct net_sftp_op *op, struct ap_error *err)
{
  struct net_sftp *sftp = op->sftp;
  LIBSSH2_SESSION *session = net_ssh_session(sftp->ssh);
  sftp->session = libssh2_sftp_init(session);
  if (sftp->session)
    return AP_OK;
  int rc = libssh2_session_last_errno(session);
  if (rc == LIBSSH2_ERROR_EAGAIN)
    return AP_PENDING;
  char text[600];
  int code = net_ssh_describe(sftp->ssh, rc, err);
  if (code == AP_E_BAD_ANSWER)
    (void)snprintf(text, sizeof(text), "%s: the server does not offer SFTP", sftp->where);
  else
    (void)snprintf(text, sizeof(text), "%s: %.180s", sftp->where, err->text);
  net_sftp_lose(sftp, code, text);
  return code;
}

static void tell_ready(struct net_sftp_op *op, int code, const char *text)
{
  if (!op->is_canceled)
    op->done.ready(op->arg, code, text);
}

static struct net_sftp *sftp_new(struct net_loop *loop, const struct net_sftp_options *options)
{
  struct net_sftp *sftp = calloc(1, sizeof(*sftp));
  if (!sftp)
    return NULL;
  sftp->kick = calloc(1, sizeof(*sftp->kick));
  if (!sftp->kick) {
    free(sftp);
    return NULL;
  }
  (void)uv_idle_init(net_loop_uv(loop), sftp->kick);
  sftp->kick->data = sftp;
  sftp->loop = loop;
  sftp->wait_ms = options->wait_ms;
  sftp->min_rate = options->min_rate;
  return sftp;
}

int net_sftp_open(struct net_loop *loop, const struct net_sftp_options *options,
                  net_sftp_ready_fn *ready_fn, void *arg, struct net_sftp **out,
                  struct ap_error *err)
{
  struct net_sftp *sftp = sftp_new(loop, options);
  struct net_sftp_op *op = sftp ? net_sftp_op_new(sftp, NULL) : NULL;
  if (!op) {
    net_sftp_close(sftp);
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  }
  op->step = begin_session;
  op->finish = tell_ready;
  op->done.ready = ready_fn;
  op->arg = arg;
  (void)net_sftp_op_submit(op, NULL);
  const struct net_ssh_owner owner = {.opened = opened, .ready = ready, .lost = lost, .arg = sftp};
  int rc = net_ssh_open(loop, options, &owner, &sftp->ssh, err);
  if (rc != AP_PENDING) {
    net_sftp_close(sftp);
    return rc;
  }
  (void)snprintf(sftp->where, sizeof(sftp->where), "%s", net_ssh_where(sftp->ssh));
  *out = sftp;
  return AP_PENDING;
}

static void handle_closed(uv_handle_t *handle)
{
  free(handle);
}

void net_sftp_close(struct net_sftp *sftp)
{
  if (!sftp)
    return;
  struct net_sftp_op *op = sftp->ops;
  while (op) {
    struct net_sftp_op *next = op->next;
    op->is_canceled = true;
    op->handle = NULL; /* it goes with the session */
    op->finish(op, AP_E_CANCELED, "");
    net_sftp_op_free(op);
    op = next;
  }
  struct net_sftp_file *file;
  struct net_sftp_file *after;
  DL_FOREACH_SAFE(sftp->files, file, after)
  {
    file->sftp = NULL;
    file->handle = NULL;
    file->read = NULL;
  }
  net_ssh_close(sftp->ssh);
  uv_close((uv_handle_t *)sftp->kick, handle_closed);
  free(sftp->room);
  free(sftp);
}
