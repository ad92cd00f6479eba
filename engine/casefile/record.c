// SPDX-License-Identifier: Apache-2.0
#include "casefile/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "casefile/frame.h"
#include "casefile/json_list.h"
#include "casefile/record_private.h"
#include "casefile/restore_private.h"

#define MAX_WARNINGS_BYTES ((size_t)1024 * 1024)
#define MAX_INSIGHTS_BYTES ((size_t)16 * 1024 * 1024)

int case_record_new(struct casefile *cf, struct store_spool *spool, struct case_record **out)
{
  struct case_record *record = calloc(1, sizeof(*record));
  if (!record)
    return AP_E_NO_MEMORY;
  record->cf = cf;
  record->spool = spool;
  ap_buf_init(&record->insights, MAX_INSIGHTS_BYTES);
  ap_buf_init(&record->warnings, MAX_WARNINGS_BYTES);
  *out = record;
  return AP_OK;
}

static struct case_entry **pages_of(const struct case_step *step)
{
  return (struct case_entry **)(void *)step->pages.ptr;
}

static size_t page_count(const struct case_step *step)
{
  return step->pages.len / sizeof(struct case_entry *);
}

static void free_step(struct case_step *step)
{
  for (size_t i = 0; i < page_count(step); i++)
    free(pages_of(step)[i]);
  ap_buf_deinit(&step->pages);
  ap_buf_deinit(&step->warnings);
  free(step);
}

void case_record_free(struct case_record *record)
{
  if (!record)
    return;
  for (uint32_t i = 0; i < case_record_step_count(record); i++)
    free_step(case_record_step(record, i));
  ap_buf_deinit(&record->steps);
  ap_buf_deinit(&record->insights);
  ap_buf_deinit(&record->warnings);
  ap_buf_deinit(&record->scratch);
  ap_buf_deinit(&record->changes);
  case_arena_deinit(&record->arena);
  free(record);
}

/* ---- steps ---- */

uint32_t case_record_step_count(const struct case_record *record)
{
  return (uint32_t)(record->steps.len / sizeof(struct case_step *));
}

struct case_step *case_record_step(const struct case_record *record, uint32_t step)
{
  ap_require(step < case_record_step_count(record));
  return ((struct case_step **)(void *)record->steps.ptr)[step];
}

const char *case_record_step_name(const struct case_record *record, uint32_t step)
{
  return case_record_step(record, step)->name;
}

const char *case_record_step_status(const struct case_record *record, uint32_t step)
{
  return case_record_step(record, step)->status;
}

/* Copies text to *copy; NULL stays NULL. False when out of memory. */
static bool keep(struct case_record *record, const char *text, const char **copy)
{
  *copy = text ? case_arena_add(&record->arena, text, strlen(text)) : NULL;
  return !text || *copy;
}

/* Cost and warnings go on from where they were. */
static void recall_step(const struct case_record *record, struct case_step *step)
{
  if (!record->restored)
    return;
  const struct case_cost *cost = case_restored_cost(record->restored, step->name);
  const struct ap_buf *warnings = case_restored_warnings(record->restored, step->name);
  if (cost)
    step->cost = *cost;
  if (warnings)
    ap_buf_add(&step->warnings, warnings->ptr, warnings->len);
}

int case_record_add_step(struct case_record *record, const struct case_step_info *info,
                         uint32_t *step)
{
  struct case_step *added = calloc(1, sizeof(*added));
  if (!added)
    return AP_E_NO_MEMORY;
  added->status = "not_run";
  added->json_by_entity = info->json_by_entity;
  ap_buf_init(&added->warnings, MAX_WARNINGS_BYTES);
  bool is_kept =
      keep(record, info->name, &added->name) && keep(record, info->action, &added->action) &&
      keep(record, info->title, &added->title) && keep(record, info->provider, &added->provider) &&
      keep(record, info->result_name, &added->result_name);
  if (is_kept)
    ap_buf_add(&record->steps, &added, sizeof(struct case_step *));
  if (!is_kept || ap_buf_error(&record->steps)) {
    free_step(added);
    return AP_E_NO_MEMORY;
  }
  *step = case_record_step_count(record) - 1;
  recall_step(record, added);
  if (ap_buf_error(&added->warnings))
    return AP_E_NO_MEMORY;
  return record->is_kept ? case_keep_step(record, added) : AP_OK;
}

void case_record_step_words(const struct case_record *record, uint32_t step,
                            struct case_step_info *info, struct case_step_end *end)
{
  const struct case_step *of = case_record_step(record, step);
  *info = (struct case_step_info){.name = of->name,
                                  .action = of->action,
                                  .title = of->title,
                                  .provider = of->provider,
                                  .result_name = of->result_name,
                                  .json_by_entity = of->json_by_entity};
  *end = (struct case_step_end){.status = of->status, .result = of->result, .message = of->message};
}

int case_record_end_step(struct case_record *record, uint32_t step, const struct case_step_end *end)
{
  struct case_step *ended = case_record_step(record, step);
  const char *status;
  const char *message;
  if (!keep(record, end->status, &status) || !keep(record, end->message, &message))
    return AP_E_NO_MEMORY;
  ended->status = status;
  ended->message = message;
  ended->result = end->result;
  return record->is_kept ? case_keep_step_end(record, ended) : AP_OK;
}

struct case_cost *case_record_cost(struct case_record *record, uint32_t step)
{
  return &case_record_step(record, step)->cost;
}

/* ---- entities of a step ---- */

struct case_entry *case_step_entry(const struct case_step *step, uint32_t entity)
{
  size_t page = entity / CASE_PAGE_ENTRIES;
  if (page >= page_count(step) || !pages_of(step)[page])
    return NULL;
  struct case_entry *entry = &pages_of(step)[page][entity % CASE_PAGE_ENTRIES];
  return entry->flags & CASE_ENTRY_IN_STEP ? entry : NULL;
}

const struct case_entry *case_step_next(const struct case_step *step, uint32_t *entity)
{
  for (uint32_t at = *entity; at / CASE_PAGE_ENTRIES < page_count(step); at++) {
    const struct case_entry *entry = case_step_entry(step, at);
    if (entry) {
      *entity = at;
      return entry;
    }
  }
  return NULL;
}

static int make_page(struct case_step *step, size_t page)
{
  while (page_count(step) <= page) {
    struct case_entry *none = NULL;
    ap_buf_add(&step->pages, &none, sizeof(struct case_entry *));
    if (ap_buf_error(&step->pages))
      return AP_E_NO_MEMORY;
  }
  if (!pages_of(step)[page])
    pages_of(step)[page] = calloc(CASE_PAGE_ENTRIES, sizeof(struct case_entry));
  return pages_of(step)[page] ? AP_OK : AP_E_NO_MEMORY;
}

/* What needs no asking again. */
static bool is_final(enum case_outcome outcome)
{
  return outcome == CASE_OUTCOME_REPORTED || outcome == CASE_OUTCOME_SCANNED ||
         outcome == CASE_OUTCOME_NOT_FOUND || outcome == CASE_OUTCOME_SKIPPED ||
         outcome == CASE_OUTCOME_DENIED;
}

static int fail_blamed(struct case_record *record, uint32_t step, uint32_t entity)
{
  struct case_finding finding;
  case_finding_init(&finding);
  finding.outcome = CASE_OUTCOME_FAILED;
  ap_buf_add_str(&finding.reason,
                 "the process ended at a limit while its script ran: it was not run again");
  int rc = case_record_put(record, step, entity, &finding);
  case_finding_deinit(&finding);
  return rc;
}

/* Of a run that goes on, or is shown again: the entity may be done already. */
static int recall_entity(struct case_record *record, uint32_t step, uint32_t entity)
{
  struct case_step *in = case_record_step(record, step);
  struct case_entity *of = casefile_entity(record->cf, entity);
  const struct case_found *found =
      case_restored_find(record->restored, in->name, of->type, of->identifier);
  if (!found)
    return AP_OK;
  if (found->is_blamed)
    return fail_blamed(record, step, entity);
  enum case_outcome outcome = (enum case_outcome)found->entry.outcome;
  if (!record->is_report && !is_final(outcome))
    return AP_OK;
  struct case_entry *entry = case_step_entry(in, entity);
  ap_require(entry);
  *entry = found->entry;
  in->counts.outcome[outcome]++;
  in->counts.done++;
  in->counts.risky += (found->frame_flags & CASE_FRAME_RISKY) != 0;
  in->counts.partial +=
      outcome == CASE_OUTCOME_REPORTED && (found->frame_flags & CASE_FRAME_WITH_REASON);
  of->suspicious = of->suspicious || (found->frame_flags & CASE_FRAME_SUSPICIOUS);
  of->enriched = of->enriched || (found->frame_flags & CASE_FRAME_ENRICHED);
  return AP_OK;
}

int case_record_select(struct case_record *record, uint32_t step, uint32_t entity)
{
  struct case_step *selecting = case_record_step(record, step);
  ap_require(entity < casefile_count(record->cf));
  if (case_step_entry(selecting, entity))
    return AP_OK;
  size_t page = entity / CASE_PAGE_ENTRIES;
  int code = make_page(selecting, page);
  if (code)
    return code;
  pages_of(selecting)[page][entity % CASE_PAGE_ENTRIES] =
      (struct case_entry){.flags = CASE_ENTRY_IN_STEP, .detections = -1};
  selecting->counts.of++;
  return record->restored ? recall_entity(record, step, entity) : AP_OK;
}

struct case_step_entity case_record_entity(const struct case_record *record, uint32_t step,
                                           uint32_t entity)
{
  const struct case_entry *entry = case_step_entry(case_record_step(record, step), entity);
  struct case_step_entity known = {
      .in_step = entry, .detections = -1, .outcome = CASE_OUTCOME_NOT_ASKED};
  if (entry && entry->flags & CASE_ENTRY_DONE) {
    known.is_done = true;
    known.outcome = (enum case_outcome)entry->outcome;
    known.risky = entry->flags & CASE_ENTRY_RISKY;
    known.no_engines = entry->flags & CASE_ENTRY_NO_ENGINES;
    known.detections = entry->detections;
  }
  return known;
}

struct case_step_counts case_record_counts(const struct case_record *record, uint32_t step)
{
  return case_record_step(record, step)->counts;
}

/* ---- what was found ---- */

static int32_t pack_detections(int64_t detections)
{
  return detections < 0 ? -1 : detections > INT32_MAX ? INT32_MAX : (int32_t)detections;
}

static uint8_t frame_flags(const struct case_finding *finding)
{
  return (uint8_t)((finding->risky ? CASE_FRAME_RISKY : 0) |
                   (finding->suspicious ? CASE_FRAME_SUSPICIOUS : 0) |
                   (finding->field_count ? CASE_FRAME_ENRICHED : 0) |
                   (finding->reason.len ? CASE_FRAME_WITH_REASON : 0) |
                   (finding->total == 0 ? CASE_FRAME_NO_ENGINES : 0));
}

/* What could not be kept in full is not said by half. */
static bool lacks_memory(const struct case_finding *finding)
{
  return ap_buf_error(&finding->reason) == AP_E_NO_MEMORY ||
         ap_buf_error(&finding->link) == AP_E_NO_MEMORY ||
         ap_buf_error(&finding->insights) == AP_E_NO_MEMORY ||
         ap_buf_error(&finding->tables) == AP_E_NO_MEMORY;
}

static int spool_loose(struct case_record *record, const struct ap_buf *pieces,
                       struct ap_slice answer, struct case_entry *entry)
{
  uint64_t answer_offset;
  int code = store_spool_append(record->spool, pieces->ptr, pieces->len, &entry->offset);
  if (!code)
    code = store_spool_append(record->spool, answer.ptr, answer.len, &answer_offset);
  if (!code)
    ap_require(answer_offset == entry->offset + pieces->len);
  return code;
}

/* Writes the pieces to the spool and where they lie to entry. */
static int spool_pieces(struct case_record *record, const struct case_step *step, uint32_t entity,
                        const struct case_finding *finding, struct case_entry *entry)
{
  struct ap_buf *pieces = &record->scratch;
  if (lacks_memory(finding))
    return AP_E_NO_MEMORY;
  ap_buf_clear(pieces);
  case_record_object(record, step, entity, finding, pieces);
  size_t object_end = pieces->len;
  ap_buf_add(pieces, finding->insights.ptr, finding->insights.len);
  size_t insights_end = pieces->len;
  ap_buf_add(pieces, finding->tables.ptr, finding->tables.len);
  if (ap_buf_error(pieces))
    return ap_buf_error(pieces);
  if (pieces->len > UINT32_MAX || finding->answer.len > UINT32_MAX)
    return AP_E_TOO_LARGE;
  entry->object_len = (uint32_t)object_end;
  entry->insights_len = (uint32_t)(insights_end - object_end);
  entry->tables_len = (uint32_t)(pieces->len - insights_end);
  entry->answer_len = (uint32_t)finding->answer.len;
  if (!record->is_kept)
    return spool_loose(record, pieces, finding->answer, entry);
  const struct case_kept_finding kept = {
      .flags = frame_flags(finding), .pieces = ap_slice_of(pieces), .answer = finding->answer};
  return case_keep_finding(record, step, entity, &kept, entry);
}

int case_record_put(struct case_record *record, uint32_t step, uint32_t entity,
                    const struct case_finding *finding)
{
  struct case_step *putting = case_record_step(record, step);
  struct case_entry *entry = case_step_entry(putting, entity);
  if (!entry || entry->flags & CASE_ENTRY_DONE)
    return AP_E_INTERNAL;
  struct case_entry done = {
      .detections = pack_detections(finding->detections),
      .outcome = (uint8_t)finding->outcome,
      .flags =
          (uint8_t)(CASE_ENTRY_IN_STEP | CASE_ENTRY_DONE | (finding->risky ? CASE_ENTRY_RISKY : 0) |
                    (finding->total == 0 ? CASE_ENTRY_NO_ENGINES : 0)),
  };
  int code = spool_pieces(record, putting, entity, finding, &done);
  if (code)
    return code;
  *entry = done;
  putting->counts.outcome[finding->outcome]++;
  putting->counts.done++;
  putting->counts.risky += finding->risky;
  putting->counts.partial += finding->outcome == CASE_OUTCOME_REPORTED && finding->reason.len;
  struct case_entity *kept = casefile_entity(record->cf, entity);
  kept->suspicious = kept->suspicious || finding->suspicious;
  kept->enriched = kept->enriched || finding->field_count;
  return AP_OK;
}

struct case_record_sums case_record_sums(const struct case_record *record)
{
  struct case_record_sums sums = {0};
  for (uint32_t i = 0; i < case_record_step_count(record); i++) {
    const struct case_step *step = case_record_step(record, i);
    sums.requests += step->cost.requests;
    sums.quota += step->cost.quota;
    if (!step->action)
      continue;
    sums.checked += case_step_checked(step);
    sums.of += step->counts.of;
    sums.risky += step->counts.risky;
  }
  return sums;
}

/* ---- warnings and insights ---- */

/* Whether the list of JSON strings, joined by commas, has this one. */
static bool has_item(const struct ap_buf *list, const struct ap_buf *item)
{
  const char *end = list->ptr + list->len;
  for (const char *at = list->ptr; at && at < end; at++) {
    at = memmem(at, (size_t)(end - at), item->ptr, item->len);
    if (!at)
      return false;
    bool begins = at == list->ptr || at[-1] == ',';
    bool ends = at + item->len == end || at[item->len] == ',';
    if (begins && ends)
      return true;
  }
  return false;
}

/* A run that goes on does not say again what it has said. */
static int warn(struct case_record *record, const char *step, struct ap_buf *list, const char *text)
{
  struct ap_buf item = {0};
  ap_json_write_cstr(&item, text);
  if (record->restored && !ap_buf_error(&item) &&
      has_item(case_restored_warnings(record->restored, step), &item)) {
    ap_buf_deinit(&item);
    return AP_OK;
  }
  int rc = case_json_list_add(list, &item);
  return rc == AP_OK && record->is_kept ? case_keep_warning(record, step, text) : rc;
}

int case_record_warn(struct case_record *record, uint32_t step, const char *text)
{
  struct case_step *in = case_record_step(record, step);
  return warn(record, in->name, &in->warnings, text);
}

int case_record_warn_run(struct case_record *record, const char *text)
{
  return warn(record, NULL, &record->warnings, text);
}

void case_record_resume(struct case_record *record, const struct case_restored *restored)
{
  const struct ap_buf *warnings = case_restored_warnings(restored, NULL);
  record->restored = restored;
  record->is_kept = true;
  ap_buf_add(&record->warnings, warnings->ptr, warnings->len);
}

int case_record_add_insight(struct case_record *record, struct ap_slice json)
{
  struct ap_buf item = {0};
  ap_json_compact(json, &item);
  return case_json_list_add(&record->insights, &item);
}

void case_record_insights(const struct case_record *record, struct ap_buf *out)
{
  ap_buf_add(out, record->insights.ptr, record->insights.len);
}
