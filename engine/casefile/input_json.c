/* Entities in JSON: an array, an object a line, or a case of the SecOps platform. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "casefile/notes.h"
#include "casefile/reader.h"

enum { MAX_VALUES = 64 * 1024 * 1024 };

/* ---- one entity ---- */

/* Of several members that mean one field the first that is not empty counts. */
static void take_text(struct ap_slice value, struct ap_buf *out)
{
  if (out->len)
    return;
  switch (ap_json_kind(value)) {
  case AP_JSON_STRING:
    ap_json_read_string(value, out);
    return;
  case AP_JSON_BOOL:
  case AP_JSON_NUMBER:
    ap_buf_add(out, value.ptr, value.len);
    return;
  case AP_JSON_NULL:
  case AP_JSON_ARRAY:
  case AP_JSON_OBJECT:
    return;
  }
}

static void add_property(struct case_draft *draft, struct ap_slice key, struct ap_slice value)
{
  case_draft_property(draft);
  ap_buf_add(&draft->properties, key.ptr, key.len);
  ap_buf_add_char(&draft->properties, ':');
  ap_json_compact(value, &draft->properties);
}

/* Where the platform has upper-cased an identifier, the property OriginalIdentifier has it as it
 * was. */
static void take_properties(struct case_draft *draft, struct ap_slice object)
{
  struct ap_slice original;
  if (ap_json_get(object, "OriginalIdentifier", &original))
    take_text(original, &draft->text[CASE_FIELD_ORIGINAL]);
  struct ap_json_walk walk = ap_json_walk(object);
  while (ap_json_next(&walk))
    add_property(draft, walk.key, walk.value);
}

static void take_member(struct case_draft *draft, struct ap_slice key, struct ap_slice value)
{
  enum case_field_name field = case_field_parse((struct ap_slice){key.ptr + 1, key.len - 2});
  if (field < CASE_FIELD_PROPERTIES)
    take_text(value, &draft->text[field]);
  else if (field == CASE_FIELD_PROPERTIES && ap_json_kind(value) == AP_JSON_OBJECT)
    take_properties(draft, value);
  else
    add_property(draft, key, value);
}

static int add_value(struct case_reader *reader, struct case_draft *draft, struct ap_slice value,
                     size_t line, struct ap_error *err)
{
  case_draft_clear(draft);
  enum ap_json_kind kind = ap_json_kind(value);
  if (kind != AP_JSON_STRING && kind != AP_JSON_OBJECT)
    return case_reader_add_problem(reader, value, "neither a text nor an object", line, err);
  if (kind == AP_JSON_STRING)
    ap_json_read_string(value, &draft->text[CASE_FIELD_IDENTIFIER]);
  struct ap_json_walk walk = ap_json_walk(value); /* nothing in a string */
  while (ap_json_next(&walk))
    take_member(draft, walk.key, walk.value);
  if (draft->text[CASE_FIELD_IDENTIFIER].len == 0)
    ap_json_compact(value, &draft->raw);
  return case_draft_add(reader, draft, line, err);
}

/* ---- a whole text ---- */

static size_t count_lines(const char *from, const char *to)
{
  size_t count = 0;
  while (from < to && (from = memchr(from, '\n', (size_t)(to - from)))) {
    from++;
    count++;
  }
  return count;
}

static int add_items(struct case_reader *reader, struct ap_slice array, size_t line,
                     struct ap_error *err)
{
  int code = AP_OK;
  struct case_draft draft = {0};
  const char *counted = array.ptr;
  struct ap_json_walk walk = ap_json_walk(array);
  while (code == AP_OK && ap_json_next(&walk)) {
    line += count_lines(counted, walk.value.ptr);
    counted = walk.value.ptr;
    code = add_value(reader, &draft, walk.value, line, err);
  }
  case_draft_deinit(&draft);
  return code;
}

static int add_one(struct case_reader *reader, struct ap_slice object, size_t line,
                   struct ap_error *err)
{
  struct case_draft draft = {0};
  int code = add_value(reader, &draft, object, line, err);
  case_draft_deinit(&draft);
  return code;
}

/* ap_json_check ends its sentence with the byte where it stopped. */
static size_t line_of_error(struct ap_slice text, size_t first_line, const struct ap_error *why)
{
  const char *number = strrchr(why->text, ' ');
  size_t offset = number && why->code == AP_E_BAD_ANSWER ? strtoull(number, NULL, 10) : 0;
  if (offset > text.len)
    offset = text.len;
  return first_line + count_lines(text.ptr, text.ptr + offset);
}

static int fail_invalid(const struct case_reader *reader, size_t line, struct ap_error *err,
                        const char *text)
{
  (void)ap_fail(err, AP_E_INVALID, "%s", text);
  case_reader_blame(reader, line, err);
  return AP_E_INVALID;
}

int case_read_json(struct case_reader *reader, struct ap_error *err)
{
  size_t line = reader->lines.number;
  struct ap_slice text;
  int code = case_lines_rest(&reader->lines, CASE_INPUT_MAX_BYTES, &text, err);
  if (code) {
    case_reader_blame(reader, 0, err);
    return code;
  }
  struct ap_error why = {0};
  if (ap_json_check(text, AP_JSON_MAX_DEPTH, MAX_VALUES, &why))
    return fail_invalid(reader, line_of_error(text, line, &why), err, why.text);
  struct ap_slice list = text;
  if (ap_json_kind(text) == AP_JSON_OBJECT && !ap_json_get(text, "entities", &list))
    return add_one(reader, text, line, err);
  if (ap_json_kind(list) != AP_JSON_ARRAY)
    return fail_invalid(reader, line, err, "the entities of the case are no list");
  return add_items(reader, list, line + count_lines(text.ptr, list.ptr), err);
}

/* ---- an object a line ---- */

bool case_is_ndjson(struct case_line first)
{
  struct ap_slice entities;
  return !first.is_cut &&
         ap_json_check(first.text, AP_JSON_MAX_DEPTH, CASE_LINE_MAX_BYTES, NULL) == AP_OK &&
         ap_json_kind(first.text) == AP_JSON_OBJECT &&
         !ap_json_get(first.text, "entities", &entities);
}

static int add_line(struct case_reader *reader, struct case_draft *draft, struct case_line line,
                    struct ap_error *err)
{
  size_t number = reader->lines.number;
  struct ap_slice text = ap_json_trim(line.text);
  struct ap_error why;
  if (text.len == 0)
    return AP_OK;
  if (line.is_cut)
    return case_reader_add_problem(reader, text, "the line is longer than 1 MiB", number, err);
  if (ap_json_check(text, AP_JSON_MAX_DEPTH, CASE_LINE_MAX_BYTES, &why))
    return case_reader_add_problem(reader, text, why.text, number, err);
  return add_value(reader, draft, text, number, err);
}

int case_read_ndjson(struct case_reader *reader, struct case_line first, struct ap_error *err)
{
  struct case_draft draft = {0};
  bool has = true;
  int code = add_line(reader, &draft, first, err);
  while (code == AP_OK) {
    struct case_line line;
    code = case_lines_next(&reader->lines, &line, &has, err);
    if (code)
      case_reader_blame(reader, reader->lines.number, err);
    if (code || !has)
      break;
    code = add_line(reader, &draft, line, err);
  }
  case_draft_deinit(&draft);
  return code;
}
