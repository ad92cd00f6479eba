// SPDX-License-Identifier: Apache-2.0
#include "casefile/changes.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "casefile/restore_private.h"

enum { KINDS = 7, MOST_LISTED = 10000, MOST_BYTES = 8 << 20 };

static const char *const kind_words[KINDS] = {"newly_risky",   "newly_clean",     "verdict_changed",
                                              "engines_added", "engines_removed", "new",
                                              "gone"};

/* As report/standing.lua has them. */
enum standing { NOWHERE, RISKY, NOT_CHECKED, BELOW_THRESHOLD, UNKNOWN, CLEAN };
static const char *const standing_words[] = {NULL,      "risky", "not_checked", "below_threshold",
                                             "unknown", "clean"};

struct comparison {
  struct case_record *record;
  const struct case_before *before;
  uint64_t counts[KINDS]; /* entities */
  uint64_t listed;
  uint64_t left_out;
  struct ap_buf list;
  struct ap_buf now_object;
  struct ap_buf before_object;
  struct ap_buf engines_added; /* JSON strings, joined by commas */
  struct ap_buf engines_removed;
  int code;
};

/* ---- where it stands ---- */

static bool has_report(const struct case_entry *entry)
{
  return entry->outcome == CASE_OUTCOME_REPORTED || entry->outcome == CASE_OUTCOME_SCANNED;
}

static enum standing standing_of(const struct case_entry *entry)
{
  if (!entry)
    return NOWHERE;
  if (!(entry->flags & CASE_ENTRY_DONE))
    return NOT_CHECKED;
  if (entry->flags & CASE_ENTRY_RISKY)
    return RISKY;
  if (entry->outcome == CASE_OUTCOME_NOT_FOUND)
    return UNKNOWN;
  if (!has_report(entry))
    return NOT_CHECKED;
  if (entry->detections < 0 || (entry->flags & CASE_ENTRY_NO_ENGINES))
    return UNKNOWN;
  return entry->detections > 0 ? BELOW_THRESHOLD : CLEAN;
}

static bool is_checked(enum standing standing)
{
  return standing != NOWHERE && standing != NOT_CHECKED;
}

static unsigned compare_standings(enum standing before, enum standing now)
{
  if (now == RISKY)
    return before == RISKY ? 0 : CASE_CHANGE_NEWLY_RISKY;
  if (before == now || !is_checked(before) || !is_checked(now))
    return 0;
  bool was_detected = before == RISKY || before == BELOW_THRESHOLD;
  return now == CLEAN && was_detected ? CASE_CHANGE_NEWLY_CLEAN : CASE_CHANGE_VERDICT;
}

/* ---- engines ---- */

/* The text "A, B" that the enrichment has; false where there is none. */
static bool read_engines(const struct ap_buf *object, struct ap_buf *names)
{
  struct ap_slice enrichment;
  struct ap_slice value;
  bool has_any = false;
  ap_buf_clear(names);
  if (object->len == 0 || !ap_json_get(ap_slice_of(object), "enrichment", &enrichment))
    return false;
  struct ap_json_walk walk = ap_json_walk(enrichment);
  while (!has_any && ap_json_next(&walk))
    has_any = ap_json_kind(walk.value) == AP_JSON_OBJECT &&
              ap_json_get(walk.value, "Detecting Engines", &value);
  if (has_any)
    case_read_text(value, names);
  return has_any;
}

/* The next name of "A, B" from *at on, which is moved behind it. */
static struct ap_slice next_name(const char **at)
{
  const char *end = strstr(*at, ", ");
  struct ap_slice name = {*at, end ? (size_t)(end - *at) : strlen(*at)};
  *at = end ? end + 2 : *at + name.len;
  return name;
}

static bool has_name(const char *names, struct ap_slice name)
{
  while (*names) {
    struct ap_slice other = next_name(&names);
    if (other.len == name.len && memcmp(other.ptr, name.ptr, name.len) == 0)
      return true;
  }
  return false;
}

/* Adds the names that `others` does not have. */
static void add_missing(const char *names, const char *others, struct ap_buf *out)
{
  while (*names) {
    struct ap_slice name = next_name(&names);
    if (has_name(others, name))
      continue;
    if (out->len)
      ap_buf_add_char(out, ',');
    ap_json_write_string(out, name.ptr, name.len);
  }
}

static int read_object(struct store_spool *spool, const struct case_entry *entry,
                       struct ap_buf *object)
{
  ap_buf_clear(object);
  return store_spool_read(spool, entry->offset, entry->object_len, object);
}

/* Only a report whose engines are named can be compared: some say how many detect only. */
static unsigned compare_engines(struct comparison *with, const struct case_entry *before,
                                const struct case_entry *now)
{
  struct ap_buf old = {0};
  struct ap_buf new = {0};
  ap_buf_clear(&with->engines_added);
  ap_buf_clear(&with->engines_removed);
  if (!has_report(before) || !has_report(now) || (before->detections <= 0 && now->detections <= 0))
    return 0;
  with->code = read_object(with->record->spool, now, &with->now_object);
  if (with->code == AP_OK)
    with->code = read_object(with->before->spool, before, &with->before_object);
  if (with->code == AP_OK && read_engines(&with->before_object, &old) &&
      read_engines(&with->now_object, &new)) {
    add_missing(ap_buf_cstr(&new), ap_buf_cstr(&old), &with->engines_added);
    add_missing(ap_buf_cstr(&old), ap_buf_cstr(&new), &with->engines_removed);
  }
  if (ap_buf_error(&old) || ap_buf_error(&new))
    with->code = AP_E_NO_MEMORY;
  ap_buf_deinit(&old);
  ap_buf_deinit(&new);
  return (with->engines_added.len ? CASE_CHANGE_ENGINES_ADDED : 0U) |
         (with->engines_removed.len ? CASE_CHANGE_ENGINES_REMOVED : 0U);
}

/* ---- what is new of an entity ---- */

static struct case_found *find_before(const struct comparison *with, const char *step,
                                      uint32_t entity)
{
  const struct case_entity *of = casefile_entity(with->record->cf, entity);
  return (struct case_found *)(uintptr_t)case_restored_find(with->before->restored, step, of->type,
                                                            of->identifier);
}

/* Marks what the earlier run said of the entity as seen. False: it said nothing, in no step. */
static bool was_there(const struct comparison *with, uint32_t entity)
{
  bool was = false;
  for (const struct case_known_step *step = with->before->restored->steps->next; step;
       step = step->next) {
    struct case_found *found = find_before(with, step->name, entity);
    if (!found || !(found->entry.flags & CASE_ENTRY_IN_STEP))
      continue;
    found->is_seen = true;
    was = true;
  }
  return was;
}

static const struct case_entry *entry_before(const struct comparison *with,
                                             const struct case_step *step, uint32_t entity)
{
  const struct case_found *found = find_before(with, step->name, entity);
  return found && (found->entry.flags & CASE_ENTRY_IN_STEP) ? &found->entry : NULL;
}

static void count(struct comparison *with, unsigned changes)
{
  for (unsigned i = 0; i < KINDS; i++)
    with->counts[i] += (changes >> i) & 1;
}

static void compare_entity(struct comparison *with, uint32_t entity)
{
  unsigned all = 0;
  bool has_any = false;
  bool is_new = false;
  for (uint32_t i = 0; i < case_record_step_count(with->record) && !with->code; i++) {
    const struct case_step *step = case_record_step(with->record, i);
    struct case_entry *now = case_step_entry(step, entity);
    if (!now)
      continue;
    if (!has_any)
      is_new = !was_there(with, entity);
    has_any = true;
    const struct case_entry *before = entry_before(with, step, entity);
    unsigned changes = compare_standings(standing_of(before), standing_of(now));
    if (before && (now->flags & CASE_ENTRY_DONE))
      changes |= compare_engines(with, before, now);
    now->changes = (uint8_t)(changes | (is_new ? CASE_CHANGE_NEW : 0U));
    all |= now->changes;
  }
  count(with, all);
}

/* ---- the list ---- */

static void add_side(struct ap_buf *out, const char *name, const struct case_entry *entry)
{
  ap_buf_add_fmt(out, ",\"%s\":", name);
  if (!entry) {
    ap_buf_add_str(out, "null");
    return;
  }
  bool is_done = entry->flags & CASE_ENTRY_DONE;
  ap_buf_add_fmt(out, "{\"outcome\":\"%s\",\"verdict\":\"%s\",\"detections\":",
                 is_done ? case_outcome_word((enum case_outcome)entry->outcome)
                         : case_outcome_word(CASE_OUTCOME_NOT_ASKED),
                 standing_words[standing_of(entry)]);
  if (is_done && entry->detections >= 0)
    ap_buf_add_fmt(out, "%" PRId32 "}", entry->detections);
  else
    ap_buf_add_str(out, "null}");
}

static void add_kinds(struct ap_buf *out, unsigned changes)
{
  const char *comma = "";
  ap_buf_add_str(out, ",\"changes\":[");
  for (unsigned i = 0; i < KINDS; i++) {
    if (!((changes >> i) & 1))
      continue;
    ap_buf_add_fmt(out, "%s\"%s\"", comma, kind_words[i]);
    comma = ",";
  }
  ap_buf_add_char(out, ']');
}

static void add_names(struct ap_buf *out, const char *name, const struct ap_buf *names)
{
  if (names->len)
    ap_buf_add_fmt(out, ",\"%s\":[%s]", name, ap_buf_cstr(names));
}

/* Returns false, having counted it, where the list is full. */
static bool add_item(struct comparison *with, const char *identifier, enum case_type type,
                     const char *step)
{
  if (with->listed == MOST_LISTED || with->list.len > MOST_BYTES) {
    with->left_out++;
    return false;
  }
  ap_buf_add_str(&with->list, with->listed++ ? ",{\"identifier\":" : "{\"identifier\":");
  ap_json_write_cstr(&with->list, identifier);
  ap_buf_add_str(&with->list, ",\"type\":");
  ap_json_write_cstr(&with->list, type < CASE_TYPE_COUNT ? case_type_word(type) : NULL);
  ap_buf_add_str(&with->list, ",\"step\":");
  ap_json_write_cstr(&with->list, step);
  return true;
}

static void list_entry(struct comparison *with, const struct case_step *step, uint32_t entity,
                       const struct case_entry *now)
{
  const struct case_entity *of = casefile_entity(with->record->cf, entity);
  const struct case_entry *before = entry_before(with, step, entity);
  const unsigned engines = CASE_CHANGE_ENGINES_ADDED | CASE_CHANGE_ENGINES_REMOVED;
  if (!add_item(with, of->identifier, of->type, step->name))
    return;
  add_kinds(&with->list, now->changes);
  add_side(&with->list, "before", before);
  add_side(&with->list, "now", now);
  if (before && (now->changes & engines)) {
    (void)compare_engines(with, before, now);
    add_names(&with->list, "engines_added", &with->engines_added);
    add_names(&with->list, "engines_removed", &with->engines_removed);
  }
  ap_buf_add_char(&with->list, '}');
}

/* The lists come one after the other, so that what is left out is the least urgent. */
enum urgency { URGENT, USUAL, ONLY_NEW };

static enum urgency urgency_of(unsigned changes)
{
  if (changes & CASE_CHANGE_NEWLY_RISKY)
    return URGENT;
  return changes == CASE_CHANGE_NEW ? ONLY_NEW : USUAL;
}

static void list_entries(struct comparison *with, enum urgency urgency)
{
  for (uint32_t i = 0; i < case_record_step_count(with->record); i++) {
    const struct case_step *step = case_record_step(with->record, i);
    uint32_t entity = 0;
    const struct case_entry *now;
    for (; !with->code && (now = case_step_next(step, &entity)); entity++)
      if (now->changes && urgency_of(now->changes) == urgency)
        list_entry(with, step, entity, now);
  }
}

/* Of several steps the first counts. */
static bool is_first_of(const struct comparison *with, const struct case_found *found)
{
  const struct case_restored *restored = with->before->restored;
  const struct case_found *other = NULL;
  for (const struct case_known_step *step = restored->steps->next; step && !other;
       step = step->next)
    other = case_restored_find(restored, step->name, found->type, found->identifier);
  return other == found;
}

static void list_gone(struct comparison *with)
{
  for (const struct case_found_slot *slot = with->before->restored->found; slot;
       slot = slot->hh.next) {
    const struct case_found *found = &slot->found;
    if (found->is_seen || !(found->entry.flags & CASE_ENTRY_IN_STEP))
      continue;
    if (is_first_of(with, found))
      count(with, CASE_CHANGE_GONE);
    if (!add_item(with, found->identifier, found->type, found->step))
      continue;
    add_kinds(&with->list, CASE_CHANGE_GONE);
    add_side(&with->list, "before", &found->entry);
    add_side(&with->list, "now", NULL);
    ap_buf_add_char(&with->list, '}');
  }
}

/* ---- the whole ---- */

static void write_changes(const struct comparison *with, struct ap_buf *out)
{
  const struct case_before *before = with->before;
  ap_buf_add_str(out, "{\"since\":");
  if (before) {
    ap_buf_add_str(out, "{\"run\":");
    ap_json_write_cstr(out, before->run);
    ap_buf_add_str(out, ",\"started\":");
    ap_json_write_cstr(out, before->started);
    ap_buf_add_str(out, ",\"finished\":");
    ap_json_write_cstr(out, before->finished);
    ap_buf_add_char(out, '}');
  } else {
    ap_buf_add_str(out, "null");
  }
  for (unsigned i = 0; i < KINDS; i++)
    ap_buf_add_fmt(out, "%s\"%s\":%" PRIu64, i ? "," : ",\"counts\":{", kind_words[i],
                   with->counts[i]);
  ap_buf_add_str(out, "},\"entities\":[");
  ap_buf_add(out, with->list.ptr, with->list.len);
  ap_buf_add_fmt(out, "],\"left_out\":%" PRIu64 "}", with->left_out);
}

static void compare(struct comparison *with)
{
  for (uint32_t i = 0; i < casefile_count(with->record->cf) && !with->code; i++)
    compare_entity(with, i);
  list_entries(with, URGENT);
  list_entries(with, USUAL);
  list_gone(with);
  list_entries(with, ONLY_NEW);
}

int case_record_compare(struct case_record *record, const struct case_before *before,
                        bool is_whole_run)
{
  struct comparison with = {.record = record, .before = before};
  if (before)
    compare(&with);
  if (with.code == AP_OK)
    with.code = ap_buf_error(&with.list);
  ap_buf_clear(&record->changes);
  if (with.code == AP_OK)
    write_changes(&with, &record->changes);
  record->is_of_run = is_whole_run;
  record->is_compared = before != NULL;
  record->is_same = before && with.listed + with.left_out == 0;
  ap_buf_deinit(&with.list);
  ap_buf_deinit(&with.now_object);
  ap_buf_deinit(&with.before_object);
  ap_buf_deinit(&with.engines_added);
  ap_buf_deinit(&with.engines_removed);
  return with.code ? with.code : ap_buf_error(&record->changes);
}

int case_record_recall_changes(struct case_record *record, struct ap_slice json, bool is_whole_run)
{
  ap_buf_clear(&record->changes);
  ap_buf_add(&record->changes, json.ptr, json.len);
  record->is_of_run = is_whole_run;
  return ap_buf_error(&record->changes);
}

bool case_record_is_same(const struct case_record *record)
{
  return record->is_same;
}

bool case_record_is_part(const struct case_record *record)
{
  return record->is_part;
}

void case_record_keep_changed(struct case_record *record)
{
  if (!record->is_compared)
    return;
  record->is_part = true;
  for (uint32_t i = 0; i < case_record_step_count(record); i++) {
    const struct case_step *step = case_record_step(record, i);
    for (uint32_t entity = 0; case_step_next(step, &entity); entity++) {
      struct case_entry *entry = case_step_entry(step, entity);
      if (!entry->changes)
        entry->flags &= (uint8_t)~CASE_ENTRY_IN_STEP;
    }
  }
}
