/* Requests of actions to services that are not VirusTotal: to hosts that a manifest names, and
 * nowhere else, with limits on size, time and pace.
 *
 * TLS is always verified. Redirects of GET and HEAD are followed by hand, five at most and to named
 * hosts only; what holds a secret stays with the host that it was meant for. GET and HEAD are tried
 * again when the network or the server fails, with growing waits; nothing else ever is. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/value.h"
#include "net/http.h"
#include "net/web_host.h"

struct net_web;
struct net_web_service;
struct net_web_call;

/* Everything is copied but the password, which is borrowed. */
struct net_web_options {
  const char *proxy;                      /* as in net_http_options; not for loopback */
  const struct ap_secret *proxy_password; /* NULL: none */
  const char *ca_file;                    /* PEM; NULL: the system's */
  const char *const *private_hosts;       /* names whose addresses may be private */
  size_t private_count;
  bool is_loopback_only; /* of a run whose VirusTotal is simulated: it reaches nobody */
  const struct ap_value
      *answers;            /* given instead of asking (web_answers.h); NULL: none. Borrowed */
  const char *request_log; /* file: a JSON object a line per request, without secrets; NULL: none */
};

/* What one action may ask, as its manifest says. */
struct net_web_terms {
  const char *const *hosts;
  size_t host_count;
  uint32_t rate; /* requests in per_ms, of all hosts together; 0: no limit */
  uint64_t per_ms;
  uint32_t retries;
};

enum { NET_WEB_RATE_MAX = 10000, NET_WEB_RETRIES_MAX = 10 };

struct net_web_header {
  const char *line; /* "Name: value" */
  bool has_secret;
};

/* Borrowed until net_web_start returns. */
struct net_web_request {
  const char *method;
  const char *url; /* whole: with its query */
  bool url_has_secret;
  const struct net_web_header *headers;
  size_t header_count;
  struct ap_slice body; /* ptr NULL: none */
  uint64_t timeout_ms;  /* of one try, wall time */
  size_t max_answer_bytes;
};

int net_web_new(struct net_loop *loop, const struct net_web_options *options, struct net_web **out,
                struct ap_error *err) AP_MUST_USE;
void net_web_free(struct net_web *web); /* cancels what is under way; NULL is fine */

/* The service of that name: made of its terms the first time, and the same from then on. It lives
 * as long as web. AP_E_INVALID: a host is none; AP_E_NO_MEMORY. */
int net_web_service(struct net_web *web, const char *name, const struct net_web_terms *terms,
                    struct net_web_service **out, struct ap_error *err) AP_MUST_USE;

/* AP_PENDING, and done runs exactly once, later, on the loop thread; or an error now: AP_E_INVALID
 * (no URL), AP_E_DENIED (a host that the manifest does not name), AP_E_NO_MEMORY. Neither err nor
 * the answer holds anything of the URL; but where answers are given, one that says that there is
 * none has it, masked. */
int net_web_start(struct net_web_service *service, const struct net_web_request *request,
                  net_http_done_fn *done, void *arg, struct net_web_call **out,
                  struct ap_error *err) AP_MUST_USE;

/* Ends a call; its callback does not run. Whether some of it left already. */
bool net_web_cancel(struct net_web_call *call);
