/* Another program, run to its end. */
// SPDX-License-Identifier: Apache-2.0
#include "base/child.h"

#include <signal.h>
#include <string.h>

#include "unit.h"

struct ran {
  struct ap_buf out;
  struct ap_buf err;
  struct ap_child_end end;
};

static void run(const char *script, const char *input, uint64_t limit_ms, struct ran *ran)
{
  const char *argv[] = {"/bin/sh", "-c", script, NULL};
  const char *envp[] = {"WORD=given", NULL};
  const struct ap_child child = {
      .argv = argv, .envp = envp, .input = {input, strlen(input)}, .limit_ms = limit_ms};
  struct ap_error err = {0};
  *ran = (struct ran){0};
  if (ap_child_run(&child, &ran->out, &ran->err, &ran->end, &err) != AP_OK)
    fail_msg("%s", err.text);
}

static void free_ran(struct ran *ran)
{
  ap_buf_deinit(&ran->out);
  ap_buf_deinit(&ran->err);
}

static void test_streams_environment_and_exit_code_are_its_own(void **state)
{
  struct ran ran;
  (void)state;
  run("cat; echo \" $WORD $HOME\"; echo no >&2; exit 7", "in", 60000, &ran);
  assert_string_equal("in given \n", ap_buf_cstr(&ran.out));
  assert_string_equal("no\n", ap_buf_cstr(&ran.err));
  assert_int_equal(7, ran.end.exit_code);
  assert_int_equal(0, ran.end.signal_number);
  assert_false(ran.end.was_late);
  free_ran(&ran);
}

static void test_much_output_does_not_block(void **state)
{
  struct ran ran;
  (void)state;
  run("head -c 1000000 /dev/zero; head -c 200000 /dev/zero >&2", "", 60000, &ran);
  assert_int_equal(1000000, ran.out.len);
  assert_int_equal(200000, ran.err.len);
  free_ran(&ran);
}

static void test_a_signal_is_told_from_an_exit_code(void **state)
{
  struct ran ran;
  (void)state;
  run("kill -TERM $$", "", 60000, &ran);
  assert_int_equal(SIGTERM, ran.end.signal_number);
  assert_int_equal(-1, ran.end.exit_code);
  assert_false(ran.end.was_late);
  free_ran(&ran);
}

static void test_one_that_does_not_end_is_killed(void **state)
{
  struct ran ran;
  (void)state;
  run("trap '' TERM; while :; do :; done", "", 50, &ran);
  assert_true(ran.end.was_late);
  assert_int_equal(SIGKILL, ran.end.signal_number);
  free_ran(&ran);
}

static volatile sig_atomic_t is_stopped;

static void stop(int number)
{
  (void)number;
  is_stopped = 1;
}

/* The child itself interrupts its parent, which then asks it to end. */
static void test_one_is_asked_to_end_when_its_parent_is(void **state)
{
  const char *argv[] = {"/bin/sh", "-c",
                        "trap 'echo asked; exit 3' TERM; kill -INT $PPID; while :; do :; done",
                        NULL};
  const char *envp[] = {NULL};
  const struct ap_child child = {
      .argv = argv, .envp = envp, .limit_ms = 60000, .stop = &is_stopped};
  const struct sigaction action = {.sa_handler = stop};
  struct sigaction before;
  struct ran ran = {0};
  struct ap_error err = {0};
  (void)state;
  assert_int_equal(0, sigaction(SIGINT, &action, &before));
  assert_int_equal(AP_OK, ap_child_run(&child, &ran.out, &ran.err, &ran.end, &err));
  assert_int_equal(0, sigaction(SIGINT, &before, NULL));
  assert_string_equal("asked\n", ap_buf_cstr(&ran.out));
  assert_int_equal(3, ran.end.exit_code);
  free_ran(&ran);
}

static void test_a_program_that_is_not_there_is_an_error(void **state)
{
  const char *argv[] = {"/nowhere/program", NULL};
  const char *envp[] = {NULL};
  const struct ap_child child = {.argv = argv, .envp = envp, .limit_ms = 1000};
  struct ap_child_end end;
  struct ap_buf out = {0};
  struct ap_error err = {0};
  (void)state;
  assert_int_equal(AP_E_IO, ap_child_run(&child, &out, &out, &end, &err));
  assert_non_null(strstr(err.text, "/nowhere/program: No such file"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_streams_environment_and_exit_code_are_its_own),
      cmocka_unit_test(test_much_output_does_not_block),
      cmocka_unit_test(test_a_signal_is_told_from_an_exit_code),
      cmocka_unit_test(test_one_that_does_not_end_is_killed),
      cmocka_unit_test(test_one_is_asked_to_end_when_its_parent_is),
      cmocka_unit_test(test_a_program_that_is_not_there_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
