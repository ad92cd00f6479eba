/* What people are shown of a run: the table of a terminal and the reports, by modules report.* from
 * the record alone, so that a record of another day is shown as well.
 *
 * A render reads entity by entity and gives text in pieces: memory does not grow with the run. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/record.h"
#include "script/host.h"

/* Borrowed for the call. */
struct script_render {
  struct casefile *cf;
  struct case_record *record;
  const struct case_run_info *run; /* NULL: of `apogee action`, whose one step the record has */
  const char *format;              /* table, csv, markdown or html */
  uint32_t width;                  /* of the terminal, for a table */
  bool is_coloured;                /* the table */
};

/* Writes the rendered record, many pieces. AP_OK; what `write` returned when that is not AP_OK;
 * AP_E_INVALID, with a sentence in err, when it could not be made. What was written until then is
 * no whole document. */
int script_render(struct script_host *host, const struct script_render *what, case_write_fn *write,
                  void *arg, struct ap_error *err) AP_MUST_USE;
