/* Hash first: what is kept is what was read, in memory or in a file without a name, and nothing is
 * left behind. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "net/feed.h"
#include "net/file.h"
#include "net/kept.h"
#include "net/memory_source.h"
#include "net/temporary.h"
#include "unit.h"

enum { MIB = 1024 * 1024 };

/* A source that counts what is asked of it, and may fail. */
struct counted {
  struct net_source inner;
  unsigned reads;
  bool is_closed;
  bool fails;
  net_source_data_fn *got;
  void *arg;
};

struct world {
  struct net_loop *loop;
  struct net_timer *limit;
  struct folder folder;
  struct counted counted;
  struct net_source kept;
  unsigned times;
  int code;
  char text[500];
  struct ap_digests digests;
  struct ap_digests read_digests; /* of the kept source */
};

static void too_long(void *arg)
{
  (void)arg;
  fail_msg("not done within 30 s");
}

static void got_data(void *arg, int code, const char *text, struct ap_slice data)
{
  struct counted *counted = arg;
  if (counted->fails && counted->reads > 2)
    counted->got(counted->arg, AP_E_NETWORK, "the line is dead", (struct ap_slice){0});
  else
    counted->got(counted->arg, code, text, data);
}

static int counted_read(void *self, net_source_data_fn *got, void *arg)
{
  struct counted *counted = self;
  counted->reads++;
  counted->got = got;
  counted->arg = arg;
  return counted->inner.kind->read(counted->inner.self, got_data, counted);
}

static void counted_cancel(void *self)
{
  struct counted *counted = self;
  counted->inner.kind->cancel(counted->inner.self);
}

static int counted_rewind(void *self)
{
  (void)self;
  fail_msg("it was to be read once");
  return AP_E_INTERNAL;
}

static void counted_close(void *self)
{
  struct counted *counted = self;
  assert_false(counted->is_closed);
  counted->is_closed = true;
  counted->inner.kind->close(counted->inner.self);
}

static char *make_bytes(size_t size)
{
  char *bytes = malloc(size + 1);
  assert_non_null(bytes);
  for (size_t i = 0; i < size; i++)
    bytes[i] = (char)(i * 2654435761U >> 13);
  return bytes;
}

static void world_open(struct world *world)
{
  *world = (struct world){0};
  assert_int_equal(AP_OK, net_loop_new(&world->loop));
  assert_int_equal(AP_OK, net_timer_new(world->loop, too_long, NULL, &world->limit));
  folder_make(&world->folder);
}

/* The folder must be as empty as it was. */
static void world_close(struct world *world)
{
  if (world->kept.kind)
    world->kept.kind->close(world->kept.self);
  net_timer_free(world->limit);
  net_loop_drain(world->loop);
  assert_true(world->counted.is_closed);
  net_loop_free(world->loop);
  assert_int_equal(0, rmdir(world->folder.path));
}

static struct net_source source_of(struct world *world, size_t size)
{
  static const struct net_source_kind kind = {counted_read, counted_cancel, counted_rewind,
                                              counted_close};
  struct counted *counted = &world->counted;
  assert_int_equal(AP_OK, net_memory_source(world->loop, make_bytes(size), size, &counted->inner));
  return (struct net_source){&kind, counted, size};
}

static void kept(void *arg, int code, const char *text, const struct net_source *source,
                 const struct ap_digests *digests)
{
  struct world *world = arg;
  world->times++;
  world->code = code;
  (void)snprintf(world->text, sizeof(world->text), "%s", text);
  assert_int_equal(code == AP_OK, source != NULL);
  assert_int_equal(code == AP_OK, digests != NULL);
  if (source) {
    world->kept = *source;
    world->digests = *digests;
  }
  net_loop_stop(world->loop);
}

static void keep(struct world *world, size_t size, const char *folder)
{
  struct ap_error err = {0};
  const struct net_source source = source_of(world, size);
  assert_int_equal(AP_PENDING,
                   net_keep(world->loop, &source, folder, size, kept, world, NULL, &err));
  assert_int_equal(0, world->times);
  net_timer_start(world->limit, 30000);
  net_loop_run(world->loop);
  net_timer_stop(world->limit);
  assert_int_equal(1, world->times);
}

static void no_more(void *arg)
{
  (void)arg;
}

static void read_whole(void *arg, const struct ap_digests *digests)
{
  struct world *world = arg;
  world->read_digests = *digests;
  net_loop_stop(world->loop);
}

static void failed(void *arg, int code, const char *text)
{
  (void)arg;
  fail_msg("%d: %s", code, text);
}

static void digest_kept(struct world *world)
{
  static const struct net_feed_events events = {no_more, read_whole, failed};
  struct net_feed *feed = NULL;
  memset(&world->read_digests, 0, sizeof(world->read_digests));
  assert_int_equal(AP_OK, net_feed_new(world->loop, &world->kept, false, &events, world, &feed));
  assert_int_equal(AP_OK, net_feed_start(feed));
  net_loop_run(world->loop);
  net_feed_free(feed);
}

static void test_what_is_kept_is_what_was_read(void **state)
{
  static const size_t sizes[] = {
      0, 1, MIB, NET_KEPT_IN_MEMORY, NET_KEPT_IN_MEMORY + 1, 8 * MIB, 9 * MIB + 7};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(sizes); i++) {
    struct world world;
    char sha256[65];
    char *bytes = make_bytes(sizes[i]);
    assert_int_equal(AP_OK, ap_sha256_hex(bytes, sizes[i], sha256));
    free(bytes);
    world_open(&world);
    keep(&world, sizes[i], world.folder.path);
    if (world.code != AP_OK)
      fail_msg("%s", world.text);
    assert_true(world.counted.is_closed);
    assert_int_equal(sizes[i], world.kept.size);
    assert_string_equal(sha256, world.digests.sha256);
    for (int times = 0; times < 2; times++) {
      digest_kept(&world);
      assert_memory_equal(&world.digests, &world.read_digests, sizeof(world.digests));
      assert_int_equal(AP_OK, world.kept.kind->rewind(world.kept.self));
    }
    world_close(&world);
  }
}

static void test_over_the_limit_nothing_is_read(void **state)
{
  struct world world;
  struct ap_error err = {0};
  (void)state;
  world_open(&world);
  const struct net_source source = source_of(&world, 1001);
  assert_int_equal(AP_E_TOO_LARGE, net_keep(world.loop, &source, world.folder.path, 1000, kept,
                                            &world, NULL, &err));
  assert_non_null(strstr(err.text, "1001"));
  assert_non_null(strstr(err.text, "1000"));
  assert_int_equal(0, world.counted.reads);
  world_close(&world);
}

static void test_a_source_that_fails_is_told_with_its_sentence(void **state)
{
  (void)state;
  for (size_t size = 3 * MIB; size < 12 * MIB; size += 8 * MIB) {
    struct world world;
    world_open(&world);
    world.counted.fails = true;
    keep(&world, size, world.folder.path);
    assert_int_equal(AP_E_NETWORK, world.code);
    assert_string_equal("the line is dead", world.text);
    world_close(&world);
  }
}

static void test_a_folder_that_is_not_there_is_told(void **state)
{
  struct world world;
  (void)state;
  world_open(&world);
  keep(&world, 5 * MIB, "/nowhere/at/all");
  assert_int_equal(AP_E_IO, world.code);
  assert_non_null(strstr(world.text, "/nowhere/at/all"));
  world_close(&world);
}

static void test_it_may_be_canceled_at_any_moment(void **state)
{
  (void)state;
  for (unsigned turns = 0; turns < 40; turns++) {
    struct world world;
    struct net_keeping *keeping = NULL;
    struct ap_error err = {0};
    world_open(&world);
    const struct net_source source = source_of(&world, turns % 2 ? 9 * MIB : 3 * MIB);
    assert_int_equal(AP_PENDING, net_keep(world.loop, &source, world.folder.path, 10 * MIB, kept,
                                          &world, &keeping, &err));
    for (unsigned i = 0; i < turns && !world.times; i++)
      (void)uv_run(net_loop_uv(world.loop), UV_RUN_NOWAIT);
    unsigned times = world.times;
    if (!times)
      net_keep_cancel(keeping);
    net_loop_drain(world.loop);
    assert_int_equal(times, world.times);
    world_close(&world);
  }
}

static void test_a_temporary_file_has_no_name_and_one_reader(void **state)
{
  int (*const ways[])(const char *, int *, struct ap_error *) = {net_temporary_open,
                                                                 net_temporary_open_named};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(ways); i++) {
    struct folder folder;
    struct ap_error err = {0};
    struct stat stat;
    int fd = -1;
    folder_make(&folder);
    assert_int_equal(AP_OK, ways[i](folder.path, &fd, &err));
    assert_int_equal(AP_OK, net_temporary_write(fd, "hello", 5, &err));
    assert_int_equal(0, fstat(fd, &stat));
    assert_int_equal(0, stat.st_nlink);
    assert_int_equal(0600, stat.st_mode & 07777);
    assert_int_equal(5, stat.st_size);
    assert_int_equal(0, rmdir(folder.path));
    assert_int_equal(AP_E_IO, ways[i](folder.path, &(int){0}, &err));
    assert_int_equal(0, close(fd));
    assert_int_equal(AP_E_IO, net_temporary_write(-1, "hello", 5, &err));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_kept_is_what_was_read),
      cmocka_unit_test(test_over_the_limit_nothing_is_read),
      cmocka_unit_test(test_a_source_that_fails_is_told_with_its_sentence),
      cmocka_unit_test(test_a_folder_that_is_not_there_is_told),
      cmocka_unit_test(test_it_may_be_canceled_at_any_moment),
      cmocka_unit_test(test_a_temporary_file_has_no_name_and_one_reader),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
