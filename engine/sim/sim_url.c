// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sim/sim_canonical.h"
#include "sim/sim_data.h"
#include "sim/sim_write.h"

enum { REUSE_S = 600 };

enum url_state { URL_INVALID, URL_UNKNOWN, URL_QUEUED, URL_FINISHED };

struct url_view {
  enum url_state state;
  struct ap_buf url; /* canonical */
  char sha256[65];
  struct sim_subject *subject; /* NULL: not remembered */
  struct sim_facts facts;
  int64_t scan_s; /* of the report, when finished */
};

static const struct sim_scans *scans_of(const struct url_view *view)
{
  static const struct sim_scans none = {0};
  return view->subject ? &view->subject->scans : &none;
}

/* Reads "<sha256>-<unix seconds>" of a URL that is remembered. */
static bool read_scan_id(struct sim *sim, struct ap_slice item, struct url_view *view)
{
  if (item.len < 66 || item.len > 80 || item.ptr[64] != '-' ||
      !sim_is_hex((struct ap_slice){item.ptr, 64}))
    return false;
  struct ap_buf lower = {0};
  sim_add_lower(&lower, item);
  view->subject = ap_buf_error(&lower) ? NULL : sim_life_find_url(sim->life, lower.ptr);
  if (view->subject) {
    memcpy(view->sha256, view->subject->digests.sha256, 65);
    ap_buf_add_str(&view->url, view->subject->url);
    view->scan_s = strtoll(lower.ptr + 65, NULL, 10);
  }
  ap_buf_deinit(&lower);
  return true;
}

static enum url_state state_of_url(struct url_view *view)
{
  const struct sim_scans *scans = scans_of(view);
  view->scan_s = sim_scans_finished_s(scans);
  if (view->scan_s)
    return URL_FINISHED;
  view->scan_s = view->facts.scan_s;
  if (view->facts.is_known)
    return URL_FINISHED;
  return scans->last_s ? URL_QUEUED : URL_UNKNOWN;
}

static void judge_url(struct sim *sim, struct url_view *view)
{
  sim_url_facts(view->sha256, ap_buf_cstr(&view->url), sim->midnight_s, &view->facts);
  int64_t asked_s = view->scan_s;
  if (!asked_s) {
    view->state = state_of_url(view);
    return;
  }
  bool is_last = asked_s == scans_of(view)->last_s;
  view->state = is_last && sim_scans_are_queued(scans_of(view)) ? URL_QUEUED : URL_FINISHED;
}

/* The caller frees view->url. */
static void look_at(struct sim *sim, struct ap_slice item, struct url_view *view)
{
  *view = (struct url_view){.state = URL_INVALID};
  if (read_scan_id(sim, item, view)) {
    view->state = URL_UNKNOWN;
    if (view->subject)
      judge_url(sim, view);
    return;
  }
  if (sim_canonical_url(item, &view->url) ||
      ap_sha256_hex(view->url.ptr, view->url.len, view->sha256))
    return;
  view->subject = sim_life_find_url(sim->life, view->sha256);
  judge_url(sim, view);
}

static bool remember(struct sim *sim, struct url_view *view)
{
  if (!view->subject)
    view->subject = sim_life_remember_url(sim->life, view->sha256, ap_buf_cstr(&view->url));
  return view->subject != NULL;
}

/* ---- reports ---- */

static void write_allinfo(struct ap_buf *out, const struct url_view *view)
{
  struct sim_rng rng = sim_rng_of("url allinfo", view->sha256);
  char hex[65];
  sim_rng_hex(&rng, hex, 64);
  sim_write_date(out, "first_seen", view->facts.scan_s - (int64_t)sim_rng_below(&rng, 10000000));
  sim_write_date(out, "last_seen", view->scan_s);
  sim_write_open(out, "additional_info", '{');
  sim_write_int(out, "Response code", 200);
  sim_write_open(out, "Response headers", '{');
  sim_write_text(out, "content-type", "text/html; charset=utf-8");
  sim_write_close(out, '}');
  sim_write_text(out, "Response content SHA-256", hex);
  sim_write_text(out, "URL after redirects", ap_buf_cstr(&view->url));
  sim_write_int(out, "rlength", 500 + sim_rng_below(&rng, 90000));
  sim_write_text(out, "Forcepoint ThreatSeeker category", "uncategorized");
  sim_write_close(out, '}');
}

static void write_filescan_id(struct ap_buf *out, const struct url_view *view)
{
  struct sim_rng rng = sim_rng_of("filescan", view->sha256);
  char hex[65];
  sim_rng_hex(&rng, hex, 64);
  if (sim_rng_chance(&rng, 40))
    sim_write_scan_id(out, "filescan_id", hex, view->scan_s);
  else
    sim_write_text(out, "filescan_id", NULL);
}

/* What reports and submissions have in common. */
static void write_head(struct ap_buf *out, const struct url_view *view, struct ap_slice resource,
                       const char *verbose_msg)
{
  sim_write_permalink(out, 'u', view->sha256, view->scan_s);
  sim_write_slice(out, "resource", resource);
  sim_write_text(out, "url", ap_buf_cstr(&view->url));
  sim_write_int(out, "response_code", 1);
  sim_write_date(out, "scan_date", view->scan_s);
  sim_write_scan_id(out, "scan_id", view->sha256, view->scan_s);
  sim_write_text(out, "verbose_msg", verbose_msg);
}

static void write_report(const struct sim_call *call, const struct url_view *view,
                         struct ap_slice item, struct ap_buf *out)
{
  sim_write_open(out, NULL, '{');
  write_head(out, view, item,
             sim_call_says(call, "Scan finished, scan information embedded in this object"));
  write_filescan_id(out, view);
  sim_write_int(out, "positives", view->facts.positives);
  sim_write_int(out, "total", view->facts.total);
  sim_write_url_scans(out, &view->facts);
  if (sim_call_has_allinfo(call))
    write_allinfo(out, view);
  sim_write_close(out, '}');
}

static void write_absence(const struct url_view *view, struct ap_slice item, struct ap_buf *out)
{
  bool is_queued = view->state == URL_QUEUED;
  sim_write_open(out, NULL, '{');
  sim_write_int(out, "response_code", is_queued ? -2 : 0);
  sim_write_slice(out, "resource", item);
  if (is_queued)
    sim_write_scan_id(out, "scan_id", view->sha256, scans_of(view)->last_s);
  sim_write_text(out, "verbose_msg",
                 is_queued ? "Your resource is queued for analysis"
                           : "Resource does not exist in the dataset");
  sim_write_close(out, '}');
}

/* ---- submissions ---- */

/* A submission or report younger than ten minutes is given again. */
static bool submit(struct sim *sim, struct url_view *view)
{
  if (!remember(sim, view))
    return false;
  struct sim_scans *scans = &view->subject->scans;
  int64_t now_s = ap_clock_unix_ms() / 1000;
  if (!scans->last_s || now_s - scans->last_s >= REUSE_S)
    sim_life_submit(sim->life, view->subject, sim->options.scan_ms);
  view->scan_s = scans->last_s;
  return true;
}

static void write_submission(struct sim_call *call, struct url_view *view, struct ap_buf *out)
{
  bool is_valid = view->state != URL_INVALID && view->url.len > 0;
  sim_write_open(out, NULL, '{');
  if (is_valid && submit(call->sim, view)) {
    write_head(out, view, ap_slice_of(&view->url), sim_call_says(call, SIM_QUEUED_TEXT));
  } else {
    sim_write_int(out, "response_code", -1);
    sim_write_text(out, "verbose_msg", "Invalid URL, the scan request was not queued");
  }
  sim_write_close(out, '}');
}

/* ---- calls ---- */

void sim_url_report(struct sim_call *call, struct ap_slice item, struct ap_buf *out)
{
  struct url_view view;
  look_at(call->sim, item, &view);
  bool wants_scan = sim_request_has_flag(call->request, SIM_ARG_SCAN);
  bool is_forced = sim_call_is_forced(call) && view.url.len > 0;
  if (view.state == URL_FINISHED || is_forced) {
    (void)remember(call->sim, &view);
    write_report(call, &view, item, out);
  } else if (wants_scan) {
    write_submission(call, &view, out);
  } else {
    write_absence(&view, item, out);
  }
  ap_buf_deinit(&view.url);
}

void sim_url_scan(struct sim_call *call, struct ap_slice item, struct ap_buf *out)
{
  struct url_view view;
  look_at(call->sim, item, &view);
  write_submission(call, &view, out);
  ap_buf_deinit(&view.url);
}

bool sim_url_identify(struct sim *sim, struct ap_slice text, char id[65], bool *is_known)
{
  struct url_view view;
  look_at(sim, text, &view);
  bool is_url = view.state != URL_INVALID && view.url.len > 0;
  if (is_url)
    memcpy(id, view.sha256, 65);
  *is_known = view.state == URL_FINISHED || view.state == URL_QUEUED;
  ap_buf_deinit(&view.url);
  return is_url;
}
