/* An upload is an item with one more thing to it: the transfer, which knows whose source is being
 * read. Every upload that shares the item has a source of the same bytes. */
// SPDX-License-Identifier: Apache-2.0
#include "vt/upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "vt/upload_private.h"

enum {
  PLAIN_MAX_BYTES = 32 * 1024 * 1024, /* of a whole file/scan request */
  FORM_BYTES = 1024,                  /* what stands around the file in it, generously */
  NAME_MAX_BYTES = 255,
  SLOWEST_BYTES_PER_MS = 64,
  UNANSWERED_ASKS = 3
};

struct vt_upload {
  struct vt_ask ask; /* first: the ask is freed as what it is in */
  struct vt_source source;
  bool was_read;
  char name[NAME_MAX_BYTES + 1];
};

void vt_transfer_free(struct vt_item *item)
{
  if (!item->transfer)
    return;
  free(item->transfer->url);
  free(item->transfer);
  item->transfer = NULL;
}

static struct vt_upload *first_upload(const struct vt_item *item)
{
  return (struct vt_upload *)item->asks;
}

/* Nobody shares its item. */
static bool is_only(const struct vt_upload *upload)
{
  return upload->ask.item->asks == &upload->ask && !upload->ask.next;
}

static bool is_plain(const struct vt_upload *upload)
{
  return upload->source.size + FORM_BYTES + strlen(upload->name) <= PLAIN_MAX_BYTES;
}

/* ---- asking ---- */

/* The last part of a path, without what could leave a header of the form. */
static void copy_name(char name[NAME_MAX_BYTES + 1], const char *path)
{
  const char *last = path;
  size_t len = 0;
  for (const char *at = path; *at; at++)
    if (*at == '/' || *at == '\\')
      last = at + 1;
  for (; len < NAME_MAX_BYTES && last[len]; len++) {
    unsigned char c = (unsigned char)last[len];
    name[len] = c < 0x20 || c == 0x7f || c == '"' ? '_' : last[len];
  }
  /* Not in the middle of a character. */
  while (last[len] && len > 0 && ((unsigned char)last[len] & 0xc0) == 0x80)
    len--;
  name[len] = '\0';
  if (len == 0)
    (void)snprintf(name, NAME_MAX_BYTES + 1, "file");
}

static bool is_sha256(const char *text)
{
  return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

int vt_upload(struct vt_client *client, const struct vt_source *source, const char *sha256,
              const struct vt_ask_options *options, vt_done_fn *done, void *arg,
              struct vt_upload **out)
{
  if (!source->read || !source->name || !is_sha256(sha256))
    return AP_E_INVALID;
  struct vt_ask_options mine = *options;
  mine.priority = VT_RESCAN;
  struct vt_upload *upload = calloc(1, sizeof(*upload));
  struct vt_transfer *transfer = calloc(1, sizeof(*transfer));
  struct vt_item *item = NULL;
  if (upload && transfer)
    item = vt_item_obtain(client, VT_FILE_SCAN, sha256, &mine);
  if (!item) {
    free(upload);
    free(transfer);
    return AP_E_NO_MEMORY;
  }
  if (item->transfer)
    free(transfer);
  else
    item->transfer = transfer;
  upload->source = *source;
  upload->source.name = NULL;
  copy_name(upload->name, source->name);
  vt_ask_attach(&upload->ask, item, &mine, done, arg);
  if (out)
    *out = upload;
  return AP_PENDING;
}

void vt_upload_check(struct vt_item *item)
{
  char message[160];
  uint64_t size = first_upload(item)->source.size;
  uint64_t max = item->client->options.upload_max_bytes;
  if (size <= max) {
    vt_store_look(item);
    return;
  }
  (void)snprintf(message, sizeof(message),
                 "the file has %llu bytes, more than the %llu that are uploaded at most",
                 (unsigned long long)size, (unsigned long long)max);
  vt_item_fail(item, AP_E_TOO_LARGE, message);
}

/* ---- the request with the file ---- */

void vt_transfer_end(struct vt_item *item)
{
  if (item->transfer)
    item->transfer->batch = NULL;
}

struct vt_item *vt_transfer_off(struct vt_batch *batch)
{
  struct vt_item *item = batch->items[0];
  vt_transfer_end(item);
  vt_intent_drop(item);
  vt_batch_detach(batch);
  free(batch);
  return item;
}

static int64_t read_source(void *arg, char *data, size_t len)
{
  struct vt_transfer *transfer = arg;
  uint64_t left = transfer->size - transfer->read_bytes;
  if (left == 0)
    return 0;
  if (len > left)
    len = (size_t)left;
  const struct vt_source *source = &transfer->reader->source;
  int64_t got = source->read(source->arg, data, len);
  if (got <= 0 || (uint64_t)got > len) {
    transfer->source_error = got < 0 ? (int)got : AP_E_IO; /* an end too early: it has changed */
    return transfer->source_error;
  }
  transfer->read_bytes += (uint64_t)got;
  return got;
}

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

/* Nothing was submitted; an upload that shares the item has a source of its own. */
static void source_failed(struct vt_item *item, struct vt_upload *reader, int code)
{
  static const char message[] = "the file could not be read to its end as it was";
  if (is_only(reader)) {
    vt_item_refuse(item, code, message);
    return;
  }
  vt_item_queue(item);
  vt_ask_end(&reader->ask, code, message);
}

/* No answer: what follows depends on how far the request came. */
static void unanswered(struct vt_item *item, const struct net_http_answer *answer)
{
  const struct vt_transfer *transfer = item->transfer;
  char message[300];
  if (transfer->source_error && transfer->reader) {
    source_failed(item, transfer->reader, transfer->source_error);
  } else if (transfer->read_bytes < transfer->size) {
    send_again(item, answer->code, answer->error);
  } else {
    (void)snprintf(message, sizeof(message), "%.240s; the file may have arrived", answer->error);
    vt_doubt_begin(item, UNANSWERED_ASKS, false, answer->code, message);
  }
}

void vt_upload_quota_spent(struct vt_item *item)
{
  vt_quota_spent(item->client);
  vt_journal_done(item);
  if (item->asks)
    vt_item_queue(item);
  else
    vt_item_drop(item); /* nobody asks any more */
}

static void take_receipt(struct vt_item *item, struct ap_slice body)
{
  struct ap_error err = {0};
  if (ap_json_check(body, AP_JSON_MAX_DEPTH, VT_UPLOAD_ANSWER_BYTES, &err) != AP_OK)
    vt_item_failed(item, AP_E_BAD_ANSWER, err.text);
  else
    vt_answer_item(item, ap_json_trim(body));
}

static void take_status(struct vt_item *item, const struct net_http_answer *answer)
{
  char message[96];
  (void)snprintf(message, sizeof(message), "the server answered HTTP %ld", answer->status);
  vt_saw_status(item->client, answer->status);
  if (answer->status == 200)
    take_receipt(item, answer->body);
  else if (answer->status == 204 || answer->status == 429)
    vt_upload_quota_spent(item);
  else if (answer->status == 403 || answer->status == 401)
    vt_refused(item->client, VT_FILE_SCAN, &item, 1, answer->status);
  else if (answer->status >= 500)
    vt_item_failed(item, AP_E_SERVER, message);
  else if (answer->status == 413)
    vt_item_refuse(item, AP_E_TOO_LARGE, "VirusTotal says that the file is too large (HTTP 413)");
  else
    vt_item_refuse(item, AP_E_REJECTED, message);
}

static void sent(void *arg, const struct net_http_answer *answer)
{
  struct vt_item *item = vt_transfer_off(arg);
  const struct vt_upload *reader = item->transfer->reader;
  if (reader && reader->ask.options.cost)
    reader->ask.options.cost->bytes_sent += answer->bytes_sent;
  if (answer->code == AP_OK) {
    take_status(item, answer);
    return;
  }
  vt_saw_failure(item->client, answer);
  unanswered(item, answer);
}

static int begin_reading(struct vt_transfer *transfer, struct vt_upload *reader)
{
  const struct vt_source *source = &reader->source;
  transfer->reader = reader;
  transfer->size = source->size;
  transfer->read_bytes = 0;
  transfer->source_error = AP_OK;
  bool is_again = reader->was_read;
  reader->was_read = true;
  if (!is_again)
    return AP_OK;
  return source->rewind ? source->rewind(source->arg) : AP_E_IO;
}

/* The key goes to where all requests go; an upload URL elsewhere stands for itself. */
static int start_file(struct vt_batch *batch)
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
                                 .read = read_source,
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
    rc = net_http_start(client->http, &request, sent, batch, &batch->http_call);
  ap_buf_deinit(&url);
  free(transfer->url); /* it is good for one request */
  transfer->url = NULL;
  return rc;
}

/* ---- sending and canceling ---- */

static int start(struct vt_batch *batch)
{
  struct vt_transfer *transfer = batch->items[0]->transfer;
  if (!transfer->is_file)
    return vt_upload_url_start(batch);
  int rc = begin_reading(transfer, first_upload(batch->items[0]));
  return rc == AP_OK ? start_file(batch) : rc;
}

void vt_upload_launch(struct vt_batch *batch)
{
  vt_count_cost(batch);
  int rc = start(batch);
  if (rc != AP_PENDING)
    vt_item_refuse(vt_transfer_off(batch), rc, ap_error_text(rc));
}

void vt_upload_send(struct vt_item *item, int64_t granted_ms)
{
  struct vt_transfer *transfer = item->transfer;
  transfer->reader = NULL;
  transfer->size = 0;
  transfer->is_file = transfer->url || is_plain(first_upload(item));
  struct vt_batch *batch = vt_batch_new(item->client, VT_FILE_SCAN, &item, 1);
  if (!batch) {
    vt_item_refuse(item, AP_E_NO_MEMORY, ap_error_text(AP_E_NO_MEMORY));
    return;
  }
  batch->granted_ms = granted_ms;
  transfer->batch = batch;
  if (transfer->is_file)
    vt_journal_intend(batch);
  else
    vt_upload_launch(batch);
}

/* A request that needs nothing of upload any more goes on: its answer has the scan id. */
static bool can_go_on(const struct vt_transfer *transfer, const struct vt_upload *upload)
{
  if (transfer->size && transfer->read_bytes == transfer->size)
    return true;
  return transfer->reader != upload && !is_only(upload);
}

void vt_upload_cancel(struct vt_upload *upload)
{
  struct vt_item *item = upload->ask.item;
  struct vt_transfer *transfer = item->transfer;
  bool is_cut = transfer->batch && !can_go_on(transfer, upload);
  bool is_last = is_only(upload);
  if (transfer->reader == upload)
    transfer->reader = NULL;
  if (is_cut) {
    net_http_cancel(transfer->batch->http_call);
    (void)vt_transfer_off(transfer->batch);
    vt_journal_done(item); /* cut before its end: it was not submitted */
  }
  vt_ask_cancel(&upload->ask);
  if (is_cut && is_last)
    vt_item_drop(item);
  else if (is_cut)
    vt_item_queue(item);
}
