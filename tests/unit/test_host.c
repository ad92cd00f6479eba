// SPDX-License-Identifier: Apache-2.0
#include "script/host.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "script/embedded.h"
#include "script_unit.h"

#define MODULE(name, source)                                                                       \
  {                                                                                                \
    name, source, sizeof(source) - 1                                                               \
  }

const struct script_module script_embedded[] = {
    MODULE("apogee.one", "reads = (reads or 0) + 1 return { reads = reads, name = ... }"),
    MODULE("apogee.nothing", "seen = true"),
    MODULE("apogee.left", "return require 'apogee.right'"),
    MODULE("apogee.right", "return require 'apogee.left'"),
    MODULE("apogee.broken", "\n\nerror 'broken'"),
    MODULE("apogee.syntax", "\nreturn +"),
    MODULE("apogee.waits", "return wait()"),
    MODULE("apogee.endless", "while true do end"),
    MODULE("report.deep.er", "return 'deeper'"),
    {NULL, NULL, 0},
};

static char folder[] = "/tmp/apogee-test-XXXXXX";

static int make_folder(void **state)
{
  (void)state;
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
  (void)state;
  return rmdir(folder);
}

static const char *path_of(const char *name)
{
  static char path[128];
  (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
  return path;
}

static void write_file(const char *name, const char *bytes, size_t len)
{
  FILE *file = fopen(path_of(name), "w");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, len, file), len);
  assert_int_equal(fclose(file), 0);
}

static void drop_file(const char *name)
{
  assert_int_equal(unlink(path_of(name)), 0);
}

/* Runs a chunk in a new environment that requires from the folder; its result or error is in text.
 */
static int run_chunk(const char *source, size_t len, char text[512])
{
  struct ap_error err = {0};
  script_env_push(bench.L, folder);
  int rc = script_run_source(bench.L, -1, "test.lua", (struct ap_slice){source, len}, &err);
  if (rc == AP_OK) {
    script_push_text(bench.L, -1);
    (void)snprintf(text, 512, "%s", lua_tostring(bench.L, -1));
    lua_pop(bench.L, 2);
  } else {
    (void)snprintf(text, 512, "%s", err.text);
  }
  lua_pop(bench.L, 1);
  assert_int_equal(lua_gettop(bench.L), 0);
  return rc;
}

static void chunk_cases(const struct script_case *cases, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    char text[512];
    int rc = run_chunk(cases[i].source, strlen(cases[i].source), text);
    if (rc != cases[i].rc || !strstr(text, cases[i].text))
      fail_msg("%s\n  gave %d \"%s\"\n  not %d \"%s\"", cases[i].source, rc, text, cases[i].rc,
               cases[i].text);
  }
}

/* ---- source ---- */

static void test_errors_name_the_file_and_the_line(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"return 1 + 1", AP_OK, "2"},
      {"", AP_OK, "nil"},
      {"\xef\xbb\xbfreturn 3", AP_OK, "3"},
      {"x = = 1", AP_E_INVALID, "test.lua:1: unexpected symbol near '='"},
      {"\n\nerror('no')", AP_E_INVALID, "test.lua:3: no"},
      {"local t\nreturn t.x", AP_E_INVALID, "test.lua:2: attempt to index a nil value"},
      {"\x1bLua", AP_E_INVALID, "test.lua: compiled Lua is not accepted"},
      {"\xef\xbb\xbf\x1bLua", AP_E_INVALID, "test.lua: compiled Lua is not accepted"},
      {"return clock.sleep(1)", AP_E_INVALID, "clock.sleep works in an action's run only"},
  };
  chunk_cases(cases, COUNT_OF(cases));
}

static void test_a_global_stays_in_its_environment(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"leaked = 1 return leaked", AP_OK, "1"},
      {"return leaked", AP_OK, "nil"},
  };
  chunk_cases(cases, COUNT_OF(cases));
}

static void test_a_file_without_an_end_is_stopped(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"\nwhile true do end", AP_E_INVALID,
       "test.lua:2: ran for more than 5000000 instructions without an end"},
      {"pcall(function() while true do end end) return 'escaped'", AP_E_INVALID, "ran for more"},
      {"return require 'apogee.endless'", AP_E_INVALID, "apogee/endless.lua:1: ran for more"},
      {"while true do pcall(require, 'apogee.broken') end", AP_E_INVALID, "ran for more"},
      {"while true do pcall(require, 'apogee.endless') end", AP_E_INVALID, "ran for more"},
      {"for i = 1, 100000 do end return 'fine'", AP_OK, "fine"},
  };
  chunk_cases(cases, COUNT_OF(cases));
}

static void test_source_is_capped(void **state)
{
  (void)state;
  char text[512];
  size_t len = ((size_t)1 << 20) + 1;
  char *source = malloc(len);
  assert_non_null(source);
  memset(source, ' ', len);
  assert_int_equal(run_chunk(source, len - 1, text), AP_OK);
  assert_int_equal(run_chunk(source, len, text), AP_E_TOO_LARGE);
  assert_string_equal(text, "test.lua: larger than 1024 KiB");
  free(source);
}

static void test_files_are_regular_and_of_text(void **state)
{
  (void)state;
  struct ap_error err;
  lua_State *L = bench.L;
  script_env_push(L, NULL);
  assert_int_equal(script_run_file(L, -1, path_of("missing.lua"), &err), AP_E_NOT_FOUND);
  assert_non_null(strstr(err.text, "missing.lua: No such file"));
  assert_int_equal(script_run_file(L, -1, folder, &err), AP_E_IO);
  assert_non_null(strstr(err.text, "not a regular file"));
  assert_int_equal(mkfifo(path_of("fifo.lua"), 0600), 0);
  assert_int_equal(script_run_file(L, -1, path_of("fifo.lua"), &err), AP_E_IO);
  drop_file("fifo.lua");
  write_file("good.lua", "return 'read'", 13);
  assert_int_equal(script_run_file(L, -1, path_of("good.lua"), &err), AP_OK);
  assert_string_equal(lua_tostring(L, -1), "read");
  lua_pop(L, 1);
  write_file("good.lua", "\nerror()\n", 9);
  assert_int_equal(script_run_file(L, -1, path_of("good.lua"), &err), AP_E_INVALID);
  drop_file("good.lua");
}

/* ---- require ---- */

static void test_modules_of_the_program_are_read_once_in_each_environment(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"return require('apogee.one').reads", AP_OK, "1"},
      {"require 'apogee.one' return require('apogee.one').reads", AP_OK, "1"},
      {"return require('apogee.one') == require('apogee.one')", AP_OK, "true"},
      {"require 'apogee.one' return reads", AP_OK, "1"},
      {"return require('apogee.nothing') == true and seen", AP_OK, "true"},
      {"return require 'report.deep.er'", AP_OK, "deeper"},
      {"return require 'apogee.onne'", AP_E_INVALID, "did you mean \"apogee.one\"?"},
      {"return require 'apogee.waits'", AP_E_INVALID, "attempt to call a nil value"},
      {"return require 'apogee.broken'", AP_E_INVALID, "apogee/broken.lua:3: broken"},
      {"return require 'apogee.syntax'", AP_E_INVALID, "apogee/syntax.lua:2: unexpected symbol"},
      {"pcall(require, 'apogee.broken') return select(2, pcall(require, 'apogee.broken'))", AP_OK,
       "apogee/broken.lua:3: broken"},
      {"return require 'apogee.left'", AP_E_INVALID,
       "in a circle: apogee.left -> apogee.right -> apogee.left"},
  };
  chunk_cases(cases, COUNT_OF(cases));
}

static void test_own_modules_come_from_the_own_folder_only(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"return require('mine').value", AP_OK, "7"},
      {"return require('mine').value + require('mine').value", AP_OK, "14"},
      {"return require 'sub.inner'", AP_OK, "inner"},
      {"return require 'missing'", AP_E_INVALID, "/missing.lua: No such file"},
      {"return require 'bytecode'", AP_E_INVALID, "bytecode.lua: compiled Lua is not accepted"},
      {"return require '../etc/passwd'", AP_E_INVALID, "is no name of a module"},
      {"return require '..etc'", AP_E_INVALID, "is no name of a module"},
      {"return require '/etc/passwd'", AP_E_INVALID, "is no name of a module"},
      {"return require 'a..b'", AP_E_INVALID, "is no name of a module"},
      {"return require 'a.'", AP_E_INVALID, "is no name of a module"},
      {"return require ''", AP_E_INVALID, "is no name of a module"},
      {"return require('mine\\0.x')", AP_E_INVALID, "no NUL"},
      {"return require(('x'):rep(200))", AP_E_INVALID, "is no name of a module"},
      {"return require 'self'", AP_E_INVALID, "in a circle: self -> self"},
  };
  write_file("mine.lua", "return { value = 7 }", 20);
  write_file("bytecode.lua", "\x1bLua", 4);
  write_file("self.lua", "return require 'self'", 21);
  assert_int_equal(mkdir(path_of("sub"), 0700), 0);
  write_file("sub/inner.lua", "return 'inner'", 14);
  chunk_cases(cases, COUNT_OF(cases));
  drop_file("sub/inner.lua");
  assert_int_equal(rmdir(path_of("sub")), 0);
  drop_file("self.lua");
  drop_file("bytecode.lua");
  drop_file("mine.lua");
}

static void test_an_environment_without_a_folder_has_no_own_modules(void **state)
{
  (void)state;
  struct ap_error err;
  script_env_push(bench.L, NULL);
  assert_int_equal(script_require(bench.L, -1, "mine", &err), AP_E_NOT_FOUND);
  assert_int_equal(script_require(bench.L, -1, "apogee.one", &err), AP_OK);
  assert_true(lua_istable(bench.L, -1));
  lua_pop(bench.L, 1);
  lua_newtable(bench.L);
  assert_int_equal(script_require(bench.L, -1, "apogee.one", &err), AP_E_INTERNAL);
}

static void test_requiring_in_a_task_cannot_wait(void **state)
{
  (void)state;
  struct outcome outcome = run("return require 'apogee.waits'");
  assert_int_equal(outcome.rc, AP_E_INVALID);
  assert_non_null(strstr(outcome.text, "wait works in an action's run only"));
  assert_string_equal(run("wait() return require('apogee.one').reads").text, "1");
}

static void test_environments_that_are_gone_take_their_modules_with_them(void **state)
{
  (void)state;
  char text[512];
  static const char source[] = "local m = require 'apogee.one' m.f = function() return m, _G end "
                               "m.ballast = ('x'):rep(100000) return 1";
  size_t memory = 0;
  for (int i = 0; i < 50; i++) {
    assert_int_equal(run_chunk(source, sizeof(source) - 1, text), AP_OK);
    if (i == 10) {
      lua_gc(bench.L, LUA_GCCOLLECT);
      memory = script_host_memory(bench.host);
    }
  }
  lua_gc(bench.L, LUA_GCCOLLECT);
  assert_true(script_host_memory(bench.host) <= memory + 1024);
}

/* ---- the budget of a task ---- */

static void test_no_trick_outlives_the_budget(void **state)
{
  (void)state;
  static const char *const tricks[] = {
      "while true do end",
      "goto top ::top:: ::again:: goto again",
      "local function f() return f() end f()",
      "pcall(function() while true do end end)",
      "while true do pcall(function() while true do end end) end",
      "pcall(pcall, pcall, function() while true do end end)",
      "xpcall(function() while true do end end, function() while true do end end)",
      "xpcall(error, function() while true do end end)",
      "xpcall(function() while true do end end, function() escaped = 1 end)",
      "coroutine.wrap(function() while true do end end)()",
      "coroutine.resume(coroutine.create(function() while true do end end))",
      "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
      "while true do coroutine.wrap(function() for i = 1, 100 do end end)() end",
      "while true do coroutine.create(print) end",
      "local f = coroutine.wrap(function() while true do coroutine.yield() end end) "
      "while true do f() end",
      "local function nest(n) return coroutine.wrap(function() pcall(nest, n + 1) "
      "while true do end end)() end nest(1)",
      "local x <close> = setmetatable({}, {__close = function() while true do end end}) "
      "while true do end",
      "pcall(function() local x <close> = setmetatable({}, {__close = function() escaped = 1 end}) "
      "while true do end end)",
      "local x <close> = setmetatable({}, {__close = error}) while true do end",
      "coroutine.wrap(function() local x <close> = setmetatable({}, {__close = function() "
      "while true do end end}) while true do end end)()",
      "table.sort({1, 2, 3}, function() while true do end end)",
      "pcall(string.gsub, 'x', 'x', function() while true do end end)",
      "local t = setmetatable({}, {__index = function() while true do end end}) return t.x",
      "return tostring(setmetatable({}, {__tostring = function() while true do end end}))",
      "for _ in function() return 1 end do end",
      "while true do local s = ('x'):rep(1 << 20) end",
      "local t = {} for i = 1, 10000 do t[i] = i end while true do table.concat(t) end",
      "local t = {} for i = 1, 10000 do t[i] = i end while true do table.move(t, 1, 10000, 2) end",
      "local t = {} for i = 1, 10000 do t[i] = i end while true do table.unpack(t) end",
      "local t = {} for i = 1, 10000 do t[i] = i end while true do table.sort(t) end",
      "while true do json.decode('[1,2,3]') end",
      "while true do pcall(require, 'apogee.endless') end",
      "pcall(require, 'apogee.endless') while true do pcall(require, 'apogee.endless') end",
      "while true do pcall(error) end",
      "while true do wait() for i = 1, 100000 do end end",
  };
  for (size_t i = 0; i < COUNT_OF(tricks); i++) {
    char source[512];
    (void)snprintf(source, sizeof(source), "do %s end escaped = 1", tricks[i]);
    struct outcome outcome = run(source);
    if (outcome.rc != AP_E_INVALID ||
        !strstr(outcome.text, "ran for more than 1000000 instructions without an end"))
      fail_msg("%s\n  gave %d \"%s\"", tricks[i], outcome.rc, outcome.text);
    outcome = run("return tostring(escaped)");
    if (strcmp(outcome.text, "nil") != 0)
      fail_msg("went on: %s", tricks[i]);
  }
}

static void test_the_message_of_a_kill_names_the_line(void **state)
{
  (void)state;
  struct outcome outcome = run("\n\nwhile true do end");
  assert_string_equal(outcome.text,
                      "test.lua:3: ran for more than 1000000 instructions without an end");
}

static void test_each_task_has_its_own_budget(void **state)
{
  (void)state;
  for (int i = 0; i < 10; i++) {
    assert_int_equal(run("while true do end").rc, AP_E_INVALID);
    assert_int_equal(run("for i = 1, 400000 do end wait() return 1").rc, AP_OK);
  }
  assert_int_equal(run("for i = 1, 400000 do end wait() for i = 1, 700000 do end").rc,
                   AP_E_INVALID);
}

static void test_script_call_is_bounded_outside_and_inside_of_tasks(void **state)
{
  (void)state;
  struct ap_error err;
  push_function("while true do end");
  assert_int_equal(script_call(bench.L, 0, 0, &err), AP_E_INVALID);
  assert_non_null(strstr(err.text, "ran for more than 5000000"));
  push_function("return 1, 2");
  assert_int_equal(script_call(bench.L, 0, 2, &err), AP_OK);
  assert_int_equal(lua_tointeger(bench.L, -1), 2);
  lua_pop(bench.L, 2);
  assert_int_equal(lua_gettop(bench.L), 0);
}

/* ---- what ends the process ---- */

/* Runs it in a child; text gets what it wrote to standard error. */
static int exit_code_of(void (*child)(void), char *text, size_t size)
{
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    (void)dup2(ends[1], STDERR_FILENO);
    child();
    _exit(0);
  }
  (void)close(ends[1]);
  size_t len = 0;
  ssize_t got;
  while ((got = read(ends[0], text + len, size - 1 - len)) > 0)
    len += (size_t)got;
  text[len] = '\0';
  (void)close(ends[0]);
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void eat_memory(void)
{
  (void)run("local s = ('x'):rep(1 << 20) local t = {} while true do t[#t + 1] = s .. #t end");
}

static void panic(void)
{
  (void)luaL_error(bench.L, "outside of everything");
}

static void test_the_memory_cap_ends_the_process_with_6(void **state)
{
  (void)state;
  char text[512];
  assert_int_equal(exit_code_of(eat_memory, text, sizeof(text)), 6);
  assert_string_equal(text, "apogee: scripts need more than 256 MiB of memory; the run ends "
                            "here\n");
}

/* A limit of a second: a pattern with more ways to match than there is time. */
static void hang(const char *label)
{
  struct script_limits limits;
  struct outcome outcome;
  script_limits_init(&limits);
  limits.hang_ms = 1000;
  bench_teardown(NULL);
  bench_open(&limits);
  task_set_label(start("return ('a'):rep(40):find(('a-'):rep(40) .. 'b')", &outcome), label, NULL);
  net_loop_run(bench.loop);
}

static void hang_labelled(void)
{
  hang("scan_hash on \x1b[31m44d88612");
}

static void hang_unlabelled(void)
{
  hang(NULL);
}

static void test_a_call_that_does_not_come_back_ends_the_process_with_6(void **state)
{
  (void)state;
  char text[512];
  assert_int_equal(exit_code_of(hang_labelled, text, sizeof(text)), 6);
  assert_string_equal(text, "apogee: a script held the engine for too long: scan_hash on "
                            "?[31m44d88612\n");
  assert_int_equal(exit_code_of(hang_unlabelled, text, sizeof(text)), 6);
  assert_string_equal(text, "apogee: a script held the engine for too long\n");
}

static void test_an_unprotected_error_ends_the_process_with_6(void **state)
{
  (void)state;
  char text[512];
  assert_int_equal(exit_code_of(panic, text, sizeof(text)), 6);
  assert_non_null(strstr(text, "outside of everything"));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)
  const struct CMUnitTest tests[] = {
      T(test_errors_name_the_file_and_the_line),
      T(test_a_global_stays_in_its_environment),
      T(test_a_file_without_an_end_is_stopped),
      T(test_source_is_capped),
      T(test_files_are_regular_and_of_text),
      T(test_modules_of_the_program_are_read_once_in_each_environment),
      T(test_own_modules_come_from_the_own_folder_only),
      T(test_an_environment_without_a_folder_has_no_own_modules),
      T(test_requiring_in_a_task_cannot_wait),
      T(test_environments_that_are_gone_take_their_modules_with_them),
      T(test_no_trick_outlives_the_budget),
      T(test_the_message_of_a_kill_names_the_line),
      T(test_each_task_has_its_own_budget),
      T(test_script_call_is_bounded_outside_and_inside_of_tasks),
      T(test_the_memory_cap_ends_the_process_with_6),
      T(test_a_call_that_does_not_come_back_ends_the_process_with_6),
      T(test_an_unprotected_error_ends_the_process_with_6),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
