// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_scenario.h"

#include "sim_unit.h"

/* ---- scenarios ---- */

static void test_steps_follow_each_other_and_the_last_stays(void **state)
{
  (void)state;
  struct sim *sim = start_scenario("{\"answers\": {"
                                   "\"file/report 44D88612fea8a8f36de82e1278abb02f\": ["
                                   "  {\"status\": 503, \"body\": \"<html>busy</html>\"},"
                                   "  {\"status\": 204, \"times\": 2},"
                                   "  {\"queued\": 2},"
                                   "  {\"code\": 0, \"verbose_msg\": \"gone\"},"
                                   "  \"{\\\"response_code\\\": 1, \\\"mine\\\": true}\"],"
                                   "\"url/report http://Example.com\": [{\"code\": -1}],"
                                   "\"ip-address/report *\": [{\"code\": 1, \"times\": 1}],"
                                   "\"domain/report *\": [{\"queued\": 1}]}}");
  static const int statuses[] = {503, 204, 204};
  for (size_t i = 0; i < COUNT_OF(statuses); i++)
    assert_int_equal(ask_eicar(sim, KEY, EICAR_MD5), statuses[i]);
  static const int64_t codes[] = {-2, -2, 0, 1, 1};
  for (size_t i = 0; i < COUNT_OF(codes); i++)
    assert_int_equal(file_code(sim, EICAR_MD5), codes[i]);
  assert_int_equal(file_code(sim, EICAR_SHA1), 1);
  assert_int_equal(code_of(get(sim, "url/report" Q "&resource=example.com")), -1);
  assert_int_equal(code_of(get(sim, "ip-address/report" Q "&ip=10.0.0.1")), 1);
  assert_int_equal(code_of(get(sim, "ip-address/report" Q "&ip=10.0.0.1")), 0);
  assert_int_equal(code_of(get(sim, "domain/report" Q "&domain=example.com")), -2);
  assert_int_equal(code_of(get(sim, "domain/report" Q "&domain=example.com")), 1);
  sim_stop(sim);
}

static void test_a_list_embeds_bodies_leaves_drops_out_and_fails_whole(void **state)
{
  (void)state;
  struct sim *sim =
      start_scenario("{\"answers\": {"
                     "\"file/report " EICAR_MD5 "\": [\"{\\\"resource\\\": \\\"x\\\"}\"],"
                     "\"file/report " EMPTY_MD5 "\": [{\"drop\": true},"
                     "                                {\"status\": 500}]}}");
  const char *form = "apikey=" KEY "&resource=" EICAR_SHA1 "," EICAR_MD5 "," EMPTY_MD5;
  struct answer answer = post(sim, "file/report", form);
  assert_json(&answer);
  assert_int_equal(members(answer.body), 2);
  struct ap_json_walk walk = ap_json_walk(answer.body);
  assert_true(ap_json_next(&walk) && ap_json_next(&walk));
  assert_true(ap_slice_is(walk.value, "{\"resource\": \"x\"}"));
  answer_free(&answer);
  assert_int_equal(status_of(post(sim, "file/report", form)), 500);
  sim_stop(sim);
}

static void test_a_status_costs_nothing_and_a_request_over_quota_takes_no_step(void **state)
{
  (void)state;
  struct sim *sim = start_scenario("{\"keys\": {\"" KEY "\": {\"per_minute\": 1, \"per_day\": 2}},"
                                   " \"answers\": {\"* *\": [{\"status\": 500, \"times\": 3},"
                                   "                         {\"code\": 0}, {\"status\": 502}]}}");
  for (unsigned i = 0; i < 3; i++)
    assert_int_equal(ask_eicar(sim, KEY, EICAR_MD5), 500);
  assert_int_equal(file_code(sim, EICAR_MD5), 0);
  for (unsigned i = 0; i < 3; i++)
    assert_int_equal(ask_eicar(sim, KEY, EICAR_MD5), 204);
  assert_int_equal(ask_eicar(sim, OTHER_KEY, EICAR_MD5), 502);
  sim_stop(sim);
}

static void test_a_step_for_any_item_is_taken_once_a_request(void **state)
{
  (void)state;
  struct sim *sim = start_scenario(
      "{\"answers\": {\"* *\": [{\"status\": 500}, {\"code\": 0}, {\"pass\": true}]}}");
  const char *form = "apikey=" KEY "&resource=" EICAR_MD5 "," EICAR_SHA1;
  static const int64_t codes[] = {0, 1, 1};
  assert_int_equal(status_of(post(sim, "file/report", form)), 500);
  for (size_t i = 0; i < COUNT_OF(codes); i++) {
    struct answer answer = post(sim, "file/report", form);
    assert_json(&answer);
    struct ap_json_walk walk = ap_json_walk(answer.body);
    while (ap_json_next(&walk))
      assert_int_equal(int_in(walk.value, "response_code"), codes[i]);
    answer_free(&answer);
  }
  sim_stop(sim);
}

static void test_a_recorded_body_is_served_byte_for_byte(void **state)
{
  (void)state;
  static const char bytes[] = "{ \"a\" :\t[],\n\"n\": null, \"f\": 1.50 }\n";
  char path[] = "/tmp/apogee-sim-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
  (void)close(fd);
  char scenario[256];
  (void)snprintf(scenario, sizeof(scenario),
                 "{\"answers\": {\"file/report *\": [{\"file\": \"%s\", "
                 "\"content_type\": \"text/x\"}]}}",
                 path);
  struct sim *sim = start_scenario(scenario);
  (void)unlink(path);
  struct answer answer = get(sim, "file/report" Q "&resource=" EICAR_MD5);
  assert_int_equal(answer.body.len, strlen(bytes));
  assert_memory_equal(answer.body.ptr, bytes, strlen(bytes));
  assert_non_null(strstr(answer.text.ptr, "Content-Type: text/x\r\n"));
  answer_free(&answer);
  sim_stop(sim);
}

static void test_answers_are_damaged_on_their_way(void **state)
{
  (void)state;
  static const struct {
    const char *step;
    bool has_status;
    bool is_whole;
    bool is_empty;
  } cases[] = {
      {"{\"cut\": \"before\"}", false, false, true}, {"{\"cut\": \"headers\"}", true, false, true},
      {"{\"cut\": \"middle\"}", true, false, false}, {"{\"truncated\": true}", true, true, false},
      {"{\"garbage\": true}", true, true, false},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char scenario[256];
    (void)snprintf(scenario, sizeof(scenario), "{\"answers\": {\"file/report *\": [%s]}}",
                   cases[i].step);
    struct sim *sim = start_scenario(scenario);
    struct answer answer = get(sim, "file/report" Q "&resource=" EICAR_MD5);
    assert_int_equal(answer.status == 200, cases[i].has_status);
    assert_int_equal(answer.is_whole, cases[i].is_whole);
    assert_int_equal(answer.body.len == 0, cases[i].is_empty);
    assert_true(answer.body.len == 0 ||
                ap_json_check(answer.body, 64, 100000, NULL) == AP_E_BAD_ANSWER);
    answer_free(&answer);
    sim_stop(sim);
  }
}

static void test_an_upload_whose_answer_is_cut_has_arrived(void **state)
{
  (void)state;
  char content[32];
  char sha256[65];
  find_content(false, content);
  assert_int_equal(ap_sha256_hex(content, strlen(content), sha256), AP_OK);
  struct sim *sim = start_scenario("{\"scan_ms\": 0, \"answers\": {\"file/scan sample.bin\": "
                                   "[{\"cut\": \"before\"}, {\"pass\": true}]}}");
  assert_int_equal(status_of(upload(sim, content)), 0);
  assert_int_equal(file_code(sim, sha256), 1);
  assert_int_equal(status_of(upload(sim, content)), 200);
  sim_stop(sim);
}

static void test_faults_strike_every_nth_request(void **state)
{
  (void)state;
  struct sim *sim = start_scenario(
      "{\"faults\": [{\"endpoint\": \"file/report\", \"every\": 3, \"status\": 500}]}");
  for (unsigned i = 1; i <= 9; i++) {
    assert_int_equal(ask_eicar(sim, KEY, EICAR_MD5), i % 3 ? 200 : 500);
    assert_int_equal(status_of(get(sim, "ip-address/report" Q "&ip=8.8.8.8")), 200);
  }
  sim_stop(sim);
}

static void test_keys_of_a_scenario_have_their_own_rights_and_limits(void **state)
{
  (void)state;
  struct sim *sim = start_scenario("{\"keys\": {\"" KEY "\": {\"tier\": \"refused\"}, \"" OTHER_KEY
                                   "\": {\"tier\": \"premium\", \"per_minute\": 2}}}");
  assert_int_equal(ask_eicar(sim, KEY, EICAR_MD5), 403);
  assert_int_equal(status_of(get(sim, "file/scan/upload_url?apikey=" OTHER_KEY)), 200);
  assert_int_equal(ask_eicar(sim, OTHER_KEY, EICAR_MD5), 200);
  assert_int_equal(ask_eicar(sim, OTHER_KEY, EICAR_MD5), 204);
  sim_stop(sim);
}

static void test_a_wrong_scenario_is_refused_with_the_field_named(void **state)
{
  (void)state;
  static const struct {
    const char *scenario;
    const char *message;
  } cases[] = {
      {"{\"answres\": {}}", "scenario: unknown field \"answres\", did you mean \"answers\"?"},
      {"{\"zzz\": 1}", "scenario: unknown field \"zzz\""},
      {"[1]", "scenario: wants a table"},
      {"{\"scan_ms\": \"x\"}", "scenario: scan_ms is a whole number"},
      {"{\"scan_ms\": -1}", "scenario: scan_ms is a whole number"},
      {"{\"answers\": 1}", "scenario: answers: wants a table"},
      {"{\"answers\": {\"file/report\": []}}", "write \"<endpoint> <resource>\""},
      {"{\"answers\": {\"file/reprot x\": [\"\"]}}",
       "unknown endpoint \"file/reprot\", did you mean \"file/report\"?"},
      {"{\"answers\": {\"file/report x\": []}}", "wants a list of steps"},
      {"{\"answers\": {\"file/report x\": [\"\", {\"stauts\": 1}]}}",
       "scenario: answers[\"file/report x\"][2]: unknown field \"stauts\", did you mean "
       "\"status\"?"},
      {"{\"answers\": {\"file/report x\": [{\"every\": 2}]}}", "unknown field \"every\""},
      {"{\"answers\": {\"file/report x\": [{\"status\": 99}]}}",
       "[1]: status is a whole number from 200 to 599"},
      {"{\"answers\": {\"file/report x\": [{\"cut\": \"midle\"}]}}",
       "unknown cut \"midle\", did you mean \"middle\"?"},
      {"{\"answers\": {\"file/report x\": [{\"code\": 2}]}}",
       "code is a whole number from -2 to 1"},
      {"{\"answers\": {\"file/report x\": [{\"code\": 1, \"drop\": true}]}}",
       "code and drop exclude each other"},
      {"{\"answers\": {\"file/report x\": [{\"status\": 500, \"queued\": 1}]}}",
       "status and queued exclude each other"},
      {"{\"answers\": {\"file/report x\": [{\"queued\": 1, \"times\": 2}]}}",
       "queued and times exclude each other"},
      {"{\"answers\": {\"file/report x\": [{\"file\": \"/no/such\"}]}}",
       "\"/no/such\" cannot be read"},
      {"{\"answers\": {\"file/report AA\": [\"\"], \"file/report aa\": [\"\"]}}", "stands twice"},
      {"{\"faults\": [{\"endpoint\": \"x\"}]}", "scenario: faults[1]: unknown endpoint \"x\""},
      {"{\"faults\": [{\"every\": 0}]}", "scenario: faults[1]: every is a whole number"},
      {"{\"keys\": {\"abc\": {}}}", "a key is 64 lower-case hex characters"},
      {"{\"keys\": {\"" KEY "\": {\"tier\": \"premum\"}}}",
       "scenario: keys[\"0123...\"]: unknown tier \"premum\", did you mean \"premium\"?"},
      {"{\"keys\": {\"" KEY "\": {\"per_hour\": 1}}}", "unknown field \"per_hour\""},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct sim_options options = free_options(false);
    struct ap_value scenario;
    struct sim *sim = NULL;
    struct ap_error err = {0};
    scenario_parse(cases[i].scenario, &scenario);
    options.scenario = &scenario;
    int rc = sim_start(&options, &sim, &err);
    if (rc == AP_OK || err.code != rc || !strstr(err.text, cases[i].message))
      fail_msg("%s gave %d %s", cases[i].scenario, rc, err.text);
    assert_null(sim);
    ap_value_deinit(&scenario);
  }
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      SIM_TEST(test_steps_follow_each_other_and_the_last_stays),
      SIM_TEST(test_a_list_embeds_bodies_leaves_drops_out_and_fails_whole),
      SIM_TEST(test_a_status_costs_nothing_and_a_request_over_quota_takes_no_step),
      SIM_TEST(test_a_step_for_any_item_is_taken_once_a_request),
      SIM_TEST(test_a_recorded_body_is_served_byte_for_byte),
      SIM_TEST(test_answers_are_damaged_on_their_way),
      SIM_TEST(test_an_upload_whose_answer_is_cut_has_arrived),
      SIM_TEST(test_faults_strike_every_nth_request),
      SIM_TEST(test_keys_of_a_scenario_have_their_own_rights_and_limits),
      SIM_TEST(test_a_wrong_scenario_is_refused_with_the_field_named),
  };
  return cmocka_run_group_tests(tests, reset_clock, NULL);
}
