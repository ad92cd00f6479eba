/* What a client makes of what the journal knows: the same thing is not submitted twice, whoever
 * began it and however that ended. */
// SPDX-License-Identifier: Apache-2.0
#include "vt_unit.h"

#define URL "http://unknown.example/a"

static void submit(struct world *world, enum vt_call call, const char *resource)
{
  const struct vt_ask_options options = {
      .priority = VT_RESCAN, .has_report = call == VT_FILE_RESCAN, .cost = &world->cost};
  ask_with(world, call, resource, &options);
}

static void test_a_pending_submission_is_taken_up(void **state)
{
  struct world world;
  (void)state;
  world_open_plain(&world, NULL);
  submit(&world, VT_FILE_RESCAN, EICAR);
  settle(&world);
  submit(&world, VT_FILE_RESCAN, EICAR);
  settle(&world);
  expect_code(&world, 1, AP_OK, "the second");
  assert_true(world.heard[1].is_cached);
  assert_string_not_equal("", world.heard[0].scan_id);
  assert_string_equal(world.heard[0].scan_id, world.heard[1].scan_id);
  assert_non_null(strstr(world.heard[1].body, world.heard[0].scan_id));
  assert_int_equal(1, requests_of(&world, "file/rescan"));
  assert_int_equal(1, world.cost.quota);
  world_close(&world);
}

static void test_what_was_finished_is_submitted_anew(void **state)
{
  struct world world;
  (void)state;
  world_open_plain(&world, "return {scan_ms = 1}");
  for (unsigned i = 0; i < 2; i++) {
    submit(&world, VT_FILE_RESCAN, EICAR);
    settle(&world);
    await(&world, world.heard[2 * i].scan_id);
    settle(&world);
    expect_code(&world, 2 * i + 1, AP_OK, "the wait");
  }
  assert_int_equal(2, requests_of(&world, "file/rescan"));
  assert_int_equal(0, store_submission_open_count(world.store));
  world_close(&world);
}

static void ignore(void *arg, int code, const struct store_submission *submission)
{
  (void)arg;
  (void)submission;
  assert_int_equal(AP_OK, code);
}

/* As a process leaves it that ended between the intent and the answer. */
static void leave_intent(struct world *world, enum store_submission_kind kind, const char *resource)
{
  assert_int_equal(AP_PENDING,
                   store_submission_intend(world->store, kind, resource, ignore, NULL, NULL));
}

static void test_a_lost_submission_is_asked_about_before_it_is_sent_again(void **state)
{
  static const struct {
    const char *name, *scenario;
    int code;
    unsigned scans, reports, open;
  } cases[] = {
      {"it is not known", "return {answers={['url/report *']={{code=0}}}}", AP_OK, 1, 3, 1},
      {"it is queued", "return {answers={['url/report *']={{code=-2}}}}", AP_OK, 0, 1, 1},
      {"it is reported since",
       "return {answers={['url/report *']={'{\"response_code\":1,\"scans\":{},"
       "\"scan_date\":\"2999-01-01 00:00:00\",\"scan_id\":\"s-1\"}'}}}",
       AP_OK, 0, 1, 1},
      {"there is an older report",
       "return {answers={['url/report *']={'{\"response_code\":1,\"scans\":{},"
       "\"scan_date\":\"2020-01-01 00:00:00\",\"scan_id\":\"s-1\"}'}}}",
       AP_E_NETWORK, 0, 3, 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct world world;
    world_open_plain(&world, cases[i].scenario);
    leave_intent(&world, STORE_URL_SCAN, URL);
    submit(&world, VT_URL_SCAN, URL);
    settle(&world);
    expect_code(&world, 0, cases[i].code, cases[i].name);
    size_t open = store_submission_open_count(world.store);
    if (requests_of(&world, "url/scan") != cases[i].scans ||
        requests_of(&world, "url/report") != cases[i].reports || open != cases[i].open)
      fail_msg("%s: %u submissions, %u look-ups, %zu open", cases[i].name,
               requests_of(&world, "url/scan"), requests_of(&world, "url/report"), open);
    world_close(&world);
  }
}

static void stop_when_journalled(struct world *world)
{
  if (store_submission_open_count(world->store) == 1)
    vt_client_stop(world->client, AP_E_DEADLINE);
}

static void test_what_is_only_intended_at_the_deadline_is_not_open(void **state)
{
  struct world world;
  (void)state;
  world_open_plain(&world, NULL);
  submit(&world, VT_URL_SCAN, URL);
  world.each_turn = stop_when_journalled;
  settle(&world);
  expect_code(&world, 0, AP_E_DEADLINE, "the submission");
  for (int i = 0; i < 100 && store_submission_open_count(world.store); i++)
    (void)uv_run(net_loop_uv(world.loop), UV_RUN_NOWAIT);
  assert_int_equal(0, store_submission_open_count(world.store));
  assert_int_equal(0, requests_of(&world, NULL));
  world_close(&world);
}

static void test_an_ask_that_is_canceled_while_it_is_journalled_sends_nothing(void **state)
{
  const struct vt_ask_options options = {.priority = VT_RESCAN};
  struct world world;
  struct vt_ask *asked = NULL;
  (void)state;
  world_open_plain(&world, NULL);
  assert_int_equal(AP_PENDING,
                   vt_ask(world.client, VT_URL_SCAN, URL, &options, hear, NULL, &asked));
  while (store_submission_open_count(world.store) == 0)
    (void)uv_run(net_loop_uv(world.loop), UV_RUN_NOWAIT);
  vt_ask_cancel(asked);
  ask(&world, VT_IP_REPORT, "8.8.8.8");
  settle(&world);
  assert_int_equal(0, requests_of(&world, "url/scan"));
  assert_int_equal(0, store_submission_open_count(world.store));
  world_close(&world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_pending_submission_is_taken_up),
      cmocka_unit_test(test_what_was_finished_is_submitted_anew),
      cmocka_unit_test(test_a_lost_submission_is_asked_about_before_it_is_sent_again),
      cmocka_unit_test(test_what_is_only_intended_at_the_deadline_is_not_open),
      cmocka_unit_test(test_an_ask_that_is_canceled_while_it_is_journalled_sends_nothing),
  };
  return cmocka_run_group_tests(tests, vt_unit_init, NULL);
}
