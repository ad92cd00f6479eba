/* The part of `engine` that plans stand on: what is known without asking VirusTotal. Each waits for
 * the store, and nothing is sent. Given to the engine's own Lua only. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "script/host_private.h"
#include "script/report.h"
#include "script/run_private.h"

static const struct script_plan *check_plan(lua_State *L)
{
  const struct script_plan *plan = script_run_of(L)->options.plan;
  if (!plan)
    luaL_error(L, "a bug: this is no plan");
  return plan;
}

/* ---- cached(call, resource) -> report | nil, message, "not_found" | false: not known ---- */

struct cached_op {
  struct store_op *asked;
  int code; /* of the call */
  int report_code;
  struct ap_buf body;
};

static void cached_cancel(void *memory)
{
  struct cached_op *op = memory;
  if (op->asked)
    store_cancel(op->asked);
  op->asked = NULL;
}

static void cached_release(void *memory)
{
  ap_buf_deinit(&((struct cached_op *)memory)->body);
}

static const struct task_op_kind cached_kind = {"engine.cached", cached_cancel, cached_release};

static void told_report(void *arg, int code, const struct store_report *report)
{
  struct cached_op *op = arg;
  op->asked = NULL;
  op->code = code;
  if (report) {
    op->report_code = report->code;
    ap_buf_add(&op->body, report->raw.ptr, report->raw.len);
    if (ap_buf_error(&op->body))
      script_out_of_memory();
  }
  task_op_wake(op);
}

static int cached_done(lua_State *L, int status, lua_KContext ctx)
{
  struct cached_op *op = (struct cached_op *)ctx;
  int count = 1;
  (void)status;
  if (task_op_code(op) != AP_OK || op->code != AP_OK)
    lua_pushboolean(L, 0); /* a cache that cannot be read is none */
  else if (op->report_code != AP_OK)
    count = script_push_error(L, op->report_code, NULL);
  else
    script_report_push(L, ap_slice_of(&op->body), 0);
  task_op_end(op);
  return count;
}

static int engine_cached(lua_State *L)
{
  static const char *const words[] = {"file_report", "url_report", "domain_report", "ip_report",
                                      NULL};
  static const enum vt_call calls[] = {VT_FILE_REPORT, VT_URL_REPORT, VT_DOMAIN_REPORT,
                                       VT_IP_REPORT};
  const struct script_plan *plan = check_plan(L);
  enum vt_call call = calls[luaL_checkoption(L, 1, NULL, words)];
  const char *resource = luaL_checkstring(L, 2);
  char *key = lua_newuserdatauv(L, strlen(resource) + 2, 0);
  vt_call_key(call, resource, key);
  struct cached_op *op = task_op_begin(L, sizeof(*op), &cached_kind);
  op->code = AP_E_NOT_FOUND;
  if (store_report_get(plan->store, key, &plan->lifetimes, told_report, op, &op->asked) ==
      AP_PENDING)
    return task_op_wait(L, op, cached_done);
  task_op_end(op);
  lua_pushboolean(L, 0);
  return 1;
}

/* ---- usage() -> { minute, day, month = { used, left or nil } } | nil: nobody knows ---- */

struct usage_op {
  struct store_op *asked;
  bool is_known;
  struct store_usage usage;
};

static void usage_cancel(void *memory)
{
  struct usage_op *op = memory;
  if (op->asked)
    store_cancel(op->asked);
  op->asked = NULL;
}

static const struct task_op_kind usage_kind = {"engine.usage", usage_cancel, NULL};

static void told_usage(void *arg, int code, const struct store_usage *usage)
{
  struct usage_op *op = arg;
  op->asked = NULL;
  op->is_known = code == AP_OK;
  if (usage)
    op->usage = *usage; /* its lists are not looked at */
  task_op_wake(op);
}

/* Sets a field of the table on top. [-0, +0, m] */
static void set_window(lua_State *L, const char *name, const struct store_window *window)
{
  lua_createtable(L, 0, 2);
  lua_pushinteger(L, window->used);
  lua_setfield(L, -2, "used");
  if (window->left != UINT32_MAX) {
    lua_pushinteger(L, window->left);
    lua_setfield(L, -2, "left");
  }
  lua_setfield(L, -2, name);
}

static int usage_done(lua_State *L, int status, lua_KContext ctx)
{
  struct usage_op *op = (struct usage_op *)ctx;
  (void)status;
  if (task_op_code(op) == AP_OK && op->is_known) {
    lua_createtable(L, 0, 3);
    set_window(L, "minute", &op->usage.minute);
    set_window(L, "day", &op->usage.day);
    set_window(L, "month", &op->usage.month);
  } else {
    lua_pushnil(L);
  }
  task_op_end(op);
  return 1;
}

static int engine_usage(lua_State *L)
{
  const struct script_plan *plan = check_plan(L);
  struct usage_op *op = task_op_begin(L, sizeof(*op), &usage_kind);
  if (store_usage_get(plan->store, &plan->limits, told_usage, op, &op->asked) == AP_PENDING)
    return task_op_wait(L, op, usage_done);
  task_op_end(op);
  lua_pushnil(L);
  return 1;
}

/* ---- what does not wait ---- */

static void set_number(lua_State *L, const char *name, uint32_t number)
{
  lua_pushinteger(L, number);
  lua_setfield(L, -2, name);
}

/* facts() -> { per_minute, per_day, per_month, reserve: 0 is none; list; has_key; keeps: what is
 * fetched is found again; comments: all, risky or none; engines = vt.engines } */
static int engine_facts(lua_State *L)
{
  static const char *const comments[] = {"all", "risky", "none"};
  const struct script_plan *plan = check_plan(L);
  lua_createtable(L, 0, 9);
  set_number(L, "per_minute", plan->limits.per_minute);
  set_number(L, "per_day", plan->limits.per_day);
  set_number(L, "per_month", plan->limits.per_month);
  set_number(L, "reserve", plan->limits.reserve);
  set_number(L, "list", plan->list);
  lua_pushboolean(L, plan->has_key);
  lua_setfield(L, -2, "has_key");
  lua_pushboolean(L, plan->lifetimes.report_ms && plan->lifetimes.not_found_ms);
  lua_setfield(L, -2, "keeps");
  lua_pushstring(L, comments[plan->comments]);
  lua_setfield(L, -2, "comments");
  script_vt_push_module(L);
  lua_getfield(L, -1, "engines");
  lua_remove(L, -2);
  lua_setfield(L, -2, "engines");
  return 1;
}

/* saw_findings() -> whether a script read since then what steps find out: suspicious, enriched */
static int engine_saw_findings(lua_State *L)
{
  struct script_run *run = script_run_of(L);
  lua_pushboolean(L, run->saw_findings);
  run->saw_findings = false;
  return 1;
}

const luaL_Reg script_plan_functions[] = {
    {"cached", engine_cached},
    {"facts", engine_facts},
    {"saw_findings", engine_saw_findings},
    {"usage", engine_usage},
    {NULL, NULL},
};
