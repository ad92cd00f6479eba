// SPDX-License-Identifier: Apache-2.0
#include "script/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

static int parse(const char *source, struct ap_value *out, struct ap_error *err)
{
  return script_data_parse("config.lua", (struct ap_slice){source, strlen(source)}, out, err);
}

static void test_a_table_becomes_a_tree(void **state)
{
  (void)state;
  struct ap_value root = {0};
  struct ap_error err = {0};
  assert_int_equal(parse("local base = 'https://'\n"
                         "return { url = base .. 'x', n = 5, f = 1.5, whole = 2.0, yes = true,\n"
                         "         no = false, list = { 'a', 'b' }, none = {}, left = nil,\n"
                         "         deep = { er = { 1 } } }",
                         &root, &err),
                   AP_OK);
  assert_int_equal(root.kind, AP_VALUE_TABLE);
  assert_int_equal(root.len, 9);
  assert_string_equal(ap_value_text(ap_value_get(&root, "url"), ""), "https://x");
  assert_int_equal(ap_value_get(&root, "n")->kind, AP_VALUE_INT);
  assert_int_equal(ap_value_get(&root, "n")->integer, 5);
  assert_int_equal(ap_value_get(&root, "f")->kind, AP_VALUE_NUMBER);
  assert_true(ap_value_get(&root, "f")->number == 1.5);
  assert_int_equal(ap_value_get(&root, "whole")->kind, AP_VALUE_NUMBER);
  assert_true(ap_value_get(&root, "yes")->boolean);
  assert_false(ap_value_get(&root, "no")->boolean);
  const struct ap_value *list = ap_value_get(&root, "list");
  assert_int_equal(list->kind, AP_VALUE_LIST);
  assert_int_equal(list->len, 2);
  assert_string_equal(ap_value_text(&list->items[1], ""), "b");
  assert_int_equal(ap_value_get(&root, "none")->kind, AP_VALUE_LIST);
  assert_int_equal(ap_value_get(&root, "none")->len, 0);
  assert_null(ap_value_get(&root, "left"));
  assert_int_equal(ap_value_get(ap_value_get(&root, "deep"), "er")->items[0].integer, 1);
  for (size_t i = 1; i < root.len; i++)
    assert_true(strcmp(root.keys[i - 1], root.keys[i]) < 0);
  ap_value_deinit(&root);
}

static void test_what_is_wrong_is_named(void **state)
{
  (void)state;
  static const struct {
    const char *source;
    const char *text;
  } cases[] = {
      {"return {", "config.lua:1: unexpected symbol near <eof>"},
      {"\nreturn { a = = 1 }", "config.lua:2: unexpected symbol near '='"},
      {"return", "config.lua: the file does not return a table"},
      {"return 5", "config.lua: the file does not return a table"},
      {"\nreturn os.getenv('HOME')", "config.lua:2: "},
      {"return { x = print }", NULL},
      {"return { x = function() end }", "config.lua: x: a function is no data"},
      {"return { virustotal = { retries = { 1, function() end } } }",
       "config.lua: virustotal.retries[2]: a function is no data"},
      {"return { a = { 1, b = 2 } }", "config.lua: a: a table holds names or a list, not both"},
      {"return { a = { [2] = 1 } }", "config.lua: a: a list is numbered from 1 without holes"},
      {"return { a = { [1.5] = 1 } }", "config.lua: a: a list is numbered from 1 without holes"},
      {"return { a = { [true] = 1 } }", "config.lua: a: a key is neither a name nor a number"},
      {"return { ['a\\0b'] = 1 }", "config.lua: a name has a NUL"},
      {"local t = {} t.t = t return t", "nested more than 64 deep, or in a circle"},
      {"local t = {} for i = 1, 1000001 do t[i] = 1 end return t", "more than 1,000,000 values"},
      {"\nwhile true do end", "config.lua:2: ran for more than 10000000 instructions"},
      {"\x1bLua", "config.lua: compiled Lua is not accepted"},
      {"return ('x'):rep(10)", "config.lua:1: attempt to index a string value"},
      {"local t = 1 .. {} return t", "config.lua:1: attempt to concatenate a table value"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_value root = {0};
    struct ap_error err = {0};
    int rc = parse(cases[i].source, &root, &err);
    if (!cases[i].text) { /* no name is there: nil, so no field */
      assert_int_equal(rc, AP_OK);
      assert_int_equal(root.len, 0);
      ap_value_deinit(&root);
      continue;
    }
    if (rc != AP_E_INVALID || !strstr(err.text, cases[i].text))
      fail_msg("%s\n  gave %d \"%s\"", cases[i].source, rc, err.text);
    assert_int_equal(root.kind, AP_VALUE_NONE);
  }
}

/* Lua names no file when its own stack is spent. */
static void test_too_many_levels_are_named(void **state)
{
  struct ap_buf source = {0};
  struct ap_value root = {0};
  struct ap_error err = {0};
  (void)state;
  ap_buf_add_str(&source, "return ");
  for (int i = 0; i < 1000; i++)
    ap_buf_add_char(&source, '{');
  assert_int_equal(parse(ap_buf_cstr(&source), &root, &err), AP_E_INVALID);
  assert_int_equal(strncmp(err.text, "config.lua:", 11), 0);
  ap_buf_deinit(&source);
}

static void test_files_are_read_and_named(void **state)
{
  (void)state;
  char path[] = "/tmp/apogee-data-XXXXXX";
  static const char source[] = "return { a = 1 }";
  struct ap_value root = {0};
  struct ap_error err = {0};
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, source, sizeof(source) - 1), sizeof(source) - 1);
  assert_int_equal(close(fd), 0);
  assert_int_equal(script_data_read(path, &root, &err), AP_OK);
  assert_int_equal(ap_value_get(&root, "a")->integer, 1);
  ap_value_deinit(&root);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(script_data_read(path, &root, &err), AP_E_NOT_FOUND);
  assert_non_null(strstr(err.text, path));
  assert_int_equal(script_data_read("/tmp", &root, &err), AP_E_IO);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_table_becomes_a_tree),
      cmocka_unit_test(test_what_is_wrong_is_named),
      cmocka_unit_test(test_too_many_levels_are_named),
      cmocka_unit_test(test_files_are_read_and_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
