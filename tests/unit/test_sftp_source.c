/* A file of a real sshd as a source: fed, canceled, read again, kept. */
// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"
#include "net/feed.h"
#include "net/kept.h"
#include "sftp_unit.h"

enum { SIZE = 9 * 1024 * 1024 + 7 };

static struct server server;
static char sha256[65];

static int set_up(void **state)
{
  char *bytes = malloc(SIZE);
  (void)state;
  assert_non_null(bytes);
  for (uint32_t i = 0; i < SIZE; i++)
    bytes[i] = (char)(i * 2654435761U >> 13);
  server_start(&server);
  put_file(&server, "sample", bytes, SIZE, 0644);
  assert_int_equal(AP_OK, ap_sha256_hex(bytes, SIZE, sha256));
  free(bytes);
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  server_stop(&server);
  return 0;
}

struct fed {
  struct heard heard;
  struct net_feed *feed;
  struct ap_buf bytes;
  struct ap_digests digests;
  struct net_source kept;
};

static struct net_source open_source(struct world *world)
{
  struct heard heard = {0};
  world_open(world, &server);
  connect_well(world);
  assert_int_equal(AP_PENDING, net_sftp_open_file(world->sftp, path_in(&server, "sample"),
                                                  hear_file, &heard, NULL));
  wait_for(world, &heard, 1);
  assert_int_equal(AP_OK, heard.code);
  const struct net_source source = net_sftp_source(heard.file);
  assert_int_equal(SIZE, source.size);
  return source;
}

static void take(struct fed *fed)
{
  static char data[100000];
  int64_t got;
  while ((got = net_feed_take(fed->feed, data, sizeof(data))) > 0)
    ap_buf_add(&fed->bytes, data, (size_t)got);
  if (got == 0)
    note(&fed->heard, AP_OK, "");
}

static void has_more(void *arg)
{
  take(arg);
}

static void is_read(void *arg, const struct ap_digests *digests)
{
  struct fed *fed = arg;
  fed->digests = *digests;
  take(fed);
  assert_int_equal(0, fed->heard.times); /* the last block is held back */
  net_feed_let_go(fed->feed);
  take(fed);
}

static void has_failed(void *arg, int code, const char *text)
{
  struct fed *fed = arg;
  note(&fed->heard, code, text);
}

static void feed_from(struct world *world, const struct net_source *source, struct fed *fed)
{
  static const struct net_feed_events events = {has_more, is_read, has_failed};
  *fed = (struct fed){0};
  ap_buf_init(&fed->bytes, 2 * SIZE);
  assert_int_equal(AP_OK, net_feed_new(world->loop, source, true, &events, fed, &fed->feed));
  assert_int_equal(AP_OK, net_feed_start(fed->feed));
  take(fed);
}

static void end_feed(struct fed *fed)
{
  net_feed_free(fed->feed);
  ap_buf_deinit(&fed->bytes);
  heard_free(&fed->heard);
}

static void expect_whole(struct world *world, struct fed *fed)
{
  char hex[65];
  wait_for(world, &fed->heard, 1);
  EXPECT(&fed->heard, AP_OK, "");
  assert_int_equal(SIZE, fed->bytes.len);
  assert_int_equal(AP_OK, ap_sha256_hex(fed->bytes.ptr, fed->bytes.len, hex));
  assert_string_equal(sha256, hex);
  assert_string_equal(sha256, fed->digests.sha256);
}

static void test_it_is_fed_whole_and_again_after_a_rewind(void **state)
{
  struct world world;
  struct fed fed;
  (void)state;
  const struct net_source source = open_source(&world);
  for (int times = 0; times < 2; times++) {
    feed_from(&world, &source, &fed);
    expect_whole(&world, &fed);
    end_feed(&fed);
    assert_int_equal(AP_OK, source.kind->rewind(source.self));
  }
  source.kind->close(source.self);
  world_close(&world);
}

static void test_a_feed_that_is_freed_in_the_middle_leaves_it_to_be_read_again(void **state)
{
  struct world world;
  struct fed fed;
  (void)state;
  const struct net_source source = open_source(&world);
  for (unsigned turns = 0; turns < 12; turns++) {
    feed_from(&world, &source, &fed);
    for (unsigned i = 0; i < turns && !fed.heard.times; i++)
      (void)uv_run(net_loop_uv(world.loop), UV_RUN_NOWAIT);
    end_feed(&fed);
    assert_int_equal(AP_OK, source.kind->rewind(source.self));
  }
  feed_from(&world, &source, &fed);
  expect_whole(&world, &fed);
  end_feed(&fed);
  source.kind->close(source.self);
  world_close(&world);
}

static void test_a_connection_that_is_closed_is_a_failure_of_the_source(void **state)
{
  struct world world;
  (void)state;
  const struct net_source source = open_source(&world);
  net_sftp_close(world.sftp);
  world.sftp = NULL;
  assert_int_equal(AP_E_CLOSED, source.kind->rewind(source.self));
  assert_int_equal(AP_E_CLOSED, source.kind->read(source.self, NULL, NULL));
  source.kind->cancel(source.self);
  source.kind->close(source.self);
  world_close(&world);
}

static void is_kept(void *arg, int code, const char *text, const struct net_source *kept,
                    const struct ap_digests *digests)
{
  struct fed *fed = arg;
  if (code == AP_OK) {
    fed->kept = *kept;
    fed->digests = *digests;
  }
  note(&fed->heard, code, text);
}

static void test_what_is_kept_outlives_the_connection(void **state)
{
  struct world world;
  struct fed fed = {0};
  struct ap_error err = {0};
  (void)state;
  const struct net_source source = open_source(&world);
  assert_int_equal(AP_PENDING,
                   net_keep(world.loop, &source, "/tmp", SIZE, is_kept, &fed, NULL, &err));
  wait_for(&world, &fed.heard, 1);
  EXPECT(&fed.heard, AP_OK, "");
  assert_string_equal(sha256, fed.digests.sha256);
  net_sftp_close(world.sftp);
  world.sftp = NULL;
  const struct net_source kept = fed.kept;
  feed_from(&world, &kept, &fed);
  expect_whole(&world, &fed);
  end_feed(&fed);
  kept.kind->close(kept.self);
  world_close(&world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_it_is_fed_whole_and_again_after_a_rewind),
      cmocka_unit_test(test_a_feed_that_is_freed_in_the_middle_leaves_it_to_be_read_again),
      cmocka_unit_test(test_a_connection_that_is_closed_is_a_failure_of_the_source),
      cmocka_unit_test(test_what_is_kept_outlives_the_connection),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
