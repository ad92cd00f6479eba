/* What both stores promise, by the same cases. */
// SPDX-License-Identifier: Apache-2.0
enum { REPORT_BYTES = 4096 };

#include "both_stores.h"

/* ---- reports ---- */

static void test_a_report_is_found_under_each_of_its_keys(void **state)
{
  desk_put(*state, "md5", "sha256", "{}");
  assert_true(desk_holds(*state, "md5", "{}"));
  assert_true(desk_holds(*state, "sha256", "{}"));
  assert_false(desk_holds(*state, "sha1", "{}"));
}

static void test_a_report_comes_back_as_it_was_put(void **state)
{
  struct desk *desk = *state;
  static const char bytes[] = "{\"a\":\"\0\xff\xc3\x28 \t\r\n\"}";
  const char *key = "aBC";
  int64_t before = ap_clock_unix_ms();
  store_report_put(desk->store, &key, 1, (struct ap_slice){bytes, sizeof(bytes)}, AP_E_NOT_FOUND);
  assert_int_equal(AP_OK, desk_get_within(desk, key, HOUR_MS));
  assert_int_equal(sizeof(bytes), desk->raw.len);
  assert_memory_equal(bytes, desk->raw.ptr, sizeof(bytes));
  assert_int_equal(AP_E_NOT_FOUND, desk->report_code);
  assert_true(desk->fetched_ms >= before && desk->fetched_ms <= ap_clock_unix_ms());
}

static void test_keys_that_are_nearly_the_same_are_not(void **state)
{
  static const char *const keys[] = {"a44d88612fea8a8f36de82e1278abb02f",
                                     "b44d88612fea8a8f36de82e1278abb02f",
                                     "a44D88612fea8a8f36de82e1278abb02f",
                                     "a44d88612fea8a8f36de82e1278abb02",
                                     "a44d88612fea8a8f36de82e1278abb02f0",
                                     "",
                                     "a",
                                     "bhttp://a/\n"};
  for (size_t i = 0; i < COUNT_OF(keys); i++)
    desk_put(*state, keys[i], NULL, keys[i]);
  for (size_t i = 0; i < COUNT_OF(keys); i++)
    assert_true(desk_holds(*state, keys[i], keys[i]));
}

static void test_a_newer_report_takes_the_keys_of_an_older_one(void **state)
{
  struct desk *desk = *state;
  desk_put(desk, "md5", "sha256", "old");
  desk_put(desk, "sha256", NULL, "new");
  assert_true(desk_holds(desk, "sha256", "new"));
  assert_true(desk_holds(desk, "md5", "old"));
  store_report_forget(desk->store, "sha256");
  assert_false(desk_holds(desk, "sha256", ""));
  assert_true(desk_holds(desk, "md5", "old"));
}

static void test_what_is_forgotten_is_forgotten_under_each_of_its_keys(void **state)
{
  struct desk *desk = *state;
  desk_put(desk, "md5", "sha256", "{}");
  desk_put(desk, "other", NULL, "{}");
  store_report_forget(desk->store, "md5");
  store_report_forget(desk->store, "md5");
  assert_false(desk_holds(desk, "md5", ""));
  assert_false(desk_holds(desk, "sha256", ""));
  assert_true(desk_holds(desk, "other", "{}"));
}

static void test_the_lifetime_is_that_of_who_asks(void **state)
{
  static const struct store_lifetimes report_only = {HOUR_MS, 0};
  static const struct store_lifetimes not_found_only = {0, HOUR_MS};
  struct desk *desk = *state;
  const char *known = "known";
  const char *unknown = "unknown";
  const struct {
    const char *key;
    const struct store_lifetimes *lifetimes;
    int code;
  } cases[] = {{known, &report_only, AP_OK},
               {known, &not_found_only, AP_E_NOT_FOUND},
               {unknown, &report_only, AP_E_NOT_FOUND},
               {unknown, &not_found_only, AP_OK}};
  store_report_put(desk->store, &known, 1, (struct ap_slice){"{}", 2}, AP_OK);
  store_report_put(desk->store, &unknown, 1, (struct ap_slice){"{}", 2}, AP_E_NOT_FOUND);
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    assert_int_equal(AP_PENDING, store_report_get(desk->store, cases[i].key, cases[i].lifetimes,
                                                  told_report, desk, NULL));
    desk_wait(desk);
    assert_int_equal(cases[i].code, desk->code);
  }
}

static void test_the_oldest_reports_go_when_the_bound_is_reached(void **state)
{
  char bytes[1001];
  memset(bytes, 'x', 1000);
  bytes[1000] = '\0';
  char key[2] = "a";
  for (; key[0] <= 'f'; key[0]++)
    desk_put(*state, key, NULL, bytes);
  assert_false(desk_holds(*state, "a", bytes));
  assert_true(desk_holds(*state, "f", bytes));
}

/* ---- quota ---- */

static void test_a_grant_is_what_is_left_of_the_minute(void **state)
{
  const struct store_limits limits = {.per_minute = 4, .per_day = 500, .per_month = 15500};
  struct desk *desk = *state;
  assert_int_equal(3, desk_take(desk, &limits, 3));
  assert_int_equal(1, desk_take(desk, &limits, 3));
  int64_t now = ap_clock_unix_ms();
  assert_int_equal(0, desk_take(desk, &limits, 1));
  assert_string_equal("minute", desk->grant.window);
  assert_true(desk->grant.again_unix_ms > now - 1000 && desk->grant.again_unix_ms <= now + 61000);
}

static void test_what_is_given_back_can_be_taken_again(void **state)
{
  const struct store_limits limits = {.per_minute = 10, .per_day = 10, .per_month = 10};
  struct desk *desk = *state;
  assert_int_equal(10, desk_take(desk, &limits, 10));
  store_quota_return(desk->store, desk->grant.at_unix_ms, 7);
  assert_int_equal(7, desk_take(desk, &limits, 10));
  assert_int_equal(0, desk_take(desk, &limits, 10));
}

static void never(void *arg, int code, const struct store_grant *grant)
{
  (void)arg;
  (void)grant;
  fail_msg("a canceled call was answered: %d", code);
}

static void test_a_canceled_take_takes_nothing(void **state)
{
  const struct store_limits limits[] = {{.per_day = 10}, {0}};
  struct desk *desk = *state;
  for (size_t i = 0; i < COUNT_OF(limits); i++) {
    struct store_op *op = NULL;
    assert_int_equal(AP_PENDING, store_quota_take(desk->store, &limits[i], 10, never, NULL, &op));
    store_cancel(op);
    assert_int_equal(AP_E_NOT_FOUND, desk_get_within(desk, "x", 1)); /* the loop has turned */
  }
  assert_int_equal(10, desk_take(desk, &limits[0], 10));
}

static void test_the_smallest_window_left_decides(void **state)
{
  const struct store_limits limits = {.per_minute = 4, .per_day = 2, .per_month = 100};
  struct desk *desk = *state;
  assert_int_equal(2, desk_take(desk, &limits, 4));
  assert_int_equal(0, desk_take(desk, &limits, 1));
  assert_string_equal("day", desk->grant.window);
  assert_int_equal(0, desk->grant.again_unix_ms % 86400000);
  assert_true(desk->grant.again_unix_ms > ap_clock_unix_ms());
}

static void test_a_spent_month_returns_on_the_first_at_midnight(void **state)
{
  const struct store_limits limits = {.per_month = 1};
  struct desk *desk = *state;
  assert_int_equal(1, desk_take(desk, &limits, 5));
  assert_int_equal(0, desk_take(desk, &limits, 1));
  assert_string_equal("month", desk->grant.window);
  char when[AP_CLOCK_TEXT];
  ap_clock_format_utc(desk->grant.again_unix_ms, when);
  assert_string_equal("-01T00:00:00Z", when + 7);
}

static void test_no_limit_grants_everything_and_counts_it(void **state)
{
  const struct store_limits none = {0};
  const struct store_limits limits = {.per_day = 100010};
  struct desk *desk = *state;
  assert_int_equal(100000, desk_take(desk, &none, 100000));
  assert_int_equal(10, desk_take(desk, &limits, 100));
}

static void test_what_virustotal_says_is_spent_is_spent(void **state)
{
  const struct store_limits limits[] = {{.per_minute = 4}, {0}};
  struct desk *desk = *state;
  for (size_t i = 0; i < COUNT_OF(limits); i++) {
    store_quota_spend_minute(desk->store);
    assert_int_equal(0, desk_take(desk, &limits[i], 1));
    assert_string_equal("minute", desk->grant.window);
  }
  for (size_t i = 0; i < COUNT_OF(limits); i++) {
    store_quota_spend_day(desk->store);
    assert_int_equal(0, desk_take(desk, &limits[i], 1));
    assert_string_equal("day", desk->grant.window);
  }
}

/* ---- submissions ---- */

static void test_a_submission_is_open_until_it_is_done(void **state)
{
  struct desk *desk = *state;
  uint64_t id = desk_intend(desk, STORE_URL_SCAN, "http://a/");
  assert_int_equal(STORE_NEW, desk->submission.state);
  assert_int_equal(1, store_submission_open_count(desk->store));
  store_submission_sent(desk->store, id, "scan-1");
  assert_int_equal(1, store_submission_open_count(desk->store));
  store_submission_done(desk->store, id);
  store_submission_done(desk->store, id);
  assert_int_equal(0, store_submission_open_count(desk->store));
}

static void test_what_is_open_is_found(void **state)
{
  struct desk *desk = *state;
  int64_t before = ap_clock_unix_ms();
  assert_int_equal(AP_E_NOT_FOUND, desk_find(desk, STORE_RESCAN, "abc"));
  uint64_t id = desk_intend(desk, STORE_RESCAN, "abc");
  assert_int_equal(AP_OK, desk_find(desk, STORE_RESCAN, "abc"));
  assert_int_equal(id, desk->submission.id);
  assert_int_equal(STORE_LOST, desk->submission.state); /* this process gave it up */
  assert_true(desk->submission.intended_unix_ms >= before);
  assert_int_equal(AP_E_NOT_FOUND, desk_find(desk, STORE_UPLOAD, "abc"));
  assert_int_equal(AP_E_NOT_FOUND, desk_find(desk, STORE_RESCAN, "abcd"));
  store_submission_sent(desk->store, id, "s-1");
  assert_int_equal(AP_OK, desk_find(desk, STORE_RESCAN, "abc"));
  assert_int_equal(STORE_SENT, desk->submission.state);
  assert_string_equal("s-1", desk->waited_for);
  store_submission_scanned(desk->store, "s-1");
  assert_int_equal(AP_E_NOT_FOUND, desk_find(desk, STORE_RESCAN, "abc"));
}

static void test_an_open_submission_is_not_intended_again(void **state)
{
  struct desk *desk = *state;
  uint64_t id = desk_intend(desk, STORE_UPLOAD, "abc");
  assert_int_equal(id, desk_intend(desk, STORE_UPLOAD, "abc"));
  assert_int_equal(STORE_LOST, desk->submission.state);
  store_submission_sent(desk->store, id, "");
  assert_int_equal(id, desk_intend(desk, STORE_UPLOAD, "abc"));
  assert_int_equal(STORE_SENT, desk->submission.state);
  assert_string_equal("abc", desk->waited_for);
  store_submission_done(desk->store, id);
  assert_int_not_equal(id, desk_intend(desk, STORE_UPLOAD, "abc"));
  assert_int_equal(STORE_NEW, desk->submission.state);
}

static void no_submission(void *arg, int code, const struct store_submission *submission)
{
  (void)submission;
  never(arg, code, NULL);
}

static void test_a_canceled_intent_is_none(void **state)
{
  struct desk *desk = *state;
  struct store_op *op = NULL;
  assert_int_equal(AP_PENDING, store_submission_intend(desk->store, STORE_UPLOAD, "abc",
                                                       no_submission, NULL, &op));
  store_cancel(op);
  assert_int_equal(AP_E_NOT_FOUND, desk_get_within(desk, "x", 1)); /* the loop has turned */
  assert_int_equal(0, store_submission_open_count(desk->store));
}

static void test_a_canceled_intent_is_left_to_who_asks_for_the_same(void **state)
{
  struct desk *desk = *state;
  for (int way = 0; way < 3; way++) { /* the next is told, canceled too, or asks only */
    struct store_op *ops[2] = {NULL, NULL};
    for (int i = 0; i < (way == 1 ? 2 : 1); i++) {
      assert_int_equal(AP_PENDING, store_submission_intend(desk->store, STORE_UPLOAD, "abc",
                                                           no_submission, NULL, &ops[i]));
      if (i == 0)
        store_cancel(ops[i]);
    }
    if (ops[1])
      store_cancel(ops[1]);
    if (way == 2)
      assert_int_equal(AP_E_NOT_FOUND, desk_find(desk, STORE_UPLOAD, "abc"));
    uint64_t id = desk_intend(desk, STORE_UPLOAD, "abc");
    assert_int_equal(STORE_NEW, desk->submission.state);
    assert_int_equal(1, store_submission_open_count(desk->store));
    store_submission_done(desk->store, id);
    assert_int_equal(0, store_submission_open_count(desk->store));
  }
}

static uint64_t submit(struct desk *desk, const char *resource, const char *scan_id)
{
  uint64_t id = desk_intend(desk, STORE_URL_SCAN, resource);
  if (scan_id)
    store_submission_sent(desk->store, id, scan_id);
  return id;
}

static void test_a_submission_is_over_by_what_is_waited_for(void **state)
{
  struct desk *desk = *state;
  submit(desk, "http://a/", "scan-1");
  submit(desk, "http://a/?", "scan-1"); /* VirusTotal gives one analysis to both */
  submit(desk, "http://b/", "");
  uint64_t intended = submit(desk, "http://c/", NULL);
  store_submission_scanned(desk->store, "http://a/"); /* it has a scan id, and that is waited for */
  store_submission_scanned(desk->store, "http://c/"); /* nobody knows of it yet */
  assert_int_equal(4, store_submission_open_count(desk->store));
  store_submission_scanned(desk->store, "scan-1");
  assert_int_equal(2, store_submission_open_count(desk->store));
  store_submission_scanned(desk->store, "http://b/");
  assert_int_equal(1, store_submission_open_count(desk->store));
  store_submission_done(desk->store, intended);
  assert_int_equal(0, store_submission_open_count(desk->store));
}

static void test_a_scan_id_that_comes_later_replaces_the_first(void **state)
{
  struct desk *desk = *state;
  uint64_t id = submit(desk, "http://a/", "");
  store_submission_sent(desk->store, id, "scan-2");
  store_submission_scanned(desk->store, "http://a/");
  assert_int_equal(1, store_submission_open_count(desk->store));
  store_submission_scanned(desk->store, "scan-2");
  assert_int_equal(0, store_submission_open_count(desk->store));
}

/* ---- order and end ---- */

static void count_call(void *arg, int code, const struct store_grant *grant)
{
  unsigned *calls = arg;
  assert_int_equal(AP_OK, code);
  assert_int_equal(*calls, grant->granted - 1);
  (*calls)++;
}

static void test_calls_are_answered_in_their_order(void **state)
{
  const struct store_limits limits = {.per_day = 1000000};
  struct desk *desk = *state;
  unsigned calls = 0;
  for (uint32_t i = 1; i <= 100; i++)
    assert_int_equal(AP_PENDING,
                     store_quota_take(desk->store, &limits, i, count_call, &calls, NULL));
  assert_int_equal(0, calls); /* never before it returns */
  store_settle(desk->store);
  assert_int_equal(0, calls);
  assert_int_equal(AP_E_NOT_FOUND, desk_get_within(desk, "x", 1));
  assert_int_equal(100, calls);
}

static void hear_grant(void *arg, int code, const struct store_grant *grant)
{
  (void)grant;
  assert_int_equal(AP_OK, code);
  (*(unsigned *)arg)++;
}

static void test_a_store_may_go_with_calls_under_way(void **state)
{
  const struct store_limits limits = {.per_day = 10};
  struct desk *desk = *state;
  static unsigned told;
  told = 0;
  desk_put(desk, "a", NULL, "{}");
  for (int i = 0; i < 3; i++)
    assert_int_equal(AP_PENDING,
                     store_quota_take(desk->store, &limits, 1, hear_grant, &told, NULL));
  (void)uv_run(net_loop_uv(desk->loop), UV_RUN_NOWAIT); /* on disk: the pool has them now */
  unsigned were_told = told;
  for (int i = 0; i < 3; i++)
    assert_int_equal(AP_PENDING,
                     store_quota_take(desk->store, &limits, 1, hear_grant, &told, NULL));
  store_free(desk->store);
  assert_int_equal(were_told, told);
  assert_int_equal(AP_OK, store_memory_new(desk->loop, REPORT_BYTES, &desk->store));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_STORE(test_a_report_is_found_under_each_of_its_keys),
      WITH_STORE(test_a_report_comes_back_as_it_was_put),
      WITH_STORE(test_keys_that_are_nearly_the_same_are_not),
      WITH_STORE(test_a_newer_report_takes_the_keys_of_an_older_one),
      WITH_STORE(test_what_is_forgotten_is_forgotten_under_each_of_its_keys),
      WITH_STORE(test_the_lifetime_is_that_of_who_asks),
      WITH_STORE(test_a_grant_is_what_is_left_of_the_minute),
      WITH_STORE(test_what_is_given_back_can_be_taken_again),
      WITH_STORE(test_a_canceled_take_takes_nothing),
      WITH_STORE(test_the_smallest_window_left_decides),
      WITH_STORE(test_a_spent_month_returns_on_the_first_at_midnight),
      WITH_STORE(test_no_limit_grants_everything_and_counts_it),
      WITH_STORE(test_what_virustotal_says_is_spent_is_spent),
      WITH_STORE(test_a_submission_is_open_until_it_is_done),
      WITH_STORE(test_what_is_open_is_found),
      WITH_STORE(test_an_open_submission_is_not_intended_again),
      WITH_STORE(test_a_canceled_intent_is_left_to_who_asks_for_the_same),
      WITH_STORE(test_a_canceled_intent_is_none),
      WITH_STORE(test_a_submission_is_over_by_what_is_waited_for),
      WITH_STORE(test_a_scan_id_that_comes_later_replaces_the_first),
      WITH_STORE(test_calls_are_answered_in_their_order),
      WITH_STORE(test_a_store_may_go_with_calls_under_way),
  };
  const struct CMUnitTest bounded[] = {
      WITH_STORE(test_the_oldest_reports_go_when_the_bound_is_reached),
  };
  int failed = cmocka_run_group_tests_name("in memory", tests, NULL, NULL);
  failed += cmocka_run_group_tests_name("in memory, bounded", bounded, NULL, NULL);
  is_on_disk = true;
  failed += cmocka_run_group_tests_name("on disk", tests, NULL, NULL);
  return failed;
}
