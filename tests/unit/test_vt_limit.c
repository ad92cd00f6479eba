/* What becomes of asks when quota is spent: backing off, giving up, and what needs none. The clock
 * runs 600 times as fast: a minute is a tenth of a second. */
// SPDX-License-Identifier: Apache-2.0
#include "vt_unit.h"

#define OTHER "00000000000000000000000000000001"

static void open_limited(struct world *world, const struct store_limits *limits,
                         const char *scenario)
{
  struct vt_options options;
  *world = (struct world){0};
  options_without_quota(&options);
  options.limits = *limits;
  options.list = 1;
  world_open(world, scenario, &options);
}

static void ask_many(struct world *world, unsigned count)
{
  for (unsigned i = 0; i < count; i++) {
    char hash[33];
    (void)snprintf(hash, sizeof(hash), "%032u", i);
    ask(world, VT_FILE_REPORT, hash);
  }
}

static void test_answers_of_204_to_what_was_sent_together_are_one_back_off(void **state)
{
  static const struct store_limits none = {0};
  struct world world;
  (void)state;
  open_limited(&world, &none,
               "return {answers={['file/report *']={{status=204, times=12}, {pass=true}}}}");
  ask_many(&world, 12);
  int64_t began_ms = ap_clock_unix_ms();
  settle(&world);
  for (unsigned i = 0; i < 12; i++)
    expect_code(&world, i, AP_OK, "a look-up");
  assert_true(ap_clock_unix_ms() - began_ms >= 60000);
  assert_int_equal(24, requests_of(&world, "file/report"));
  world_close(&world);
}

/* Until midnight is farther away than a minute, and the four of this test. */
static void pass_midnight(void)
{
  enum { DAY_MS = 86400000, ENOUGH_MS = 600000 };
  while (DAY_MS - ap_clock_unix_ms() % DAY_MS < ENOUGH_MS)
    uv_sleep(1);
}

static void test_three_minutes_are_waited_and_then_the_day_is_spent(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  options.max_wait_ms = 2 * 60000;
  world_open(&world, "return {answers={['* *']={{status=204}}}}", &options);
  pass_midnight();
  int64_t began_ms = ap_clock_unix_ms();
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  expect_code(&world, 0, AP_E_LIMITED, "the look-up");
  assert_non_null(strstr(world.heard[0].message, "the quota of the day is spent and returns at 2"));
  assert_non_null(strstr(world.heard[0].message, "T00:00:00Z"));
  assert_int_equal(4, requests_of(&world, NULL));
  assert_true(ap_clock_unix_ms() - began_ms >= 3 * 60000);
  world_close(&world);
}

static void test_an_answer_makes_earlier_204s_forgotten(void **state)
{
  static const struct store_limits none = {0};
  struct world world;
  (void)state;
  open_limited(&world, &none,
               "return {answers={['file/report *']={{status=204, times=2}, {pass=true, times=1}, "
               "{status=204, times=3}, {pass=true}}}}");
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  ask(&world, VT_FILE_REPORT, OTHER);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the first");
  expect_code(&world, 1, AP_OK, "the second");
  assert_int_equal(7, requests_of(&world, NULL));
  world_close(&world);
}

static struct vt_standing standing_of(const struct vt_client *client)
{
  struct vt_standing standing;
  vt_client_standing(client, &standing);
  return standing;
}

static void test_what_the_deadline_catches_waiting_says_when_quota_returns(void **state)
{
  static const struct store_limits limits = {.per_minute = 1};
  struct world world;
  (void)state;
  open_limited(&world, &limits, NULL);
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  ask(&world, VT_FILE_REPORT, OTHER);
  net_timer_start(world.limit, (uint64_t)(30000 * ap_clock_scale()));
  while (standing_of(world.client).waiting_for != VT_WAITS_QUOTA)
    (void)uv_run(net_loop_uv(world.loop), UV_RUN_ONCE);
  struct vt_standing standing = standing_of(world.client);
  assert_true(standing.until_unix_ms > ap_clock_unix_ms());
  assert_true(standing.knows_quota);
  assert_int_equal(0, standing.minute_left);
  assert_int_equal(UINT32_MAX, standing.day_left);
  vt_client_stop(world.client, AP_E_DEADLINE);
  expect_code(&world, 1, AP_E_LIMITED, "the one that waited");
  assert_non_null(strstr(world.heard[1].message, "the deadline of the run came while the quota of "
                                                 "the minute is spent and returns at 2"));
  world_close(&world);
}

/* ---- spent for good ---- */

/* The day is spent but for what is reserved: it returns at midnight, which is not waited for. */
static void open_spent(struct world *world)
{
  static const struct store_limits limits = {.per_day = 2, .reserve = 1};
  struct vt_options options;
  *world = (struct world){0};
  options_without_quota(&options);
  options.limits = limits;
  options.max_wait_ms = 0;
  world_open(world, NULL, &options);
  pass_midnight();
  ask(world, VT_FILE_REPORT, EICAR);
  settle(world);
  expect_code(world, 0, AP_OK, "the one there is quota for");
  ask(world, VT_FILE_REPORT, OTHER);
  settle(world);
  expect_code(world, 1, AP_E_LIMITED, "the second");
  assert_non_null(strstr(world->heard[1].message, "the rest of the day's quota is reserved for "
                                                  "others; more returns at 2"));
}

static void test_when_quota_is_spent_for_good_what_is_known_is_answered(void **state)
{
  struct world world;
  (void)state;
  open_spent(&world);
  ask(&world, VT_FILE_REPORT, EICAR);
  ask(&world, VT_FILE_REPORT, EICAR_SHA256);
  ask(&world, VT_FILE_REPORT, OTHER);
  ask(&world, VT_COMMENTS, EICAR);
  settle(&world);
  expect_code(&world, 2, AP_OK, "what was fetched before");
  assert_true(world.heard[2].is_cached);
  expect_code(&world, 3, AP_OK, "the same by another hash");
  expect_code(&world, 4, AP_E_LIMITED, "what was not");
  expect_code(&world, 5, AP_E_LIMITED, "comments");
  assert_int_equal(1, requests_of(&world, NULL));
  world_close(&world);
}

static void test_the_end_of_a_run_ends_that_too(void **state)
{
  struct world world;
  (void)state;
  open_spent(&world);
  ask(&world, VT_FILE_REPORT, EICAR);
  vt_client_stop(world.client, AP_E_CANCELED);
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  expect_code(&world, 2, AP_E_CANCELED, "what was asked before");
  expect_code(&world, 3, AP_E_CANCELED, "what was asked later");
  world_close(&world);
}

static int init(void **state)
{
  return setenv("APOGEE_CLOCK", "600", 1) == 0 ? vt_unit_init(state) : -1;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_answers_of_204_to_what_was_sent_together_are_one_back_off),
      cmocka_unit_test(test_three_minutes_are_waited_and_then_the_day_is_spent),
      cmocka_unit_test(test_an_answer_makes_earlier_204s_forgotten),
      cmocka_unit_test(test_what_the_deadline_catches_waiting_says_when_quota_returns),
      cmocka_unit_test(test_when_quota_is_spent_for_good_what_is_known_is_answered),
      cmocka_unit_test(test_the_end_of_a_run_ends_that_too),
  };
  return cmocka_run_group_tests(tests, init, NULL);
}
