/* What is sent once, the same of both stores: intent, answer, and what is taken back. */
// SPDX-License-Identifier: Apache-2.0
enum { REPORT_BYTES = 65536 };

#include "both_stores.h"

static struct store_once found;
static char body[64];

static void told(void *arg, int code, const struct store_once *once)
{
  struct desk *desk = arg;
  assert_int_equal(AP_OK, code);
  desk->is_told = true;
  found = *once;
  (void)snprintf(body, sizeof(body), "%.*s", (int)once->body.len,
                 once->body.ptr ? once->body.ptr : "");
}

static enum store_once_state intend(struct desk *desk, const char *run, const char *name)
{
  assert_int_equal(AP_PENDING, store_once_intend(desk->store, run, name, told, desk, NULL));
  desk_wait(desk);
  return found.state;
}

static void sent(struct desk *desk, const char *name, long status, const char *text)
{
  store_once_sent(desk->store, "run", name, status, (struct ap_slice){text, strlen(text)});
}

static void test_an_intent_is_new_once_and_lost_then(void **state)
{
  struct desk *desk = *state;
  assert_int_equal(STORE_ONCE_NEW, intend(desk, "run", "a"));
  assert_int_equal(STORE_ONCE_LOST, intend(desk, "run", "a"));
  assert_int_equal(STORE_ONCE_NEW, intend(desk, "run", "b"));
  assert_int_equal(STORE_ONCE_NEW, intend(desk, "another", "a"));
}

static void test_an_answer_is_given_again(void **state)
{
  struct desk *desk = *state;
  assert_int_equal(STORE_ONCE_NEW, intend(desk, "run", "a"));
  sent(desk, "a", 201, "{\"id\":7}");
  for (int i = 0; i < 2; i++) {
    assert_int_equal(STORE_ONCE_SENT, intend(desk, "run", "a"));
    assert_int_equal(201, found.status);
    assert_string_equal("{\"id\":7}", body);
  }
  assert_int_equal(STORE_ONCE_NEW, intend(desk, "run", "b"));
  sent(desk, "b", 204, "");
  assert_int_equal(STORE_ONCE_SENT, intend(desk, "run", "b"));
  assert_string_equal("", body);
}

static void test_what_never_left_is_taken_back_and_what_was_answered_stays(void **state)
{
  struct desk *desk = *state;
  assert_int_equal(STORE_ONCE_NEW, intend(desk, "run", "a"));
  store_once_undo(desk->store, "run", "a");
  assert_int_equal(STORE_ONCE_NEW, intend(desk, "run", "a"));
  sent(desk, "a", 200, "x");
  store_once_undo(desk->store, "run", "a");
  store_once_undo(desk->store, "run", "never");
  assert_int_equal(STORE_ONCE_SENT, intend(desk, "run", "a"));
}

static void never(void *arg, int code, const struct store_once *once)
{
  (void)arg;
  (void)code;
  (void)once;
  fail_msg("it was canceled");
}

static void test_a_canceled_intent_is_none(void **state)
{
  struct desk *desk = *state;
  struct store_op *op = NULL;
  assert_int_equal(AP_PENDING, store_once_intend(desk->store, "run", "a", never, NULL, &op));
  store_cancel(op);
  assert_int_equal(STORE_ONCE_NEW, intend(desk, "run", "b")); /* the first was told by now */
  assert_int_equal(STORE_ONCE_NEW, intend(desk, "run", "a"));
}

static void test_another_process_finds_what_was_sent(void **state)
{
  struct desk first = {0};
  struct desk second = {0};
  (void)state;
  folder_make(&folder);
  desk_open(&first, &folder);
  assert_int_equal(STORE_ONCE_NEW, intend(&first, "run", "lost"));
  assert_int_equal(STORE_ONCE_NEW, intend(&first, "run", "a"));
  sent(&first, "a", 200, "x");
  desk_close(&first);
  desk_open(&second, &folder);
  assert_int_equal(STORE_ONCE_LOST, intend(&second, "run", "lost"));
  assert_int_equal(STORE_ONCE_SENT, intend(&second, "run", "a"));
  assert_string_equal("x", body);
  desk_close(&second);
  folder_remove(&folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_STORE(test_an_intent_is_new_once_and_lost_then),
      WITH_STORE(test_an_answer_is_given_again),
      WITH_STORE(test_what_never_left_is_taken_back_and_what_was_answered_stays),
      WITH_STORE(test_a_canceled_intent_is_none),
  };
  const struct CMUnitTest disk_tests[] = {
      cmocka_unit_test(test_another_process_finds_what_was_sent),
  };
  int failed = cmocka_run_group_tests_name("in memory", tests, NULL, NULL);
  is_on_disk = true;
  failed += cmocka_run_group_tests_name("on disk", tests, NULL, NULL);
  return failed + cmocka_run_group_tests_name("two processes", disk_tests, NULL, NULL);
}
