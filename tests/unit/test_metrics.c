/* cli/metrics: the text, and what is kept of the file before. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/metrics.h"
#include "folder.h"

static struct metrics of_exit(int exit_code, const char *target)
{
  return (struct metrics){
      .command = "run",
      .target = target,
      .started_unix_ms = 1764000000000,
      .ended_unix_ms = 1764000001007,
      .duration_ms = 1007,
      .exit_code = exit_code,
      .status = "completed",
  };
}

static void read_file(const char *path, char *text, size_t size)
{
  FILE *file = fopen(path, "re");
  assert_non_null(file);
  text[fread(text, 1, size - 1, file)] = '\0';
  (void)fclose(file);
}

static void test_values_are_escaped_and_utf8(void **state)
{
  (void)state;
  struct ap_buf out = {0};
  const struct metrics metrics = of_exit(0, "a\"\\\n\xff\xc3\xbc");
  metrics_render(&metrics, "", &out);
  assert_non_null(strstr(ap_buf_cstr(&out), "target=\"a\\\"\\\\\\n\xef\xbf\xbd\xc3\xbc\""));
  assert_non_null(strstr(ap_buf_cstr(&out), "apogee_run_duration_seconds{command=\"run\""));
  assert_non_null(strstr(ap_buf_cstr(&out), "} 1.007\n"));
  assert_non_null(strstr(ap_buf_cstr(&out), "} 1764000001.007\n"));
  assert_null(strstr(ap_buf_cstr(&out), "last_success"));
  ap_buf_deinit(&out);
}

/* The last success of another job is none of this one. */
static void test_the_last_success_is_kept_by_runs_that_are_none(void **state)
{
  (void)state;
  static const struct {
    int exit_code;
    const char *target;
    const char *says; /* NULL: nothing of a success */
  } runs[] = {
      {1, "a", NULL}, {0, "a", "1764000001.007"},  {3, "a", "1764000001.007"}, {1, "b", NULL},
      {3, "a", NULL}, {10, "a", "1764000001.007"}, {2, "a", "1764000001.007"},
  };
  struct folder folder;
  struct ap_error err = {0};
  char path[300];
  char text[8192];
  folder_make(&folder);
  (void)snprintf(path, sizeof(path), "%s/apogee.db", folder.path);
  for (size_t i = 0; i < COUNT_OF(runs); i++) {
    const struct metrics metrics = of_exit(runs[i].exit_code, runs[i].target);
    assert_int_equal(metrics_write(&metrics, path, &err), AP_OK);
    read_file(path, text, sizeof(text));
    const char *sample = strstr(text, "\napogee_run_last_success_timestamp_seconds{");
    assert_true((sample != NULL) == (runs[i].says != NULL));
    if (sample)
      assert_non_null(strstr(sample, runs[i].says));
  }
  folder_remove(&folder);
}

static void test_a_file_that_is_something_else_is_replaced(void **state)
{
  (void)state;
  static const char junk[] =
      "apogee_run_last_success_timestamp_seconds{command=\"run\",target=\"a\"} 1e9\n"
      "apogee_run_last_success_timestamp_seconds{command=\"run\",target=\"a\"} 12 34\n"
      "apogee_run_last_success_timestamp_seconds{command=\"run\",target=\"a\"} 1";
  struct folder folder;
  struct ap_error err = {0};
  char path[300];
  char text[8192];
  folder_make(&folder);
  (void)snprintf(path, sizeof(path), "%s/apogee.db", folder.path);
  FILE *file = fopen(path, "we");
  assert_non_null(file);
  (void)fputs(junk, file);
  (void)fclose(file);
  const struct metrics metrics = of_exit(3, "a");
  assert_int_equal(metrics_write(&metrics, path, &err), AP_OK);
  read_file(path, text, sizeof(text));
  assert_null(strstr(text, "last_success"));
  folder_remove(&folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values_are_escaped_and_utf8),
      cmocka_unit_test(test_the_last_success_is_kept_by_runs_that_are_none),
      cmocka_unit_test(test_a_file_that_is_something_else_is_replaced),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
