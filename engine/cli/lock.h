/* --lock NAME: one run at a time of those that name the same lock.
 *
 * The lock is the kernel's (flock) on a file of its own, STATE/locks/NAME: it ends with the process
 * that holds it, however that ends, and the file stays. It has the holder's number and since when,
 * for whoever comes second. Not for folders on several machines. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* 1 to 64 letters, digits, '-', '_' and '.', the first no '.'. */
bool lock_name_is_good(const char *name);

/* Takes the lock, at once or not at all. AP_E_BUSY: another process has it, with a sentence that
 * names it; AP_E_IO, AP_E_INVALID (the file is not ours).
 * @param folder  the state folder; made when it is missing
 * @param fd      close to give the lock up */
int lock_take(const char *folder, const char *name, int *fd, struct ap_error *err) AP_MUST_USE;
