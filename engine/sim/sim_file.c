// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sim/sim_canonical.h"
#include "sim/sim_data.h"
#include "sim/sim_write.h"

enum file_state { FILE_INVALID, FILE_UNKNOWN, FILE_QUEUED, FILE_FINISHED };

/* What there is to say about one resource. */
struct file_view {
  enum file_state state;
  struct sim_subject *subject; /* NULL: not remembered */
  struct ap_digests digests;
  struct sim_facts facts;
  int64_t scan_s; /* of the report, when finished */
};

/* Splits "<hash>" or "<sha256>-<unix seconds>"; *scan_s is 0 for a hash. False for anything else.
 */
static bool read_resource(struct ap_slice item, char hash[65], int64_t *scan_s)
{
  size_t len = item.len;
  *scan_s = 0;
  if (len > 65 && len < 65 + 16 && item.ptr[64] == '-') {
    char digits[17] = "";
    char *end = NULL;
    memcpy(digits, item.ptr + 65, len - 65);
    *scan_s = strtoll(digits, &end, 10);
    if (*end || digits[0] < '0' || digits[0] > '9' || *scan_s <= 0)
      return false;
    len = 64;
  }
  if ((len != 32 && len != 40 && len != 64) || !sim_is_hex((struct ap_slice){item.ptr, len}))
    return false;
  struct ap_buf lower = {0};
  sim_add_lower(&lower, (struct ap_slice){item.ptr, len});
  (void)snprintf(hash, 65, "%s", ap_buf_cstr(&lower));
  ap_buf_deinit(&lower);
  return true;
}

/* An id that is not of a submission remembered here was given by an earlier simulator: its own time
 * tells how far that analysis is, so that a client may outlive the simulator. */
static enum file_state state_of_scan_id(const struct sim *sim, struct file_view *view)
{
  const struct sim_scans none = {0};
  const struct sim_scans *scans = view->subject ? &view->subject->scans : &none;
  if (view->scan_s == scans->last_s)
    return sim_scans_are_queued(scans) ? FILE_QUEUED : FILE_FINISHED;
  int64_t age_ms = ap_clock_unix_ms() - view->scan_s * 1000;
  if (age_ms < 0)
    return FILE_UNKNOWN;
  return (uint64_t)age_ms < sim->options.scan_ms ? FILE_QUEUED : FILE_FINISHED;
}

/* A known file that is being analysed again answers with the report it has. */
static enum file_state state_of_hash(struct file_view *view)
{
  const struct sim_scans none = {0};
  const struct sim_scans *scans = view->subject ? &view->subject->scans : &none;
  view->scan_s = sim_scans_finished_s(scans);
  if (view->scan_s)
    return FILE_FINISHED;
  view->scan_s = view->facts.scan_s;
  if (view->facts.is_known)
    return FILE_FINISHED;
  return scans->last_s ? FILE_QUEUED : FILE_UNKNOWN;
}

static void look_at(struct sim *sim, struct ap_slice item, struct file_view *view)
{
  char hash[65];
  *view = (struct file_view){.state = FILE_INVALID};
  if (!read_resource(item, hash, &view->scan_s))
    return;
  view->subject = sim_life_find_file(sim->life, hash);
  if (view->subject)
    view->digests = view->subject->digests;
  else
    sim_derive_digests(hash, &view->digests);
  sim_file_facts(view->digests.sha256, sim->midnight_s, &view->facts);
  view->state = view->scan_s ? state_of_scan_id(sim, view) : state_of_hash(view);
}

/* ---- reports ---- */

static void write_additional_info(struct ap_buf *out, struct sim_rng *rng)
{
  char imphash[33];
  sim_rng_hex(rng, imphash, 32);
  sim_write_open(out, "additional_info", '{');
  sim_write_text(out, "magic", "PE32 executable for MS Windows (GUI) Intel 80386 32-bit");
  sim_write_open(out, "exiftool", '{');
  sim_write_text(out, "FileType", "Win32 EXE");
  sim_write_text(out, "MIMEType", "application/octet-stream");
  sim_write_close(out, '}');
  sim_write_text(out, "trid",
                 "Win32 Executable (generic) (52.9%)\nGeneric Win/DOS Executable (23.5%)");
  sim_write_open(out, "sigcheck", '{');
  sim_write_text(out, "verified", "Unsigned");
  sim_write_text(out, "signing date", NULL);
  sim_write_close(out, '}');
  sim_write_text(out, "pe-imphash", imphash);
  sim_write_int(out, "pe-timestamp", 1300000000 + sim_rng_below(rng, 300000000));
  sim_write_int(out, "pe-entry-point", 4096 + sim_rng_below(rng, 100000));
  sim_write_int(out, "pe-machine-type", 332);
  sim_write_int(out, "positives_delta", (int64_t)sim_rng_below(rng, 5) - 2);
  sim_write_close(out, '}');
}

static void write_allinfo(struct ap_buf *out, const struct file_view *view)
{
  struct sim_rng rng = sim_rng_of("allinfo", view->digests.sha256);
  char hex[65];
  int64_t first_s = view->facts.scan_s - (int64_t)sim_rng_below(&rng, 400U * 86400);
  sim_rng_hex(&rng, hex, 64);
  sim_write_text(out, "vhash", sim_rng_chance(&rng, 80) ? hex : NULL);
  sim_write_text(out, "authentihash", hex);
  sim_write_text(out, "type", "Win32 EXE");
  sim_write_int(out, "size", 1024 + sim_rng_below(&rng, 4000000));
  sim_write_date(out, "first_seen", first_s);
  sim_write_date(out, "last_seen", view->scan_s);
  sim_write_int(out, "times_submitted", 1 + sim_rng_below(&rng, 900));
  sim_write_int(out, "unique_sources", 1 + sim_rng_below(&rng, 300));
  sim_write_int(out, "harmless_votes", sim_rng_below(&rng, 10));
  sim_write_int(out, "malicious_votes", sim_rng_below(&rng, 10));
  sim_write_int(out, "community_reputation", (int64_t)sim_rng_below(&rng, 200) - 100);
  sim_write_open(out, "submission_names", '[');
  sim_write_text(out, NULL, "invoice.exe");
  sim_write_close(out, ']');
  sim_write_open(out, "tags", '[');
  sim_write_text(out, NULL, "peexe");
  sim_write_close(out, ']');
  sim_write_open(out, "ITW_urls", '[');
  sim_write_close(out, ']');
  write_additional_info(out, &rng);
}

static void write_report(const struct sim_call *call, const struct file_view *view,
                         struct ap_slice item, struct ap_buf *out)
{
  const struct ap_digests *digests = &view->digests;
  sim_write_open(out, NULL, '{');
  sim_write_file_scans(out, &view->facts, view->scan_s);
  sim_write_scan_id(out, "scan_id", digests->sha256, view->scan_s);
  sim_write_text(out, "sha1", digests->sha1);
  sim_write_slice(out, "resource", item);
  sim_write_int(out, "response_code", 1);
  sim_write_date(out, "scan_date", view->scan_s);
  sim_write_permalink(out, 'f', digests->sha256, view->scan_s);
  sim_write_text(out, "verbose_msg", sim_call_says(call, "Scan finished, information embedded"));
  sim_write_int(out, "total", view->facts.total);
  sim_write_int(out, "positives", view->facts.positives);
  sim_write_text(out, "sha256", digests->sha256);
  sim_write_text(out, "md5", digests->md5);
  if (sim_call_has_allinfo(call))
    write_allinfo(out, view);
  sim_write_close(out, '}');
}

static void write_absence(const struct file_view *view, struct ap_slice item, struct ap_buf *out)
{
  sim_write_open(out, NULL, '{');
  sim_write_int(out, "response_code", view->state == FILE_QUEUED ? -2 : 0);
  sim_write_slice(out, "resource", item);
  if (view->state == FILE_QUEUED) {
    sim_write_text(out, "scan_id", view->digests.sha256);
    sim_write_text(out, "verbose_msg", "Your resource is queued for analysis");
  } else if (view->state == FILE_INVALID) {
    sim_write_text(out, "verbose_msg", "Invalid resource, check what you are submitting");
  } else {
    sim_write_text(out, "verbose_msg",
                   "The requested resource is not among the finished, queued or pending scans");
  }
  sim_write_close(out, '}');
}

void sim_file_report(struct sim_call *call, struct ap_slice item, struct ap_buf *out)
{
  struct sim *sim = call->sim;
  struct file_view view;
  look_at(sim, item, &view);
  bool is_forced = sim_call_is_forced(call) && view.state != FILE_INVALID;
  if (view.state != FILE_FINISHED && !is_forced) {
    write_absence(&view, item, out);
    return;
  }
  if (!view.subject)
    (void)sim_life_remember_file(sim->life, &view.digests);
  write_report(call, &view, item, out);
}

/* ---- submissions ---- */

/* NULL when out of memory. */
static struct sim_subject *submit(struct sim *sim, const struct ap_digests *digests,
                                  uint64_t wait_ms)
{
  struct sim_subject *subject = sim_life_remember_file(sim->life, digests);
  if (subject)
    sim_life_submit(sim->life, subject, sim->options.scan_ms + wait_ms);
  return subject;
}

void sim_file_scan(struct sim_call *call, struct ap_slice item, struct ap_buf *out)
{
  const struct ap_digests *digests = &call->request->digests;
  const struct sim_subject *subject = submit(call->sim, digests, 0);
  (void)item;
  if (!subject) {
    call->status = 500;
    return;
  }
  sim_write_open(out, NULL, '{');
  sim_write_scan_id(out, "scan_id", digests->sha256, subject->scans.last_s);
  sim_write_text(out, "sha1", digests->sha1);
  sim_write_text(out, "resource", digests->sha256);
  sim_write_int(out, "response_code", 1);
  sim_write_text(out, "sha256", digests->sha256);
  sim_write_permalink(out, 'f', digests->sha256, subject->scans.last_s);
  sim_write_text(out, "md5", digests->md5);
  sim_write_text(out, "verbose_msg", sim_call_says(call, SIM_QUEUED_TEXT));
  sim_write_close(out, '}');
}

void sim_file_upload_url(struct sim_call *call, struct ap_slice item, struct ap_buf *out)
{
  char token[SIM_TOKEN_TEXT];
  char url[128];
  (void)item;
  if (sim_life_give_token(call->sim->life, sim_key_id(call->key), token)) {
    call->status = 500;
    return;
  }
  (void)snprintf(url, sizeof(url), "%s/_ah/upload/%s", call->sim->origin, token);
  sim_write_open(out, NULL, '{');
  sim_write_text(out, "upload_url", url);
  sim_write_close(out, '}');
}

void sim_file_upload(struct sim_call *call, struct ap_slice item, struct ap_buf *out)
{
  const char *token = call->request->upload_token;
  if (sim_life_take_token(call->sim->life, token, sim_key_id(call->key)))
    sim_file_scan(call, item, out);
  else
    call->status = 404;
}

/* How long until the first run of a rescan that is planned for later. */
static uint64_t planned_wait_ms(const struct sim_request *request)
{
  struct ap_slice date = sim_request_arg(request, SIM_ARG_DATE);
  int64_t at_s = 0;
  if (!date.len || ap_clock_parse_utc(date.ptr, date.len, &at_s))
    return 0;
  int64_t wait_ms = at_s * 1000 - ap_clock_unix_ms();
  return wait_ms > 0 ? (uint64_t)wait_ms : 0;
}

static bool has_report(const struct file_view *view)
{
  return view->state == FILE_FINISHED || view->state == FILE_QUEUED;
}

void sim_file_rescan(struct sim_call *call, struct ap_slice item, struct ap_buf *out)
{
  struct file_view view;
  look_at(call->sim, item, &view);
  const struct sim_subject *subject = NULL;
  if (has_report(&view) || (sim_call_is_forced(call) && view.state != FILE_INVALID))
    subject = submit(call->sim, &view.digests, planned_wait_ms(call->request));
  sim_write_open(out, NULL, '{');
  sim_write_int(out, "response_code", subject ? 1 : 0);
  sim_write_slice(out, "resource", item);
  if (subject) {
    sim_write_text(out, "sha256", view.digests.sha256);
    sim_write_scan_id(out, "scan_id", view.digests.sha256, subject->scans.last_s);
    sim_write_permalink(out, 'f', view.digests.sha256, subject->scans.last_s);
  }
  sim_write_close(out, '}');
}

void sim_file_rescan_delete(struct sim_call *call, struct ap_slice item, struct ap_buf *out)
{
  struct file_view view;
  look_at(call->sim, item, &view);
  bool is_canceled = view.subject && sim_scans_cancel(&view.subject->scans);
  sim_write_open(out, NULL, '{');
  sim_write_int(out, "response_code", is_canceled ? 1 : -1);
  sim_write_slice(out, "resource", item);
  sim_write_text(out, "verbose_msg",
                 sim_call_says(call, is_canceled ? "The rescan was canceled"
                                                 : "There is no rescan to cancel"));
  sim_write_close(out, '}');
}

/* ---- for the other files ---- */

bool sim_file_is_new(struct sim *sim, const struct ap_digests *digests)
{
  struct file_view view;
  look_at(sim, (struct ap_slice){digests->sha256, 64}, &view);
  return view.state == FILE_UNKNOWN;
}

bool sim_file_identify(struct sim *sim, struct ap_slice text, char id[65], bool *is_known)
{
  struct file_view view;
  look_at(sim, text, &view);
  if (view.state == FILE_INVALID)
    return false;
  memcpy(id, view.digests.sha256, 65);
  *is_known = has_report(&view);
  return true;
}
