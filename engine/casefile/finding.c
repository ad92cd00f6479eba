// SPDX-License-Identifier: Apache-2.0
#include "casefile/finding.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "casefile/json_list.h"

enum { FIRST_FIELDS = 16 };

/* One allocation: the name's bytes, then the value's. */
struct case_field {
  char *bytes;
  size_t name_len;
  size_t json_len;
};

void case_finding_init(struct case_finding *finding)
{
  *finding = (struct case_finding){
      .outcome = CASE_OUTCOME_FAILED,
      .detections = -1,
      .total = -1,
      .threshold = -1,
      .age_s = -1,
  };
  ap_buf_init(&finding->reason, CASE_FINDING_MAX_BYTES);
  ap_buf_init(&finding->link, CASE_FINDING_MAX_BYTES);
  ap_buf_init(&finding->insights, CASE_FINDING_MAX_BYTES);
  ap_buf_init(&finding->tables, CASE_FINDING_MAX_TABLES);
}

void case_finding_deinit(struct case_finding *finding)
{
  for (size_t i = 0; i < finding->field_count; i++)
    free(finding->fields[i].bytes);
  free(finding->fields);
  ap_buf_deinit(&finding->reason);
  ap_buf_deinit(&finding->link);
  ap_buf_deinit(&finding->insights);
  ap_buf_deinit(&finding->tables);
  case_finding_init(finding);
}

/* ---- enrichment ---- */

static int grow_fields(struct case_finding *finding)
{
  size_t cap = finding->field_cap ? finding->field_cap * 2 : FIRST_FIELDS;
  struct case_field *grown = calloc(cap, sizeof(*grown));
  if (!grown)
    return AP_E_NO_MEMORY;
  if (finding->field_count)
    memcpy(grown, finding->fields, finding->field_count * sizeof(*grown));
  free(finding->fields);
  finding->fields = grown;
  finding->field_cap = cap;
  return AP_OK;
}

static size_t find_field(const struct case_finding *finding, const char *name, size_t name_len)
{
  size_t i = 0;
  while (i < finding->field_count &&
         (finding->fields[i].name_len != name_len ||
          (name_len && memcmp(finding->fields[i].bytes, name, name_len) != 0)))
    i++;
  return i;
}

static size_t bytes_without(const struct case_finding *finding, size_t skipped)
{
  size_t bytes = 0;
  for (size_t i = 0; i < finding->field_count; i++)
    if (i != skipped)
      bytes += finding->fields[i].name_len + finding->fields[i].json_len;
  return bytes;
}

int case_finding_enrich(struct case_finding *finding, const char *name, size_t name_len,
                        struct ap_slice json)
{
  size_t at = find_field(finding, name, name_len);
  size_t others = bytes_without(finding, at);
  if (at == CASE_FINDING_MAX_FIELDS || name_len > CASE_FINDING_MAX_BYTES - others ||
      json.len > CASE_FINDING_MAX_BYTES - others - name_len)
    return AP_E_TOO_LARGE;
  if (at == finding->field_cap && grow_fields(finding) != AP_OK)
    return AP_E_NO_MEMORY;
  char *bytes = malloc(name_len + json.len + 1);
  if (!bytes)
    return AP_E_NO_MEMORY;
  memcpy(bytes, name, name_len);
  memcpy(bytes + name_len, json.ptr, json.len);
  if (at == finding->field_count)
    finding->field_count++;
  struct case_field *field = &finding->fields[at];
  free(field->bytes);
  field->bytes = bytes;
  field->name_len = name_len;
  field->json_len = json.len;
  return AP_OK;
}

size_t case_finding_bytes(const struct case_finding *finding)
{
  return bytes_without(finding, finding->field_count) +
         finding->field_cap * sizeof(*finding->fields) + finding->reason.len + finding->link.len +
         finding->insights.len + finding->tables.len;
}

void case_finding_write_fields(const struct case_finding *finding, struct ap_buf *out)
{
  ap_buf_add_char(out, '{');
  for (size_t i = 0; i < finding->field_count; i++) {
    const struct case_field *field = &finding->fields[i];
    if (i)
      ap_buf_add_char(out, ',');
    ap_json_write_string(out, field->bytes, field->name_len);
    ap_buf_add_char(out, ':');
    ap_buf_add(out, field->bytes + field->name_len, field->json_len);
  }
  ap_buf_add_char(out, '}');
}

/* ---- insights and tables ---- */

/* `before` is what stands before the text: ,"name": */
static void add_text(struct ap_buf *out, const char *before, struct ap_slice text)
{
  ap_buf_add_str(out, before);
  ap_json_write_string(out, text.ptr, text.len);
}

static void add_cstr(struct ap_buf *out, const char *before, const char *text)
{
  ap_buf_add_str(out, before);
  ap_json_write_cstr(out, text);
}

int case_finding_insight(struct case_finding *finding, const char *entity, const char *severity,
                         struct ap_slice title, struct ap_slice body, const char *triggered_by)
{
  if (strcmp(severity, "info") != 0 && strcmp(severity, "warn") != 0 &&
      strcmp(severity, "error") != 0)
    return AP_E_INVALID;
  struct ap_buf item = {.max = CASE_FINDING_MAX_BYTES};
  add_cstr(&item, "{\"entity\":", entity);
  add_cstr(&item, ",\"severity\":", severity);
  add_text(&item, ",\"title\":", title);
  add_text(&item, ",\"body\":", body);
  add_cstr(&item, ",\"triggered_by\":", triggered_by);
  ap_buf_add_char(&item, '}');
  return case_json_list_add(&finding->insights, &item);
}

int case_finding_table(struct case_finding *finding, const char *entity, struct ap_slice title,
                       struct ap_slice columns, struct ap_slice rows)
{
  enum { NAMES_BYTES = 64 };
  if (ap_json_kind(columns) != AP_JSON_ARRAY || ap_json_kind(rows) != AP_JSON_ARRAY)
    return AP_E_INVALID;
  struct ap_buf item = {.max = CASE_FINDING_MAX_TABLES};
  (void)ap_buf_room(&item, title.len + columns.len + rows.len + strlen(entity) + NAMES_BYTES);
  add_text(&item, "{\"title\":", title);
  ap_buf_add_str(&item, ",\"columns\":");
  ap_buf_add(&item, columns.ptr, columns.len);
  ap_buf_add_str(&item, ",\"rows\":");
  ap_buf_add(&item, rows.ptr, rows.len);
  add_cstr(&item, ",\"entity\":", entity);
  ap_buf_add_char(&item, '}');
  return case_json_list_add(&finding->tables, &item);
}
