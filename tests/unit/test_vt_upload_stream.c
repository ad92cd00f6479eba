/* Uploads as they stream: what is sent before the contents are known, and what then comes to light.
 */
// SPDX-License-Identifier: Apache-2.0
#include "relay.h"
#include "vt_upload_unit.h"

static void turn(struct world *world)
{
  (void)uv_run(net_loop_uv(world->loop), UV_RUN_NOWAIT);
}

static void turn_times(struct world *world, unsigned times)
{
  for (unsigned i = 0; i < times; i++)
    turn(world);
}

static void open_behind(struct world *world, struct relay *relay, const char *scenario)
{
  struct vt_options options;
  relay_open(relay);
  *world = (struct world){.url = relay->url};
  options_without_quota(&options);
  world_open(world, scenario, &options);
  relay_start(relay, sim_url(world->sim));
}

static void close_both(struct world *world, struct relay *relay)
{
  world_close(world);
  relay_close(relay);
}

static void test_bytes_that_come_late_and_in_pieces_arrive_as_they_are(void **state)
{
  static const struct letters cases[] = {
      {.size = 1, .late_ms = 5},
      {.size = 200, .piece = 7, .late_ms = 1},
      {.size = 300000, .piece = 9999, .late_ms = 1},
      {.size = 4 * NET_SOURCE_READ_MAX, .late_ms = 1},
      {.size = 6 * NET_SOURCE_READ_MAX + 1, .piece = 1000000},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct world world;
    struct letters file = cases[i];
    char sha256[65];
    world_open_plain(&world, NULL);
    upload(&world, &file);
    settle(&world);
    expect_code(&world, 0, AP_OK, "the upload");
    digest_of(&file, sha256);
    assert_string_equal(sha256, world.heard[0].sha256);
    assert_memory_equal(sha256, world.heard[0].scan_id, 64); /* of what the simulator got */
    assert_true(file.is_closed);
    assert_int_equal(0, file.rewinds);
    world_close(&world);
  }
}

static void test_the_last_block_is_not_sent_before_the_end_is_known(void **state)
{
  static const uint64_t before[] = {0, 3 * NET_SOURCE_READ_MAX};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(before); i++) {
    struct relay relay = {0};
    struct world world;
    struct letters file = {.size = before[i] + 1000, .keeps_end = true};
    open_behind(&world, &relay, NULL);
    upload(&world, &file);
    net_timer_start(world.limit, 30000);
    while (file.at < file.size || relay.bytes_up == 0 || relay.bytes_up < before[i])
      turn(&world);
    turn_times(&world, 50);
    net_timer_stop(world.limit);
    assert_true(relay.bytes_up < before[i] + 1000);
    assert_false(relay.saw_mark);
    assert_int_equal(0, world.answered);
    assert_int_equal(0, store_submission_open_count(world.store));
    file.keeps_end = false;
    letters_tell(&file);
    settle(&world);
    expect_code(&world, 0, AP_OK, "the upload");
    assert_true(relay.saw_mark);
    assert_int_equal(1, store_submission_open_count(world.store));
    close_both(&world, &relay);
  }
}

static uint64_t left_id;

static void leave(void *arg, int code, const struct store_submission *submission)
{
  (void)arg;
  assert_int_equal(AP_OK, code);
  left_id = submission->id;
}

/* As a process leaves it that ended between the intent and the answer. */
static void leave_intent(struct world *world, const struct letters *letters)
{
  char sha256[65];
  digest_of(letters, sha256);
  left_id = 0;
  assert_int_equal(AP_PENDING,
                   store_submission_intend(world->store, STORE_UPLOAD, sha256, leave, NULL, NULL));
  net_timer_start(world->limit, 30000);
  while (!left_id)
    turn(world);
  net_timer_stop(world->limit);
}

static void test_what_the_journal_has_already_is_broken_off(void **state)
{
  (void)state;
  for (int is_sent = 0; is_sent < 2; is_sent++) {
    struct relay relay = {0};
    struct world world;
    struct letters file = {.size = 3 * NET_SOURCE_READ_MAX};
    open_behind(&world, &relay, "return {answers={['file/report *']={{code=-2}}}}");
    leave_intent(&world, &file);
    if (is_sent)
      store_submission_sent(world.store, left_id, "the-scan");
    upload(&world, &file);
    settle(&world);
    expect_code(&world, 0, AP_OK, is_sent ? "sent" : "lost");
    assert_int_equal(is_sent, world.heard[0].is_cached);
    if (is_sent)
      assert_string_equal("the-scan", world.heard[0].scan_id);
    assert_int_equal(64, strlen(world.heard[0].sha256));
    assert_false(relay.saw_mark);
    assert_int_equal(0, requests_of(&world, "file/scan"));
    assert_true(world.cost.bytes_sent < file.size); /* as far as it came */
    assert_int_equal(1, store_submission_open_count(world.store));
    close_both(&world, &relay);
  }
}

static void test_what_was_lost_and_is_not_known_is_sent_from_its_beginning(void **state)
{
  struct world world;
  struct letters file = {.size = 100000};
  (void)state;
  world_open_plain(&world, "return {answers={['file/report *']={{code=0}}}}");
  leave_intent(&world, &file);
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the upload");
  assert_int_equal(3, requests_of(&world, "file/report"));
  assert_int_equal(1, requests_of(&world, "file/scan"));
  assert_int_equal(1, file.rewinds);
  assert_int_equal(1, store_submission_open_count(world.store));
  world_close(&world);
}

/* ---- the same contents ---- */

static void test_the_same_contents_are_found_out_and_submitted_once(void **state)
{
  enum { COUNT = 5 };
  (void)state;
  for (unsigned known = 0; known <= COUNT; known++) { /* which of them is; COUNT: none */
    struct world world;
    struct letters files[COUNT];
    world_open_plain(&world, NULL);
    for (unsigned i = 0; i < COUNT; i++) {
      files[i] = (struct letters){.size = 100000, .piece = 1000 * (i + 1), .late_ms = i % 2};
      if (i == known)
        upload_known(&world, &files[i]);
      else
        upload(&world, &files[i]);
    }
    settle(&world);
    for (unsigned i = 0; i < COUNT; i++) {
      expect_code(&world, i, AP_OK, "an upload");
      assert_string_equal(world.heard[0].scan_id, world.heard[i].scan_id);
      assert_string_equal(world.heard[0].sha256, world.heard[i].sha256);
      assert_true(files[i].is_closed);
    }
    assert_int_equal(64, strlen(world.heard[0].sha256));
    assert_int_equal(1, requests_of(&world, "file/scan"));
    assert_int_equal(1, store_submission_open_count(world.store));
    world_close(&world);
  }
}

static void test_a_joined_upload_is_sent_when_the_other_is_gone(void **state)
{
  struct world world;
  struct letters first = {.size = 1000};
  struct letters second = {.size = 1000, .late_ms = 1};
  (void)state;
  world_open_plain(&world, "return {answers={['file/scan *']={{status=500, delay_ms=1500},"
                           "{pass=true}}, ['file/report *']={{code=0}}}}");
  struct vt_upload *gone = upload_unheard(&world, &first, NULL);
  upload(&world, &second);
  net_timer_start(world.limit, 30000);
  while (world.cost.shared == 0 || requests_of(&world, "file/scan") == 0)
    turn(&world);
  net_timer_stop(world.limit);
  vt_upload_cancel(gone);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the second");
  assert_int_equal(1, second.rewinds);
  assert_int_equal(2, requests_of(&world, "file/scan"));
  world_close(&world);
}

/* ---- files that change ---- */

static void test_contents_that_are_not_the_expected_are_not_submitted(void **state)
{
  struct world world;
  struct letters changed = {.size = 100000};
  struct letters good = {.size = 100000};
  const struct vt_ask_options options = {.cost = &world.cost};
  char expected[65];
  char real[65];
  (void)state;
  world_open_plain(&world, NULL);
  digest_of(&changed, expected);
  changed.is_other = true;
  digest_of(&changed, real);
  upload_as(&world, &changed, "a", expected, &options);
  settle(&world);
  expect_code(&world, 0, AP_E_IO, "a changed file");
  assert_non_null(strstr(world.heard[0].message, "changed"));
  assert_string_equal(real, world.heard[0].sha256);
  assert_int_equal(0, requests_of(&world, NULL));
  assert_int_equal(0, store_submission_open_count(world.store));
  upload_as(&world, &changed, "a", expected, &options);
  upload_as(&world, &good, "b", expected, &options);
  settle(&world);
  expect_code(&world, 1, AP_E_IO, "a changed file");
  expect_code(&world, 2, AP_OK, "one that shared its place");
  assert_string_equal(real, world.heard[1].sha256);
  assert_string_equal(expected, world.heard[2].sha256);
  assert_int_equal(1, requests_of(&world, "file/scan"));
  world_close(&world);
}

static void test_a_file_that_changed_before_it_is_sent_again_is_not(void **state)
{
  struct world world;
  struct letters file = {.size = 100000, .changes = true};
  (void)state;
  world_open_plain(&world, "return {answers={['file/scan *']={{status=500}},"
                           "['file/report *']={{code=0}}}}");
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_E_IO, "the upload");
  assert_non_null(strstr(world.heard[0].message, "changed"));
  assert_int_equal(1, file.rewinds);
  assert_int_equal(1, requests_of(&world, "file/scan"));
  assert_int_equal(0, store_submission_open_count(world.store));
  world_close(&world);
}

/* ---- canceling and stopping ---- */

static unsigned heard_before;

static void hear_before(void *arg, const struct vt_answer *answer)
{
  (void)arg;
  (void)answer;
  heard_before++;
}

static void test_an_upload_may_be_canceled_at_any_moment(void **state)
{
  (void)state;
  for (unsigned turns = 0; turns < 40; turns++) {
    struct world world;
    struct letters gone = {.size = 200000, .piece = 50000};
    struct letters other = {.size = 200000, .piece = 50000};
    const struct vt_ask_options options = {0};
    struct vt_upload *canceled = NULL;
    world_open_plain(&world, NULL);
    struct net_source source = letters_source(&world, &gone);
    heard_before = 0;
    assert_int_equal(AP_PENDING, vt_upload(world.client, &source, "a", NULL, &options, hear_before,
                                           NULL, &canceled));
    if (turns % 2)
      upload(&world, &other);
    else
      ask(&world, VT_FILE_REPORT, EICAR);
    for (unsigned i = 0; i < turns && !heard_before; i++)
      turn(&world);
    assert_int_equal(heard_before, gone.is_closed);
    if (!heard_before) {
      vt_upload_cancel(canceled);
      heard_before = 2; /* that it is not heard any more is seen below */
    }
    assert_true(gone.is_closed);
    if (world.answered < world.asked)
      settle(&world);
    expect_code(&world, 0, AP_OK, "the other");
    assert_true(heard_before < 3);
    world_close(&world);
  }
}

static void test_a_stop_at_any_moment_answers_and_leaves_no_false_trace(void **state)
{
  (void)state;
  for (unsigned turns = 0; turns < 30; turns++) {
    struct relay relay = {0};
    struct world world;
    struct letters file = {.size = 200000, .piece = 50000};
    open_behind(&world, &relay, "return {answers={['* *']={{pass=true, delay_ms=500}}}}");
    upload(&world, &file);
    turn_times(&world, turns * turns);
    vt_client_stop(world.client, AP_E_DEADLINE);
    assert_int_equal(1, world.answered);
    assert_true(file.is_closed);
    bool may_have = world.heard[0].code == AP_E_QUEUED;
    if (!may_have)
      expect_code(&world, 0, AP_E_DEADLINE, "not submitted");
    net_timer_start(world.limit, 30000); /* an intent is given back when it has been written */
    while (store_submission_open_count(world.store) != may_have)
      turn(&world);
    close_both(&world, &relay);
    assert_true(may_have || !relay.saw_mark);
  }
}

/* ---- patience ---- */

static void test_a_slow_source_does_not_use_up_the_time_of_virustotal(void **state)
{
  struct world world = {0};
  struct vt_options options;
  struct letters file = {.size = 100, .piece = 10, .late_ms = 250};
  (void)state;
  options_without_quota(&options);
  options.timeout_ms = 1200; /* it takes twice as long to read */
  world_open(&world, NULL, &options);
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the upload");
  assert_int_equal(1, world.cost.requests);
  world_close(&world);
}

static void test_a_virustotal_that_is_silent_is_a_timeout(void **state)
{
  struct world world = {0};
  struct vt_options options;
  struct letters file = {.size = 100};
  (void)state;
  options_without_quota(&options);
  options.timeout_ms = 200;
  options.retries = 0;
  world_open(&world,
             "return {answers={['file/scan *']={{delay_ms=5000}}, "
             "['file/report *']={{code=-2}}}}",
             &options);
  upload(&world, &file);
  settle(&world);
  assert_int_equal(1, requests_of(&world, "file/report")); /* it was in doubt */
  world_close(&world);
}

static void test_an_answer_that_comes_before_the_file_did_is_none(void **state)
{
  static const struct {
    const char *early;
    int code;
    unsigned scans;
  } cases[] = {
      {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", AP_OK, 1},
      {"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", AP_E_UNAUTHORIZED, 0},
      {"HTTP/1.1 413 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", AP_E_TOO_LARGE, 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct relay relay = {.cuts = 1, .early = cases[i].early};
    struct world world;
    struct letters file = {.size = 2000, .keeps_end = true};
    open_behind(&world, &relay, NULL);
    upload(&world, &file);
    net_timer_start(world.limit, 30000);
    while (file.rewinds == 0 && !world.answered)
      turn(&world);
    file.keeps_end = false;
    net_timer_stop(world.limit);
    if (!world.answered) {
      letters_tell(&file);
      settle(&world);
    }
    expect_code(&world, 0, cases[i].code, cases[i].early);
    assert_int_equal(cases[i].scans, requests_of(&world, NULL));
    assert_int_equal(cases[i].scans, store_submission_open_count(world.store));
    close_both(&world, &relay);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bytes_that_come_late_and_in_pieces_arrive_as_they_are),
      cmocka_unit_test(test_the_last_block_is_not_sent_before_the_end_is_known),
      cmocka_unit_test(test_what_the_journal_has_already_is_broken_off),
      cmocka_unit_test(test_what_was_lost_and_is_not_known_is_sent_from_its_beginning),
      cmocka_unit_test(test_the_same_contents_are_found_out_and_submitted_once),
      cmocka_unit_test(test_a_joined_upload_is_sent_when_the_other_is_gone),
      cmocka_unit_test(test_contents_that_are_not_the_expected_are_not_submitted),
      cmocka_unit_test(test_a_file_that_changed_before_it_is_sent_again_is_not),
      cmocka_unit_test(test_an_upload_may_be_canceled_at_any_moment),
      cmocka_unit_test(test_a_stop_at_any_moment_answers_and_leaves_no_false_trace),
      cmocka_unit_test(test_a_slow_source_does_not_use_up_the_time_of_virustotal),
      cmocka_unit_test(test_a_virustotal_that_is_silent_is_a_timeout),
      cmocka_unit_test(test_an_answer_that_comes_before_the_file_did_is_none),
  };
  return cmocka_run_group_tests(tests, vt_unit_init, NULL);
}
