/* The end of a process that is out of memory, where nobody could be told. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

/* Says so, with write(2) alone, and ends the process with exit code 6: a run is gone on with. For
 * code of others that does not survive it; ours returns AP_E_NO_MEMORY. Any thread. */
__attribute__((noreturn)) void ap_out_of_memory(void);
