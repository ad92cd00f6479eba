/* Uploads against the simulator: what each answer, and each missing one, ends in. */
// SPDX-License-Identifier: Apache-2.0
#include "vt_upload_unit.h"

static void test_an_upload_is_journalled_and_waited_for(void **state)
{
  struct world world;
  struct letters file = {.size = 100000};
  char sha256[65];
  (void)state;
  world_open_plain(&world, "return {scan_ms = 1}");
  digest_of(&file, sha256);
  upload(&world, &file);
  assert_int_equal(0, store_submission_open_count(world.store));
  settle(&world);
  expect_code(&world, 0, AP_OK, "the upload");
  assert_memory_equal(sha256, world.heard[0].scan_id, 64);
  assert_int_equal(1, store_submission_open_count(world.store));
  assert_int_equal(1, world.cost.requests);
  assert_int_equal(1, world.cost.quota);
  assert_true(world.cost.bytes_sent > file.size && world.cost.bytes_sent < file.size + 1024);
  await(&world, world.heard[0].scan_id);
  settle(&world);
  expect_code(&world, 1, AP_OK, "the wait");
  assert_int_equal(0, store_submission_open_count(world.store));
  world_close(&world);
}

struct upload_case {
  const char *name;
  const char *scenario;
  int code;
  unsigned scans;   /* requests of file/scan */
  unsigned reports; /* and of file/report */
  unsigned open;    /* in the journal */
  const char *says; /* in the message; NULL: anything */
};

static void expect_each_answer(struct vt_upload *begin(struct world *, struct letters *))
{
  static const struct upload_case cases[] = {
      {"5xx, and it is queued",
       "return {answers={['file/scan *']={{status=503}},['file/report *']={{code=-2}}}}", AP_OK, 1,
       1, 1, NULL},
      {"5xx, and it is known",
       "return {answers={['file/scan *']={{status=500}},['file/report *']={{code=1}}}}", AP_OK, 1,
       1, 1, NULL},
      {"5xx, and it is not known",
       "return {answers={['file/scan *']={{status=500},{pass=true}},['file/report *']={{code=0}}}}",
       AP_OK, 2, 1, 1, NULL},
      {"5xx again, and it is not known",
       "return {answers={['file/scan *']={{status=500}},['file/report *']={{code=0}}}}",
       AP_E_SERVER, 2, 1, 0, "HTTP 500"},
      {"5xx, and the look-up fails too",
       "return {answers={['file/scan *']={{status=500}},['file/report *']={{status=502}}}}",
       AP_E_SERVER, 1, 4, 1, "HTTP 502"},
      {"broken JSON, and it is queued", "return {answers={['file/scan *']={{truncated=true}}}}",
       AP_OK, 1, 1, 1, NULL},
      {"JSON that is no receipt, and it is not known",
       "return {answers={['file/scan *']={'[]',{pass=true}},['file/report *']={{code=0}}}}", AP_OK,
       2, 1, 1, NULL},
      {"no answer, and it is queued", "return {answers={['file/scan *']={{cut='before'}}}}", AP_OK,
       1, 1, 1, NULL},
      {"no answer, and it is known late",
       "return {answers={['file/scan *']={{cut='before'}},"
       "['file/report *']={{code=0},{code=0},{pass=true}}}}",
       AP_OK, 1, 3, 1, NULL},
      {"no answer, and it is not known",
       "return {answers={['file/scan *']={{cut='before'}},['file/report *']={{code=0}}}}",
       AP_E_NETWORK, 1, 3, 0, "may have arrived"},
      {"half an answer is none",
       "return {answers={['file/scan *']={{cut='middle'}},['file/report *']={{code=0}}}}",
       AP_E_NETWORK, 1, 3, 0, "may have arrived"},
      {"413", "return {answers={['file/scan *']={{status=413}}}}", AP_E_TOO_LARGE, 1, 0, 0, "413"},
      {"400", "return {answers={['file/scan *']={{status=400}}}}", AP_E_REJECTED, 1, 0, 0, "400"},
      {"404", "return {answers={['file/scan *']={{status=404}}}}", AP_E_BAD_ANSWER, 1, 0, 0,
       "is virustotal.url right?"},
      {"-1", "return {answers={['file/scan *']={{code=-1, verbose_msg='no thanks'}}}}",
       AP_E_REJECTED, 1, 0, 0, "no thanks"},
      {"no scan id", "return {answers={['file/scan *']={'{\"response_code\":1}'}}}", AP_OK, 1, 0, 1,
       NULL},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct world world;
    struct letters file = {.size = 1000};
    const struct upload_case *c = &cases[i];
    char sha256[65];
    world_open_plain(&world, c->scenario);
    begin(&world, &file);
    settle(&world);
    expect_code(&world, 0, c->code, c->name);
    if (requests_of(&world, "file/scan") != c->scans ||
        requests_of(&world, "file/report") != c->reports ||
        store_submission_open_count(world.store) != c->open)
      fail_msg("%s: %u uploads, %u look-ups, %zu open", c->name, requests_of(&world, "file/scan"),
               requests_of(&world, "file/report"), store_submission_open_count(world.store));
    if (c->says && !strstr(world.heard[0].message, c->says))
      fail_msg("%s: %s", c->name, world.heard[0].message);
    digest_of(&file, sha256);
    assert_string_equal(sha256, world.heard[0].sha256);
    world_close(&world);
  }
}

static void test_each_answer_to_an_upload_ends_as_the_rules_say(void **state)
{
  (void)state;
  expect_each_answer(upload);
  expect_each_answer(upload_known);
}

static void test_a_receipt_without_scan_id_is_waited_for_by_the_hash(void **state)
{
  struct world world;
  struct letters file = {.size = 1000};
  char sha256[65];
  (void)state;
  world_open_plain(&world, "return {answers={['file/scan *']={'{\"response_code\":1}'}, "
                           "['file/report *']={{code=1}}}}");
  upload(&world, &file);
  settle(&world);
  assert_string_equal("", world.heard[0].scan_id);
  assert_int_equal(1, store_submission_open_count(world.store));
  digest_of(&file, sha256);
  await(&world, sha256);
  settle(&world);
  expect_code(&world, 1, AP_OK, "the wait");
  assert_int_equal(0, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_a_403_is_about_the_key_when_nothing_was_accepted_before(void **state)
{
  static const char scenario[] = "return {answers={['file/scan *']={{status=403}}}}";
  struct world world;
  struct letters file = {.size = 1000};
  const struct vt_ask_options with_report = {.has_report = true};
  (void)state;
  world_open_plain(&world, scenario);
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_E_UNAUTHORIZED, "a first upload");
  assert_true(vt_client_is_refused(world.client));
  assert_string_equal("HTTP 403", vt_client_refusal(world.client));
  world_close(&world);

  world_open_plain(&world, scenario);
  upload_as(&world, &file, "a", NULL, &with_report);
  settle(&world);
  expect_code(&world, 0, AP_E_FORBIDDEN, "with a report in hand");
  assert_null(vt_client_refusal(world.client));
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 2, AP_E_FORBIDDEN, "after a look-up");
  assert_int_equal(0, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_of_a_name_only_its_last_part_is_sent_and_nothing_that_ends_a_header(void **state)
{
  static const char *const names[][2] = {
      {"/home/ana/q1.exe", "q1.exe"},
      {"C:\\Users\\ana\\q2.exe", "q2.exe"},
      {"q\"3\r\nX: y.exe", "q_3__X: y.exe"},
      {"/home/ana/", "file"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    struct world world;
    struct letters file = {.size = 1000};
    const struct vt_ask_options options = {0};
    char scenario[200];
    (void)snprintf(scenario, sizeof(scenario),
                   "return {answers={[ [[file/scan %s]] ]={{code=-1}}}}", names[i][1]);
    world_open_plain(&world, scenario);
    upload_as(&world, &file, names[i][0], NULL, &options);
    settle(&world);
    expect_code(&world, 0, AP_E_REJECTED, names[i][0]); /* the name is what the scenario knows */
    world_close(&world);
  }
}

static void test_a_source_that_fails_or_ends_early_submits_nothing(void **state)
{
  static const struct {
    struct letters file;
    const char *says;
  } cases[] = {{{.size = 3000000, .fails_at = 2000000}, "the disk is broken"},
               {{.size = 3000000, .ends_at = 2000000}, "changed"}};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct world world;
    struct letters file = cases[i].file;
    world_open_plain(&world, NULL);
    upload(&world, &file);
    settle(&world);
    expect_code(&world, 0, AP_E_IO, "a broken source");
    assert_non_null(strstr(world.heard[0].message, cases[i].says));
    assert_string_equal("", world.heard[0].sha256);
    assert_true(file.is_closed);
    assert_int_equal(0, store_submission_open_count(world.store));
    assert_int_equal(0, requests_of(&world, NULL));
    assert_int_equal(1, world.cost.requests);
    world_close(&world);
  }
}

static void test_two_uploads_of_the_same_contents_are_one(void **state)
{
  struct world world;
  struct letters first = {.size = 1000};
  struct letters second = {.size = 1000};
  (void)state;
  world_open_plain(&world, NULL);
  upload_known(&world, &first);
  upload_known(&world, &second);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the first");
  expect_code(&world, 1, AP_OK, "the second");
  assert_string_equal(world.heard[0].scan_id, world.heard[1].scan_id);
  assert_string_equal(world.heard[0].sha256, world.heard[1].sha256);
  assert_int_equal(1, requests_of(&world, "file/scan"));
  assert_int_equal(1, world.cost.shared);
  assert_int_equal(0, second.reads);
  assert_true(first.is_closed && second.is_closed);
  world_close(&world);
}

static void test_when_one_source_fails_that_of_another_is_sent(void **state)
{
  struct world world;
  struct letters broken = {.size = 3000000, .fails_at = 2000000};
  struct letters good = {.size = 3000000};
  (void)state;
  world_open_plain(&world, NULL);
  upload_known(&world, &broken);
  upload_known(&world, &good);
  settle(&world);
  expect_code(&world, 0, AP_E_IO, "the broken one");
  expect_code(&world, 1, AP_OK, "the good one");
  world_close(&world);
}

/* ---- canceling ---- */

static struct vt_upload *to_cancel;
static struct letters *its_letters;

static void cancel_when_it_is_read(struct world *world)
{
  (void)world;
  if (!to_cancel || its_letters->at == 0)
    return;
  vt_upload_cancel(to_cancel);
  assert_true(its_letters->is_closed);
  to_cancel = NULL;
}

static void test_an_upload_that_is_canceled_before_its_turn_sends_nothing(void **state)
{
  struct world world;
  struct letters file = {.size = 1000};
  (void)state;
  world_open_plain(&world, NULL);
  vt_upload_cancel(upload_unheard(&world, &file, NULL));
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  assert_int_equal(0, requests_of(&world, "file/scan"));
  assert_int_equal(0, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_a_canceled_upload_leaves_the_other_its_own_source(void **state)
{
  struct world world;
  struct letters first = {.size = 30 * 1024 * 1024}; /* more than the sockets take at once */
  struct letters second = {.size = 30 * 1024 * 1024};
  char sha256[65];
  (void)state;
  world_open_plain(&world, NULL);
  digest_of(&first, sha256);
  to_cancel = upload_unheard(&world, &first, sha256);
  its_letters = &first;
  world.each_turn = cancel_when_it_is_read;
  upload_known(&world, &second);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the second");
  assert_true(first.is_closed && first.at < first.size);
  assert_true(second.at == second.size);
  world_close(&world);
}

static void test_an_upload_that_is_all_read_goes_on_for_the_journal(void **state)
{
  struct world world = {0};
  struct vt_options options;
  struct letters file = {.size = 1000};
  (void)state;
  options_without_quota(&options);
  options.jobs = 1; /* the look-up goes out when the upload is over */
  world_open(&world, "return {answers={['file/scan *']={{delay_ms=50}}}}", &options);
  to_cancel = upload_unheard(&world, &file, NULL);
  its_letters = &file;
  until_requested(&world, 1);
  world.each_turn = cancel_when_it_is_read;
  ask(&world, VT_IP_REPORT, "8.8.8.8");
  settle(&world);
  assert_true(file.is_closed);
  assert_int_equal(1, store_submission_open_count(world.store));
  assert_true(end_submission(&world, &file)); /* its scan id was there */
  world_close(&world);
}

static void test_the_deadline_leaves_an_upload_on_the_wire_open(void **state)
{
  struct world world;
  struct letters file = {.size = 1000};
  (void)state;
  world_open_plain(&world, "return {answers={['* *']={{pass=true, delay_ms=2000}}}}");
  upload(&world, &file);
  until_requested(&world, 1);
  vt_client_stop(world.client, AP_E_DEADLINE);
  assert_int_equal(1, world.answered);
  expect_code(&world, 0, AP_E_QUEUED, "the upload");
  assert_int_equal(1, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_without_quota_an_upload_waits_behind_look_ups(void **state)
{
  struct world world = {0};
  struct vt_options options;
  struct letters file = {.size = 1000};
  (void)state;
  options_without_quota(&options);
  options.limits.per_minute = 1;
  options.stop_on_limit = true;
  world_open(&world, NULL, &options);
  upload(&world, &file);
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  expect_code(&world, 0, AP_E_LIMITED, "the upload");
  expect_code(&world, 1, AP_OK, "the look-up");
  assert_int_equal(0, requests_of(&world, "file/scan"));
  world_close(&world);
}

static void test_a_204_to_an_upload_is_not_a_submission(void **state)
{
  struct world world = {0};
  struct vt_options options;
  struct letters file = {.size = 1000};
  (void)state;
  options_without_quota(&options);
  options.stop_on_limit = true;
  world_open(&world, "return {answers={['file/scan *']={{status=204}}}}", &options);
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_E_LIMITED, "the upload");
  assert_int_equal(0, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_what_is_no_sha256_is_refused_and_its_source_closed(void **state)
{
  struct world world;
  struct letters file = {.size = 1000};
  const struct vt_ask_options options = {0};
  (void)state;
  world_open_plain(&world, NULL);
  struct net_source source = letters_source(&world, &file);
  assert_int_equal(AP_E_INVALID,
                   vt_upload(world.client, &source, "a", EICAR, &options, hear, NULL, NULL));
  assert_true(file.is_closed);
  assert_int_equal(AP_E_INVALID,
                   vt_ask(world.client, VT_FILE_SCAN, EICAR_SHA256, &options, hear, NULL, NULL));
  world_close(&world);
}

static void test_a_file_of_no_bytes_is_not_sent(void **state)
{
  struct world world;
  struct letters file = {.size = 0};
  (void)state;
  world_open_plain(&world, NULL);
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_E_INVALID, "the upload");
  assert_int_equal(0, requests_of(&world, NULL));
  world_close(&world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_upload_is_journalled_and_waited_for),
      cmocka_unit_test(test_each_answer_to_an_upload_ends_as_the_rules_say),
      cmocka_unit_test(test_a_receipt_without_scan_id_is_waited_for_by_the_hash),
      cmocka_unit_test(test_a_403_is_about_the_key_when_nothing_was_accepted_before),
      cmocka_unit_test(test_of_a_name_only_its_last_part_is_sent_and_nothing_that_ends_a_header),
      cmocka_unit_test(test_a_source_that_fails_or_ends_early_submits_nothing),
      cmocka_unit_test(test_two_uploads_of_the_same_contents_are_one),
      cmocka_unit_test(test_when_one_source_fails_that_of_another_is_sent),
      cmocka_unit_test(test_an_upload_that_is_canceled_before_its_turn_sends_nothing),
      cmocka_unit_test(test_a_canceled_upload_leaves_the_other_its_own_source),
      cmocka_unit_test(test_an_upload_that_is_all_read_goes_on_for_the_journal),
      cmocka_unit_test(test_the_deadline_leaves_an_upload_on_the_wire_open),
      cmocka_unit_test(test_without_quota_an_upload_waits_behind_look_ups),
      cmocka_unit_test(test_a_204_to_an_upload_is_not_a_submission),
      cmocka_unit_test(test_what_is_no_sha256_is_refused_and_its_source_closed),
      cmocka_unit_test(test_a_file_of_no_bytes_is_not_sent),
  };
  return cmocka_run_group_tests(tests, vt_unit_init, NULL);
}
