/* Entities in CSV (RFC 4180) with a header; semicolons and tabs part columns, too, as spreadsheets
 * write them. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/json.h"
#include "casefile/parts.h"
#include "casefile/reader.h"

enum { MAX_COLUMNS = 256 };

struct column {
  enum case_field_name field;
  struct ap_slice name;
};

struct csv {
  struct case_reader *reader;
  char separator;
  struct ap_buf header; /* the columns' names */
  struct column columns[MAX_COLUMNS];
  size_t column_count;
  struct ap_buf record; /* one record, which may go over several lines */
  struct ap_buf cell;
  struct case_draft draft;
};

/* ---- cells ---- */

/* Takes the next cell off a record, its quotes undone. False behind the last. */
static bool next_cell(struct ap_slice *rest, char separator, struct ap_buf *cell)
{
  ap_buf_clear(cell);
  if (!rest->ptr)
    return false;
  const char *at = rest->ptr;
  const char *end = at + rest->len;
  bool is_quoted = at < end && *at == '"';
  at += is_quoted;
  for (; at < end; at++) {
    if (is_quoted && *at == '"') {
      if (at + 1 == end || at[1] != '"') {
        is_quoted = false;
        continue;
      }
      at++;
    } else if (!is_quoted && *at == separator) {
      break;
    }
    ap_buf_add_char(cell, *at);
  }
  *rest = at < end ? case_slice(at + 1, (size_t)(end - at - 1)) : (struct ap_slice){0};
  return true;
}

/* Goes over a line of a record. True when it ends in quotes, so that the record goes on. A quote
 * inside an unquoted cell is a plain character. */
static bool is_left_open(struct ap_slice line, char separator, bool is_open)
{
  enum {
    CELL_START,
    CELL_PLAIN,
    CELL_QUOTED,
    CELL_QUOTE
  } state = is_open ? CELL_QUOTED : CELL_START;
  for (size_t i = 0; i < line.len; i++) {
    char c = line.ptr[i];
    if (state == CELL_QUOTED)
      state = c == '"' ? CELL_QUOTE : CELL_QUOTED;
    else if (c == '"' && state != CELL_PLAIN)
      state = CELL_QUOTED;
    else
      state = c == separator ? CELL_START : CELL_PLAIN;
  }
  return state == CELL_QUOTED;
}

static char separator_of(struct ap_slice header)
{
  static const char separators[] = {',', ';', '\t'};
  for (size_t i = 0; i < sizeof(separators); i++)
    if (header.len && memchr(header.ptr, separators[i], header.len))
      return separators[i];
  return ',';
}

bool case_is_csv(struct case_line first)
{
  bool has_identifier = false;
  struct ap_buf cell = {0};
  struct ap_slice rest = first.text;
  char separator = separator_of(first.text);
  while (!first.is_cut && !has_identifier && next_cell(&rest, separator, &cell))
    has_identifier = case_field_parse(ap_slice_of(&cell)) == CASE_FIELD_IDENTIFIER;
  ap_buf_deinit(&cell);
  return has_identifier;
}

/* ---- records ---- */

static int read_header(struct csv *csv, struct ap_slice text)
{
  struct ap_slice rest = text;
  size_t ends[MAX_COLUMNS] = {0};
  csv->separator = separator_of(text);
  while (csv->column_count < MAX_COLUMNS && next_cell(&rest, csv->separator, &csv->cell)) {
    csv->columns[csv->column_count].field = case_field_parse(ap_slice_of(&csv->cell));
    ap_buf_add(&csv->header, csv->cell.ptr, csv->cell.len);
    ends[csv->column_count++] = csv->header.len;
  }
  for (size_t i = 0, from = 0; i < csv->column_count; from = ends[i++])
    csv->columns[i].name = case_slice(csv->header.ptr + from, ends[i] - from);
  if (rest.ptr)
    return AP_E_TOO_LARGE;
  return ap_buf_error(&csv->header) ? ap_buf_error(&csv->header) : ap_buf_error(&csv->cell);
}

static void take_cell(struct csv *csv, const struct column *column)
{
  struct case_draft *draft = &csv->draft;
  if (csv->cell.len == 0)
    return;
  if (column->field < CASE_FIELD_PROPERTIES) {
    struct ap_buf *text = &draft->text[column->field];
    if (text->len == 0)
      ap_buf_add(text, csv->cell.ptr, csv->cell.len);
    return;
  }
  case_draft_property(draft);
  ap_json_write_string(&draft->properties, column->name.ptr, column->name.len);
  ap_buf_add_char(&draft->properties, ':');
  ap_json_write_string(&draft->properties, csv->cell.ptr, csv->cell.len);
}

static int add_record(struct csv *csv, size_t line, struct ap_error *err)
{
  struct ap_slice rest = ap_slice_of(&csv->record);
  case_draft_clear(&csv->draft);
  for (size_t i = 0; i < csv->column_count && next_cell(&rest, csv->separator, &csv->cell); i++)
    take_cell(csv, &csv->columns[i]);
  if (rest.len)
    return case_reader_add_problem(csv->reader, ap_slice_of(&csv->record),
                                   "it has more cells than the header", line, err);
  if (csv->draft.text[CASE_FIELD_IDENTIFIER].len == 0)
    ap_buf_add(&csv->draft.raw, csv->record.ptr, csv->record.len);
  return case_draft_add(csv->reader, &csv->draft, line, err);
}

static int fail_record(const struct csv *csv, size_t line, const char *text, struct ap_error *err)
{
  (void)ap_fail(err, AP_E_INVALID, "%s", text);
  case_reader_blame(csv->reader, line, err);
  return AP_E_INVALID;
}

/* Adds a line to the record, which began with it when is_open is false. */
static void add_to_record(struct csv *csv, struct ap_slice line, bool is_open)
{
  if (is_open)
    ap_buf_add_char(&csv->record, '\n');
  else
    ap_buf_clear(&csv->record);
  ap_buf_add(&csv->record, line.ptr, line.len);
}

static int read_records(struct csv *csv, struct ap_error *err)
{
  struct case_lines *lines = &csv->reader->lines;
  size_t begun = 0; /* the line where the record begins */
  bool is_open = false;
  for (;;) {
    struct case_line line;
    bool has;
    int code = case_lines_next(lines, &line, &has, err);
    if (code) {
      case_reader_blame(csv->reader, lines->number, err);
      return code;
    }
    if (!has)
      return is_open ? fail_record(csv, begun, "a quote is opened and not closed", err) : AP_OK;
    if (!is_open && line.text.len == 0)
      continue;
    begun = is_open ? begun : lines->number;
    add_to_record(csv, line.text, is_open);
    if (line.is_cut || csv->record.len > CASE_LINE_MAX_BYTES)
      return fail_record(csv, begun, "the record is longer than 1 MiB", err);
    is_open = is_left_open(line.text, csv->separator, is_open);
    code = is_open ? AP_OK : add_record(csv, begun, err);
    if (code)
      return code;
  }
}

int case_read_csv(struct case_reader *reader, struct case_line header, struct ap_error *err)
{
  struct csv csv = {.reader = reader};
  int code = read_header(&csv, header.text);
  if (code) {
    (void)ap_fail(err, code, "the header cannot be read: %s", ap_error_text(code));
    case_reader_blame(reader, reader->lines.number, err);
  } else {
    code = read_records(&csv, err);
  }
  ap_buf_deinit(&csv.header);
  ap_buf_deinit(&csv.record);
  ap_buf_deinit(&csv.cell);
  case_draft_deinit(&csv.draft);
  return code;
}
