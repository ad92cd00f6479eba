/* A submission of which nobody knows whether it was taken: the answer was no answer, or none came.
 * The report of the same thing tells. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/json.h"
#include "vt/client_private.h"

enum { LOST_ASKS = 3 };

struct vt_doubt {
  struct vt_ask *ask; /* under way; NULL: the item rests */
  unsigned asks_left;
  bool may_resend;
  int64_t since_ms; /* a report of a scan before that says nothing; 0: any report does */
  int code;         /* what it fails with */
  char message[300];
};

void vt_doubt_free(struct vt_item *item)
{
  struct vt_doubt *doubt = item->doubt;
  if (!doubt)
    return;
  item->doubt = NULL;
  if (doubt->ask)
    vt_ask_cancel(doubt->ask);
  free(doubt);
}

void vt_doubt_set_cost(struct vt_item *item, struct case_cost *cost)
{
  if (item->doubt && item->doubt->ask)
    item->doubt->ask->options.cost = cost;
}

/* It was taken: the report is the receipt. */
static void take_receipt(struct vt_item *item, const struct vt_answer *report)
{
  const struct vt_answer answer = {
      .code = AP_OK,
      .message = "",
      .body = report->body,
      .scan_id = *report->scan_id ? report->scan_id : item->resource,
      .fetched_unix_ms = report->fetched_unix_ms,
  };
  vt_journal_sent(item, answer.scan_id);
  vt_store_forget(item);
  vt_item_finish(item, &answer);
}

/* When the report's scan was; 0: it does not say. */
static int64_t scanned_ms(struct ap_slice report)
{
  struct ap_slice date;
  struct ap_buf text = {0};
  int64_t seconds = 0;
  if (ap_json_get(report, "scan_date", &date) && ap_json_kind(date) == AP_JSON_STRING) {
    ap_json_read_string(date, &text);
    ap_buf_must(&text);
    if (ap_clock_parse_utc(ap_buf_cstr(&text), text.len, &seconds) != AP_OK)
      seconds = 0;
  }
  ap_buf_deinit(&text);
  return seconds * 1000;
}

/* Dates are whole seconds. */
static bool is_too_old(const struct vt_doubt *doubt, const struct vt_answer *report)
{
  return report->code == AP_OK && scanned_ms(report->body) < doubt->since_ms / 1000 * 1000;
}

/* It was not, as far as VirusTotal knows. */
static void give_up(struct vt_item *item)
{
  struct vt_doubt *doubt = item->doubt;
  item->doubt = NULL;
  if (doubt->may_resend && !item->was_resent) {
    item->was_resent = true;
    vt_item_queue(item);
  } else {
    vt_item_refuse(item, doubt->code, doubt->message);
  }
  free(doubt);
}

static void reported(void *arg, const struct vt_answer *report)
{
  struct vt_item *item = arg;
  struct vt_doubt *doubt = item->doubt;
  doubt->ask = NULL;
  bool is_old = is_too_old(doubt, report);
  if (is_old && !doubt->asks_left) { /* it may have been taken: that is not risked */
    vt_item_refuse(item, doubt->code, doubt->message);
  } else if (is_old) {
    vt_item_rest(item, item->client->options.poll_interval_ms);
  } else if (report->code == AP_OK || report->code == AP_E_QUEUED) {
    take_receipt(item, report);
  } else if (report->code == AP_E_NOT_FOUND || report->code == AP_E_REJECTED) {
    if (doubt->asks_left)
      vt_item_rest(item, item->client->options.poll_interval_ms);
    else
      give_up(item);
  } else {
    vt_item_fail(item, report->code, report->message); /* open in the journal */
  }
}

static bool all_are_hasty(const struct vt_item *item)
{
  for (const struct vt_ask *ask = item->asks; ask; ask = ask->next)
    if (!ask->options.stop_on_limit)
      return false;
  return true;
}

void vt_doubt_ask(struct vt_item *item)
{
  enum vt_call call = item->call == VT_URL_SCAN ? VT_URL_REPORT : VT_FILE_REPORT;
  struct vt_doubt *doubt = item->doubt;
  const struct vt_ask_options options = {.priority = VT_LOOKUP,
                                         .no_cache = true,
                                         .stop_on_limit = all_are_hasty(item),
                                         .cost = item->asks ? item->asks->options.cost : NULL,
                                         .about = {.is_own = true}};
  if (vt_ask(item->client, call, item->resource, &options, reported, item, &doubt->ask) !=
      AP_PENDING) {
    vt_item_rest(item, item->client->options.poll_interval_ms);
    return;
  }
  doubt->asks_left--;
  vt_item_leave(item);
  item->state = VT_ITEM_DOUBTED;
  DL_APPEND(item->client->doubted, item);
}

static void begin(struct vt_item *item, const struct vt_doubt *given)
{
  struct vt_doubt *doubt = malloc(sizeof(*doubt));
  if (!doubt) {
    vt_item_fail(item, given->code, given->message);
    return;
  }
  *doubt = *given;
  item->doubt = doubt;
  item->was_doubted = true;
  if (item->asks)
    vt_doubt_ask(item);
  else
    vt_item_fail(item, given->code, given->message); /* nobody asks any more */
}

void vt_doubt_begin(struct vt_item *item, unsigned asks, bool may_resend, int code,
                    const char *message)
{
  struct vt_doubt doubt = {.asks_left = asks, .may_resend = may_resend, .code = code};
  (void)snprintf(doubt.message, sizeof(doubt.message), "%s", message);
  begin(item, &doubt);
}

void vt_doubt_lost(struct vt_item *item, int64_t intended_unix_ms)
{
  static const struct vt_doubt doubt = {
      .asks_left = LOST_ASKS,
      .may_resend = true,
      .code = AP_E_NETWORK,
      .message = "it was submitted before, and the answer to that was lost",
  };
  struct vt_doubt since = doubt;
  since.since_ms = intended_unix_ms;
  begin(item, &since);
}
