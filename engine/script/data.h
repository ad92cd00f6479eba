/* Data files in Lua: configuration and scenarios. A chunk that returns one table, run with no names
 * at all and a small budget, and turned into a plain tree. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/value.h"

/* Reads `path` in a Lua state of its own: at most 4 MiB. Strings, numbers, booleans and tables
 * only, at most 64 deep and 1,000,000 values. Fails with AP_E_NOT_FOUND, AP_E_IO, AP_E_TOO_LARGE,
 * or AP_E_INVALID with FILE:LINE or the path of the field that is wrong. The caller deinits out. */
int script_data_read(const char *path, struct ap_value *out, struct ap_error *err) AP_MUST_USE;
int script_data_parse(const char *name, struct ap_slice source, struct ap_value *out,
                      struct ap_error *err) AP_MUST_USE;
