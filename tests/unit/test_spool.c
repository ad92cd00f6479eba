// SPDX-License-Identifier: Apache-2.0
#include "store/spool.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/loop.h"
#include "store/spool_io.h"
#include "unit.h"

#define HALF ((size_t)256 * 1024)

static char folder[64];

static int make_folder(void **state)
{
  (void)state;
  (void)snprintf(folder, sizeof(folder), "/tmp/apogee-spool-XXXXXX");
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
  (void)state;
  return rmdir(folder); /* fails when a spool has left anything behind */
}

/* ---- a disk of our own making ---- */

static struct {
  size_t room;     /* bytes until it is full */
  size_t max_part; /* most bytes a call takes; 0: all */
  unsigned interrupts;
} disk;

static ssize_t disk_pwrite(int fd, const void *data, size_t len, off_t offset)
{
  if (disk.interrupts) {
    disk.interrupts--;
    errno = EINTR;
    return -1;
  }
  if (disk.room == 0) {
    errno = ENOSPC;
    return -1;
  }
  len = disk.max_part && len > disk.max_part ? disk.max_part : len;
  len = len > disk.room ? disk.room : len;
  ssize_t wrote = pwrite(fd, data, len, offset);
  disk.room -= (size_t)wrote;
  return wrote;
}

static ssize_t disk_pread(int fd, void *data, size_t len, off_t offset)
{
  if (disk.interrupts) {
    disk.interrupts--;
    errno = EINTR;
    return -1;
  }
  return pread(fd, data, disk.max_part && len > disk.max_part ? disk.max_part : len, offset);
}

static int no_tmpfile(const char *path)
{
  (void)path;
  errno = EOPNOTSUPP;
  return -1;
}

static const struct store_spool_io disk_io = {disk_pwrite, disk_pread, no_tmpfile};

static void fill_disk(size_t room, size_t max_part, unsigned interrupts)
{
  disk.room = room;
  disk.max_part = max_part;
  disk.interrupts = interrupts;
}

/* ---- what every spool must do ---- */

static unsigned char byte_at(uint64_t offset)
{
  return (unsigned char)(offset * 31 + (offset >> 8) * 7);
}

static int append_pattern(struct store_spool *spool, size_t len)
{
  uint64_t begin = store_spool_size(spool);
  uint64_t offset = UINT64_MAX;
  char *data = test_malloc(len + 1);
  for (size_t i = 0; i < len; i++)
    data[i] = (char)byte_at(begin + i);
  int code = store_spool_append(spool, data, len, &offset);
  assert_true(offset == (code ? UINT64_MAX : begin));
  test_free(data);
  return code;
}

static void check_pattern(struct store_spool *spool, uint64_t offset, size_t len)
{
  struct ap_buf out = {0};
  ap_buf_add_str(&out, "before");
  assert_int_equal(store_spool_read(spool, offset, len, &out), AP_OK);
  assert_int_equal(out.len, strlen("before") + len);
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)out.ptr[strlen("before") + i] != byte_at(offset + i))
      fail_msg("byte %zu of the %zu from %zu is wrong", i, len, (size_t)offset);
  ap_buf_deinit(&out);
}

static void append_and_check_everything(struct store_spool *spool)
{
  static const size_t lens[] = {0, 1,        1000,          HALF - 1001, 5,     HALF,  HALF - 5,
                                1, 2 * HALF, 3 * HALF + 17, 70000,       70000, 70000, 70000};
  for (size_t i = 0; i < COUNT_OF(lens); i++) {
    uint64_t begin = store_spool_size(spool);
    assert_int_equal(append_pattern(spool, lens[i]), AP_OK);
    check_pattern(spool, begin, lens[i]);
  }
  uint64_t size = store_spool_size(spool);
  check_pattern(spool, 0, (size_t)size);
  unsigned seed = 3;
  for (int i = 0; i < 200; i++) {
    uint64_t offset = (uint64_t)rand_r(&seed) % size;
    check_pattern(spool, offset, (size_t)rand_r(&seed) % (size_t)(size - offset));
  }
  assert_int_equal(store_spool_flush(spool), AP_OK);
  assert_int_equal(store_spool_flush(spool), AP_OK);
  check_pattern(spool, 0, (size_t)size);
  assert_int_equal(append_pattern(spool, 10), AP_OK);
  check_pattern(spool, size - 10, 20);
}

static void test_reads_back_from_buffers_and_file_alike(void **state)
{
  (void)state;
  struct store_spool *spool = NULL;
  assert_int_equal(store_spool_open(NULL, folder, &spool, NULL), AP_OK);
  append_and_check_everything(spool);
  store_spool_close(spool);
}

static void test_writes_on_the_pool_of_a_loop(void **state)
{
  (void)state;
  struct net_loop *loop = NULL;
  struct store_spool *spool = NULL;
  assert_int_equal(net_loop_new(&loop), AP_OK);
  assert_int_equal(store_spool_open(loop, folder, &spool, NULL), AP_OK);
  append_and_check_everything(spool);
  net_loop_drain(loop);
  append_and_check_everything(spool);
  store_spool_close(spool); /* with jobs that are not told yet */
  net_loop_drain(loop);
  net_loop_free(loop);
}

static void test_survives_short_writes_and_interrupts(void **state)
{
  (void)state;
  struct store_spool *spool = NULL;
  fill_disk(SIZE_MAX, 10007, 3);
  assert_int_equal(store_spool_open_with(&disk_io, NULL, folder, &spool, NULL), AP_OK);
  append_and_check_everything(spool);
  disk.interrupts = 2;
  check_pattern(spool, 0, 100);
  store_spool_close(spool);
}

static void test_refuses_what_was_never_written(void **state)
{
  (void)state;
  struct store_spool *spool = NULL;
  struct ap_buf out = {0};
  assert_int_equal(store_spool_open(NULL, folder, &spool, NULL), AP_OK);
  assert_int_equal(append_pattern(spool, 100), AP_OK);
  assert_int_equal(store_spool_read(spool, 0, 101, &out), AP_E_INVALID);
  assert_int_equal(store_spool_read(spool, 101, 0, &out), AP_E_INVALID);
  assert_int_equal(store_spool_read(spool, UINT64_MAX, 2, &out), AP_E_INVALID);
  assert_int_equal(store_spool_read(spool, 100, 0, &out), AP_OK);
  assert_int_equal(out.len, 0);
  ap_buf_init(&out, 50);
  assert_int_equal(store_spool_read(spool, 0, 51, &out), AP_E_TOO_LARGE);
  store_spool_close(spool);
}

static void check_full_disk(struct net_loop *loop)
{
  struct store_spool *spool = NULL;
  fill_disk(HALF + 1000, 0, 0);
  assert_int_equal(store_spool_open_with(&disk_io, loop, folder, &spool, NULL), AP_OK);
  assert_string_equal(store_spool_problem(spool), "");
  uint64_t good = 0;
  while (append_pattern(spool, 50000) == AP_OK)
    good = store_spool_size(spool);
  assert_true(good >= HALF);
  assert_true(good < 4 * HALF);
  assert_string_equal(store_spool_problem(spool), "No space left on device");
  assert_int_equal(store_spool_flush(spool), AP_E_IO);
  disk.room = SIZE_MAX; /* a failed spool stays failed: there would be a hole */
  assert_int_equal(append_pattern(spool, 1), AP_E_IO);
  check_pattern(spool, 0, (size_t)good);
  store_spool_close(spool);
}

static void test_a_full_disk_fails_for_good_and_loses_nothing(void **state)
{
  (void)state;
  check_full_disk(NULL);
}

static void test_a_full_disk_is_told_from_the_pool(void **state)
{
  (void)state;
  struct net_loop *loop = NULL;
  assert_int_equal(net_loop_new(&loop), AP_OK);
  check_full_disk(loop);
  net_loop_drain(loop);
  net_loop_free(loop);
}

static void test_makes_its_folder_for_the_user_alone(void **state)
{
  (void)state;
  char deep[160];
  char parent[128];
  struct stat info;
  struct store_spool *spool = NULL;
  (void)snprintf(parent, sizeof(parent), "%s/a", folder);
  (void)snprintf(deep, sizeof(deep), "%s/b/", parent);
  assert_int_equal(store_spool_open(NULL, deep, &spool, NULL), AP_OK);
  assert_int_equal(stat(deep, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0700);
  store_spool_close(spool);
  assert_int_equal(rmdir(deep), 0);
  assert_int_equal(rmdir(parent), 0);
}

static void test_a_folder_that_cannot_be_is_said(void **state)
{
  (void)state;
  static const char *const cases[] = {"", "/dev/null/x", "/proc/none/x"};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct store_spool *spool = NULL;
    struct ap_error err = {0};
    assert_int_equal(store_spool_open(NULL, cases[i], &spool, &err), AP_E_IO);
    assert_null(spool);
    assert_non_null(strstr(err.text, cases[i]));
  }
  store_spool_close(NULL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reads_back_from_buffers_and_file_alike),
      cmocka_unit_test(test_writes_on_the_pool_of_a_loop),
      cmocka_unit_test(test_survives_short_writes_and_interrupts),
      cmocka_unit_test(test_refuses_what_was_never_written),
      cmocka_unit_test(test_a_full_disk_fails_for_good_and_loses_nothing),
      cmocka_unit_test(test_a_full_disk_is_told_from_the_pool),
      cmocka_unit_test(test_makes_its_folder_for_the_user_alone),
      cmocka_unit_test(test_a_folder_that_cannot_be_is_said),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
