/* The scheduler. A task is its coroutine, its account and at most one operation. Ended tasks are
 * kept, with their coroutines, for those to come: a run starts a hundred thousand. */
// SPDX-License-Identifier: Apache-2.0
#include "script/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/log.h"
#include "script/host_private.h"
#include "script/watchdog.h"

enum { SPARE_MAX = 1024 };

/* ---- the coroutine ---- */

static int body_done(lua_State *L, int status, lua_KContext ctx)
{
  (void)ctx;
  script_thread_of(L)->task->has_failed = status != LUA_OK && status != LUA_YIELD;
  return lua_gettop(L);
}

/* (function, arguments): what runs in it. The coroutine itself never ends by an error, so that its
 * variables are closed while they can still be watched and still wait. */
static int body(lua_State *L)
{
  int status = lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, 0, body_done);
  return body_done(L, status, 0);
}

static struct task *task_new(lua_State *L)
{
  struct task *task = calloc(1, sizeof(*task));
  if (!task)
    script_out_of_memory();
  task->co = lua_newthread(L);
  script_watch(task->co); /* L may be the coroutine of a script that was killed */
  task->co_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  task->thread.host = script_host_of(L);
  task->thread.task = task;
  *(struct script_thread **)lua_getextraspace(task->co) = &task->thread;
  return task;
}

static void task_free(struct script_host *host, struct task *task)
{
  *(struct script_thread **)lua_getextraspace(task->co) = &host->thread; /* a script may keep it */
  luaL_unref(host->L, LUA_REGISTRYINDEX, task->co_ref);
  free(task);
}

/* Keeps the task for later; a coroutine that was killed is not used again. */
static void task_recycle(struct script_host *host, struct task *task)
{
  lua_settop(task->co, 0);
  if (task->scope.is_killed || lua_status(task->co) != LUA_OK || host->spare_count == SPARE_MAX) {
    task_free(host, task);
    return;
  }
  host->spare_count++;
  LL_PREPEND(host->spare, task);
}

/* ---- start ---- */

void task_make_ready(struct task *task)
{
  struct script_host *host = task->thread.host;
  task->state = TASK_READY;
  host->ready_count++;
  DL_APPEND2(host->ready, task, ready_prev, ready_next);
}

static void task_unready(struct script_host *host, struct task *task)
{
  host->ready_count--;
  DL_DELETE2(host->ready, task, ready_prev, ready_next);
}

struct task *task_start(lua_State *L, int arg_count, task_ended_fn *ended, void *arg)
{
  struct script_host *host = script_host_of(L);
  luaL_checkstack(L, 4, NULL);
  struct task *task = host->spare;
  if (task) {
    LL_DELETE(host->spare, task);
    host->spare_count--;
  } else {
    task = task_new(L);
  }
  if (!lua_checkstack(task->co, arg_count + 4))
    script_out_of_memory();
  lua_pushcfunction(task->co, body);
  lua_xmove(L, task->co, arg_count + 1);
  task->start_values = arg_count + 1;
  task->has_failed = false;
  task->scope = (struct script_scope){.task = task, .limit = host->limits.instructions};
  task->ended = ended;
  task->ended_arg = arg;
  task->data = NULL;
  task->label = NULL;
  task->place = NULL;
  host->task_count++;
  DL_APPEND(host->tasks, task);
  task_make_ready(task);
  return task;
}

/* ---- end ---- */

struct ending {
  struct task *task;
  int rc;
  int result_count;
};

static int call_ended(lua_State *L)
{
  const struct ending *ending = lua_touserdata(L, 1);
  struct task *task = ending->task;
  task->ended(task->ended_arg, ending->rc, task->co, ending->result_count);
  return 0;
}

/* Takes the task off the books, tells its starter, keeps it for later. */
static void task_end(struct script_host *host, struct task *task, int rc, int result_count)
{
  struct ending ending = {task, rc, result_count};
  if (task->op)
    task_op_abandon(task->op);
  task->state = TASK_SPARE;
  host->task_count--;
  DL_DELETE(host->tasks, task);
  if (!lua_checkstack(host->L, 4))
    script_out_of_memory();
  lua_pushcfunction(host->L, call_ended);
  lua_pushlightuserdata(host->L, &ending);
  if (lua_pcall(host->L, 1, 0, 0) != LUA_OK) {
    struct ap_error err = {0};
    script_error_text(host->L, &err);
    ap_log(AP_LOG_SCRIPT, AP_LOG_ERROR, "a bug: the end of a task failed: %s", err.text);
  }
  task_recycle(host, task);
}

static void task_finish(struct script_host *host, struct task *task, int status, int result_count)
{
  int rc = status == LUA_OK && !task->has_failed ? AP_OK : AP_E_INVALID;
  if (task->scope.is_killed) { /* whatever a __close made of the error */
    lua_settop(task->co, 0);
    lua_pushstring(task->co, task->scope.message);
    rc = AP_E_INVALID;
    result_count = 1;
  }
  task_end(host, task, rc, rc == AP_OK ? result_count : 1);
}

void task_kill(struct task *task)
{
  struct script_host *host = task->thread.host;
  struct script_scope *outer = host->scope;
  ap_require(task->state == TASK_READY || task->state == TASK_WAITING);
  if (task->state == TASK_READY)
    task_unready(host, task);
  if (task->op) /* first: the __close code below may free what it works on */
    task_op_abandon(task->op);
  task->scope.is_killed = true;
  (void)snprintf(task->scope.message, sizeof(task->scope.message), "%s",
                 ap_error_text(AP_E_CANCELED));
  host->scope = &task->scope;
  lua_sethook(task->co, lua_gethook(task->co), LUA_MASKCOUNT, 1);
  bool is_outermost = script_watchdog_enter(NULL, NULL);
  lua_State *running = script_watchdog_run(task->co);
  (void)lua_resetthread(task->co);
  (void)script_watchdog_run(running);
  script_watchdog_leave(is_outermost);
  host->scope = outer;
  task_end(host, task, AP_E_CANCELED, 0);
}

void task_kill_all(struct script_host *host)
{
  while (host->tasks)
    task_kill(host->tasks);
  while (host->spare) {
    struct task *task = host->spare;
    LL_DELETE(host->spare, task);
    task_free(host, task);
  }
  host->spare_count = 0;
}

/* ---- running ---- */

static void task_go_on(struct script_host *host, struct task *task)
{
  int value_count = task->start_values;
  int result_count = 0;
  task_unready(host, task);
  task->state = TASK_RUNNING;
  task->start_values = 0;
  if (!value_count)
    lua_pop(task->co, 1); /* the mark of the wait */
  host->scope = &task->scope;
  bool is_outermost = script_watchdog_enter(task->label, task->place);
  (void)script_watchdog_run(task->co);
  int status = lua_resume(task->co, host->L, value_count, &result_count);
  (void)script_watchdog_run(NULL);
  script_watchdog_leave(is_outermost);
  host->scope = NULL;
  if (status != LUA_YIELD) {
    task_finish(host, task, status, result_count);
    return;
  }
  ap_require(script_is_waiting(task->co) && task->op);
  task->state = TASK_WAITING;
  if (task_op_is_woken(task->op))
    task_make_ready(task);
}

void task_run_ready(struct script_host *host)
{
  int height = lua_gettop(host->L);
  while (host->ready)
    task_go_on(host, host->ready);
  ap_require(lua_gettop(host->L) == height);
}

/* ---- asking ---- */

struct task *task_current(lua_State *L)
{
  const struct script_scope *scope = script_host_of(L)->scope;
  return scope ? scope->task : NULL;
}

void task_set_data(struct task *task, void *data)
{
  task->data = data;
}

void task_set_limit(struct task *task, uint64_t instructions)
{
  task->scope.limit = instructions;
}

void task_set_label(struct task *task, const char *label, const struct script_place *place)
{
  task->place = place;
  task->label = label;
}

void *task_data(const struct task *task)
{
  return task->data;
}

bool task_is_waiting(const struct task *task)
{
  return task->state == TASK_WAITING;
}

uint32_t task_count(const struct script_host *host)
{
  return host->task_count;
}

uint32_t task_ready_count(const struct script_host *host)
{
  return host->ready_count;
}
