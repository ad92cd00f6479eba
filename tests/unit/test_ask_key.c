/* A key that is asked for: what is taken as one, and the terminal it is typed on. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/ask_key.h"

#include <fcntl.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

#define PROMPT "Key: "

/* ---- from a pipe ---- */

/* Asks with this as standard input; what is left of it then is in `rest`. */
static int ask(const char *input, size_t len, struct ap_secret **secret, char rest[64],
               struct ap_error *err)
{
  int ends[2];
  int copy = dup(STDIN_FILENO);
  assert_true(copy >= 0);
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  assert_int_equal(write(ends[1], input, len), (ssize_t)len);
  assert_int_equal(close(ends[1]), 0);
  assert_true(dup2(ends[0], STDIN_FILENO) >= 0);
  int rc = cli_ask_secret("key", PROMPT, secret, err);
  ssize_t left = read(STDIN_FILENO, rest, 63);
  rest[left > 0 ? left : 0] = '\0';
  assert_true(dup2(copy, STDIN_FILENO) >= 0);
  assert_int_equal(close(copy), 0);
  assert_int_equal(close(ends[0]), 0);
  return rc;
}

static void test_a_line_is_a_key_without_the_blanks_around_it(void **state)
{
  static const struct {
    const char *input;
    const char *key; /* NULL: it is none */
    const char *rest;
  } cases[] = {
      {"abc123\n", "abc123", ""},
      {"abc123", "abc123", ""},
      {" \tabc123 \r\n", "abc123", ""},
      {"one\ntwo\n", "one", "two\n"},
      {"", NULL, ""},
      {"\n", NULL, ""},
      {"  \t \n", NULL, ""},
      {"two words\n", NULL, ""},
      {"caf\xc3\xa9\n", NULL, ""},
      {"a\x1b[31m\n", NULL, ""},
      {"a\x7f\n", NULL, ""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_secret *secret = NULL;
    struct ap_error err = {0};
    char rest[64];
    int rc = ask(cases[i].input, strlen(cases[i].input), &secret, rest, &err);
    assert_string_equal(rest, cases[i].rest);
    if (!cases[i].key) {
      assert_int_equal(rc, AP_E_INVALID);
      assert_non_null(strstr(err.text, "key"));
      assert_null(secret);
      continue;
    }
    assert_int_equal(rc, AP_OK);
    assert_true(ap_slice_is(ap_secret_bytes(secret), cases[i].key));
    ap_secret_free(secret);
  }
}

static void test_a_key_that_is_too_long_is_refused_and_not_shown(void **state)
{
  char input[AP_SECRET_MAX_BYTES + 10];
  char rest[64];
  struct ap_secret *secret = NULL;
  struct ap_error err = {0};
  (void)state;
  memset(input, 'k', sizeof(input));
  assert_int_equal(ask(input, sizeof(input), &secret, rest, &err), AP_E_INVALID);
  assert_null(secret);
  assert_non_null(strstr(err.text, "longer than"));
  assert_null(strstr(err.text, "kkk"));
  assert_int_equal(ask(input, AP_SECRET_MAX_BYTES, &secret, rest, &err), AP_OK);
  assert_int_equal(ap_secret_bytes(secret).len, AP_SECRET_MAX_BYTES);
  ap_secret_free(secret);
}

/* ---- on a terminal ---- */

static bool shows_typing(int terminal)
{
  struct termios now;
  assert_int_equal(tcgetattr(terminal, &now), 0);
  return (now.c_lflag & ECHO) != 0;
}

/* A process that asks on the terminal; it ends with 0 when it was told "abc123". */
static pid_t start_asking(int terminal)
{
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid != 0)
    return pid;
  struct ap_secret *secret = NULL;
  struct ap_error err = {0};
  if (dup2(terminal, STDIN_FILENO) < 0 || dup2(terminal, STDERR_FILENO) < 0)
    _exit(9);
  int rc = cli_ask_secret("key", PROMPT, &secret, &err);
  _exit(rc == AP_OK && ap_slice_is(ap_secret_bytes(secret), "abc123") ? 0 : 1);
}

static void wait_until_hidden(int terminal)
{
  uint64_t began_ms = ap_clock_ms();
  while (shows_typing(terminal)) {
    assert_true(ap_clock_ms() - began_ms < 30000);
    (void)sched_yield();
  }
}

static int ended(pid_t pid)
{
  int status = 0;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return status;
}

/* What the terminal showed, and an end of it. */
static void close_terminal(int master, int slave, char text[256])
{
  size_t len = 0;
  ssize_t got;
  assert_int_equal(close(slave), 0);
  while (len < 255 && (got = read(master, text + len, 255 - len)) > 0)
    len += (size_t)got;
  text[len] = '\0';
  assert_int_equal(close(master), 0);
}

static void test_what_is_typed_does_not_show(void **state)
{
  int master = -1;
  int slave = -1;
  char text[256];
  (void)state;
  assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
  pid_t pid = start_asking(slave);
  wait_until_hidden(slave);
  /* Turning the echo off throws away what was typed before: the prompt comes after that. */
  size_t len = strlen(PROMPT);
  for (size_t at = 0; at < len;) {
    ssize_t got = read(master, text + at, len - at);
    assert_true(got > 0);
    at += (size_t)got;
  }
  assert_memory_equal(text, PROMPT, len);
  assert_int_equal(write(master, "abc123\n", 7), 7);
  int status = ended(pid);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  assert_true(shows_typing(slave));
  close_terminal(master, slave, text);
  assert_string_equal(text, "\r\n");
}

static void test_a_signal_gives_the_terminal_back(void **state)
{
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(numbers); i++) {
    int master = -1;
    int slave = -1;
    char text[256];
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    pid_t pid = start_asking(slave);
    wait_until_hidden(slave);
    assert_int_equal(kill(pid, numbers[i]), 0);
    int status = ended(pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), numbers[i]);
    assert_true(shows_typing(slave));
    close_terminal(master, slave, text);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_line_is_a_key_without_the_blanks_around_it),
      cmocka_unit_test(test_a_key_that_is_too_long_is_refused_and_not_shown),
      cmocka_unit_test(test_what_is_typed_does_not_show),
      cmocka_unit_test(test_a_signal_gives_the_terminal_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
