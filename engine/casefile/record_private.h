/* The insides of a record, for the files of this room that share it. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/arena.h"
#include "casefile/emit.h"
#include "casefile/record.h"

enum {
  CASE_ENTRY_IN_STEP = 1,
  CASE_ENTRY_DONE = 2,
  CASE_ENTRY_RISKY = 4,
  CASE_ENTRY_NO_ENGINES = 8 /* the report is of no engine at all */
};

/* One entity in one step. Its pieces lie one behind the other in the spool: the entity's object,
 * the insights, the tables, the answer. */
struct case_entry {
  uint64_t offset;
  uint32_t object_len;
  uint32_t insights_len;
  uint32_t tables_len;
  uint32_t answer_len;
  int32_t detections; /* -1: unknown */
  uint8_t outcome;
  uint8_t flags;
  uint8_t changes; /* enum case_change, once the runs are compared */
};

/* Entries lie in pages that are made when an entity in them is selected. */
enum { CASE_PAGE_ENTRIES = 256 };

struct case_step {
  const char *name;
  const char *action;
  const char *title;
  const char *provider;
  const char *result_name;
  const char *status;
  const char *message;
  bool result;
  bool json_by_entity;
  struct case_cost cost;
  struct case_step_counts counts;
  struct ap_buf pages;    /* of struct case_entry *, NULL where nothing is selected */
  struct ap_buf warnings; /* JSON strings, joined by commas */
};

struct case_restored;

struct case_record {
  bool is_kept;   /* its spool is the file of a run */
  bool is_report; /* rebuilt: what was found is taken as it was, finished or not */
  const struct case_restored *restored; /* NULL: the run begins */
  struct casefile *cf;
  struct store_spool *spool;
  struct case_arena arena;
  struct ap_buf steps; /* of struct case_step * */
  struct ap_buf insights;
  struct ap_buf warnings;
  struct ap_buf scratch;
  struct ap_buf changes; /* JSON; empty: nobody asked */
  bool is_of_run;        /* a member of the run's document, not of the step's */
  bool is_compared;      /* there was an earlier run */
  bool is_same;          /* and it said the same */
  bool is_part;          /* what did not change was taken out */
};

struct case_step *case_record_step(const struct case_record *record, uint32_t step);

/* The entry of an entity that is in the step; NULL when it is not. */
struct case_entry *case_step_entry(const struct case_step *step, uint32_t entity);

/* The next entry from *entity on, which is moved to it; NULL behind the last. */
const struct case_entry *case_step_next(const struct case_step *step, uint32_t *entity);

uint64_t case_step_checked(const struct case_step *step); /* what counts as covered */

/* Adds the entity's object as the step sees it. `finding` NULL: it was never put. */
void case_record_object(const struct case_record *record, const struct case_step *step,
                        uint32_t entity, const struct case_finding *finding, struct ap_buf *out);

/* Adds ,"aliases":[...] when the entity has any. */
void case_record_aliases(const struct case_record *record, uint32_t entity, struct ap_buf *out);

/* ---- record_keep.c: of a record that is kept ---- */

struct case_kept_finding {
  uint8_t flags;          /* enum case_frame_flag */
  struct ap_slice pieces; /* object, insights, tables; their lengths are in the entry */
  struct ap_slice answer;
};

int case_keep_step(struct case_record *record, const struct case_step *step) AP_MUST_USE;
int case_keep_step_end(struct case_record *record, const struct case_step *step) AP_MUST_USE;
int case_keep_warning(struct case_record *record, const char *step,
                      const char *text) AP_MUST_USE; /* step NULL: of the run */
/* Sets where the pieces lie in the entry, whose lengths are set. */
int case_keep_finding(struct case_record *record, const struct case_step *step, uint32_t entity,
                      const struct case_kept_finding *kept, struct case_entry *entry) AP_MUST_USE;
