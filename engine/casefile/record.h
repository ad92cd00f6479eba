/* The record of a run: steps, what each found on each entity, and the documents made from it.
 *
 * What a task found is appended to a file as soon as it is known and read back when a document is
 * written; memory holds 32 bytes per entity and step. A record that is kept is such a file with a
 * name: a run that was cut off goes on from it, and any run is shown again from it (restore.h).
 * Documents are those of the design: schemas apogee.action/1, apogee.run/1, apogee.entity/1. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

#include "casefile/casefile.h"
#include "casefile/finding.h"
#include "store/spool.h"

struct case_record;

/* What a step cost. `requests` are requests on the wire, `quota` is what they took from it,
 * `cached` and `shared` are look-ups that took none, bytes_sent counts uploads. */
struct case_cost {
  uint64_t requests;
  uint64_t quota;
  uint64_t cached;
  uint64_t shared;
  uint64_t bytes_sent;
};

/* What is known of a step before it runs. Strings are copied. */
struct case_step_info {
  const char *name;        /* of the step in the playbook; the action's id for `apogee action` */
  const char *action;      /* id; NULL for a step that is a function */
  const char *title;       /* "Scan Hash" */
  const char *provider;    /* "VirusTotal"; NULL: none */
  const char *result_name; /* is_risky or is_success; NULL for a function step */
  bool json_by_entity;     /* json_result is an object keyed by identifier (Upload and Scan File) */
};

/* What is known when it ended. Strings are copied. */
struct case_step_end {
  /* completed, in_progress, failed, timed_out or interrupted; a step that never ended is not_run */
  const char *status;
  bool result;
  const char *message;
};

/* One entity in one step, from memory. */
struct case_step_entity {
  bool in_step;
  bool is_done;
  enum case_outcome outcome;
  bool risky;
  bool no_engines;    /* it has a report in which no engine was asked: 0 of 0 */
  int64_t detections; /* -1: unknown */
};

/* Takes neither cf nor spool: both must live as long as the record. */
int case_record_new(struct casefile *cf, struct store_spool *spool,
                    struct case_record **out) AP_MUST_USE;
void case_record_free(struct case_record *record); /* NULL is fine */

int case_record_add_step(struct case_record *record, const struct case_step_info *info,
                         uint32_t *step) AP_MUST_USE;
uint32_t case_record_step_count(const struct case_record *record);
const char *case_record_step_name(const struct case_record *record, uint32_t step);
const char *case_record_step_status(const struct case_record *record, uint32_t step);

/* Says that an entity belongs to a step; before case_record_put. Order of calls does not matter:
 * the documents list entities in the case's order. */
int case_record_select(struct case_record *record, uint32_t step, uint32_t entity) AP_MUST_USE;

/* Appends what was found on a selected entity; once per entity and step (else AP_E_INTERNAL). Also
 * or-es the entity's suspicious and enriched flags; the step's object says them as they are then.
 * AP_E_IO when the spool fails: the entity is then not done. An entity that is selected and never
 * put is written as `not_asked`. */
int case_record_put(struct case_record *record, uint32_t step, uint32_t entity,
                    const struct case_finding *finding) AP_MUST_USE;

struct case_step_entity case_record_entity(const struct case_record *record, uint32_t step,
                                           uint32_t entity);

/* Entities of a step that ended in each outcome (index: enum case_outcome), how many belong to it,
 * how many of them met the threshold, and how many are reported with a reason: not as wished. */
struct case_step_counts {
  uint32_t outcome[CASE_OUTCOME_COUNT];
  uint32_t of;
  uint32_t done;
  uint32_t risky;
  uint32_t partial;
};
struct case_step_counts case_record_counts(const struct case_record *record, uint32_t step);

struct case_cost *case_record_cost(struct case_record *record, uint32_t step); /* to add to */
int case_record_warn(struct case_record *record, uint32_t step, const char *text) AP_MUST_USE;
int case_record_end_step(struct case_record *record, uint32_t step,
                         const struct case_step_end *end) AP_MUST_USE;

/* Insights (a checked JSON object) and warnings of the whole run (playbook functions, settings).
 * The warnings of a step and those of the run may take 1 MiB each, insights 16 MiB: AP_E_TOO_LARGE.
 */
int case_record_add_insight(struct case_record *record, struct ap_slice json) AP_MUST_USE;
void case_record_insights(const struct case_record *record, struct ap_buf *out); /* joined by "," */
int case_record_warn_run(struct case_record *record, const char *text) AP_MUST_USE;

/* What the documents say of the run as a whole. Strings are borrowed for the call. */
struct case_run_info {
  const char *run;
  const char *playbook;
  struct ap_slice params; /* JSON object, secrets as "***" */
  const char *started;    /* UTC */
  const char *finished;   /* UTC; NULL: it was cut off */
  const char *status;
  int exit_code;
  struct ap_slice tags; /* JSON array */
  int64_t score;
};

/* What all steps of actions together found and cost. */
struct case_record_sums {
  uint64_t checked;
  uint64_t of;
  uint64_t risky;
  uint64_t requests;
  uint64_t quota;
};
struct case_record_sums case_record_sums(const struct case_record *record);

/* Keeps the record at path from now on: before the first finding. Whatever the process is killed
 * in the middle of, what was found until the turn of the loop before is there.
 * @param request  a JSON object that says what was asked for; copied
 * AP_E_IO with a sentence: the record goes on without a name. */
int case_record_keep(struct case_record *record, const char *path, struct ap_slice request,
                     struct ap_error *err) AP_MUST_USE;

/* Says in the file how the run ended. Nothing where the record is not kept. */
int case_record_end_run(struct case_record *record, const struct case_run_info *info) AP_MUST_USE;

/* Words of a step, for renders; they live as long as the record. */
void case_record_step_words(const struct case_record *record, uint32_t step,
                            struct case_step_info *info, struct case_step_end *end);

/* Where a document goes: returns AP_OK or AP_E_IO. */
typedef int case_write_fn(void *arg, const char *data, size_t len);

/* --format json: of an action (its one step), of a run. Answers are embedded byte for byte. */
int case_record_write_action(struct case_record *record, uint32_t step, case_write_fn *write,
                             void *arg) AP_MUST_USE;
int case_record_write_run(struct case_record *record, const struct case_run_info *info,
                          case_write_fn *write, void *arg) AP_MUST_USE;

/* --format ndjson: the line of an entity that case_record_put took; the step's object without its
 * entities and json_result; the run's without steps, entities and insights. Each ends in a newline.
 */
int case_record_line_entity(struct case_record *record, uint32_t step, uint32_t entity,
                            struct ap_buf *out) AP_MUST_USE;
int case_record_line_step(struct case_record *record, uint32_t step,
                          struct ap_buf *out) AP_MUST_USE;
int case_record_write_step_line(struct case_record *record, uint32_t step, case_write_fn *write,
                                void *arg) AP_MUST_USE; /* the same, in memory that does not grow */
int case_record_line_run(struct case_record *record, const struct case_run_info *info,
                         struct ap_buf *out) AP_MUST_USE;

/* For renders. The entity's object in the step ({"identifier":…,"enrichment":…}); the step's
 * without anything of its entities; the entity's in the run ({"identifier":…,"steps":{…}}); the
 * array of the insights or of the tables that an entity got in a step. */
enum case_list { CASE_LIST_INSIGHTS, CASE_LIST_TABLES };
int case_record_entity_json(struct case_record *record, uint32_t step, uint32_t entity,
                            struct ap_buf *out) AP_MUST_USE;
int case_record_step_json(struct case_record *record, uint32_t step,
                          struct ap_buf *out) AP_MUST_USE;
int case_record_run_entity_json(struct case_record *record, uint32_t entity,
                                struct ap_buf *out) AP_MUST_USE;
int case_record_list_json(struct case_record *record, uint32_t step, uint32_t entity,
                          enum case_list list, struct ap_buf *out) AP_MUST_USE;
