/* One request, from its items to what each of them becomes. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "vt/client_private.h"
#include "vt/explain.h"
#include "vt/split.h"

enum { ITEM_MAX_BYTES = 1024 * 1024, ANSWER_MAX_BYTES = 8 * 1024 * 1024 };

struct vt_batch *vt_batch_new(struct vt_client *client, enum vt_call call,
                              struct vt_item *const *items, size_t count)
{
  struct vt_batch *batch = calloc(1, sizeof(*batch));
  if (!batch)
    return NULL;
  batch->client = client;
  batch->call = call;
  batch->count = count;
  memcpy(batch->items, items, count * sizeof(struct vt_item *));
  DL_APPEND(client->batches, batch);
  client->in_flight++;
  return batch;
}

void vt_batch_detach(struct vt_batch *batch)
{
  DL_DELETE(batch->client->batches, batch);
  batch->client->in_flight--;
}

void vt_batch_abort(struct vt_batch *batch)
{
  net_http_cancel(batch->http_call);
  batch->http_call = NULL;
  vt_batch_detach(batch);
  for (size_t i = 0; i < batch->count; i++) {
    vt_transfer_end(batch->items[i]);
    vt_intent_drop(batch->items[i]);
  }
}

/* ---- what an item becomes ---- */

static bool is_only_poll(const struct vt_item *item)
{
  for (const struct vt_ask *ask = item->asks; ask; ask = ask->next)
    if (ask->options.priority != VT_POLL)
      return false;
  return true;
}

static bool all_have_report(const struct vt_item *item)
{
  for (const struct vt_ask *ask = item->asks; ask; ask = ask->next)
    if (!ask->options.has_report)
      return false;
  return true;
}

static void submission_failed(struct vt_item *item, int code, const char *message)
{
  bool is_first =
      item->call == VT_FILE_SCAN || (item->call == VT_URL_SCAN && !all_have_report(item));
  if (is_first && !item->was_doubted)
    vt_doubt_begin(item, 1, true, code, message);
  else
    vt_item_refuse(item, code, message);
}

void vt_item_failed(struct vt_item *item, int code, const char *message)
{
  const struct vt_options *options = &item->client->options;
  item->is_alone = true; /* whatever was wrong with a list, one item must not take others along */
  if (vt_call_info(item->call)->is_submission) {
    submission_failed(item, code, message);
    return;
  }
  if (item->call == VT_COMMENTS || item->tries > options->retries || is_only_poll(item)) {
    vt_item_fail(item, code, message);
    return;
  }
  uint64_t most = options->retry_delay_ms << (item->tries > 16 ? 16 : item->tries - 1);
  vt_item_rest(item, ap_random_below(most + 1));
}

static const char *message_of(const struct vt_verdict *verdict, struct ap_buf *text)
{
  ap_json_read_string(verdict->message, text);
  return text->len ? ap_buf_cstr(text) : ap_error_text(verdict->code);
}

void vt_answer_item(struct vt_item *item, struct ap_slice body)
{
  struct vt_verdict verdict = vt_call_read(item->call, body);
  struct ap_buf message = {0};
  struct ap_buf scan_id = {0};
  if (verdict.code == AP_E_BAD_ANSWER) {
    vt_item_failed(item, AP_E_BAD_ANSWER, "the answer has no response_code that is known");
    return;
  }
  ap_json_read_string(verdict.scan_id, &scan_id);
  ap_buf_must(&scan_id); /* a scan without its id would be taken for an older one */
  if (!vt_call_info(item->call)->is_submission) {
    vt_store_keep(item, body, &verdict);
  } else if (verdict.code == AP_OK) {
    vt_journal_sent(item, ap_buf_cstr(&scan_id));
    vt_store_forget(item);
  } else {
    vt_journal_done(item);
  }
  const struct vt_answer answer = {
      .code = verdict.code,
      .message = verdict.code == AP_OK ? "" : message_of(&verdict, &message),
      .body = body,
      .scan_id = ap_buf_cstr(&scan_id),
      .fetched_unix_ms = ap_clock_unix_ms(),
  };
  vt_item_finish(item, &answer);
  ap_buf_deinit(&scan_id);
  ap_buf_deinit(&message);
}

/* ---- what an answer means ---- */

static void each_item(struct vt_batch *batch, int code, const char *message)
{
  for (size_t i = 0; i < batch->count; i++)
    vt_item_failed(batch->items[i], code, message);
}

static void take_json(struct vt_batch *batch, const struct net_http_answer *answer)
{
  const char *asked[VT_LIST_MAX];
  struct ap_slice items[VT_LIST_MAX];
  struct ap_error err = {0};
  for (size_t i = 0; i < batch->count; i++)
    asked[i] = batch->items[i]->resource;
  if (vt_split(batch->call, answer->body, asked, batch->count, items, &err) != AP_OK) {
    vt_explain_body(answer, &err);
    each_item(batch, err.code, err.text);
    return;
  }
  for (size_t i = 0; i < batch->count; i++)
    if (items[i].ptr)
      vt_answer_item(batch->items[i], items[i]);
    else
      vt_item_failed(batch->items[i], AP_E_BAD_ANSWER, "the answer left it out");
}

void vt_quota_spent(struct vt_client *client)
{
  int64_t now_ms = ap_clock_unix_ms();
  if (now_ms < client->struck_until_ms)
    return; /* it was sent before the back-off that goes on */
  client->struck_until_ms = now_ms + VT_MINUTE_MS;
  client->strikes++;
  if (client->strikes > VT_STRIKES_MAX)
    store_quota_spend_day(client->store);
  else
    store_quota_spend_minute(client->store);
  ap_log(AP_LOG_VT, AP_LOG_INFO, "an answer of 204: the quota is spent, %s",
         client->strikes > VT_STRIKES_MAX ? "for the day" : "waiting a minute");
}

static void quota_spent(struct vt_batch *batch)
{
  vt_quota_spent(batch->client);
  for (size_t i = batch->count; i > 0; i--) {
    struct vt_item *item = batch->items[i - 1];
    vt_journal_done(item);
    if (batch->call == VT_COMMENTS)
      vt_item_fail(item, AP_E_LIMITED, "VirusTotal says that the quota is spent");
    else if (!item->asks)
      vt_item_drop(item); /* nobody asks any more */
    else
      vt_item_queue(item);
  }
}

static bool has_report(const struct vt_item *item)
{
  for (const struct vt_ask *ask = item->asks; ask; ask = ask->next)
    if (ask->options.has_report)
      return true;
  return false;
}

/* A 403 may be about the key or about this call: the rule of the packaged actions' table. */
static bool means_the_key(const struct vt_client *client, enum vt_call call,
                          const struct vt_item *first)
{
  if (call == VT_COMMENTS || call == VT_FILE_RESCAN)
    return false;
  if (!vt_call_info(call)->is_submission)
    return true;
  return !client->is_accepted && !has_report(first);
}

/* A key that may not read comments is not asked for them again. */
static void refuse_comments(struct vt_client *client, const char *message)
{
  client->comments_are_refused = true;
  for (int i = 0; i < VT_PRIORITY_COUNT; i++)
    while (client->lines[i].lists[VT_COMMENTS][0])
      vt_item_fail(client->lines[i].lists[VT_COMMENTS][0], AP_E_FORBIDDEN, message);
}

void vt_refused(struct vt_client *client, enum vt_call call, struct vt_item *const *items,
                size_t count, long status)
{
  bool is_key = means_the_key(client, call, items[0]);
  char message[64];
  if (is_key)
    (void)snprintf(client->refusal, sizeof(client->refusal), "HTTP %ld", status);
  (void)snprintf(message, sizeof(message),
                 is_key ? "VirusTotal refused the key (HTTP %ld)"
                        : "the key may not do this (HTTP %ld)",
                 status);
  for (size_t i = 0; i < count; i++)
    vt_item_refuse(items[i], is_key ? AP_E_UNAUTHORIZED : AP_E_FORBIDDEN, message);
  if (is_key)
    vt_client_end(client, AP_E_UNAUTHORIZED, message);
  else if (call == VT_COMMENTS)
    refuse_comments(client, message);
}

void vt_saw_status(struct vt_client *client, long status)
{
  client->is_answered = true;
  if (status == 200 || status == 204 || status == 429)
    client->is_accepted = true;
  if (status == 200)
    client->strikes = 0;
}

void vt_saw_failure(struct vt_client *client, const struct net_http_answer *answer)
{
  if (answer->code == AP_E_NETWORK || answer->code == AP_E_TLS || answer->code == AP_E_TIMEOUT)
    (void)snprintf(client->unreachable, sizeof(client->unreachable), "%s", answer->error);
  else if (answer->code == AP_E_TOO_LARGE)
    client->is_answered = true; /* more than was wanted */
}

static void take_status(struct vt_batch *batch, const struct net_http_answer *answer)
{
  char message[VT_EXPLAIN_TEXT];
  int code = vt_explain_status(answer->status, message);
  vt_saw_status(batch->client, answer->status);
  if (answer->status == 200)
    take_json(batch, answer);
  else if (answer->status == 204 || answer->status == 429)
    quota_spent(batch);
  else if (answer->status == 403 || answer->status == 401)
    vt_refused(batch->client, batch->call, batch->items, batch->count, answer->status);
  else if (answer->status >= 500)
    each_item(batch, AP_E_SERVER, message);
  else
    for (size_t i = 0; i < batch->count; i++)
      vt_item_refuse(batch->items[i], answer->status == 413 ? AP_E_TOO_LARGE : code, message);
}

static void answered(void *arg, const struct net_http_answer *answer)
{
  struct vt_batch *batch = arg;
  vt_batch_detach(
      batch); /* a callback may end the client: what is judged here is not on the wire */
  if (answer->code == AP_OK) {
    take_status(batch, answer);
  } else {
    vt_saw_failure(batch->client, answer);
    each_item(batch, answer->code, answer->error);
  }
  free(batch);
}

/* ---- sending ---- */

static void write_arguments(const struct vt_batch *batch, struct ap_buf *out)
{
  const struct vt_call_info *info = vt_call_info(batch->call);
  struct ap_slice key = ap_secret_bytes(batch->client->options.key);
  ap_buf_add_str(out, "apikey=");
  net_http_escape(out, key.ptr, key.len);
  ap_buf_add_fmt(out, "&%s=", info->parameter);
  for (size_t i = 0; i < batch->count; i++) {
    if (i)
      net_http_escape(out, &info->separator, 1);
    net_http_escape(out, batch->items[i]->resource, strlen(batch->items[i]->resource));
  }
}

void vt_count_cost(const struct vt_batch *batch)
{
  for (size_t i = 0; i < batch->count; i++) {
    batch->items[i]->tries++;
    const struct vt_ask *ask = batch->items[i]->asks;
    if (!ask || !ask->options.cost)
      continue;
    ask->options.cost->quota++;
    if (i == 0)
      ask->options.cost->requests++;
  }
}

static int start(struct vt_batch *batch)
{
  const struct vt_client *client = batch->client;
  const struct vt_call_info *info = vt_call_info(batch->call);
  struct ap_buf url = {0};
  struct ap_buf form = {0};
  size_t most = ITEM_MAX_BYTES * batch->count;
  ap_buf_add_fmt(&url, "%s/%s", client->url, info->path);
  if (!info->is_post)
    ap_buf_add_char(&url, '?');
  write_arguments(batch, info->is_post ? &form : &url);
  const struct net_http_request request = {
      .url = ap_buf_cstr(&url),
      .form = ap_slice_of(&form),
      .is_once = info->is_submission,
      .timeout_ms = client->options.timeout_ms,
      .max_answer_bytes = most > ANSWER_MAX_BYTES ? ANSWER_MAX_BYTES : most,
  };
  int rc = ap_buf_error(&url) ? ap_buf_error(&url) : ap_buf_error(&form);
  if (rc == AP_OK)
    rc = net_http_start(client->http, &request, answered, batch, &batch->http_call);
  ap_buf_wipe(&url);
  ap_buf_wipe(&form);
  return rc;
}

static void not_sent(struct vt_item *const *items, size_t count, int rc)
{
  for (size_t i = 0; i < count; i++)
    vt_item_refuse(items[i], rc, ap_error_text(rc));
}

void vt_launch(struct vt_batch *batch)
{
  if (batch->call == VT_FILE_SCAN) { /* it is on the wire but for its end */
    vt_upload_let_go(batch);
    return;
  }
  vt_count_cost(batch);
  int rc = start(batch);
  if (rc == AP_PENDING)
    return;
  vt_batch_detach(batch);
  not_sent(batch->items, batch->count, rc);
  free(batch);
}

void vt_send(struct vt_client *client, enum vt_call call, struct vt_item *const *items,
             size_t count, int64_t granted_ms)
{
  struct vt_batch *batch = vt_batch_new(client, call, items, count);
  if (!batch) {
    not_sent(items, count, AP_E_NO_MEMORY);
    return;
  }
  batch->granted_ms = granted_ms;
  if (vt_call_info(call)->is_submission)
    vt_journal_intend(batch);
  else
    vt_launch(batch);
}
