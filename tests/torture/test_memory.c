/* What ends and what is said when memory is out. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/table.h"
#include "fail.h"
#include "net/http_memory.h"
#include "script_unit.h"

enum { EXIT_LIMIT = 6, SAID_MAX = 4096 };

/* Runs it in a process of its own; what that wrote to standard error, and its exit code. */
static int run_apart(void (*what)(void), char said[SAID_MAX])
{
  int ends[2];
  int status;
  size_t len = 0;
  ssize_t more;
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    (void)dup2(ends[1], STDERR_FILENO);
    what();
    _exit(0);
  }
  (void)close(ends[1]);
  while ((more = read(ends[0], said + len, SAID_MAX - 1 - len)) > 0)
    len += (size_t)more;
  said[len] = '\0';
  (void)close(ends[0]);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

/* ---- what cannot go on ---- */

static void must_hold(void)
{
  struct ap_buf buf = {0};
  torture_fail("own", 1);
  ap_buf_add_str(&buf, "x");
  ap_buf_must(&buf);
}

static void add_to_a_table(void)
{
  struct item {
    int key;
    UT_hash_handle hh;
  };
  struct item item = {.key = 1};
  struct item *table = NULL;
  torture_fail("own", 1);
  HASH_ADD_INT(table, key, &item);
}

static void ask_for_curl(void)
{
  torture_fail("curl", 1);
  free(net_http_malloc(10));
}

static void grow_for_curl(void)
{
  void *ptr = net_http_calloc(1, 10);
  torture_fail("curl", 1);
  free(net_http_realloc(ptr, 20));
}

static void copy_for_curl(void)
{
  torture_fail("curl", 1);
  free(net_http_strdup("text"));
}

static void begin_to_decode(void)
{
  torture_fail("cjson", 1);
  (void)bench_setup(NULL);
}

static void decode(void)
{
  (void)bench_setup(NULL);
  torture_fail("cjson", 1);
  (void)run("return json.decode('{\"a\":[1,2]}')");
}

static void test_what_cannot_go_on_ends_with_6(void **state)
{
  static void (*const cases[])(void) = {must_hold,     add_to_a_table,  ask_for_curl, grow_for_curl,
                                        copy_for_curl, begin_to_decode, decode};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char said[SAID_MAX];
    if (run_apart(cases[i], said) != EXIT_LIMIT || !strstr(said, "apogee: out of memory\n"))
      fail_msg("case %zu: %s", i, said);
  }
}

static void shrink_for_curl(void)
{
  void *ptr = net_http_malloc(10);
  torture_fail("curl", 2);
  free(net_http_realloc(ptr, 0));
}

static void test_to_ask_for_nothing_is_no_failure(void **state)
{
  char said[SAID_MAX];
  (void)state;
  assert_int_equal(run_apart(shrink_for_curl, said), 0);
}

/* ---- what is said ---- */

static void say_as_text(void)
{
  torture_fail("own", 1);
  ap_log(AP_LOG_NET, AP_LOG_ERROR, "a \"word\"\033 more");
}

static void say_as_json(void)
{
  ap_log_set_json(true);
  say_as_text();
}

static void tell_event(void)
{
  ap_log_set_json(true);
  torture_fail("own", 1);
  ap_log_event("began", (struct ap_slice){"\"a\":1", 5});
}

static void test_a_line_needs_no_memory(void **state)
{
  char said[SAID_MAX];
  (void)state;
  assert_int_equal(run_apart(say_as_text, said), 0);
  assert_string_equal(said, "apogee: error: a ?word?? more\n");
  assert_int_equal(run_apart(say_as_json, said), 0);
  assert_non_null(
      strstr(said, "\"level\":\"error\",\"area\":\"net\",\"message\":\"a ?word?? more\"}"));
  assert_int_equal(run_apart(tell_event, said), 0);
  assert_string_equal(said, ""); /* half an event is none */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_cannot_go_on_ends_with_6),
      cmocka_unit_test(test_to_ask_for_nothing_is_no_failure),
      cmocka_unit_test(test_a_line_needs_no_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
