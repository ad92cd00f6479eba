/* The source runs through a feed, which digests it; what the feed gives goes to memory, or piece by
 * piece, on the pool, to the temporary file. */
// SPDX-License-Identifier: Apache-2.0
#include "net/kept.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/feed.h"
#include "net/file.h"
#include "net/memory_source.h"
#include "net/temporary.h"

enum { PIECE_BYTES = 1024 * 1024 };

struct net_keeping {
  struct net_loop *loop;
  struct net_source source;
  struct net_feed *feed; /* NULL: it failed */
  net_kept_fn *done;     /* NULL: canceled */
  void *arg;
  bool is_in_memory;
  char *bytes;         /* in memory: all of them; else a piece */
  size_t room, used;   /* of bytes */
  uint64_t taken;      /* from the feed */
  bool is_read;        /* to the end: the digests are known */
  bool is_busy;        /* a job is on the pool: fd, bytes and what follows are its own */
  int fd;              /* -1: none yet */
  struct ap_error err; /* of the job; code AP_OK: none */
  struct stat stat;    /* of the file, as the last job left it */
  struct ap_digests digests;
  char folder[];
};

static void free_keeping(struct net_keeping *keeping)
{
  net_feed_free(keeping->feed);
  keeping->source.kind->close(keeping->source.self);
  if (keeping->fd >= 0)
    (void)close(keeping->fd);
  free(keeping->bytes);
  free(keeping);
}

/* ---- the end ---- */

static void fail(struct net_keeping *keeping, int code, const char *text)
{
  char copy[sizeof(keeping->err.text)];
  net_kept_fn *done = keeping->done;
  void *arg = keeping->arg;
  (void)snprintf(copy, sizeof(copy), "%s", text);
  net_keep_cancel(keeping);
  done(arg, code, copy, NULL, NULL);
}

static int make_source(struct net_keeping *keeping, struct net_source *out)
{
  if (keeping->is_in_memory) {
    int rc = net_memory_source(keeping->loop, keeping->bytes, keeping->used, out);
    if (rc == AP_OK)
      keeping->bytes = NULL;
    return rc;
  }
  int rc = net_file_adopt(keeping->loop, keeping->fd, &keeping->stat, out);
  if (rc == AP_OK)
    keeping->fd = -1;
  return rc;
}

static void finish(struct net_keeping *keeping)
{
  struct net_source kept;
  int rc = make_source(keeping, &kept);
  if (rc != AP_OK) {
    fail(keeping, rc, ap_error_text(rc));
    return;
  }
  net_kept_fn *done = keeping->done;
  void *arg = keeping->arg;
  const struct ap_digests digests = keeping->digests;
  net_keep_cancel(keeping);
  done(arg, AP_OK, "", &kept, &digests);
}

/* ---- writing ---- */

static void go_on(struct net_keeping *keeping);

static void write_job(void *arg)
{
  struct net_keeping *keeping = arg;
  struct ap_error *err = &keeping->err;
  int rc = keeping->fd < 0 ? net_temporary_open(keeping->folder, &keeping->fd, err) : AP_OK;
  if (rc == AP_OK)
    rc = net_temporary_write(keeping->fd, keeping->bytes, keeping->used, err);
  if (rc == AP_OK && fstat(keeping->fd, &keeping->stat) != 0)
    (void)ap_fail(err, AP_E_IO, "the temporary file cannot be looked at");
}

static void write_done(void *arg)
{
  struct net_keeping *keeping = arg;
  keeping->is_busy = false;
  keeping->used = 0;
  if (!keeping->done)
    free_keeping(keeping);
  else if (keeping->err.code != AP_OK)
    fail(keeping, keeping->err.code, keeping->err.text);
  else
    go_on(keeping);
}

static void write_piece(struct net_keeping *keeping)
{
  int rc = net_loop_work(keeping->loop, write_job, write_done, keeping);
  if (rc == AP_PENDING)
    keeping->is_busy = true;
  else
    fail(keeping, rc, ap_error_text(rc));
}

/* ---- reading ---- */

/* Fills bytes as far as there is something now: AP_OK, or why the feed is over. */
static int take(struct net_keeping *keeping)
{
  int64_t got = 1;
  while (got > 0 && keeping->used < keeping->room && keeping->taken < keeping->source.size) {
    got =
        net_feed_take(keeping->feed, keeping->bytes + keeping->used, keeping->room - keeping->used);
    if (got > 0) {
      keeping->used += (size_t)got;
      keeping->taken += (uint64_t)got;
    }
  }
  return got < 0 && got != NET_FEED_LATER ? (int)got : AP_OK;
}

static void go_on(struct net_keeping *keeping)
{
  int rc = take(keeping);
  bool is_all = keeping->is_read && keeping->taken == keeping->source.size;
  bool is_in_memory = keeping->is_in_memory;
  if (rc != AP_OK)
    fail(keeping, rc, ap_error_text(rc));
  else if (!is_in_memory && keeping->used && (is_all || keeping->used == keeping->room))
    write_piece(keeping);
  else if (is_all)
    finish(keeping);
}

static void feed_has_more(void *arg)
{
  struct net_keeping *keeping = arg;
  if (!keeping->is_busy)
    go_on(keeping);
}

static void feed_is_read(void *arg, const struct ap_digests *digests)
{
  struct net_keeping *keeping = arg;
  keeping->digests = *digests;
  keeping->is_read = true;
  net_feed_let_go(keeping->feed);
  feed_has_more(keeping);
}

static void feed_failed(void *arg, int code, const char *text)
{
  fail(arg, code, text);
}

/* ---- beginning ---- */

static int begin(struct net_keeping *keeping, uint64_t max_bytes, struct ap_error *err)
{
  static const struct net_feed_events events = {feed_has_more, feed_is_read, feed_failed};
  const struct net_source *source = &keeping->source;
  if (source->size > max_bytes)
    return ap_fail(err, AP_E_TOO_LARGE,
                   "the file has %" PRIu64 " bytes, more than the %" PRIu64 " that are taken",
                   source->size, max_bytes);
  keeping->is_in_memory = source->size <= NET_KEPT_IN_MEMORY;
  keeping->room = keeping->is_in_memory ? (size_t)source->size : PIECE_BYTES;
  keeping->bytes = malloc(keeping->room + 1);
  int rc = AP_E_NO_MEMORY;
  if (keeping->bytes)
    rc = net_feed_new(keeping->loop, source, true, &events, keeping, &keeping->feed);
  if (rc == AP_OK)
    rc = net_feed_start(keeping->feed);
  if (rc == AP_OK)
    rc = take(keeping); /* nothing yet: so that the feed says when there is */
  return rc == AP_OK ? AP_OK : ap_fail(err, rc, "%s", ap_error_text(rc));
}

int net_keep(struct net_loop *loop, const struct net_source *source, const char *folder,
             uint64_t max_bytes, net_kept_fn *done, void *arg, struct net_keeping **out,
             struct ap_error *err)
{
  size_t len = strlen(folder);
  struct net_keeping *keeping = calloc(1, sizeof(*keeping) + len + 1);
  if (!keeping) {
    source->kind->close(source->self);
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  }
  *keeping =
      (struct net_keeping){.loop = loop, .source = *source, .done = done, .arg = arg, .fd = -1};
  memcpy(keeping->folder, folder, len);
  int rc = begin(keeping, max_bytes, err);
  if (rc != AP_OK) {
    free_keeping(keeping);
    return rc;
  }
  if (out)
    *out = keeping;
  // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the feed has it
  return AP_PENDING;
}

void net_keep_cancel(struct net_keeping *keeping)
{
  if (!keeping)
    return;
  keeping->done = NULL;
  if (!keeping->is_busy) {
    free_keeping(keeping);
    return;
  }
  net_feed_free(keeping->feed); /* nothing more is read; the job's done frees the rest */
  keeping->feed = NULL;
}
