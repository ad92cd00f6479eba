/* The engines of a report, read from its bytes. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/json.h"
#include "unit.h"
#include "vt/engines.h"

struct names {
  struct ap_buf text;
};

static void add_name(void *arg, struct ap_slice text)
{
  struct names *names = arg;
  ap_buf_add(&names->text, text.ptr, text.len);
  ap_buf_add_char(&names->text, '|');
}

static struct ap_slice scans_of(const char *report)
{
  struct ap_slice scans = {0};
  (void)ap_json_get((struct ap_slice){report, strlen(report)}, "scans", &scans);
  return scans;
}

static void check(const char *report, size_t total, size_t detecting, const char *names,
                  const char *rows)
{
  struct vt_engines engines;
  struct names said = {0};
  assert_int_equal(vt_engines_read(scans_of(report), &engines, add_name, &said), AP_OK);
  assert_int_equal(engines.total, total);
  assert_int_equal(engines.detecting, detecting);
  assert_string_equal(ap_buf_cstr(&said.text), names);
  assert_string_equal(ap_buf_cstr(&engines.rows), rows);
  ap_buf_deinit(&engines.rows);
  ap_buf_deinit(&said.text);
}

static void test_those_that_detect_come_first_each_half_by_name(void **state)
{
  (void)state;
  check(
      "{\"scans\": {\"beta\": {\"detected\": true, \"result\": \"X\", \"version\": 7, \"update\": "
      "\"20240301\"}, \"zeta\": {\"detected\": false, \"result\": null}, \"Alpha\": {\"detected\": "
      "true}, \"Gamma\": {\"detected\": false, \"result\": false}}}",
      4, 2, "Alpha|beta|",
      "[[\"Alpha\",true,\"\",\"\",\"\"],[\"beta\",true,\"X\",\"7\",\"20240301\"],"
      "[\"Gamma\",false,\"\",\"\",\"\"],[\"zeta\",false,\"\",\"\",\"\"]]");
}

static void test_only_true_detects_and_what_is_no_object_is_no_verdict(void **state)
{
  (void)state;
  check("{\"scans\":{\"a\":\"odd\",\"b\":{\"detected\":\"true\"},\"c\":{\"detected\":1},\"d\":[]}}",
        2, 0, "", "[[\"b\",false,\"\",\"\",\"\"],[\"c\",false,\"\",\"\",\"\"]]");
}

static void test_a_name_with_escapes_is_ordered_by_what_it_says(void **state)
{
  (void)state;
  check("{\"scans\":{\"\\u0042\":{\"detected\":true},\"A\\\"\":{\"detected\":true},"
        "\"C\":{\"detected\":true}}}",
        3, 3, "A\"|B|C|",
        "[[\"A\\\"\",true,\"\",\"\",\"\"],[\"\\u0042\",true,\"\",\"\",\"\"],"
        "[\"C\",true,\"\",\"\",\"\"]]");
}

static void test_of_a_name_that_stands_twice_the_last_counts(void **state)
{
  (void)state;
  check(
      "{\"scans\":{\"a\":{\"detected\":true},\"b\":{\"detected\":true},\"a\":{\"detected\":false},"
      "\"\\u0062\":null}}",
      1, 0, "", "[[\"a\",false,\"\",\"\",\"\"]]");
}

static void test_no_scans_are_told_from_empty_ones(void **state)
{
  static const char *const without[] = {"{}", "{\"scans\":null}", "{\"scans\":[]}", "[]"};
  struct vt_engines engines;
  (void)state;
  for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
    assert_int_equal(vt_engines_read(scans_of(without[i]), &engines, add_name, NULL),
                     AP_E_NOT_FOUND);
  check("{\"scans\":{}}", 0, 0, "", "[]");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_those_that_detect_come_first_each_half_by_name),
      cmocka_unit_test(test_only_true_detects_and_what_is_no_object_is_no_verdict),
      cmocka_unit_test(test_a_name_with_escapes_is_ordered_by_what_it_says),
      cmocka_unit_test(test_of_a_name_that_stands_twice_the_last_counts),
      cmocka_unit_test(test_no_scans_are_told_from_empty_ones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
