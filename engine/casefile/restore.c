/* Frames are read in order, and the last of a kind about the same thing counts. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "casefile/json_list.h"
#include "casefile/restore_private.h"

/* ---- finding things ---- */

static void add_key(struct ap_buf *key, const char *step, size_t step_len, enum case_type type,
                    const char *identifier, size_t identifier_len)
{
  ap_buf_clear(key);
  ap_buf_add(key, step, step_len);
  ap_buf_add_char(key, '\0');
  ap_buf_add_char(key, (char)type);
  ap_buf_add(key, identifier, identifier_len);
}

static struct case_found_slot *find_slot(const struct case_restored *restored,
                                         const struct ap_buf *key)
{
  struct case_found_slot *slot = NULL;
  HASH_FIND(hh, restored->found, key->ptr, key->len, slot);
  return slot;
}

const struct case_found *case_restored_find(const struct case_restored *restored, const char *step,
                                            enum case_type type, const char *identifier)
{
  struct ap_buf key = {0};
  add_key(&key, step, strlen(step), type, identifier, strlen(identifier));
  const struct case_found_slot *slot = ap_buf_error(&key) ? NULL : find_slot(restored, &key);
  ap_buf_deinit(&key);
  return slot ? &slot->found : NULL;
}

static struct case_known_step *find_step(const struct case_restored *restored, const char *name,
                                         size_t len)
{
  for (struct case_known_step *step = restored->steps->next; step; step = step->next)
    if (strlen(step->name) == len && memcmp(step->name, name, len) == 0)
      return step;
  return NULL;
}

const struct case_cost *case_restored_cost(const struct case_restored *restored, const char *step)
{
  const struct case_known_step *known = find_step(restored, step, strlen(step));
  return known ? &known->cost : NULL;
}

const struct ap_buf *case_restored_warnings(const struct case_restored *restored, const char *step)
{
  const struct case_known_step *known =
      step ? find_step(restored, step, strlen(step)) : restored->steps;
  return known ? &known->warnings : NULL;
}

struct ap_slice case_restored_end(const struct case_restored *restored)
{
  return ap_slice_of(&restored->end);
}

struct casefile *case_restored_take_case(struct case_restored *restored)
{
  struct casefile *cf = restored->cf;
  restored->cf = NULL;
  return cf;
}

/* ---- reading frames ---- */

void case_read_text(struct ap_slice value, struct ap_buf *out)
{
  if (value.ptr && ap_json_kind(value) == AP_JSON_STRING)
    ap_json_read_string(value, out);
}

bool case_is_true(struct ap_slice value)
{
  return value.ptr && ap_slice_is(value, "true");
}

/* A checksum keeps accidents away, not somebody who can write the file: what is walked is JSON. */
static int check_json(struct ap_slice data)
{
  enum { DEPTH_MAX = AP_JSON_MAX_DEPTH + 8 /* what was checked before stands inside */ };
  return ap_json_check(data, DEPTH_MAX, SIZE_MAX, NULL) == AP_OK ? AP_OK : AP_E_INVALID;
}

static int keep_json(struct ap_buf *kept, struct ap_slice data)
{
  int rc = check_json(data);
  if (rc != AP_OK)
    return rc;
  ap_buf_clear(kept);
  ap_buf_add(kept, data.ptr, data.len);
  return ap_buf_error(kept);
}

enum {
  IDENTIFIER,
  TYPE,
  ORIGINAL,
  INTERNAL,
  SUSPICIOUS,
  PROPERTIES,
  TLP,
  MALFORMED,
  ALIASES,
  MEMBERS
};
static const char *const members[MEMBERS] = {"identifier", "type",       "original",
                                             "internal",   "suspicious", "properties",
                                             "tlp",        "malformed",  "aliases"};

/* Other spellings merge with the entity that is there. */
static int add_aliases(struct case_restored *restored, struct case_entity_input input,
                       struct ap_slice list, struct ap_error *err)
{
  struct ap_buf alias = {0};
  struct ap_json_walk walk = ap_json_walk(list);
  int rc = AP_OK;
  uint32_t index;
  while (rc == AP_OK && ap_json_next(&walk)) {
    ap_buf_clear(&alias);
    case_read_text(walk.value, &alias);
    input.identifier = ap_slice_of(&alias);
    rc = ap_buf_error(&alias);
    if (rc == AP_OK)
      rc = casefile_add(restored->cf, &input, &index, err);
  }
  ap_buf_deinit(&alias);
  return rc;
}

static int take_entity(struct case_restored *restored, struct ap_slice data, struct ap_error *err)
{
  struct ap_slice values[MEMBERS];
  struct ap_buf texts[MEMBERS] = {0};
  uint32_t index;
  int rc = check_json(data);
  if (rc != AP_OK)
    return rc;
  ap_json_get_many(data, members, MEMBERS, values);
  for (int i = 0; i < MEMBERS; i++) {
    case_read_text(values[i], &texts[i]);
    rc = rc == AP_OK ? ap_buf_error(&texts[i]) : rc;
  }
  struct case_entity_input input = {
      .identifier = ap_slice_of(&texts[IDENTIFIER]),
      .original = ap_slice_of(&texts[ORIGINAL]),
      .has_internal = true,
      .internal = case_is_true(values[INTERNAL]),
      .suspicious = case_is_true(values[SUSPICIOUS]),
      .properties = values[PROPERTIES].ptr ? values[PROPERTIES] : (struct ap_slice){0},
      .tlp = ap_slice_of(&texts[TLP]),
      .problem = texts[MALFORMED].len ? texts[MALFORMED].ptr : NULL,
  };
  input.has_type = case_type_parse(ap_buf_cstr(&texts[TYPE]), &input.type);
  if (rc == AP_OK)
    rc = casefile_add(restored->cf, &input, &index, err);
  if (rc == AP_OK && values[ALIASES].ptr)
    rc = add_aliases(restored, input, values[ALIASES], err);
  for (int i = 0; i < MEMBERS; i++)
    ap_buf_deinit(&texts[i]);
  return rc;
}

static int new_step(struct case_restored *restored, char *name, struct case_known_step **out)
{
  struct case_known_step **end = &restored->steps;
  struct case_known_step *step = calloc(1, sizeof(*step));
  if (!step) {
    free(name);
    return AP_E_NO_MEMORY;
  }
  step->name = name;
  while (*end)
    end = &(*end)->next;
  *end = step;
  *out = step;
  return AP_OK;
}

static int obtain_step(struct case_restored *restored, const char *name, size_t len,
                       struct case_known_step **out)
{
  *out = find_step(restored, name, len);
  if (*out)
    return AP_OK;
  char *copy = ap_memdup(name, len);
  return copy ? new_step(restored, copy, out) : AP_E_NO_MEMORY;
}

/* The step that a JSON object names in a member. */
static int step_of(struct case_restored *restored, struct ap_slice data, const char *member,
                   struct case_known_step **out)
{
  struct ap_slice value = {0};
  struct ap_buf name = {0};
  int rc = check_json(data);
  if (rc != AP_OK)
    return rc;
  if (ap_json_get(data, member, &value))
    case_read_text(value, &name);
  rc = ap_buf_error(&name);
  *out = restored->steps;
  if (rc == AP_OK && name.len)
    rc = obtain_step(restored, name.ptr, name.len, out);
  ap_buf_deinit(&name);
  return rc;
}

static int take_step(struct case_restored *restored, struct ap_slice data)
{
  struct case_known_step *step;
  int rc = step_of(restored, data, "name", &step);
  return rc == AP_OK ? keep_json(&step->info, data) : rc;
}

static int take_step_end(struct case_restored *restored, struct ap_slice data)
{
  struct case_known_step *step;
  int rc = step_of(restored, data, "name", &step);
  return rc == AP_OK ? keep_json(&step->end, data) : rc;
}

static int take_warning(struct case_restored *restored, struct ap_slice data)
{
  struct case_known_step *step;
  struct ap_slice text;
  struct ap_buf item = {0};
  int rc = step_of(restored, data, "step", &step);
  if (rc != AP_OK || !ap_json_get(data, "text", &text))
    return rc;
  ap_buf_add(&item, text.ptr, text.len);
  return case_json_list_add(&step->warnings, &item);
}

static int obtain_slot(struct case_restored *restored, const struct ap_buf *key, size_t step_len,
                       struct case_found_slot **out)
{
  struct case_found_slot *slot = find_slot(restored, key);
  *out = slot;
  if (slot)
    return AP_OK;
  slot = calloc(1, sizeof(*slot) + key->len + 1);
  if (!slot)
    return AP_E_NO_MEMORY;
  memcpy(slot->key, key->ptr, key->len);
  HASH_ADD(hh, restored->found, key, key->len, slot);
  slot->found.step = slot->key;
  slot->found.type = (enum case_type)slot->key[step_len + 1];
  slot->found.identifier = slot->key + step_len + 2;
  *out = slot;
  return AP_OK;
}

static void take_pieces(struct case_found *found, const struct case_frame_finding *head,
                        uint64_t offset)
{
  found->frame_flags = head->flags;
  found->entry = (struct case_entry){
      .offset = offset,
      .object_len = head->object_len,
      .insights_len = head->insights_len,
      .tables_len = head->tables_len,
      .answer_len = head->answer_len,
      .detections = head->detections,
      .outcome = head->outcome,
      .flags = (uint8_t)(CASE_ENTRY_IN_STEP | CASE_ENTRY_DONE |
                         (head->flags & CASE_FRAME_RISKY ? CASE_ENTRY_RISKY : 0) |
                         (head->flags & CASE_FRAME_NO_ENGINES ? CASE_ENTRY_NO_ENGINES : 0)),
  };
}

static bool is_whole(const struct case_frame_finding *head, size_t len)
{
  uint64_t sum = sizeof(*head) + (uint64_t)head->step_len + head->identifier_len +
                 head->object_len + head->insights_len + head->tables_len + head->answer_len;
  return sum == len && head->type <= CASE_TYPE_COUNT && head->outcome < CASE_OUTCOME_COUNT;
}

/* Several values joined by commas, or none. */
static int check_joined(struct ap_slice values)
{
  struct ap_buf list = {0};
  if (values.len == 0)
    return AP_OK;
  ap_buf_add_char(&list, '[');
  ap_buf_add(&list, values.ptr, values.len);
  ap_buf_add_char(&list, ']');
  int rc = ap_buf_error(&list);
  if (rc == AP_OK)
    rc = check_json(ap_slice_of(&list));
  ap_buf_deinit(&list);
  return rc;
}

/* They are copied into documents as they are, and walked there. */
static int check_pieces(const struct case_frame_finding *head, const char *at)
{
  const struct ap_slice object = {at, head->object_len};
  const struct ap_slice insights = {object.ptr + object.len, head->insights_len};
  const struct ap_slice tables = {insights.ptr + insights.len, head->tables_len};
  const struct ap_slice answer = {tables.ptr + tables.len, head->answer_len};
  bool is_object = object.len >= 2 && at[0] == '{' && at[object.len - 1] == '}';
  int rc = is_object ? check_json(object) : AP_E_INVALID;
  if (rc == AP_OK)
    rc = check_joined(insights);
  if (rc == AP_OK)
    rc = check_joined(tables);
  return rc == AP_OK && answer.len ? check_json(answer) : rc;
}

static int take_finding(struct case_restored *restored, const struct case_frame *frame)
{
  struct case_frame_finding head;
  struct ap_buf key = {0};
  struct case_found_slot *slot;
  struct case_known_step *step;
  if (frame->data.len < sizeof(head))
    return AP_E_INVALID;
  memcpy(&head, frame->data.ptr, sizeof(head));
  if (!is_whole(&head, frame->data.len))
    return AP_E_INVALID;
  const char *names = frame->data.ptr + sizeof(head);
  int rc = check_pieces(&head, names + head.step_len + head.identifier_len);
  if (rc != AP_OK)
    return rc;
  add_key(&key, names, head.step_len, (enum case_type)head.type, names + head.step_len,
          head.identifier_len);
  rc = ap_buf_error(&key);
  if (rc == AP_OK)
    rc = obtain_slot(restored, &key, head.step_len, &slot);
  if (rc == AP_OK)
    rc = obtain_step(restored, names, head.step_len, &step);
  ap_buf_deinit(&key);
  if (rc != AP_OK)
    return rc;
  take_pieces(&slot->found, &head,
              frame->offset + sizeof(head) + head.step_len + head.identifier_len);
  step->cost = head.cost;
  return AP_OK;
}

static int take_frame(struct case_restored *restored, const struct case_frame *frame,
                      struct ap_error *err)
{
  switch (frame->kind) {
  case CASE_FRAME_REQUEST:
    return keep_json(&restored->request, frame->data);
  case CASE_FRAME_ENTITY:
    return take_entity(restored, frame->data, err);
  case CASE_FRAME_STEP:
    ap_buf_clear(&restored->end); /* it went on */
    return take_step(restored, frame->data);
  case CASE_FRAME_FINDING:
    return take_finding(restored, frame);
  case CASE_FRAME_WARNING:
    return take_warning(restored, frame->data);
  case CASE_FRAME_STEP_END:
    return take_step_end(restored, frame->data);
  case CASE_FRAME_END:
    return keep_json(&restored->end, frame->data);
  }
  return AP_OK; /* of a later version */
}

static int take_all(struct case_restored *restored, struct case_frames *frames,
                    struct ap_error *err)
{
  struct case_frame frame;
  int rc;
  while ((rc = case_frames_next(frames, &frame)) == AP_OK) {
    rc = take_frame(restored, &frame, err);
    if (rc != AP_OK)
      return rc;
  }
  if (rc != AP_E_NOT_FOUND)
    return rc;
  return restored->request.len ? AP_OK : AP_E_INVALID;
}

int case_restore_request(struct store_spool *spool, struct ap_buf *out)
{
  struct case_frames frames = {.spool = spool};
  struct case_frame frame;
  int rc = case_frames_next(&frames, &frame);
  if (rc == AP_OK && frame.kind == CASE_FRAME_REQUEST)
    rc = keep_json(out, frame.data);
  else if (rc == AP_OK || rc == AP_E_NOT_FOUND)
    rc = AP_E_INVALID;
  case_frames_end(&frames);
  return rc;
}

int case_restore_end(struct store_spool *spool, struct ap_buf *end, uint64_t *findings)
{
  struct case_frames frames = {.spool = spool};
  struct case_frame frame;
  int rc;
  *findings = 0;
  while ((rc = case_frames_next(&frames, &frame)) == AP_OK) {
    *findings += frame.kind == CASE_FRAME_FINDING;
    if (frame.kind == CASE_FRAME_END)
      rc = keep_json(end, frame.data);
    else if (frame.kind == CASE_FRAME_STEP) /* it goes on */
      ap_buf_clear(end);
    if (rc != AP_OK)
      break;
  }
  case_frames_end(&frames);
  return rc == AP_E_NOT_FOUND ? AP_OK : rc;
}

int case_restore(struct store_spool *spool, bool is_to_grow, uint32_t limit,
                 struct case_restored **out, struct ap_error *err)
{
  struct case_frames frames = {.spool = spool};
  struct case_known_step *run;
  struct case_restored *restored = calloc(1, sizeof(*restored));
  if (!restored)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  err->code = AP_OK;
  int rc = new_step(restored, NULL, &run);
  if (rc == AP_OK)
    rc = casefile_new(limit, &restored->cf);
  if (rc == AP_OK)
    rc = take_all(restored, &frames, err);
  if (rc == AP_OK && is_to_grow)
    rc = store_spool_cut(spool, frames.at);
  case_frames_end(&frames);
  if (rc == AP_OK) {
    *out = restored;
    return AP_OK;
  }
  case_restored_free(restored);
  if (err->code == AP_OK)
    return ap_fail(err, rc, "%s",
                   rc == AP_E_INVALID ? "it is no record of a run" : ap_error_text(rc));
  return rc;
}

void case_restored_free(struct case_restored *restored)
{
  if (!restored)
    return;
  struct case_found_slot *slot = restored->found;
  HASH_CLEAR(hh, restored->found);
  while (slot) {
    struct case_found_slot *next = slot->hh.next;
    free(slot);
    slot = next;
  }
  while (restored->steps) {
    struct case_known_step *step = restored->steps;
    restored->steps = step->next;
    ap_buf_deinit(&step->info);
    ap_buf_deinit(&step->end);
    ap_buf_deinit(&step->warnings);
    free(step->name);
    free(step);
  }
  ap_buf_deinit(&restored->request);
  ap_buf_deinit(&restored->end);
  casefile_free(restored->cf);
  free(restored);
}

int case_restored_blame(struct case_restored *restored, const char *step, enum case_type type,
                        const char *identifier)
{
  struct ap_buf key = {0};
  struct case_found_slot *slot;
  add_key(&key, step, strlen(step), type, identifier, strlen(identifier));
  int rc = ap_buf_error(&key);
  if (rc == AP_OK)
    rc = obtain_slot(restored, &key, strlen(step), &slot);
  if (rc == AP_OK)
    slot->found.is_blamed = true;
  ap_buf_deinit(&key);
  return rc;
}
