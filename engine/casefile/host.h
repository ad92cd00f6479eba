/* Host names in the one spelling that the DNS knows. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

/* Adds a host name in lower case, and in its ASCII form (`xn--`) when it has other characters.
 * AP_E_INVALID with the reason when IDNA knows none: nothing is added then. AP_E_NO_MEMORY. */
int case_host_ascii(struct ap_slice host, struct ap_buf *out, struct ap_error *err) AP_MUST_USE;
