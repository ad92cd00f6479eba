/* What the readers of the input formats share: the names of fields, and the way into the case.
 * Inside the room only. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/casefile.h"
#include "casefile/lines.h"

/* Formats of entities files that are read whole may be this large. */
#define CASE_INPUT_MAX_BYTES ((size_t)256 * 1024 * 1024)

struct case_reader {
  struct casefile *cf;
  const char *source;
  struct case_lines lines;
};

enum case_field_name {
  CASE_FIELD_IDENTIFIER,
  CASE_FIELD_ORIGINAL,
  CASE_FIELD_TYPE,
  CASE_FIELD_INTERNAL,
  CASE_FIELD_SUSPICIOUS,
  CASE_FIELD_TLP,
  CASE_FIELD_PROPERTIES,
  CASE_FIELD_OTHER,
};

/* Which field a JSON member or CSV column is. Letters' case, blanks, - and _ do not count. */
enum case_field_name case_field_parse(struct ap_slice name);

/* An entity while its fields come in, all as plain text. */
struct case_draft {
  struct ap_buf text[CASE_FIELD_PROPERTIES];
  struct ap_buf properties; /* a JSON object that is not closed yet; empty: none */
  struct ap_buf raw;        /* what to show when there is no identifier */
};

void case_draft_clear(struct case_draft *draft);
void case_draft_deinit(struct case_draft *draft);
void case_draft_property(struct case_draft *draft); /* a comma or brace: the caller adds a member */

/* Adds what the draft holds to the case, or a malformed entity with why it cannot be. */
int case_draft_add(struct case_reader *reader, struct case_draft *draft, size_t line,
                   struct ap_error *err) AP_MUST_USE;

/* Adds a text that is no indicator. `problem` is borrowed for the call. */
int case_reader_add_problem(struct case_reader *reader, struct ap_slice text, const char *problem,
                            size_t line, struct ap_error *err) AP_MUST_USE;

/* Puts "source:line: " (without line for 0) before err's text. */
void case_reader_blame(const struct case_reader *reader, size_t line, struct ap_error *err);

/* input_json.c: everything from the last line on, as one JSON value; or that line as one of many.
 */
int case_read_json(struct case_reader *reader, struct ap_error *err) AP_MUST_USE;
int case_read_ndjson(struct case_reader *reader, struct case_line first,
                     struct ap_error *err) AP_MUST_USE;
bool case_is_ndjson(struct case_line first);

/* input_csv.c */
int case_read_csv(struct case_reader *reader, struct case_line header,
                  struct ap_error *err) AP_MUST_USE;
bool case_is_csv(struct case_line first);
