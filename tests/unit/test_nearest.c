// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include <string.h>

#include "unit.h"

static const char *const names[] = {"threshold", "rescan_after_days", "timeout", "url", "urls",
                                    "jobs"};

static void test_finds_the_name_that_was_meant(void **state)
{
  (void)state;
  static const struct {
    const char *word;
    const char *meant; /* NULL: none is near */
  } cases[] = {
      {"threshold", "threshold"},
      {"treshold", "threshold"},
      {"thresholdd", "threshold"},
      {"thershold", "threshold"},
      {"THRESHOLD", "threshold"},
      {"time_out", "timeout"},
      {"rescan_days", "rescan_after_days"},
      {"rescan_after_day", "rescan_after_days"},
      {"ulr", "url"},
      {"url", "url"},
      {"urls", "urls"},
      {"job", "jobs"},
      {"password", NULL},
      {"", NULL},
      {"x", NULL},
      {"entirely-something-else", NULL},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    const char *found = ap_nearest(cases[i].word, names, COUNT_OF(names));
    const char *meant = cases[i].meant;
    if (found != meant && (!found || !meant || strcmp(found, meant) != 0))
      fail_msg("\"%s\": %s instead of %s", cases[i].word, found ? found : "none",
               meant ? meant : "none");
  }
}

static void test_no_names_is_no_match(void **state)
{
  (void)state;
  assert_null(ap_nearest("threshold", NULL, 0));
}

static void test_overlong_words_are_no_match(void **state)
{
  (void)state;
  char longest[65];
  char longer[66];
  memset(longest, 'a', 64);
  longest[64] = '\0';
  memset(longer, 'a', 65);
  longer[65] = '\0';
  const char *const long_names[] = {longer, longest};
  assert_ptr_equal(ap_nearest(longest, long_names, COUNT_OF(long_names)), longest);
  assert_null(ap_nearest(longer, long_names, COUNT_OF(long_names)));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_finds_the_name_that_was_meant),
      cmocka_unit_test(test_no_names_is_no_match),
      cmocka_unit_test(test_overlong_words_are_no_match),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
