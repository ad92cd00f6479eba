// SPDX-License-Identifier: Apache-2.0
#include "script_unit.h"

static void test_names_that_reach_out_are_not_there(void **state)
{
  (void)state;
  static const char *const names[] = {
      "io",          "os",           "debug",   "package", "load",
      "loadstring",  "loadfile",     "dofile",  "warn",    "collectgarbage",
      "string.dump", "engine",       "vt",      "files",   "coroutine.close",
      "('x').dump",  "newproxy",     "setfenv", "unpack",  "getmetatable('')",
      "math.log10",  "('').__index",
  };
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    char source[128];
    (void)snprintf(source, sizeof(source), "return %s", names[i]);
    struct outcome outcome = run(source);
    if (outcome.rc != AP_OK ||
        (strcmp(outcome.text, "nil") != 0 && strcmp(outcome.text, "false") != 0))
      fail_msg("%s is %s", names[i], outcome.text);
  }
}

static void test_what_scripts_need_is_there(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"return _VERSION", AP_OK, "Lua 5.4"},
      {"return _G == _G._G and _G.string == string", AP_OK, "true"},
      {"return ('x'):rep(3) .. ('%d'):format(7) .. #'ab'", AP_OK, "xxx72"},
      {"return '10' + 1", AP_OK, "11"},
      {"return select('#', table.unpack({1, 2, 3}))", AP_OK, "3"},
      {"return table.concat({1, 2, 'x'}, '-')", AP_OK, "1-2-x"},
      {"local t = {3, 1, 2} table.sort(t) return table.concat(t)", AP_OK, "123"},
      {"local t = {1, 3} table.insert(t, 2, 2) table.remove(t, 1) return table.concat(t)", AP_OK,
       "23"},
      {"return #table.move({1, 2}, 1, 2, 3) .. table.pack(1, nil).n", AP_OK, "42"},
      {"return utf8.char(228, 8364)", AP_OK, "\xc3\xa4\xe2\x82\xac"},
      {"return math.type(math.random(10))", AP_OK, "integer"},
      {"return string.pack('<i4', 7):byte()", AP_OK, "7"},
      {"return tostring(1.0) .. tostring(nil) .. tostring('x')", AP_OK, "1.0nilx"},
      {"local t = setmetatable({}, {__tostring = function() return 'T' end}) return tostring(t)",
       AP_OK, "T"},
      {"return clock.format(clock.parse('2019-02-05 15:41:52'))", AP_OK, "2019-02-05T15:41:52Z"},
      {"return math.type(clock.now())", AP_OK, "integer"},
      {"return select(3, clock.parse('soon'))", AP_OK, "invalid"},
      {"log.debug('%d of %s', 1, {}) print(nil, {}) return 'done'", AP_OK, "done"},
  };
  run_cases(cases, COUNT_OF(cases));
}

static void test_no_text_holds_an_address(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"return '<' .. tostring({}) .. '>'", AP_OK, "<table>"},
      {"return '<' .. tostring(print) .. '>'", AP_OK, "<function>"},
      {"return '<' .. tostring(coroutine.running()) .. '>'", AP_OK, "<thread>"},
      {"return ('<%s>'):format({})", AP_OK, "<table>"},
      {"return ('<%5s>'):format(print)", AP_OK, "<function>"},
      {"return ('%p'):format({})", AP_E_INVALID, "not available"},
      {"return ('<%-+ #0123p>'):format({})", AP_E_INVALID, "not available"},
      {"return tostring(json.null)", AP_OK, "null"},
      {"return tostring(setmetatable({}, {__name = 'N'}))", AP_OK, "N"},
  };
  run_cases(cases, COUNT_OF(cases));
}

static void test_metatables_that_would_escape_are_refused(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"return getmetatable('')", AP_OK, "false"},
      {"setmetatable({}, {__gc = function() end})", AP_E_INVALID, "__gc is not available"},
      {"setmetatable({}, {__gc = false})", AP_E_INVALID, "__gc is not available"},
      {"setmetatable({}, {__mode = 'k'})", AP_E_INVALID, "__mode is not available"},
      {"setmetatable('', {})", AP_E_INVALID, "table expected"},
      {"local t = setmetatable({}, {__metatable = 1}) setmetatable(t, nil)", AP_E_INVALID,
       "protected"},
      {"rawset(setmetatable({}, {__metatable = false}), 1, 2)", AP_E_INVALID, "protected"},
      {"local t = setmetatable({}, {__index = {a = 1}}) return t.a", AP_OK, "1"},
  };
  run_cases(cases, COUNT_OF(cases));
}

static void test_results_of_one_call_are_bounded(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"return ('x'):rep(1 << 40)", AP_E_INVALID, "larger than 16 MiB"},
      {"return ('x'):rep(math.maxinteger)", AP_E_INVALID, "larger than 16 MiB"},
      {"return ('x'):rep(1000000, ('y'):rep(100))", AP_E_INVALID, "larger than 16 MiB"},
      {"return #(''):rep(math.maxinteger)", AP_OK, "0"},
      {"return #('x'):rep(-1)", AP_OK, "0"},
      {"return #('x'):rep(16 << 20)", AP_OK, "16777216"},
      {"local s = ('x'):rep(1 << 20) return string.format(('%s'):rep(50), s, s, s, s, s, s, s, s, "
       "s, s, s, s, s, s, s, s, s)",
       AP_E_INVALID, "larger than 16 MiB"},
      {"return ('%q'):format(('\\0'):rep(5 << 20))", AP_E_INVALID, "larger than 16 MiB"},
      {"return ('%999d'):format(1)", AP_E_INVALID, "invalid conversion"},
      {"return string.format('%d')", AP_E_INVALID, "bad argument #2 to 'format'"},
      {"return string.pack('c2000000000', 'x')", AP_E_INVALID, "larger than 16 MiB"},
      {"return string.pack('c9999999c9999999', 'x', 'y')", AP_E_INVALID, "larger than 16 MiB"},
      {"return string.pack('c99999999999999999999999', 'x')", AP_E_INVALID, "larger than 16 MiB"},
      {"table.concat({}, 'x', 1, 1 << 40)", AP_E_INVALID, "more than 1048576 items"},
      {"local s, t = ('x'):rep(1 << 20), {} for i = 1, 17 do t[i] = s end table.concat(t)",
       AP_E_INVALID, "larger than 16 MiB"},
      {"table.move({}, 1, math.maxinteger, 2)", AP_E_INVALID, "more than 1048576 items"},
      {"table.move({}, math.mininteger, math.maxinteger, 2)", AP_E_INVALID, "items"},
      {"table.unpack({}, 1, 1e8)", AP_E_INVALID, "more than 1048576 items"},
      {"table.unpack({}, math.mininteger, math.maxinteger)", AP_E_INVALID, "items"},
      {"table.sort(setmetatable({}, {__len = function() return 1 << 40 end}))", AP_E_INVALID,
       "__len"},
      {"table.insert(setmetatable({}, {__len = function() return 1 << 40 end}), 1, 1)",
       AP_E_INVALID, "__len"},
      {"table.concat({{}})", AP_E_INVALID, "invalid value (table) at index 1"},
  };
  run_cases(cases, COUNT_OF(cases));
}

static void test_length_of_a_sparse_table_does_not_make_a_long_loop(void **state)
{
  (void)state;
  struct outcome outcome = run("local t = {} for i = 0, 62 do t[1 << i] = 1 end "
                               "table.insert(t, 1, 1) return 'inserted'");
  assert_true(outcome.rc == AP_OK || strstr(outcome.text, "items"));
}

static void test_errors_of_bounded_functions_name_the_line(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"\n\nreturn ('x'):rep(1 << 40)", AP_E_INVALID, "test.lua:3: "},
      {"\nreturn ('%d'):format('x')", AP_E_INVALID, "test.lua:2: bad argument #1 to 'format'"},
      {"\ntable.sort({1, {}})", AP_E_INVALID, "attempt to compare"},
  };
  run_cases(cases, COUNT_OF(cases));
}

static void test_environments_share_nothing_that_can_be_changed(void **state)
{
  (void)state;
  static const char *const tables[] = {"string", "table", "math",  "utf8", "coroutine",
                                       "json",   "log",   "clock", "_G"};
  struct outcome outcome = run("string.upper = nil string.format = error table.concat = nil "
                               "json.decode = nil x = 1 return ('x'):upper()");
  assert_string_equal(outcome.text, "X");
  push_env();
  script_env_push(bench.L, NULL);
  for (size_t i = 0; i < COUNT_OF(tables); i++) {
    lua_getfield(bench.L, -2, tables[i]);
    lua_getfield(bench.L, -2, tables[i]);
    assert_true(lua_istable(bench.L, -1));
    assert_false(lua_rawequal(bench.L, -1, -2));
    lua_pop(bench.L, 2);
  }
  bench.env_ref = luaL_ref(bench.L, LUA_REGISTRYINDEX);
  outcome = run("return string.upper('x') .. table.concat({1}) .. tostring(x)");
  assert_string_equal(outcome.text, "X1nil");
}

static void test_seeding_random_numbers_is_not_seen_by_others(void **state)
{
  (void)state;
  lua_State *L = bench.L;
  script_env_push(L, NULL);
  int other = lua_gettop(L);
  struct outcome first = run("math.randomseed(1) return math.random(1 << 50)");
  struct ap_error err;
  static const char seed[] = "math.randomseed(2) return 1";
  assert_int_equal(
      script_run_source(L, other, "other.lua", (struct ap_slice){seed, sizeof(seed) - 1}, &err),
      AP_OK);
  lua_settop(L, other - 1);
  struct outcome second = run("local a = math.random(1 << 50) math.randomseed(1) "
                              "math.random(1 << 50) return a == math.random(1 << 50)");
  assert_int_equal(first.rc, AP_OK);
  assert_string_equal(second.text, "true");
}

static void test_pcall_gives_what_was_returned_or_raised(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"return table.concat({pcall(function(...) return ..., 2 end, 1)} and {1}, '')", AP_OK, "1"},
      {"local ok, a, b = pcall(function() return 1, 2 end) return tostring(ok) .. a .. b", AP_OK,
       "true12"},
      {"return select('#', pcall(function() end))", AP_OK, "1"},
      {"local ok, e = pcall(error, 'x', 0) return tostring(ok) .. e", AP_OK, "falsex"},
      {"local ok, e = pcall(error) return tostring(ok) .. tostring(e)", AP_OK, "falsenil"},
      {"local ok, a = pcall(wait) return tostring(ok) .. a", AP_OK, "truewoken"},
      {"local ok, e = pcall(function() wait() error('late', 0) end) return tostring(ok) .. e",
       AP_OK, "falselate"},
      {"local ok, a, b = xpcall(function(x) wait() return x, 2 end, print, 1) "
       "return tostring(ok) .. a .. b",
       AP_OK, "true12"},
      {"local ok, e = xpcall(error, function(e) return 'handled ' .. e end, 'x', 0) "
       "return tostring(ok) .. e",
       AP_OK, "falsehandled x"},
      {"local ok, e = xpcall(error, function(e) wait() return 'waited ' .. e end, 'x', 0) "
       "return tostring(ok) .. e",
       AP_OK, "falsewaited x"},
      {"local ok, e = xpcall(error, function() error('again', 0) end, 'x') "
       "return tostring(ok) .. e",
       AP_OK, "falseagain"},
      {"return select('#', xpcall(error, function() end))", AP_OK, "1"},
      {"local function deep(...) return deep(1, ...) + 1 end return tostring((pcall(deep)))", AP_OK,
       "false"},
  };
  run_cases(cases, COUNT_OF(cases));
}

static void test_error_values_of_any_kind_have_a_text(void **state)
{
  (void)state;
  static const struct {
    const char *source;
    const char *text;
  } cases[] = {
      {"error()", "an error without a message"},
      {"error('plain', 0)", "plain"},
      {"error(42)", "42"},
      {"error({})", "table"},
      {"error({ message = 'inside' })", "inside"},
      {"error(print)", "function"},
      {"error('a\\nb\\27[1m\\0c\\xff', 0)", "a b [1m c?"},
      {"error(setmetatable({}, {__tostring = function() return 'mine' end}))", "mine"},
      {"error(setmetatable({}, {__tostring = function() error('no') end}))", "does not say"},
      {"error(setmetatable({}, {__tostring = function() return {} end}))", "does not say"},
      {"error(setmetatable({}, {__tostring = function() while true do end end}))", "does not say"},
      {"error(setmetatable({}, {__tostring = function() return wait() end}))", "does not say"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_error err;
    push_function(cases[i].source);
    assert_int_equal(script_call(bench.L, 0, 0, &err), AP_E_INVALID);
    if (!strstr(err.text, cases[i].text))
      fail_msg("%s: %s", cases[i].source, err.text);
  }
  push_function("error(('\xe2\x82\xac'):rep(1000), 0)");
  struct ap_error err;
  assert_int_equal(script_call(bench.L, 0, 0, &err), AP_E_INVALID);
  assert_int_equal(strlen(err.text), 477); /* whole characters */
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)
  const struct CMUnitTest tests[] = {
      T(test_names_that_reach_out_are_not_there),
      T(test_what_scripts_need_is_there),
      T(test_no_text_holds_an_address),
      T(test_metatables_that_would_escape_are_refused),
      T(test_results_of_one_call_are_bounded),
      T(test_length_of_a_sparse_table_does_not_make_a_long_loop),
      T(test_errors_of_bounded_functions_name_the_line),
      T(test_environments_share_nothing_that_can_be_changed),
      T(test_seeding_random_numbers_is_not_seen_by_others),
      T(test_pcall_gives_what_was_returned_or_raised),
      T(test_error_values_of_any_kind_have_a_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
