/* An answer that is given instead of asking. Everything but the way over the network is as ever:
 * hosts, pace, tries, redirects, masking. */
// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"
#include "net/web_private.h"

/* What would have left before it went wrong. */
static bool would_be_sent(int code)
{
  return code == AP_OK || code == AP_E_TIMEOUT || code == AP_E_TOO_LARGE;
}

/* A copy, as a server may send a secret back. */
static bool copy_masked(struct ap_slice from, struct ap_buf *to)
{
  ap_buf_add(to, from.ptr, from.len);
  if (ap_buf_error(to))
    return false;
  if (to->len)
    ap_redact(to->ptr, to->len);
  return true;
}

static void reply(void *arg)
{
  struct net_web_call *call = arg;
  const struct net_web_given *given = &call->reply;
  struct ap_buf head = {0};
  struct ap_buf body = {0};
  int code = given->code;
  if (code == AP_OK && given->body.len > call->max_answer_bytes)
    code = AP_E_TOO_LARGE;
  if (!copy_masked(given->head, &head) || !copy_masked(given->body, &body))
    code = AP_E_NO_MEMORY;
  const struct net_http_answer answer = {
      .code = code,
      .error = code == AP_OK ? "" : ap_error_text(code),
      .status = given->status,
      .body = ap_slice_of(&body),
      .content_type = "",
      .head = ap_slice_of(&head),
      .retry_after_s = given->retry_after_s,
      .was_sent = would_be_sent(code),
  };
  net_web_answered(call, &answer);
  ap_buf_deinit(&head);
  ap_buf_deinit(&body);
}

static int find(struct net_web_call *call, struct ap_error *err)
{
  struct ap_buf url = {0};
  struct ap_buf body = {0};
  net_web_mask(&url, call->url.ptr, call->url.len);
  net_web_mask(&body, call->body.ptr, call->body.len);
  const struct net_web_asked asked = {
      .method = call->method, .url = ap_buf_cstr(&url), .body = ap_slice_of(&body)};
  int rc = ap_buf_error(&url) || ap_buf_error(&body)
               ? ap_fail(err, AP_E_NO_MEMORY, "out of memory")
               : net_web_answers_take(call->service->web->answers, &asked, &call->reply, err);
  ap_buf_deinit(&url);
  ap_buf_deinit(&body);
  return rc;
}

int net_web_reply(struct net_web_call *call, struct ap_error *err)
{
  int rc = find(call, err);
  if (rc == AP_E_DENIED)
    net_web_log_unanswered(call, err->text);
  if (rc == AP_OK &&
      net_timer_new(call->service->web->loop, reply, call, &call->reply_timer) != AP_OK)
    rc = ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  if (rc != AP_OK)
    return rc;
  net_timer_start(call->reply_timer, call->reply.delay_ms);
  return AP_PENDING;
}

void net_web_reply_cancel(struct net_web_call *call)
{
  net_timer_free(call->reply_timer);
  call->reply_timer = NULL;
}
