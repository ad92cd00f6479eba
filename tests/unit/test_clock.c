// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit.h"

static int clock_init_with(const char *setting, struct ap_error *err)
{
  if (setting)
    assert_int_equal(setenv("APOGEE_CLOCK", setting, 1), 0);
  else
    assert_int_equal(unsetenv("APOGEE_CLOCK"), 0);
  return ap_clock_init(err);
}

static int reset_clock(void **state)
{
  (void)state;
  return clock_init_with(NULL, NULL);
}

static void test_unset_runs_with_the_wall(void **state)
{
  (void)state;
  static const char *const settings[] = {NULL, "", "1", "1@0"};
  for (size_t i = 0; i < COUNT_OF(settings); i++) {
    assert_int_equal(clock_init_with(settings[i], NULL), AP_OK);
    assert_true(ap_clock_scale() == 1.0);
    int64_t apart_s = ap_clock_unix_ms() / 1000 - (int64_t)time(NULL);
    assert_true(apart_s >= -2 && apart_s <= 2);
  }
}

static void test_settings_that_cannot_be_read_are_refused(void **state)
{
  (void)state;
  static const char *const settings[] = {
      "fast",
      "0",
      "0.5",
      "-3",
      "100001",
      "nan",
      "inf",
      "10x",
      "10@",
      "10@x",
      "10@-1",
      "10@5x",
      "10@99999999999999999999",
      "10+",
      "10+x",
      "10+-1",
      "10+1@1",
  };
  for (size_t i = 0; i < COUNT_OF(settings); i++) {
    struct ap_error err = {0};
    if (clock_init_with(settings[i], &err) != AP_E_INVALID)
      fail_msg("APOGEE_CLOCK=%s was taken", settings[i]);
    assert_non_null(strstr(err.text, settings[i]));
  }
}

static void test_scaled_time_runs_faster_and_never_back(void **state)
{
  (void)state;
  assert_int_equal(clock_init_with("100000", NULL), AP_OK);
  uint64_t from_ms = ap_clock_ms();
  uint64_t last_ms = from_ms;
  time_t give_up = time(NULL) + 10;
  while (last_ms - from_ms < 200000 && time(NULL) < give_up) {
    uint64_t now_ms = ap_clock_ms();
    assert_true(now_ms >= last_ms);
    last_ms = now_ms;
  }
  assert_true(last_ms - from_ms >= 200000); /* two real milliseconds */
}

static void test_same_origin_gives_the_same_time_in_every_process(void **state)
{
  (void)state;
  char setting[64];
  int64_t origin_s = (int64_t)time(NULL) - 100;
  (void)snprintf(setting, sizeof(setting), "10@%lld", (long long)origin_s);
  assert_int_equal(clock_init_with(setting, NULL), AP_OK);
  int64_t passed_s = ap_clock_unix_ms() / 1000 - origin_s;
  assert_true(passed_s >= 1000 && passed_s < 1100); /* 100 s and a little, ten times as fast */
}

static void test_a_start_is_the_time_at_which_the_process_begins(void **state)
{
  (void)state;
  static const char *const settings[] = {"1+1767225600", "10+1767225600"};
  for (size_t i = 0; i < COUNT_OF(settings); i++) {
    assert_int_equal(clock_init_with(settings[i], NULL), AP_OK);
    int64_t passed_s = ap_clock_unix_ms() / 1000 - 1767225600;
    assert_true(passed_s >= 0 && passed_s < 1000);
  }
}

static void test_waits_shrink_with_the_scale_to_one_at_least(void **state)
{
  (void)state;
  assert_int_equal(ap_clock_real_wait_ms(1234), 1234);
  assert_int_equal(clock_init_with("1000", NULL), AP_OK);
  assert_int_equal(ap_clock_real_wait_ms(60000), 60);
  assert_int_equal(ap_clock_real_wait_ms(5), 1);
  assert_int_equal(ap_clock_real_wait_ms(0), 0);
}

static void test_times_are_written_in_utc(void **state)
{
  (void)state;
  static const struct {
    int64_t unix_ms;
    const char *text;
  } cases[] = {
      {0, "1970-01-01T00:00:00Z"},
      {999, "1970-01-01T00:00:00Z"},
      {951782400000, "2000-02-29T00:00:00Z"},
      {1549381312999, "2019-02-05T15:41:52Z"},
  };
  assert_int_equal(setenv("TZ", "Asia/Kathmandu", 1), 0);
  tzset();
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char text[AP_CLOCK_TEXT];
    ap_clock_format_utc(cases[i].unix_ms, text);
    assert_string_equal(text, cases[i].text);
  }
  char text[AP_CLOCK_TEXT];
  ap_clock_format_utc(INT64_MAX, text); /* a year of nine digits */
  assert_true(strlen(text) < sizeof(text));
}

static void test_reads_the_times_that_virustotal_writes(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    int64_t unix_s;
  } cases[] = {
      {"2019-02-05 15:41:52", 1549381312},
      {"2019-02-05T15:41:52", 1549381312},
      {"2019-02-05T15:41:52Z", 1549381312},
      {"20190205154152", 1549381312},
      {"20190205", 1549324800},
      {"2019-02-05", 1549324800},
      {"2000-02-29 00:00:00", 951782400},
      {"19700101", 0},
      {"2016-12-31 23:59:60", 1483228800},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    int64_t unix_s = -1;
    int rc = ap_clock_parse_utc(cases[i].text, strlen(cases[i].text), &unix_s);
    if (rc != AP_OK || unix_s != cases[i].unix_s)
      fail_msg("%s: %lld", cases[i].text, (long long)unix_s);
  }
}

static void test_refuses_what_is_no_time(void **state)
{
  (void)state;
  static const char *const cases[] = {
      "",
      "Z",
      "never",
      "2019-02-05 15:41",
      "2019/02/05 15:41:52",
      "2019-02-05_15:41:52",
      "2019-02-05 15-41-52",
      "2019-13-05 00:00:00",
      "2019-00-05 00:00:00",
      "2019-02-00 00:00:00",
      "2019-02-29 00:00:00",
      "2019-02-31",
      "20190431",
      "2019-02-05 24:00:00",
      "2019-02-05 00:60:00",
      "2019-02-05 00:00:61",
      "1969-12-31 23:59:59",
      "201902051541",
      "2019020515415x",
      "+0190205",
      "2019-02-05 15:41:52+01:00",
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    int64_t unix_s = -1;
    if (ap_clock_parse_utc(cases[i], strlen(cases[i]), &unix_s) != AP_E_INVALID)
      fail_msg("\"%s\" was read as %lld", cases[i], (long long)unix_s);
    assert_int_equal(unix_s, -1);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_unset_runs_with_the_wall, reset_clock),
      cmocka_unit_test_teardown(test_settings_that_cannot_be_read_are_refused, reset_clock),
      cmocka_unit_test_teardown(test_scaled_time_runs_faster_and_never_back, reset_clock),
      cmocka_unit_test_teardown(test_same_origin_gives_the_same_time_in_every_process, reset_clock),
      cmocka_unit_test_teardown(test_waits_shrink_with_the_scale_to_one_at_least, reset_clock),
      cmocka_unit_test_teardown(test_a_start_is_the_time_at_which_the_process_begins, reset_clock),
      cmocka_unit_test(test_times_are_written_in_utc),
      cmocka_unit_test(test_reads_the_times_that_virustotal_writes),
      cmocka_unit_test(test_refuses_what_is_no_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
