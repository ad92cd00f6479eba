/* What one task found out about one entity, until the record takes it. Pieces of JSON are written
 * once, here, and only copied afterwards. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "casefile/types.h"

struct case_field;

struct case_finding {
  enum case_outcome outcome;
  bool risky;                /* met the threshold of its action */
  bool suspicious;           /* was marked in this step */
  int64_t detections;        /* -1: the action did not say */
  int64_t total;             /* engines asked; -1: the action did not say */
  int64_t threshold;         /* detections that make it risky; -1: the action did not say */
  int64_t age_s;             /* of the answer, which was fetched before; -1: it is of this run */
  struct ap_buf reason;      /* plain text; empty: none */
  struct ap_buf link;        /* URL of the web report; empty: none */
  struct ap_buf insights;    /* JSON objects, joined by commas */
  struct ap_buf tables;      /* JSON objects, joined by commas */
  struct ap_slice answer;    /* the provider's answer as it came, borrowed; empty: none */
  struct case_field *fields; /* enrichment in the order written */
  size_t field_count;
  size_t field_cap;
};

void case_finding_init(struct case_finding *finding);
void case_finding_deinit(struct case_finding *finding);

#define CASE_FINDING_MAX_FIELDS 1000
#define CASE_FINDING_MAX_BYTES                                                                     \
  ((size_t)1024 * 1024) /* enrichment; insights; reason and link each */
#define CASE_FINDING_MAX_TABLES ((size_t)8 * 1024 * 1024)

/* Sets an enrichment field. json is a value that the engine itself has written, compact: it is
 * copied as it is. A field that is there gets the new value and keeps its place. AP_E_NO_MEMORY, or
 * AP_E_TOO_LARGE past the limits above; the finding is then as it was. */
int case_finding_enrich(struct case_finding *finding, const char *name, size_t name_len,
                        struct ap_slice json) AP_MUST_USE;

/* Adds an insight. `severity` is info, warn or error (else AP_E_INVALID); triggered_by may be NULL.
 */
int case_finding_insight(struct case_finding *finding, const char *entity, const char *severity,
                         struct ap_slice title, struct ap_slice body,
                         const char *triggered_by) AP_MUST_USE;

/* Adds a table of the entity: title, column names and rows. columns and rows are JSON that the
 * engine itself has written, compact: it is taken as it is. AP_E_INVALID when one is no array. */
int case_finding_table(struct case_finding *finding, const char *entity, struct ap_slice title,
                       struct ap_slice columns, struct ap_slice rows) AP_MUST_USE;

/* How much memory it holds, about. */
size_t case_finding_bytes(const struct case_finding *finding);

/* The enrichment as a JSON object without the provider's name: {"Scan date":"…"}. */
void case_finding_write_fields(const struct case_finding *finding, struct ap_buf *out);
