/* Reading the entities of a command, and what there is to say about them on standard error. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/casefile.h"

#define CLI_NOTES_OF_RUN 20 /* `apogee entities` says them all */

struct cli_entities {
  const char *const *files; /* "-" is standard input */
  size_t file_count;
  const char *const *options; /* of --entity */
  size_t option_count;
  const char *tlp;   /* that they have at least; NULL: none */
  uint64_t most;     /* limits.entities */
  size_t most_notes; /* to say; how many more there are is said too */
};

/* Makes the case of the files, then of the options. CLI_EXIT_DONE, or another code after saying
 * why; the caller frees the case in either case. */
int cli_read_entities(const struct cli_entities *given, struct casefile **out) AP_MUST_USE;
