/* One turn: who has rested is back in line, and what there is quota for goes out, first in line
 * first. Nothing here walks over all that waits, but once for every time that some of it is due. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <utlist.h>

#include "base/clock.h"
#include "vt/client_private.h"

/* ---- waking ---- */

/* The timer runs until the first of what is waited for: an item that has rested, quota that
 * returns. */
void vt_wake_set(struct vt_client *client)
{
  int64_t soonest = client->rest_soonest_ms;
  if (client->waits_for_quota && client->quota_again_ms < soonest)
    soonest = client->quota_again_ms;
  if (soonest == INT64_MAX || soonest == client->wake_at_ms)
    return;
  int64_t wait = soonest - ap_clock_unix_ms();
  client->wake_at_ms = soonest;
  net_timer_start(client->wake, wait > 0 ? (uint64_t)wait : 1);
}

void vt_woken(void *arg)
{
  struct vt_client *client = arg;
  client->wake_at_ms = INT64_MAX;
  client->waits_for_quota = false; /* the loop's turn follows, and asks the ledger again */
}

static void rouse_rested(struct vt_client *client)
{
  int64_t now = ap_clock_unix_ms();
  if (client->rest_soonest_ms > now)
    return;
  client->rest_soonest_ms = INT64_MAX;
  struct vt_item *item = client->resting;
  while (item) {
    struct vt_item *next = item->next;
    if (item->rest_until_ms > now) {
      if (item->rest_until_ms < client->rest_soonest_ms)
        client->rest_soonest_ms = item->rest_until_ms;
    } else if (item->doubt) {
      vt_doubt_ask(item);
    } else {
      vt_item_queue(item);
    }
    item = next;
  }
}

/* ---- what is new ---- */

/* True when the store had the answer: the item is finished and gone. */
static bool answer_from_store(struct vt_item *item)
{
  struct ap_buf raw = {0};
  struct vt_answer answer = {.message = "", .scan_id = "", .is_cached = true};
  bool found = vt_store_find(item, &raw, &answer.code, &answer.fetched_unix_ms);
  if (found) {
    answer.body = ap_slice_of(&raw);
    if (answer.code != AP_OK)
      answer.message = ap_error_text(answer.code);
    for (struct vt_ask *ask = item->asks; ask; ask = ask->next)
      if (ask->options.cost)
        ask->options.cost->cached++;
    vt_item_finish(item, &answer);
  }
  ap_buf_deinit(&raw);
  return found;
}

/* Takes the fresh items one by one from the front: a callback may add to them, or cancel any. */
static void queue_fresh(struct vt_client *client)
{
  while (client->fresh) {
    struct vt_item *item = client->fresh;
    vt_item_leave(item);
    if (item->call == VT_COMMENTS && client->comments_are_refused)
      vt_item_fail(item, AP_E_FORBIDDEN, "the key may not read comments (HTTP 403)");
    else if (item->call == VT_FILE_SCAN)
      vt_upload_check(item);
    else if (!item->is_kept || !answer_from_store(item))
      vt_item_line_up(item);
  }
}

/* ---- quota ---- */

/* Ends the asks that do not want to wait for quota. Each is looked at once, from the front to the
 * back of their list: a callback may cancel any of them, or ask anew. */
static void end_hasty(struct vt_client *client)
{
  for (size_t left = client->hasty_count; left && client->hasty; left--) {
    struct vt_ask *ask = client->hasty;
    DL_DELETE2(client->hasty, ask, hasty_prev, hasty_next);
    DL_APPEND2(client->hasty, ask, hasty_prev, hasty_next);
    if (ask->item->state == VT_ITEM_QUEUED)
      vt_ask_end(ask, AP_E_LIMITED, client->quota_message);
  }
}

static void no_quota(struct vt_client *client, const struct store_grant *grant)
{
  char when[AP_CLOCK_TEXT];
  ap_clock_format_utc(grant->again_unix_ms, when);
  (void)snprintf(client->quota_message, sizeof(client->quota_message),
                 "the quota of the %s is spent and returns at %s", grant->window, when);
  bool is_far = grant->again_unix_ms - ap_clock_unix_ms() > (int64_t)client->options.max_wait_ms;
  if (client->options.stop_on_limit || is_far) {
    vt_client_end(client, AP_E_LIMITED, client->quota_message);
    return;
  }
  client->waits_for_quota = true;
  client->quota_again_ms = grant->again_unix_ms;
  end_hasty(client);
}

/* Polls take at most half of a minute while look-ups wait: the ring knows when the last half
 * minute's worth of polls went out. */
static size_t polls_allowed(const struct vt_client *client, size_t want)
{
  if (!client->poll_max || !client->lines[VT_LOOKUP].count)
    return want;
  int64_t minute_ago = ap_clock_unix_ms() - VT_MINUTE_MS;
  size_t allowed = 0;
  while (allowed < want && allowed < client->poll_max &&
         client->poll_ms[(client->poll_at + allowed) % client->poll_max] <= minute_ago)
    allowed++;
  return allowed;
}

static void count_polls(struct vt_client *client, size_t count)
{
  int64_t now = ap_clock_unix_ms();
  for (size_t i = 0; client->poll_max && i < count; i++) {
    client->poll_ms[client->poll_at] = now;
    client->poll_at = (client->poll_at + 1) % client->poll_max;
  }
}

/* ---- sending ---- */

/* Takes what stands behind first in its list and fits in one request; first is one of it. */
static size_t take_batch(const struct vt_client *client, struct vt_item *first,
                         struct vt_item **items)
{
  bool is_list = vt_call_info(first->call)->separator && !first->is_alone;
  size_t max = is_list ? client->options.list : 1;
  size_t count = 0;
  for (struct vt_item *item = first; item && count < max; item = item->next)
    items[count++] = item;
  return count;
}

/* Sends the first of a line: false when it has to wait for quota. */
static bool send_first(struct vt_client *client, struct vt_item *first, size_t max)
{
  struct vt_item *items[VT_LIST_MAX];
  struct store_grant grant;
  enum vt_call call = first->call;
  bool is_poll = first->priority == VT_POLL;
  size_t count = take_batch(client, first, items);
  store_quota_take(client->store, &client->options.limits, (uint32_t)(count < max ? count : max),
                   &grant);
  if (grant.granted == 0) {
    no_quota(client, &grant);
    return false;
  }
  if (count > grant.granted)
    count = grant.granted;
  if (is_poll)
    count_polls(client, count);
  for (size_t i = 0; i < count; i++)
    vt_item_leave(items[i]);
  if (call == VT_FILE_SCAN)
    vt_upload_send(first);
  else
    vt_send(client, call, items, count);
  return true;
}

static bool send_one(struct vt_client *client)
{
  for (int priority = 0; priority < VT_PRIORITY_COUNT; priority++) {
    struct vt_item *first = vt_line_first(&client->lines[priority]);
    size_t max = priority == VT_POLL ? polls_allowed(client, VT_LIST_MAX) : VT_LIST_MAX;
    if (first && max > 0)
      return send_first(client, first, max);
  }
  return false;
}

void vt_client_turn(struct vt_client *client)
{
  if (client->ended != AP_OK) {
    vt_client_end(client, client->ended, client->ended_message);
    return;
  }
  rouse_rested(client);
  queue_fresh(client);
  if (client->waits_for_quota)
    end_hasty(client);
  while (client->ended == AP_OK && !client->waits_for_quota &&
         client->in_flight < client->options.jobs && send_one(client))
    continue;
  vt_wake_set(client);
}
