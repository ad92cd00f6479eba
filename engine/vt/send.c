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
#include "vt/split.h"

enum { ITEM_MAX_BYTES = 1024 * 1024, ANSWER_MAX_BYTES = 8 * 1024 * 1024 };

void vt_batch_free(struct vt_batch *batch)
{
  DL_DELETE(batch->client->batches, batch);
  batch->client->in_flight--;
  free(batch);
}

/* ---- what an item becomes ---- */

static void retry_or_fail(struct vt_item *item, int code, const char *message)
{
  const struct vt_options *options = &item->client->options;
  bool is_submission = vt_call_info(item->call)->is_submission;
  item->is_alone = true; /* whatever was wrong with a list, one item must not take others along */
  if (item->priority == VT_POLL || is_submission || item->call == VT_COMMENTS ||
      item->tries > options->retries) {
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

static void answer_item(struct vt_item *item, struct ap_slice body)
{
  struct vt_verdict verdict = vt_call_read(item->call, body);
  struct ap_buf message = {0};
  struct ap_buf scan_id = {0};
  if (verdict.code == AP_E_BAD_ANSWER) {
    retry_or_fail(item, AP_E_BAD_ANSWER, "the answer has no response_code that is known");
    return;
  }
  if (!vt_call_info(item->call)->is_submission)
    vt_store_keep(item, body, verdict.code);
  else if (verdict.code == AP_OK)
    vt_store_forget(item);
  ap_json_read_string(verdict.scan_id, &scan_id);
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
    retry_or_fail(batch->items[i], code, message);
}

static void take_json(struct vt_batch *batch, struct ap_slice body)
{
  const char *asked[VT_LIST_MAX];
  struct ap_slice items[VT_LIST_MAX];
  struct ap_error err = {0};
  for (size_t i = 0; i < batch->count; i++)
    asked[i] = batch->items[i]->resource;
  if (vt_split(batch->call, body, asked, batch->count, items, &err) != AP_OK) {
    each_item(batch, err.code, err.text);
    return;
  }
  for (size_t i = 0; i < batch->count; i++)
    if (items[i].ptr)
      answer_item(batch->items[i], items[i]);
    else
      retry_or_fail(batch->items[i], AP_E_BAD_ANSWER, "the answer left it out");
}

static void quota_spent(struct vt_batch *batch)
{
  struct vt_client *client = batch->client;
  static const char message[] = "VirusTotal says that the quota is spent";
  client->strikes++;
  if (client->strikes > VT_STRIKES_MAX)
    store_quota_spend_day(client->store);
  else
    store_quota_spend_minute(client->store);
  ap_log(AP_LOG_VT, AP_LOG_INFO, "an answer of 204: the quota is spent, %s",
         client->strikes > VT_STRIKES_MAX ? "for the day" : "waiting a minute");
  for (size_t i = batch->count; i > 0; i--)
    if (batch->call == VT_COMMENTS)
      vt_item_fail(batch->items[i - 1], AP_E_LIMITED, message);
    else
      vt_item_queue(batch->items[i - 1]);
}

static bool has_report(const struct vt_item *item)
{
  for (const struct vt_ask *ask = item->asks; ask; ask = ask->next)
    if (ask->options.has_report)
      return true;
  return false;
}

/* A 403 may be about the key or about this call: the rule of the packaged actions' table. */
static bool means_the_key(const struct vt_batch *batch)
{
  if (batch->call == VT_COMMENTS || batch->call == VT_FILE_RESCAN)
    return false;
  if (!vt_call_info(batch->call)->is_submission)
    return true;
  return !batch->client->is_accepted && !has_report(batch->items[0]);
}

static void refused(struct vt_batch *batch)
{
  static const char message[] = "VirusTotal refused the key (HTTP 403)";
  bool is_key = means_the_key(batch);
  for (size_t i = 0; i < batch->count; i++)
    vt_item_fail(batch->items[i], is_key ? AP_E_UNAUTHORIZED : AP_E_FORBIDDEN,
                 is_key ? message : "the key may not do this (HTTP 403)");
  if (is_key)
    vt_client_end(batch->client, AP_E_UNAUTHORIZED, message);
}

static void take_status(struct vt_batch *batch, const struct net_http_answer *answer)
{
  char message[96];
  (void)snprintf(message, sizeof(message), "the server answered HTTP %ld", answer->status);
  batch->client->is_answered = true;
  if (answer->status == 200) {
    batch->client->is_accepted = true;
    batch->client->strikes = 0;
    take_json(batch, answer->body);
  } else if (answer->status == 204 || answer->status == 429) {
    batch->client->is_accepted = true;
    quota_spent(batch);
  } else if (answer->status == 403 || answer->status == 401) {
    refused(batch);
  } else if (answer->status >= 500) {
    each_item(batch, AP_E_SERVER, message);
  } else {
    for (size_t i = 0; i < batch->count; i++)
      vt_item_fail(batch->items[i], answer->status == 413 ? AP_E_TOO_LARGE : AP_E_REJECTED,
                   message);
  }
}

static void answered(void *arg, const struct net_http_answer *answer)
{
  struct vt_batch *batch = arg;
  if (answer->code == AP_OK)
    take_status(batch, answer);
  else
    each_item(batch, answer->code, answer->error);
  vt_batch_free(batch);
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

static void count_cost(const struct vt_batch *batch)
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

void vt_send(struct vt_client *client, enum vt_call call, struct vt_item *const *items,
             size_t count)
{
  struct vt_batch *batch = calloc(1, sizeof(*batch));
  if (!batch) {
    for (size_t i = 0; i < count; i++)
      vt_item_fail(items[i], AP_E_NO_MEMORY, ap_error_text(AP_E_NO_MEMORY));
    return;
  }
  batch->client = client;
  batch->call = call;
  batch->count = count;
  memcpy(batch->items, items, count * sizeof(struct vt_item *));
  DL_APPEND(client->batches, batch);
  client->in_flight++;
  count_cost(batch);
  int rc = start(batch);
  if (rc == AP_PENDING)
    return;
  for (size_t i = 0; i < count; i++)
    vt_item_fail(batch->items[i], rc, ap_error_text(rc));
  vt_batch_free(batch);
}
