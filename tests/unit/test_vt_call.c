// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "vt/call.h"
#include "vt/split.h"

static struct ap_slice text(const char *str)
{
  return (struct ap_slice){str, strlen(str)};
}

static void test_response_code_decides_what_an_answer_says(void **state)
{
  static const struct {
    enum vt_call call;
    const char *item;
    int code;
  } cases[] = {
      {VT_FILE_REPORT, "{\"response_code\":1,\"scans\":{}}", AP_OK},
      {VT_FILE_REPORT, "{\"response_code\":\"1\",\"scans\":{}}", AP_OK},
      {VT_FILE_REPORT, "{\"response_code\":1,\"scan_id\":\"x\"}", AP_E_QUEUED},
      {VT_FILE_REPORT, "{\"response_code\":1,\"scans\":null}", AP_E_QUEUED},
      {VT_FILE_REPORT, "{\"response_code\":-2,\"scans\":{}}", AP_E_QUEUED},
      {VT_FILE_REPORT, "{\"response_code\":0,\"verbose_msg\":\"not here\"}", AP_E_NOT_FOUND},
      {VT_FILE_REPORT, "{\"response_code\":0,\"verbose_msg\":\"Invalid resource, check\"}",
       AP_E_REJECTED},
      {VT_FILE_REPORT, "{\"response_code\":0,\"scans\":{},\"positives\":0}", AP_E_NOT_FOUND},
      {VT_FILE_REPORT, "{\"response_code\":5}", AP_E_BAD_ANSWER},
      {VT_FILE_REPORT, "{\"scans\":{}}", AP_E_BAD_ANSWER},
      {VT_FILE_REPORT, "[]", AP_E_BAD_ANSWER},
      {VT_URL_REPORT, "{\"response_code\":1,\"positives\":0}", AP_E_QUEUED},
      {VT_URL_REPORT, "{\"response_code\":-1}", AP_E_REJECTED},
      {VT_DOMAIN_REPORT, "{\"response_code\":1}", AP_OK},
      {VT_IP_REPORT, "{\"response_code\":0,\"verbose_msg\":\"Missing IP address\"}",
       AP_E_NOT_FOUND},
      {VT_FILE_RESCAN, "{\"response_code\":0}", AP_E_REJECTED},
      {VT_FILE_RESCAN, "{\"response_code\":1,\"scan_id\":\"x\"}", AP_OK},
      {VT_URL_SCAN, "{\"response_code\":-1}", AP_E_REJECTED},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct vt_verdict verdict = vt_call_read(cases[i].call, text(cases[i].item));
    if (verdict.code != cases[i].code)
      fail_msg("%s: %s, not %s", cases[i].item, ap_error_word(verdict.code),
               ap_error_word(cases[i].code));
  }
}

static void test_a_list_is_matched_by_what_was_asked_not_by_place(void **state)
{
  static const char body[] = "[{\"resource\":\"BB\",\"n\":2},{\"resource\":\"cc-1\",\"n\":3},"
                             "{\"resource\":\"aa\",\"n\":1}]";
  const char *asked[] = {"aa", "bb", "cc-1"};
  struct ap_slice items[3];
  struct ap_error err = {0};
  (void)state;
  assert_int_equal(AP_OK, vt_split(VT_FILE_REPORT, text(body), asked, 3, items, &err));
  assert_memory_equal("{\"resource\":\"aa\",\"n\":1}", items[0].ptr, items[0].len);
  assert_memory_equal("{\"resource\":\"BB\",\"n\":2}", items[1].ptr, items[1].len);
  assert_memory_equal("{\"resource\":\"cc-1\",\"n\":3}", items[2].ptr, items[2].len);
}

static void test_an_item_that_was_cut_off_is_missing_and_no_other_takes_its_place(void **state)
{
  const char *asked[] = {"aa", "bb"};
  struct ap_slice items[2];
  struct ap_error err = {0};
  (void)state;
  assert_int_equal(
      AP_OK, vt_split(VT_FILE_REPORT, text("[{\"resource\":\"bb\"}]"), asked, 2, items, &err));
  assert_null(items[0].ptr);
  assert_non_null(items[1].ptr);
  assert_int_equal(AP_OK,
                   vt_split(VT_FILE_REPORT, text("{\"resource\":\"bb\"}"), asked, 2, items, &err));
  assert_null(items[0].ptr);
  assert_non_null(items[1].ptr);
  assert_int_equal(AP_OK, vt_split(VT_FILE_REPORT, text("[]"), asked, 2, items, &err));
  assert_null(items[0].ptr);
  assert_null(items[1].ptr);
}

static void test_an_invalid_url_without_resource_is_told_by_its_place(void **state)
{
  static const char body[] = "[{\"response_code\":-1},{\"resource\":\"http://b/\"}]";
  const char *asked[] = {"bad", "http://b/"};
  struct ap_slice items[2];
  struct ap_error err = {0};
  (void)state;
  assert_int_equal(AP_OK, vt_split(VT_URL_REPORT, text(body), asked, 2, items, &err));
  assert_memory_equal("{\"response_code\":-1}", items[0].ptr, items[0].len);
  assert_non_null(items[1].ptr);
}

static void test_a_nameless_item_of_a_short_list_is_nobodys(void **state)
{
  const char *asked[] = {"bad", "http://b/"};
  struct ap_slice items[2];
  struct ap_error err = {0};
  (void)state;
  assert_int_equal(
      AP_OK, vt_split(VT_URL_REPORT, text("[{\"response_code\":-1}]"), asked, 2, items, &err));
  assert_null(items[0].ptr);
  assert_null(items[1].ptr);
}

static void test_urls_keep_their_case_when_matched(void **state)
{
  const char *asked[] = {"http://a/X", "http://a/x"};
  struct ap_slice items[2];
  struct ap_error err = {0};
  (void)state;
  assert_int_equal(AP_OK, vt_split(VT_URL_REPORT,
                                   text("[{\"resource\":\"http://a/x\",\"n\":1},"
                                        "{\"resource\":\"http://a/X\",\"n\":2}]"),
                                   asked, 2, items, &err));
  assert_memory_equal("{\"resource\":\"http://a/X\",\"n\":2}", items[0].ptr, items[0].len);
}

static void test_one_item_may_come_as_a_list_of_one(void **state)
{
  const char *asked[] = {"aa"};
  struct ap_slice items[1];
  struct ap_error err = {0};
  (void)state;
  assert_int_equal(
      AP_OK, vt_split(VT_FILE_REPORT, text("[{\"resource\":\"aa\"}]"), asked, 1, items, &err));
  assert_memory_equal("{\"resource\":\"aa\"}", items[0].ptr, items[0].len);
}

static void test_what_is_no_json_is_a_bad_answer(void **state)
{
  static const char *const bodies[] = {"", "<html>", "{\"a\":", "7", "[{\"resource\":\"aa\"},]"};
  const char *asked[] = {"aa"};
  struct ap_slice items[1];
  (void)state;
  for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
    struct ap_error err = {0};
    assert_int_equal(AP_E_BAD_ANSWER,
                     vt_split(VT_FILE_REPORT, text(bodies[i]), asked, 1, items, &err));
    assert_true(*err.text);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_response_code_decides_what_an_answer_says),
      cmocka_unit_test(test_a_list_is_matched_by_what_was_asked_not_by_place),
      cmocka_unit_test(test_an_item_that_was_cut_off_is_missing_and_no_other_takes_its_place),
      cmocka_unit_test(test_an_invalid_url_without_resource_is_told_by_its_place),
      cmocka_unit_test(test_a_nameless_item_of_a_short_list_is_nobodys),
      cmocka_unit_test(test_urls_keep_their_case_when_matched),
      cmocka_unit_test(test_one_item_may_come_as_a_list_of_one),
      cmocka_unit_test(test_what_is_no_json_is_a_bad_answer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
