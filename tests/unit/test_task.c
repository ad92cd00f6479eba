// SPDX-License-Identifier: Apache-2.0
#include "script_unit.h"

/* ---- start, wait, end ---- */

static void test_tasks_end_with_results_or_the_error(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"return 'a'", AP_OK, "a"},
      {"return wait()", AP_OK, "woken"},
      {"wait() wait() return wait()", AP_OK, "woken"},
      {"error('x', 0)", AP_E_INVALID, "x"},
      {"wait() error('later', 0)", AP_E_INVALID, "later"},
      {"local x <close> = setmetatable({}, {__close = function() wait() end}) error('closed', 0)",
       AP_E_INVALID, "closed"},
      {"coroutine.yield(1)", AP_E_INVALID, "outside a coroutine"},
      {"return clock.sleep(0.001)", AP_OK, "true"},
      {"clock.sleep(-1)", AP_E_INVALID, "0 to 604800"},
  };
  run_cases(cases, COUNT_OF(cases));
  struct outcome outcome = run("return 1, nil, 3");
  assert_int_equal(outcome.count, 3);
}

static void test_tasks_run_in_the_next_turn_and_in_order(void **state)
{
  (void)state;
  struct outcome outcomes[3];
  push_function("order = (order or '') .. ... wait() order = order .. ... return order");
  for (int i = 0; i < 3; i++) {
    outcomes[i] = (struct outcome){0};
    lua_pushvalue(bench.L, -1);
    lua_pushinteger(bench.L, i);
    (void)task_start(bench.L, 1, keep_outcome, &outcomes[i]);
  }
  assert_int_equal(task_count(bench.host), 3);
  assert_int_equal(task_ready_count(bench.host), 3);
  net_loop_run(bench.loop);
  assert_string_equal(outcomes[2].text, "012012");
}

static void test_data_hangs_on_the_task(void **state)
{
  (void)state;
  int data = 7;
  struct outcome outcome;
  struct task *task = start("wait()", &outcome);
  assert_null(task_data(task));
  task_set_data(task, &data);
  assert_ptr_equal(task_data(task), &data);
  assert_null(task_current(bench.L));
  net_loop_run(bench.loop);
}

static void start_next(void *arg, int rc, lua_State *co, int result_count)
{
  int *left = arg;
  (void)result_count;
  assert_int_equal(rc, AP_OK);
  if (--*left == 0)
    return;
  push_function("return wait()");
  lua_xmove(bench.L, co, 1);
  (void)task_start(co, 0, start_next, left);
}

static void test_the_end_of_a_task_may_start_the_next(void **state)
{
  (void)state;
  int left = 5;
  push_function("return 1");
  (void)task_start(bench.L, 0, start_next, &left);
  net_loop_run(bench.loop);
  assert_int_equal(left, 0);
}

static void raise_at_end(void *arg, int rc, lua_State *co, int result_count)
{
  (void)rc;
  (void)result_count;
  ++*(int *)arg;
  luaL_error(co, "a bug of the starter");
}

static void test_an_end_that_raises_harms_nobody(void **state)
{
  (void)state;
  int calls = 0;
  push_function("return 1");
  (void)task_start(bench.L, 0, raise_at_end, &calls);
  assert_int_equal(run("return wait()").rc, AP_OK);
  assert_int_equal(calls, 1);
}

/* ---- operations ---- */

static void test_waking_twice_is_a_no_op(void **state)
{
  (void)state;
  struct outcome outcome;
  bench.is_auto = false;
  (void)start("local a = wait() return a .. wait()", &outcome);
  turn();
  void *op = bench.waits[0];
  task_op_wake(op);
  task_op_wake(op);
  assert_int_equal(task_ready_count(bench.host), 1);
  turn();
  assert_int_equal(outcome.calls, 0);
  assert_int_equal(bench.wait_count, 2);
  task_op_wake(bench.waits[1]);
  turn();
  assert_string_equal(outcome.text, "wokenwoken");
  assert_int_equal(bench.released, 2);
}

static int wait_woken(lua_State *L)
{
  struct wait_op *op = task_op_begin(L, sizeof(*op), &wait_kind);
  op->slot = 0;
  task_op_wake(op);
  return task_op_wait(L, op, wait_done);
}

static void test_an_operation_woken_before_its_wait_goes_on(void **state)
{
  (void)state;
  bench_set("wait_woken", wait_woken);
  assert_string_equal(run("return wait_woken()").text, "woken");
  assert_string_equal(run("return coroutine.wrap(wait_woken)()").text, "woken");
}

static void test_interrupting_gives_the_code_to_the_script(void **state)
{
  (void)state;
  struct outcome outcome;
  bench.is_auto = false;
  struct task *task = start("return table.concat({select(2, wait())}, '|')", &outcome);
  task_interrupt(task, AP_E_DEADLINE); /* not waiting yet: left alone */
  turn();
  assert_true(task_is_waiting(task));
  task_interrupt(task, AP_E_DEADLINE);
  assert_false(task_is_waiting(task));
  task_interrupt(task, AP_E_CANCELED);
  turn();
  assert_string_equal(outcome.text, "the deadline of the run was reached|deadline");
  assert_int_equal(bench.canceled, 1);
  assert_int_equal(bench.released, 1);
}

static void test_a_sleep_can_be_interrupted_and_killed(void **state)
{
  (void)state;
  struct outcome outcome;
  struct task *task = start("return select(3, clock.sleep(3600))", &outcome);
  turn();
  task_interrupt(task, AP_E_CANCELED);
  turn();
  assert_string_equal(outcome.text, "canceled");
  task = start("clock.sleep(3600)", &outcome);
  turn();
  task_kill(task);
  assert_int_equal(outcome.rc, AP_E_CANCELED);
}

static int begin_and_raise(lua_State *L)
{
  struct wait_op *op = task_op_begin(L, sizeof(*op), &wait_kind);
  op->slot = 0;
  return luaL_error(L, "raised while an operation was begun");
}

static int begin_twice(lua_State *L)
{
  struct wait_op *op = task_op_begin(L, sizeof(*op), &wait_kind);
  op->slot = 0;
  (void)task_op_begin(L, sizeof(*op), &wait_kind);
  return 0;
}

static void test_a_raise_ends_the_operation_it_leaves_behind(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"raise()", AP_E_INVALID, "raised while"},
      {"pcall(raise) return wait()", AP_OK, "woken"},
      {"xpcall(raise, print) return wait()", AP_OK, "woken"},
      {"coroutine.resume(coroutine.create(raise)) return wait()", AP_OK, "woken"},
      {"pcall(coroutine.wrap(raise)) return wait()", AP_OK, "woken"},
      {"twice()", AP_E_INVALID, "busy: wait was begun while wait is under way"},
  };
  bench_set("raise", begin_and_raise);
  bench_set("twice", begin_twice);
  run_cases(cases, COUNT_OF(cases));
  assert_int_equal(bench.canceled, (int)COUNT_OF(cases));
  assert_int_equal(bench.released, 4 + (int)COUNT_OF(cases));
}

static void test_waiting_where_no_yield_can_pass_is_refused(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"table.sort({1, 2}, function() wait() end)", AP_E_INVALID, "wait cannot wait here"},
      {"('x'):gsub('x', wait)", AP_E_INVALID, "wait cannot wait here"},
      {"('x'):gsub('x', function() coroutine.wrap(wait)() end)", AP_E_INVALID, "C-call boundary"},
      {"pcall(string.gsub, 'x', 'x', function() coroutine.wrap(wait)() end) return wait()", AP_OK,
       "woken"},
  };
  run_cases(cases, COUNT_OF(cases));
  struct ap_error err;
  push_function("wait()");
  assert_int_equal(script_call(bench.L, 0, 0, &err), AP_E_INVALID);
  assert_non_null(strstr(err.text, "wait works in an action's run only"));
}

/* Work that cannot be stopped: its operation stays until the work calls back. */
static const struct task_op_kind stubborn_kind = {"stubborn", NULL, wait_release};

static int stubborn_wait(lua_State *L)
{
  struct wait_op *op = task_op_begin(L, sizeof(*op), &stubborn_kind);
  bench.waits[bench.wait_count++] = op;
  return task_op_wait(L, op, wait_done);
}

static void test_work_that_cannot_be_stopped_keeps_its_operation(void **state)
{
  (void)state;
  struct outcome outcomes[3];
  struct task *tasks[3];
  bench.is_auto = false;
  bench_set("stubborn", stubborn_wait);
  for (int i = 0; i < 3; i++)
    tasks[i] = start("return select(3, stubborn())", &outcomes[i]);
  turn();
  task_kill(tasks[0]);
  task_interrupt(tasks[1], AP_E_DEADLINE); /* its work calls back after it went on */
  turn();
  task_interrupt(tasks[2], AP_E_DEADLINE); /* ... and before */
  task_op_wake(bench.waits[2]);
  turn();
  assert_int_equal(outcomes[0].rc, AP_E_CANCELED);
  assert_string_equal(outcomes[1].text, "deadline");
  assert_string_equal(outcomes[2].text, "deadline");
  assert_int_equal(bench.released, 1);
  ((struct wait_op *)bench.waits[0])->slot = 9; /* the work fills it */
  task_op_wake(bench.waits[0]);
  task_op_wake(bench.waits[1]);
  assert_int_equal(bench.released, 3);
}

/* ---- kill ---- */

static int canceled_when_closed;

static int close_probe(lua_State *L)
{
  (void)L;
  canceled_when_closed = bench.canceled;
  return 0;
}

static void test_killing_cancels_before_it_closes(void **state)
{
  (void)state;
  struct outcome outcome;
  bench.is_auto = false;
  bench_set("closing", close_probe);
  struct task *task =
      start("local x <close> = setmetatable({}, {__close = closing}) wait()", &outcome);
  turn();
  task_kill(task);
  assert_int_equal(outcome.calls, 1);
  assert_int_equal(outcome.rc, AP_E_CANCELED);
  assert_int_equal(canceled_when_closed, 1);
  assert_int_equal(bench.released, 1);
  assert_int_equal(task_count(bench.host), 0);
}

static void test_no_code_goes_on_in_a_killed_task(void **state)
{
  (void)state;
  static const char *const sources[] = {
      "local x <close> = setmetatable({}, {__close = function() went_on = 1 end}) wait()",
      "local x <close> = setmetatable({}, {__close = function() while true do end end}) wait()",
      "local x <close> = setmetatable({}, {__close = function() wait() went_on = 1 end}) wait()",
      "local x <close> = setmetatable({}, {__close = pcall, __call = function() went_on = 1 end}) "
      "wait()",
      "xpcall(wait, function() went_on = 1 end) went_on = 1",
      "pcall(wait) went_on = 1",
      "local x <close> = setmetatable({}, {__close = function() went_on = 1 end}) "
      "xpcall(function() wait() end, function() went_on = 1 end)",
      "coroutine.wrap(function() pcall(wait) went_on = 1 end)() went_on = 1",
      "went_on = 1",
  };
  bench.is_auto = false;
  for (size_t i = 0; i < COUNT_OF(sources); i++) {
    struct outcome outcome;
    struct task *task = start(sources[i], &outcome);
    if (i + 1 < COUNT_OF(sources)) /* the last is killed before it began */
      turn();
    task_kill(task);
    turn();
    assert_int_equal(outcome.calls, 1);
    assert_int_equal(outcome.rc, AP_E_CANCELED);
    push_env();
    if (lua_getfield(bench.L, -1, "went_on") != LUA_TNIL)
      fail_msg("went on: %s", sources[i]);
    lua_pop(bench.L, 2);
  }
  bench.is_auto = true;
  assert_int_equal(run("return wait()").rc, AP_OK);
}

static void test_a_woken_task_can_be_killed(void **state)
{
  (void)state;
  struct outcome outcome;
  bench.is_auto = false;
  struct task *task = start("wait()", &outcome);
  turn();
  task_op_wake(bench.waits[0]);
  task_kill(task);
  assert_int_equal(bench.canceled, 0);
  assert_int_equal(bench.released, 1);
  assert_int_equal(task_ready_count(bench.host), 0);
  turn();
  assert_int_equal(outcome.calls, 1);
}

static void test_the_host_ends_tasks_that_are_left(void **state)
{
  (void)state;
  struct outcome outcomes[3];
  bench_setup(NULL);
  bench.is_auto = false;
  (void)start("wait()", &outcomes[0]);
  (void)start("coroutine.wrap(wait)()", &outcomes[1]);
  turn();
  (void)start("wait()", &outcomes[2]);
  int before = bench.released;
  bench_teardown(NULL);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(outcomes[i].calls, 1);
    assert_int_equal(outcomes[i].rc, AP_E_CANCELED);
  }
  assert_int_equal(bench.released - before, 2);
}

/* ---- coroutines of scripts ---- */

static void test_coroutines_work_as_in_lua(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"local f = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end) "
       "return f(1) .. f(10)",
       AP_OK, "220"},
      {"local co = coroutine.create(function() error('x', 0) end) "
       "local ok, e = coroutine.resume(co) return tostring(ok) .. e .. coroutine.status(co)",
       AP_OK, "falsexdead"},
      {"local co = coroutine.create(print) coroutine.resume(co) "
       "return select(2, coroutine.resume(co))",
       AP_OK, "cannot resume dead coroutine"},
      {"local f = coroutine.wrap(error) f('x')", AP_E_INVALID, "x"},
      {"local co co = coroutine.create(function() return coroutine.resume(co) end) "
       "return select(3, coroutine.resume(co))",
       AP_OK, "cannot resume running coroutine"},
      {"local co = coroutine.running() return coroutine.wrap(function() "
       "return coroutine.status(co) .. select(2, coroutine.resume(co)) end)()",
       AP_OK, "normalcannot resume non-suspended coroutine"},
      {"local co, main = coroutine.running() return tostring(main) .. "
       "tostring(coroutine.isyieldable())",
       AP_OK, "truefalse"},
      {"return coroutine.wrap(function() return tostring(coroutine.isyieldable()) .. "
       "tostring(select(2, coroutine.running())) end)()",
       AP_OK, "truefalse"},
      {"for i in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do "
       "sum = (sum or 0) + i end return sum",
       AP_OK, "6"},
      {"return coroutine.wrap(function() local ok, v = pcall(coroutine.yield, 'y') "
       "return 1 end)()",
       AP_OK, "y"},
      {"local s = '' local co = coroutine.create(function() "
       "local x <close> = setmetatable({}, {__close = function() s = 'closed' end}) error('e') end)"
       " coroutine.resume(co) return s",
       AP_OK, "closed"},
      {"coroutine.resume(1)", AP_E_INVALID, "coroutine expected"},
      {"local function nest(n) return coroutine.wrap(function() return n == 0 and 'deep' or "
       "nest(n - 1) end)() end return nest(20)",
       AP_OK, "deep"},
      {"local function nest(n) return coroutine.wrap(function() return nest(n + 1) end)() end "
       "nest(0)",
       AP_E_INVALID, "C stack overflow"},
  };
  run_cases(cases, COUNT_OF(cases));
}

static void test_waits_pass_through_coroutines_of_scripts(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"return coroutine.wrap(function() return wait() end)()", AP_OK, "woken"},
      {"return select(2, coroutine.resume(coroutine.create(wait)))", AP_OK, "woken"},
      {"local f = coroutine.wrap(function() coroutine.yield(wait()) return wait() .. 2 end) "
       "return f() .. f()",
       AP_OK, "wokenwoken2"},
      {"return coroutine.wrap(function() return coroutine.wrap(function() "
       "return coroutine.wrap(wait)() .. 3 end)() .. 2 end)() .. 1",
       AP_OK, "woken321"},
      {"local ok, e = coroutine.resume(coroutine.create(function() wait() error('x', 0) end)) "
       "return tostring(ok) .. e",
       AP_OK, "falsex"},
      {"return select(2, pcall(coroutine.wrap(function() wait() error('x', 0) end)))", AP_OK, "x"},
      {"local t = {} for v in coroutine.wrap(function() for i = 1, 3 do wait() "
       "coroutine.yield(i) end end) do t[#t + 1] = v end return table.concat(t)",
       AP_OK, "123"},
  };
  run_cases(cases, COUNT_OF(cases));
}

static void test_coroutines_of_others_cannot_be_resumed_while_they_wait(void **state)
{
  (void)state;
  struct outcome waiting;
  struct outcome thief;
  struct outcome status;
  bench.is_auto = false;
  (void)start("main = coroutine.running() co = coroutine.create(wait) "
              "return select(2, coroutine.resume(co))",
              &waiting);
  turn();
  (void)start("return coroutine.status(co) .. coroutine.status(main)", &status);
  (void)start("return select(2, coroutine.resume(co)) .. select(2, coroutine.resume(main))",
              &thief);
  turn();
  assert_string_equal(status.text, "normalnormal");
  assert_string_equal(thief.text, "cannot resume non-suspended coroutine"
                                  "cannot resume non-suspended coroutine");
  task_op_wake(bench.waits[0]);
  turn();
  assert_string_equal(waiting.text, "woken");
}

static void test_the_coroutine_of_a_task_is_not_for_scripts(void **state)
{
  (void)state;
  struct outcome victim;
  struct outcome thief;
  assert_int_equal(run("main = coroutine.running()").rc, AP_OK);
  (void)start("return 'untouched'", &thief); /* takes another coroutine */
  task_kill(start("return 1", &victim));
  net_loop_run(bench.loop);
  (void)start("return select(2, coroutine.resume(main))", &thief);
  (void)start("return 'untouched'", &victim);
  net_loop_run(bench.loop);
  assert_non_null(strstr(thief.text, "cannot resume"));
  assert_string_equal(victim.text, "untouched");
}

/* ---- many ---- */

static void count_end(void *arg, int rc, lua_State *co, int result_count)
{
  (void)co;
  (void)result_count;
  *(int *)arg += rc == AP_OK;
}

static void test_ten_thousand_tasks_leave_no_memory_behind(void **state)
{
  (void)state;
  int ended = 0;
  size_t memory = 0;
  push_function("wait() local t = {} for i = 1, 10 do t[i] = i .. 'x' end wait() return t");
  for (int round = 0; round < 100; round++) {
    for (int i = 0; i < 100; i++) {
      lua_pushvalue(bench.L, -1);
      (void)task_start(bench.L, 0, count_end, &ended);
    }
    net_loop_run(bench.loop);
    if (round == 10) {
      lua_gc(bench.L, LUA_GCCOLLECT);
      memory = script_host_memory(bench.host);
    }
  }
  assert_int_equal(ended, 10000);
  assert_int_equal(bench.released, 20000);
  lua_gc(bench.L, LUA_GCCOLLECT);
  assert_true(script_host_memory(bench.host) <= memory + 1024);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)
  const struct CMUnitTest tests[] = {
      T(test_tasks_end_with_results_or_the_error),
      T(test_tasks_run_in_the_next_turn_and_in_order),
      T(test_data_hangs_on_the_task),
      T(test_the_end_of_a_task_may_start_the_next),
      T(test_an_end_that_raises_harms_nobody),
      T(test_waking_twice_is_a_no_op),
      T(test_an_operation_woken_before_its_wait_goes_on),
      T(test_interrupting_gives_the_code_to_the_script),
      T(test_a_sleep_can_be_interrupted_and_killed),
      T(test_a_raise_ends_the_operation_it_leaves_behind),
      T(test_waiting_where_no_yield_can_pass_is_refused),
      T(test_work_that_cannot_be_stopped_keeps_its_operation),
      T(test_killing_cancels_before_it_closes),
      T(test_no_code_goes_on_in_a_killed_task),
      T(test_a_woken_task_can_be_killed),
      cmocka_unit_test(test_the_host_ends_tasks_that_are_left),
      T(test_coroutines_work_as_in_lua),
      T(test_waits_pass_through_coroutines_of_scripts),
      T(test_coroutines_of_others_cannot_be_resumed_while_they_wait),
      T(test_the_coroutine_of_a_task_is_not_for_scripts),
      T(test_ten_thousand_tasks_leave_no_memory_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
