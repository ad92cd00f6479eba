/* Reading the text of a script or data file. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

/* Reads a regular file of at most max_bytes into out, which the caller frees. AP_E_NOT_FOUND,
 * AP_E_TOO_LARGE, AP_E_IO, each with the path in err. */
int script_source_read(const char *path, size_t max_bytes, struct ap_buf *out,
                       struct ap_error *err) AP_MUST_USE;

/* Takes a byte order mark off; refuses compiled Lua. */
int script_source_check(const char *name, struct ap_slice *source,
                        struct ap_error *err) AP_MUST_USE;
