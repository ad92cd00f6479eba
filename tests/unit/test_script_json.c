// SPDX-License-Identifier: Apache-2.0
#include "script/json.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "script_unit.h"

static void test_decoded_numbers_are_integers_where_they_can_be(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"return json.decode('54')", AP_OK, "54"},
      {"return math.type(json.decode('54'))", AP_OK, "integer"},
      {"return math.type(json.decode('54.0'))", AP_OK, "integer"},
      {"return math.type(json.decode('5.4'))", AP_OK, "float"},
      {"return json.decode('{\"a\":{\"b\":[1,2.5,-3]}}').a.b[3]", AP_OK, "-3"},
      {"return json.decode('[1e3]')[1]", AP_OK, "1000"},
      {"return json.decode('[-0]')[1]", AP_OK, "0"},
      {"return json.decode('9007199254740992')", AP_OK, "9007199254740992"},
      {"return math.type(json.decode('9007199254740994'))", AP_OK, "float"},
      {"return math.type(json.decode('1e300'))", AP_OK, "float"},
      {"return math.type(json.decode('[1e999]')[1])", AP_OK, "float"},
      {"local s = 0 for _, v in ipairs(json.decode('[1,2,[3],4]')) do "
       "s = s + (type(v) == 'table' and v[1] or v) end return s",
       AP_OK, "10"},
  };
  run_cases(cases, COUNT_OF(cases));
}

static void test_nulls_are_absent_in_objects_and_stay_in_arrays(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"return next(json.decode('{\"a\":null,\"b\":null}'))", AP_OK, "nil"},
      {"local t = json.decode('{\"a\":null,\"b\":1,\"c\":{\"d\":null,\"e\":2}}') "
       "return tostring(t.a) .. t.b .. tostring(t.c.d) .. t.c.e",
       AP_OK, "nil1nil2"},
      {"local t = json.decode('[null,1,null]') return #t .. tostring(t[1] == json.null)", AP_OK,
       "3true"},
      {"return json.decode('null') == json.null", AP_OK, "true"},
  };
  run_cases(cases, COUNT_OF(cases));
}

static void test_what_cannot_be_decoded_is_said(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"return select(3, json.decode(''))", AP_OK, "bad_answer"},
      {"return select(3, json.decode('{\"a\":1,}'))", AP_OK, "bad_answer"},
      {"return select(3, json.decode('[1] x'))", AP_OK, "bad_answer"},
      {"return select(3, json.decode('NaN'))", AP_OK, "bad_answer"},
      {"return select(3, json.decode('0x10'))", AP_OK, "bad_answer"},
      {"return select(3, json.decode('\"\\xff\"'))", AP_OK, "bad_answer"},
      {"return select(2, json.decode('[tru]'))", AP_OK, "not valid JSON at byte 1"},
      {"return select(3, json.decode(('['):rep(129) .. (']'):rep(129)))", AP_OK, "too_large"},
      {"return type(json.decode(('['):rep(128) .. (']'):rep(128)))", AP_OK, "table"},
      {"return select(3, json.decode('[' .. ('1,'):rep(200000) .. '1]'))", AP_OK, "too_large"},
      {"return select(3, json.decode((' '):rep(9 << 20)))", AP_OK, "too_large"},
      {"json.decode()", AP_E_INVALID, "string expected"},
  };
  run_cases(cases, COUNT_OF(cases));
}

static void test_values_are_written_in_one_way(void **state)
{
  (void)state;
  static const struct {
    const char *value;
    const char *json;
  } cases[] = {
      {"nil", "null"},
      {"true", "true"},
      {"json.null", "null"},
      {"54", "54"},
      {"54.0", "54"},
      {"-0.0", "0"},
      {"0.1", "0.1"},
      {"1/3", "0.3333333333333333"},
      {"math.maxinteger", "9223372036854775807"},
      {"math.mininteger", "-9223372036854775808"},
      {"1e300", "1e+300"},
      {"'a\"\\\\\\n\\xff'", "\"a\\\"\\\\\\n\xef\xbf\xbd\""},
      {"{}", "[]"},
      {"json.object{}", "{}"},
      {"json.array{}", "[]"},
      {"{1, 'x', {}}", "[1,\"x\",[]]"},
      {"{json.null, 1}", "[null,1]"},
      {"{b = 1, a = 2, aa = {c = true}}", "{\"a\":2,\"aa\":{\"c\":true},\"b\":1}"},
      {"{['a\\0b'] = 1, a = 2}", "{\"a\":2,\"a\\u0000b\":1}"},
      {"{[''] = 1, ['B'] = 2, ['\\xc3\\xa4'] = 3}", "{\"\":1,\"B\":2,\"\xc3\xa4\":3}"},
      {"setmetatable({}, {__index = error, __pairs = error, __len = error})", "[]"},
      {"json.object(json.array{})", "{}"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char source[256];
    (void)snprintf(source, sizeof(source), "return json.encode(%s)", cases[i].value);
    struct outcome outcome = run(source);
    if (strcmp(outcome.text, cases[i].json) != 0)
      fail_msg("%s: %s", cases[i].value, outcome.text);
  }
}

static void test_what_cannot_be_written_is_refused(void **state)
{
  (void)state;
  static const struct script_case cases[] = {
      {"json.encode(0/0)", AP_E_INVALID, "no infinity and no NaN"},
      {"json.encode({math.huge})", AP_E_INVALID, "no infinity and no NaN"},
      {"json.encode({a = print})", AP_E_INVALID, "a function is no data"},
      {"json.encode(coroutine.running())", AP_E_INVALID, "a thread is no data"},
      {"json.encode({1, a = 2})", AP_E_INVALID, "not both"},
      {"json.encode({[true] = 2})", AP_E_INVALID, "not both"},
      {"json.encode({[1.5] = 2})", AP_E_INVALID, "not both"},
      {"json.encode({[3] = 2})", AP_E_INVALID, "not both"},
      {"json.encode({1, 2, nil, 4})", AP_E_INVALID, "holes"},
      {"json.encode(json.array{a = 1})", AP_E_INVALID, "json.array"},
      {"json.encode(json.object{1})", AP_E_INVALID, "json.object"},
      {"local t = {} t.t = t json.encode(t)", AP_E_INVALID, "in a circle"},
      {"local t = 1 for i = 1, 65 do t = {t} end json.encode(t)", AP_E_INVALID, "64 deep"},
      {"json.encode(('x'):rep(1 << 20))", AP_E_INVALID, "more than 1 MiB"},
      {"local t = {} for i = 1, 11000 do t[i] = ('x'):rep(100) end json.encode(t)", AP_E_INVALID,
       "more than 1 MiB"},
      {"json.encode()", AP_E_INVALID, "value expected"},
      {"json.object(1)", AP_E_INVALID, "table expected"},
      {"json.object(setmetatable({}, {}))", AP_E_INVALID, "cannot be marked"},
      {"return getmetatable(json.object{})", AP_OK, "false"},
  };
  run_cases(cases, COUNT_OF(cases));
}

static void test_what_is_written_reads_back(void **state)
{
  (void)state;
  static const char *const texts[] = {
      "[]",
      "54",
      "[1,2.5,\"x\",true,null]",
      "{\"a\":{\"b\":[{\"c\":1}]},\"d\":\"\xe2\x82\xac\"}",
      "{\"positives\":54,\"total\":60}",
  };
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    char source[256];
    (void)snprintf(source, sizeof(source), "return json.encode(json.decode([==[%s]==]))", texts[i]);
    assert_string_equal(run(source).text, texts[i]);
  }
}

static void test_writing_keeps_what_the_buffer_had_and_its_cap(void **state)
{
  (void)state;
  struct ap_buf out = {.max = 8};
  struct ap_error err;
  ap_buf_add_str(&out, "x:");
  lua_pushinteger(bench.L, 42);
  assert_int_equal(script_json_write(bench.L, -1, &out, &err), AP_OK);
  assert_string_equal(ap_buf_cstr(&out), "x:42");
  lua_pushliteral(bench.L, "too long");
  assert_int_equal(script_json_write(bench.L, -1, &out, &err), AP_E_INVALID);
  assert_int_equal(lua_gettop(bench.L), 2);
  ap_buf_deinit(&out);
}

/* With room for the call, and none for what it decodes. */
static int decode_on_a_full_stack(lua_State *L)
{
  enum { STEP = 100 };
  static const char open[] = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[";
  static const char close[] = "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]";
  struct ap_buf text = {0};
  for (int i = 0; i < 4; i++)
    ap_buf_add_str(&text, i < 2 ? open : close);
  while (lua_checkstack(L, STEP))
    lua_settop(L, lua_gettop(L) + STEP);
  struct ap_slice copy = {lua_newuserdatauv(L, text.len, 0), text.len};
  memcpy((char *)(uintptr_t)copy.ptr, text.ptr, text.len);
  ap_buf_deinit(&text);
  script_json_push(L, copy);
  return 0;
}

/* cjson calls exit() when memory is out, which ends the process with 6. This is not that. */
static void test_a_full_stack_is_no_lack_of_memory(void **state)
{
  enum { WAS_DECODED = 3 };
  int status = 0;
  (void)state;
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    lua_State *L = luaL_newstate();
    script_json_init(L);
    lua_pushcfunction(L, decode_on_a_full_stack);
    int rc = lua_pcall(L, 0, 0, 0);
    bool is_cjson = rc != LUA_OK && strstr(lua_tostring(L, -1), "nested");
    lua_close(L);
    if (!is_cjson)
      _exit(WAS_DECODED);
    exit(0);
  }
  assert_int_equal(pid, waitpid(pid, &status, 0));
  assert_true(WIFEXITED(status));
  assert_int_equal(0, WEXITSTATUS(status));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)
  const struct CMUnitTest tests[] = {
      T(test_decoded_numbers_are_integers_where_they_can_be),
      T(test_nulls_are_absent_in_objects_and_stay_in_arrays),
      T(test_what_cannot_be_decoded_is_said),
      T(test_values_are_written_in_one_way),
      T(test_what_cannot_be_written_is_refused),
      T(test_what_is_written_reads_back),
      T(test_writing_keeps_what_the_buffer_had_and_its_cap),
      T(test_a_full_stack_is_no_lack_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
