/* Temporary files without a name: for their owner alone, and gone when they are closed. Both block:
 * on the pool. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>

#include "base/error.h"

/* AP_OK and a file of mode 0600 to read and write, or AP_E_IO with a sentence. */
int net_temporary_open(const char *folder, int *fd, struct ap_error *err) AP_MUST_USE;

/* The same where the file system has no files without names: it has one for a moment. */
int net_temporary_open_named(const char *folder, int *fd, struct ap_error *err) AP_MUST_USE;

/* Adds bytes to it: all of them, or AP_E_IO with a sentence. */
int net_temporary_write(int fd, const char *bytes, size_t len, struct ap_error *err) AP_MUST_USE;
