/* The canonical form of a URL, as far as it is known: http:// where there is no scheme, a path of
 * "/" where there is none, lower-case scheme and host, no default port, no fragment. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

#define SIM_URL_MAX (16U * 1024)

/* Appends the canonical form to out. AP_E_INVALID when text is no URL: another scheme than http,
 * https and ftp, a host without a dot, blanks or control characters, longer than SIM_URL_MAX. */
int sim_canonical_url(struct ap_slice text, struct ap_buf *out) AP_MUST_USE;

/* At least two labels of letters, digits, '-' and '_' (bytes above ASCII pass), the last no number.
 */
bool sim_is_domain(struct ap_slice text);
bool sim_is_ipv4(struct ap_slice text);

struct ap_slice sim_trim(struct ap_slice text);               /* blanks and line ends around */
bool sim_is_hex(struct ap_slice text);                        /* either case; true for "" */
void sim_add_lower(struct ap_buf *out, struct ap_slice text); /* ASCII letters only */
