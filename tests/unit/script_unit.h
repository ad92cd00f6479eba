/* A Lua host on a loop of its own, for the tests of engine/script: runs a source as a task and
 * keeps how it ended. `wait()` is a binding whose world is the test: it ends when the test wakes
 * it. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "script/host.h"
#include "script/task.h"
#include "unit.h"

enum { WAITS_MAX = 2048 };

struct bench {
  struct net_loop *loop;
  struct script_host *host;
  lua_State *L;
  int env_ref;
  bool is_auto; /* waits are woken as soon as nothing else can run */
  void *waits[WAITS_MAX];
  size_t wait_count;
  int canceled;
  int released;
};

struct outcome {
  int calls;
  int rc;
  int count;
  char text[512]; /* of the first result or of the error */
};

static struct bench bench;

struct wait_op {
  size_t slot;
};

static inline void wait_forget(size_t slot)
{
  bench.waits[slot] = NULL;
}

static inline void wait_cancel(void *op)
{
  bench.canceled++;
  wait_forget(((struct wait_op *)op)->slot);
}

static inline void wait_release(void *op)
{
  (void)op;
  bench.released++;
}

static inline int wait_done(lua_State *L, int status, lua_KContext ctx)
{
  void *op = (void *)ctx;
  (void)status;
  int code = task_op_code(op);
  task_op_end(op);
  if (code != AP_OK)
    return script_push_error(L, code, NULL);
  lua_pushliteral(L, "woken");
  return 1;
}

static const struct task_op_kind wait_kind = {"wait", wait_cancel, wait_release};

static inline int wait_begin(lua_State *L)
{
  struct wait_op *op = task_op_begin(L, sizeof(*op), &wait_kind);
  assert_true(bench.wait_count < WAITS_MAX);
  op->slot = bench.wait_count;
  bench.waits[bench.wait_count++] = op;
  return task_op_wait(L, op, wait_done);
}

static inline void wake_all(void)
{
  size_t count = bench.wait_count;
  bench.wait_count = 0;
  for (size_t i = 0; i < count; i++)
    if (bench.waits[i])
      task_op_wake(bench.waits[i]);
}

static inline void bench_idle(void *arg)
{
  (void)arg;
  if (bench.is_auto)
    wake_all();
  if (!task_count(bench.host))
    net_loop_stop(bench.loop);
}

static inline void push_env(void)
{
  lua_rawgeti(bench.L, LUA_REGISTRYINDEX, bench.env_ref);
}

/* Gives the environment a function. */
static inline void bench_set(const char *name, lua_CFunction function)
{
  push_env();
  lua_pushcfunction(bench.L, function);
  lua_setfield(bench.L, -2, name);
  lua_pop(bench.L, 1);
}

static inline void bench_open(const struct script_limits *limits)
{
  struct ap_error err;
  bench = (struct bench){.is_auto = true};
  assert_int_equal(net_loop_new(&bench.loop), AP_OK);
  assert_int_equal(script_host_new(bench.loop, limits, &bench.host, &err), AP_OK);
  script_host_on_idle(bench.host, bench_idle, NULL);
  bench.L = script_host_state(bench.host);
  script_env_push(bench.L, NULL);
  bench.env_ref = luaL_ref(bench.L, LUA_REGISTRYINDEX);
  bench_set("wait", wait_begin);
}

static inline int bench_setup(void **state)
{
  (void)state;
  struct script_limits limits;
  script_limits_init(&limits);
  limits.instructions = 1000000;
  bench_open(&limits);
  return 0;
}

static inline int bench_teardown(void **state)
{
  (void)state;
  script_host_free(bench.host);
  net_loop_drain(bench.loop);
  net_loop_free(bench.loop);
  return 0;
}

/* Pushes the function that the source is the body of, in the bench's environment. */
static inline void push_function(const char *source)
{
  char text[4096];
  struct ap_error err = {0};
  int len = snprintf(text, sizeof(text), "return function(...) %s\nend", source);
  assert_true(len > 0 && (size_t)len < sizeof(text));
  push_env();
  if (script_run_source(bench.L, -1, "test.lua", (struct ap_slice){text, (size_t)len}, &err))
    fail_msg("%s: %s", source, err.text);
  lua_remove(bench.L, -2);
}

static inline void keep_outcome(void *arg, int rc, lua_State *co, int result_count)
{
  struct outcome *outcome = arg;
  outcome->calls++;
  outcome->rc = rc;
  outcome->count = result_count;
  outcome->text[0] = '\0';
  if (rc == AP_E_CANCELED || result_count == 0)
    return;
  struct ap_error err;
  lua_pushvalue(co, -result_count);
  script_push_text(co, -1);
  lua_remove(co, -2);
  script_error_text(co, &err);
  (void)snprintf(outcome->text, sizeof(outcome->text), "%s", err.text);
}

static inline struct task *start(const char *source, struct outcome *outcome)
{
  *outcome = (struct outcome){.rc = 99};
  push_function(source);
  return task_start(bench.L, 0, keep_outcome, outcome);
}

/* One turn of the loop and no waiting. */
static inline void turn(void)
{
  (void)uv_run(net_loop_uv(bench.loop), UV_RUN_NOWAIT);
}

/* Runs the source as a task to its end. */
static inline struct outcome run(const char *source)
{
  struct outcome outcome;
  (void)start(source, &outcome);
  net_loop_run(bench.loop);
  assert_int_equal(outcome.calls, 1);
  assert_int_equal(task_count(bench.host), 0);
  return outcome;
}

struct script_case {
  const char *source;
  int rc;
  const char *text; /* part of the first result, or of the error */
};

static inline void run_cases(const struct script_case *cases, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    struct outcome outcome = run(cases[i].source);
    if (outcome.rc != cases[i].rc || !strstr(outcome.text, cases[i].text))
      fail_msg("%s\n  gave %d \"%s\"\n  not %d \"%s\"", cases[i].source, outcome.rc, outcome.text,
               cases[i].rc, cases[i].text);
  }
}
