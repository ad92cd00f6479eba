/* The module `vt`, given to actions that declare the capability. Each function waits. What
 * VirusTotal or the network does comes back as nil, message, code.
 *
 *   vt.file_report(hash[, options])    -> report | nil, message, code, scan_id
 *   vt.url_report(url[, options])         options: cache = false: not from the cache;
 *   vt.domain_report(domain[, options])   on_limit = "stop": do not wait for quota
 *   vt.ip_report(address[, options])
 *   vt.comments(resource[, { risky = boolean }]) -> { { date =, comment = }, ... }; {} where the
 *                                         configuration wants none
 *   vt.file_rescan(hash[, { report = }])  -> receipt { scan_id =, resource =, permalink = }
 *   vt.url_scan(url[, { report = }])         report: what is in hand when it is refused
 *   vt.await("file"|"url", receipt|scan_id, { resource = }) -> report; what is not finished when
 *                                         the run ends is nil, message, "queued"
 *   vt.engines(report)                -> { detecting = { names }, total =, rows = }; nil without
 *                                        scans. Does not wait. rows is for entity:table
 *
 * A report reads as the decoded answer (see report.h); its bytes stay with it, for the result. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "script/host_private.h"
#include "script/json.h"
#include "script/report.h"
#include "script/run_private.h"
#include "vt/await.h"
#include "vt/engines.h"

struct vt_op {
  struct vt_ask *ask; /* under way; NULL: none */
  struct vt_wait *wait;
  struct script_job *job;
  bool is_receipt; /* a submission: it gives a receipt, not a report */
  bool is_comments;
  int code;
  struct ap_buf body;
  char *message; /* of a failure; NULL: none */
  char *scan_id; /* NULL: none */
};

static void op_cancel(void *memory)
{
  struct vt_op *op = memory;
  if (op->ask)
    vt_ask_cancel(op->ask);
  if (op->wait)
    vt_wait_cancel(op->wait);
  op->ask = NULL;
  op->wait = NULL;
}

static void op_release(void *memory)
{
  struct vt_op *op = memory;
  ap_buf_deinit(&op->body);
  free(op->message);
  free(op->scan_id);
}

#define KIND(call)                                                                                 \
  {                                                                                                \
    "vt." call, op_cancel, op_release                                                              \
  }

static const struct task_op_kind kinds[VT_CALL_COUNT] = {
    [VT_FILE_REPORT] = KIND("file_report"),     [VT_URL_REPORT] = KIND("url_report"),
    [VT_DOMAIN_REPORT] = KIND("domain_report"), [VT_IP_REPORT] = KIND("ip_report"),
    [VT_COMMENTS] = KIND("comments"),           [VT_FILE_RESCAN] = KIND("file_rescan"),
    [VT_URL_SCAN] = KIND("url_scan"),
};
static const struct task_op_kind await_kind = KIND("await");

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

static void answered(void *arg, const struct vt_answer *answer)
{
  struct vt_op *op = arg;
  op->ask = NULL;
  op->wait = NULL;
  op->code = answer->code;
  if (!op->is_receipt && !op->is_comments &&
      (answer->code == AP_OK || answer->code == AP_E_NOT_FOUND))
    op->job->cached_unix_ms = answer->is_cached ? answer->fetched_unix_ms : 0;
  ap_buf_add(&op->body, answer->body.ptr, answer->body.len);
  op->message = copy_text_of(answer->message);
  op->scan_id = copy_text_of(answer->scan_id);
  if (ap_buf_error(&op->body))
    script_out_of_memory();
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

/* ---- asking ---- */

static struct script_job *check_job(lua_State *L, const char *name)
{
  struct script_job *job = script_job_current(L);
  if (!job)
    luaL_error(L, "%s works in an action's run only", name);
  return job;
}

/* A resource without anything that could make two requests of one. */
static const char *check_resource(lua_State *L, int arg)
{
  enum { RESOURCE_MAX = 8192 };
  size_t len;
  const char *text = luaL_checklstring(L, arg, &len);
  luaL_argcheck(L, len > 0, arg, "nothing to ask for");
  luaL_argcheck(L, len <= RESOURCE_MAX, arg, "longer than 8192 bytes");
  for (size_t i = 0; i < len; i++)
    luaL_argcheck(L, (unsigned char)text[i] >= 0x20 && text[i] != 0x7f, arg,
                  "control characters cannot be asked for");
  return text;
}

/* The field of the options at `arg`, nil where there are none. [-0, +1, e] */
static int push_option(lua_State *L, int arg, const char *name)
{
  if (lua_isnoneornil(L, arg)) {
    lua_pushnil(L);
    return LUA_TNIL;
  }
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_pushstring(L, name);
  return lua_rawget(L, arg);
}

static struct vt_op *begin(lua_State *L, struct script_job *job, const struct task_op_kind *kind)
{
  struct vt_op *op = task_op_begin(L, sizeof(*op), kind);
  op->job = job;
  return op;
}

/* What could not even be begun is told as what went wrong on the way. */
static int wait_or_fail(lua_State *L, struct vt_op *op, int rc)
{
  if (rc == AP_PENDING)
    return task_op_wait(L, op, op_done);
  op->ask = NULL;
  op->wait = NULL;
  task_op_end(op);
  return script_push_error(L, rc, rc == AP_E_INVALID ? "it cannot be asked for" : NULL);
}

static int ask(lua_State *L, enum vt_call call, struct vt_ask_options *options)
{
  struct script_job *job = check_job(L, kinds[call].name);
  const char *resource = check_resource(L, 1);
  options->cost = job->cost;
  struct vt_op *op = begin(L, job, &kinds[call]);
  op->is_comments = call == VT_COMMENTS;
  op->is_receipt = call == VT_FILE_RESCAN || call == VT_URL_SCAN;
  int rc = vt_ask(job->run->options.client, call, resource, options, answered, op, &op->ask);
  return wait_or_fail(L, op, rc);
}

static int look_up(lua_State *L, enum vt_call call)
{
  struct vt_ask_options options = {.priority = VT_LOOKUP};
  if (push_option(L, 2, "cache") != LUA_TNIL)
    options.no_cache = !lua_toboolean(L, -1);
  if (push_option(L, 2, "on_limit") == LUA_TSTRING)
    options.stop_on_limit = strcmp(lua_tostring(L, -1), "stop") == 0;
  lua_settop(L, 2);
  return ask(L, call, &options);
}

static int vt_file_report(lua_State *L)
{
  return look_up(L, VT_FILE_REPORT);
}

static int vt_url_report(lua_State *L)
{
  return look_up(L, VT_URL_REPORT);
}

static int vt_domain_report(lua_State *L)
{
  return look_up(L, VT_DOMAIN_REPORT);
}

static int vt_ip_report(lua_State *L)
{
  return look_up(L, VT_IP_REPORT);
}

static int vt_comments(lua_State *L)
{
  const struct script_job *job = check_job(L, "vt.comments");
  struct vt_ask_options options = {.priority = VT_COMMENT};
  (void)check_resource(L, 1);
  (void)push_option(L, 2, "risky");
  bool is_risky = lua_toboolean(L, -1);
  lua_settop(L, 1);
  if (vt_comments_are_wanted(job->run->options.client, is_risky))
    return ask(L, VT_COMMENTS, &options);
  lua_newtable(L);
  return 1;
}

static int submit(lua_State *L, enum vt_call call)
{
  struct vt_ask_options options = {.priority = VT_RESCAN};
  options.has_report = push_option(L, 2, "report") != LUA_TNIL;
  lua_settop(L, 1);
  return ask(L, call, &options);
}

static int vt_file_rescan(lua_State *L)
{
  return submit(L, VT_FILE_RESCAN);
}

static int vt_url_scan(lua_State *L)
{
  return submit(L, VT_URL_SCAN);
}

/* ---- waiting for a scan ---- */

/* The scan id in a receipt or as a text; nil where there is none. [-0, +1, e] */
static void push_scan_id(lua_State *L, int arg)
{
  if (lua_type(L, arg) == LUA_TSTRING) {
    lua_pushvalue(L, arg);
  } else {
    luaL_checktype(L, arg, LUA_TTABLE);
    lua_pushliteral(L, "scan_id");
    if (lua_rawget(L, arg) != LUA_TSTRING) {
      lua_pop(L, 1);
      lua_pushnil(L);
    }
  }
}

static int vt_await_scan(lua_State *L)
{
  static const char *const kind_words[] = {"file", "url", NULL};
  static const enum vt_call calls[] = {VT_FILE_REPORT, VT_URL_REPORT};
  struct script_job *job = check_job(L, "vt.await");
  enum vt_call call = calls[luaL_checkoption(L, 1, NULL, kind_words)];
  push_scan_id(L, 2);
  if (lua_isnil(L, -1))
    (void)push_option(L, 3, "resource");
  luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 2, "neither a scan id nor a resource");
  const char *scan_id = check_resource(L, lua_gettop(L));
  struct vt_op *op = begin(L, job, &await_kind);
  job->has_submitted = true;
  int rc = vt_await(job->run->options.client, call, scan_id, job->cost, answered, op, &op->wait);
  if (rc == AP_PENDING)
    script_job_leave_place(job);
  return wait_or_fail(L, op, rc);
}

/* ---- engines ---- */

struct names {
  lua_State *L;
  lua_Integer count;
};

static void add_name(void *arg, struct ap_slice text)
{
  struct names *names = arg;
  lua_pushlstring(names->L, text.ptr, text.len);
  lua_rawseti(names->L, -2, ++names->count);
}

static int vt_engines(lua_State *L)
{
  enum { BYTES_PER_INSTRUCTION = 8 };
  struct vt_engines engines;
  struct names names = {.L = L};
  luaL_checkany(L, 1);
  struct ap_slice scans = script_report_member(L, 1, "scans");
  if (!scans.ptr) {
    lua_pushnil(L);
    return 1;
  }
  script_charge(L, scans.len / BYTES_PER_INSTRUCTION);
  lua_createtable(L, 0, 3);
  lua_newtable(L);
  int rc = vt_engines_read(scans, &engines, add_name, &names);
  if (rc == AP_E_NOT_FOUND) {
    lua_pushnil(L);
    return 1;
  }
  if (rc != AP_OK)
    script_out_of_memory();
  lua_setfield(L, -2, "detecting");
  lua_pushinteger(L, (lua_Integer)engines.total);
  lua_setfield(L, -2, "total");
  script_json_text_push(L, ap_slice_of(&engines.rows));
  lua_setfield(L, -2, "rows");
  ap_buf_deinit(&engines.rows);
  return 1;
}

static const luaL_Reg vt_functions[] = {
    {"await", vt_await_scan},
    {"comments", vt_comments},
    {"domain_report", vt_domain_report},
    {"engines", vt_engines},
    {"file_report", vt_file_report},
    {"file_rescan", vt_file_rescan},
    {"ip_report", vt_ip_report},
    {"url_report", vt_url_report},
    {"url_scan", vt_url_scan},
    {NULL, NULL},
};

void script_vt_push_module(lua_State *L)
{
  luaL_newlib(L, vt_functions);
}
