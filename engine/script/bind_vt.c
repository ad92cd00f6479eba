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
 *   vt.file_scan(source[, { name =, report = }])   submits a file of `files` or `sftp`, and closes
 *                                         it: -> receipt, with md5 =, sha1 = and sha256 = too
 *   vt.await("file"|"url", receipt|scan_id, { resource = }) -> report; what is not finished when
 *                                         the run ends is nil, message, "queued"
 *   vt.engines(report)                -> { detecting = { names }, total =, rows = }; nil without
 *                                        scans. Does not wait. rows is for entity:table
 *
 * What the policy denies (vt/policy.h) is nil, the rule, "denied", and nothing was sent.
 *
 * A report reads as the decoded answer (see report.h); its bytes stay with it, for the result. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "script/host_private.h"
#include "script/json.h"
#include "script/report.h"
#include "script/vt_op.h"
#include "vt/engines.h"

#define KIND(call)                                                                                 \
  {                                                                                                \
    "vt." call, script_vt_cancel, script_vt_release                                                \
  }

static const struct task_op_kind kinds[VT_CALL_COUNT] = {
    [VT_FILE_REPORT] = KIND("file_report"),     [VT_URL_REPORT] = KIND("url_report"),
    [VT_DOMAIN_REPORT] = KIND("domain_report"), [VT_IP_REPORT] = KIND("ip_report"),
    [VT_COMMENTS] = KIND("comments"),           [VT_FILE_RESCAN] = KIND("file_rescan"),
    [VT_URL_SCAN] = KIND("url_scan"),
};
static const struct task_op_kind await_kind = KIND("await");

/* ---- asking ---- */

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

/* Under which the answer is known; NULL where it says nothing of what may be submitted. */
static char *key_of(enum vt_call call, const char *resource)
{
  if (call != VT_FILE_REPORT && call != VT_URL_REPORT)
    return NULL;
  char *key = malloc(strlen(resource) + 2);
  if (!key)
    script_out_of_memory();
  vt_call_key(call, resource, key);
  return key;
}

static int ask(lua_State *L, enum vt_call call, struct vt_ask_options *options)
{
  struct script_job *job = script_vt_job(L, kinds[call].name);
  const char *resource = check_resource(L, 1);
  options->cost = job->cost;
  options->about = script_about(job, call, resource);
  struct vt_op *op = script_vt_begin(L, job, &kinds[call]);
  op->key = key_of(call, resource);
  op->is_comments = call == VT_COMMENTS;
  op->is_receipt = call == VT_FILE_RESCAN || call == VT_URL_SCAN;
  int rc =
      vt_ask(job->run->options.client, call, resource, options, script_vt_answered, op, &op->ask);
  return script_vt_wait(L, op, rc);
}

static int look_up(lua_State *L, enum vt_call call)
{
  static const char *const known[] = {"cache", "on_limit", NULL};
  struct vt_ask_options options = {.priority = VT_LOOKUP};
  script_vt_check_options(L, 2, known);
  if (script_vt_option(L, 2, "cache") != LUA_TNIL)
    options.no_cache = !lua_toboolean(L, -1);
  if (script_vt_option(L, 2, "on_limit") == LUA_TSTRING)
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
  const struct script_job *job = script_vt_job(L, "vt.comments");
  static const char *const known[] = {"risky", NULL};
  struct vt_ask_options options = {.priority = VT_COMMENT};
  script_vt_check_options(L, 2, known);
  (void)check_resource(L, 1);
  (void)script_vt_option(L, 2, "risky");
  bool is_risky = lua_toboolean(L, -1);
  lua_settop(L, 1);
  if (vt_comments_are_wanted(job->run->options.client, is_risky))
    return ask(L, VT_COMMENTS, &options);
  lua_newtable(L);
  return 1;
}

static int submit(lua_State *L, enum vt_call call)
{
  static const char *const known[] = {"report", NULL};
  struct vt_ask_options options = {.priority = VT_RESCAN};
  script_vt_check_options(L, 2, known);
  options.has_report = script_vt_option(L, 2, "report") != LUA_TNIL;
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
  struct script_job *job = script_vt_job(L, "vt.await");
  enum vt_call call = calls[luaL_checkoption(L, 1, NULL, kind_words)];
  push_scan_id(L, 2);
  if (lua_isnil(L, -1))
    (void)script_vt_option(L, 3, "resource");
  luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 2, "neither a scan id nor a resource");
  const char *scan_id = check_resource(L, lua_gettop(L));
  const struct vt_about about = script_about(job, call, scan_id);
  struct vt_op *op = script_vt_begin(L, job, &await_kind);
  job->has_submitted = true;
  int rc = vt_await(job->run->options.client, call, scan_id, &about, job->cost, script_vt_answered,
                    op, &op->wait);
  if (rc == AP_PENDING)
    script_job_leave_place(job);
  return script_vt_wait(L, op, rc);
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
    {"file_scan", script_vt_file_scan},
    {"ip_report", vt_ip_report},
    {"url_report", vt_url_report},
    {"url_scan", vt_url_scan},
    {NULL, NULL},
};

void script_vt_push_module(lua_State *L)
{
  luaL_newlib(L, vt_functions);
}
