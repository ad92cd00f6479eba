/* A ring of blocks. The source fills one at a time, the pool digests them in order, the taker
 * empties them in order. */
// SPDX-License-Identifier: Apache-2.0
#include "net/feed.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 4 };

enum block_state { BLOCK_EMPTY, BLOCK_FILLED, BLOCK_DIGESTED };

struct block {
  enum block_state state;
  size_t len;
  size_t taken;
  char *data; /* NULL: none came yet */
};

struct net_feed {
  struct net_loop *loop;
  struct net_source source;
  struct net_feed_events events;
  void *arg;
  bool is_kept;
  struct ap_hasher *hasher;
  size_t block_bytes;
  struct block blocks[BLOCKS];
  size_t fill, digest, take; /* where each of the three stands, counted from the first block */
  uint64_t bytes;            /* that came */
  bool is_reading;
  bool is_digesting; /* a job is on the pool */
  bool has_ended;    /* the source has */
  bool is_let_go;
  bool is_wanting; /* the taker had to go without */
  bool is_over;    /* read or failed was told */
  bool is_freed;   /* while a job was on the pool */
  int digest_code; /* of the job */
};

static struct block *block_at(struct net_feed *feed, size_t place)
{
  return &feed->blocks[place % BLOCKS];
}

static void free_feed(struct net_feed *feed)
{
  for (size_t i = 0; i < BLOCKS; i++)
    free(feed->blocks[i].data);
  ap_hasher_free(feed->hasher);
  free(feed);
}

int net_feed_new(struct net_loop *loop, const struct net_source *source, bool is_kept,
                 const struct net_feed_events *events, void *arg, struct net_feed **out)
{
  struct net_feed *feed = calloc(1, sizeof(*feed));
  if (!feed)
    return AP_E_NO_MEMORY;
  *feed = (struct net_feed){
      .loop = loop, .source = *source, .events = *events, .arg = arg, .is_kept = is_kept};
  feed->block_bytes = source->size < NET_SOURCE_READ_MAX ? source->size : NET_SOURCE_READ_MAX;
  int rc = ap_hasher_new(&feed->hasher);
  if (rc != AP_OK) {
    free_feed(feed);
    return rc;
  }
  *out = feed;
  return AP_OK;
}

void net_feed_free(struct net_feed *feed)
{
  if (!feed)
    return;
  if (feed->is_reading)
    feed->source.kind->cancel(feed->source.self);
  if (feed->is_digesting)
    feed->is_freed = true; /* the job's done frees it */
  else
    free_feed(feed);
}

/* ---- what comes ---- */

static void fail(struct net_feed *feed, int code, const char *text)
{
  if (feed->is_over)
    return;
  feed->is_over = true;
  feed->events.failed(feed->arg, code, text);
}

static void go_on(struct net_feed *feed);

/* False when out of memory. */
static bool fill_block(struct net_feed *feed, struct ap_slice data)
{
  struct block *block = block_at(feed, feed->fill);
  ap_require(data.len <= feed->block_bytes);
  if (!block->data)
    block->data = malloc(feed->block_bytes);
  if (!block->data)
    return false;
  memcpy(block->data, data.ptr, data.len);
  block->len = data.len;
  block->taken = 0;
  block->state = BLOCK_FILLED;
  feed->bytes += data.len;
  feed->fill++;
  return true;
}

static void got(void *arg, int code, const char *text, struct ap_slice data)
{
  struct net_feed *feed = arg;
  feed->is_reading = false;
  if (code != AP_OK) {
    fail(feed, code, text);
    return;
  }
  uint64_t left = feed->source.size - feed->bytes;
  if (data.len > left || (data.len == 0 && left)) {
    fail(feed, AP_E_IO, "it changed while it was read"); /* before a byte too many is taken */
    return;
  }
  if (data.len == 0) {
    feed->has_ended = true;
  } else if (!fill_block(feed, data)) {
    fail(feed, AP_E_NO_MEMORY, ap_error_text(AP_E_NO_MEMORY));
    return;
  }
  go_on(feed);
}

/* Asks for the next block when there is room for it. */
static int read_on(struct net_feed *feed)
{
  if (feed->is_reading || feed->has_ended || feed->is_over ||
      block_at(feed, feed->fill)->state != BLOCK_EMPTY)
    return AP_OK;
  int rc = feed->source.kind->read(feed->source.self, got, feed);
  feed->is_reading = rc == AP_PENDING;
  return rc == AP_PENDING ? AP_OK : rc;
}

/* ---- digests ---- */

static void digest_job(void *arg)
{
  struct net_feed *feed = arg;
  const struct block *block = block_at(feed, feed->digest);
  feed->digest_code = ap_hasher_add(feed->hasher, block->data, block->len);
}

static void digest_done(void *arg)
{
  struct net_feed *feed = arg;
  feed->is_digesting = false;
  if (feed->is_freed) {
    free_feed(feed);
    return;
  }
  if (feed->digest_code != AP_OK) {
    fail(feed, feed->digest_code, ap_error_text(feed->digest_code));
    return;
  }
  struct block *block = block_at(feed, feed->digest++);
  block->state = feed->is_kept ? BLOCK_DIGESTED : BLOCK_EMPTY;
  go_on(feed);
}

/* False when the feed is over. */
static bool digest_on(struct net_feed *feed)
{
  if (feed->is_digesting || feed->is_over)
    return !feed->is_over;
  if (feed->digest < feed->fill) {
    feed->is_digesting = true;
    int rc = net_loop_work(feed->loop, digest_job, digest_done, feed);
    if (rc != AP_PENDING) {
      feed->is_digesting = false;
      fail(feed, rc, ap_error_text(rc));
      return false;
    }
    return true;
  }
  if (!feed->has_ended)
    return true;
  struct ap_digests digests;
  int rc = ap_hasher_finish(feed->hasher, &digests);
  if (rc != AP_OK) {
    fail(feed, rc, ap_error_text(rc));
    return false;
  }
  feed->is_over = true;
  feed->events.read(feed->arg, &digests);
  return false;
}

/* ---- taking ---- */

/* The last block is one behind which nothing has come yet. */
static bool can_take(const struct net_feed *feed)
{
  if (feed->take == feed->fill)
    return feed->has_ended && feed->is_let_go;
  bool is_last = feed->take + 1 == feed->fill;
  return feed->take < feed->digest && (!is_last || (feed->has_ended && feed->is_let_go));
}

/* What it tells may free the feed, and comes last. */
static void go_on(struct net_feed *feed)
{
  int rc = read_on(feed);
  if (rc != AP_OK) {
    fail(feed, rc, ap_error_text(rc));
    return;
  }
  bool has_more = feed->is_wanting && can_take(feed);
  if (!digest_on(feed) || !has_more)
    return;
  feed->is_wanting = false;
  feed->events.more(feed->arg);
}

int net_feed_start(struct net_feed *feed)
{
  return read_on(feed);
}

int64_t net_feed_take(struct net_feed *feed, char *data, size_t len)
{
  size_t given = 0;
  while (given < len && can_take(feed) && feed->take < feed->fill) {
    struct block *block = block_at(feed, feed->take);
    size_t part = block->len - block->taken;
    if (part > len - given)
      part = len - given;
    memcpy(data + given, block->data + block->taken, part);
    given += part;
    block->taken += part;
    if (block->taken < block->len)
      break;
    block->state = BLOCK_EMPTY;
    feed->take++;
  }
  int rc = read_on(feed);
  if (rc != AP_OK) {
    feed->is_over = true;
    return rc;
  }
  if (given)
    return (int64_t)given;
  if (can_take(feed))
    return 0;
  feed->is_wanting = true;
  return NET_FEED_LATER;
}

void net_feed_let_go(struct net_feed *feed)
{
  feed->is_let_go = true;
}
