// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/json.h"
#include "vt/await.h"
#include "vt/client_private.h"

void vt_options_init(struct vt_options *options)
{
  *options = (struct vt_options){
      .url = "https://www.virustotal.com/vtapi/v2",
      .limits = {.per_minute = 4, .per_day = 500, .per_month = 15500},
      .list = 4,
      .jobs = 32,
      .retries = 3,
      .retry_delay_ms = 1000,
      .poll_interval_ms = 60000,
      .timeout_ms = 60000,
      .max_wait_ms = 3600000,
      .report_lifetime_ms = 3600000,
      .not_found_lifetime_ms = 600000,
  };
}

/* ---- items ---- */

static void leave_state(struct vt_item *item)
{
  struct vt_client *client = item->client;
  if (item->state == VT_ITEM_FRESH)
    DL_DELETE(client->fresh, item);
  else if (item->state == VT_ITEM_QUEUED)
    DL_DELETE(client->queue[item->priority], item);
  else if (item->state == VT_ITEM_RESTING)
    DL_DELETE(client->resting, item);
  item->state = VT_ITEM_SENT;
}

/* The timer runs until the first of what is waited for: an item that has rested, quota that
 * returns. */
static void set_wake(struct vt_client *client)
{
  int64_t soonest = client->waits_for_quota ? client->quota_again_ms : INT64_MAX;
  for (const struct vt_item *item = client->resting; item; item = item->next)
    if (item->rest_until_ms < soonest)
      soonest = item->rest_until_ms;
  if (soonest == INT64_MAX)
    return;
  int64_t wait = soonest - ap_clock_unix_ms();
  net_timer_start(client->wake, wait > 0 ? (uint64_t)wait : 1);
}

void vt_item_queue(struct vt_item *item)
{
  leave_state(item);
  item->state = VT_ITEM_QUEUED;
  DL_PREPEND(item->client->queue[item->priority], item);
}

void vt_item_rest(struct vt_item *item, uint64_t ms)
{
  leave_state(item);
  item->state = VT_ITEM_RESTING;
  item->rest_until_ms = ap_clock_unix_ms() + (int64_t)ms;
  DL_APPEND(item->client->resting, item);
  set_wake(item->client);
}

static void free_item(struct vt_item *item)
{
  leave_state(item);
  if (item->hh.tbl)
    HASH_DEL(item->client->by_key, item);
  free(item);
}

void vt_item_finish(struct vt_item *item, const struct vt_answer *answer)
{
  /* A callback may ask again, or cancel another ask of this item: what is over is neither shared
   * nor in a list any more. */
  leave_state(item);
  if (item->hh.tbl)
    HASH_DEL(item->client->by_key, item);
  item->hh.tbl = NULL;
  while (item->asks) {
    struct vt_ask *ask = item->asks;
    // NOLINTNEXTLINE(clang-analyzer-*): it loses track in uthash's macros
    DL_DELETE(item->asks, ask);
    vt_done_fn *done = ask->done;
    void *arg = ask->arg;
    free(ask);
    done(arg, answer);
  }
  free_item(item);
}

void vt_item_fail(struct vt_item *item, int code, const char *message)
{
  const struct vt_answer answer = {.code = code, .message = message, .scan_id = ""};
  vt_item_finish(item, &answer);
}

/* ---- the store ---- */

static char kind_of(enum vt_call call)
{
  return (char)('a' + (int)call);
}

static bool is_kept_call(enum vt_call call)
{
  return !vt_call_info(call)->is_submission && call != VT_COMMENTS;
}

bool vt_store_find(struct vt_item *item, struct ap_buf *raw, int *code, int64_t *fetched_ms)
{
  return is_kept_call(item->call) &&
         store_report_get(item->client->store, item->key, raw, code, fetched_ms);
}

void vt_store_forget(const struct vt_item *item)
{
  enum vt_call report = item->call == VT_URL_SCAN ? VT_URL_REPORT : VT_FILE_REPORT;
  struct ap_buf key = {0};
  ap_buf_add_char(&key, kind_of(report));
  ap_buf_add_str(&key, item->resource);
  store_report_forget(item->client->store, ap_buf_cstr(&key));
  ap_buf_deinit(&key);
}

void vt_store_keep(const struct vt_item *item, struct ap_slice body, int code)
{
  static const char *const names[] = {"md5", "sha1", "sha256"};
  const struct vt_options *options = &item->client->options;
  char hashes[3][72];
  const char *keys[4] = {item->key};
  size_t count = 1;
  if (!is_kept_call(item->call) || (code != AP_OK && code != AP_E_NOT_FOUND))
    return;
  for (size_t i = 0; code == AP_OK && item->call == VT_FILE_REPORT && i < 3; i++) {
    struct ap_slice token;
    if (!ap_json_get(body, names[i], &token) || token.len < 34 || token.len > 66)
      continue;
    (void)snprintf(hashes[i], sizeof(hashes[i]), "%c%.*s", kind_of(item->call), (int)token.len - 2,
                   token.ptr + 1);
    if (strcmp(hashes[i], item->key) != 0)
      keys[count++] = hashes[i];
  }
  store_report_put(item->client->store, keys, count, body, code,
                   code == AP_OK ? options->report_lifetime_ms : options->not_found_lifetime_ms);
}

/* ---- asking ---- */

static struct vt_item *new_item(struct vt_client *client, enum vt_call call, const char *resource,
                                enum vt_priority priority)
{
  size_t len = strlen(resource);
  struct vt_item *item = calloc(1, sizeof(*item) + len + 2);
  if (!item)
    return NULL;
  item->client = client;
  item->call = call;
  item->priority = priority;
  item->state = VT_ITEM_FRESH;
  item->key[0] = kind_of(call);
  bool is_file = call == VT_FILE_REPORT || call == VT_FILE_RESCAN;
  bool is_hash = is_file && strspn(resource, "0123456789abcdefABCDEF") == len;
  for (size_t i = 0; i < len; i++)
    item->key[i + 1] = is_hash ? (char)tolower((unsigned char)resource[i]) : resource[i];
  item->key_len = len + 1;
  item->resource = item->key + 1;
  return item;
}

static struct vt_item *find_or_queue(struct vt_client *client, enum vt_call call,
                                     const char *resource, const struct vt_ask_options *options)
{
  struct vt_item *fresh = new_item(client, call, resource, options->priority);
  struct vt_item *shared = NULL;
  if (!fresh)
    return NULL;
  HASH_FIND(hh, client->by_key, fresh->key, fresh->key_len, shared);
  if (shared && !options->no_cache) {
    free(fresh);
    if (options->cost)
      options->cost->shared++;
    return shared;
  }
  if (!shared)
    HASH_ADD_KEYPTR(hh, client->by_key, fresh->key, fresh->key_len, fresh);
  fresh->is_kept = !options->no_cache;
  DL_APPEND(client->fresh, fresh);
  return fresh;
}

int vt_ask(struct vt_client *client, enum vt_call call, const char *resource,
           const struct vt_ask_options *options, vt_done_fn *done, void *arg, struct vt_ask **out)
{
  char separator = vt_call_info(call)->separator;
  if (!*resource || (separator && strchr(resource, separator)))
    return AP_E_INVALID;
  struct vt_ask *ask = calloc(1, sizeof(*ask));
  if (!ask)
    return AP_E_NO_MEMORY;
  struct vt_item *item = find_or_queue(client, call, resource, options);
  if (!item) {
    free(ask);
    return AP_E_NO_MEMORY;
  }
  *ask = (struct vt_ask){.item = item, .options = *options, .done = done, .arg = arg};
  DL_APPEND(item->asks, ask);
  if (out)
    *out = ask;
  return AP_PENDING;
}

void vt_ask_cancel(struct vt_ask *ask)
{
  struct vt_item *item = ask->item;
  DL_DELETE(item->asks, ask);
  free(ask);
  if (!item->asks && item->state != VT_ITEM_SENT)
    free_item(item);
}

/* ---- ending ---- */

void vt_client_end(struct vt_client *client, int code, const char *message)
{
  if (client->ended == AP_OK) {
    client->ended = code;
    (void)snprintf(client->ended_message, sizeof(client->ended_message), "%s", message);
  }
  while (client->fresh)
    vt_item_fail(client->fresh, code, message);
  for (int i = 0; i < VT_PRIORITY_COUNT; i++)
    while (client->queue[i])
      vt_item_fail(client->queue[i], code, message);
  while (client->resting)
    vt_item_fail(client->resting, code, message);
}

void vt_client_stop(struct vt_client *client, int code)
{
  bool is_limit = code == AP_E_DEADLINE && client->waits_for_quota;
  if (is_limit) {
    /* Only those that waited for quota; what comes later meets the deadline itself. */
    for (int i = 0; i < VT_PRIORITY_COUNT; i++)
      while (client->queue[i])
        vt_item_fail(client->queue[i], AP_E_LIMITED,
                     "the deadline of the run came before the quota returned");
  }
  vt_client_end(client, code, ap_error_text(code));
  vt_waits_end(client, ap_error_text(code));
  while (client->batches) {
    struct vt_batch *batch = client->batches;
    net_http_cancel(batch->http_call);
    for (size_t i = 0; i < batch->count; i++)
      vt_item_fail(batch->items[i], code, ap_error_text(code));
    vt_batch_free(batch);
  }
}

/* ---- the turn ---- */

static void woken(void *arg)
{
  struct vt_client *client = arg;
  client->waits_for_quota = false; /* the loop's turn follows, and asks the ledger again */
}

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
    leave_state(item);
    if (item->is_kept && answer_from_store(item))
      continue;
    item->state = VT_ITEM_QUEUED;
    DL_APPEND(client->queue[item->priority], item);
  }
}

static void rouse_rested(struct vt_client *client)
{
  int64_t now = ap_clock_unix_ms();
  struct vt_item *item = client->resting;
  while (item) {
    struct vt_item *next = item->next;
    if (item->rest_until_ms <= now)
      vt_item_queue(item);
    item = next;
  }
  set_wake(client);
}

static void no_quota(struct vt_client *client, const struct store_grant *grant)
{
  char when[AP_CLOCK_TEXT];
  char message[160];
  ap_clock_format_utc(grant->again_unix_ms, when);
  (void)snprintf(message, sizeof(message), "the quota of the %s is spent and returns at %s",
                 grant->window, when);
  bool is_far = grant->again_unix_ms - ap_clock_unix_ms() > (int64_t)client->options.max_wait_ms;
  if (client->options.stop_on_limit || is_far) {
    vt_client_end(client, AP_E_LIMITED, message);
    return;
  }
  client->waits_for_quota = true;
  client->quota_again_ms = grant->again_unix_ms;
  set_wake(client);
}

/* Takes the items of the first one's call that fit in one request, as many as there is quota for.
 */
static size_t take_batch(struct vt_client *client, enum vt_priority priority,
                         struct vt_item **items, struct store_grant *grant)
{
  struct vt_item *first = client->queue[priority];
  bool is_list = vt_call_info(first->call)->separator && !first->is_alone;
  size_t max = is_list ? client->options.list : 1;
  size_t count = 0;
  for (struct vt_item *item = first; item && count < max; item = item->next)
    if (item->call == first->call && (item == first || !item->is_alone))
      items[count++] = item;
  store_quota_take(client->store, &client->options.limits, (uint32_t)count, grant);
  return grant->granted;
}

static bool send_one(struct vt_client *client)
{
  struct vt_item *items[VT_LIST_MAX];
  for (enum vt_priority priority = VT_POLL; priority < VT_PRIORITY_COUNT; priority++) {
    if (!client->queue[priority])
      continue;
    struct store_grant grant;
    enum vt_call call = client->queue[priority]->call;
    size_t count = take_batch(client, priority, items, &grant);
    if (count == 0) {
      no_quota(client, &grant);
      return false;
    }
    for (size_t i = 0; i < count; i++)
      // NOLINTNEXTLINE(clang-analyzer-*): it loses track in uthash's macros
      leave_state(items[i]);
    vt_send(client, call, items, count);
    return true;
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
  while (client->ended == AP_OK && !client->waits_for_quota &&
         client->in_flight < client->options.jobs && send_one(client))
    continue;
}

bool vt_client_is_refused(const struct vt_client *client)
{
  return client->ended == AP_E_UNAUTHORIZED;
}

bool vt_client_was_answered(const struct vt_client *client)
{
  return client->is_answered;
}

/* ---- birth and death ---- */

int vt_client_new(struct net_loop *loop, struct net_http *http, struct store *store,
                  const struct vt_options *options, struct vt_client **out, struct ap_error *err)
{
  if (!net_http_url_is_allowed(options->url))
    return ap_fail(err, AP_E_INVALID, "virustotal.url: use https (http is for loopback only)");
  if (options->list < 1 || options->list > VT_LIST_MAX)
    return ap_fail(err, AP_E_INVALID, "virustotal.tier: a list has 1 to %d items", VT_LIST_MAX);
  struct vt_client *client = calloc(1, sizeof(*client));
  if (!client)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  client->loop = loop;
  client->http = http;
  client->store = store;
  client->options = *options;
  client->url = strdup(options->url);
  if (!client->url || net_timer_new(loop, woken, client, &client->wake) != AP_OK) {
    free(client->url);
    free(client);
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  }
  size_t len = strlen(client->url);
  while (len && client->url[len - 1] == '/')
    client->url[--len] = '\0';
  *out = client;
  return AP_OK;
}

static void drop_item(struct vt_item *item)
{
  while (item->asks) {
    struct vt_ask *ask = item->asks;
    // NOLINTNEXTLINE(clang-analyzer-*): it loses track in uthash's macros
    DL_DELETE(item->asks, ask);
    free(ask);
  }
  free_item(item);
}

void vt_client_free(struct vt_client *client)
{
  if (!client)
    return;
  while (client->waits)
    vt_wait_cancel(client->waits);
  while (client->batches) {
    struct vt_batch *batch = client->batches;
    net_http_cancel(batch->http_call);
    for (size_t i = 0; i < batch->count; i++)
      drop_item(batch->items[i]);
    vt_batch_free(batch);
  }
  for (int i = 0; i < VT_PRIORITY_COUNT; i++)
    while (client->queue[i])
      // NOLINTNEXTLINE(clang-analyzer-*): it loses track in uthash's macros
      drop_item(client->queue[i]);
  while (client->resting)
    drop_item(client->resting);
  while (client->fresh)
    drop_item(client->fresh);
  net_timer_free(client->wake);
  free(client->url);
  free(client);
}
