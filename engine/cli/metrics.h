/* --metrics FILE: how a run ended, for the textfile collector of Prometheus' node_exporter.
 *
 * Every sample has the labels `command` (run, action) and `target` (the playbook or action as it
 * was named), so that the files of several jobs can lie in one folder. The file is written whole or
 * not at all; a reader never sees half of one. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

#include "casefile/record.h"

struct metrics {
  const char *command;
  const char *target; /* NULL: none was named */
  int64_t started_unix_ms;
  int64_t ended_unix_ms;
  uint64_t duration_ms;
  int exit_code;
  const char *status;         /* of the run; NULL: nothing was run */
  struct case_record *record; /* NULL: there is none */
};

/* Adds the text. last_success is a timestamp in seconds; "": there was none yet. */
void metrics_render(const struct metrics *metrics, const char *last_success, struct ap_buf *out);

/* Writes FILE, readable by whom the umask that the process was started with lets read (0644 at
 * most). What the file says of the last success is kept unless this run is one: exit 0 or 10.
 * AP_E_IO, AP_E_NO_MEMORY. */
int metrics_write(const struct metrics *metrics, const char *path,
                  struct ap_error *err) AP_MUST_USE;
