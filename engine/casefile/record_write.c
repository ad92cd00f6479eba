/* The documents of a record. One set of functions writes a step and the head of a run, for people
 * with a line for each thing and for ndjson in one line. */
// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>

#include "base/json.h"
#include "casefile/record_private.h"

/* ---- pieces of the spool ---- */

enum piece { PIECE_OBJECT, PIECE_INSIGHTS, PIECE_TABLES, PIECE_ANSWER };

struct place {
  uint64_t offset;
  size_t len;
};

static struct place find_piece(const struct case_entry *entry, enum piece piece)
{
  const size_t lens[] = {entry->object_len, entry->insights_len, entry->tables_len,
                         entry->answer_len};
  struct place place = {.offset = entry->offset, .len = lens[piece]};
  for (unsigned i = 0; i < piece; i++)
    place.offset += lens[i];
  return place;
}

static void emit_piece(struct case_emit *out, const struct case_record *record,
                       const struct case_entry *entry, enum piece piece)
{
  struct place place = find_piece(entry, piece);
  case_emit_spooled(out, record->spool, place.offset, place.len);
}

static int read_piece(const struct case_record *record, const struct case_entry *entry,
                      enum piece piece, struct ap_buf *out)
{
  struct place place = find_piece(entry, piece);
  return store_spool_read(record->spool, place.offset, place.len, out);
}

static bool is_done(const struct case_entry *entry)
{
  return entry->flags & CASE_ENTRY_DONE;
}

/* ---- lists of a step ---- */

/* An item for each entity that has such a piece; a piece may be several values joined by commas. */
static void emit_pieces(struct case_emit *out, const struct case_record *record,
                        const struct case_step *step, enum piece piece)
{
  uint32_t entity = 0;
  const struct case_entry *entry;
  for (; !out->code && (entry = case_step_next(step, &entity)); entity++) {
    if (find_piece(entry, piece).len == 0)
      continue;
    case_emit_item(out);
    emit_piece(out, record, entry, piece);
  }
}

static void emit_entities(struct case_emit *out, const struct case_record *record,
                          const struct case_step *step)
{
  uint32_t entity = 0;
  const struct case_entry *entry;
  case_emit_key(out, "entities");
  case_emit_open(out, '[');
  for (; !out->code && (entry = case_step_next(step, &entity)); entity++) {
    case_emit_item(out);
    if (is_done(entry))
      emit_piece(out, record, entry, PIECE_OBJECT);
    else
      case_record_object(record, step, entity, NULL, &out->buf);
  }
  case_emit_close(out, ']');
}

static void emit_json_result(struct case_emit *out, const struct case_record *record,
                             const struct case_step *step)
{
  uint32_t entity = 0;
  const struct case_entry *entry;
  case_emit_key(out, "json_result");
  case_emit_open(out, step->json_by_entity ? '{' : '[');
  for (; !out->code && (entry = case_step_next(step, &entity)); entity++) {
    const char *identifier = casefile_entity(record->cf, entity)->identifier;
    if (entry->answer_len == 0)
      continue;
    if (step->json_by_entity) {
      case_emit_key(out, identifier);
      emit_piece(out, record, entry, PIECE_ANSWER);
      continue;
    }
    case_emit_item(out);
    case_emit_text(out, "{\"Entity\": ");
    case_emit_string(out, identifier);
    case_emit_text(out, ", \"EntityResult\": ");
    emit_piece(out, record, entry, PIECE_ANSWER);
    case_emit_text(out, "}");
  }
  case_emit_close(out, step->json_by_entity ? '}' : ']');
}

static void emit_list(struct case_emit *out, const char *name, const struct case_record *record,
                      const struct case_step *step, enum piece piece)
{
  case_emit_key(out, name);
  case_emit_open(out, '[');
  emit_pieces(out, record, step, piece);
  case_emit_close(out, ']');
}

/* ---- members ---- */

static void emit_text(struct case_emit *out, const char *name, const char *text)
{
  case_emit_key(out, name);
  case_emit_string(out, text);
}

static void emit_joined(struct case_emit *out, const char *name, const struct ap_buf *items)
{
  case_emit_key(out, name);
  case_emit_text(out, "[");
  case_emit_bytes(out, ap_slice_of(items));
  case_emit_text(out, "]");
}

static void emit_coverage(struct case_emit *out, uint64_t checked, uint64_t of)
{
  case_emit_key(out, "coverage");
  case_emit_fmt(out, "{\"checked\": %" PRIu64 ", \"of\": %" PRIu64 "}", checked, of);
}

uint64_t case_step_checked(const struct case_step *step)
{
  const uint32_t *outcome = step->counts.outcome;
  return (uint64_t)outcome[CASE_OUTCOME_REPORTED] + outcome[CASE_OUTCOME_SCANNED] +
         outcome[CASE_OUTCOME_NOT_FOUND];
}

static void emit_cost(struct case_emit *out, const struct case_cost *cost)
{
  case_emit_key(out, "cost");
  case_emit_fmt(out,
                "{\"requests\": %" PRIu64 ", \"quota\": %" PRIu64 ", \"cached\": %" PRIu64
                ", \"shared\": %" PRIu64 ", \"bytes_sent\": %" PRIu64 "}",
                cost->requests, cost->quota, cost->cached, cost->shared, cost->bytes_sent);
}

static void emit_result(struct case_emit *out, const struct case_step *step)
{
  case_emit_key(out, "result");
  if (!step->result_name) {
    case_emit_text(out, "null");
    return;
  }
  case_emit_text(out, "{\"name\": ");
  case_emit_string(out, step->result_name);
  case_emit_fmt(out, ", \"value\": %s}", step->result ? "true" : "false");
}

static void emit_changes(struct case_emit *out, const struct case_record *record)
{
  if (record->changes.len == 0)
    return;
  case_emit_key(out, "changes");
  case_emit_bytes(out, ap_slice_of(&record->changes));
}

/* ---- a step ---- */

enum step_form { STEP_ALONE, STEP_OF_RUN, STEP_LINE, STEP_BARE };

static void emit_step(struct case_emit *out, const struct case_record *record,
                      const struct case_step *step, enum step_form form)
{
  case_emit_open(out, '{');
  emit_text(out, "schema", "apogee.action/1");
  if (form != STEP_ALONE)
    emit_text(out, "step", step->name);
  emit_text(out, "action", step->action);
  emit_text(out, "name", step->title);
  emit_text(out, "provider", step->provider);
  emit_text(out, "status", step->status);
  emit_result(out, step);
  emit_text(out, "message", step->message);
  if (form == STEP_ALONE || form == STEP_OF_RUN) {
    if (step->action)
      emit_json_result(out, record, step);
    emit_entities(out, record, step);
  }
  if (form != STEP_BARE) {
    emit_list(out, "insights", record, step, PIECE_INSIGHTS);
    emit_list(out, "tables", record, step, PIECE_TABLES);
  }
  emit_joined(out, "warnings", &step->warnings);
  emit_coverage(out, case_step_checked(step), step->counts.of);
  emit_cost(out, &step->cost);
  if (!record->is_of_run)
    emit_changes(out, record);
  case_emit_close(out, '}');
}

int case_record_write_action(struct case_record *record, uint32_t step, case_write_fn *write,
                             void *arg)
{
  struct case_emit out;
  case_emit_init(&out, false, write, arg);
  emit_step(&out, record, case_record_step(record, step), STEP_ALONE);
  case_emit_text(&out, "\n");
  return case_emit_finish(&out);
}

int case_record_write_step_line(struct case_record *record, uint32_t step, case_write_fn *write,
                                void *arg)
{
  struct case_emit out;
  case_emit_init(&out, true, write, arg);
  emit_step(&out, record, case_record_step(record, step), STEP_LINE);
  case_emit_text(&out, "\n");
  return case_emit_finish(&out);
}

/* ---- a run ---- */

static void emit_run_head(struct case_emit *out, const struct case_record *record,
                          const struct case_run_info *info)
{
  struct case_record_sums sums = case_record_sums(record);
  emit_text(out, "schema", "apogee.run/1");
  emit_text(out, "run", info->run);
  emit_text(out, "playbook", info->playbook);
  case_emit_key(out, "params");
  case_emit_compact(out, info->params, "{}");
  emit_text(out, "started", info->started);
  emit_text(out, "finished", info->finished);
  emit_text(out, "status", info->status);
  case_emit_key(out, "exit");
  case_emit_fmt(out, "%d", info->exit_code);
  case_emit_key(out, "tags");
  case_emit_compact(out, info->tags, "[]");
  case_emit_key(out, "score");
  case_emit_fmt(out, "%" PRId64, info->score);
  emit_joined(out, "warnings", &record->warnings);
  emit_coverage(out, sums.checked, sums.of);
  if (record->is_of_run)
    emit_changes(out, record);
}

static void emit_run_steps(struct case_emit *out, const struct case_record *record)
{
  case_emit_key(out, "steps");
  case_emit_open(out, '[');
  for (uint32_t i = 0; i < case_record_step_count(record); i++) {
    case_emit_item(out);
    emit_step(out, record, case_record_step(record, i), STEP_OF_RUN);
  }
  case_emit_close(out, ']');
}

static void emit_steps_of_entity(struct case_emit *out, const struct case_record *record,
                                 uint32_t entity)
{
  bool is_first = true;
  case_emit_text(out, ",\"steps\":{");
  for (uint32_t i = 0; i < case_record_step_count(record); i++) {
    struct case_step_entity known = case_record_entity(record, i, entity);
    if (!known.in_step)
      continue;
    case_emit_text(out, is_first ? "" : ",");
    case_emit_string(out, case_record_step(record, i)->name);
    case_emit_text(out, ":");
    case_emit_string(out, case_outcome_word(known.outcome));
    is_first = false;
  }
  case_emit_text(out, "}}");
}

static bool is_in_any_step(const struct case_record *record, uint32_t entity)
{
  bool is_in = false;
  for (uint32_t i = 0; i < case_record_step_count(record) && !is_in; i++)
    is_in = case_step_entry(case_record_step(record, i), entity) != NULL;
  return is_in;
}

static void emit_optional(struct case_emit *out, const char *name, const char *text)
{
  if (!text)
    return;
  case_emit_fmt(out, ",\"%s\":", name);
  case_emit_string(out, text);
}

static void emit_run_entity(struct case_emit *out, const struct case_record *record, uint32_t index)
{
  const struct case_entity *entity = casefile_entity(record->cf, index);
  case_emit_text(out, "{\"identifier\":");
  case_emit_string(out, entity->identifier);
  case_emit_text(out, ",\"type\":");
  case_emit_string(out, entity->type < CASE_TYPE_COUNT ? case_type_word(entity->type) : NULL);
  emit_optional(out, "original_identifier", entity->original_identifier);
  case_emit_fmt(out, ",\"internal\":%s,\"suspicious\":%s,\"enriched\":%s",
                entity->internal ? "true" : "false", entity->suspicious ? "true" : "false",
                entity->enriched ? "true" : "false");
  emit_optional(out, "tlp", entity->tlp);
  emit_optional(out, "malformed", entity->malformed);
  case_record_aliases(record, index, &out->buf);
  if (entity->properties) {
    case_emit_text(out, ",\"properties\":");
    case_emit_text(out, entity->properties);
  }
  emit_steps_of_entity(out, record, index);
}

static void emit_run_insights(struct case_emit *out, const struct case_record *record)
{
  case_emit_key(out, "insights");
  case_emit_open(out, '[');
  for (uint32_t i = 0; i < case_record_step_count(record); i++)
    emit_pieces(out, record, case_record_step(record, i), PIECE_INSIGHTS);
  if (record->insights.len) {
    case_emit_item(out);
    case_emit_bytes(out, ap_slice_of(&record->insights));
  }
  case_emit_close(out, ']');
}

int case_record_write_run(struct case_record *record, const struct case_run_info *info,
                          case_write_fn *write, void *arg)
{
  struct case_emit out;
  case_emit_init(&out, false, write, arg);
  case_emit_open(&out, '{');
  emit_run_head(&out, record, info);
  emit_run_steps(&out, record);
  case_emit_key(&out, "entities");
  case_emit_open(&out, '[');
  for (uint32_t i = 0; i < casefile_count(record->cf) && !out.code; i++) {
    if (record->is_part && !is_in_any_step(record, i))
      continue;
    case_emit_item(&out);
    emit_run_entity(&out, record, i);
  }
  case_emit_close(&out, ']');
  emit_run_insights(&out, record);
  case_emit_close(&out, '}');
  case_emit_text(&out, "\n");
  return case_emit_finish(&out);
}

/* ---- lines and objects in a buffer ---- */

static int write_to_buf(void *arg, const char *data, size_t len)
{
  struct ap_buf *buf = arg;
  ap_buf_add(buf, data, len);
  return ap_buf_error(buf);
}

int case_record_line_step(struct case_record *record, uint32_t step, struct ap_buf *out)
{
  return case_record_write_step_line(record, step, write_to_buf, out);
}

int case_record_line_run(struct case_record *record, const struct case_run_info *info,
                         struct ap_buf *out)
{
  struct case_emit emit;
  case_emit_init(&emit, true, write_to_buf, out);
  case_emit_open(&emit, '{');
  emit_run_head(&emit, record, info);
  case_emit_close(&emit, '}');
  case_emit_text(&emit, "\n");
  return case_emit_finish(&emit);
}

int case_record_entity_json(struct case_record *record, uint32_t step, uint32_t entity,
                            struct ap_buf *out)
{
  const struct case_step *in = case_record_step(record, step);
  const struct case_entry *entry = case_step_entry(in, entity);
  if (!entry)
    return AP_E_INVALID;
  if (is_done(entry))
    return read_piece(record, entry, PIECE_OBJECT, out);
  case_record_object(record, in, entity, NULL, out);
  return ap_buf_error(out);
}

int case_record_step_json(struct case_record *record, uint32_t step, struct ap_buf *out)
{
  struct case_emit emit;
  case_emit_init(&emit, true, write_to_buf, out);
  emit_step(&emit, record, case_record_step(record, step), STEP_BARE);
  return case_emit_finish(&emit);
}

int case_record_run_entity_json(struct case_record *record, uint32_t entity, struct ap_buf *out)
{
  struct case_emit emit;
  case_emit_init(&emit, true, write_to_buf, out);
  emit_run_entity(&emit, record, entity);
  return case_emit_finish(&emit);
}

int case_record_list_json(struct case_record *record, uint32_t step, uint32_t entity,
                          enum case_list list, struct ap_buf *out)
{
  const struct case_entry *entry = case_step_entry(case_record_step(record, step), entity);
  int code = AP_OK;
  ap_buf_add_char(out, '[');
  if (entry && is_done(entry))
    code = read_piece(record, entry, list == CASE_LIST_TABLES ? PIECE_TABLES : PIECE_INSIGHTS, out);
  ap_buf_add_char(out, ']');
  return code ? code : ap_buf_error(out);
}

static int add_answer(struct case_record *record, const struct case_entry *entry,
                      struct ap_buf *out)
{
  if (entry->answer_len == 0) {
    ap_buf_add_str(out, "null");
    return AP_OK;
  }
  ap_buf_clear(&record->scratch);
  int code = read_piece(record, entry, PIECE_ANSWER, &record->scratch);
  if (code == AP_OK)
    ap_json_compact(ap_slice_of(&record->scratch), out);
  return code;
}

int case_record_line_entity(struct case_record *record, uint32_t step, uint32_t entity,
                            struct ap_buf *out)
{
  const struct case_step *in = case_record_step(record, step);
  const struct case_entry *entry = case_step_entry(in, entity);
  if (!entry)
    return AP_E_INVALID;
  ap_buf_clear(&record->scratch);
  int code = case_record_entity_json(record, step, entity, &record->scratch);
  if (code)
    return code;
  ap_buf_add_str(out, "{\"schema\":\"apogee.entity/1\",\"step\":");
  ap_json_write_cstr(out, in->name);
  ap_buf_add_char(out, ',');
  ap_buf_add(out, record->scratch.ptr + 1, record->scratch.len - 2);
  ap_buf_add_str(out, ",\"EntityResult\":");
  code = add_answer(record, entry, out);
  ap_buf_add_str(out, "}\n");
  return code ? code : ap_buf_error(out);
}
