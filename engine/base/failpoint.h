/* Places where a process may be told to die, for tests of what survives: APOGEE_FAILPOINT=NAME[:N]
 * ends it with SIGKILL the Nth time (first: 1) that it comes by. Whoever can set its environment
 * can end it anyway. Costs a load where it is not set. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

/* Reads the environment. Before any thread. */
void ap_failpoint_init(void);

/* May be called from any thread. */
void ap_failpoint(const char *name);
