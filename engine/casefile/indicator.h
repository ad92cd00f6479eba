/* Indicators as people write them: defanged, quoted, with a trailing comma; and what they are. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"
#include "casefile/types.h"

#define CASE_INDICATOR_MAX_BYTES 8192

/* Cleans `text` into out: outer blanks, zero-width characters, quotes, brackets and trailing `,`
 * `;` `.` go; hxxp, [.], (dot), [at] and the like become what they stand for. The scheme and the
 * case of a URL are kept. AP_E_INVALID with the reason for an empty, too long, non-UTF-8 or
 * control-character text. */
int case_indicator_clean(const char *text, size_t len, struct ap_buf *out,
                         struct ap_error *err) AP_MUST_USE;

/* What a cleaned text is: a hash of 32, 40 or 64 hex characters, an IPv4 or IPv6 address (a port or
 * prefix length behind it is no address), a URL (scheme://), a user (name@host, DOMAIN\name), a
 * host name (a dot, legal labels). False when it is none; never CASE_TYPE_FILE. */
bool case_indicator_infer(const char *text, size_t len, enum case_type *type);

/* Checks a cleaned text against a type that was said. More is accepted than is inferred: host names
 * of one label, URLs without a scheme, users without a domain. AP_E_INVALID with the reason. */
int case_indicator_check(const char *text, size_t len, enum case_type type,
                         struct ap_error *err) AP_MUST_USE;

/* The reason why case_indicator_infer found nothing in a cleaned text: fills err, returns
 * AP_E_INVALID. */
int case_indicator_explain(const char *text, size_t len, struct ap_error *err);

/* True for an address or host name with a port behind it (`1.2.3.4:80`, `[::1]:80`, `evil.com:80`);
 * host is then the part before the port. */
bool case_indicator_has_port(const char *text, size_t len, struct ap_slice *host);

/* What case_indicator_read took a text for. */
struct case_indicator {
  enum case_type type;
  bool retyped;      /* it is not of the type that was said */
  bool port_removed; /* an address or host name came with a port */
  bool name_removed; /* a hash came with a file's name, as sha256sum prints it */
};

/* All of the above in one: cleans `text` into out and says what it is. A file name is only trimmed.
 * @param said  the type that was said with it; NULL: none
 * AP_E_INVALID with the reason; out then holds what cleaning left, for messages. */
int case_indicator_read(struct ap_slice text, const enum case_type *said, struct ap_buf *out,
                        struct case_indicator *found, struct ap_error *err) AP_MUST_USE;

/* The spelling under which two texts are the same indicator: hashes, host names and users in lower
 * case, addresses in canonical form, URLs with scheme and host in lower case; hosts, those of URLs
 * and users too, in their ASCII form (`xn--`) where IDNA knows one. Adds it to out. */
void case_indicator_key(const char *text, size_t len, enum case_type type, struct ap_buf *out);

/* True for addresses that are not reachable from the internet (RFC 1918, loopback, link-local,
 * unique local, shared 100.64/10, unspecified) and for host names and URLs whose host is one, or
 * ends in .local, .internal, .lan, .home.arpa, or is `localhost` or has one label only. */
bool case_indicator_is_internal(const char *text, size_t len, enum case_type type);
