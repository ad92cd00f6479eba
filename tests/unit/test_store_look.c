/* What people are told of a store, the same of both: usage, what is pending, what is kept. */
// SPDX-License-Identifier: Apache-2.0
enum { REPORT_BYTES = 1 << 18 };

#include "both_stores.h"

/* ---- the last answer, in words ---- */

static struct store_usage usage;
static char words[2048];

static void add_words(const char *text)
{
  size_t len = strlen(words);
  (void)snprintf(words + len, sizeof(words) - len, "%s ", text);
}

static void told_usage(void *arg, int code, const struct store_usage *told)
{
  struct desk *desk = arg;
  assert_int_equal(AP_OK, code);
  desk->is_told = true;
  usage = *told;
  words[0] = '\0';
  for (size_t i = 0; i < told->spender_count; i++) {
    char line[128];
    (void)snprintf(line, sizeof(line), "%s=%llu/%llu", told->spenders[i].name,
                   (unsigned long long)told->spenders[i].today,
                   (unsigned long long)told->spenders[i].this_month);
    add_words(line);
  }
  for (size_t i = 0; i < told->pending_count; i++) {
    static const char *const kinds[] = {"upload", "url", "rescan"};
    add_words(kinds[told->pending[i].kind]);
    add_words(told->pending[i].resource);
    add_words(told->pending[i].waited_for ? told->pending[i].waited_for : "-");
  }
}

static const char *ask_usage(struct desk *desk, const struct store_limits *limits)
{
  assert_int_equal(AP_PENDING, store_usage_get(desk->store, limits, told_usage, desk, NULL));
  desk_wait(desk);
  return words;
}

static void told_entries(void *arg, int code, const struct store_entry *entries, size_t count)
{
  struct desk *desk = arg;
  assert_int_equal(AP_OK, code);
  desk->is_told = true;
  words[0] = '\0';
  for (size_t i = 0; i < count; i++) {
    const char *key = entries[i].keys;
    char line[64];
    for (size_t k = 0; k < entries[i].key_count; k++, key += strlen(key) + 1)
      add_words(key);
    (void)snprintf(line, sizeof(line), "%llu%s;", (unsigned long long)entries[i].bytes,
                   entries[i].code == AP_OK ? "" : "!");
    add_words(line);
    assert_in_range(ap_clock_unix_ms() - entries[i].fetched_unix_ms, 0, HOUR_MS);
  }
}

static const char *ask_entries(struct desk *desk, const char *key)
{
  assert_int_equal(AP_PENDING, store_report_entries(desk->store, key, told_entries, desk, NULL));
  desk_wait(desk);
  return words;
}

static size_t purged;

static void told_count(void *arg, int code, size_t count)
{
  struct desk *desk = arg;
  assert_int_equal(AP_OK, code);
  desk->is_told = true;
  purged = count;
}

static size_t purge(struct desk *desk, const char *key, int64_t before_ms)
{
  assert_int_equal(AP_PENDING,
                   store_report_purge(desk->store, key, before_ms, told_count, desk, NULL));
  desk_wait(desk);
  return purged;
}

/* ---- usage ---- */

static void test_a_ledger_of_nothing_has_everything_left(void **state)
{
  const struct store_limits limits = {4, 500, 15500, 0};
  assert_string_equal("", ask_usage(*state, &limits));
  assert_int_equal(0, usage.minute.used);
  assert_int_equal(4, usage.minute.left);
  assert_int_equal(500, usage.day.left);
  assert_int_equal(15500, usage.month.left);
  assert_int_equal(0, usage.minute.again_unix_ms);
  assert_int_equal(0, usage.day.again_unix_ms);
  assert_false(usage.day_is_marked);
}

static void test_what_is_taken_is_used_until_its_window_returns(void **state)
{
  const struct store_limits limits = {4, 500, 15500, 0};
  int64_t before_ms = ap_clock_unix_ms();
  assert_int_equal(3, desk_take(*state, &limits, 3));
  assert_string_equal(is_on_disk ? "run test=3/3 " : "", ask_usage(*state, &limits));
  assert_int_equal(3, usage.minute.used);
  assert_int_equal(1, usage.minute.left);
  assert_int_equal(497, usage.day.left);
  assert_int_equal(15497, usage.month.left);
  assert_true(usage.minute.again_unix_ms >= before_ms + 60000);
  assert_int_equal(0, usage.day.again_unix_ms % 86400000);
  assert_true(usage.day.again_unix_ms > before_ms);
  assert_true(usage.month.again_unix_ms >= usage.day.again_unix_ms);
}

static void test_no_limit_leaves_no_limit(void **state)
{
  const struct store_limits none = {0};
  assert_int_equal(30, desk_take(*state, &none, 30));
  (void)ask_usage(*state, &none);
  assert_int_equal(30, usage.day.used);
  assert_int_equal(UINT32_MAX, usage.day.left);
  assert_int_equal(UINT32_MAX, usage.minute.left);
}

static void test_what_virustotal_calls_spent_is_not_left(void **state)
{
  struct desk *desk = *state;
  const struct store_limits limits = {4, 500, 0, 0};
  store_quota_spend_minute(desk->store);
  (void)ask_usage(desk, &limits);
  assert_int_equal(0, usage.minute.left);
  assert_true(usage.minute.again_unix_ms > ap_clock_unix_ms());
  assert_int_equal(500, usage.day.left);
  store_quota_spend_day(desk->store);
  (void)ask_usage(desk, &limits);
  assert_true(usage.day_is_marked);
  assert_int_equal(0, usage.day.left);
  assert_int_equal(0, usage.day.again_unix_ms % 86400000);
}

static void test_open_submissions_are_pending(void **state)
{
  struct desk *desk = *state;
  const struct store_limits none = {0};
  uint64_t first = desk_intend(desk, STORE_URL_SCAN, "http://a/");
  (void)desk_intend(desk, STORE_RESCAN, "abc");
  store_submission_sent(desk->store, first, "scan-1");
  assert_string_equal("url http://a/ scan-1 rescan abc - ", ask_usage(desk, &none));
  store_submission_done(desk->store, first);
  assert_string_equal("rescan abc - ", ask_usage(desk, &none));
}

/* ---- the reserve ---- */

static void test_the_reserve_of_the_day_is_not_granted(void **state)
{
  static const struct {
    uint32_t per_day, reserve, taken, want, granted;
  } cases[] = {
      {10, 4, 0, 3, 3}, {10, 4, 0, 9, 6}, {10, 4, 5, 9, 1}, {10, 4, 6, 1, 0}, {10, 4, 8, 1, 0},
      {10, 0, 8, 5, 2}, {0, 4, 8, 5, 5},  {4, 4, 0, 1, 0},  {3, 4, 0, 1, 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const struct store_limits others = {0, 0, 0, 0};
    const struct store_limits ours = {0, cases[i].per_day, 0, cases[i].reserve};
    (void)open_store(state);
    if (cases[i].taken)
      (void)desk_take(*state, &others, cases[i].taken);
    uint32_t granted = desk_take(*state, &ours, cases[i].want);
    const struct store_grant *grant = &((struct desk *)*state)->grant;
    if (granted != cases[i].granted)
      fail_msg("case %zu: %u", i, granted);
    if (!granted) {
      assert_string_equal("day", grant->window);
      assert_true(grant->is_reserved);
      assert_int_equal(0, grant->again_unix_ms % 86400000);
    }
    (void)close_store(state);
  }
}

static void test_a_day_that_is_spent_is_not_called_reserved(void **state)
{
  const struct store_limits limits = {0, 10, 0, 4};
  const struct store_limits others = {0};
  struct desk *desk = *state;
  (void)desk_take(desk, &others, 10);
  assert_int_equal(0, desk_take(desk, &limits, 1));
  assert_false(desk->grant.is_reserved);
}

/* ---- what is kept ---- */

#define MD5 "44d88612fea8a8f36de82e1278abb02f"

static void test_entries_tell_keys_size_and_kind(void **state)
{
  struct desk *desk = *state;
  static const char *const key[] = {"bhttp://a/?Q=1"};
  assert_string_equal("", ask_entries(desk, NULL));
  desk_put(desk, "a" MD5, NULL, "{}");
  store_report_put(desk->store, key, 1, (struct ap_slice){"1234", 4}, AP_E_NOT_FOUND);
  assert_string_equal("a" MD5 " 2; bhttp://a/?Q=1 4!; ", ask_entries(desk, NULL));
  assert_string_equal("bhttp://a/?Q=1 4!; ", ask_entries(desk, key[0]));
  assert_string_equal("", ask_entries(desk, "bhttp://b/"));
  desk_put(desk, "b1", "b2", "{\"x\":1}");
  assert_string_equal("b1 b2 7; ", ask_entries(desk, "b2"));
}

static void test_a_purge_takes_what_is_older_or_what_is_named(void **state)
{
  struct desk *desk = *state;
  int64_t later_ms = ap_clock_unix_ms() + HOUR_MS;
  desk_put(desk, "b1", "b2", "{}");
  desk_put(desk, "b3", NULL, "{}");
  desk_put(desk, "b4", NULL, "{}");
  assert_int_equal(0, purge(desk, NULL, ap_clock_unix_ms() - HOUR_MS));
  assert_int_equal(0, purge(desk, "b9", later_ms));
  assert_int_equal(0, purge(desk, "b2", ap_clock_unix_ms() - HOUR_MS));
  assert_int_equal(1, purge(desk, "b2", later_ms));
  assert_string_equal("b3 2; b4 2; ", ask_entries(desk, NULL));
  assert_int_equal(2, purge(desk, NULL, later_ms));
  assert_string_equal("", ask_entries(desk, NULL));
}

static void test_many_entries_come_oldest_first(void **state)
{
  enum { COUNT = 300 };
  struct desk *desk = *state;
  for (int i = 0; i < COUNT; i++) {
    char key[16];
    (void)snprintf(key, sizeof(key), "c%d", i);
    desk_put(desk, key, NULL, "{}");
  }
  assert_true(strncmp("c0 2; c1 2; c2 2; ", ask_entries(desk, NULL), 18) == 0);
  assert_int_equal(COUNT, purge(desk, NULL, ap_clock_unix_ms() + HOUR_MS));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_STORE(test_a_ledger_of_nothing_has_everything_left),
      WITH_STORE(test_what_is_taken_is_used_until_its_window_returns),
      WITH_STORE(test_no_limit_leaves_no_limit),
      WITH_STORE(test_what_virustotal_calls_spent_is_not_left),
      WITH_STORE(test_open_submissions_are_pending),
      cmocka_unit_test(test_the_reserve_of_the_day_is_not_granted),
      WITH_STORE(test_a_day_that_is_spent_is_not_called_reserved),
      WITH_STORE(test_entries_tell_keys_size_and_kind),
      WITH_STORE(test_a_purge_takes_what_is_older_or_what_is_named),
      WITH_STORE(test_many_entries_come_oldest_first),
  };
  int failed = cmocka_run_group_tests_name("in memory", tests, NULL, NULL);
  is_on_disk = true;
  failed += cmocka_run_group_tests_name("on disk", tests, NULL, NULL);
  return failed;
}
