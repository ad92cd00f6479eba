/* What the file of a run says, for the run to go on (`apogee resume`) and to be shown again
 * (`apogee report`). */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/record.h"

struct case_restored;

/* Reads the file to the end of its last whole frame, where it is cut off when it is to grow. A file
 * that is of no run, or has lost its beginning, is AP_E_INVALID; AP_E_IO, AP_E_NO_MEMORY.
 * @param limit  of entities; 0: none */
int case_restore(struct store_spool *spool, bool is_to_grow, uint32_t limit,
                 struct case_restored **out, struct ap_error *err) AP_MUST_USE;
void case_restored_free(struct case_restored *restored); /* NULL is fine */

/* Reads only what was asked for: the beginning of the file. AP_E_INVALID: it is of no run. */
int case_restore_request(struct store_spool *spool, struct ap_buf *out) AP_MUST_USE;

/* Only how the run ended the last time (empty: it did not) and how many findings there are; a
 * finding that was made anew counts again. */
int case_restore_end(struct store_spool *spool, struct ap_buf *end, uint64_t *findings) AP_MUST_USE;

/* What case_record_end_run was given the last time; empty: it never ended. */
struct ap_slice case_restored_end(const struct case_restored *restored);

/* The entities as they were taken, once: they are the caller's. */
struct casefile *case_restored_take_case(struct case_restored *restored);

/* An entity that ended the process while its task ran: it fails in this step without being run. */
int case_restored_blame(struct case_restored *restored, const char *step, enum case_type type,
                        const char *identifier) AP_MUST_USE;

/* The record knows from here on what was found before: an entity that a step selects is done when
 * its last outcome is reported, scanned, not_found, skipped or denied, and its pieces are read from
 * the file. Costs and warnings of steps go on from where they were. Borrowed as long as the record
 * lives. */
void case_record_resume(struct case_record *record, const struct case_restored *restored);

/* Makes the record what it was when the run was last written to, for a report. */
int case_record_rebuild(struct case_record *record,
                        const struct case_restored *restored) AP_MUST_USE;
