// SPDX-License-Identifier: Apache-2.0
#include "casefile/finding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "unit.h"

static struct ap_slice slice(const char *text)
{
  return (struct ap_slice){text, strlen(text)};
}

static int enrich(struct case_finding *finding, const char *name, const char *json)
{
  return case_finding_enrich(finding, name, strlen(name), slice(json));
}

static void check_fields(const struct case_finding *finding, const char *expected)
{
  struct ap_buf out = {0};
  case_finding_write_fields(finding, &out);
  assert_int_equal(ap_json_check(ap_slice_of(&out), AP_JSON_MAX_DEPTH, 100000, NULL), AP_OK);
  assert_string_equal(ap_buf_cstr(&out), expected);
  ap_buf_deinit(&out);
}

static void test_fields_keep_their_order_and_take_new_values(void **state)
{
  (void)state;
  struct case_finding finding;
  case_finding_init(&finding);
  check_fields(&finding, "{}");
  assert_int_equal(enrich(&finding, "Scan date", "\"2019\""), AP_OK);
  assert_int_equal(enrich(&finding, "positives", "54"), AP_OK);
  assert_int_equal(enrich(&finding, "", "null"), AP_OK);
  assert_int_equal(enrich(&finding, "a\"b", "[1,2]"), AP_OK);
  assert_int_equal(enrich(&finding, "Scan date", "12345678901234567890"), AP_OK);
  check_fields(&finding, "{\"Scan date\":12345678901234567890,\"positives\":54,\"\":null,"
                         "\"a\\\"b\":[1,2]}");
  case_finding_deinit(&finding);
}

static void test_fields_are_bounded_in_number(void **state)
{
  (void)state;
  struct case_finding finding;
  case_finding_init(&finding);
  char name[32];
  for (int i = 0; i < CASE_FINDING_MAX_FIELDS; i++) {
    (void)snprintf(name, sizeof(name), "field %d", i);
    assert_int_equal(enrich(&finding, name, "1"), AP_OK);
  }
  assert_int_equal(enrich(&finding, "one more", "1"), AP_E_TOO_LARGE);
  assert_int_equal(enrich(&finding, "field 7", "2"), AP_OK);
  assert_int_equal(finding.field_count, CASE_FINDING_MAX_FIELDS);
  case_finding_deinit(&finding);
}

static void test_fields_are_bounded_in_bytes(void **state)
{
  (void)state;
  struct case_finding finding;
  case_finding_init(&finding);
  size_t len = CASE_FINDING_MAX_BYTES - 1;
  char *text = test_malloc(len);
  memset(text, 'x', len);
  text[0] = text[len - 1] = '"';
  assert_int_equal(case_finding_enrich(&finding, "a", 1, (struct ap_slice){text, len}), AP_OK);
  assert_int_equal(enrich(&finding, "b", "1"), AP_E_TOO_LARGE);
  assert_int_equal(case_finding_enrich(&finding, "ab", 2, (struct ap_slice){text, len}),
                   AP_E_TOO_LARGE);
  assert_int_equal(enrich(&finding, "a", "1"), AP_OK);
  assert_int_equal(enrich(&finding, "b", "2"), AP_OK);
  check_fields(&finding, "{\"a\":1,\"b\":2}");
  test_free(text);
  case_finding_deinit(&finding);
}

static void test_insights_are_objects_joined_by_commas(void **state)
{
  (void)state;
  struct case_finding finding;
  case_finding_init(&finding);
  assert_int_equal(case_finding_insight(&finding, "evil.com", "warn", slice("Title"),
                                        slice("a \"b\"\n\xff"), "VirusTotal"),
                   AP_OK);
  assert_int_equal(case_finding_insight(&finding, "evil.com", "info", slice(""), slice(""), NULL),
                   AP_OK);
  assert_int_equal(case_finding_insight(&finding, "evil.com", "bad", slice(""), slice(""), NULL),
                   AP_E_INVALID);
  assert_string_equal(ap_buf_cstr(&finding.insights),
                      "{\"entity\":\"evil.com\",\"severity\":\"warn\",\"title\":\"Title\","
                      "\"body\":\"a \\\"b\\\"\\n\xef\xbf\xbd\",\"triggered_by\":\"VirusTotal\"},"
                      "{\"entity\":\"evil.com\",\"severity\":\"info\",\"title\":\"\","
                      "\"body\":\"\",\"triggered_by\":null}");
  case_finding_deinit(&finding);
}

static void test_an_insight_past_the_limit_leaves_the_others(void **state)
{
  (void)state;
  struct case_finding finding;
  case_finding_init(&finding);
  size_t len = CASE_FINDING_MAX_BYTES - 1000;
  char *text = test_malloc(len);
  memset(text, 'x', len);
  struct ap_slice body = {text, len};
  assert_int_equal(case_finding_insight(&finding, "e", "info", slice("1"), body, NULL), AP_OK);
  size_t before = finding.insights.len;
  assert_int_equal(case_finding_insight(&finding, "e", "info", slice("2"), body, NULL),
                   AP_E_TOO_LARGE);
  assert_int_equal(finding.insights.len, before);
  assert_int_equal(case_finding_insight(&finding, "e", "info", slice("3"), slice(""), NULL), AP_OK);
  assert_true(finding.insights.len > before);
  test_free(text);
  case_finding_deinit(&finding);
}

static void test_tables_take_arrays_only(void **state)
{
  (void)state;
  struct case_finding finding;
  case_finding_init(&finding);
  assert_int_equal(case_finding_table(&finding, "evil.com", slice("T"), slice("[\"a\",\"b\"]"),
                                      slice("[[1,2],[]]")),
                   AP_OK);
  assert_int_equal(case_finding_table(&finding, "e", slice("T"), slice("{}"), slice("[]")),
                   AP_E_INVALID);
  assert_int_equal(case_finding_table(&finding, "e", slice("T"), slice("[]"), slice("\"[\"")),
                   AP_E_INVALID);
  assert_int_equal(case_finding_table(&finding, "\"e\"", slice(""), slice("[]"), slice("[]")),
                   AP_OK);
  assert_string_equal(ap_buf_cstr(&finding.tables),
                      "{\"title\":\"T\",\"columns\":[\"a\",\"b\"],\"rows\":[[1,2],[]],"
                      "\"entity\":\"evil.com\"},"
                      "{\"title\":\"\",\"columns\":[],\"rows\":[],\"entity\":\"\\\"e\\\"\"}");
  case_finding_deinit(&finding);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fields_keep_their_order_and_take_new_values),
      cmocka_unit_test(test_fields_are_bounded_in_number),
      cmocka_unit_test(test_fields_are_bounded_in_bytes),
      cmocka_unit_test(test_insights_are_objects_joined_by_commas),
      cmocka_unit_test(test_an_insight_past_the_limit_leaves_the_others),
      cmocka_unit_test(test_tables_take_arrays_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
