// SPDX-License-Identifier: Apache-2.0
#include "casefile/reader.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "casefile/notes.h"
#include "casefile/parts.h"

static bool same_name(struct ap_slice name, const char *known)
{
  for (size_t i = 0; i < name.len; i++) {
    char c = name.ptr[i];
    if (c == '_' || c == '-' || c == ' ')
      continue;
    c = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    if (*known == '\0' || c != *known)
      return false;
    known++;
  }
  return *known == '\0';
}

enum case_field_name case_field_parse(struct ap_slice name)
{
  static const struct {
    const char *name;
    enum case_field_name field;
  } names[] = {
      {"identifier", CASE_FIELD_IDENTIFIER},
      {"indicator", CASE_FIELD_IDENTIFIER},
      {"value", CASE_FIELD_IDENTIFIER},
      {"ioc", CASE_FIELD_IDENTIFIER},
      {"originalidentifier", CASE_FIELD_ORIGINAL},
      {"type", CASE_FIELD_TYPE},
      {"entitytype", CASE_FIELD_TYPE},
      {"internal", CASE_FIELD_INTERNAL},
      {"isinternal", CASE_FIELD_INTERNAL},
      {"suspicious", CASE_FIELD_SUSPICIOUS},
      {"issuspicious", CASE_FIELD_SUSPICIOUS},
      {"tlp", CASE_FIELD_TLP},
      {"properties", CASE_FIELD_PROPERTIES},
      {"additionalproperties", CASE_FIELD_PROPERTIES},
  };
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (same_name(name, names[i].name))
      return names[i].field;
  return CASE_FIELD_OTHER;
}

void case_draft_clear(struct case_draft *draft)
{
  for (size_t i = 0; i < CASE_FIELD_PROPERTIES; i++)
    ap_buf_clear(&draft->text[i]);
  ap_buf_clear(&draft->properties);
  ap_buf_clear(&draft->raw);
}

void case_draft_deinit(struct case_draft *draft)
{
  for (size_t i = 0; i < CASE_FIELD_PROPERTIES; i++)
    ap_buf_deinit(&draft->text[i]);
  ap_buf_deinit(&draft->properties);
  ap_buf_deinit(&draft->raw);
}

void case_reader_blame(const struct case_reader *reader, size_t line, struct ap_error *err)
{
  if (line)
    (void)ap_fail_context(err, "%s:%zu", reader->source, line);
  else
    (void)ap_fail_context(err, "%s", reader->source);
}

static int add(struct case_reader *reader, struct case_entity_input *input, size_t line,
               struct ap_error *err)
{
  uint32_t index;
  input->source = reader->source;
  input->line = line;
  int code = casefile_add(reader->cf, input, &index, err);
  if (code)
    case_reader_blame(reader, line, err);
  return code;
}

void case_draft_property(struct case_draft *draft)
{
  ap_buf_add_char(&draft->properties, draft->properties.len ? ',' : '{');
}

int case_reader_add_problem(struct case_reader *reader, struct ap_slice text, const char *problem,
                            size_t line, struct ap_error *err)
{
  struct case_entity_input input = {.identifier = text, .problem = problem};
  return add(reader, &input, line, err);
}

/* Reads a yes or no; false, with a note, when it is neither. */
static bool read_flag(struct case_reader *reader, const char *name, const struct ap_buf *text,
                      size_t line, bool *flag)
{
  static const char *const words[] = {"true", "yes", "1", "false", "no", "0"};
  if (text->len == 0)
    return false;
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    if (strcasecmp(text->ptr, words[i]) == 0) {
      *flag = i < 3;
      return true;
    }
  casefile_add_note(reader->cf, reader->source, line, "dropped %s: \"%.40s\" is neither yes nor no",
                    name, text->ptr);
  return false;
}

static int check_draft(const struct case_draft *draft, struct ap_error *err)
{
  int code = ap_buf_error(&draft->properties) ? ap_buf_error(&draft->properties)
                                              : ap_buf_error(&draft->raw);
  for (size_t i = 0; i < CASE_FIELD_PROPERTIES && !code; i++)
    code = ap_buf_error(&draft->text[i]);
  return code ? ap_fail(err, code, "%s", ap_error_text(code)) : AP_OK;
}

/* The texts of a draft as an input; problem (room for a sentence) is used where they make none. */
static struct case_entity_input read_texts(struct case_reader *reader,
                                           const struct case_draft *draft, size_t line,
                                           char *problem, size_t problem_size)
{
  const struct ap_buf *text = draft->text;
  struct case_entity_input input = {
      .identifier = ap_slice_of(&text[CASE_FIELD_IDENTIFIER]),
      .original = ap_slice_of(&text[CASE_FIELD_ORIGINAL]),
      .tlp = ap_slice_of(&text[CASE_FIELD_TLP]),
  };
  const char *type = ap_buf_cstr(&text[CASE_FIELD_TYPE]);
  if (*type) {
    input.has_type = case_type_parse(type, &input.type);
    (void)snprintf(problem, problem_size, "its type \"%.60s\" is unknown", type);
    input.problem = input.has_type ? NULL : problem;
  }
  if (input.identifier.len == 0) {
    input.identifier = ap_slice_of(&draft->raw);
    input.problem = "it has no identifier";
  }
  input.has_internal =
      read_flag(reader, "internal", &text[CASE_FIELD_INTERNAL], line, &input.internal);
  (void)read_flag(reader, "suspicious", &text[CASE_FIELD_SUSPICIOUS], line, &input.suspicious);
  return input;
}

int case_draft_add(struct case_reader *reader, struct case_draft *draft, size_t line,
                   struct ap_error *err)
{
  if (draft->properties.len)
    ap_buf_add_char(&draft->properties, '}');
  int code = check_draft(draft, err);
  if (code)
    return code;
  char problem[100];
  struct case_entity_input input = read_texts(reader, draft, line, problem, sizeof(problem));
  input.properties = ap_slice_of(&draft->properties);
  return add(reader, &input, line, err);
}
