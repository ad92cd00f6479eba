/* The process itself: what it gives up before it reads anything. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

/* Closes what was inherited but the standard streams, keeps new files to their owner, and leaves no
 * core file that could hold a secret. Call first, before threads. */
void process_harden(void);

/* The umask that the process was started with; its own is 077. */
mode_t process_umask(void);
