/* The client against the simulator, over real HTTP on loopback. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "script/data.h"
#include "sim/sim.h"
#include "unit.h"
#include "vt/await.h"
#include "vt/client.h"

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define EICAR "44d88612fea8a8f36de82e1278abb02f"

enum { ASKS_MAX = 16 };

struct heard {
  int code;
  bool is_cached;
  int times;
  char message[200];
};

struct world {
  struct sim *sim;
  struct ap_value scenario;
  struct ap_secret *key;
  struct net_loop *loop;
  struct net_http *http;
  struct store *store;
  struct vt_client *client;
  struct case_cost cost;
  struct heard heard[ASKS_MAX];
  struct net_timer *limit;
  unsigned asked;
  unsigned answered;
};

static void turn(void *arg)
{
  struct world *world = arg;
  vt_client_turn(world->client);
  if (world->answered == world->asked)
    net_loop_stop(world->loop);
}

static void too_long(void *arg)
{
  (void)arg;
  fail_msg("no answer within 20 s");
}

static void open_world(struct world *world, const char *scenario, struct vt_options *options)
{
  struct ap_error err = {0};
  struct sim_options sim_options;
  *world = (struct world){0};
  sim_options_init(&sim_options);
  sim_options.premium = true;
  sim_options.per_minute = sim_options.per_day = sim_options.per_month = 0;
  if (scenario) {
    struct ap_slice source = {scenario, strlen(scenario)};
    if (script_data_parse("scenario", source, &world->scenario, &err) != AP_OK)
      fail_msg("%s", err.text);
    sim_options.scenario = &world->scenario;
  }
  if (sim_start(&sim_options, &world->sim, &err) != AP_OK)
    fail_msg("%s", err.text);
  assert_int_equal(AP_OK, ap_secret_new("key", KEY, strlen(KEY), &world->key, &err));
  assert_int_equal(AP_OK, net_loop_new(&world->loop));
  const struct net_http_options http = {
      .allow_plain = true, .verify_tls = true, .connect_timeout_ms = 5000, .max_connections = 8};
  assert_int_equal(AP_OK, net_http_new(world->loop, &http, &world->http, &err));
  assert_int_equal(AP_OK, store_memory_new(1024 * 1024, &world->store));
  options->url = sim_url(world->sim);
  options->key = world->key;
  options->retry_delay_ms = 1;
  assert_int_equal(
      AP_OK, vt_client_new(world->loop, world->http, world->store, options, &world->client, &err));
  assert_int_equal(AP_OK, net_timer_new(world->loop, too_long, world, &world->limit));
  net_loop_on_turn(world->loop, turn, world);
}

static void close_world(struct world *world)
{
  net_timer_free(world->limit);
  vt_client_free(world->client);
  net_http_free(world->http);
  net_loop_free(world->loop);
  store_free(world->store);
  ap_secret_free(world->key);
  sim_stop(world->sim);
  ap_value_deinit(&world->scenario);
}

static void options_without_quota(struct vt_options *options)
{
  vt_options_init(options);
  options->limits = (struct store_limits){0};
}

struct ear {
  struct world *world;
  unsigned index;
};

static void hear(void *arg, const struct vt_answer *answer)
{
  struct ear *ear = arg;
  struct heard *heard = &ear->world->heard[ear->index];
  heard->code = answer->code;
  heard->is_cached = answer->is_cached;
  heard->times++;
  (void)snprintf(heard->message, sizeof(heard->message), "%s", answer->message);
  ear->world->answered++;
  free(ear);
}

static void ask_with(struct world *world, enum vt_call call, const char *resource,
                     const struct vt_ask_options *options)
{
  struct ear *ear = calloc(1, sizeof(*ear));
  assert_non_null(ear);
  *ear = (struct ear){world, world->asked++};
  assert_int_equal(AP_PENDING, vt_ask(world->client, call, resource, options, hear, ear, NULL));
}

static void ask(struct world *world, enum vt_call call, const char *resource)
{
  const struct vt_ask_options options = {.priority = VT_LOOKUP, .cost = &world->cost};
  ask_with(world, call, resource, &options);
}

static void settle(struct world *world)
{
  net_timer_start(world->limit, 20000);
  net_loop_run(world->loop);
  net_timer_stop(world->limit);
  for (unsigned i = 0; i < world->asked; i++)
    assert_int_equal(1, world->heard[i].times);
}

static void test_what_waits_at_one_moment_is_one_list(void **state)
{
  struct world world;
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  open_world(&world, NULL, &options);
  ask(&world, VT_FILE_REPORT, EICAR);
  ask(&world, VT_FILE_REPORT, "00000000000000000000000000000001");
  ask(&world, VT_FILE_REPORT, "00000000000000000000000000000002");
  settle(&world);
  assert_int_equal(AP_OK, world.heard[0].code);
  assert_int_equal(1, world.cost.requests);
  assert_int_equal(3, world.cost.quota);
  close_world(&world);
}

static void test_two_who_ask_for_the_same_share_one_request(void **state)
{
  struct world world;
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  open_world(&world, NULL, &options);
  ask(&world, VT_FILE_REPORT, EICAR);
  ask(&world, VT_FILE_REPORT, "44D88612FEA8A8F36DE82E1278ABB02F");
  settle(&world);
  assert_int_equal(AP_OK, world.heard[1].code);
  assert_int_equal(1, world.cost.quota);
  assert_int_equal(1, world.cost.shared);
  close_world(&world);
}

static void test_a_fetched_report_is_found_by_its_other_hashes(void **state)
{
  static const char sha256[] = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f";
  struct world world;
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  open_world(&world, NULL, &options);
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  ask(&world, VT_FILE_REPORT, sha256);
  settle(&world);
  assert_true(world.heard[1].is_cached);
  assert_int_equal(1, world.cost.quota);
  assert_int_equal(1, world.cost.cached);
  close_world(&world);
}

struct fault_case {
  const char *name;
  const char *scenario;
  enum vt_call call;
  const char *resource;
  int code;
  unsigned requests; /* 0: not checked */
};

static void test_each_fault_ends_as_the_rules_say(void **state)
{
  static const struct fault_case cases[] = {
      {"one 5xx is tried again", "return {answers={['file/report *']={{status=500},{pass=true}}}}",
       VT_FILE_REPORT, EICAR, AP_OK, 2},
      {"5xx without end fails", "return {answers={['file/report *']={{status=503}}}}",
       VT_FILE_REPORT, EICAR, AP_E_SERVER, 4},
      {"a cut connection is tried again",
       "return {answers={['file/report *']={{cut='before'},{pass=true}}}}", VT_FILE_REPORT, EICAR,
       AP_OK, 2},
      {"broken JSON is tried again",
       "return {answers={['file/report *']={{truncated=true},{pass=true}}}}", VT_FILE_REPORT, EICAR,
       AP_OK, 2},
      {"400 is not tried again", "return {answers={['file/report *']={{status=400}}}}",
       VT_FILE_REPORT, EICAR, AP_E_REJECTED, 1},
      {"403 on a look-up refuses the key", "return {answers={['file/report *']={{status=403}}}}",
       VT_FILE_REPORT, EICAR, AP_E_UNAUTHORIZED, 1},
      {"403 on a rescan is about that alone", "return {answers={['file/rescan *']={{status=403}}}}",
       VT_FILE_RESCAN, EICAR, AP_E_FORBIDDEN, 1},
      {"a submission is never tried again", "return {answers={['url/scan *']={{status=500}}}}",
       VT_URL_SCAN, "http://www.example.com/", AP_E_SERVER, 1},
      {"code 1 without scans is not yet",
       "return {answers={['file/report *']={'{\"response_code\":1,\"scan_id\":\"s-1\"}'}}}",
       VT_FILE_REPORT, EICAR, AP_E_QUEUED, 1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct world world;
    struct vt_options options;
    options_without_quota(&options);
    open_world(&world, cases[i].scenario, &options);
    ask(&world, cases[i].call, cases[i].resource);
    settle(&world);
    if (world.heard[0].code != cases[i].code || world.cost.requests != cases[i].requests)
      fail_msg("%s: %s (%s) after %llu requests", cases[i].name, ap_error_word(world.heard[0].code),
               world.heard[0].message, (unsigned long long)world.cost.requests);
    assert_null(strstr(world.heard[0].message, KEY));
    close_world(&world);
  }
}

static void test_one_bad_item_does_not_take_its_list_along(void **state)
{
  struct world world;
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  options.retries = 1;
  open_world(&world,
             "return {answers={['file/report 00000000000000000000000000000001']={{drop=true}}}}",
             &options);
  ask(&world, VT_FILE_REPORT, EICAR);
  ask(&world, VT_FILE_REPORT, "00000000000000000000000000000001");
  ask(&world, VT_FILE_REPORT, "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f");
  settle(&world);
  assert_int_equal(AP_OK, world.heard[0].code);
  assert_int_equal(AP_E_BAD_ANSWER, world.heard[1].code);
  assert_int_equal(AP_OK, world.heard[2].code);
  close_world(&world);
}

static void test_after_a_refused_key_nothing_more_is_sent(void **state)
{
  struct world world;
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  open_world(&world, "return {answers={['* *']={{status=403}}}}", &options);
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  assert_true(vt_client_is_refused(world.client));
  ask(&world, VT_IP_REPORT, "8.8.8.8");
  settle(&world);
  assert_int_equal(AP_E_UNAUTHORIZED, world.heard[1].code);
  assert_int_equal(1, world.cost.requests);
  close_world(&world);
}

static void test_without_waiting_a_spent_quota_limits_and_says_until_when(void **state)
{
  struct world world;
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  options.limits.per_minute = 2;
  options.stop_on_limit = true;
  open_world(&world, NULL, &options);
  for (unsigned i = 0; i < 4; i++) {
    char hash[33];
    (void)snprintf(hash, sizeof(hash), "%032u", i + 1);
    ask(&world, VT_FILE_REPORT, hash);
  }
  settle(&world);
  assert_int_equal(2, world.cost.quota);
  assert_int_equal(AP_E_LIMITED, world.heard[3].code);
  assert_non_null(strstr(world.heard[3].message, "returns at 2"));
  close_world(&world);
}

static void test_an_answer_of_204_counts_against_the_ledger(void **state)
{
  struct world world;
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  options.stop_on_limit = true;
  open_world(&world, "return {answers={['* *']={{status=204}}}}", &options);
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  assert_int_equal(AP_E_LIMITED, world.heard[0].code);
  assert_int_equal(1, world.cost.requests);
  assert_false(vt_client_is_refused(world.client));
  close_world(&world);
}

static void test_the_deadline_ends_all_that_is_asked(void **state)
{
  struct world world;
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  open_world(&world, NULL, &options);
  ask(&world, VT_FILE_REPORT, EICAR);
  vt_client_turn(world.client);
  ask(&world, VT_IP_REPORT, "8.8.8.8");
  vt_client_stop(world.client, AP_E_DEADLINE);
  assert_int_equal(2, world.answered);
  assert_int_equal(AP_E_DEADLINE, world.heard[0].code);
  assert_int_equal(AP_E_DEADLINE, world.heard[1].code);
  close_world(&world);
}

static void test_a_submission_makes_what_was_known_old(void **state)
{
  struct world world;
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  open_world(&world, "return {answers={['url/report *']={{code=0},{pass=true}}}}", &options);
  ask(&world, VT_URL_REPORT, "http://www.virustotal.com/");
  settle(&world);
  assert_int_equal(AP_E_NOT_FOUND, world.heard[0].code);
  ask(&world, VT_URL_SCAN, "http://www.virustotal.com/");
  settle(&world);
  assert_int_equal(AP_OK, world.heard[1].code);
  ask(&world, VT_URL_REPORT, "http://www.virustotal.com/");
  settle(&world);
  assert_false(world.heard[2].is_cached);
  close_world(&world);
}

static void test_a_resource_cannot_smuggle_in_a_list(void **state)
{
  const struct vt_ask_options ask_options = {.priority = VT_LOOKUP};
  struct world world;
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  open_world(&world, NULL, &options);
  assert_int_equal(AP_E_INVALID, vt_ask(world.client, VT_FILE_REPORT, EICAR "," EICAR, &ask_options,
                                        hear, NULL, NULL));
  assert_int_equal(AP_E_INVALID, vt_ask(world.client, VT_URL_SCAN, "http://a/\nhttp://b/",
                                        &ask_options, hear, NULL, NULL));
  close_world(&world);
}

static struct vt_ask *second_ask;

static void cancel_second(void *arg, const struct vt_answer *answer)
{
  (void)answer;
  vt_ask_cancel(second_ask);
  *(int *)arg += 1;
}

static void test_a_callback_may_cancel_who_shares_its_request(void **state)
{
  const struct vt_ask_options ask_options = {.priority = VT_LOOKUP};
  struct world world;
  struct vt_options options;
  int first = 0;
  (void)state;
  options_without_quota(&options);
  open_world(&world, NULL, &options);
  assert_int_equal(AP_PENDING, vt_ask(world.client, VT_FILE_REPORT, EICAR, &ask_options,
                                      cancel_second, &first, NULL));
  assert_int_equal(AP_PENDING, vt_ask(world.client, VT_FILE_REPORT, EICAR, &ask_options, hear, NULL,
                                      &second_ask));
  vt_client_stop(world.client, AP_E_CANCELED); /* it waits in line still */
  assert_int_equal(1, first);
  close_world(&world);
}

static void await(struct world *world, const char *scan_id)
{
  struct ear *ear = calloc(1, sizeof(*ear));
  assert_non_null(ear);
  *ear = (struct ear){world, world->asked++};
  assert_int_equal(AP_PENDING,
                   vt_await(world->client, VT_FILE_REPORT, scan_id, &world->cost, hear, ear, NULL));
}

static void test_a_wait_polls_until_the_scan_ends_in_what_the_rules_say(void **state)
{
  static const struct fault_case cases[] = {
      {"queued, then finished",
       "return {answers={['file/report *']={{code=-2},{code=-2},"
       "'{\"response_code\":1,\"scans\":{}}'}}}",
       VT_FILE_REPORT, "s-1", AP_OK, 3},
      {"a failed poll is not yet",
       "return {answers={['file/report *']={{status=500},{status=500},"
       "'{\"response_code\":1,\"scans\":{}}'}}}",
       VT_FILE_REPORT, "s-1", AP_OK, 3},
      {"three failed polls in a row leave it pending",
       "return {answers={['file/report *']={{status=500}}}}", VT_FILE_REPORT, "s-1", AP_E_QUEUED,
       3},
      {"a scan that is forgotten", "return {answers={['file/report *']={{code=0}}}}",
       VT_FILE_REPORT, "s-1", AP_E_NOT_FOUND, 1},
      {"a refused key", "return {answers={['file/report *']={{status=403}}}}", VT_FILE_REPORT,
       "s-1", AP_E_UNAUTHORIZED, 1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct world world;
    struct vt_options options;
    options_without_quota(&options);
    options.poll_interval_ms = 4;
    open_world(&world, cases[i].scenario, &options);
    await(&world, cases[i].resource);
    settle(&world);
    if (world.heard[0].code != cases[i].code || world.cost.requests != cases[i].requests)
      fail_msg("%s: %s (%s) after %llu requests", cases[i].name, ap_error_word(world.heard[0].code),
               world.heard[0].message, (unsigned long long)world.cost.requests);
    close_world(&world);
  }
}

static void test_the_deadline_leaves_a_wait_pending(void **state)
{
  struct world world;
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  open_world(&world, NULL, &options);
  await(&world, "s-1");
  vt_client_stop(world.client, AP_E_DEADLINE);
  assert_int_equal(1, world.answered);
  assert_int_equal(AP_E_QUEUED, world.heard[0].code);
  assert_non_null(strstr(world.heard[0].message, "deadline"));
  close_world(&world);
}

static int init(void **state)
{
  struct ap_error err = {0};
  (void)state;
  return ap_clock_init(&err) == AP_OK && net_http_global_init(&err) == AP_OK ? 0 : -1;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_waits_at_one_moment_is_one_list),
      cmocka_unit_test(test_two_who_ask_for_the_same_share_one_request),
      cmocka_unit_test(test_a_fetched_report_is_found_by_its_other_hashes),
      cmocka_unit_test(test_each_fault_ends_as_the_rules_say),
      cmocka_unit_test(test_one_bad_item_does_not_take_its_list_along),
      cmocka_unit_test(test_after_a_refused_key_nothing_more_is_sent),
      cmocka_unit_test(test_without_waiting_a_spent_quota_limits_and_says_until_when),
      cmocka_unit_test(test_an_answer_of_204_counts_against_the_ledger),
      cmocka_unit_test(test_the_deadline_ends_all_that_is_asked),
      cmocka_unit_test(test_a_submission_makes_what_was_known_old),
      cmocka_unit_test(test_a_resource_cannot_smuggle_in_a_list),
      cmocka_unit_test(test_a_callback_may_cancel_who_shares_its_request),
      cmocka_unit_test(test_a_wait_polls_until_the_scan_ends_in_what_the_rules_say),
      cmocka_unit_test(test_the_deadline_leaves_a_wait_pending),
  };
  return cmocka_run_group_tests(tests, init, NULL);
}
