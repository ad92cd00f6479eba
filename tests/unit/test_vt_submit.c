/* Submissions of URLs and rescans: what is journalled, and what follows when nobody knows whether
 * VirusTotal took one. */
// SPDX-License-Identifier: Apache-2.0
#include "vt_unit.h"

#define URL "http://unknown.example/a"

static void submit(struct world *world, enum vt_call call, const char *resource, bool has_report)
{
  const struct vt_ask_options options = {
      .priority = VT_RESCAN, .has_report = has_report, .cost = &world->cost};
  ask_with(world, call, resource, &options);
}

struct submit_case {
  const char *name;
  const char *scenario;
  bool has_report;
  int code;
  unsigned scans;   /* requests of url/scan */
  unsigned reports; /* and of url/report */
  unsigned open;    /* in the journal */
};

static void test_a_first_url_scan_that_is_not_answered_ends_as_the_rules_say(void **state)
{
  static const struct submit_case cases[] = {
      {"5xx, and it is known",
       "return {answers={['url/scan *']={{status=500}},['url/report *']={{code=1}}}}", false, AP_OK,
       1, 1, 1},
      {"5xx, and it is queued",
       "return {answers={['url/scan *']={{status=500}},['url/report *']={{code=-2}}}}", false,
       AP_OK, 1, 1, 1},
      {"5xx, and it is not known",
       "return {answers={['url/scan *']={{status=500},{pass=true}},['url/report *']={{code=0}}}}",
       false, AP_OK, 2, 1, 1},
      {"5xx again, and it is not known",
       "return {answers={['url/scan *']={{status=500}},['url/report *']={{code=0}}}}", false,
       AP_E_SERVER, 2, 1, 0},
      {"5xx, and the look-up fails too",
       "return {answers={['url/scan *']={{status=500}},['url/report *']={{status=500}}}}", false,
       AP_E_SERVER, 1, 4, 1},
      {"cut, and it was taken",
       "return {answers={['url/scan *']={{cut='before'}},['url/report *']={{code=-2}}}}", false,
       AP_OK, 1, 1, 1},
      {"cut, and it was not taken",
       "return {answers={['url/scan *']={{cut='before'},{pass=true}},['url/report *']={{code=0}}}}",
       false, AP_OK, 2, 1, 1},
      {"broken JSON",
       "return {answers={['url/scan *']={{truncated=true}},['url/report *']={{code=-2}}}}", false,
       AP_OK, 1, 1, 1},
      {"with a report in hand 5xx fails at once",
       "return {answers={['url/scan *']={{status=500}}}}", true, AP_E_SERVER, 1, 0, 0},
      {"with a report in hand a cut fails at once",
       "return {answers={['url/scan *']={{cut='before'}}}}", true, AP_E_NETWORK, 1, 0, 0},
      {"-1 is an answer", "return {answers={['url/scan *']={{code=-1}}}}", false, AP_E_REJECTED, 1,
       0, 0},
      {"400 is an answer", "return {answers={['url/scan *']={{status=400}}}}", false, AP_E_REJECTED,
       1, 0, 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct world world;
    const struct submit_case *c = &cases[i];
    world_open_plain(&world, c->scenario);
    submit(&world, VT_URL_SCAN, URL, c->has_report);
    settle(&world);
    expect_code(&world, 0, c->code, c->name);
    if (requests_of(&world, "url/scan") != c->scans ||
        requests_of(&world, "url/report") != c->reports ||
        store_submission_open_count(world.store) != c->open ||
        world.cost.requests != c->scans + c->reports)
      fail_msg("%s: %u submissions, %u look-ups, %zu open, %u requests", c->name,
               requests_of(&world, "url/scan"), requests_of(&world, "url/report"),
               store_submission_open_count(world.store), (unsigned)world.cost.requests);
    world_close(&world);
  }
}

static void test_the_report_of_a_doubted_submission_is_its_receipt(void **state)
{
  struct world world;
  (void)state;
  world_open_plain(&world, "return {answers={['url/scan *']={{status=500}},"
                           "['url/report " URL "']={'{\"response_code\":-2,\"scan_id\":\"s-77\"}'},"
                           "['url/report s-77']={'{\"response_code\":1,\"scans\":{}}'}}}");
  submit(&world, VT_URL_SCAN, URL, false);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the submission");
  assert_string_equal("s-77", world.heard[0].scan_id);
  assert_non_null(strstr(world.heard[0].body, "-2"));
  assert_int_equal(1, store_submission_open_count(world.store));
  assert_int_equal(AP_PENDING, vt_await(world.client, VT_URL_REPORT, "s-77", &(struct vt_about){0},
                                        NULL, hear, ear_new(&world), NULL));
  settle(&world);
  expect_code(&world, 1, AP_OK, "the wait");
  assert_int_equal(0, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_what_a_list_left_out_is_doubted_alone(void **state)
{
  struct world world;
  (void)state;
  world_open_plain(&world, "return {answers={['url/scan http://b.example/']={{drop=true},"
                           "{pass=true}},['url/report http://b.example/']={{code=0}}}}");
  submit(&world, VT_URL_SCAN, "http://a.example/", false);
  submit(&world, VT_URL_SCAN, "http://b.example/", false);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the first");
  expect_code(&world, 1, AP_OK, "the second");
  assert_int_equal(2, requests_of(&world, "url/scan"));
  assert_int_equal(1, requests_of(&world, "url/report"));
  assert_int_equal(2, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_a_kept_connection_does_not_make_one_submission_two(void **state)
{
  struct world world;
  (void)state;
  world_open_plain(&world, "return {answers={['file/rescan *']={{cut='before'}}}}");
  ask(&world, VT_FILE_REPORT, EICAR); /* leaves a connection to use again */
  settle(&world);
  submit(&world, VT_FILE_RESCAN, EICAR, true);
  settle(&world);
  expect_code(&world, 1, AP_E_NETWORK, "the rescan");
  assert_int_equal(1, requests_of(&world, "file/rescan"));
  world_close(&world);
}

/* ---- the journal ---- */

static size_t most_open;

static void see_open(struct world *world)
{
  size_t open = store_submission_open_count(world->store);
  if (open > most_open)
    most_open = open;
}

static void test_a_submission_is_in_the_journal_before_its_answer(void **state)
{
  static const struct {
    enum vt_call call;
    const char *resource;
  } cases[] = {{VT_URL_SCAN, "one-label"}, {VT_FILE_RESCAN, "00000000000000000000000000000001"}};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct world world;
    world_open_plain(&world, "return {answers={['* *']={{code=-1, delay_ms=20}}}}");
    most_open = 0;
    world.each_turn = see_open;
    submit(&world, cases[i].call, cases[i].resource, false);
    assert_int_equal(0, store_submission_open_count(world.store));
    settle(&world);
    expect_code(&world, 0, AP_E_REJECTED, cases[i].resource);
    assert_int_equal(1, most_open);
    assert_int_equal(0, store_submission_open_count(world.store));
    world_close(&world);
  }
}

static void test_look_ups_are_not_journalled(void **state)
{
  struct world world;
  (void)state;
  world_open_plain(&world, NULL);
  most_open = 0;
  world.each_turn = see_open;
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  assert_int_equal(0, most_open);
  world_close(&world);
}

static void test_a_rescan_is_open_until_its_scan_is_finished(void **state)
{
  struct world world;
  (void)state;
  world_open_plain(&world, "return {scan_ms = 1}");
  submit(&world, VT_FILE_RESCAN, EICAR, true);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the rescan");
  assert_int_equal(1, store_submission_open_count(world.store));
  await(&world, world.heard[0].scan_id);
  settle(&world);
  expect_code(&world, 1, AP_OK, "the wait");
  assert_int_equal(0, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_a_wait_that_is_given_up_leaves_its_submission_open(void **state)
{
  struct world world;
  (void)state;
  world_open_plain(&world, NULL);
  submit(&world, VT_FILE_RESCAN, EICAR, true);
  settle(&world);
  await(&world, world.heard[0].scan_id);
  vt_client_stop(world.client, AP_E_DEADLINE);
  expect_code(&world, 1, AP_E_QUEUED, "the wait");
  assert_int_equal(1, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_a_submission_that_is_on_the_wire_at_the_deadline_stays_open(void **state)
{
  struct world world;
  (void)state;
  world_open_plain(&world, "return {answers={['* *']={{pass=true, delay_ms=2000}}}}");
  submit(&world, VT_URL_SCAN, URL, false);
  until_requested(&world, 1);
  vt_client_stop(world.client, AP_E_DEADLINE);
  expect_code(&world, 0, AP_E_QUEUED, "the submission");
  assert_int_equal(1, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_a_submission_that_is_doubted_at_the_deadline_stays_open(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  options.limits.per_day = 1; /* for the submission: its look-up has to wait */
  options.stop_on_limit = true;
  world_open(&world, "return {answers={['url/scan *']={{status=500}}}}", &options);
  submit(&world, VT_URL_SCAN, URL, false);
  settle(&world);
  expect_code(&world, 0, AP_E_LIMITED, "the submission");
  assert_int_equal(1, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_a_refused_submission_is_over(void **state)
{
  static const char *const scenarios[] = {"return {answers={['* *']={{status=403}}}}",
                                          "return {answers={['* *']={{status=204}}}}"};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
    struct world world = {0};
    struct vt_options options;
    options_without_quota(&options);
    options.stop_on_limit = true;
    world_open(&world, scenarios[i], &options);
    submit(&world, VT_URL_SCAN, URL, false);
    settle(&world);
    assert_int_equal(1, requests_of(&world, "url/scan"));
    assert_int_equal(0, store_submission_open_count(world.store));
    world_close(&world);
  }
}

/* ---- asks that go away meanwhile ---- */

static struct vt_ask *to_cancel;

static void never(void *arg, const struct vt_answer *answer)
{
  (void)arg;
  fail_msg("a canceled ask was answered: %s", answer->message);
}

static void cancel_in_doubt(struct world *world)
{
  if (!to_cancel || requests_of(world, "url/report") == 0)
    return;
  vt_ask_cancel(to_cancel);
  to_cancel = NULL;
}

static void test_a_doubted_ask_may_be_canceled_and_its_cost_go_with_it(void **state)
{
  struct world world;
  struct case_cost *cost = calloc(1, sizeof(*cost));
  const struct vt_ask_options options = {.priority = VT_RESCAN, .cost = cost};
  (void)state;
  assert_non_null(cost);
  world_open_plain(&world, "return {answers={['url/scan *']={{status=500}},"
                           "['url/report *']={{status=500, times=2},{code=-2}}}}");
  assert_int_equal(AP_PENDING,
                   vt_ask(world.client, VT_URL_SCAN, URL, &options, never, NULL, &to_cancel));
  submit(&world, VT_URL_SCAN, URL, false);
  world.each_turn = cancel_in_doubt;
  net_timer_start(world.limit, 30000);
  while (to_cancel)
    (void)uv_run(net_loop_uv(world.loop), UV_RUN_ONCE);
  free(cost);
  settle(&world);
  expect_code(&world, 0, AP_OK, "who shared it");
  world_close(&world);
}

static void test_a_doubted_ask_that_alone_is_canceled_asks_no_further(void **state)
{
  struct world world;
  const struct vt_ask_options options = {.priority = VT_RESCAN};
  (void)state;
  world_open_plain(&world, "return {answers={['url/scan *']={{status=500}},"
                           "['url/report *']={{status=500}}}}");
  assert_int_equal(AP_PENDING,
                   vt_ask(world.client, VT_URL_SCAN, URL, &options, never, NULL, &to_cancel));
  world.each_turn = cancel_in_doubt;
  net_timer_start(world.limit, 30000);
  while (to_cancel)
    (void)uv_run(net_loop_uv(world.loop), UV_RUN_ONCE);
  ask(&world, VT_IP_REPORT, "8.8.8.8");
  settle(&world);
  assert_int_equal(1, requests_of(&world, "url/scan"));
  assert_int_equal(1, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_a_client_that_goes_away_in_doubt_leaves_nothing(void **state)
{
  struct world world;
  (void)state;
  world_open_plain(&world, "return {answers={['url/scan *']={{status=500}},"
                           "['url/report *']={{status=500}}}}");
  const struct vt_ask_options options = {.priority = VT_RESCAN};
  assert_int_equal(AP_PENDING,
                   vt_ask(world.client, VT_URL_SCAN, URL, &options, never, NULL, &to_cancel));
  net_timer_start(world.limit, 30000);
  while (requests_of(&world, "url/report") == 0)
    (void)uv_run(net_loop_uv(world.loop), UV_RUN_ONCE);
  world_close(&world); /* the sanitizer would say */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_first_url_scan_that_is_not_answered_ends_as_the_rules_say),
      cmocka_unit_test(test_the_report_of_a_doubted_submission_is_its_receipt),
      cmocka_unit_test(test_what_a_list_left_out_is_doubted_alone),
      cmocka_unit_test(test_a_kept_connection_does_not_make_one_submission_two),
      cmocka_unit_test(test_a_submission_is_in_the_journal_before_its_answer),
      cmocka_unit_test(test_look_ups_are_not_journalled),
      cmocka_unit_test(test_a_rescan_is_open_until_its_scan_is_finished),
      cmocka_unit_test(test_a_wait_that_is_given_up_leaves_its_submission_open),
      cmocka_unit_test(test_a_submission_that_is_on_the_wire_at_the_deadline_stays_open),
      cmocka_unit_test(test_a_submission_that_is_doubted_at_the_deadline_stays_open),
      cmocka_unit_test(test_a_refused_submission_is_over),
      cmocka_unit_test(test_a_doubted_ask_may_be_canceled_and_its_cost_go_with_it),
      cmocka_unit_test(test_a_doubted_ask_that_alone_is_canceled_asks_no_further),
      cmocka_unit_test(test_a_client_that_goes_away_in_doubt_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, vt_unit_init, NULL);
}
