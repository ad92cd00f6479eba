/* The runs whose records are kept, a file each below the state folder. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "cli/config.h"

enum { CLI_RUN_ID_BYTES = 32 };

struct cli_kept {
  char id[CLI_RUN_ID_BYTES];
  int64_t changed_s;  /* since 1970 */
  int64_t changed_ns; /* and of that second */
  uint64_t bytes;
};

/* Adds the path of a run's record to out. */
void cli_kept_path(const struct cli_config *config, const char *id, struct ap_buf *out);

/* The same of the file that names the entities which ended a process (script_blame_to). */
void cli_kept_blame_path(const struct cli_config *config, const char *id, struct ap_buf *out);

/* Makes the folder (0700). AP_E_IO. */
int cli_kept_prepare(const struct cli_config *config, struct ap_error *err) AP_MUST_USE;

/* All of them, the newest first; *list is the caller's to free. A folder that is not there has
 * none. AP_E_IO, AP_E_NO_MEMORY. */
int cli_kept_list(const struct cli_config *config, struct cli_kept **list, size_t *count,
                  struct ap_error *err) AP_MUST_USE;

/* The run that a word names: an id, "last" or NULL for the newest. AP_E_NOT_FOUND with a sentence.
 */
int cli_kept_find(const struct cli_config *config, const char *word, char id[CLI_RUN_ID_BYTES],
                  struct ap_error *err) AP_MUST_USE;

/* Removes what is older than keep.runs, and the oldest while all together are larger than
 * keep.max. A run under way stays. Failures are left for the next time. */
void cli_kept_tidy(const struct cli_config *config);
