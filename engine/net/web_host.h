/* Hosts that an action may ask: "api.example.com", "api.example.com:8443", "[2001:db8::1]:8443". */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>

#include "base/error.h"

enum { NET_WEB_HOST_MAX = 256 };

struct net_web_host {
  char name[NET_WEB_HOST_MAX]; /* lower case; IPv6 in brackets */
  unsigned port;               /* 0: the usual one */
  bool is_loopback;
};

/* Reads a host as a manifest names it. AP_E_INVALID with a sentence. */
int net_web_host_parse(const char *text, struct net_web_host *out,
                       struct ap_error *err) AP_MUST_USE;

/* Where a URL leads. */
struct net_web_target {
  char scheme[8];           /* "https", "http" */
  struct net_web_host host; /* its port is not 0 */
};

/* AP_E_INVALID, with a sentence that shows nothing of the URL: it is none, is neither https nor
 * http, or has a user. */
int net_web_target_parse(const char *url, struct net_web_target *out,
                         struct ap_error *err) AP_MUST_USE;

/* Whether the host is the one of the target: by name and port, and by https; http is for loopback
 * only. */
bool net_web_host_is(const struct net_web_host *host, const struct net_web_target *target);

bool net_web_target_same(const struct net_web_target *a, const struct net_web_target *b);

/* Where a redirect leads: an absolute URL, curl_free'd by the caller; NULL: it cannot be read. */
char *net_web_resolve(const char *url, const char *location);
