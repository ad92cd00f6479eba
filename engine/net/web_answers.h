/* Answers that are given instead of asking: what a test of an action says that services answer.
 * They come from the field `http` of a scenario, so a run has them only with a simulator.
 *
 *   http = {
 *     { url = "https://api.example.com/check", method = "GET", sent = "a body",
 *       status = 200, headers = { ["Retry-After"] = "1" }, body = "..." | json = { ... },
 *       fails = "timeout", delay_ms = 0 },
 *   }
 *
 * A row answers requests of its url, and of its method and body where it has them. A url without
 * "?" is that of any query. Of several rows for a request each answers once, in order, the last one
 * from then on. Secrets in a request read "***". */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/value.h"

struct net_web_answers;

struct net_web_asked {
  const char *method;
  const char *url; /* masked, and so is the body */
  struct ap_slice body;
};

struct net_web_given {
  int code; /* AP_OK, or why there is no answer */
  long status;
  struct ap_slice head; /* lines, as a server would send them */
  struct ap_slice body;
  uint64_t retry_after_s;
  uint64_t delay_ms;
};

/* Reads the rows; an error names the field. The caller frees. */
int net_web_answers_new(const struct ap_value *rows, struct net_web_answers **out,
                        struct ap_error *err) AP_MUST_USE;
void net_web_answers_free(struct net_web_answers *answers); /* NULL is fine */

/* Takes the answer to a request. AP_E_DENIED: there is none, and err names the nearest. What given
 * points to lives as long as answers. */
int net_web_answers_take(struct net_web_answers *answers, const struct net_web_asked *asked,
                         struct net_web_given *given, struct ap_error *err) AP_MUST_USE;

/* Adds text with every known secret as "***". */
void net_web_mask(struct ap_buf *out, const char *text, size_t len);
