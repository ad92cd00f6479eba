/* What is new in a run against an earlier one of the same playbook or action.
 *
 * Compared is what each step says of each entity. A side that was not checked says nothing: against
 * it only "newly risky" counts, so that a day without quota makes no news. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/restore.h"

/* Kinds of news, in bits. An entity that is in no step of the earlier run is NEW, one that is in no
 * step of this run is GONE. */
enum case_change {
  CASE_CHANGE_NEWLY_RISKY = 1,
  CASE_CHANGE_NEWLY_CLEAN = 2,   /* no engine detects it any more */
  CASE_CHANGE_VERDICT = 4,       /* it changed otherwise */
  CASE_CHANGE_ENGINES_ADDED = 8, /* engines detect it that did not */
  CASE_CHANGE_ENGINES_REMOVED = 16,
  CASE_CHANGE_NEW = 32,
  CASE_CHANGE_GONE = 64
};

/* The earlier run. Strings are borrowed for the call. */
struct case_before {
  struct case_restored *restored; /* its case was not taken; what was seen is marked in it */
  struct store_spool *spool;      /* where its findings lie */
  const char *run;
  const char *started;  /* UTC */
  const char *finished; /* UTC */
};

/* Compares, once, when nothing more is found: the documents have a member "changes" from here on.
 * @param before        NULL: there is no earlier run
 * @param is_whole_run  it is a member of the run's document; else of the one step's
 * AP_E_IO, AP_E_NO_MEMORY. */
int case_record_compare(struct case_record *record, const struct case_before *before,
                        bool is_whole_run) AP_MUST_USE;

/* The same of a run that is shown again: `json` is what was found then. */
int case_record_recall_changes(struct case_record *record, struct ap_slice json,
                               bool is_whole_run) AP_MUST_USE;

/* Whether there was an earlier run and it said the same. */
bool case_record_is_same(const struct case_record *record);

/* Takes what did not change out of the steps: the documents list the rest. Counts and coverage stay
 * those of the run. After case_record_end_run; nothing where there was no earlier run. */
void case_record_keep_changed(struct case_record *record);
bool case_record_is_part(const struct case_record *record);
