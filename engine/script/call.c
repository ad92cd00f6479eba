/* Functions that the engine's Lua has called in tasks of their own: those of playbooks, so that
 * each has its own account and may be ended alone, and those that go on at the same time. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "script/host_private.h"
#include "script/run_private.h"

struct call_op {
  struct script_run *run;
  uint32_t left;
  int results_ref; /* { { true, results... } | { false, message }, ... } */
};

static void call_cancel(void *memory)
{
  struct call_op *op = memory;
  struct script_call *call;
  if (!op->run)
    return;
  DL_FOREACH(op->run->calls, call)
  if (call->op == op)
    call->op = NULL;
}

static void call_release(void *memory)
{
  struct call_op *op = memory;
  if (op->run)
    luaL_unref(script_host_state(op->run->host), LUA_REGISTRYINDEX, op->results_ref);
}

static const struct task_op_kind call_kind = {"engine.call", call_cancel, call_release};

/* Pushes { true, results... } or { false, message }. [-0, +1, m] */
static void push_result(lua_State *co, int rc, int result_count)
{
  struct ap_error err = {0};
  int first = lua_gettop(co) - result_count + 1;
  lua_createtable(co, result_count + 1, 0);
  lua_pushboolean(co, rc == AP_OK);
  lua_rawseti(co, -2, 1);
  if (rc == AP_OK) {
    for (int i = 0; i < result_count; i++) {
      lua_pushvalue(co, first + i);
      lua_rawseti(co, -2, i + 2);
    }
    return;
  }
  if (rc == AP_E_CANCELED) {
    lua_pushstring(co, ap_error_text(AP_E_CANCELED));
  } else {
    lua_pushvalue(co, first);
    script_error_text(co, &err);
    lua_pushstring(co, err.text);
  }
  lua_rawseti(co, -2, 2);
}

static void call_ended(void *arg, int rc, lua_State *co, int result_count)
{
  struct script_call *call = arg;
  struct call_op *op = call->op;
  luaL_checkstack(co, 8, NULL);
  if (op) {
    push_result(co, rc, result_count);
    lua_rawgeti(co, LUA_REGISTRYINDEX, op->results_ref);
    lua_insert(co, -2);
    lua_rawseti(co, -2, call->index);
    lua_pop(co, 1);
    if (--op->left == 0)
      task_op_wake(op);
  }
  DL_DELETE(call->run->calls, call);
  if (call->job)
    script_job_free(call->job);
  call->run->wants_pump = true;
  free(call);
}

/* Starts the function and arguments on top of L's stack. [-(1 + arg_count), +0, m] */
static void start_call(lua_State *L, struct call_op *op, int arg_count, lua_Integer index,
                       struct script_job *job)
{
  struct script_call *call = calloc(1, sizeof(*call));
  if (!call)
    script_out_of_memory();
  *call = (struct script_call){.run = op->run, .job = job, .op = op, .index = index};
  DL_APPEND(op->run->calls, call);
  op->left++;
  call->task = task_start(L, arg_count, call_ended, call);
  if (!job) {
    task_set_limit(call->task, SCRIPT_OWN_INSTRUCTIONS);
    return;
  }
  job->task = call->task;
  task_set_data(call->task, job);
  task_set_label(call->task, job->label, NULL);
}

/* The stack keeps the arguments: results_ref is made from a new table. [-0, +0, m] */
static struct call_op *begin(lua_State *L)
{
  struct call_op *op = task_op_begin(L, sizeof(*op), &call_kind);
  lua_newtable(L);
  op->results_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  op->run = script_run_of(L);
  return op;
}

static void push_results(lua_State *L, void *op)
{
  lua_rawgeti(L, LUA_REGISTRYINDEX, ((struct call_op *)op)->results_ref);
  task_op_end(op);
}

/* ---- engine.call(function, ...), engine.call_granted(env, function, ...) -> true, ... | false,
 * message ---- */

static int call_done(lua_State *L, int status, lua_KContext ctx)
{
  (void)status;
  push_results(L, (void *)ctx);
  lua_rawgeti(L, -1, 1);
  lua_remove(L, -2);
  int count = (int)lua_rawlen(L, -1);
  luaL_checkstack(L, count + 1, "results of a function");
  int result = lua_gettop(L);
  for (int i = 1; i <= count; i++)
    lua_rawgeti(L, result, i);
  return count;
}

/* Once the run is ending nothing of a script begins any more. */
static int refuse_call(lua_State *L)
{
  lua_pushboolean(L, 0);
  lua_pushstring(L, ap_error_text(AP_E_CANCELED));
  return 2;
}

static int call_with(lua_State *L, unsigned granted)
{
  struct script_run *run = script_run_of(L);
  luaL_checktype(L, 1, LUA_TFUNCTION);
  if (run->stopped != AP_OK)
    return refuse_call(L);
  struct call_op *op = begin(L);
  struct script_job *job = script_job_new(run, NULL, SCRIPT_NO_ENTITY);
  job->granted = granted;
  (void)snprintf(job->label, sizeof(job->label), "a function of the playbook");
  start_call(L, op, lua_gettop(L) - 1, 1, job);
  return task_op_wait(L, op, call_done);
}

int script_engine_call(lua_State *L)
{
  return call_with(L, 0);
}

/* A function of an action, which may do what was granted to the action's environment. */
int script_engine_call_granted(lua_State *L)
{
  unsigned granted = script_granted(L, 1);
  lua_remove(L, 1);
  return call_with(L, granted);
}

/* ---- engine.all({ functions }) -> { { true } | { false, message }, ... } ---- */

static int all_done(lua_State *L, int status, lua_KContext ctx)
{
  (void)status;
  push_results(L, (void *)ctx);
  return 1;
}

int script_engine_all(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
  luaL_argcheck(L, count > 0, 1, "no functions");
  for (lua_Integer i = 1; i <= count; i++) {
    luaL_argcheck(L, lua_rawgeti(L, 1, i) == LUA_TFUNCTION, 1, "functions only");
    lua_pop(L, 1);
  }
  struct call_op *op = begin(L);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, i);
    start_call(L, op, 0, i, NULL);
  }
  return task_op_wait(L, op, all_done);
}

/* ---- engine.run_case(step, env, run_case, ctx, case) -> outcome | nil, message ---- */

/* Copies a plain field of the result at index to the table on top. [-0, +0, m] */
static void copy_field(lua_State *L, int from, const char *name, int type)
{
  lua_pushstring(L, name);
  if (lua_rawget(L, from) == type)
    lua_setfield(L, -2, name);
  else
    lua_pop(L, 1);
}

static int run_case_done(lua_State *L, int status, lua_KContext ctx)
{
  (void)status;
  push_results(L, (void *)ctx);
  lua_rawgeti(L, -1, 1);
  int result = lua_gettop(L);
  lua_rawgeti(L, result, 1);
  if (!lua_toboolean(L, -1)) {
    lua_pushnil(L);
    lua_rawgeti(L, result, 2);
    return 2;
  }
  if (lua_rawgeti(L, result, 2) != LUA_TTABLE) {
    lua_pushnil(L);
    lua_pushliteral(L, "run_case must return ctx.done{...}");
    return 2;
  }
  int outcome = lua_gettop(L);
  lua_createtable(L, 0, 3);
  copy_field(L, outcome, "success", LUA_TBOOLEAN);
  copy_field(L, outcome, "failed", LUA_TBOOLEAN);
  copy_field(L, outcome, "message", LUA_TSTRING);
  return 1;
}

int script_engine_run_case(lua_State *L)
{
  struct script_run *run = script_run_of(L);
  lua_Integer number = luaL_checkinteger(L, 1);
  luaL_argcheck(L, number >= 1 && number <= run->step_count, 1, "no such step");
  luaL_checktype(L, 3, LUA_TFUNCTION);
  if (run->stopped != AP_OK) {
    (void)refuse_call(L);
    lua_pushnil(L);
    lua_replace(L, -3);
    return 2;
  }
  lua_settop(L, 5);
  struct call_op *op = begin(L);
  struct script_job *job = script_job_new(run, NULL, SCRIPT_NO_ENTITY);
  const struct script_step_words *words = &run->steps[number - 1];
  job->cost = case_record_cost(run->options.record, (uint32_t)(number - 1));
  job->provider = words->provider;
  job->granted = script_granted(L, 2);
  (void)snprintf(job->label, sizeof(job->label), "%s", words->action ? words->action : words->name);
  start_call(L, op, 2, 1, job);
  return task_op_wait(L, op, run_case_done);
}
