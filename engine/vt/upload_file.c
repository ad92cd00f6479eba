/* The request with the file. It starts at once and streams what has been read; when all is, the
 * SHA-256 is known, the journal is told, and only then does the last block go. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "vt/explain.h"
#include "vt/upload_private.h"

enum { SLOWEST_BYTES_PER_MS = 64, UNANSWERED_ASKS = 3 };

// NOLINTNEXTLINE(misc-redundant-expression): two headers, which must agree
_Static_assert(NET_FEED_LATER == NET_HTTP_LATER, "what the feed says is what the request is told");

/* Once more, when it was not yet. The journal's entry stays as it is. */
static void send_again(struct vt_item *item, int code, const char *message)
{
  if (item->was_resent) {
    vt_item_refuse(item, code, message);
    return;
  }
  item->was_resent = true;
  vt_item_rest(item, item->client->options.retry_delay_ms);
}

/* ---- a request that is broken off: nothing was submitted ---- */

static void count_bytes(const struct vt_upload *reader, uint64_t bytes)
{
  if (reader && reader->ask.options.cost)
    reader->ask.options.cost->bytes_sent += bytes;
}

void vt_upload_break_off(struct vt_item *item)
{
  const struct vt_transfer *transfer = item->transfer;
  if (!transfer)
    return;
  count_bytes(transfer->reader, transfer->read_bytes);
  vt_transfer_end(item);
}

static void break_off(struct vt_item *item)
{
  struct vt_batch *batch = item->transfer->batch;
  vt_upload_break_off(item);
  (void)vt_transfer_off(batch);
}

/* An upload that shares the item has a source of its own. */
static void source_failed(struct vt_item *item, struct vt_upload *reader, int code,
                          const char *message)
{
  if (vt_upload_is_only(reader)) {
    vt_item_refuse(item, code, message);
    return;
  }
  vt_item_queue(item);
  vt_ask_end(&reader->ask, code, message);
}

/* Another item of this run stands for the same contents. */
static void join(struct vt_item *item, struct vt_item *other)
{
  break_off(item);
  vt_ask_move(item->asks, other);
  vt_item_drop(item);
}

/* ---- what the source gives ---- */

static int64_t read_feed(void *arg, char *data, size_t len)
{
  struct vt_transfer *transfer = arg;
  if (!transfer->feed)
    return 0;
  int64_t got = net_feed_take(transfer->feed, data, len);
  if (got == NET_FEED_LATER)
    return got;
  if (got < 0) {
    transfer->source_error = (int)got;
    return got;
  }
  transfer->read_bytes += (uint64_t)got;
  if (transfer->read_bytes == transfer->size) { /* while the answer is awaited, it is not needed */
    net_feed_free(transfer->feed);
    transfer->feed = NULL;
  }
  return got;
}

static void feed_has_more(void *arg)
{
  const struct vt_item *item = arg;
  net_http_go_on(item->transfer->batch->http_call);
}

static void feed_failed(void *arg, int code, const char *text)
{
  struct vt_item *item = arg;
  struct vt_upload *reader = item->transfer->reader;
  break_off(item);
  source_failed(item, reader, code, text);
}

static void feed_is_read(void *arg, const struct ap_digests *digests)
{
  struct vt_item *item = arg;
  struct vt_transfer *transfer = item->transfer;
  struct vt_upload *reader = transfer->reader;
  reader->digests = *digests;
  reader->has_digests = true;
  if (*item->resource && strcmp(item->resource, digests->sha256) != 0) {
    break_off(item);
    source_failed(item, reader, AP_E_IO, "it changed: its SHA-256 is no longer what it was");
    return;
  }
  transfer->digests = *digests;
  transfer->has_digests = true;
  struct vt_item *other = *item->resource ? NULL : vt_item_name(item, digests->sha256);
  if (other)
    join(item, other);
  else
    vt_journal_intend(transfer->batch);
}

void vt_upload_let_go(struct vt_batch *batch)
{
  const struct vt_transfer *transfer = batch->items[0]->transfer;
  net_feed_let_go(transfer->feed);
  net_http_go_on(batch->http_call);
}

/* ---- what the answer means ---- */

static void take_receipt(struct vt_item *item, const struct net_http_answer *answer)
{
  struct ap_slice body = answer->body;
  struct ap_error err = {0};
  if (ap_json_check(body, AP_JSON_MAX_DEPTH, VT_UPLOAD_ANSWER_BYTES, &err) == AP_OK) {
    vt_answer_item(item, ap_json_trim(body));
    return;
  }
  err.code = AP_E_BAD_ANSWER;
  vt_explain_body(answer, &err);
  vt_item_failed(item, err.code, err.text);
}

/* An answer that is no refusal, to a request of which the end was not there. */
static bool is_early(const struct vt_item *item, long status)
{
  return (status == 200 || status >= 500) && !vt_upload_may_have_arrived(item);
}

static void take_status(struct vt_item *item, const struct net_http_answer *answer)
{
  char message[VT_EXPLAIN_TEXT];
  int code = vt_explain_status(answer->status, message);
  vt_saw_status(item->client, answer->status);
  if (is_early(item, answer->status))
    send_again(item, AP_E_SERVER, "VirusTotal answered before it had the whole file");
  else if (answer->status == 200)
    take_receipt(item, answer);
  else if (answer->status == 204 || answer->status == 429)
    vt_upload_quota_spent(item);
  else if (answer->status == 403 || answer->status == 401)
    vt_refused(item->client, VT_FILE_SCAN, &item, 1, answer->status);
  else if (answer->status >= 500)
    vt_item_failed(item, AP_E_SERVER, message);
  else if (answer->status == 413)
    vt_item_refuse(item, AP_E_TOO_LARGE, "VirusTotal says that the file is too large (HTTP 413)");
  else
    vt_item_refuse(item, code, message);
}

/* No answer: what follows depends on how far the request came. */
static void unanswered(struct vt_item *item, const struct net_http_answer *answer)
{
  const struct vt_transfer *transfer = item->transfer;
  char message[300];
  if (transfer->source_error && transfer->reader) {
    source_failed(item, transfer->reader, transfer->source_error,
                  ap_error_text(transfer->source_error));
  } else if (!vt_upload_may_have_arrived(item)) {
    send_again(item, answer->code, answer->error);
  } else {
    (void)snprintf(message, sizeof(message), "%.240s; the file may have arrived", answer->error);
    vt_doubt_begin(item, UNANSWERED_ASKS, false, answer->code, message);
  }
}

static void answered(void *arg, const struct net_http_answer *answer)
{
  struct vt_batch *batch = arg;
  struct vt_item *item = batch->items[0];
  count_bytes(item->transfer->reader, answer->bytes_sent);
  (void)vt_transfer_off(batch);
  if (answer->code == AP_OK) {
    take_status(item, answer);
    return;
  }
  vt_saw_failure(item->client, answer);
  unanswered(item, answer);
}

/* ---- starting ---- */

static int begin_reading(struct vt_item *item)
{
  static const struct net_feed_events events = {feed_has_more, feed_is_read, feed_failed};
  struct vt_transfer *transfer = item->transfer;
  struct vt_upload *reader = vt_upload_first(item);
  const struct net_source *source = &reader->source;
  transfer->reader = reader;
  transfer->size = source->size;
  transfer->read_bytes = 0;
  transfer->source_error = AP_OK;
  int rc = reader->was_read ? source->kind->rewind(source->self) : AP_OK;
  reader->was_read = true;
  if (rc == AP_OK)
    rc = net_feed_new(item->client->loop, source, true, &events, item, &transfer->feed);
  return rc == AP_OK ? net_feed_start(transfer->feed) : rc;
}

/* The key goes to where all requests go; an upload URL elsewhere stands for itself. */
static int start_request(struct vt_batch *batch)
{
  const struct vt_client *client = batch->client;
  struct vt_transfer *transfer = batch->items[0]->transfer;
  struct ap_buf url = {0};
  if (transfer->url)
    ap_buf_add_str(&url, transfer->url);
  else
    ap_buf_add_fmt(&url, "%s/file/scan", client->url);
  struct net_http_upload form = {.file_name = transfer->reader->name,
                                 .size = transfer->size,
                                 .read = read_feed,
                                 .arg = transfer};
  if (!transfer->url || net_http_same_origin(transfer->url, client->url))
    form.key = ap_secret_bytes(client->options.key);
  const struct net_http_request request = {
      .url = ap_buf_cstr(&url),
      .upload = &form,
      .timeout_ms = client->options.timeout_ms + transfer->size / SLOWEST_BYTES_PER_MS,
      .max_answer_bytes = VT_UPLOAD_ANSWER_BYTES,
      .is_once = true,
  };
  int rc = ap_buf_error(&url);
  if (rc == AP_OK)
    rc = net_http_start(client->http, &request, answered, batch, &batch->http_call);
  ap_buf_deinit(&url);
  free(transfer->url); /* it is good for one request */
  transfer->url = NULL;
  return rc;
}

void vt_upload_file_start(struct vt_batch *batch)
{
  struct vt_item *item = batch->items[0];
  int rc = begin_reading(item);
  if (rc != AP_OK) {
    (void)vt_transfer_off(batch);
    source_failed(item, item->transfer->reader, rc, ap_error_text(rc));
    return;
  }
  rc = start_request(batch);
  if (rc != AP_PENDING)
    vt_item_refuse(vt_transfer_off(batch), rc, ap_error_text(rc));
}
