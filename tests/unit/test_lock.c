/* cli/lock: one holder at a time, named to whoever comes second. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cli/lock.h"
#include "folder.h"

static void remove_locks(const struct folder *folder)
{
  char path[512];
  (void)snprintf(path, sizeof(path), "%s/locks/a", folder->path);
  (void)unlink(path);
  (void)snprintf(path, sizeof(path), "%s/locks", folder->path);
  (void)rmdir(path);
  folder_remove(folder);
}

static void test_names_are_file_names_that_do_not_hide(void **state)
{
  (void)state;
  static const char *const good[] = {"a", "nightly-1", "A_b.c", "0"};
  static const char *const bad[] = {"", ".", "..", ".a", "a/b", "a b", "a\n", "\xc3\xbc"};
  char longest[66];
  memset(longest, 'x', sizeof(longest));
  longest[64] = '\0';
  assert_true(lock_name_is_good(longest));
  longest[64] = 'x';
  longest[65] = '\0';
  assert_false(lock_name_is_good(longest));
  for (size_t i = 0; i < COUNT_OF(good); i++)
    assert_true(lock_name_is_good(good[i]));
  for (size_t i = 0; i < COUNT_OF(bad); i++)
    assert_false(lock_name_is_good(bad[i]));
}

static void test_a_lock_is_held_until_its_file_is_closed(void **state)
{
  (void)state;
  struct folder folder;
  struct ap_error err = {0};
  int first = -1;
  int second = -1;
  char holder[64];
  folder_make(&folder);
  assert_int_equal(lock_take(folder.path, "a", &first, &err), AP_OK);
  (void)snprintf(holder, sizeof(holder), "held by process %d since ", (int)getpid());
  assert_int_equal(lock_take(folder.path, "a", &second, &err), AP_E_BUSY);
  assert_int_equal(second, -1);
  assert_non_null(strstr(err.text, holder));
  (void)close(first);
  assert_int_equal(lock_take(folder.path, "a", &second, &err), AP_OK);
  (void)close(second);
  remove_locks(&folder);
}

/* Whatever the file says: another program may have written it. */
static void test_a_holder_that_cannot_be_read_is_another_process(void **state)
{
  (void)state;
  static const char *const texts[] = {"",       "x",         "12", "-4 2026-11-24T04:11:52Z",
                                      "0 2026", "12 \033[2J"};
  struct folder folder;
  struct ap_error err = {0};
  int first = -1;
  int second = -1;
  folder_make(&folder);
  assert_int_equal(lock_take(folder.path, "a", &first, &err), AP_OK);
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    assert_int_equal(ftruncate(first, 0), 0);
    assert_int_equal(pwrite(first, texts[i], strlen(texts[i]), 0), (ssize_t)strlen(texts[i]));
    assert_int_equal(lock_take(folder.path, "a", &second, &err), AP_E_BUSY);
    assert_string_equal(err.text, "the lock \"a\" is held by another process");
  }
  (void)close(first);
  remove_locks(&folder);
}

static void test_a_file_that_is_no_file_of_ours_is_refused(void **state)
{
  (void)state;
  struct folder folder;
  struct ap_error err = {0};
  char path[512];
  int fd = -1;
  folder_make(&folder);
  (void)snprintf(path, sizeof(path), "%s/locks", folder.path);
  assert_int_equal(mkdir(path, 0700), 0);
  (void)snprintf(path, sizeof(path), "%s/locks/a", folder.path);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_int_equal(lock_take(folder.path, "a", &fd, &err), AP_E_INVALID);
  assert_non_null(strstr(err.text, "is not a regular file"));
  assert_int_equal(unlink(path), 0);
  assert_int_equal(symlink("/dev/null", path), 0);
  assert_int_equal(lock_take(folder.path, "a", &fd, &err), AP_E_IO);
  assert_int_equal(fd, -1);
  remove_locks(&folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names_are_file_names_that_do_not_hide),
      cmocka_unit_test(test_a_lock_is_held_until_its_file_is_closed),
      cmocka_unit_test(test_a_holder_that_cannot_be_read_is_another_process),
      cmocka_unit_test(test_a_file_that_is_no_file_of_ours_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
