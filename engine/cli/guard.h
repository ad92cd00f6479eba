/* Which folders a command writes to: the rest of the machine is closed to it (confine.h). */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/run.h"

/* To be called before any thread is started. The state folder is made if it is not there. Nothing
 * is closed when it cannot be made, for then the command ends with the reason. */
void guard_run(const struct run_request *request, const struct cli_config *config);
