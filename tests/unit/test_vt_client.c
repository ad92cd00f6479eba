/* The client against the simulator, over real HTTP on loopback. */
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vt_unit.h"

static void test_what_waits_at_one_moment_is_one_list(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  world_open(&world, NULL, &options);
  ask(&world, VT_FILE_REPORT, EICAR);
  ask(&world, VT_FILE_REPORT, "00000000000000000000000000000001");
  ask(&world, VT_FILE_REPORT, "00000000000000000000000000000002");
  settle(&world);
  assert_int_equal(AP_OK, world.heard[0].code);
  assert_int_equal(1, world.cost.requests);
  assert_int_equal(3, world.cost.quota);
  world_close(&world);
}

static void test_two_who_ask_for_the_same_share_one_request(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  world_open(&world, NULL, &options);
  ask(&world, VT_FILE_REPORT, EICAR);
  ask(&world, VT_FILE_REPORT, "44D88612FEA8A8F36DE82E1278ABB02F");
  settle(&world);
  assert_int_equal(AP_OK, world.heard[1].code);
  assert_int_equal(1, world.cost.quota);
  assert_int_equal(1, world.cost.shared);
  world_close(&world);
}

static void test_a_fetched_report_is_found_by_its_other_hashes(void **state)
{
  static const char sha256[] = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f";
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  world_open(&world, NULL, &options);
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  ask(&world, VT_FILE_REPORT, sha256);
  settle(&world);
  assert_true(world.heard[1].is_cached);
  assert_int_equal(1, world.cost.quota);
  assert_int_equal(1, world.cost.cached);
  world_close(&world);
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
      {"404 is no answer of VirusTotal's", "return {answers={['file/report *']={{status=404}}}}",
       VT_FILE_REPORT, EICAR, AP_E_BAD_ANSWER, 1},
      {"a redirect is not followed", "return {answers={['file/report *']={{status=302}}}}",
       VT_FILE_REPORT, EICAR, AP_E_BAD_ANSWER, 1},
      {"403 on a look-up refuses the key", "return {answers={['file/report *']={{status=403}}}}",
       VT_FILE_REPORT, EICAR, AP_E_UNAUTHORIZED, 1},
      {"403 on a rescan is about that alone", "return {answers={['file/rescan *']={{status=403}}}}",
       VT_FILE_RESCAN, EICAR, AP_E_FORBIDDEN, 1},
      {"a rescan is never tried again", "return {answers={['file/rescan *']={{status=500}}}}",
       VT_FILE_RESCAN, EICAR, AP_E_SERVER, 1},
      {"code 1 without scans is not yet",
       "return {answers={['file/report *']={'{\"response_code\":1,\"scan_id\":\"s-1\"}'}}}",
       VT_FILE_REPORT, EICAR, AP_E_QUEUED, 1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct world world = {0};
    struct vt_options options;
    options_without_quota(&options);
    world_open(&world, cases[i].scenario, &options);
    ask(&world, cases[i].call, cases[i].resource);
    settle(&world);
    if (world.heard[0].code != cases[i].code || world.cost.requests != cases[i].requests)
      fail_msg("%s: %s (%s) after %llu requests", cases[i].name, ap_error_word(world.heard[0].code),
               world.heard[0].message, (unsigned long long)world.cost.requests);
    assert_null(strstr(world.heard[0].message, KEY));
    world_close(&world);
  }
}

static void test_answers_of_others_say_what_may_be_wrong(void **state)
{
  static const char *const cases[][2] = {
      {"{status=404}", "HTTP 404: is virustotal.url right?"},
      {"{status=308}", "HTTP 308, which sends elsewhere: is virustotal.url right?"},
      {"{status=407}", "HTTP 407: the proxy wants a name"},
      {"{status=502}", "HTTP 502"},
      {"{body='hello',content_type='text/html; charset=utf-8'}", "a web page, not JSON"},
      {"'\\n <!doctype html>'", "a web page, not JSON"},
      {"'hello'", "not valid JSON at byte 0"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct world world = {0};
    struct vt_options options;
    char scenario[200];
    (void)snprintf(scenario, sizeof(scenario), "return {answers={['* *']={%s}}}", cases[i][0]);
    options_without_quota(&options);
    options.retries = 0;
    world_open(&world, scenario, &options);
    ask(&world, VT_FILE_REPORT, EICAR);
    settle(&world);
    if (!strstr(world.heard[0].message, cases[i][1]))
      fail_msg("%s: %s", cases[i][0], world.heard[0].message);
    world_close(&world);
  }
}

static void test_one_bad_item_does_not_take_its_list_along(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  options.retries = 1;
  world_open(&world,
             "return {answers={['file/report 00000000000000000000000000000001']={{drop=true}}}}",
             &options);
  ask(&world, VT_FILE_REPORT, EICAR);
  ask(&world, VT_FILE_REPORT, "00000000000000000000000000000001");
  ask(&world, VT_FILE_REPORT, "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f");
  settle(&world);
  assert_int_equal(AP_OK, world.heard[0].code);
  assert_int_equal(AP_E_BAD_ANSWER, world.heard[1].code);
  assert_int_equal(AP_OK, world.heard[2].code);
  world_close(&world);
}

static void test_after_a_refused_key_nothing_more_is_sent(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  world_open(&world, "return {answers={['* *']={{status=403}}}}", &options);
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  assert_true(vt_client_is_refused(world.client));
  assert_string_equal("HTTP 403", vt_client_refusal(world.client));
  ask(&world, VT_IP_REPORT, "8.8.8.8");
  settle(&world);
  assert_int_equal(AP_E_UNAUTHORIZED, world.heard[1].code);
  assert_int_equal(1, world.cost.requests);
  world_close(&world);
}

static void test_without_waiting_a_spent_quota_limits_and_says_until_when(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  options.limits.per_minute = 2;
  options.stop_on_limit = true;
  world_open(&world, NULL, &options);
  for (unsigned i = 0; i < 4; i++) {
    char hash[33];
    (void)snprintf(hash, sizeof(hash), "%032u", i + 1);
    ask(&world, VT_FILE_REPORT, hash);
  }
  settle(&world);
  assert_int_equal(2, world.cost.quota);
  assert_int_equal(AP_E_LIMITED, world.heard[3].code);
  assert_non_null(strstr(world.heard[3].message, "returns at 2"));
  world_close(&world);
}

static void test_an_answer_of_204_counts_against_the_ledger(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  options.stop_on_limit = true;
  world_open(&world, "return {answers={['* *']={{status=204}}}}", &options);
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  assert_int_equal(AP_E_LIMITED, world.heard[0].code);
  assert_int_equal(1, world.cost.requests);
  assert_false(vt_client_is_refused(world.client));
  world_close(&world);
}

static void test_the_deadline_ends_all_that_is_asked(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  world_open(&world, NULL, &options);
  ask(&world, VT_FILE_REPORT, EICAR);
  vt_client_turn(world.client);
  ask(&world, VT_IP_REPORT, "8.8.8.8");
  vt_client_stop(world.client, AP_E_DEADLINE);
  assert_int_equal(2, world.answered);
  assert_int_equal(AP_E_DEADLINE, world.heard[0].code);
  assert_int_equal(AP_E_DEADLINE, world.heard[1].code);
  world_close(&world);
}

static void test_a_submission_makes_what_was_known_old(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  world_open(&world, "return {answers={['url/report *']={{code=0},{pass=true}}}}", &options);
  ask(&world, VT_URL_REPORT, "http://www.virustotal.com/");
  settle(&world);
  assert_int_equal(AP_E_NOT_FOUND, world.heard[0].code);
  ask(&world, VT_URL_SCAN, "http://www.virustotal.com/");
  settle(&world);
  assert_int_equal(AP_OK, world.heard[1].code);
  ask(&world, VT_URL_REPORT, "http://www.virustotal.com/");
  settle(&world);
  assert_false(world.heard[2].is_cached);
  world_close(&world);
}

static void test_a_resource_cannot_smuggle_in_a_list(void **state)
{
  const struct vt_ask_options ask_options = {.priority = VT_LOOKUP};
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  world_open(&world, NULL, &options);
  assert_int_equal(AP_E_INVALID, vt_ask(world.client, VT_FILE_REPORT, EICAR "," EICAR, &ask_options,
                                        hear, NULL, NULL));
  assert_int_equal(AP_E_INVALID, vt_ask(world.client, VT_URL_SCAN, "http://a/\nhttp://b/",
                                        &ask_options, hear, NULL, NULL));
  world_close(&world);
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
  struct world world = {0};
  struct vt_options options;
  int first = 0;
  (void)state;
  options_without_quota(&options);
  world_open(&world, NULL, &options);
  assert_int_equal(AP_PENDING, vt_ask(world.client, VT_FILE_REPORT, EICAR, &ask_options,
                                      cancel_second, &first, NULL));
  assert_int_equal(AP_PENDING, vt_ask(world.client, VT_FILE_REPORT, EICAR, &ask_options, hear, NULL,
                                      &second_ask));
  vt_client_stop(world.client, AP_E_CANCELED); /* it waits in line still */
  assert_int_equal(1, first);
  world_close(&world);
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
    struct world world = {0};
    struct vt_options options;
    options_without_quota(&options);
    options.poll_interval_ms = 4;
    world_open(&world, cases[i].scenario, &options);
    await(&world, cases[i].resource);
    settle(&world);
    if (world.heard[0].code != cases[i].code || world.cost.requests != cases[i].requests)
      fail_msg("%s: %s (%s) after %llu requests", cases[i].name, ap_error_word(world.heard[0].code),
               world.heard[0].message, (unsigned long long)world.cost.requests);
    world_close(&world);
  }
}

static void test_the_deadline_leaves_a_wait_pending(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  world_open(&world, NULL, &options);
  await(&world, "s-1");
  vt_client_stop(world.client, AP_E_DEADLINE);
  assert_int_equal(1, world.answered);
  assert_int_equal(AP_E_QUEUED, world.heard[0].code);
  assert_non_null(strstr(world.heard[0].message, "deadline"));
  world_close(&world);
}

static void ask_for_comments(struct world *world, const char *hash)
{
  const struct vt_ask_options options = {.priority = VT_COMMENT, .cost = &world->cost};
  ask_with(world, VT_COMMENTS, hash, &options);
}

static void test_comments_are_wanted_as_the_options_say(void **state)
{
  static const struct {
    bool has_comments;
    enum vt_comments comments;
    bool risky, other;
  } cases[] = {{false, VT_COMMENTS_ALL, false, false},
               {true, VT_COMMENTS_ALL, true, true},
               {true, VT_COMMENTS_RISKY, true, false},
               {true, VT_COMMENTS_NONE, false, false}};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct world world = {0};
    struct vt_options options;
    options_without_quota(&options);
    options.has_comments = cases[i].has_comments;
    options.comments = cases[i].comments;
    world_open(&world, NULL, &options);
    assert_int_equal(cases[i].risky, vt_comments_are_wanted(world.client, true));
    assert_int_equal(cases[i].other, vt_comments_are_wanted(world.client, false));
    world_close(&world);
  }
}

static void test_comments_that_were_refused_are_not_asked_for_again(void **state)
{
  struct world world = {0};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  options.has_comments = true;
  options.jobs = 1;
  world_open(&world, "return {answers={['comments/get *']={{status=403}}}}", &options);
  ask_for_comments(&world, EICAR);
  ask_for_comments(&world, "00000000000000000000000000000001"); /* in line at that moment */
  settle(&world);
  assert_false(vt_comments_are_wanted(world.client, true));
  ask_for_comments(&world, "00000000000000000000000000000002");
  assert_int_equal(2, world.answered); /* not before the turn */
  settle(&world);
  for (unsigned i = 0; i < 3; i++)
    expect_code(&world, i, AP_E_FORBIDDEN, "comments");
  assert_int_equal(1, requests_of(&world, NULL));
  assert_int_equal(1, world.cost.requests);
  ask(&world, VT_FILE_REPORT, EICAR); /* the key itself is not refused */
  settle(&world);
  expect_code(&world, 3, AP_OK, "a look-up");
  world_close(&world);
}

/* A port of our own where nobody listens. */
static int open_deaf_port(char url[64])
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(0, bind(fd, (struct sockaddr *)&address, len));
  assert_int_equal(0, getsockname(fd, (struct sockaddr *)&address, &len));
  (void)snprintf(url, 64, "http://127.0.0.1:%u/vtapi/v2", (unsigned)ntohs(address.sin_port));
  return fd;
}

static void test_a_client_that_was_never_answered_says_why(void **state)
{
  char url[64];
  int fd = open_deaf_port(url);
  struct world world = {.url = url};
  struct vt_options options;
  (void)state;
  options_without_quota(&options);
  world_open(&world, NULL, &options);
  assert_null(vt_client_unreachable(world.client)); /* nothing failed yet */
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  expect_code(&world, 0, AP_E_NETWORK, "the look-up");
  assert_false(vt_client_was_answered(world.client));
  assert_string_equal(world.heard[0].message, vt_client_unreachable(world.client));
  world_close(&world);
  (void)close(fd);
}

static void test_one_answer_is_enough_to_be_reachable(void **state)
{
  struct world world;
  (void)state;
  world_open_plain(&world, "return {answers={['file/report *']={{cut='before'}},"
                           "['ip-address/report *']={{status=500}}}}");
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  assert_non_null(vt_client_unreachable(world.client));
  ask(&world, VT_IP_REPORT, "8.8.8.8");
  settle(&world);
  assert_null(vt_client_unreachable(world.client));
  assert_null(vt_client_refusal(world.client));
  world_close(&world);
}

static void stop_client(void *arg, const struct vt_answer *answer)
{
  struct world *world = arg;
  (void)answer;
  vt_client_stop(world->client, AP_E_CANCELED);
}

static void test_a_callback_may_stop_the_client_in_the_middle_of_a_list(void **state)
{
  const struct vt_ask_options ask_options = {.priority = VT_LOOKUP};
  struct world world;
  (void)state;
  world_open_plain(&world, NULL);
  assert_int_equal(AP_PENDING, vt_ask(world.client, VT_FILE_REPORT, EICAR, &ask_options,
                                      stop_client, &world, NULL));
  ask(&world, VT_FILE_REPORT, "00000000000000000000000000000001"); /* in the same list */
  ask(&world, VT_IP_REPORT, "8.8.8.8");                            /* elsewhere */
  settle(&world);
  assert_int_equal(1, requests_of(&world, "file/report"));
  world_close(&world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_waits_at_one_moment_is_one_list),
      cmocka_unit_test(test_two_who_ask_for_the_same_share_one_request),
      cmocka_unit_test(test_a_fetched_report_is_found_by_its_other_hashes),
      cmocka_unit_test(test_each_fault_ends_as_the_rules_say),
      cmocka_unit_test(test_answers_of_others_say_what_may_be_wrong),
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
      cmocka_unit_test(test_comments_are_wanted_as_the_options_say),
      cmocka_unit_test(test_comments_that_were_refused_are_not_asked_for_again),
      cmocka_unit_test(test_a_client_that_was_never_answered_says_why),
      cmocka_unit_test(test_one_answer_is_enough_to_be_reachable),
      cmocka_unit_test(test_a_callback_may_stop_the_client_in_the_middle_of_a_list),
  };
  return cmocka_run_group_tests(tests, vt_unit_init, NULL);
}
