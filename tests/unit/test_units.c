// SPDX-License-Identifier: Apache-2.0
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>

#include "unit.h"

struct unit_case {
  const char *text;
  uint64_t value;
};

static void test_durations_are_read_as_people_write_them(void **state)
{
  (void)state;
  static const struct unit_case cases[] = {
      {"0", 0},
      {"5", 5000},
      {"500ms", 500},
      {"0s", 0},
      {"20s", 20000},
      {"5m", 300000},
      {"1h", 3600000},
      {"2d", 172800000},
      {"1h30m", 5400000},
      {"1d2h3m4s5ms", 93784005},
      {"90m", 5400000},
      {"007s", 7000},
      {"9223372036854775807ms", INT64_MAX},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    uint64_t ms = 1;
    if (ap_duration_parse(cases[i].text, &ms) != AP_OK || ms != cases[i].value)
      fail_msg("%s gave %" PRIu64, cases[i].text, ms);
  }
}

static void test_what_is_no_duration_is_refused(void **state)
{
  (void)state;
  static const char *const cases[] = {
      "",
      "s",
      "soon",
      "-1s",
      "+1s",
      " 1s",
      "1s ",
      "1 s",
      "1.5s",
      "1S",
      "1sec",
      "30m1h",
      "1h1h",
      "1h30",
      "1ms1s",
      "9223372036854775808ms",
      "9223372036854775807",
      "106751991168d",
      "18446744073709551616s",
      "1h9223372036854775807ms",
      "0x10s",
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    uint64_t ms = 77;
    if (ap_duration_parse(cases[i], &ms) != AP_E_INVALID || ms != 77)
      fail_msg("\"%s\" gave %" PRIu64, cases[i], ms);
  }
}

static void test_sizes_are_read_in_both_powers(void **state)
{
  (void)state;
  static const struct unit_case cases[] = {
      {"0", 0},
      {"17", 17},
      {"17B", 17},
      {"1kB", 1000},
      {"1KB", 1000},
      {"200MB", 200000000},
      {"32MiB", 33554432},
      {"32mib", 33554432},
      {"2GiB", 2147483648},
      {"3GB", 3000000000},
      {"1TiB", 1099511627776},
      {"1TB", 1000000000000},
      {"4KiB", 4096},
      {"9223372036854775807", INT64_MAX},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    uint64_t bytes = 1;
    if (ap_size_parse(cases[i].text, &bytes) != AP_OK || bytes != cases[i].value)
      fail_msg("%s gave %" PRIu64, cases[i].text, bytes);
  }
}

static void test_what_is_no_size_is_refused(void **state)
{
  (void)state;
  static const char *const cases[] = {
      "",           "MB",
      "-1",         "1.5MB",
      "1M",         "1 MB",
      "1MBs",       "9223372036854775808",
      "8388608TiB", "99999999999999999999",
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    uint64_t bytes = 77;
    if (ap_size_parse(cases[i], &bytes) != AP_E_INVALID || bytes != 77)
      fail_msg("\"%s\" gave %" PRIu64, cases[i], bytes);
  }
}

static void test_counts_are_digits(void **state)
{
  (void)state;
  uint64_t count = 77;
  assert_int_equal(ap_count_parse("1024", &count), AP_OK);
  assert_int_equal(count, 1024);
  static const char *const cases[] = {"", "-1", "1.0", "1e3", "12a", " 1", "9223372036854775808"};
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    assert_int_equal(ap_count_parse(cases[i], &count), AP_E_INVALID);
  assert_int_equal(count, 1024);
}

static void test_what_is_written_reads_back(void **state)
{
  (void)state;
  static const uint64_t values[] = {0,          1,          999,       1000,          60000,
                                    5400000,    93784005,   86400000,  1023,          1024,
                                    2147483648, 3000000000, 650000000, 1099511627777, INT64_MAX};
  for (size_t i = 0; i < COUNT_OF(values); i++) {
    char text[AP_UNITS_TEXT];
    uint64_t back = 1;
    ap_duration_format(values[i], text);
    if (ap_duration_parse(text, &back) != AP_OK || back != values[i])
      fail_msg("%" PRIu64 " ms was written \"%s\"", values[i], text);
    ap_size_format(values[i], text);
    if (ap_size_parse(text, &back) != AP_OK || back != values[i])
      fail_msg("%" PRIu64 " bytes were written \"%s\"", values[i], text);
  }
}

static void test_the_shortest_form_is_written(void **state)
{
  (void)state;
  char text[AP_UNITS_TEXT];
  ap_duration_format(5400000, text);
  assert_string_equal(text, "1h30m");
  ap_duration_format(0, text);
  assert_string_equal(text, "0s");
  ap_size_format(200000000, text);
  assert_string_equal(text, "200MB");
  ap_size_format(2147483648, text);
  assert_string_equal(text, "2GiB");
  ap_size_format(0, text);
  assert_string_equal(text, "0B");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_durations_are_read_as_people_write_them),
      cmocka_unit_test(test_what_is_no_duration_is_refused),
      cmocka_unit_test(test_sizes_are_read_in_both_powers),
      cmocka_unit_test(test_what_is_no_size_is_refused),
      cmocka_unit_test(test_counts_are_digits),
      cmocka_unit_test(test_what_is_written_reads_back),
      cmocka_unit_test(test_the_shortest_form_is_written),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
