// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

/* A folder of its own for each test, with the key file's path in it. */
struct room {
  char folder[64];
  char path[128];
};

static int make_room(void **state)
{
  struct room *room = calloc(1, sizeof(*room));
  if (!room)
    return -1;
  (void)snprintf(room->folder, sizeof(room->folder), "/tmp/apogee-secret-XXXXXX");
  if (!mkdtemp(room->folder)) {
    free(room);
    return -1;
  }
  (void)snprintf(room->path, sizeof(room->path), "%s/vt.key", room->folder);
  *state = room;
  return 0;
}

static int clear_room(void **state)
{
  struct room *room = *state;
  (void)unlink(room->path);
  (void)rmdir(room->folder);
  free(room);
  return unsetenv("CREDENTIALS_DIRECTORY");
}

static void write_key(const struct room *room, const char *bytes, size_t len, mode_t mode)
{
  FILE *file = fopen(room->path, "we");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, len, file), len);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(chmod(room->path, mode), 0);
}

static int load_path(const char *path, struct ap_secret **secret, struct ap_error *err)
{
  char source[256];
  (void)snprintf(source, sizeof(source), "file:%s", path);
  return ap_secret_load("virustotal.api_key", source, secret, err);
}

static void assert_loads(const char *source, const char *bytes)
{
  struct ap_secret *secret = NULL;
  struct ap_error err = {0};
  if (ap_secret_load("virustotal.api_key", source, &secret, &err) != AP_OK)
    fail_msg("%s", err.text);
  assert_true(ap_slice_is(ap_secret_bytes(secret), bytes));
  assert_string_equal(ap_secret_name(secret), "virustotal.api_key");
  ap_secret_free(secret);
}

static void test_keeps_a_copy_under_its_name(void **state)
{
  (void)state;
  char bytes[] = "hunter2hunter2";
  struct ap_secret *secret = NULL;
  assert_int_equal(ap_secret_new("sftp.password", bytes, strlen(bytes), &secret, NULL), AP_OK);
  memset(bytes, 'x', strlen(bytes));
  assert_true(ap_slice_is(ap_secret_bytes(secret), "hunter2hunter2"));
  assert_string_equal(ap_secret_name(secret), "sftp.password");
  ap_secret_free(secret);
  ap_secret_free(NULL);
}

static void test_refuses_values_that_are_no_single_line(void **state)
{
  (void)state;
  static char huge[AP_SECRET_MAX_BYTES + 1];
  memset(huge, 'x', sizeof(huge));
  const struct {
    const char *bytes;
    size_t len;
  } cases[] = {{"", 0}, {"a\0b", 3}, {"a\nb", 3}, {"a\r", 2}, {huge, sizeof(huge)}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_secret *secret = NULL;
    struct ap_error err = {0};
    assert_int_equal(ap_secret_new("key", cases[i].bytes, cases[i].len, &secret, &err),
                     AP_E_INVALID);
    assert_null(secret);
    assert_non_null(strstr(err.text, "key"));
  }
  struct ap_secret *secret = NULL;
  assert_int_equal(ap_secret_new("key", huge, AP_SECRET_MAX_BYTES, &secret, NULL), AP_OK);
  ap_secret_free(secret);
}

static void test_knows_the_form_of_a_source(void **state)
{
  (void)state;
  assert_true(ap_secret_is_source("env:VT_KEY"));
  assert_true(ap_secret_is_source("file:/etc/apogee/vt.key"));
  assert_true(ap_secret_is_source("credential:vt"));
  assert_false(ap_secret_is_source("0123456789abcdef"));
  assert_false(ap_secret_is_source("ENV:VT_KEY"));
  assert_false(ap_secret_is_source(""));
}

static void test_bare_value_is_refused_and_never_repeated(void **state)
{
  (void)state;
  struct ap_secret *secret = NULL;
  struct ap_error err = {0};
  assert_int_equal(ap_secret_load("key", "s3cr3t-itself", &secret, &err), AP_E_INVALID);
  assert_null(strstr(err.text, "s3cr3t"));
}

static void test_environment_variable_is_read_and_overwritten(void **state)
{
  (void)state;
  assert_int_equal(setenv("APOGEE_TEST_KEY", "from-the-environment", 1), 0);
  const char *in_place = getenv("APOGEE_TEST_KEY");
  assert_loads("env:APOGEE_TEST_KEY", "from-the-environment");
  assert_string_equal(in_place, "");
}

static void test_unset_environment_variable_is_named(void **state)
{
  (void)state;
  struct ap_secret *secret = NULL;
  struct ap_error err = {0};
  assert_int_equal(unsetenv("APOGEE_TEST_KEY"), 0);
  assert_int_equal(ap_secret_load("key", "env:APOGEE_TEST_KEY", &secret, &err), AP_E_INVALID);
  assert_non_null(strstr(err.text, "APOGEE_TEST_KEY"));
}

static void test_file_loses_one_line_end(void **state)
{
  struct room *room = *state;
  static const char *const contents[] = {"the-key", "the-key\n", "the-key\r\n"};
  for (size_t i = 0; i < COUNT_OF(contents); i++) {
    char source[256];
    (void)snprintf(source, sizeof(source), "file:%s", room->path);
    write_key(room, contents[i], strlen(contents[i]), 0600);
    assert_loads(source, "the-key");
  }
}

static void test_file_content_that_is_no_secret_is_refused(void **state)
{
  struct room *room = *state;
  static char huge[AP_SECRET_MAX_BYTES + 2];
  memset(huge, 'x', sizeof(huge));
  const struct {
    const char *bytes;
    size_t len;
  } cases[] = {{"", 0}, {"\n", 1}, {"two\nlines", 9}, {"key\n\n", 5}, {huge, sizeof(huge)}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_secret *secret = NULL;
    struct ap_error err = {0};
    write_key(room, cases[i].bytes, cases[i].len, 0600);
    assert_int_equal(load_path(room->path, &secret, &err), AP_E_INVALID);
    assert_non_null(strstr(err.text, room->path));
    assert_int_equal(load_path(room->path, &secret, NULL), AP_E_INVALID);
  }
}

static void test_file_that_others_can_read_is_refused(void **state)
{
  struct room *room = *state;
  static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0644, 0666};
  for (size_t i = 0; i < COUNT_OF(modes); i++) {
    struct ap_secret *secret = NULL;
    struct ap_error err = {0};
    write_key(room, "the-key", 7, modes[i]);
    if (load_path(room->path, &secret, &err) != AP_E_INVALID)
      fail_msg("mode %o was taken", (unsigned)modes[i]);
    assert_non_null(strstr(err.text, "chmod 600"));
  }
}

static void test_file_of_another_user_is_refused(void **state)
{
  struct room *room = *state;
  if (geteuid() != 0) {
    print_message("only root can give a file away: left out\n");
    skip();
  }
  struct ap_secret *secret = NULL;
  struct ap_error err = {0};
  write_key(room, "the-key", 7, 0600);
  assert_int_equal(chown(room->path, 12345, (gid_t)-1), 0);
  assert_int_equal(load_path(room->path, &secret, &err), AP_E_INVALID);
  assert_non_null(strstr(err.text, "another user"));
}

static void test_only_regular_files_are_read(void **state)
{
  struct room *room = *state;
  struct ap_secret *secret = NULL;
  struct ap_error err = {0};
  assert_int_equal(load_path(room->folder, &secret, &err), AP_E_INVALID);
  assert_int_equal(load_path(room->path, &secret, &err), AP_E_IO); /* not there */
  assert_int_equal(mkfifo(room->path, 0600), 0);
  assert_int_equal(load_path(room->path, &secret, &err), AP_E_INVALID); /* and does not hang */
  assert_int_equal(unlink(room->path), 0);
  assert_int_equal(symlink("/etc/hostname", room->path), 0);
  assert_int_equal(load_path(room->path, &secret, &err), AP_E_IO);
  assert_non_null(strstr(err.text, "symbolic link"));
}

static void test_credential_comes_from_systemds_folder(void **state)
{
  struct room *room = *state;
  struct ap_secret *secret = NULL;
  struct ap_error err = {0};
  write_key(room, "from-systemd\n", 13, 0400);
  assert_int_equal(ap_secret_load("key", "credential:vt.key", &secret, &err), AP_E_INVALID);
  assert_non_null(strstr(err.text, "systemd"));
  assert_int_equal(setenv("CREDENTIALS_DIRECTORY", room->folder, 1), 0);
  assert_loads("credential:vt.key", "from-systemd");
  assert_int_equal(chmod(room->path, 0440), 0); /* what an access list looks like */
  assert_loads("credential:vt.key", "from-systemd");
  assert_int_equal(load_path(room->path, &secret, &err), AP_E_INVALID);
  assert_int_equal(chmod(room->path, 0444), 0);
  assert_int_equal(ap_secret_load("key", "credential:vt.key", &secret, &err), AP_E_INVALID);
  static const char *const names[] = {"credential:", "credential:..", "credential:../vt.key",
                                      "credential:a/b"};
  for (size_t i = 0; i < COUNT_OF(names); i++)
    assert_int_equal(ap_secret_load("key", names[i], &secret, &err), AP_E_INVALID);
}

static void assert_redacted(const char *text, const char *want)
{
  char copy[128];
  (void)snprintf(copy, sizeof(copy), "%s", text);
  ap_redact(copy, strlen(copy));
  assert_string_equal(copy, want);
}

static void test_redactor_blackens_every_secret_everywhere(void **state)
{
  (void)state;
  struct ap_secret *key = NULL;
  struct ap_secret *password = NULL;
  assert_int_equal(ap_secret_new("key", "K3Y-abc", 7, &key, NULL), AP_OK);
  assert_int_equal(ap_secret_new("password", "hunter2", 7, &password, NULL), AP_OK);
  assert_redacted("", "");
  assert_redacted("K3Y-abc", "*******");
  assert_redacted("apikey=K3Y-abc&x=hunter2", "apikey=*******&x=*******");
  assert_redacted("K3Y-abcK3Y-abc K3Y-ab", "************** K3Y-ab");
  ap_secret_free(key);
  assert_redacted("K3Y-abc hunter2", "K3Y-abc *******");
  ap_secret_free(password);
  assert_redacted("hunter2", "hunter2");
}

static void test_redactor_leaves_no_rest_of_a_longer_secret(void **state)
{
  (void)state;
  struct ap_secret *longer = NULL;
  struct ap_secret *shorter = NULL;
  assert_int_equal(ap_secret_new("longer", "pass-word-2024", 14, &longer, NULL), AP_OK);
  assert_int_equal(ap_secret_new("shorter", "pass", 4, &shorter, NULL), AP_OK);
  assert_redacted("pass-word-2024 and pass", "************** and ****");
  ap_secret_free(longer);
  ap_secret_free(shorter);
}

static void test_redactor_leaves_tiny_secrets(void **state)
{
  (void)state;
  struct ap_secret *tiny = NULL;
  assert_int_equal(ap_secret_new("tiny", "abc", 3, &tiny, NULL), AP_OK);
  assert_redacted("abc abcabc", "abc abcabc");
  ap_secret_free(tiny);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_keeps_a_copy_under_its_name),
      cmocka_unit_test(test_refuses_values_that_are_no_single_line),
      cmocka_unit_test(test_knows_the_form_of_a_source),
      cmocka_unit_test(test_bare_value_is_refused_and_never_repeated),
      cmocka_unit_test(test_environment_variable_is_read_and_overwritten),
      cmocka_unit_test(test_unset_environment_variable_is_named),
      cmocka_unit_test_setup_teardown(test_file_loses_one_line_end, make_room, clear_room),
      cmocka_unit_test_setup_teardown(test_file_content_that_is_no_secret_is_refused, make_room,
                                      clear_room),
      cmocka_unit_test_setup_teardown(test_file_that_others_can_read_is_refused, make_room,
                                      clear_room),
      cmocka_unit_test_setup_teardown(test_file_of_another_user_is_refused, make_room, clear_room),
      cmocka_unit_test_setup_teardown(test_only_regular_files_are_read, make_room, clear_room),
      cmocka_unit_test_setup_teardown(test_credential_comes_from_systemds_folder, make_room,
                                      clear_room),
      cmocka_unit_test(test_redactor_blackens_every_secret_everywhere),
      cmocka_unit_test(test_redactor_leaves_no_rest_of_a_longer_secret),
      cmocka_unit_test(test_redactor_leaves_tiny_secrets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
