/* Local files and feeds: bytes and digests as they are, the last block held back, every failure
 * told once. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/feed.h"
#include "net/file.h"
#include "unit.h"

enum { MIB = 1024 * 1024 };

struct taker {
  struct net_loop *loop;
  struct net_timer *limit;
  struct net_source source;
  struct net_feed *feed;
  bool is_opened;
  bool takes; /* as soon as there is something */
  bool lets_go;
  int open_code;
  int code;
  unsigned read_times;
  unsigned failed_times;
  struct ap_digests digests;
  struct ap_buf bytes;
  bool has_end;
  char text[300];
};

static void too_long(void *arg)
{
  (void)arg;
  fail_msg("not done within 20 s");
}

static void take_all(struct taker *taker)
{
  static char data[100000];
  int64_t got = 1;
  while (got > 0) {
    got = net_feed_take(taker->feed, data, sizeof(data));
    if (got > 0)
      ap_buf_add(&taker->bytes, data, (size_t)got);
  }
  taker->has_end = got == 0;
  if (got < 0 && got != NET_FEED_LATER)
    taker->code = (int)got;
  if (taker->has_end)
    net_loop_stop(taker->loop);
}

static void more(void *arg)
{
  struct taker *taker = arg;
  if (taker->takes)
    take_all(taker);
}

static void read_whole(void *arg, const struct ap_digests *digests)
{
  struct taker *taker = arg;
  taker->read_times++;
  taker->digests = *digests;
  if (!taker->takes) {
    net_loop_stop(taker->loop);
    return;
  }
  take_all(taker);
  assert_false(taker->has_end && taker->source.size > 0); /* the last block was held back */
  if (taker->lets_go) {
    net_feed_let_go(taker->feed);
    take_all(taker);
  } else {
    net_loop_stop(taker->loop);
  }
}

static void failed(void *arg, int code, const char *text)
{
  struct taker *taker = arg;
  taker->failed_times++;
  taker->code = code;
  (void)snprintf(taker->text, sizeof(taker->text), "%s", text);
  net_loop_stop(taker->loop);
}

static void opened(void *arg, int code, const char *text, const struct net_source *source)
{
  struct taker *taker = arg;
  taker->is_opened = true;
  taker->open_code = code;
  (void)snprintf(taker->text, sizeof(taker->text), "%s", text);
  if (source)
    taker->source = *source;
  net_loop_stop(taker->loop);
}

static const struct net_feed_events events = {more, read_whole, failed};

static void begin(struct taker *taker, const char *path)
{
  *taker = (struct taker){.takes = true, .lets_go = true};
  assert_int_equal(net_loop_new(&taker->loop), AP_OK);
  assert_int_equal(net_timer_new(taker->loop, too_long, NULL, &taker->limit), AP_OK);
  net_timer_start(taker->limit, 20000);
  assert_int_equal(net_file_open(taker->loop, path, opened, taker, NULL), AP_PENDING);
  assert_false(taker->is_opened);
  net_loop_run(taker->loop);
  assert_true(taker->is_opened);
}

static void feed(struct taker *taker, bool is_kept)
{
  taker->takes = is_kept;
  assert_int_equal(net_feed_new(taker->loop, &taker->source, is_kept, &events, taker, &taker->feed),
                   AP_OK);
  assert_int_equal(net_feed_start(taker->feed), AP_OK);
  if (is_kept)
    take_all(taker);
  net_loop_run(taker->loop);
}

static void end(struct taker *taker)
{
  net_feed_free(taker->feed);
  if (taker->source.kind)
    taker->source.kind->close(taker->source.self);
  net_timer_free(taker->limit);
  ap_buf_deinit(&taker->bytes);
  net_loop_drain(taker->loop);
  net_loop_free(taker->loop);
}

static char *make_file(size_t size, char *path)
{
  char *bytes = malloc(size + 1);
  assert_non_null(bytes);
  for (size_t i = 0; i < size; i++)
    bytes[i] = (char)(i * 2654435761U >> 13);
  (void)snprintf(path, 64, "/tmp/apogee-feed-XXXXXX");
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  for (size_t at = 0; at < size;) {
    ssize_t wrote = write(fd, bytes + at, size - at);
    assert_true(wrote > 0);
    at += (size_t)wrote;
  }
  assert_int_equal(close(fd), 0);
  return bytes;
}

static void test_the_bytes_come_as_they_are_with_their_digests(void **state)
{
  static const size_t sizes[] = {0, 1, MIB - 1, MIB, MIB + 1, 4 * MIB, 9 * MIB + 7};
  (void)state;
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    struct taker taker;
    char path[64];
    char sha256[65];
    char *bytes = make_file(sizes[i], path);
    begin(&taker, path);
    assert_int_equal(taker.open_code, AP_OK);
    assert_int_equal(taker.source.size, sizes[i]);
    feed(&taker, true);
    assert_true(taker.has_end);
    assert_int_equal(taker.read_times, 1);
    assert_int_equal(taker.bytes.len, sizes[i]);
    if (sizes[i])
      assert_memory_equal(taker.bytes.ptr, bytes, sizes[i]);
    assert_int_equal(ap_sha256_hex(bytes, sizes[i], sha256), AP_OK);
    assert_string_equal(taker.digests.sha256, sha256);
    end(&taker);
    free(bytes);
    assert_int_equal(unlink(path), 0);
  }
}

static void test_the_last_block_stays_until_it_is_let_go(void **state)
{
  struct taker taker;
  char path[64];
  (void)state;
  char *bytes = make_file(3 * MIB + 5, path);
  begin(&taker, path);
  taker.lets_go = false;
  feed(&taker, true);
  assert_int_equal(taker.read_times, 1);
  assert_false(taker.has_end);
  assert_true(taker.bytes.len >= 2 * MIB && taker.bytes.len <= 3 * MIB);
  net_feed_let_go(taker.feed);
  take_all(&taker);
  assert_true(taker.has_end);
  assert_int_equal(taker.bytes.len, 3 * MIB + 5);
  end(&taker);
  free(bytes);
  assert_int_equal(unlink(path), 0);
}

static void test_digests_alone_need_no_taker_and_a_source_can_be_read_again(void **state)
{
  struct taker taker;
  char path[64];
  char first[65];
  (void)state;
  char *bytes = make_file(7 * MIB, path);
  begin(&taker, path);
  feed(&taker, false);
  assert_int_equal(taker.read_times, 1);
  memcpy(first, taker.digests.sha256, sizeof(first));
  net_feed_free(taker.feed);
  assert_int_equal(taker.source.kind->rewind(taker.source.self), AP_OK);
  feed(&taker, true);
  assert_string_equal(taker.digests.sha256, first);
  assert_int_equal(taker.bytes.len, 7 * MIB);
  end(&taker);
  free(bytes);
  assert_int_equal(unlink(path), 0);
}

static void change(const char *path, int how)
{
  int fd = open(path, O_WRONLY | O_APPEND);
  assert_true(fd >= 0);
  if (how == 0)
    assert_int_equal(write(fd, "more", 4), 4);
  else if (how == 1)
    assert_int_equal(ftruncate(fd, 1000), 0);
  else
    assert_int_equal(futimens(fd, (const struct timespec[2]){{.tv_sec = 1}, {.tv_sec = 1}}), 0);
  assert_int_equal(close(fd), 0);
}

static void test_a_file_that_changes_is_a_failure_before_its_last_block(void **state)
{
  (void)state;
  for (int how = 0; how < 3; how++) {
    struct taker taker;
    char path[64];
    char *bytes = make_file(2 * MIB + 5, path);
    begin(&taker, path);
    change(path, how);
    feed(&taker, true);
    assert_int_equal(taker.failed_times, 1);
    assert_int_equal(taker.code, AP_E_IO);
    assert_non_null(strstr(taker.text, "changed"));
    assert_int_equal(taker.read_times, 0);
    assert_false(taker.has_end);
    end(&taker);
    free(bytes);
    assert_int_equal(unlink(path), 0);
  }
}

/* A source that says one size and gives more: no byte of the last block may go. */
struct liar {
  struct net_timer *timer;
  net_source_data_fn *got;
  void *arg;
  char data[1000];
};

static void lie(void *arg)
{
  struct liar *liar = arg;
  liar->got(liar->arg, AP_OK, "", (struct ap_slice){liar->data, sizeof(liar->data)});
}

static int liar_read(void *self, net_source_data_fn *got, void *arg)
{
  struct liar *liar = self;
  liar->got = got;
  liar->arg = arg;
  net_timer_start(liar->timer, 1);
  return AP_PENDING;
}

static void liar_cancel(void *self)
{
  net_timer_stop(((struct liar *)self)->timer);
}

static const struct net_source_kind liar_kind = {.read = liar_read, .cancel = liar_cancel};

static void test_a_source_that_gives_more_than_it_said_fails_before_its_last_block(void **state)
{
  static struct liar liar;
  struct taker taker = {.takes = true, .lets_go = true};
  (void)state;
  assert_int_equal(net_loop_new(&taker.loop), AP_OK);
  assert_int_equal(net_timer_new(taker.loop, too_long, NULL, &taker.limit), AP_OK);
  assert_int_equal(net_timer_new(taker.loop, lie, &liar, &liar.timer), AP_OK);
  net_timer_start(taker.limit, 20000);
  taker.source = (struct net_source){&liar_kind, &liar, 2 * sizeof(liar.data)};
  feed(&taker, true);
  assert_int_equal(taker.failed_times, 1);
  assert_int_equal(taker.read_times, 0);
  assert_true(taker.bytes.len <= sizeof(liar.data)); /* the first may not be digested by then */
  taker.source.kind = NULL;
  net_timer_free(liar.timer);
  end(&taker);
}

static void test_what_is_no_regular_file_is_told_apart(void **state)
{
  char fifo[] = "/tmp/apogee-fifo-XXXXXX";
  (void)state;
  assert_non_null(mkdtemp(fifo));
  char path[64];
  (void)snprintf(path, sizeof(path), "%s/p", fifo);
  assert_int_equal(mkfifo(path, 0600), 0);
  const struct {
    const char *path;
    int code;
    const char *text;
  } cases[] = {
      {"/nowhere/at/all", AP_E_NOT_FOUND, "no such file"},
      {"/tmp", AP_E_INVALID, "folder"},
      {"/dev/null", AP_E_INVALID, "no regular file"},
      {path, AP_E_INVALID, "no regular file"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct taker taker;
    begin(&taker, cases[i].path);
    assert_int_equal(taker.open_code, cases[i].code);
    assert_non_null(strstr(taker.text, cases[i].text));
    end(&taker);
  }
  assert_int_equal(unlink(path), 0);
  assert_int_equal(rmdir(fifo), 0);
}

static void test_a_feed_may_be_freed_at_any_time(void **state)
{
  char path[64];
  (void)state;
  char *bytes = make_file(8 * MIB, path);
  for (int turns = 0; turns < 12; turns++) {
    struct taker taker;
    begin(&taker, path);
    assert_int_equal(net_feed_new(taker.loop, &taker.source, true, &events, &taker, &taker.feed),
                     AP_OK);
    assert_int_equal(net_feed_start(taker.feed), AP_OK);
    for (int i = 0; i < turns; i++) {
      (void)uv_run(net_loop_uv(taker.loop), UV_RUN_NOWAIT);
      if (!taker.read_times && !taker.failed_times)
        take_all(&taker);
    }
    end(&taker);
  }
  free(bytes);
  assert_int_equal(unlink(path), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_bytes_come_as_they_are_with_their_digests),
      cmocka_unit_test(test_the_last_block_stays_until_it_is_let_go),
      cmocka_unit_test(test_digests_alone_need_no_taker_and_a_source_can_be_read_again),
      cmocka_unit_test(test_a_file_that_changes_is_a_failure_before_its_last_block),
      cmocka_unit_test(test_a_source_that_gives_more_than_it_said_fails_before_its_last_block),
      cmocka_unit_test(test_what_is_no_regular_file_is_told_apart),
      cmocka_unit_test(test_a_feed_may_be_freed_at_any_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
