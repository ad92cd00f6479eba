/* A record that is kept: what goes into the file of its run, as it becomes known. */
// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/json.h"
#include "casefile/frame.h"
#include "casefile/record_private.h"

static int add_json(struct case_record *record, enum case_frame_kind kind, struct ap_buf *json)
{
  struct ap_slice data = ap_slice_of(json);
  int rc = ap_buf_error(json);
  if (rc == AP_OK)
    rc = case_frame_add(record->spool, kind, &data, 1, NULL);
  ap_buf_deinit(json);
  return rc;
}

/* `before` is what stands before the value: ,"name": */
static void add_text(struct ap_buf *out, const char *before, const char *text)
{
  ap_buf_add_str(out, before);
  ap_json_write_cstr(out, text);
}

static void add_flag(struct ap_buf *out, const char *before, bool flag)
{
  ap_buf_add_fmt(out, "%s%s", before, flag ? "true" : "false");
}

/* ---- what comes first ---- */

static int keep_entity(struct case_record *record, uint32_t index)
{
  const struct case_entity *entity = casefile_entity(record->cf, index);
  struct ap_buf json = {0};
  add_text(&json, "{\"identifier\":", entity->identifier);
  if (entity->type < CASE_TYPE_COUNT)
    add_text(&json, ",\"type\":", case_type_word(entity->type));
  if (entity->original_identifier)
    add_text(&json, ",\"original\":", entity->original_identifier);
  add_flag(&json, ",\"internal\":", entity->internal);
  add_flag(&json, ",\"suspicious\":", entity->suspicious);
  if (entity->properties)
    ap_buf_add_fmt(&json, ",\"properties\":%s", entity->properties);
  if (entity->tlp)
    add_text(&json, ",\"tlp\":", entity->tlp);
  if (entity->malformed)
    add_text(&json, ",\"malformed\":", entity->malformed);
  case_record_aliases(record, index, &json);
  ap_buf_add_char(&json, '}');
  return add_json(record, CASE_FRAME_ENTITY, &json);
}

/* What was to be warned of before anything ran. */
static int keep_warnings(struct case_record *record)
{
  struct ap_buf list = {0};
  struct ap_buf text = {0};
  int rc;
  ap_buf_add_fmt(&list, "[%s]", ap_buf_cstr(&record->warnings));
  struct ap_json_walk walk = ap_json_walk(ap_slice_of(&list));
  rc = ap_buf_error(&list);
  while (rc == AP_OK && ap_json_next(&walk)) {
    ap_buf_clear(&text);
    ap_json_read_string(walk.value, &text);
    rc = ap_buf_error(&text);
    if (rc == AP_OK)
      rc = case_keep_warning(record, NULL, ap_buf_cstr(&text));
  }
  ap_buf_deinit(&list);
  ap_buf_deinit(&text);
  return rc;
}

int case_record_keep(struct case_record *record, const char *path, struct ap_slice request,
                     struct ap_error *err)
{
  int rc = case_frame_add(record->spool, CASE_FRAME_REQUEST, &request, 1, NULL);
  if (rc == AP_OK)
    rc = keep_warnings(record);
  for (uint32_t i = 0; rc == AP_OK && i < casefile_count(record->cf); i++)
    rc = keep_entity(record, i);
  for (uint32_t i = 0; rc == AP_OK && i < case_record_step_count(record); i++)
    rc = case_keep_step(record, case_record_step(record, i));
  if (rc == AP_OK)
    rc = store_spool_flush(record->spool); /* a file that has a name has its beginning */
  if (rc != AP_OK)
    return ap_fail(err, rc, "%s: %s", path,
                   rc == AP_E_IO ? store_spool_problem(record->spool) : ap_error_text(rc));
  ap_failpoint("before_keep");
  rc = store_spool_keep(record->spool, path, err);
  ap_failpoint("after_keep");
  record->is_kept = rc == AP_OK;
  return rc;
}

/* ---- steps ---- */

int case_keep_step(struct case_record *record, const struct case_step *step)
{
  struct ap_buf json = {0};
  add_text(&json, "{\"name\":", step->name);
  add_text(&json, ",\"action\":", step->action);
  add_text(&json, ",\"title\":", step->title);
  add_text(&json, ",\"provider\":", step->provider);
  add_text(&json, ",\"result_name\":", step->result_name);
  add_flag(&json, ",\"json_by_entity\":", step->json_by_entity);
  ap_buf_add_char(&json, '}');
  return add_json(record, CASE_FRAME_STEP, &json);
}

int case_keep_warning(struct case_record *record, const char *step, const char *text)
{
  struct ap_buf json = {0};
  add_text(&json, "{\"step\":", step);
  add_text(&json, ",\"text\":", text);
  ap_buf_add_char(&json, '}');
  return add_json(record, CASE_FRAME_WARNING, &json);
}

int case_keep_finding(struct case_record *record, const struct case_step *step, uint32_t entity,
                      const struct case_kept_finding *kept, struct case_entry *entry)
{
  const struct case_entity *of = casefile_entity(record->cf, entity);
  struct case_frame_finding head = {
      .step_len = (uint32_t)strlen(step->name),
      .identifier_len = (uint32_t)strlen(of->identifier),
      .object_len = entry->object_len,
      .insights_len = entry->insights_len,
      .tables_len = entry->tables_len,
      .answer_len = entry->answer_len,
      .detections = entry->detections,
      .type = (uint8_t)of->type,
      .outcome = entry->outcome,
      .flags = kept->flags,
      .cost = step->cost,
  };
  const struct ap_slice parts[] = {
      {(const char *)&head, sizeof(head)},
      {step->name, head.step_len},
      {of->identifier, head.identifier_len},
      kept->pieces,
      kept->answer,
  };
  uint64_t offset = 0;
  int rc = case_frame_add(record->spool, CASE_FRAME_FINDING, parts,
                          sizeof(parts) / sizeof(parts[0]), &offset);
  entry->offset = offset + sizeof(head) + head.step_len + head.identifier_len;
  return rc;
}

/* Nobody asked for it: a report of the run still lists it. */
static int keep_not_asked(struct case_record *record, const struct case_step *step, uint32_t entity)
{
  struct ap_buf object = {0};
  case_record_object(record, step, entity, NULL, &object);
  struct case_entry entry = {
      .object_len = (uint32_t)object.len, .detections = -1, .outcome = CASE_OUTCOME_NOT_ASKED};
  const struct case_kept_finding kept = {.pieces = ap_slice_of(&object)};
  int rc = ap_buf_error(&object);
  if (rc == AP_OK)
    rc = case_keep_finding(record, step, entity, &kept, &entry);
  ap_buf_deinit(&object);
  return rc;
}

int case_keep_step_end(struct case_record *record, const struct case_step *step)
{
  struct ap_buf json = {0};
  uint32_t entity = 0;
  const struct case_entry *entry;
  int rc = AP_OK;
  for (; rc == AP_OK && (entry = case_step_next(step, &entity)); entity++)
    if (!(entry->flags & CASE_ENTRY_DONE))
      rc = keep_not_asked(record, step, entity);
  if (rc != AP_OK)
    return rc;
  add_text(&json, "{\"name\":", step->name);
  add_text(&json, ",\"status\":", step->status);
  add_text(&json, ",\"message\":", step->message);
  add_flag(&json, ",\"result\":", step->result);
  ap_buf_add_char(&json, '}');
  return add_json(record, CASE_FRAME_STEP_END, &json);
}

/* ---- the end ---- */

static void add_sums(const struct case_record *record, struct ap_buf *json)
{
  struct case_record_sums sums = case_record_sums(record);
  ap_buf_add_fmt(json,
                 ",\"checked\":%" PRIu64 ",\"of\":%" PRIu64 ",\"risky\":%" PRIu64
                 ",\"requests\":%" PRIu64 ",\"quota\":%" PRIu64,
                 sums.checked, sums.of, sums.risky, sums.requests, sums.quota);
}

int case_record_end_run(struct case_record *record, const struct case_run_info *info)
{
  struct ap_buf json = {0};
  if (!record->is_kept)
    return AP_OK;
  add_text(&json, "{\"status\":", info->status);
  ap_buf_add_fmt(&json, ",\"exit\":%d,\"score\":%" PRId64, info->exit_code, info->score);
  add_text(&json, ",\"playbook\":", info->playbook);
  add_text(&json, ",\"finished\":", info->finished);
  ap_buf_add_str(&json, ",\"params\":");
  ap_buf_add(&json, info->params.ptr, info->params.len);
  ap_buf_add_str(&json, info->params.len ? ",\"tags\":" : "{},\"tags\":");
  ap_buf_add(&json, info->tags.ptr, info->tags.len);
  ap_buf_add_str(&json, info->tags.len ? ",\"insights\":[" : "[],\"insights\":[");
  ap_buf_add(&json, record->insights.ptr, record->insights.len);
  ap_buf_add_char(&json, ']');
  if (record->changes.len) {
    ap_buf_add_str(&json, ",\"changes\":");
    ap_buf_add(&json, record->changes.ptr, record->changes.len);
  }
  add_sums(record, &json);
  ap_buf_add_char(&json, '}');
  ap_failpoint("before_end");
  int rc = add_json(record, CASE_FRAME_END, &json);
  if (rc == AP_OK)
    rc = store_spool_flush(record->spool);
  ap_failpoint("after_end");
  return rc;
}
