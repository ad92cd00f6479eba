/* The run before this one, for --changed-since-last: found among those that are kept, and compared
 * with when this one has ended. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/record.h"
#include "cli/kept.h"

/* The newest run of the same command ("run", "action") and name that went through and checked
 * something; "" where there is none. */
void cli_previous_find(const struct cli_config *config, const char *command, const char *name,
                       char id[CLI_RUN_ID_BYTES]);

/* Gives the record its changes since the run `id` ("": there is none). A run that cannot be read
 * any more is warned of, and then there is none. AP_E_IO, AP_E_NO_MEMORY. */
int cli_previous_compare(const struct cli_config *config, const char *id, bool is_whole_run,
                         struct case_record *record) AP_MUST_USE;
