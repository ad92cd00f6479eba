/* Lists of JSON values, joined by commas, in a buffer. Inside the room only. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

/* Adds item and a comma where one is due; frees item in any case. On failure the list is as it was.
 */
int case_json_list_add(struct ap_buf *list, struct ap_buf *item) AP_MUST_USE;
