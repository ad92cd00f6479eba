// SPDX-License-Identifier: Apache-2.0
#include "script/vt_op.h"

#include <stdlib.h>
#include <string.h>

#include "script/host_private.h"
#include "script/json.h"
#include "script/report.h"

/* Nothing is under way for it any more. */
static void forget(struct vt_op *op)
{
  op->ask = NULL;
  op->wait = NULL;
  op->upload = NULL;
}

void script_vt_cancel(void *memory)
{
  struct vt_op *op = memory;
  if (op->ask)
    vt_ask_cancel(op->ask);
  if (op->wait)
    vt_wait_cancel(op->wait);
  if (op->upload)
    vt_upload_cancel(op->upload);
  forget(op);
}

void script_vt_release(void *memory)
{
  struct vt_op *op = memory;
  script_native(op->host, -(ptrdiff_t)op->body.len);
  ap_buf_deinit(&op->body);
  free(op->message);
  free(op->scan_id);
  free(op->key);
}

/* ---- the world answers ---- */

/* NULL for an empty one. */
static char *copy_text_of(const char *text)
{
  if (!*text)
    return NULL;
  char *copy = strdup(text);
  if (!copy)
    script_out_of_memory();
  return copy;
}

void script_vt_answered(void *arg, const struct vt_answer *answer)
{
  struct vt_op *op = arg;
  forget(op);
  op->code = answer->code;
  if (answer->digests) {
    op->has_digests = true;
    op->digests = *answer->digests;
  }
  if (!op->is_receipt && !op->is_comments &&
      (answer->code == AP_OK || answer->code == AP_E_NOT_FOUND))
    op->job->cached_unix_ms = answer->is_cached ? answer->fetched_unix_ms : 0;
  if (op->key && answer->code == AP_E_NOT_FOUND) {
    free(op->job->unknown);
    op->job->unknown = op->key;
    op->key = NULL;
  }
  ap_buf_add(&op->body, answer->body.ptr, answer->body.len);
  op->message = copy_text_of(answer->message);
  op->scan_id = copy_text_of(answer->scan_id);
  if (ap_buf_error(&op->body))
    script_out_of_memory();
  script_native(op->host, (ptrdiff_t)op->body.len);
  task_op_wake(op);
}

/* ---- what the script gets ---- */

/* nil, message, code[, scan_id] */
static int push_failure(lua_State *L, const struct vt_op *op)
{
  int count = script_push_error(L, op->code, op->message);
  if (!op->scan_id)
    return count;
  lua_pushstring(L, op->scan_id);
  return count + 1;
}

static int push_comments(lua_State *L, struct vt_op *op)
{
  struct ap_slice list;
  if (op->code == AP_E_NOT_FOUND) {
    lua_newtable(L);
    return 1;
  }
  if (op->code != AP_OK)
    return push_failure(L, op);
  if (ap_json_get(ap_slice_of(&op->body), "comments", &list) && ap_json_kind(list) == AP_JSON_ARRAY)
    script_json_push(L, list);
  else
    lua_newtable(L);
  return 1;
}

/* Only texts of it are kept: a receipt never has an answer's odd members. */
static void copy_text(lua_State *L, int answer, const char *name)
{
  lua_pushstring(L, name);
  if (lua_rawget(L, answer) == LUA_TSTRING)
    lua_setfield(L, -2, name);
  else
    lua_pop(L, 1);
}

/* Of a file: what it is known by, also where VirusTotal's answer does not say so. [-0, +0, m] */
static void add_digests(lua_State *L, const struct ap_digests *digests)
{
  lua_pushstring(L, digests->md5);
  lua_setfield(L, -2, "md5");
  lua_pushstring(L, digests->sha1);
  lua_setfield(L, -2, "sha1");
  lua_pushstring(L, digests->sha256);
  lua_setfield(L, -2, "sha256");
  lua_pushstring(L, digests->sha256);
  lua_setfield(L, -2, "resource");
}

static int push_receipt(lua_State *L, struct vt_op *op)
{
  if (op->code != AP_OK)
    return push_failure(L, op);
  op->job->has_submitted = true;
  script_json_push(L, ap_slice_of(&op->body));
  int answer = lua_gettop(L);
  lua_createtable(L, 0, 3);
  copy_text(L, answer, "resource");
  copy_text(L, answer, "permalink");
  if (op->scan_id) {
    lua_pushstring(L, op->scan_id);
    lua_setfield(L, -2, "scan_id");
  }
  if (op->has_digests)
    add_digests(L, &op->digests);
  return 1;
}

static int push_report(lua_State *L, struct vt_op *op)
{
  if (op->code != AP_OK)
    return push_failure(L, op);
  script_report_push(L, ap_slice_of(&op->body), op->job->serial);
  return 1;
}

static int push_answer(lua_State *L, struct vt_op *op)
{
  if (op->is_comments)
    return push_comments(L, op);
  return op->is_receipt ? push_receipt(L, op) : push_report(L, op);
}

static int op_done(lua_State *L, int status, lua_KContext ctx)
{
  struct vt_op *op = (struct vt_op *)ctx;
  (void)status;
  script_job_take_place(op->job);
  if (op->source) /* what was sent is sent, and its place is another's */
    script_file_close(op->source);
  int interrupted = task_op_code(op);
  if (interrupted != AP_OK) {
    task_op_end(op);
    return script_push_error(L, interrupted, NULL);
  }
  luaL_checkstack(L, 8, NULL);
  int count = push_answer(L, op);
  task_op_end(op);
  return count;
}

struct script_job *script_vt_job(lua_State *L, const char *name)
{
  return script_job_check(L, SCRIPT_MAY_VT, name);
}

static bool is_one_of(const char *word, const char *const *known)
{
  while (*known && strcmp(*known, word) != 0)
    known++;
  return *known;
}

void script_vt_check_options(lua_State *L, int arg, const char *const *known)
{
  if (lua_isnoneornil(L, arg))
    return;
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_pushnil(L);
  while (lua_next(L, arg)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING || !is_one_of(lua_tostring(L, -1), known)) {
      script_push_text(L, -1);
      luaL_argerror(L, arg, lua_pushfstring(L, "there is no option \"%s\"", lua_tostring(L, -1)));
    }
  }
}

/* The field of the options at `arg`, nil where there are none. [-0, +1, e] */
int script_vt_option(lua_State *L, int arg, const char *name)
{
  if (lua_isnoneornil(L, arg)) {
    lua_pushnil(L);
    return LUA_TNIL;
  }
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_pushstring(L, name);
  return lua_rawget(L, arg);
}

struct vt_op *script_vt_begin(lua_State *L, struct script_job *job, const struct task_op_kind *kind)
{
  struct vt_op *op = task_op_begin(L, sizeof(*op), kind);
  op->job = job;
  op->host = script_host_of(L);
  return op;
}

/* What could not even be begun is told as what went wrong on the way. */
int script_vt_wait(lua_State *L, struct vt_op *op, int rc)
{
  if (rc == AP_PENDING)
    return task_op_wait(L, op, op_done);
  forget(op);
  if (op->source)
    script_file_close(op->source);
  task_op_end(op);
  return script_push_error(L, rc, rc == AP_E_INVALID ? "it cannot be asked for" : NULL);
}
