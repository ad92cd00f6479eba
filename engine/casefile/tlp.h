/* The Traffic Light Protocol's words (FIRST TLP 2.0, and "white" of 1.0). Inside the room only. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

/* Adds the word in lower case without "tlp:" and blanks. */
void case_tlp_clean(struct ap_slice text, struct ap_buf *out);

/* How strict a cleaned word is: 1 (clear) to 5 (red); CASE_TLP_UNKNOWN, the strictest, for any
 * other. */
enum { CASE_TLP_UNKNOWN = 6 };
int case_tlp_rank(const char *word);
