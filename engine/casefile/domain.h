/* The domain that a domain report is asked for: of a host name, a URL, a user. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"
#include "casefile/types.h"

/* Adds to out the domain of an entity's text, in lower case and in its ASCII form (`xn--`), so that
 * all spellings of one domain are one request. The host is that of a host name without its port,
 * of a URL, or what stands behind the last @ of a user; a dot at its end goes.
 *
 * The domain is the registrable one by the whole Public Suffix List, its private section included:
 * the neighbours on a host of many (github.io, blogspot.com) are strangers, and a report about
 * their landlord says nothing of any of them. A name is never taken for listed because of the
 * implicit rule `*`.
 * @param exact_host  the host as it is, though in lower case and ASCII; a public suffix too
 * AP_E_INVALID with the reason, a part of a sentence ("a user without a domain"), for what has no
 * domain that may be asked for: users without one, IP addresses, names of one label, names under no
 * listed suffix or an internal one, and public suffixes. Nothing is added to out then. */
int case_domain_of(const char *text, size_t len, enum case_type type, bool exact_host,
                   struct ap_buf *out, struct ap_error *err) AP_MUST_USE;
