// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "unit.h"

/* Standard error goes to a file while something is logged. */
struct capture {
  FILE *file;
  int stderr_copy;
  char text[16384];
};

static void capture_begin(struct capture *capture)
{
  capture->file = tmpfile();
  assert_non_null(capture->file);
  capture->stderr_copy = dup(STDERR_FILENO);
  assert_true(dup2(fileno(capture->file), STDERR_FILENO) >= 0);
}

static const char *capture_end(struct capture *capture)
{
  (void)dup2(capture->stderr_copy, STDERR_FILENO);
  (void)close(capture->stderr_copy);
  rewind(capture->file);
  size_t len = fread(capture->text, 1, sizeof(capture->text) - 1, capture->file);
  capture->text[len] = '\0';
  (void)fclose(capture->file);
  return capture->text;
}

static int reset_log(void **state)
{
  (void)state;
  ap_log_set_level(AP_LOG_WARN);
  ap_log_set_json(false);
  ap_log_set_run(NULL);
  ap_log_set_before(NULL);
  return 0;
}

static void test_only_wanted_levels_are_written(void **state)
{
  (void)state;
  struct capture capture;
  ap_log_set_level(AP_LOG_INFO);
  assert_true(ap_log_wants(AP_LOG_ERROR));
  assert_true(ap_log_wants(AP_LOG_INFO));
  assert_false(ap_log_wants(AP_LOG_DEBUG));
  capture_begin(&capture);
  ap_log(AP_LOG_VT, AP_LOG_ERROR, "key %s", "refused");
  ap_log(AP_LOG_VT, AP_LOG_INFO, "asked %d", 4);
  ap_log(AP_LOG_VT, AP_LOG_DEBUG, "hidden");
  assert_string_equal(capture_end(&capture), "apogee: error: key refused\napogee: [vt] asked 4\n");
}

static void test_an_event_is_one_line_without_controls(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *line;
  } cases[] = {
      {"two\nlines\r\n", "two lines  "},
      {"\x1b[31mred\x07\x7f", " [31mred  "},
      {"C1 \xc2\x9b"
       "31m",
       "C1  31m"},
      {"bare C1 \x9b"
       "31m",
       "bare C1 ?31m"},
      {"na\xc3\xafve \xf0\x9f\x98\x80", "na\xc3\xafve \xf0\x9f\x98\x80"},
      {"cut \xe2\x82", "cut ??"},
      {"", ""},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct capture capture;
    char want[128];
    (void)snprintf(want, sizeof(want), "apogee: warning: %s\n", cases[i].line);
    capture_begin(&capture);
    ap_log(AP_LOG_CLI, AP_LOG_WARN, "%s", cases[i].text);
    assert_string_equal(capture_end(&capture), want);
  }
}

static void test_json_lines_are_json_with_area_and_run(void **state)
{
  (void)state;
  struct capture capture;
  ap_log_set_json(true);
  ap_log_set_run("20261124-0411-abcd");
  capture_begin(&capture);
  ap_log(AP_LOG_STORE, AP_LOG_WARN, "\"quoted\"\nand \x1b[31m \xff");
  const char *line = capture_end(&capture);
  struct ap_slice text = {line, strlen(line)};
  assert_int_equal(text.ptr[text.len - 1], '\n');
  assert_null(memchr(text.ptr, '\n', text.len - 1));
  assert_int_equal(ap_json_check(text, 2, 10, NULL), AP_OK);
  static const struct {
    const char *key;
    const char *value;
  } members[] = {
      {"level", "\"warning\""},
      {"area", "\"store\""},
      {"run", "\"20261124-0411-abcd\""},
      {"message", "\"\\\"quoted\\\"\\nand \\u001b[31m \xef\xbf\xbd\""},
  };
  for (size_t i = 0; i < COUNT_OF(members); i++) {
    struct ap_slice value = {0};
    assert_true(ap_json_get(text, members[i].key, &value));
    if (!ap_slice_is(value, members[i].value))
      fail_msg("%s is %.*s", members[i].key, (int)value.len, value.ptr);
  }
}

static void test_secrets_are_blackened_in_both_forms(void **state)
{
  (void)state;
  struct ap_secret *secret = NULL;
  assert_int_equal(ap_secret_new("key", "pass\"word", 9, &secret, NULL), AP_OK);
  for (int as_json = 0; as_json < 2; as_json++) {
    struct capture capture;
    ap_log_set_json(as_json);
    capture_begin(&capture);
    ap_log(AP_LOG_NET, AP_LOG_ERROR, "apikey=pass\"word");
    const char *line = capture_end(&capture);
    assert_non_null(strstr(line, "apikey=*********"));
    assert_null(strstr(line, "word"));
  }
  ap_secret_free(secret);
}

static void test_long_events_are_cut_and_show_no_part_of_a_secret(void **state)
{
  (void)state;
  static const char key[] = "0123456789abcdef0123456789abcdef";
  struct ap_secret *secret = NULL;
  assert_int_equal(ap_secret_new("key", key, strlen(key), &secret, NULL), AP_OK);
  for (size_t lead = 1990; lead < 2060; lead++) {
    struct capture capture;
    char text[4096];
    memset(text, '-', lead);
    (void)snprintf(text + lead, sizeof(text) - lead, "%s", key);
    memset(text + lead + strlen(key), '-', 1000);
    text[lead + strlen(key) + 1000] = '\0';
    capture_begin(&capture);
    ap_log(AP_LOG_NET, AP_LOG_ERROR, "%s", text);
    const char *line = capture_end(&capture);
    assert_null(strstr(line, "0123"));
    assert_true(strlen(line) < 2100);
    assert_string_equal(line + strlen(line) - 4, "...\n");
  }
  ap_secret_free(secret);
}

static int before_calls;

static void count_before(void)
{
  before_calls++;
}

static void test_hook_runs_before_lines_that_are_written(void **state)
{
  (void)state;
  struct capture capture;
  before_calls = 0;
  ap_log_set_before(count_before);
  capture_begin(&capture);
  ap_log(AP_LOG_CLI, AP_LOG_WARN, "shown");
  ap_log(AP_LOG_CLI, AP_LOG_DEBUG, "not shown");
  (void)capture_end(&capture);
  assert_int_equal(before_calls, 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_only_wanted_levels_are_written, reset_log),
      cmocka_unit_test_teardown(test_an_event_is_one_line_without_controls, reset_log),
      cmocka_unit_test_teardown(test_json_lines_are_json_with_area_and_run, reset_log),
      cmocka_unit_test_teardown(test_secrets_are_blackened_in_both_forms, reset_log),
      cmocka_unit_test_teardown(test_long_events_are_cut_and_show_no_part_of_a_secret, reset_log),
      cmocka_unit_test_teardown(test_hook_runs_before_lines_that_are_written, reset_log),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
