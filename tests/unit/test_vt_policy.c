/* What the policy denies does not reach VirusTotal by any call of the client, nor the journal. */
// SPDX-License-Identifier: Apache-2.0
#include "vt_upload_unit.h"

#define URL "http://unknown.example/a"

static struct vt_policy *policy_new(const char *rule, const char *value)
{
  struct vt_policy *policy = NULL;
  struct ap_error err = {0};
  assert_int_equal(AP_OK, vt_policy_new(&policy));
  assert_int_equal(AP_OK, vt_policy_tighten(policy, rule, value, false, &err));
  return policy;
}

static void open_with(struct world *world, const struct vt_policy *policy)
{
  struct vt_options options;
  options_without_quota(&options);
  options.policy = policy;
  *world = (struct world){0};
  world_open(world, NULL, &options);
}

static void expect_denied(const struct world *world, unsigned index, const char *says)
{
  expect_code(world, index, AP_E_DENIED, says);
  if (!strstr(world->heard[index].message, says))
    fail_msg("%s: %s", says, world->heard[index].message);
}

static void expect_nothing_left(const struct world *world)
{
  assert_int_equal(0, requests_of(world, NULL));
  assert_int_equal(0, store_submission_open_count(world->store));
  assert_int_equal(0, world->cost.quota);
  assert_int_equal(0, world->cost.requests);
}

static void test_every_call_is_judged(void **state)
{
  static const struct {
    enum vt_call call;
    const char *resource;
  } cases[] = {
      {VT_FILE_REPORT, EICAR},   {VT_URL_REPORT, URL}, {VT_DOMAIN_REPORT, "unknown.example"},
      {VT_IP_REPORT, "8.8.8.8"}, {VT_COMMENTS, EICAR}, {VT_FILE_RESCAN, EICAR},
      {VT_URL_SCAN, URL},
  };
  struct world world;
  struct vt_policy *policy = policy_new("lookup", "allow");
  const struct vt_ask_options options = {.cost = &world.cost, .about = {.tlp = "red"}};
  (void)state;
  open_with(&world, policy);
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    ask_with(&world, cases[i].call, cases[i].resource, &options);
  settle(&world);
  for (unsigned i = 0; i < COUNT_OF(cases); i++)
    expect_denied(&world, i, "TLP:RED");
  expect_nothing_left(&world);
  world_close(&world);
  vt_policy_free(policy);
}

static void test_what_is_denied_is_not_shared_with_what_is_not(void **state)
{
  struct world world;
  struct vt_policy *policy = policy_new("lookup", "allow");
  const struct vt_ask_options red = {.cost = &world.cost, .about = {.tlp = "red"}};
  (void)state;
  open_with(&world, policy);
  ask(&world, VT_FILE_REPORT, EICAR);
  ask_with(&world, VT_FILE_REPORT, EICAR, &red);
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the first");
  expect_denied(&world, 1, "TLP:RED");
  expect_code(&world, 2, AP_OK, "the third");
  assert_int_equal(1, requests_of(&world, "file/report"));
  world_close(&world);
  vt_policy_free(policy);
}

/* Also by a name that hides what it is, and what was fetched before is not given out again. */
static void test_a_cached_report_is_denied_too(void **state)
{
  struct world world;
  struct vt_policy *policy = policy_new("never_send.domains", "other.example");
  struct ap_error err = {0};
  (void)state;
  open_with(&world, policy);
  ask(&world, VT_URL_REPORT, URL);
  settle(&world);
  assert_int_equal(AP_OK,
                   vt_policy_tighten(policy, "never_send.domains", "unknown.example", true, &err));
  ask(&world, VT_URL_REPORT, URL);
  settle(&world);
  expect_denied(&world, 1, "policy.never_send.domains: unknown.example (of the playbook)");
  assert_int_equal(1, requests_of(&world, NULL));
  world_close(&world);
  vt_policy_free(policy);
}

static void test_an_upload_is_not_even_read(void **state)
{
  static const struct {
    const char *rule, *value;
    struct vt_about about;
  } cases[] = {
      {"upload", "deny", {0}},
      {"upload", "unknown-only", {0}},
      {"never_send.paths", "/home/ana", {.path = "/home/ana/sample.exe", .is_remote = true}},
      {"never_send.paths", "/srv", {.path = "/home/a", .real_path = "/srv/a"}},
      {"lookup", "allow", {.tlp = "amber"}},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    for (int is_known = 0; is_known < 2; is_known++) {
      struct world world;
      struct letters letters = {.size = 100};
      char sha256[65];
      struct vt_policy *policy = policy_new(cases[i].rule, cases[i].value);
      const struct vt_ask_options options = {.cost = &world.cost, .about = cases[i].about};
      open_with(&world, policy);
      digest_of(&letters, sha256);
      (void)upload_as(&world, &letters, "sample.exe", is_known ? sha256 : NULL, &options);
      settle(&world);
      expect_denied(&world, 0, cases[i].about.tlp ? "TLP:AMBER" : cases[i].rule);
      assert_int_equal(0, letters.reads);
      assert_true(letters.is_closed);
      expect_nothing_left(&world);
      world_close(&world);
      vt_policy_free(policy);
    }
}

static void test_a_denied_upload_can_be_canceled(void **state)
{
  struct world world;
  struct letters letters = {.size = 100};
  struct vt_policy *policy = policy_new("upload", "deny");
  (void)state;
  open_with(&world, policy);
  vt_upload_cancel(upload_unheard(&world, &letters, NULL));
  assert_true(letters.is_closed);
  ask(&world, VT_IP_REPORT, "8.8.8.8");
  settle(&world);
  expect_code(&world, 0, AP_OK, "what follows");
  world_close(&world);
  vt_policy_free(policy);
}

static void ignore(void *arg, int code, const struct store_submission *submission)
{
  (void)arg;
  (void)submission;
  assert_int_equal(AP_OK, code);
}

/* As a process leaves it that was killed, under a policy that was another then. */
static void test_a_submission_of_the_journal_is_judged_anew(void **state)
{
  const struct vt_ask_options options = {.priority = VT_RESCAN};
  struct world world;
  struct vt_policy *policy = policy_new("submit", "deny");
  (void)state;
  open_with(&world, policy);
  assert_int_equal(AP_PENDING,
                   store_submission_intend(world.store, STORE_URL_SCAN, URL, ignore, NULL, NULL));
  ask_with(&world, VT_URL_SCAN, URL, &options);
  settle(&world);
  expect_denied(&world, 0, "policy.submit: deny");
  assert_int_equal(0, requests_of(&world, NULL));
  world_close(&world);
  vt_policy_free(policy);
}

static void await_with(struct world *world, const char *scan_id, const struct vt_about *about)
{
  assert_int_equal(AP_PENDING, vt_await(world->client, VT_FILE_REPORT, scan_id, about, &world->cost,
                                        hear, ear_new(world), NULL));
}

/* At once: the wait before the first poll would be a day. */
static void test_a_wait_is_judged_at_once(void **state)
{
  struct vt_options options;
  struct world world = {0};
  struct vt_policy *policy = policy_new("lookup", "deny");
  (void)state;
  options_without_quota(&options);
  options.policy = policy;
  options.poll_interval_ms = 86400000;
  world_open(&world, NULL, &options);
  await_with(&world, EICAR, &(struct vt_about){0});
  await_with(&world, EICAR, &(struct vt_about){.is_own = true, .tlp = "red"});
  settle(&world);
  expect_denied(&world, 0, "policy.lookup: deny");
  expect_denied(&world, 1, "TLP:RED");
  expect_nothing_left(&world);
  world_close(&world);
  vt_policy_free(policy);
}

static void test_the_scan_of_an_own_submission_is_waited_for_without_look_ups(void **state)
{
  const struct vt_about own = {.is_own = true};
  struct vt_options options;
  struct world world = {0};
  struct vt_policy *policy = policy_new("lookup", "deny");
  (void)state;
  options_without_quota(&options);
  options.policy = policy;
  world_open(&world, "return {scan_ms = 1}", &options);
  ask_with(&world, VT_FILE_RESCAN, EICAR, &(struct vt_ask_options){.priority = VT_RESCAN});
  settle(&world);
  expect_code(&world, 0, AP_OK, "the rescan");
  await_with(&world, world.heard[0].scan_id, &own);
  settle(&world);
  expect_code(&world, 1, AP_OK, "the wait");
  world_close(&world);
  vt_policy_free(policy);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_call_is_judged),
      cmocka_unit_test(test_what_is_denied_is_not_shared_with_what_is_not),
      cmocka_unit_test(test_a_cached_report_is_denied_too),
      cmocka_unit_test(test_an_upload_is_not_even_read),
      cmocka_unit_test(test_a_denied_upload_can_be_canceled),
      cmocka_unit_test(test_a_submission_of_the_journal_is_judged_anew),
      cmocka_unit_test(test_a_wait_is_judged_at_once),
      cmocka_unit_test(test_the_scan_of_an_own_submission_is_waited_for_without_look_ups),
  };
  return cmocka_run_group_tests(tests, vt_unit_init, NULL);
}
