/* The Traffic Light Protocol's words (FIRST TLP 2.0, and "white" of 1.0). */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

/* Adds the word in lower case without "tlp:" and blanks. */
void case_tlp_clean(struct ap_slice text, struct ap_buf *out);

/* How strict a cleaned word is: 1 (clear) to 5 (red); CASE_TLP_UNKNOWN, the strictest, for any
 * other. */
enum { CASE_TLP_UNKNOWN = 6 };
int case_tlp_rank(const char *word);

/* The stricter of two cleaned words, the first where they are alike; NULL stands for none. */
const char *case_tlp_stricter(const char *a, const char *b);

bool case_tlp_is_known(const char *text); /* in any spelling: "amber", "TLP:AMBER" */

/* Whether what has this TLP (a cleaned word) may be shown to VirusTotal, that is to everybody: not
 * amber, amber+strict or red, and no word that is unknown. */
bool case_tlp_may_leave(const char *word);
