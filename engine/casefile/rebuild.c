/* A record as it was when the file of its run was last written to. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/json.h"
#include "casefile/restore_private.h"

static const char *text_or_null(const struct ap_buf *text)
{
  return text->len ? text->ptr : NULL;
}

static int add_known_step(struct case_record *record, const struct case_known_step *known,
                          uint32_t *number)
{
  static const char *const keys[] = {"name",     "action",      "title",
                                     "provider", "result_name", "json_by_entity"};
  struct ap_slice values[6];
  struct ap_buf texts[6] = {0};
  ap_json_get_many(ap_slice_of(&known->info), keys, 6, values);
  int rc = AP_OK;
  for (int i = 0; i < 6; i++) {
    case_read_text(values[i], &texts[i]);
    rc = rc == AP_OK ? ap_buf_error(&texts[i]) : rc;
  }
  const struct case_step_info info = {
      .name = known->name,
      .action = text_or_null(&texts[1]),
      .title = text_or_null(&texts[2]),
      .provider = text_or_null(&texts[3]),
      .result_name = text_or_null(&texts[4]),
      .json_by_entity = case_is_true(values[5]),
  };
  if (rc == AP_OK)
    rc = case_record_add_step(record, &info, number);
  for (int i = 0; i < 6; i++)
    ap_buf_deinit(&texts[i]);
  return rc;
}

static int end_known_step(struct case_record *record, const struct case_known_step *known,
                          uint32_t number)
{
  static const char *const keys[] = {"status", "message", "result"};
  struct ap_slice values[3];
  struct ap_buf texts[3] = {0};
  if (known->end.len == 0)
    return AP_OK;
  ap_json_get_many(ap_slice_of(&known->end), keys, 3, values);
  int rc = AP_OK;
  for (int i = 0; i < 3; i++) {
    case_read_text(values[i], &texts[i]);
    rc = rc == AP_OK ? ap_buf_error(&texts[i]) : rc;
  }
  const struct case_step_end end = {.status = ap_buf_cstr(&texts[0]),
                                    .message = ap_buf_cstr(&texts[1]),
                                    .result = case_is_true(values[2])};
  if (rc == AP_OK)
    rc = case_record_end_step(record, number, &end);
  for (int i = 0; i < 3; i++)
    ap_buf_deinit(&texts[i]);
  return rc;
}

/* Files that an action worked on were never among the entities that were given. */
static int index_of(const struct case_record *record, const struct case_found *found,
                    uint32_t *index)
{
  struct ap_error err;
  struct case_entity_input input = {
      .identifier = {found->identifier, strlen(found->identifier)},
      .has_type = found->type < CASE_TYPE_COUNT,
      .type = found->type,
      .problem = found->type < CASE_TYPE_COUNT ? NULL : "it is no indicator",
  };
  return casefile_add(record->cf, &input, index, &err);
}

static int rebuild_findings(struct case_record *record, const struct case_restored *restored,
                            const char *name, uint32_t number)
{
  uint32_t index;
  int rc = AP_OK;
  const struct case_found_slot *next;
  for (const struct case_found_slot *slot = restored->found; rc == AP_OK && slot; slot = next) {
    next = slot->hh.next;
    if (slot->found.entry.flags == 0 || strcmp(slot->found.step, name) != 0)
      continue;
    rc = index_of(record, &slot->found, &index);
    if (rc == AP_OK)
      rc = case_record_select(record, number, index);
  }
  return rc;
}

static int rebuild_insights(struct case_record *record, const struct case_restored *restored)
{
  struct ap_slice list;
  int rc = AP_OK;
  if (restored->end.len == 0 || !ap_json_get(ap_slice_of(&restored->end), "insights", &list))
    return AP_OK;
  struct ap_json_walk walk = ap_json_walk(list);
  while (rc == AP_OK && ap_json_next(&walk))
    rc = case_record_add_insight(record, walk.value);
  return rc;
}

int case_record_rebuild(struct case_record *record, const struct case_restored *restored)
{
  uint32_t number;
  int rc = AP_OK;
  record->restored = restored;
  record->is_report = true;
  for (const struct case_known_step *known = restored->steps->next; rc == AP_OK && known;
       known = known->next) {
    rc = add_known_step(record, known, &number);
    if (rc == AP_OK)
      rc = rebuild_findings(record, restored, known->name, number);
    if (rc == AP_OK)
      rc = end_known_step(record, known, number);
  }
  if (rc == AP_OK)
    rc = rebuild_insights(record, restored);
  if (rc == AP_OK)
    ap_buf_add(&record->warnings, restored->steps->warnings.ptr, restored->steps->warnings.len);
  return rc == AP_OK ? ap_buf_error(&record->warnings) : rc;
}
