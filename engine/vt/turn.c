/* One turn: who has rested is back in line, and what there is quota for goes out, first in line
 * first. Nothing here walks over all that waits, but once for every time that some of it is due. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
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
  client->knows_quota = !client->waits_for_quota && client->knows_quota;
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
    } else if (item->is_elsewhere) {
      vt_store_look(item);
    } else {
      vt_item_queue(item);
    }
    item = next;
  }
}

/* ---- what is new ---- */

/* Takes the fresh items one by one from the front: a callback may add to them, or cancel any. */
static void queue_fresh(struct vt_client *client)
{
  while (client->fresh) {
    struct vt_item *item = client->fresh;
    vt_item_leave(item);
    if (item->is_denied)
      vt_item_fail(item, AP_E_DENIED, item->resource);
    else if (item->call == VT_COMMENTS && client->comments_are_refused)
      vt_item_fail(item, AP_E_FORBIDDEN, "the key may not read comments (HTTP 403)");
    else if (item->call == VT_FILE_SCAN)
      vt_upload_check(item);
    else
      vt_store_look(item);
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

static void say_minute_note(struct vt_client *client, const struct store_grant *grant)
{
  if (!client->options.minute_note || strcmp(grant->window, "minute") != 0)
    return;
  ap_log(AP_LOG_VT, AP_LOG_WARN, "%s", client->options.minute_note);
  client->options.minute_note = NULL;
}

static void no_quota(struct vt_client *client, const struct store_grant *grant)
{
  char when[AP_CLOCK_TEXT];
  ap_clock_format_utc(grant->again_unix_ms, when);
  (void)snprintf(client->quota_message, sizeof(client->quota_message),
                 grant->is_reserved
                     ? "the rest of the %s's quota is reserved for others; more returns at %s"
                     : "the quota of the %s is spent and returns at %s",
                 grant->window, when);
  bool is_far = grant->again_unix_ms - ap_clock_unix_ms() > (int64_t)client->options.max_wait_ms;
  if (client->options.stop_on_limit || is_far) {
    vt_client_end(client, AP_E_LIMITED, client->quota_message);
    return;
  }
  say_minute_note(client, grant);
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

/* Sends the first of a line, for credit. */
static void send_first(struct vt_client *client, struct vt_item *first, size_t max)
{
  struct vt_item *items[VT_LIST_MAX];
  enum vt_call call = first->call;
  bool is_poll = first->priority == VT_POLL;
  size_t count = take_batch(client, first, items);
  if (count > max)
    count = max;
  if (count > client->credit)
    count = client->credit;
  client->credit -= (uint32_t)count;
  if (is_poll)
    count_polls(client, count);
  for (size_t i = 0; i < count; i++)
    vt_item_leave(items[i]);
  if (call == VT_FILE_SCAN)
    vt_upload_send(first, client->granted_ms);
  else
    vt_send(client, call, items, count, client->granted_ms);
}

static bool send_one(struct vt_client *client)
{
  for (int priority = 0; priority < VT_PRIORITY_COUNT; priority++) {
    struct vt_item *first = vt_line_first(&client->lines[priority]);
    size_t max = priority == VT_POLL ? polls_allowed(client, VT_LIST_MAX) : VT_LIST_MAX;
    if (first && max > 0) {
      send_first(client, first, max);
      return true;
    }
  }
  return false;
}

/* ---- asking the ledger ---- */

/* Where each list of a line is read on. */
struct cursor {
  struct vt_item *at[VT_CALL_COUNT][2];
};

static struct vt_item **next_of(struct cursor *cursor)
{
  struct vt_item **next = NULL;
  for (int call = 0; call < VT_CALL_COUNT; call++)
    for (int alone = 0; alone < 2; alone++) {
      struct vt_item **at = &cursor->at[call][alone];
      if (*at && (!next || (*at)->place < (*next)->place))
        next = at;
    }
  return next;
}

/* How many items of a line `slots` requests could take, and how many of them they need. */
static size_t count_line(const struct vt_client *client, const struct vt_line *line, size_t max,
                         size_t *slots)
{
  struct cursor cursor;
  struct vt_item **next;
  struct vt_item *items[VT_LIST_MAX];
  size_t count = 0;
  memcpy(cursor.at, line->lists, sizeof(cursor.at));
  while (*slots && count < max && (next = next_of(&cursor))) {
    size_t taken = take_batch(client, *next, items);
    ap_require(taken > 0);
    *next = items[taken - 1]->next;
    count += taken;
    (*slots)--;
  }
  return count < max ? count : max;
}

/* What could go out now if there were quota without end. */
static uint32_t count_wanted(const struct vt_client *client)
{
  size_t slots = client->options.jobs - client->in_flight;
  size_t count = 0;
  for (int priority = 0; slots && priority < VT_PRIORITY_COUNT; priority++) {
    const struct vt_line *line = &client->lines[priority];
    size_t max = priority == VT_POLL ? polls_allowed(client, line->count) : line->count;
    if (max > 0)
      count += count_line(client, line, max, &slots);
  }
  return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

static void granted(void *arg, int code, const struct store_grant *grant)
{
  struct vt_client *client = arg;
  client->take = NULL;
  if (code != AP_OK) {
    char message[320];
    (void)snprintf(message, sizeof(message), "the quota could not be counted: %s",
                   *store_problem(client->store) ? store_problem(client->store)
                                                 : ap_error_text(code));
    vt_client_end(client, code, message);
    return;
  }
  client->knows_quota = true;
  client->minute_left = grant->minute_left;
  client->day_left = grant->day_left;
  if (grant->granted == 0) {
    no_quota(client, grant);
  } else {
    client->credit = grant->granted; /* for the turn that follows */
    client->granted_ms = grant->at_unix_ms;
  }
}

static void ask_for_quota(struct vt_client *client)
{
  if (client->take || client->waits_for_quota || client->in_flight >= client->options.jobs)
    return;
  uint32_t want = count_wanted(client);
  if (want == 0)
    return;
  int rc = store_quota_take(client->store, &client->options.limits, want, granted, client,
                            &client->take);
  if (rc != AP_PENDING)
    vt_client_end(client, rc, ap_error_text(rc));
}

static void return_credit(struct vt_client *client)
{
  if (client->credit)
    store_quota_return(client->store, client->granted_ms, client->credit);
  client->credit = 0;
}

void vt_quota_drop(struct vt_client *client)
{
  return_credit(client);
  if (client->take)
    store_cancel(client->take);
  client->take = NULL;
}

void vt_client_turn(struct vt_client *client)
{
  if (client->ended == AP_E_LIMITED)
    queue_fresh(client); /* what was fetched before needs no quota */
  if (client->ended != AP_OK) {
    vt_client_end(client, client->ended, client->ended_message);
    return;
  }
  rouse_rested(client);
  queue_fresh(client);
  if (client->waits_for_quota)
    end_hasty(client);
  while (client->credit && client->in_flight < client->options.jobs && send_one(client))
    continue;
  return_credit(client);
  if (client->ended == AP_OK)
    ask_for_quota(client);
  vt_wake_set(client);
}
