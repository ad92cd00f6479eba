/* Large uploads against the simulator: where they go, and what becomes of those that are cut. */
// SPDX-License-Identifier: Apache-2.0
#include "relay.h"
#include "vt_upload_unit.h"

enum { LARGE_BYTES = 33 * 1024 * 1024 };

static void test_a_file_over_32_mib_goes_to_an_upload_url(void **state)
{
  struct world world;
  struct letters file = {.size = LARGE_BYTES};
  (void)state;
  world_open_plain(&world, NULL);
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the upload");
  assert_int_equal(0, requests_of(&world, "file/scan"));
  assert_int_equal(1, requests_of(&world, "file/scan/upload_url"));
  assert_int_equal(1, requests_of(&world, "_ah/upload"));
  assert_int_equal(2, world.cost.quota);
  assert_int_equal(1, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_the_limit_of_32_mib_is_of_the_whole_request(void **state)
{
  struct world world;
  struct letters file = {.size = 32 * 1024 * 1024 - 10};
  (void)state;
  world_open_plain(&world, NULL);
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the upload");
  assert_int_equal(1, requests_of(&world, "_ah/upload"));
  world_close(&world);
}

static void test_each_upload_url_that_is_not_virustotals_is_refused(void **state)
{
  static const char *const urls[] = {
      "https://evil.example/upload",
      "https://virustotal.com.evil.example/upload",
      "https://evilvirustotal.com/upload",
      "https://www.virustotal.com@evil.example/upload",
      "http://www.virustotal.com/upload", /* the base is not https: no upgrade */
      "http://127.0.0.1:1/upload",
      "http://localhost/upload",
      "file:///etc/passwd",
      "ftp://www.virustotal.com/upload",
      "",
      "https://evil.example\\u0000.virustotal.com/",
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(urls); i++) {
    struct world world;
    struct letters file = {.size = LARGE_BYTES};
    char scenario[300];
    (void)snprintf(scenario, sizeof(scenario),
                   "return {answers={['file/scan/upload_url *']={[[{\"upload_url\":\"%s\"}]]}}}",
                   urls[i]);
    world_open_plain(&world, scenario);
    upload(&world, &file);
    settle(&world);
    expect_code(&world, 0, AP_E_BAD_ANSWER, urls[i]);
    assert_int_equal(0, file.reads);
    assert_null(strstr(world.heard[0].message, "evil"));
    assert_int_equal(0, store_submission_open_count(world.store));
    world_close(&world);
  }
}

static void test_a_key_without_upload_urls_is_forbidden_large_files_alone(void **state)
{
  struct world world;
  struct letters file = {.size = LARGE_BYTES};
  (void)state;
  world_open_plain(&world, "return {answers={['file/scan/upload_url *']={{status=403}}}}");
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_E_FORBIDDEN, "the upload");
  assert_false(vt_client_is_refused(world.client));
  world_close(&world);
}

static void test_an_upload_url_is_asked_for_again_as_a_look_up_is(void **state)
{
  struct world world;
  struct letters file = {.size = LARGE_BYTES};
  (void)state;
  world_open_plain(&world, "return {answers={['file/scan/upload_url *']={{status=500},"
                           "{cut='before'},{pass=true}}}}");
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the upload");
  assert_int_equal(3, requests_of(&world, "file/scan/upload_url"));
  world_close(&world);
}

static void test_an_upload_url_that_never_comes_is_told_as_it_failed(void **state)
{
  static const struct {
    const char *step;
    int code;
    unsigned asked;
  } cases[] = {
      {"{status=500}", AP_E_SERVER, 4},
      {"{cut='before'}", AP_E_NETWORK, 4},
      {"{status=404}", AP_E_BAD_ANSWER, 1},
      {"[[{}]]", AP_E_BAD_ANSWER, 1},
      {"[[{\"upload_url\":7}]]", AP_E_BAD_ANSWER, 1},
      {"{garbage=true}", AP_E_BAD_ANSWER, 1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct world world;
    struct letters file = {.size = LARGE_BYTES};
    char scenario[128];
    (void)snprintf(scenario, sizeof(scenario), "return {answers={['file/scan/upload_url *']={%s}}}",
                   cases[i].step);
    world_open_plain(&world, scenario);
    upload(&world, &file);
    settle(&world);
    expect_code(&world, 0, cases[i].code, cases[i].step);
    assert_int_equal(cases[i].asked, requests_of(&world, "file/scan/upload_url"));
    assert_int_equal(0, file.reads);
    assert_int_equal(0, store_submission_open_count(world.store));
    world_close(&world);
  }
}

static void test_quota_that_was_spent_elsewhere_limits_a_large_file(void **state)
{
  static const char *const statuses[] = {"204", "429"};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(statuses); i++) {
    struct world world = {0};
    struct vt_options options;
    struct letters file = {.size = LARGE_BYTES};
    char scenario[128];
    (void)snprintf(scenario, sizeof(scenario),
                   "return {answers={['file/scan/upload_url *']={{status=%s}}}}", statuses[i]);
    options_without_quota(&options);
    options.stop_on_limit = true;
    world_open(&world, scenario, &options);
    upload(&world, &file);
    settle(&world);
    expect_code(&world, 0, AP_E_LIMITED, statuses[i]);
    assert_int_equal(1, requests_of(&world, NULL));
    assert_int_equal(0, file.reads);
    assert_int_equal(0, store_submission_open_count(world.store));
    world_close(&world);
  }
}

static void test_a_file_over_the_limit_is_not_sent(void **state)
{
  struct world world = {0};
  struct vt_options options;
  struct letters file = {.size = 1001};
  (void)state;
  options_without_quota(&options);
  assert_int_equal(200000000, options.upload_max_bytes);
  options.upload_max_bytes = 1000;
  world_open(&world, NULL, &options);
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_E_TOO_LARGE, "the upload");
  assert_non_null(strstr(world.heard[0].message, "1001"));
  assert_int_equal(0, requests_of(&world, NULL));
  world_close(&world);
}

/* ---- a connection that is cut while the file is on its way ---- */

static void upload_through_cuts(unsigned cuts, int code, unsigned arrived)
{
  struct relay relay = {.cuts = cuts};
  relay_open(&relay);
  struct world world = {.url = relay.url};
  struct vt_options options;
  struct letters file = {.size = 30 * 1024 * 1024};
  options_without_quota(&options);
  world_open(&world, NULL, &options);
  relay_start(&relay, sim_url(world.sim));
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, code, "the upload");
  assert_int_equal(arrived, requests_of(&world, NULL));
  assert_int_equal(1, file.rewinds);
  assert_int_equal(arrived, store_submission_open_count(world.store));
  world_close(&world);
  relay_close(&relay);
}

static void test_cut_before_the_last_byte_it_is_sent_once_more(void **state)
{
  (void)state;
  upload_through_cuts(1, AP_OK, 1);
}

static void test_cut_before_the_last_byte_twice_it_fails(void **state)
{
  (void)state;
  upload_through_cuts(2, AP_E_NETWORK, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_file_over_32_mib_goes_to_an_upload_url),
      cmocka_unit_test(test_the_limit_of_32_mib_is_of_the_whole_request),
      cmocka_unit_test(test_each_upload_url_that_is_not_virustotals_is_refused),
      cmocka_unit_test(test_a_key_without_upload_urls_is_forbidden_large_files_alone),
      cmocka_unit_test(test_an_upload_url_is_asked_for_again_as_a_look_up_is),
      cmocka_unit_test(test_an_upload_url_that_never_comes_is_told_as_it_failed),
      cmocka_unit_test(test_quota_that_was_spent_elsewhere_limits_a_large_file),
      cmocka_unit_test(test_a_file_over_the_limit_is_not_sent),
      cmocka_unit_test(test_cut_before_the_last_byte_it_is_sent_once_more),
      cmocka_unit_test(test_cut_before_the_last_byte_twice_it_fails),
  };
  return cmocka_run_group_tests(tests, vt_unit_init, NULL);
}
