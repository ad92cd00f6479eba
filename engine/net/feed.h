/* Between a source and who sends its bytes on: reads ahead a few megabytes, computes the digests on
 * the way, off the loop thread, and holds the last block back until it is told to let it go. So
 * what is sent is known before its end is sent. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/digest.h"
#include "net/loop.h"
#include "net/source.h"

struct net_feed;

/* What a feed tells, on the loop thread, never from inside a call of the feed. Each may free it. */
struct net_feed_events {
  void (*more)(void *arg); /* net_feed_take gives bytes again, after it had none now */
  /* Everything was read: the digests of the whole. Runs once, or failed does. */
  void (*read)(void *arg, const struct ap_digests *digests);
  void (*failed)(void *arg, int code, const char *text);
};

/* @param source   borrowed until the feed is freed; at its beginning
 * @param is_kept  false: only the digests are wanted, nothing is taken */
int net_feed_new(struct net_loop *loop, const struct net_source *source, bool is_kept,
                 const struct net_feed_events *events, void *arg,
                 struct net_feed **out) AP_MUST_USE;
int net_feed_start(struct net_feed *feed) AP_MUST_USE; /* AP_OK, or why it cannot begin */

/* Copies the next bytes: how many, 0 at the end, NET_FEED_LATER when there are none now; another
 * negative number is an error (AP_E_...), after which nothing is told any more. */
#define NET_FEED_LATER INT64_MIN
int64_t net_feed_take(struct net_feed *feed, char *data, size_t len);

/* The last block may be taken: what net_feed_take gives next. `more` is not told for it. */
void net_feed_let_go(struct net_feed *feed);
void net_feed_free(struct net_feed *feed); /* cancels; NULL is fine */
