// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/store.h"
#include "unit.h"

enum { HOUR_MS = 3600000, REPORT_BYTES = 4096 };

static int open_store(void **state)
{
  struct store *store = NULL;
  assert_int_equal(AP_OK, store_memory_new(REPORT_BYTES, &store));
  *state = store;
  return 0;
}

static int close_store(void **state)
{
  store_free(*state);
  return 0;
}

static bool holds(struct store *store, const char *key, const char *expected)
{
  struct ap_buf raw = {0};
  int code = 1;
  int64_t fetched = 0;
  bool found = store_report_get(store, key, &raw, &code, &fetched);
  if (found)
    assert_string_equal(expected, ap_buf_cstr(&raw));
  ap_buf_deinit(&raw);
  return found;
}

static void put(struct store *store, const char *a, const char *b, const char *bytes,
                uint64_t lifetime_ms)
{
  const char *keys[] = {a, b};
  store_report_put(store, keys, b ? 2 : 1, (struct ap_slice){bytes, strlen(bytes)}, AP_OK,
                   lifetime_ms);
}

static void test_a_report_is_found_under_each_of_its_keys(void **state)
{
  put(*state, "md5", "sha256", "{}", HOUR_MS);
  assert_true(holds(*state, "md5", "{}"));
  assert_true(holds(*state, "sha256", "{}"));
  assert_false(holds(*state, "sha1", "{}"));
}

static void test_a_newer_report_takes_the_keys_of_an_older_one(void **state)
{
  put(*state, "md5", "sha256", "old", HOUR_MS);
  put(*state, "sha256", NULL, "new", HOUR_MS);
  assert_true(holds(*state, "sha256", "new"));
  assert_true(holds(*state, "md5", "old"));
  store_report_forget(*state, "sha256");
  assert_false(holds(*state, "sha256", ""));
  assert_true(holds(*state, "md5", "old"));
}

static void test_what_is_forgotten_is_forgotten_under_each_of_its_keys(void **state)
{
  put(*state, "md5", "sha256", "{}", HOUR_MS);
  put(*state, "other", NULL, "{}", HOUR_MS);
  store_report_forget(*state, "md5");
  store_report_forget(*state, "md5");
  assert_false(holds(*state, "md5", ""));
  assert_false(holds(*state, "sha256", ""));
  assert_true(holds(*state, "other", "{}"));
}

static void test_the_oldest_reports_go_when_the_bound_is_reached(void **state)
{
  char bytes[1001];
  memset(bytes, 'x', 1000);
  bytes[1000] = '\0';
  char key[2] = "a";
  for (; key[0] <= 'f'; key[0]++)
    put(*state, key, NULL, bytes, HOUR_MS);
  assert_false(holds(*state, "a", bytes));
  assert_true(holds(*state, "f", bytes));
}

static void test_a_lifetime_of_nothing_keeps_nothing(void **state)
{
  put(*state, "a", NULL, "{}", 0);
  assert_false(holds(*state, "a", "{}"));
}

static void test_a_grant_is_what_is_left_of_the_minute(void **state)
{
  const struct store_limits limits = {.per_minute = 4, .per_day = 500, .per_month = 15500};
  struct store_grant grant;
  store_quota_take(*state, &limits, 3, &grant);
  assert_int_equal(3, grant.granted);
  store_quota_take(*state, &limits, 3, &grant);
  assert_int_equal(1, grant.granted);
  int64_t now = ap_clock_unix_ms();
  store_quota_take(*state, &limits, 1, &grant);
  assert_int_equal(0, grant.granted);
  assert_string_equal("minute", grant.window);
  assert_true(grant.again_unix_ms > now && grant.again_unix_ms <= now + 61000);
}

static void test_the_smallest_window_left_decides(void **state)
{
  const struct store_limits limits = {.per_minute = 4, .per_day = 2, .per_month = 100};
  struct store_grant grant;
  store_quota_take(*state, &limits, 4, &grant);
  assert_int_equal(2, grant.granted);
  store_quota_take(*state, &limits, 1, &grant);
  assert_int_equal(0, grant.granted);
  assert_string_equal("day", grant.window);
  assert_int_equal(0, grant.again_unix_ms % 86400000);
  assert_true(grant.again_unix_ms > ap_clock_unix_ms());
}

static void test_a_spent_month_returns_on_the_first_at_midnight(void **state)
{
  const struct store_limits limits = {.per_month = 1};
  struct store_grant grant;
  store_quota_take(*state, &limits, 5, &grant);
  assert_int_equal(1, grant.granted);
  store_quota_take(*state, &limits, 1, &grant);
  assert_string_equal("month", grant.window);
  char when[AP_CLOCK_TEXT];
  ap_clock_format_utc(grant.again_unix_ms, when);
  assert_string_equal("-01T00:00:00Z", when + 7);
}

static void test_no_limit_grants_everything(void **state)
{
  const struct store_limits limits = {0};
  struct store_grant grant;
  store_quota_take(*state, &limits, 100000, &grant);
  assert_int_equal(100000, grant.granted);
}

static void test_what_virustotal_says_is_spent_is_spent(void **state)
{
  const struct store_limits limits = {.per_minute = 4};
  struct store_grant grant;
  store_quota_spend_minute(*state);
  store_quota_take(*state, &limits, 1, &grant);
  assert_int_equal(0, grant.granted);
  assert_string_equal("minute", grant.window);
  store_quota_spend_day(*state);
  store_quota_take(*state, &limits, 1, &grant);
  assert_string_equal("day", grant.window);
}

static void test_a_submission_is_open_until_it_is_done(void **state)
{
  uint64_t id = 0;
  assert_int_equal(AP_OK, store_submission_intend(*state, STORE_URL_SCAN, "http://a/", &id));
  assert_int_equal(1, store_submission_open_count(*state));
  assert_int_equal(AP_OK, store_submission_sent(*state, id, "scan-1"));
  assert_int_equal(1, store_submission_open_count(*state));
  assert_int_equal(AP_OK, store_submission_done(*state, id));
  assert_int_equal(0, store_submission_open_count(*state));
  assert_int_equal(AP_E_INTERNAL, store_submission_done(*state, id));
}

static uint64_t submit(struct store *store, const char *resource, const char *scan_id)
{
  uint64_t id = 0;
  assert_int_equal(AP_OK, store_submission_intend(store, STORE_URL_SCAN, resource, &id));
  if (scan_id)
    assert_int_equal(AP_OK, store_submission_sent(store, id, scan_id));
  return id;
}

static void test_a_submission_is_over_by_what_is_waited_for(void **state)
{
  uint64_t first = submit(*state, "http://a/", "scan-1");
  submit(*state, "http://a/?", "scan-1"); /* VirusTotal gives one analysis to both */
  submit(*state, "http://b/", "");
  uint64_t intended = submit(*state, "http://c/", NULL);
  store_submission_scanned(*state, "http://a/"); /* it has a scan id, and that is waited for */
  store_submission_scanned(*state, "http://c/"); /* nobody knows of it yet */
  assert_int_equal(4, store_submission_open_count(*state));
  store_submission_scanned(*state, "scan-1");
  assert_int_equal(2, store_submission_open_count(*state));
  assert_int_equal(AP_E_INTERNAL, store_submission_done(*state, first));
  store_submission_scanned(*state, "http://b/");
  assert_int_equal(1, store_submission_open_count(*state));
  assert_int_equal(AP_OK, store_submission_done(*state, intended));
}

static void test_a_scan_id_that_comes_later_replaces_the_first(void **state)
{
  uint64_t id = submit(*state, "http://a/", "");
  assert_int_equal(AP_OK, store_submission_sent(*state, id, "scan-2"));
  store_submission_scanned(*state, "http://a/");
  assert_int_equal(1, store_submission_open_count(*state));
  store_submission_scanned(*state, "scan-2");
  assert_int_equal(0, store_submission_open_count(*state));
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_STORE(test_a_report_is_found_under_each_of_its_keys),
      WITH_STORE(test_a_newer_report_takes_the_keys_of_an_older_one),
      WITH_STORE(test_the_oldest_reports_go_when_the_bound_is_reached),
      WITH_STORE(test_a_lifetime_of_nothing_keeps_nothing),
      WITH_STORE(test_a_grant_is_what_is_left_of_the_minute),
      WITH_STORE(test_the_smallest_window_left_decides),
      WITH_STORE(test_a_spent_month_returns_on_the_first_at_midnight),
      WITH_STORE(test_no_limit_grants_everything),
      WITH_STORE(test_what_virustotal_says_is_spent_is_spent),
      WITH_STORE(test_a_submission_is_open_until_it_is_done),
      WITH_STORE(test_what_is_forgotten_is_forgotten_under_each_of_its_keys),
      WITH_STORE(test_a_submission_is_over_by_what_is_waited_for),
      WITH_STORE(test_a_scan_id_that_comes_later_replaces_the_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
