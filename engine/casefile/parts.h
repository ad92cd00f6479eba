/* The parts of which indicators are made: addresses, host names, URLs. For this
 * room, and for the policy (vt/). */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>

#include "base/buf.h"

static inline bool case_is_blank(char c)
{
  return c == ' ' || c == '\t';
}

struct case_address {
  int family; /* AF_INET or AF_INET6 */
  union {
    struct in_addr v4;
    struct in6_addr v6;
  };
};

/* Reads an IPv4 address in four decimal numbers or an IPv6 address without a zone. */
bool case_address_parse(struct ap_slice text, struct case_address *address);

/* NULL when text is a host name with at least min_labels labels (letters of any script, digits, -
 * and
 * _; at most 253 characters, 63 in a label, the last one not a number); otherwise what is wrong. */
const char *case_host_problem(struct ap_slice text, size_t min_labels);

/* A URL's parts; scheme is empty when there is none, host has no brackets and no port. */
struct case_url {
  struct ap_slice scheme;
  struct ap_slice user; /* with its @ */
  struct ap_slice host;
  struct ap_slice port; /* digits; empty: none */
  bool has_bad_port;    /* the host is followed by what is no port */
};
struct case_url case_url_split(struct ap_slice text);

/* Like case_indicator_clean, for names of files: takes outer blanks only. */
int case_indicator_trim(struct ap_slice text, struct ap_buf *out, struct ap_error *err) AP_MUST_USE;

/* Adds text with its ASCII letters in lower case. */
void case_add_lower(struct ap_buf *out, struct ap_slice text);

static inline struct ap_slice case_slice(const char *text, size_t len)
{
  return (struct ap_slice){text, len};
}
