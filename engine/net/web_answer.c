/* What follows from an answer: another try after a while, a request to where a redirect leads, or
 * the end. */
// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "net/web_private.h"

enum { FIRST_WAIT_MS = 1000, WAIT_MAX_MS = 60000, ASKED_WAIT_MAX_S = 600 };

/* ---- another try ---- */

static bool is_passing(const struct net_http_answer *answer)
{
  if (answer->code != AP_OK)
    return answer->code == AP_E_NETWORK || answer->code == AP_E_TIMEOUT;
  return answer->status == 429 || answer->status == 500 || answer->status == 502 ||
         answer->status == 503 || answer->status == 504;
}

/* Doubles, with full jitter; or what the server asks for, when that is longer. */
static uint64_t wait_of(const struct net_web_call *call, const struct net_http_answer *answer)
{
  uint64_t most_ms = FIRST_WAIT_MS;
  for (uint32_t i = 1; i < call->tries && most_ms < WAIT_MAX_MS; i++)
    most_ms *= 2;
  if (most_ms > WAIT_MAX_MS)
    most_ms = WAIT_MAX_MS;
  uint64_t wait_ms = 1 + ap_random_below(most_ms);
  uint64_t asked_ms = answer->retry_after_s * 1000;
  return asked_ms > wait_ms ? asked_ms : wait_ms;
}

static bool tries_again(struct net_web_call *call, const struct net_http_answer *answer)
{
  if (!call->is_safe || !is_passing(answer) || call->tries > call->service->retries ||
      answer->retry_after_s > ASKED_WAIT_MAX_S)
    return false;
  return net_web_pause(call, wait_of(call, answer)) == AP_OK;
}

/* ---- redirects ---- */

static bool is_redirect(const struct net_http_answer *answer)
{
  return answer->code == AP_OK &&
         (answer->status == 301 || answer->status == 302 || answer->status == 303 ||
          answer->status == 307 || answer->status == 308);
}

/* The value of the first header of that name, heap copied; NULL: there is none. */
static char *find_header(struct ap_slice head, const char *name)
{
  size_t name_len = strlen(name);
  const char *end = head.ptr + head.len;
  for (const char *line = head.ptr; line < end;) {
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    if (!stop)
      stop = end;
    if ((size_t)(stop - line) > name_len && line[name_len] == ':' &&
        strncasecmp(line, name, name_len) == 0) {
      const char *value = line + name_len + 1;
      const char *last = stop;
      while (value < last && (*value == ' ' || *value == '\t'))
        value++;
      while (last > value && (last[-1] == '\r' || last[-1] == ' ' || last[-1] == '\t'))
        last--;
      return ap_memdup(value, (size_t)(last - value));
    }
    line = stop + 1;
  }
  return NULL;
}

/* What was meant for the host before. */
static void drop_secrets(struct net_web_call *call)
{
  const char *line = call->lines.ptr;
  struct ap_buf kept = {0};
  size_t count = 0;
  for (size_t i = 0; i < call->header_count; i++, line += strlen(line) + 1)
    if (!call->has_secret[i]) {
      call->has_secret[count++] = false;
      ap_buf_add(&kept, line, strlen(line) + 1);
    }
  ap_buf_wipe(&call->lines);
  call->lines = kept;
  call->header_count = count;
}

/* A secret in it was made asterisks when it arrived: it leads nowhere. */
static bool may_hold_secret(const struct net_web_call *call, const char *location)
{
  bool has_any = call->url_has_secret;
  for (size_t i = 0; i < call->header_count; i++)
    has_any = has_any || call->has_secret[i];
  return has_any && strstr(location, "***") != NULL;
}

static void follow(struct net_web_call *call, const char *location)
{
  struct ap_error err = {0};
  struct net_web_target before = call->target;
  char *url = net_web_resolve(ap_buf_cstr(&call->url), location);
  if (!url || may_hold_secret(call, location)) {
    curl_free(url);
    net_web_fail(call, AP_E_DENIED, "a redirect that cannot be followed");
    return;
  }
  ap_buf_wipe(&call->url);
  ap_buf_add_str(&call->url, url);
  curl_free(url);
  int rc = ap_buf_error(&call->url) ? AP_E_NO_MEMORY : net_web_aim(call, &err);
  if (rc == AP_OK && strcmp(before.scheme, "https") == 0 &&
      strcmp(call->target.scheme, "https") != 0)
    rc = ap_fail(&err, AP_E_DENIED, "it leads from https to http");
  if (rc != AP_OK) {
    (void)ap_fail_context(&err, "a redirect");
    net_web_fail(call, rc, err.text);
    return;
  }
  if (!net_web_target_same(&before, &call->target)) {
    drop_secrets(call);
    call->url_has_secret = false;
  }
  call->tries = 0;
  net_web_make_ready(call);
}

void net_web_answered(void *arg, const struct net_http_answer *answer)
{
  struct net_web_call *call = arg;
  call->was_sent = call->was_sent || answer->was_sent;
  net_web_log(call, answer);
  net_web_sent_ended(call);
  if (tries_again(call, answer))
    return;
  char *location =
      call->is_safe && is_redirect(answer) ? find_header(answer->head, "location") : NULL;
  if (!location) {
    net_web_finish(call, answer);
    return;
  }
  if (call->redirects++ < NET_WEB_REDIRECTS_MAX)
    follow(call, location);
  else
    net_web_fail(call, AP_E_BAD_ANSWER, "more than 5 redirects, one after the other");
  free(location);
}
