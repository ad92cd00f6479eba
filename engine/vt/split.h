/* An answer to a list, item by item: VirusTotal sends an object for one item and an array for more,
 * leaves out what was too many, and may leave `resource` out of an item. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vt/call.h"

/* Small hostile JSON grows many times in Lua: the values of one item are bounded before decoding.
 * The largest recorded answer has some 9,000. */
#define VT_ITEM_MAX_VALUES 200000

/* Finds the answer to each of the `count` things asked. items[i] is the raw value for asked[i], its
 * ptr NULL where none came back. Slices point into body.
 * AP_E_BAD_ANSWER, AP_E_TOO_LARGE: body as a whole cannot be used. */
int vt_split(enum vt_call call, struct ap_slice body, const char *const *asked, size_t count,
             struct ap_slice *items, struct ap_error *err) AP_MUST_USE;
