/* Who goes first when quota is short, who does not wait for it, and what ends when it is spent. */
// SPDX-License-Identifier: Apache-2.0
#include "vt_unit.h"

static void open_short(struct world *world, uint32_t per_minute, const char *scenario)
{
  struct vt_options options;
  *world = (struct world){0};
  options_without_quota(&options);
  options.limits.per_minute = per_minute;
  options.stop_on_limit = true;
  options.list = 1;
  world_open(world, scenario, &options);
}

static void ask_at(struct world *world, enum vt_priority priority, unsigned hash)
{
  const struct vt_ask_options options = {.priority = priority, .cost = &world->cost};
  char text[33];
  (void)snprintf(text, sizeof(text), "%032u", hash);
  ask_with(world, VT_FILE_REPORT, text, &options);
}

static unsigned not_limited(const struct world *world, unsigned from, unsigned to)
{
  unsigned count = 0;
  for (unsigned i = from; i < to; i++)
    count += world->heard[i].code != AP_E_LIMITED;
  return count;
}

static void test_polls_take_half_of_a_minute_while_look_ups_wait(void **state)
{
  static const struct {
    uint32_t per_minute;
    unsigned polls, look_ups; /* asked */
    unsigned polls_sent, look_ups_sent;
  } cases[] = {
      {4, 6, 6, 2, 2}, {5, 6, 6, 2, 3}, {8, 1, 9, 1, 7}, {8, 9, 1, 7, 1},
      {4, 6, 0, 4, 0}, {2, 3, 3, 1, 1}, {1, 3, 3, 1, 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct world world;
    open_short(&world, cases[i].per_minute, NULL);
    for (unsigned k = 0; k < cases[i].polls; k++)
      ask_at(&world, VT_POLL, 100 + k);
    for (unsigned k = 0; k < cases[i].look_ups; k++)
      ask_at(&world, VT_LOOKUP, 200 + k);
    settle(&world);
    unsigned polls = not_limited(&world, 0, cases[i].polls);
    unsigned look_ups = not_limited(&world, cases[i].polls, world.asked);
    if (polls != cases[i].polls_sent || look_ups != cases[i].look_ups_sent)
      fail_msg("case %zu: %u polls and %u look-ups", i, polls, look_ups);
    world_close(&world);
  }
}

static void test_polls_of_the_same_minute_count_when_look_ups_come_later(void **state)
{
  struct world world;
  (void)state;
  open_short(&world, 8, NULL);
  for (unsigned k = 0; k < 5; k++)
    ask_at(&world, VT_POLL, 100 + k);
  settle(&world);
  assert_int_equal(5, not_limited(&world, 0, 5));
  for (unsigned k = 0; k < 3; k++)
    ask_at(&world, VT_POLL, 200 + k);
  for (unsigned k = 0; k < 3; k++)
    ask_at(&world, VT_LOOKUP, 300 + k);
  settle(&world);
  assert_int_equal(0, not_limited(&world, 5, 8));
  assert_int_equal(3, not_limited(&world, 8, 11));
  world_close(&world);
}

static void test_a_list_of_polls_is_cut_to_what_polls_may_take(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  options.limits.per_minute = 8;
  options.stop_on_limit = true;
  options.list = 25;
  world_open(&world, NULL, &options);
  for (unsigned k = 0; k < 10; k++)
    ask_at(&world, VT_POLL, 100 + k);
  for (unsigned k = 0; k < 10; k++)
    ask_at(&world, VT_LOOKUP, 200 + k);
  settle(&world);
  assert_int_equal(4, not_limited(&world, 0, 10));
  assert_int_equal(4, not_limited(&world, 10, 20));
  world_close(&world);
}

static void test_who_shares_an_item_gives_it_the_better_place(void **state)
{
  struct world world;
  (void)state;
  open_short(&world, 1, NULL);
  ask_at(&world, VT_COMMENT, 1);
  ask_at(&world, VT_RESCAN, 2);
  ask_at(&world, VT_LOOKUP, 1); /* while it is fresh */
  settle(&world);
  assert_int_equal(1, not_limited(&world, 0, 1));
  assert_int_equal(0, not_limited(&world, 1, 2));
  assert_int_equal(1, not_limited(&world, 2, 3));
  world_close(&world);
}

static void test_a_poll_that_joins_a_look_up_in_line_takes_it_along(void **state)
{
  const struct vt_ask_options poll = {.priority = VT_POLL, .no_cache = true};
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  options.jobs = 1;
  options.list = 1;
  world_open(&world, NULL, &options);
  ask_at(&world, VT_LOOKUP, 1); /* on the wire, the others in line */
  ask_at(&world, VT_LOOKUP, 2);
  ask_at(&world, VT_LOOKUP, 3);
  until_requested(&world, 1);
  ask_with(&world, VT_FILE_REPORT, "00000000000000000000000000000003", &poll);
  settle(&world);
  assert_true(world.heard[2].place < world.heard[1].place);
  assert_true(world.heard[3].place < world.heard[1].place);
  assert_int_equal(3, requests_of(&world, "file/report"));
  world_close(&world);
}

static void test_a_look_up_is_tried_again_though_a_poll_shares_it(void **state)
{
  const struct vt_ask_options poll = {.priority = VT_POLL, .no_cache = true};
  struct world world;
  (void)state;
  world_open_plain(&world, "return {answers={['file/report *']={{status=500},{code=1}}}}");
  ask(&world, VT_FILE_REPORT, EICAR);
  ask_with(&world, VT_FILE_REPORT, EICAR, &poll);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the look-up");
  expect_code(&world, 1, AP_OK, "the poll");
  assert_int_equal(2, requests_of(&world, "file/report"));
  world_close(&world);
}

static void test_who_wants_nothing_old_does_not_share_what_is_on_its_way(void **state)
{
  const struct vt_ask_options fresh = {.priority = VT_LOOKUP, .no_cache = true};
  struct world world;
  (void)state;
  world_open_plain(&world, "return {answers={['file/report *']={{pass=true, delay_ms=50}}}}");
  ask(&world, VT_FILE_REPORT, EICAR);
  until_requested(&world, 1);
  ask_with(&world, VT_FILE_REPORT, EICAR, &fresh);
  settle(&world);
  assert_int_equal(2, requests_of(&world, "file/report"));
  ask(&world, VT_FILE_REPORT, EICAR); /* would be answered from the store */
  ask_with(&world, VT_FILE_REPORT, EICAR, &fresh);
  settle(&world);
  assert_int_equal(3, requests_of(&world, "file/report"));
  assert_false(world.heard[2].is_cached);
  assert_false(world.heard[3].is_cached);
  world_close(&world);
}

/* ---- asks that do not wait ---- */

static void open_waiting(struct world *world, uint32_t per_minute)
{
  struct vt_options options;
  *world = (struct world){0};
  options_without_quota(&options);
  options.limits.per_minute = per_minute;
  options.list = 1;
  world_open(world, NULL, &options);
}

static void hear_unless_freed(void *arg, const struct vt_answer *answer)
{
  (void)arg;
  (void)answer;
}

static void ask_and_wait(struct world *world, const char *hash)
{
  const struct vt_ask_options options = {.priority = VT_LOOKUP};
  assert_int_equal(AP_PENDING, vt_ask(world->client, VT_FILE_REPORT, hash, &options,
                                      hear_unless_freed, NULL, NULL));
}

static void test_an_ask_may_end_rather_than_wait_for_quota(void **state)
{
  const struct vt_ask_options hasty = {.priority = VT_LOOKUP, .stop_on_limit = true, .cost = NULL};
  struct world world;
  (void)state;
  open_waiting(&world, 1);
  ask_with(&world, VT_FILE_REPORT, EICAR, &hasty); /* there is quota for one */
  settle(&world);
  ask_and_wait(&world, "00000000000000000000000000000001");
  ask_with(&world, VT_FILE_REPORT, "00000000000000000000000000000002", &hasty);
  ask_with(&world, VT_FILE_REPORT, "00000000000000000000000000000001", &hasty); /* shares */
  settle(&world);
  expect_code(&world, 0, AP_OK, "the first");
  expect_code(&world, 1, AP_E_LIMITED, "alone");
  expect_code(&world, 2, AP_E_LIMITED, "who shared");
  assert_non_null(strstr(world.heard[1].message, "returns at 2"));
  ask_with(&world, VT_FILE_REPORT, "00000000000000000000000000000003", &hasty); /* later */
  settle(&world);
  expect_code(&world, 3, AP_E_LIMITED, "who came when others waited");
  vt_client_stop(world.client, AP_E_CANCELED); /* the patient one waits still, and is told now */
  assert_int_equal(1, requests_of(&world, NULL));
  world_close(&world);
}

static void cancel_all(void *arg, const struct vt_answer *answer)
{
  struct vt_ask **asks = arg;
  (void)answer;
  for (int i = 0; i < 3; i++) {
    if (asks[i])
      vt_ask_cancel(asks[i]);
    asks[i] = NULL;
  }
}

static void test_a_callback_may_cancel_others_that_do_not_wait(void **state)
{
  const struct vt_ask_options hasty = {.priority = VT_LOOKUP, .stop_on_limit = true};
  struct vt_ask *asks[3] = {0};
  struct world world;
  (void)state;
  open_waiting(&world, 1);
  ask_with(&world, VT_FILE_REPORT, EICAR, &hasty);
  settle(&world);
  assert_int_equal(AP_PENDING, vt_ask(world.client, VT_FILE_REPORT, EICAR_SHA256 "-1", &hasty,
                                      cancel_all, asks, NULL));
  for (int i = 0; i < 3; i++)
    assert_int_equal(AP_PENDING, vt_ask(world.client, VT_FILE_REPORT, "ab", &hasty,
                                        hear_unless_freed, NULL, &asks[i]));
  net_timer_start(world.limit, 30000);
  while (asks[0])
    (void)uv_run(net_loop_uv(world.loop), UV_RUN_ONCE);
  world_close(&world);
}

/* ---- the quota is spent for good ---- */

static void test_when_the_quota_is_spent_waits_end_pending_with_that_reason(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  options.limits.per_minute = 1;
  options.stop_on_limit = true;
  options.poll_interval_ms = 3600000; /* the first poll is far */
  world_open(&world, NULL, &options);
  await(&world, "s-1");
  ask_at(&world, VT_LOOKUP, 1);
  ask_at(&world, VT_LOOKUP, 2);
  settle(&world);
  expect_code(&world, 0, AP_E_QUEUED, "the wait");
  assert_non_null(strstr(world.heard[0].message, "still queued at VirusTotal: the quota of the "
                                                 "minute is spent and returns at 2"));
  world_close(&world);
}

static void test_a_quota_that_returns_too_late_ends_what_waits(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  options.limits.per_minute = 1;
  options.max_wait_ms = 1000;
  options.poll_interval_ms = 3600000; /* the first poll is far */
  world_open(&world, NULL, &options);
  await(&world, "s-1");
  ask_at(&world, VT_LOOKUP, 1);
  ask_at(&world, VT_LOOKUP, 2);
  settle(&world);
  expect_code(&world, 0, AP_E_QUEUED, "the wait");
  expect_code(&world, 2, AP_E_LIMITED, "the look-up");
  world_close(&world);
}

static void test_when_the_key_is_refused_waits_end_too(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  options.poll_interval_ms = 3600000;
  world_open(&world, "return {answers={['* *']={{status=403}}}}", &options);
  await(&world, "s-1");
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  expect_code(&world, 0, AP_E_UNAUTHORIZED, "the wait");
  assert_int_equal(1, requests_of(&world, NULL));
  world_close(&world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_polls_take_half_of_a_minute_while_look_ups_wait),
      cmocka_unit_test(test_polls_of_the_same_minute_count_when_look_ups_come_later),
      cmocka_unit_test(test_a_list_of_polls_is_cut_to_what_polls_may_take),
      cmocka_unit_test(test_who_shares_an_item_gives_it_the_better_place),
      cmocka_unit_test(test_a_poll_that_joins_a_look_up_in_line_takes_it_along),
      cmocka_unit_test(test_a_look_up_is_tried_again_though_a_poll_shares_it),
      cmocka_unit_test(test_who_wants_nothing_old_does_not_share_what_is_on_its_way),
      cmocka_unit_test(test_an_ask_may_end_rather_than_wait_for_quota),
      cmocka_unit_test(test_a_callback_may_cancel_others_that_do_not_wait),
      cmocka_unit_test(test_when_the_quota_is_spent_waits_end_pending_with_that_reason),
      cmocka_unit_test(test_a_quota_that_returns_too_late_ends_what_waits),
      cmocka_unit_test(test_when_the_key_is_refused_waits_end_too),
  };
  return cmocka_run_group_tests(tests, vt_unit_init, NULL);
}
