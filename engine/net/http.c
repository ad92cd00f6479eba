/* libcurl tells which sockets to watch and when to be called; libuv watches and calls. A call's
 * callback runs from the check of finished transfers, never from inside libcurl. */
// SPDX-License-Identifier: Apache-2.0
#include "net/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "net/http_memory.h"
#include "net/http_private.h"
#include "net/proxy.h"

int net_http_global_init(struct ap_error *err)
{
  (void)unsetenv("SSLKEYLOGFILE"); /* libcurl would write the secrets of TLS there */
  if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, net_http_malloc, free, net_http_realloc,
                           net_http_strdup, net_http_calloc))
    return ap_fail(err, AP_E_INTERNAL, "libcurl did not start");
  return AP_OK;
}

/* ---- finished transfers ---- */

static int code_of(const struct net_http_call *call, CURLcode curl)
{
  switch ((int)curl) {
  case CURLE_OK:
    return AP_OK;
  case CURLE_OPERATION_TIMEDOUT:
    return AP_E_TIMEOUT;
  case CURLE_OUT_OF_MEMORY:
    return AP_E_NO_MEMORY;
  case CURLE_WRITE_ERROR: /* only our own callbacks refuse bytes */
    return ap_buf_error(&call->body) == AP_E_NO_MEMORY ||
                   ap_buf_error(&call->head) == AP_E_NO_MEMORY
               ? AP_E_NO_MEMORY
               : AP_E_TOO_LARGE;
  case CURLE_ABORTED_BY_CALLBACK:
    return AP_E_IO; /* the source of an upload failed */
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_CRL_BADFILE:
  case CURLE_SSL_INVALIDCERTSTATUS:
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
  case CURLE_USE_SSL_FAILED:
    return AP_E_TLS;
  default:
    return AP_E_NETWORK;
  }
}

static bool environment_has_proxy(void)
{
  static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy",
                                      "ALL_PROXY"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    const char *value = getenv(names[i]);
    if (value && *value)
      return true;
  }
  return false;
}

/* A firewall that drops what goes past the proxy makes it a timeout. */
static bool never_connected(const struct net_http_call *call, int code)
{
  curl_off_t connect_us = 0;
  (void)curl_easy_getinfo(call->easy, CURLINFO_CONNECT_TIME_T, &connect_us);
  return code == AP_E_NETWORK || (code == AP_E_TIMEOUT && connect_us == 0);
}

static void describe(const struct net_http_call *call, CURLcode curl, int code, char *text,
                     size_t size)
{
  const char *what = *call->error ? call->error : curl_easy_strerror(curl);
  if (code == AP_E_DENIED) {
    (void)snprintf(text, size, "its address is private, or of this machine");
  } else if (code == AP_E_TOO_LARGE && call->is_head_too_large) {
    (void)snprintf(text, size, "the head of the answer is larger than %d bytes",
                   NET_HTTP_HEAD_MAX_BYTES);
  } else if (code == AP_E_TOO_LARGE) {
    (void)snprintf(text, size, "the answer is larger than %zu bytes", call->body.max);
  } else if (code == AP_E_NO_MEMORY) {
    (void)snprintf(text, size, "%s", ap_error_text(code));
  } else if (code == AP_E_TLS) {
    (void)snprintf(text, size, "%s%s", what,
                   curl == CURLE_PEER_FAILED_VERIFICATION
                       ? " (a proxy that inspects TLS? name its CA with ca_file)"
                       : "");
  } else {
    bool hint = never_connected(call, code) && !call->http->proxy && environment_has_proxy();
    (void)snprintf(text, size, "%s%s", what,
                   hint ? " (the environment names a proxy, which is ignored: set virustotal.proxy)"
                        : "");
  }
  ap_redact(text, strlen(text));
}

static void call_release(struct net_http_call *call)
{
  struct net_http *http = call->http;
  DL_DELETE(http->calls, call);
  net_http_upload_end(call);
  (void)curl_multi_remove_handle(http->multi, call->easy);
  /* A handle that rests closes its connection later, and could still write its reason there. */
  (void)curl_easy_setopt(call->easy, CURLOPT_ERRORBUFFER, NULL);
  (void)curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, NULL);
  if (call->upload || http->idle_count == NET_HTTP_IDLE_MAX) {
    curl_easy_cleanup(call->easy); /* a handle that sent a form starts afresh */
    net_http_upload_free(call);
  } else {
    http->idle[http->idle_count++] = call->easy;
  }
  net_http_request_end(call);
  ap_buf_deinit(&call->body);
  ap_buf_deinit(&call->head);
  free(call);
}

/* A server may send the key back. */
static void take_body(struct net_http_call *call, struct net_http_answer *answer)
{
  curl_off_t retry_after_s = 0;
  if (call->body.len)
    ap_redact(call->body.ptr, call->body.len);
  if (call->head.len)
    ap_redact(call->head.ptr, call->head.len);
  answer->body = ap_slice_of(&call->body);
  answer->head = ap_slice_of(&call->head);
  (void)curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
  answer->retry_after_s = retry_after_s > 0 ? (uint64_t)retry_after_s : 0;
}

static bool was_sent(const struct net_http_call *call)
{
  long bytes = 0;
  (void)curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &bytes);
  return bytes > 0;
}

/* What libcurl says when one line of a head is longer than it takes. */
static bool has_endless_line(CURLcode curl, const struct net_http_answer *answer)
{
  return curl == CURLE_OUT_OF_MEMORY && answer->was_sent;
}

void net_http_finish(struct net_http_call *call, CURLcode curl)
{
  char text[512] = "";
  struct net_http_answer answer = {
      .code = code_of(call, curl), .error = text, .content_type = "", .was_sent = was_sent(call)};
  if (answer.code == AP_OK) {
    const char *content_type = NULL;
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &answer.status);
    (void)curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &content_type);
    answer.content_type = content_type ? content_type : "";
    take_body(call, &answer);
  } else {
    if (net_http_upload_error(call))
      answer.code = net_http_upload_error(call);
    if (call->is_refused && answer.code == AP_E_NETWORK)
      answer.code = AP_E_DENIED;
    if (has_endless_line(curl, &answer)) {
      call->is_head_too_large = true;
      answer.code = AP_E_TOO_LARGE;
    }
    describe(call, curl, answer.code, text, sizeof(text));
  }
  if (call->upload)
    net_http_upload_count(call, &answer);
  net_http_done_fn *done = call->done;
  void *arg = call->arg;
  call->done = NULL;
  ap_failpoint("after_answer");
  done(arg, &answer);
  call_release(call);
}

static void check_finished(void *arg)
{
  struct net_http *http = arg;
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(http->multi, &left))) {
    if (message->msg != CURLMSG_DONE)
      continue;
    CURLcode result = message->data.result;
    char *private_data = NULL;
    (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private_data);
    net_http_finish((struct net_http_call *)(void *)private_data, result);
  }
}

/* ---- libcurl on libuv ---- */

static void timer_fired(uv_timer_t *handle)
{
  struct net_http *http = handle->data;
  int running;
  (void)curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  check_finished(http);
}

static int timer_wanted(CURLM *multi, long timeout_ms, void *arg)
{
  struct net_http *http = arg;
  (void)multi;
  if (timeout_ms < 0)
    (void)uv_timer_stop(http->timer);
  else
    (void)uv_timer_start(http->timer, timer_fired, (uint64_t)timeout_ms, 0);
  return 0;
}

static char *copy_or_null(const char *text)
{
  return text && *text ? strdup(text) : NULL;
}

int net_http_new(struct net_loop *loop, const struct net_http_options *options,
                 struct net_http **out, struct ap_error *err)
{
  struct net_http *http = calloc(1, sizeof(*http));
  if (!http)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  http->loop = loop;
  http->options = *options;
  http->ca_file = copy_or_null(options->ca_file);
  http->multi = curl_multi_init();
  bool has_proxy = options->proxy && *options->proxy;
  bool is_split = !has_proxy || net_proxy_split(options->proxy, &http->proxy, &http->proxy_user);
  http->timer = calloc(1, sizeof(*http->timer));
  if (!http->multi || !http->timer || !is_split ||
      net_sockets_open(&http->sockets, loop, http->multi, check_finished, http) != AP_OK) {
    (void)curl_multi_cleanup(http->multi);
    free(http->timer);
    free(http->proxy);
    free(http->proxy_user);
    free(http->ca_file);
    free(http);
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  }
  (void)uv_timer_init(net_loop_uv(loop), http->timer);
  http->timer->data = http;
  (void)curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
  (void)curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
  (void)curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                          (long)options->max_connections);
  /* As many are kept: by itself libcurl closes some when few requests are in flight. */
  (void)curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)options->max_connections);
  *out = http;
  return AP_OK;
}

static void http_timer_closed(uv_handle_t *handle)
{
  free(handle);
}

void net_http_free(struct net_http *http)
{
  if (!http)
    return;
  struct net_http_call *call = http->calls;
  while (call) {
    struct net_http_call *next = call->next;
    call_release(call);
    call = next;
  }
  for (size_t i = 0; i < http->idle_count; i++)
    curl_easy_cleanup(http->idle[i]);
  (void)curl_multi_cleanup(http->multi);
  net_sockets_close(&http->sockets);
  uv_close((uv_handle_t *)http->timer, http_timer_closed);
  free(http->proxy);
  free(http->proxy_user);
  free(http->ca_file);
  free(http);
}

/* ---- one request ---- */

static CURL *take_handle(struct net_http *http)
{
  if (http->idle_count)
    return http->idle[--http->idle_count];
  CURL *easy = curl_easy_init();
  if (easy && !net_http_request_prepare(http, easy)) {
    curl_easy_cleanup(easy);
    return NULL;
  }
  return easy;
}

int net_http_start(struct net_http *http, const struct net_http_request *request,
                   net_http_done_fn *done, void *arg, struct net_http_call **out)
{
  if (request->timeout_ms == 0)
    return AP_E_INVALID;
  ap_failpoint("before_request");
  struct net_http_call *call = calloc(1, sizeof(*call));
  if (!call)
    return AP_E_NO_MEMORY;
  call->http = http;
  call->done = done;
  call->arg = arg;
  ap_buf_init(&call->body, request->max_answer_bytes);
  call->easy = take_handle(http);
  if (!call->easy) {
    free(call);
    return AP_E_INTERNAL;
  }
  DL_APPEND(http->calls, call);
  if (!net_http_request_set(call, request) || curl_multi_add_handle(http->multi, call->easy)) {
    call_release(call);
    return AP_E_INTERNAL;
  }
  if (out)
    *out = call;
  return AP_PENDING;
}

void net_http_cancel(struct net_http_call *call)
{
  /* Canceled from its own callback: net_http_finish releases it when the callback returns. */
  if (call && call->done)
    call_release(call);
}
