/* What happened, for programs that watch a run: with --log-format json each event is one JSON
 * object on one line of standard error. */
// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/secret.h"
#include "cli/run_private.h"

/* ---- members ---- */

/* Adds `"name":`, after a comma where there is something before it. */
static void add_name(struct ap_buf *out, const char *name)
{
  ap_buf_add_fmt(out, "%s\"%s\":", out->len ? "," : "", name);
}

/* Secrets are taken out before the text is escaped. NULL: null. */
static void add_text(struct ap_buf *out, const char *name, const char *text)
{
  struct ap_buf copy = {0};
  add_name(out, name);
  ap_buf_add_str(&copy, text ? text : "");
  if (copy.ptr)
    ap_redact(copy.ptr, copy.len);
  ap_json_write_cstr(out, text ? ap_buf_cstr(&copy) : NULL);
  ap_buf_deinit(&copy);
}

static void add_number(struct ap_buf *out, const char *name, int64_t number)
{
  add_name(out, name);
  ap_buf_add_fmt(out, "%" PRId64, number);
}

static void add_bool(struct ap_buf *out, const char *name, bool is_true)
{
  add_name(out, name);
  ap_buf_add_str(out, is_true ? "true" : "false");
}

static void add_coverage(struct ap_buf *out, uint64_t checked, uint64_t of)
{
  add_name(out, "coverage");
  ap_buf_add_fmt(out, "{\"checked\":%" PRIu64 ",\"of\":%" PRIu64 "}", checked, of);
}

static void add_left(struct ap_buf *out, const char *name, uint32_t left)
{
  add_name(out, name);
  if (left == UINT32_MAX)
    ap_buf_add_str(out, "null");
  else
    ap_buf_add_fmt(out, "%" PRIu32, left);
}

/* Writes the event, when its members were made without fail, and frees them. */
static void tell(const char *event, struct ap_buf *members)
{
  if (!ap_buf_error(members))
    ap_log_event(event, ap_slice_of(members));
  ap_buf_deinit(members);
}

/* A member of a JSON object that is a text; NULL into out when it is none. */
static const char *text_of(struct ap_slice object, const char *name, struct ap_buf *out)
{
  struct ap_slice value;
  if (!ap_json_get(object, name, &value) || ap_json_kind(value) != AP_JSON_STRING)
    return NULL;
  ap_json_read_string(value, out);
  return ap_buf_cstr(out);
}

/* ---- events ---- */

void run_events_began(struct doing *doing, struct ap_slice given)
{
  struct ap_buf members = {0};
  struct ap_buf name = {0};
  if (!ap_log_wants_events())
    return;
  doing->told.began = true;
  add_text(&members, "command", doing->request->script.command);
  add_text(&members, "name", text_of(given, "name", &name));
  add_number(&members, "entities", casefile_count(doing->parts.cf));
  add_bool(&members, "resumed", doing->request->id != NULL);
  tell("run_began", &members);
  ap_buf_deinit(&name);
}

/* A plan and a report have steps and entities too, but nothing happens in them: what did not begin
 * is not told. The first that is heard of a step is that it began: also of one that has no
 * entities. */
void run_events_step_began(struct doing *doing, uint32_t step)
{
  struct ap_buf members = {0};
  struct case_step_info info;
  struct case_step_end end;
  if (!doing->told.began)
    return;
  while (doing->told.steps.len <= step && !ap_buf_error(&doing->told.steps))
    ap_buf_add_char(&doing->told.steps, 0);
  if (ap_buf_error(&doing->told.steps) || doing->told.steps.ptr[step])
    return;
  doing->told.steps.ptr[step] = 1;
  case_record_step_words(doing->parts.record, step, &info, &end);
  add_text(&members, "step", info.name);
  add_text(&members, "action", info.action);
  tell("step_began", &members);
}

void run_events_entity(struct doing *doing, uint32_t step, uint32_t entity)
{
  struct ap_buf members = {0};
  struct ap_buf object = {0};
  struct ap_buf reason = {0};
  if (!doing->told.began)
    return;
  run_events_step_began(doing, step);
  const struct case_entity *of = casefile_entity(doing->parts.cf, entity);
  struct case_step_entity known = case_record_entity(doing->parts.record, step, entity);
  int rc = case_record_entity_json(doing->parts.record, step, entity, &object);
  add_text(&members, "step", case_record_step_name(doing->parts.record, step));
  add_text(&members, "identifier", of->identifier);
  add_text(&members, "type", of->type == CASE_TYPE_COUNT ? NULL : case_type_word(of->type));
  add_text(&members, "outcome", case_outcome_word(known.outcome));
  add_text(&members, "reason",
           rc == AP_OK ? text_of(ap_slice_of(&object), "reason", &reason) : NULL);
  add_bool(&members, "risky", known.risky);
  tell("entity_ended", &members);
  ap_buf_deinit(&object);
  ap_buf_deinit(&reason);
}

void run_events_step_ended(struct doing *doing, uint32_t step)
{
  struct ap_buf members = {0};
  struct case_step_info info;
  struct case_step_end end;
  if (!doing->told.began)
    return;
  run_events_step_began(doing, step);
  struct case_step_counts counts = case_record_counts(doing->parts.record, step);
  case_record_step_words(doing->parts.record, step, &info, &end);
  add_text(&members, "step", info.name);
  add_text(&members, "status", end.status);
  add_text(&members, "message", end.message);
  add_coverage(&members,
               (uint64_t)counts.outcome[CASE_OUTCOME_REPORTED] +
                   counts.outcome[CASE_OUTCOME_SCANNED] + counts.outcome[CASE_OUTCOME_NOT_FOUND],
               counts.of);
  tell("step_ended", &members);
}

static void tell_waiting(struct run_told *told, const struct vt_standing *standing)
{
  static const char *const words[] = {
      [VT_WAITS_QUOTA] = "quota", [VT_WAITS_SCAN] = "scan", [VT_WAITS_RETRY] = "retry"};
  char until[AP_CLOCK_TEXT];
  struct ap_buf members = {0};
  told->waiting_for = standing->waiting_for;
  told->until_unix_ms = standing->until_unix_ms;
  ap_clock_format_utc(standing->until_unix_ms, until);
  add_text(&members, "for", words[standing->waiting_for]);
  add_text(&members, "until", standing->until_unix_ms ? until : NULL);
  tell("waiting", &members);
}

static void tell_quota(const struct vt_standing *standing)
{
  struct ap_buf members = {0};
  add_left(&members, "minute_left", standing->minute_left);
  add_left(&members, "day_left", standing->day_left);
  tell("quota", &members);
}

/* Quota that is back is told when the ledger was asked for it, and not before: until then nobody
 * knows what there is. Of waits that follow each other one is told when the one before it is over.
 */
void run_events_standing(struct doing *doing, const struct vt_standing *standing)
{
  struct run_told *told = &doing->told;
  if (!doing->told.began)
    return;
  bool is_out = standing->waiting_for == VT_WAITS_QUOTA;
  if (standing->knows_quota && is_out != told->quota_was_out) {
    told->quota_was_out = is_out;
    tell_quota(standing);
  }
  bool is_new =
      standing->waiting_for != told->waiting_for || ap_clock_unix_ms() >= told->until_unix_ms;
  if (standing->waiting_for != VT_WAITS_NOT && is_new &&
      (standing->waiting_for != told->waiting_for ||
       standing->until_unix_ms != told->until_unix_ms))
    tell_waiting(told, standing);
}

void run_events_ended(struct doing *doing, const char *status, int exit_code)
{
  struct ap_buf members = {0};
  if (doing->told.began) {
    struct case_record_sums sums = case_record_sums(doing->parts.record);
    add_text(&members, "status", status);
    add_number(&members, "exit", exit_code);
    add_coverage(&members, sums.checked, sums.of);
    add_name(&members, "cost");
    ap_buf_add_fmt(&members, "{\"requests\":%" PRIu64 ",\"quota\":%" PRIu64 "}", sums.requests,
                   sums.quota);
    tell("run_ended", &members);
  }
  ap_buf_deinit(&doing->told.steps);
}
