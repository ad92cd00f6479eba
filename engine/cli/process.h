/* The process itself: what it gives up before it reads anything. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

/* Closes what was inherited but the standard streams, keeps new files to their owner, and leaves no
 * core file that could hold a secret. Call first, before threads. */
void process_harden(void);
