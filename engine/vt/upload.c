/* An upload is an item with one more thing to it: the transfer, which knows whose source is being
 * read. Every upload that shares the item has a source of the same bytes. */
// SPDX-License-Identifier: Apache-2.0
#include "vt/upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vt/upload_private.h"

enum {
  PLAIN_MAX_BYTES = 32 * 1024 * 1024, /* of a whole file/scan request */
  FORM_BYTES = 1024,                  /* what stands around the file in it, generously */
  NAME_MAX_BYTES = 255,
  SHA256_HEX = 64
};

void vt_transfer_free(struct vt_item *item)
{
  if (!item->transfer)
    return;
  vt_transfer_end(item);
  free(item->transfer->url);
  free(item->transfer);
  item->transfer = NULL;
}

struct vt_upload *vt_upload_first(const struct vt_item *item)
{
  return (struct vt_upload *)item->asks;
}

bool vt_upload_is_only(const struct vt_upload *upload)
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
  return strlen(text) == SHA256_HEX && strspn(text, "0123456789abcdef") == SHA256_HEX;
}

/* The item of a new upload, with a transfer. NULL: out of memory. */
static struct vt_item *obtain(struct vt_client *client, const char *sha256,
                              const struct vt_ask_options *options)
{
  char why[VT_POLICY_WHY];
  bool is_denied = vt_client_judge(client, VT_FILE_SCAN, "", &options->about, why) != AP_OK;
  struct vt_transfer *transfer = calloc(1, sizeof(*transfer));
  struct vt_item *item = NULL;
  if (transfer && is_denied)
    item = vt_item_denied(client, VT_FILE_SCAN, why, options);
  else if (transfer)
    item = sha256 ? vt_item_obtain(client, VT_FILE_SCAN, sha256, options)
                  : vt_item_blank(client, VT_FILE_SCAN, SHA256_HEX, options);
  if (!item || item->transfer)
    free(transfer);
  else
    item->transfer = transfer;
  return item;
}

static int begin(struct vt_client *client, const struct net_source *source, const char *name,
                 const char *sha256, const struct vt_ask_options *options,
                 struct vt_upload **upload)
{
  char last[NAME_MAX_BYTES + 1];
  if (sha256 && !is_sha256(sha256))
    return AP_E_INVALID;
  copy_name(last, name);
  size_t len = strlen(last);
  *upload = calloc(1, sizeof(**upload) + len + 1);
  struct vt_item *item = *upload ? obtain(client, sha256, options) : NULL;
  if (!item) {
    free(*upload);
    return AP_E_NO_MEMORY;
  }
  memcpy((*upload)->name, last, len);
  (*upload)->source = *source;
  (*upload)->ask.item = item;
  return AP_PENDING;
}

int vt_upload(struct vt_client *client, const struct net_source *source, const char *name,
              const char *sha256, const struct vt_ask_options *options, vt_done_fn *done, void *arg,
              struct vt_upload **out)
{
  struct vt_ask_options mine = *options;
  struct vt_upload *upload = NULL;
  mine.priority = VT_RESCAN;
  int rc = begin(client, source, name, sha256, &mine, &upload);
  if (rc != AP_PENDING) {
    source->kind->close(source->self);
    return rc;
  }
  vt_ask_attach(&upload->ask, upload->ask.item, &mine, done, arg);
  if (out)
    *out = upload;
  return AP_PENDING;
}

void vt_upload_check(struct vt_item *item)
{
  char message[160];
  uint64_t size = vt_upload_first(item)->source.size;
  uint64_t max = item->client->options.upload_max_bytes;
  if (size == 0) {
    vt_item_fail(item, AP_E_INVALID, "a file of no bytes is not uploaded");
  } else if (size > max) {
    (void)snprintf(message, sizeof(message),
                   "the file has %llu bytes, more than the %llu that are uploaded at most",
                   (unsigned long long)size, (unsigned long long)max);
    vt_item_fail(item, AP_E_TOO_LARGE, message);
  } else if (*item->resource) {
    vt_store_look(item);
  } else {
    vt_item_line_up(item);
  }
}

/* ---- what is known of it ---- */

bool vt_upload_may_have_arrived(const struct vt_item *item)
{
  const struct vt_transfer *transfer = item->transfer;
  return transfer->size && transfer->read_bytes == transfer->size;
}

const struct ap_digests *vt_upload_digests(const struct vt_ask *ask)
{
  const struct vt_upload *upload = (const struct vt_upload *)ask;
  const struct vt_transfer *transfer = ask->item->transfer;
  if (upload->has_digests)
    return &upload->digests;
  return transfer->has_digests ? &transfer->digests : NULL;
}

/* ---- the request ---- */

void vt_transfer_end(struct vt_item *item)
{
  struct vt_transfer *transfer = item->transfer;
  if (!transfer)
    return;
  net_feed_free(transfer->feed);
  transfer->feed = NULL;
  if (transfer->batch && transfer->batch->http_call) {
    net_http_cancel(transfer->batch->http_call);
    transfer->batch->http_call = NULL;
  }
  transfer->batch = NULL;
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

void vt_upload_quota_spent(struct vt_item *item)
{
  vt_quota_spent(item->client);
  vt_journal_done(item);
  if (item->asks)
    vt_item_queue(item);
  else
    vt_item_drop(item); /* nobody asks any more */
}

void vt_upload_send(struct vt_item *item, int64_t granted_ms)
{
  struct vt_transfer *transfer = item->transfer;
  transfer->reader = NULL;
  transfer->size = transfer->read_bytes = 0;
  transfer->is_file = transfer->url || is_plain(vt_upload_first(item));
  struct vt_batch *batch = vt_batch_new(item->client, VT_FILE_SCAN, &item, 1);
  if (!batch) {
    vt_item_refuse(item, AP_E_NO_MEMORY, ap_error_text(AP_E_NO_MEMORY));
    return;
  }
  batch->granted_ms = granted_ms;
  transfer->batch = batch;
  vt_count_cost(batch);
  if (transfer->is_file) {
    vt_upload_file_start(batch);
    return;
  }
  int rc = vt_upload_url_start(batch);
  if (rc != AP_PENDING)
    vt_item_refuse(vt_transfer_off(batch), rc, ap_error_text(rc));
}

/* ---- the end of an upload ---- */

void vt_upload_close(struct vt_ask *ask)
{
  struct vt_upload *upload = (struct vt_upload *)ask;
  struct vt_transfer *transfer = ask->item->transfer;
  if (transfer->reader == upload)
    transfer->reader = NULL;
  upload->source.kind->close(upload->source.self);
}

/* A request that needs nothing of upload any more goes on: its answer has the scan id. */
static bool can_go_on(const struct vt_item *item, const struct vt_upload *upload)
{
  if (vt_upload_may_have_arrived(item))
    return true;
  return item->transfer->reader != upload && !vt_upload_is_only(upload);
}

void vt_upload_cancel(struct vt_upload *upload)
{
  struct vt_item *item = upload->ask.item;
  struct vt_batch *batch = item->transfer->batch;
  bool is_cut = batch && !can_go_on(item, upload);
  bool is_last = vt_upload_is_only(upload);
  if (is_cut) {
    (void)vt_transfer_off(batch);
    vt_journal_done(item); /* cut before its end: it was not submitted */
  }
  vt_ask_cancel(&upload->ask);
  if (is_cut && is_last)
    vt_item_drop(item);
  else if (is_cut)
    vt_item_queue(item);
}
