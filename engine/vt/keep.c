/* What the client keeps in the store: reports that came, and the journal of what was submitted. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/json.h"
#include "vt/client_private.h"

/* ---- reports ---- */

static char kind_of(enum vt_call call)
{
  return (char)('a' + (int)call);
}

static bool is_kept_call(enum vt_call call)
{
  return !vt_call_info(call)->is_submission && call != VT_COMMENTS;
}

/* Joined meanwhile by who wants nothing old: what was found is not for it. */
static void found_report(void *arg, int code, const struct store_report *report)
{
  struct vt_item *item = arg;
  item->op = NULL;
  if (code != AP_OK || !item->is_kept) { /* a cache that cannot be read is none */
    vt_item_line_up(item);
    return;
  }
  for (struct vt_ask *ask = item->asks; ask; ask = ask->next)
    if (ask->options.cost)
      ask->options.cost->cached++;
  const struct vt_answer answer = {
      .code = report->code,
      .message = report->code == AP_OK ? "" : ap_error_text(report->code),
      .body = report->raw,
      .scan_id = "",
      .fetched_unix_ms = report->fetched_unix_ms,
      .is_cached = true,
  };
  vt_item_finish(item, &answer);
}

static int look_for_report(struct vt_item *item)
{
  const struct vt_options *options = &item->client->options;
  const struct store_lifetimes lifetimes = {options->report_lifetime_ms,
                                            options->not_found_lifetime_ms};
  if (!item->is_kept || !is_kept_call(item->call) ||
      (lifetimes.report_ms == 0 && lifetimes.not_found_ms == 0))
    return AP_E_NOT_FOUND;
  return store_report_get(item->client->store, item->key, &lifetimes, found_report, item,
                          &item->op);
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

void vt_store_keep(const struct vt_item *item, struct ap_slice body,
                   const struct vt_verdict *verdict)
{
  int code = verdict->code;
  char hashes[VT_HASHES][72];
  const char *keys[1 + VT_HASHES] = {item->key};
  size_t count = 1;
  if (!is_kept_call(item->call) || (code != AP_OK && code != AP_E_NOT_FOUND))
    return;
  for (size_t i = 0; i < VT_HASHES; i++) {
    struct ap_slice token = verdict->hashes[i];
    if (token.len < 34 || token.len > 66)
      continue;
    hashes[i][0] = kind_of(item->call);
    memcpy(hashes[i] + 1, token.ptr + 1, token.len - 2);
    hashes[i][token.len - 1] = '\0';
    if (strcmp(hashes[i], item->key) != 0)
      keys[count++] = hashes[i];
  }
  store_report_put(item->client->store, keys, count, body, code);
}

/* ---- the journal ---- */

static enum store_submission_kind submission_of(enum vt_call call)
{
  if (call == VT_URL_SCAN)
    return STORE_URL_SCAN;
  return call == VT_FILE_SCAN ? STORE_UPLOAD : STORE_RESCAN;
}

/* VirusTotal has it already: what is waited for is that scan. */
static void answer_sent(struct vt_item *item, const char *waited_for)
{
  struct ap_buf body = {0};
  ap_buf_add_str(&body, "{\"response_code\":1,\"resource\":");
  ap_json_write_cstr(&body, item->resource);
  ap_buf_add_str(&body, ",\"scan_id\":");
  ap_json_write_cstr(&body, waited_for);
  ap_buf_add_char(&body, '}');
  ap_buf_must(&body);
  const struct vt_answer answer = {
      .code = AP_OK,
      .message = "",
      .body = ap_slice_of(&body),
      .scan_id = waited_for,
      .fetched_unix_ms = ap_clock_unix_ms(),
      .is_cached = true,
  };
  vt_item_finish(item, &answer);
  ap_buf_deinit(&body);
}

/* The same was submitted before: it is not sent again before it is clear what became of that. */
static void take_up(struct vt_item *item, const struct store_submission *open)
{
  item->is_elsewhere = open->state == STORE_UNDER_WAY;
  if (open->state == STORE_SENT) {
    answer_sent(item, open->waited_for);
  } else if (item->is_elsewhere) {
    vt_item_rest(item, item->client->options.poll_interval_ms);
  } else {
    item->submission = open->id;
    vt_doubt_lost(item, open->intended_unix_ms);
  }
}

static void found_submission(void *arg, int code, const struct store_submission *open)
{
  struct vt_item *item = arg;
  item->op = NULL;
  item->is_elsewhere = false;
  if (code == AP_OK)
    take_up(item, open);
  else
    vt_item_line_up(item); /* the intent says if the journal cannot be written */
}

void vt_store_look(struct vt_item *item)
{
  struct vt_client *client = item->client;
  int rc = vt_call_info(item->call)->is_submission
               ? store_submission_find(client->store, submission_of(item->call), item->resource,
                                       found_submission, item, &item->op)
               : look_for_report(item);
  if (rc != AP_PENDING) {
    vt_item_line_up(item);
    return;
  }
  struct store_op *op = item->op;
  item->op = NULL; /* leaving a list forgets it */
  vt_item_leave(item);
  item->op = op;
  item->state = VT_ITEM_LOOKING;
  DL_APPEND(client->looking, item);
}

void vt_intent_drop(struct vt_item *item)
{
  if (!item->intending)
    return;
  item->intending->intents--;
  item->intending = NULL;
  store_cancel(item->op);
  item->op = NULL;
}

/* For an upload something was sent: its quota is spent. */
static void take_out(struct vt_batch *batch, const struct vt_item *item)
{
  size_t i = 0;
  while (batch->items[i] != item)
    i++;
  batch->count--;
  memmove(batch->items + i, batch->items + i + 1, (batch->count - i) * sizeof(struct vt_item *));
  if (batch->call != VT_FILE_SCAN)
    store_quota_return(batch->client->store, batch->granted_ms, 1);
}

static void launch_if_ready(struct vt_batch *batch)
{
  if (batch->intents)
    return;
  if (batch->count) {
    vt_launch(batch);
    return;
  }
  vt_batch_detach(batch);
  free(batch);
}

static void intended(void *arg, int code, const struct store_submission *submission)
{
  struct vt_item *item = arg;
  struct vt_batch *batch = item->intending;
  bool is_new = code == AP_OK && submission->state == STORE_NEW;
  item->op = NULL;
  item->intending = NULL;
  batch->intents--;
  if (is_new)
    item->submission = submission->id;
  if (is_new && item->asks) {
    launch_if_ready(batch);
    return;
  }
  take_out(batch, item);
  vt_upload_break_off(item);
  launch_if_ready(batch);
  if (is_new) { /* nobody asks any more */
    vt_journal_done(item);
    vt_item_drop(item);
  } else if (code == AP_OK) {
    take_up(item, submission);
  } else {
    vt_item_fail(item, code, "the journal of submissions could not be written");
  }
}

void vt_journal_intend(struct vt_batch *batch)
{
  struct store *store = batch->client->store;
  for (size_t i = batch->count; i > 0; i--) {
    struct vt_item *item = batch->items[i - 1];
    if (item->submission)
      continue;
    if (store_submission_intend(store, submission_of(item->call), item->resource, intended, item,
                                &item->op) == AP_PENDING) {
      item->intending = batch;
      batch->intents++;
    } else {
      take_out(batch, item);
      vt_upload_break_off(item);
      vt_item_queue(item);
    }
  }
  launch_if_ready(batch);
}

void vt_journal_sent(struct vt_item *item, const char *scan_id)
{
  if (item->submission)
    store_submission_sent(item->client->store, item->submission, scan_id);
  item->submission = 0;
}

void vt_journal_done(struct vt_item *item)
{
  if (item->submission)
    store_submission_done(item->client->store, item->submission);
  item->submission = 0;
}

void vt_item_refuse(struct vt_item *item, int code, const char *message)
{
  vt_journal_done(item);
  vt_item_fail(item, code, message);
}
