/* Where results go. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "unit.h"

struct fixture {
  char folder[32];
  char path[64];
  struct output *output;
  struct ap_error err;
};

static int set_up(void **state)
{
  struct fixture *fixture = calloc(1, sizeof(*fixture));
  assert_non_null(fixture);
  (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/apogee-output-XXXXXX");
  assert_non_null(mkdtemp(fixture->folder));
  (void)snprintf(fixture->path, sizeof(fixture->path), "%s/result.json", fixture->folder);
  *state = fixture;
  return 0;
}

static int tear_down(void **state)
{
  struct fixture *fixture = *state;
  output_close(fixture->output);
  (void)unlink(fixture->path);
  assert_int_equal(rmdir(fixture->folder), 0); /* nothing was left behind */
  free(fixture);
  return 0;
}

static void write_text(struct fixture *fixture, const char *text)
{
  assert_int_equal(output_write(fixture->output, text, strlen(text)), AP_OK);
}

static void assert_holds(const char *path, const char *wanted)
{
  char text[256];
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
  assert_int_equal(fclose(file), 0);
  assert_string_equal(text, wanted);
}

static void put_file(const char *path, const char *text, mode_t mode)
{
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(chmod(path, mode), 0);
}

/* Standard output or standard error goes elsewhere for a while. */
static int redirect(int fd, int to)
{
  int copy = dup(fd);
  (void)fflush(stdout);
  assert_true(copy >= 0);
  assert_true(dup2(to, fd) >= 0);
  return copy;
}

static void restore(int fd, int copy)
{
  assert_true(dup2(copy, fd) >= 0);
  assert_int_equal(close(copy), 0);
}

/* ---- files ---- */

static void test_a_file_appears_whole_at_commit(void **state)
{
  struct fixture *fixture = *state;
  struct stat st;
  assert_int_equal(output_open(fixture->path, &fixture->output, &fixture->err), AP_OK);
  write_text(fixture, "one ");
  assert_int_equal(output_flush(fixture->output), AP_OK);
  write_text(fixture, "two");
  assert_int_equal(access(fixture->path, F_OK), -1);
  assert_int_equal(output_commit(fixture->output, &fixture->err), AP_OK);
  assert_holds(fixture->path, "one two");
  assert_int_equal(stat(fixture->path, &st), 0);
  assert_int_equal(st.st_mode & 077, 0);
}

static void test_what_was_there_stays_until_commit(void **state)
{
  struct fixture *fixture = *state;
  struct stat st;
  put_file(fixture->path, "before", 0640);
  assert_int_equal(output_open(fixture->path, &fixture->output, &fixture->err), AP_OK);
  write_text(fixture, "after");
  assert_int_equal(output_flush(fixture->output), AP_OK);
  assert_holds(fixture->path, "before");
  output_close(fixture->output);
  assert_holds(fixture->path, "before");

  assert_int_equal(output_open(fixture->path, &fixture->output, &fixture->err), AP_OK);
  write_text(fixture, "after");
  assert_int_equal(output_commit(fixture->output, &fixture->err), AP_OK);
  assert_holds(fixture->path, "after");
  assert_int_equal(stat(fixture->path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0640); /* whoever could read it still can */
}

static void test_nothing_is_left_of_what_was_not_committed(void **state)
{
  struct fixture *fixture = *state;
  assert_int_equal(output_open(fixture->path, &fixture->output, &fixture->err), AP_OK);
  write_text(fixture, "half");
  assert_int_equal(output_flush(fixture->output), AP_OK);
  output_close(fixture->output);
  fixture->output = NULL;
  assert_int_equal(access(fixture->path, F_OK), -1); /* and tear_down removes the folder */
}

static void test_a_link_stays_and_its_file_is_replaced(void **state)
{
  struct fixture *fixture = *state;
  char link[64];
  struct stat st;
  (void)snprintf(link, sizeof(link), "%s/link", fixture->folder);
  put_file(fixture->path, "before", 0600);
  assert_int_equal(symlink("result.json", link), 0);
  assert_int_equal(output_open(link, &fixture->output, &fixture->err), AP_OK);
  write_text(fixture, "after");
  assert_int_equal(output_commit(fixture->output, &fixture->err), AP_OK);
  assert_int_equal(lstat(link, &st), 0);
  assert_true(S_ISLNK(st.st_mode));
  assert_holds(fixture->path, "after");
  assert_int_equal(unlink(link), 0);
}

static void test_large_texts_are_written_in_order(void **state)
{
  struct fixture *fixture = *state;
  enum { PIECE = 30000, PIECES = 9, LARGE = 200000 };
  char *large = malloc(LARGE);
  assert_non_null(large);
  memset(large, 'L', LARGE);
  assert_int_equal(output_open(fixture->path, &fixture->output, &fixture->err), AP_OK);
  for (int i = 0; i < PIECES; i++) {
    char piece[PIECE];
    memset(piece, 'a' + i, sizeof(piece));
    assert_int_equal(output_write(fixture->output, piece, sizeof(piece)), AP_OK);
  }
  assert_int_equal(output_write(fixture->output, large, LARGE), AP_OK);
  assert_int_equal(output_commit(fixture->output, &fixture->err), AP_OK);
  free(large);
  FILE *file = fopen(fixture->path, "r");
  assert_non_null(file);
  for (long i = 0; i < PIECES * PIECE + LARGE; i++) {
    int wanted = i < PIECES * PIECE ? 'a' + (int)(i / PIECE) : 'L';
    if (fgetc(file) != wanted)
      fail_msg("byte %ld is not %c", i, wanted);
  }
  assert_int_equal(fgetc(file), EOF);
  assert_int_equal(fclose(file), 0);
}

static void test_a_fifo_is_written_straight(void **state)
{
  struct fixture *fixture = *state;
  char text[16];
  assert_int_equal(mkfifo(fixture->path, 0600), 0);
  int reader = open(fixture->path, O_RDONLY | O_NONBLOCK);
  assert_true(reader >= 0);
  assert_int_equal(output_open(fixture->path, &fixture->output, &fixture->err), AP_OK);
  write_text(fixture, "hello");
  assert_int_equal(output_commit(fixture->output, &fixture->err), AP_OK);
  assert_int_equal(read(reader, text, sizeof(text)), 5);
  assert_memory_equal(text, "hello", 5);
  assert_int_equal(close(reader), 0);
}

static void test_what_cannot_be_written_says_so_at_once(void **state)
{
  struct fixture *fixture = *state;
  char inside[96];
  assert_int_equal(output_open(fixture->folder, &fixture->output, &fixture->err), AP_E_IO);
  assert_non_null(strstr(fixture->err.text, "it is a folder"));
  assert_int_equal(output_open("/nonexistent/x.json", &fixture->output, &fixture->err), AP_E_IO);
  assert_non_null(strstr(fixture->err.text, "/nonexistent/x.json: cannot be written: No such"));
  put_file(fixture->path, "", 0600);
  (void)snprintf(inside, sizeof(inside), "%s/x.json", fixture->path);
  assert_int_equal(output_open(inside, &fixture->output, &fixture->err), AP_E_IO);
  assert_non_null(strstr(fixture->err.text, inside));
  assert_null(fixture->output);
}

static void test_a_full_disk_is_a_sentence_and_stays_one(void **state)
{
  struct fixture *fixture = *state;
  assert_int_equal(output_open("/dev/full", &fixture->output, &fixture->err), AP_OK);
  write_text(fixture, "x");
  assert_int_equal(output_flush(fixture->output), AP_E_IO);
  assert_int_equal(output_write(fixture->output, "y", 1), AP_E_IO);
  assert_int_equal(output_commit(fixture->output, &fixture->err), AP_E_IO);
  assert_string_equal(fixture->err.text, "/dev/full: cannot be written: the disk is full");
}

/* ---- standard output ---- */

static void test_standard_output_is_buffered_until_commit(void **state)
{
  struct fixture *fixture = *state;
  char text[16];
  int ends[2];
  assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
  int copy = redirect(STDOUT_FILENO, ends[1]);
  int opened = output_open(NULL, &fixture->output, &fixture->err);
  int wrote = output_write(fixture->output, "hello", 5);
  ssize_t early = read(ends[0], text, sizeof(text));
  int committed = output_commit(fixture->output, &fixture->err);
  restore(STDOUT_FILENO, copy);
  assert_int_equal(opened, AP_OK);
  assert_int_equal(wrote, AP_OK);
  assert_int_equal(early, -1);
  assert_int_equal(committed, AP_OK);
  assert_int_equal(read(ends[0], text, sizeof(text)), 5);
  assert_int_equal(close(ends[0]), 0);
  assert_int_equal(close(ends[1]), 0);
}

static void test_a_reader_that_has_gone_is_a_sentence(void **state)
{
  struct fixture *fixture = *state;
  int ends[2];
  assert_int_equal(pipe2(ends, 0), 0);
  assert_int_equal(close(ends[0]), 0);
  int copy = redirect(STDOUT_FILENO, ends[1]);
  int opened = output_open(NULL, &fixture->output, &fixture->err);
  int wrote = output_write(fixture->output, "hello", 5);
  int committed = output_commit(fixture->output, &fixture->err);
  restore(STDOUT_FILENO, copy);
  assert_int_equal(opened, AP_OK);
  assert_int_equal(wrote, AP_OK);
  assert_int_equal(committed, AP_E_IO);
  assert_string_equal(fixture->err.text, "standard output: cannot be written: its reader has gone");
  assert_int_equal(close(ends[1]), 0);
}

/* `apogee ... --output /dev/stdout >>result.json` */
static void test_dev_stdout_is_the_stream_that_is_open(void **state)
{
  struct fixture *fixture = *state;
  put_file(fixture->path, "before ", 0600);
  int fd = open(fixture->path, O_WRONLY | O_APPEND);
  assert_true(fd >= 0);
  int copy = redirect(STDOUT_FILENO, fd);
  int opened = output_open("/dev/stdout", &fixture->output, &fixture->err);
  int wrote = output_write(fixture->output, "after", 5);
  int committed = output_commit(fixture->output, &fixture->err);
  restore(STDOUT_FILENO, copy);
  assert_int_equal(opened, AP_OK);
  assert_int_equal(wrote, AP_OK);
  assert_int_equal(committed, AP_OK);
  assert_holds(fixture->path, "before after");
  assert_int_equal(close(fd), 0);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
  (void)signal(SIGPIPE, SIG_IGN); /* as the program does */
  const struct CMUnitTest tests[] = {
      WITH_FOLDER(test_a_file_appears_whole_at_commit),
      WITH_FOLDER(test_what_was_there_stays_until_commit),
      WITH_FOLDER(test_nothing_is_left_of_what_was_not_committed),
      WITH_FOLDER(test_a_link_stays_and_its_file_is_replaced),
      WITH_FOLDER(test_large_texts_are_written_in_order),
      WITH_FOLDER(test_a_fifo_is_written_straight),
      WITH_FOLDER(test_what_cannot_be_written_says_so_at_once),
      WITH_FOLDER(test_a_full_disk_is_a_sentence_and_stays_one),
      WITH_FOLDER(test_standard_output_is_buffered_until_commit),
      WITH_FOLDER(test_a_reader_that_has_gone_is_a_sentence),
      WITH_FOLDER(test_dev_stdout_is_the_stream_that_is_open),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
