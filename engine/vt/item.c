// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "vt/client_private.h"

/* ---- states ---- */

static struct vt_item **list_of(const struct vt_item *item)
{
  struct vt_client *client = item->client;
  switch (item->state) {
  case VT_ITEM_FRESH:
    return &client->fresh;
  case VT_ITEM_LOOKING:
    return &client->looking;
  case VT_ITEM_QUEUED:
    return &client->lines[item->priority].lists[item->call][item->is_alone];
  case VT_ITEM_RESTING:
    return &client->resting;
  case VT_ITEM_DOUBTED:
    return &client->doubted;
  case VT_ITEM_SENT:
    break;
  }
  return NULL;
}

void vt_item_leave(struct vt_item *item)
{
  struct vt_item **list = list_of(item);
  if (!list)
    return;
  if (item->state == VT_ITEM_QUEUED)
    item->client->lines[item->priority].count--;
  if (item->op)
    store_cancel(item->op);
  item->op = NULL;
  DL_DELETE(*list, item);
  item->state = VT_ITEM_SENT;
}

void vt_item_line_up(struct vt_item *item)
{
  vt_item_leave(item);
  item->state = VT_ITEM_QUEUED;
  item->place = item->client->place_back++;
  item->client->lines[item->priority].count++;
  struct vt_item **list = list_of(item);
  ap_require(list);
  DL_APPEND(*list, item);
}

void vt_item_queue(struct vt_item *item)
{
  vt_item_leave(item);
  item->state = VT_ITEM_QUEUED;
  item->place = --item->client->place_front;
  item->client->lines[item->priority].count++;
  struct vt_item **list = list_of(item);
  ap_require(list);
  DL_PREPEND(*list, item);
}

void vt_item_rest(struct vt_item *item, uint64_t ms)
{
  struct vt_client *client = item->client;
  vt_item_leave(item);
  item->state = VT_ITEM_RESTING;
  item->rest_until_ms = ap_clock_unix_ms() + (int64_t)ms;
  DL_APPEND(client->resting, item);
  if (item->rest_until_ms < client->rest_soonest_ms)
    client->rest_soonest_ms = item->rest_until_ms;
  vt_wake_set(client);
}

struct vt_item *vt_line_first(const struct vt_line *line)
{
  struct vt_item *first = NULL;
  for (int call = 0; line->count && call < VT_CALL_COUNT; call++)
    for (int alone = 0; alone < 2; alone++) {
      struct vt_item *head = line->lists[call][alone];
      if (head && (!first || head->place < first->place))
        first = head;
    }
  return first;
}

struct vt_item *vt_client_first(const struct vt_client *client)
{
  struct vt_item *first = NULL;
  for (int i = 0; !first && i < VT_PRIORITY_COUNT; i++)
    first = vt_line_first(&client->lines[i]);
  return first;
}

/* ---- asks ---- */

static void detach(struct vt_ask *ask)
{
  struct vt_item *item = ask->item;
  DL_DELETE(item->asks, ask);
  if (!ask->options.stop_on_limit)
    return;
  DL_DELETE2(item->client->hasty, ask, hasty_prev, hasty_next);
  item->client->hasty_count--;
}

static void free_ask(struct vt_ask *ask)
{
  detach(ask);
  if (ask->item->call == VT_FILE_SCAN)
    vt_upload_close(ask);
  free(ask);
}

/* What an ask is told when it is gone: its callback may do anything. */
struct last_word {
  vt_done_fn *done;
  void *arg;
  struct vt_answer answer;
  struct ap_digests digests;
};

static void take_out(struct vt_ask *ask, const struct vt_answer *answer, struct last_word *word)
{
  const struct ap_digests *digests =
      ask->item->call == VT_FILE_SCAN ? vt_upload_digests(ask) : NULL;
  word->done = ask->done;
  word->arg = ask->arg;
  word->answer = *answer;
  if (digests) {
    word->digests = *digests;
    word->answer.digests = &word->digests;
  }
  free_ask(ask);
}

void vt_ask_attach(struct vt_ask *ask, struct vt_item *item, const struct vt_ask_options *options,
                   vt_done_fn *done, void *arg)
{
  ask->item = item;
  ask->options = *options;
  ask->done = done;
  ask->arg = arg;
  DL_APPEND(item->asks, ask);
  if (!options->stop_on_limit)
    return;
  DL_APPEND2(item->client->hasty, ask, hasty_prev, hasty_next);
  item->client->hasty_count++;
}

static void free_item(struct vt_item *item)
{
  vt_item_leave(item);
  vt_intent_drop(item);
  if (item->hh.tbl)
    TABLE_REMOVE(hh, item->client->by_key, item);
  vt_doubt_free(item);
  vt_transfer_free(item);
  free(item);
}

/* An ask of the item is gone. */
static void release(struct vt_item *item)
{
  if (item->asks)
    vt_doubt_set_cost(item, item->asks->options.cost);
  else if (item->state != VT_ITEM_SENT)
    free_item(item);
}

void vt_ask_cancel(struct vt_ask *ask)
{
  struct vt_item *item = ask->item;
  free_ask(ask);
  release(item);
}

void vt_ask_end(struct vt_ask *ask, int code, const char *message)
{
  const struct vt_answer answer = {.code = code, .message = message, .scan_id = ""};
  struct vt_item *item = ask->item;
  struct last_word word;
  take_out(ask, &answer, &word);
  release(item);
  word.done(word.arg, &word.answer);
}

/* ---- finishing ---- */

void vt_item_finish(struct vt_item *item, const struct vt_answer *answer)
{
  struct last_word word;
  /* A callback may ask again, or cancel another ask of this item: what is over is neither shared
   * nor in a list any more. */
  vt_item_leave(item);
  if (item->hh.tbl)
    TABLE_REMOVE(hh, item->client->by_key, item);
  item->hh.tbl = NULL;
  while (item->asks) {
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the first is taken out of its list
    take_out(item->asks, answer, &word);
    word.done(word.arg, &word.answer);
  }
  free_item(item);
}

void vt_item_fail(struct vt_item *item, int code, const char *message)
{
  const struct vt_answer answer = {.code = code, .message = message, .scan_id = ""};
  vt_item_finish(item, &answer);
}

void vt_item_drop(struct vt_item *item)
{
  while (item->asks) {
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the first is taken out of its list
    free_ask(item->asks);
  }
  free_item(item);
}

/* ---- asking ---- */

static struct vt_item *new_item(struct vt_client *client, enum vt_call call, size_t max_bytes,
                                enum vt_priority priority)
{
  struct vt_item *item = calloc(1, sizeof(*item) + max_bytes + 2);
  if (!item)
    return NULL;
  item->client = client;
  item->call = call;
  item->priority = priority;
  item->state = VT_ITEM_FRESH;
  vt_call_key(call, "", item->key);
  item->resource = item->key + 1;
  return item;
}

static void set_resource(struct vt_item *item, const char *resource)
{
  vt_call_key(item->call, resource, item->key);
  item->key_len = strlen(item->key);
}

/* Who wants nothing old may share what is yet to be sent; an answer that is on its way may be from
 * before the ask. */
static bool may_share(const struct vt_item *item, const struct vt_ask_options *options)
{
  bool is_submission = vt_call_info(item->call)->is_submission;
  return is_submission || !options->no_cache || item->state != VT_ITEM_SENT;
}

static void join(struct vt_item *item, const struct vt_ask_options *options)
{
  if (options->no_cache)
    item->is_kept = false;
  if (options->cost)
    options->cost->shared++;
  if (options->priority >= item->priority)
    return;
  bool is_queued = item->state == VT_ITEM_QUEUED;
  if (is_queued)
    vt_item_leave(item);
  item->priority = options->priority;
  if (is_queued)
    vt_item_line_up(item);
}

struct vt_item *vt_item_obtain(struct vt_client *client, enum vt_call call, const char *resource,
                               const struct vt_ask_options *options)
{
  struct vt_item *fresh = new_item(client, call, strlen(resource), options->priority);
  struct vt_item *shared = NULL;
  if (!fresh)
    return NULL;
  set_resource(fresh, resource);
  HASH_FIND(hh, client->by_key, fresh->key, fresh->key_len, shared);
  if (shared && may_share(shared, options)) {
    free(fresh);
    join(shared, options);
    return shared;
  }
  if (!shared)
    HASH_ADD_KEYPTR(hh, client->by_key, fresh->key, fresh->key_len, fresh);
  fresh->is_kept = !options->no_cache;
  DL_APPEND(client->fresh, fresh);
  return fresh;
}

struct vt_item *vt_item_blank(struct vt_client *client, enum vt_call call, size_t max_bytes,
                              const struct vt_ask_options *options)
{
  struct vt_item *item = new_item(client, call, max_bytes, options->priority);
  if (item)
    DL_APPEND(client->fresh, item);
  return item;
}

struct vt_item *vt_item_denied(struct vt_client *client, enum vt_call call, const char *why,
                               const struct vt_ask_options *options)
{
  size_t len = strlen(why);
  struct vt_item *item = vt_item_blank(client, call, len, options);
  if (!item)
    return NULL;
  memcpy(item->key + 1, why, len + 1);
  item->is_denied = true;
  return item;
}

struct vt_item *vt_item_name(struct vt_item *item, const char *resource)
{
  struct vt_item *other = NULL;
  set_resource(item, resource);
  HASH_FIND(hh, item->client->by_key, item->key, item->key_len, other);
  if (!other)
    HASH_ADD_KEYPTR(hh, item->client->by_key, item->key, item->key_len, item);
  return other;
}

void vt_ask_move(struct vt_ask *ask, struct vt_item *item)
{
  DL_DELETE(ask->item->asks, ask);
  ask->item = item;
  DL_APPEND(item->asks, ask);
  join(item, &ask->options);
}

int vt_ask(struct vt_client *client, enum vt_call call, const char *resource,
           const struct vt_ask_options *options, vt_done_fn *done, void *arg, struct vt_ask **out)
{
  char separator = vt_call_info(call)->separator;
  char why[VT_POLICY_WHY];
  if (call == VT_FILE_SCAN || !*resource || (separator && strchr(resource, separator)))
    return AP_E_INVALID;
  struct vt_ask *ask = calloc(1, sizeof(*ask));
  if (!ask)
    return AP_E_NO_MEMORY;
  bool is_denied = vt_client_judge(client, call, resource, &options->about, why) != AP_OK;
  struct vt_item *item = is_denied ? vt_item_denied(client, call, why, options)
                                   : vt_item_obtain(client, call, resource, options);
  if (!item) {
    free(ask);
    return AP_E_NO_MEMORY;
  }
  vt_ask_attach(ask, item, options, done, arg);
  if (out)
    *out = ask;
  return AP_PENDING;
}
