/* Sentences for answers that are none of VirusTotal's: what a wrong base URL or a proxy gives. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http.h"

#define VT_EXPLAIN_TEXT 160

/* What a status that is not fine may mean, and the code where no rule says another: AP_E_REJECTED
 * for 400, else AP_E_BAD_ANSWER. */
int vt_explain_status(long status, char text[VT_EXPLAIN_TEXT]);

/* Says so in err, which tells why the body is not JSON, when the body is a web page. */
void vt_explain_body(const struct net_http_answer *answer, struct ap_error *err);
