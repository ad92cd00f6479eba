/* What the client keeps in the store: reports that came, and the journal of what was submitted. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
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

void vt_store_keep(const struct vt_item *item, struct ap_slice body,
                   const struct vt_verdict *verdict)
{
  int code = verdict->code;
  const struct vt_options *options = &item->client->options;
  char hashes[VT_HASHES][72];
  const char *keys[1 + VT_HASHES] = {item->key};
  size_t count = 1;
  if (!is_kept_call(item->call) || (code != AP_OK && code != AP_E_NOT_FOUND))
    return;
  for (size_t i = 0; i < VT_HASHES; i++) {
    struct ap_slice token = verdict->hashes[i];
    if (token.len < 34 || token.len > 66)
      continue;
    (void)snprintf(hashes[i], sizeof(hashes[i]), "%c%.*s", kind_of(item->call), (int)token.len - 2,
                   token.ptr + 1);
    if (strcmp(hashes[i], item->key) != 0)
      keys[count++] = hashes[i];
  }
  store_report_put(item->client->store, keys, count, body, code,
                   code == AP_OK ? options->report_lifetime_ms : options->not_found_lifetime_ms);
}

/* ---- the journal ---- */

static enum store_submission submission_of(enum vt_call call)
{
  if (call == VT_URL_SCAN)
    return STORE_URL_SCAN;
  return call == VT_FILE_SCAN ? STORE_UPLOAD : STORE_RESCAN;
}

int vt_journal_intend(struct vt_item *item)
{
  if (!vt_call_info(item->call)->is_submission || item->submission)
    return AP_OK;
  return store_submission_intend(item->client->store, submission_of(item->call), item->resource,
                                 &item->submission);
}

static void warn_of(int rc)
{
  if (rc != AP_OK)
    ap_log(AP_LOG_VT, AP_LOG_WARN, "the journal of submissions could not be written: %s",
           ap_error_text(rc));
}

void vt_journal_sent(struct vt_item *item, const char *scan_id)
{
  if (item->submission)
    warn_of(store_submission_sent(item->client->store, item->submission, scan_id));
  item->submission = 0;
}

void vt_journal_done(struct vt_item *item)
{
  if (item->submission)
    warn_of(store_submission_done(item->client->store, item->submission));
  item->submission = 0;
}

void vt_item_refuse(struct vt_item *item, int code, const char *message)
{
  vt_journal_done(item);
  vt_item_fail(item, code, message);
}
