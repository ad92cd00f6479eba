// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static const int codes[] = {
#define X(name, word, text) AP_E_##name,
    AP_ERROR_MAP(X)
#undef X
};

static void test_codes_are_negative_and_differ(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT_OF(codes); i++) {
    assert_true(codes[i] < 0);
    for (size_t j = 0; j < i; j++) {
      assert_int_not_equal(codes[i], codes[j]);
      assert_string_not_equal(ap_error_word(codes[i]), ap_error_word(codes[j]));
    }
  }
}

static void test_words_are_identifiers_and_texts_have_no_full_stop(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT_OF(codes); i++) {
    const char *word = ap_error_word(codes[i]);
    const char *text = ap_error_text(codes[i]);
    assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz_"), strlen(word));
    assert_true(strlen(text) > 0 && text[strlen(text) - 1] != '.');
  }
}

static void test_words_that_scripts_compare_stay(void **state)
{
  (void)state;
  assert_string_equal(ap_error_word(AP_E_LIMITED), "limited");
  assert_string_equal(ap_error_word(AP_E_FORBIDDEN), "forbidden");
  assert_string_equal(ap_error_word(AP_E_UNAUTHORIZED), "unauthorized");
  assert_string_equal(ap_error_word(AP_E_NOT_FOUND), "not_found");
  assert_string_equal(ap_error_word(AP_E_BAD_ANSWER), "bad_answer");
  assert_string_equal(ap_error_word(AP_OK), "ok");
}

static void test_unknown_codes_are_internal(void **state)
{
  (void)state;
  assert_string_equal(ap_error_word(-1000), "internal");
  assert_string_equal(ap_error_word(INT_MIN), "internal");
  assert_string_equal(ap_error_text(INT_MIN), ap_error_text(AP_E_INTERNAL));
}

static void test_fail_fills_and_returns_the_code(void **state)
{
  (void)state;
  struct ap_error err = {0};
  assert_int_equal(ap_fail(&err, AP_E_IO, "line %d: %s", 7, "gone"), AP_E_IO);
  assert_int_equal(err.code, AP_E_IO);
  assert_string_equal(err.text, "line 7: gone");
  assert_int_equal(ap_fail(NULL, AP_E_IO, "nobody listens"), AP_E_IO);
}

static void test_context_goes_before_the_text(void **state)
{
  (void)state;
  struct ap_error err = {0};
  (void)ap_fail(&err, AP_E_TIMEOUT, "no answer");
  assert_int_equal(ap_fail_context(&err, "file report of %s", "aa"), AP_E_TIMEOUT);
  assert_string_equal(err.text, "file report of aa: no answer");
}

static void test_context_without_an_error_is_a_failure_still(void **state)
{
  (void)state;
  assert_int_equal(ap_fail_context(NULL, "lost"), AP_E_INTERNAL);
}

static void test_long_texts_and_contexts_are_cut_to_a_string(void **state)
{
  (void)state;
  struct ap_error err = {0};
  char text[2 * sizeof(err.text)];
  memset(text, 'x', sizeof(text));
  text[sizeof(text) - 1] = '\0';
  (void)ap_fail(&err, AP_E_IO, "%s", text);
  assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
  (void)ap_fail_context(&err, "context");
  assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
  assert_memory_equal(err.text, "context: xxx", 12);
  (void)ap_fail_context(&err, "%s", text);
  assert_true(strlen(err.text) < sizeof(err.text));
}

static void test_broken_promise_ends_the_process(void **state)
{
  (void)state;
  ap_require(1 + 1 == 2);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)dup2(null, STDERR_FILENO);
    (void)signal(SIGABRT, SIG_DFL);
    ap_require(1 + 1 == 3);
    _exit(0);
  }
  int status = 0;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_codes_are_negative_and_differ),
      cmocka_unit_test(test_words_are_identifiers_and_texts_have_no_full_stop),
      cmocka_unit_test(test_words_that_scripts_compare_stay),
      cmocka_unit_test(test_unknown_codes_are_internal),
      cmocka_unit_test(test_fail_fills_and_returns_the_code),
      cmocka_unit_test(test_context_goes_before_the_text),
      cmocka_unit_test(test_context_without_an_error_is_a_failure_still),
      cmocka_unit_test(test_long_texts_and_contexts_are_cut_to_a_string),
      cmocka_unit_test(test_broken_promise_ends_the_process),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
