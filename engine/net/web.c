/* Services, calls and their requests. */
// SPDX-License-Identifier: Apache-2.0
#include "net/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "net/web_private.h"

enum { CONNECT_TIMEOUT_MS = 15000 };

/* ---- services ---- */

static void service_free(struct net_web_service *service)
{
  struct net_web_call *call = service->calls;
  while (call) {
    struct net_web_call *next = call->next;
    (void)net_web_cancel(call);
    call = next;
  }
  net_timer_free(service->pace);
  free(service->sent_ms);
  free(service->name);
  free(service);
}

static int take_terms(struct net_web_service *service, const struct net_web_terms *terms,
                      struct ap_error *err)
{
  if (terms->host_count == 0 || terms->host_count > NET_WEB_HOSTS_MAX)
    return ap_fail(err, AP_E_INVALID, "1 to %d hosts", NET_WEB_HOSTS_MAX);
  if (terms->rate > NET_WEB_RATE_MAX || (terms->rate && !terms->per_ms))
    return ap_fail(err, AP_E_INVALID, "a rate is at most %d in a while", NET_WEB_RATE_MAX);
  for (size_t i = 0; i < terms->host_count; i++) {
    int rc = net_web_host_parse(terms->hosts[i], &service->hosts[i], err);
    if (rc != AP_OK)
      return rc;
  }
  service->host_count = terms->host_count;
  service->rate = terms->rate;
  service->per_ms = terms->per_ms;
  service->retries = terms->retries < NET_WEB_RETRIES_MAX ? terms->retries : NET_WEB_RETRIES_MAX;
  return AP_OK;
}

int net_web_service(struct net_web *web, const char *name, const struct net_web_terms *terms,
                    struct net_web_service **out, struct ap_error *err)
{
  struct net_web_service *service = web->services;
  while (service && strcmp(service->name, name) != 0)
    service = service->next;
  if (service) {
    *out = service;
    return AP_OK;
  }
  service = calloc(1, sizeof(*service));
  if (!service)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  service->web = web;
  service->name = ap_memdup(name, strlen(name));
  int rc = take_terms(service, terms, err);
  if (rc == AP_OK && (!service->name || net_web_pace_init(service) != AP_OK))
    rc = ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  if (rc != AP_OK) {
    service_free(service);
    return rc;
  }
  LL_PREPEND(web->services, service);
  *out = service;
  return AP_OK;
}

/* ---- the client ---- */

static int copy_private(struct net_web *web, const struct net_web_options *options)
{
  web->private_hosts = calloc(options->private_count + 1, sizeof(*web->private_hosts));
  if (!web->private_hosts)
    return AP_E_NO_MEMORY;
  for (size_t i = 0; i < options->private_count; i++) {
    const char *name = options->private_hosts[i];
    web->private_hosts[i] = ap_memdup(name, strlen(name));
    if (!web->private_hosts[i])
      return AP_E_NO_MEMORY;
    web->private_count++;
  }
  return AP_OK;
}

int net_web_new(struct net_loop *loop, const struct net_web_options *options, struct net_web **out,
                struct ap_error *err)
{
  const struct net_http_options http = {
      .proxy = options->proxy,
      .proxy_password = options->proxy_password,
      .ca_file = options->ca_file,
      .verify_tls = true,
      .allow_plain = true, /* net_web_host_is: to loopback only */
      .is_guarded = true,
      .connect_timeout_ms = CONNECT_TIMEOUT_MS,
      .max_connections = NET_WEB_IN_FLIGHT,
  };
  struct net_web *web = calloc(1, sizeof(*web));
  if (!web)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  web->loop = loop;
  web->is_loopback_only = options->is_loopback_only;
  web->log = -1;
  int rc =
      copy_private(web, options) == AP_OK ? AP_OK : ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  if (rc == AP_OK)
    rc = net_http_new(loop, &http, &web->http, err);
  if (rc == AP_OK && options->answers)
    rc = net_web_answers_new(options->answers, &web->answers, err);
  if (rc == AP_OK && options->request_log)
    rc = net_web_log_open(web, options->request_log, err);
  if (rc != AP_OK) {
    net_web_free(web);
    return rc;
  }
  *out = web;
  return AP_OK;
}

void net_web_free(struct net_web *web)
{
  if (!web)
    return;
  while (web->services) {
    struct net_web_service *service = web->services;
    LL_DELETE(web->services, service);
    service_free(service);
  }
  net_http_free(web->http);
  net_web_answers_free(web->answers);
  net_web_log_close(web);
  for (size_t i = 0; i < web->private_count; i++)
    free(web->private_hosts[i]);
  free((void *)web->private_hosts);
  free(web);
}

/* ---- one call ---- */

static bool is_private_host(const struct net_web *web, const struct net_web_host *host)
{
  bool is_it = host->is_loopback;
  for (size_t i = 0; !is_it && i < web->private_count; i++)
    is_it = strcmp(web->private_hosts[i], host->name) == 0;
  return is_it;
}

/* What the URL is made of may be a secret: only a host without any is shown. */
static const char *shown_host(const struct net_web_call *call)
{
  return call->url_has_secret ? "the URL's host" : call->target.host.name;
}

static int deny_unnamed(const struct net_web_call *call, struct ap_error *err)
{
  const struct net_web_target *target = &call->target;
  bool is_https = strcmp(target->scheme, "https") == 0;
  if (!is_https && !target->host.is_loopback)
    return ap_fail(err, AP_E_DENIED, "%s: plain http is for loopback alone: write https",
                   shown_host(call));
  char port[16] = "";
  if (!call->url_has_secret && target->host.port != (is_https ? 443 : 80))
    (void)snprintf(port, sizeof port, ":%u", target->host.port);
  return ap_fail(err, AP_E_DENIED, "the action's needs do not name %s%s: add it to needs.http",
                 shown_host(call), port);
}

int net_web_aim(struct net_web_call *call, struct ap_error *err)
{
  const struct net_web_service *service = call->service;
  const struct net_web *web = service->web;
  int rc = net_web_target_parse(ap_buf_cstr(&call->url), &call->target, err);
  if (rc != AP_OK)
    return rc;
  const struct net_web_host *named = NULL;
  for (size_t i = 0; !named && i < service->host_count; i++)
    if (net_web_host_is(&service->hosts[i], &call->target))
      named = &service->hosts[i];
  if (!named)
    return deny_unnamed(call, err);
  if (web->is_loopback_only && !named->is_loopback)
    return ap_fail(err, AP_E_DENIED, "%s: a run with a simulator reaches no other host",
                   shown_host(call));
  call->may_be_private = is_private_host(web, named);
  call->is_direct = named->is_loopback;
  return AP_OK;
}

static void call_free(struct net_web_call *call)
{
  ap_buf_wipe(&call->url);
  ap_buf_wipe(&call->lines);
  ap_buf_wipe(&call->body);
  free(call->has_secret);
  free(call->method);
  free(call);
}

static int copy_request(struct net_web_call *call, const struct net_web_request *request)
{
  call->method = ap_memdup(request->method, strlen(request->method));
  call->has_secret = calloc(request->header_count + 1, sizeof(*call->has_secret));
  if (!call->method || !call->has_secret)
    return AP_E_NO_MEMORY;
  ap_buf_add_str(&call->url, request->url);
  for (size_t i = 0; i < request->header_count; i++) {
    ap_buf_add(&call->lines, request->headers[i].line, strlen(request->headers[i].line) + 1);
    call->has_secret[i] = request->headers[i].has_secret;
  }
  call->header_count = request->header_count;
  call->has_body = request->body.ptr != NULL;
  ap_buf_add(&call->body, request->body.ptr, request->body.len);
  call->url_has_secret = request->url_has_secret;
  call->timeout_ms = request->timeout_ms;
  call->max_answer_bytes = request->max_answer_bytes;
  call->is_safe = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
  bool is_whole =
      !ap_buf_error(&call->url) && !ap_buf_error(&call->lines) && !ap_buf_error(&call->body);
  return is_whole ? AP_OK : AP_E_NO_MEMORY;
}

int net_web_start(struct net_web_service *service, const struct net_web_request *request,
                  net_http_done_fn *done, void *arg, struct net_web_call **out,
                  struct ap_error *err)
{
  struct net_web_call *call = calloc(1, sizeof(*call));
  if (!call)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  call->service = service;
  call->done = done;
  call->arg = arg;
  int rc = copy_request(call, request) == AP_OK ? net_web_aim(call, err)
                                                : ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  if (rc != AP_OK) {
    call_free(call);
    return rc;
  }
  DL_APPEND(service->calls, call);
  net_web_make_ready(call);
  *out = call;
  return AP_PENDING;
}

static int ask(struct net_web_call *call)
{
  enum { LINES_MAX = 128 };
  const char *lines[LINES_MAX];
  const char *line = call->lines.ptr;
  ap_require(call->header_count <= LINES_MAX);
  for (size_t i = 0; i < call->header_count; i++, line += strlen(line) + 1)
    lines[i] = line;
  const struct net_http_request request = {
      .url = ap_buf_cstr(&call->url),
      .method = call->method,
      .headers = lines,
      .header_count = call->header_count,
      .form = {call->has_body ? ap_buf_cstr(&call->body) : NULL, call->body.len},
      .timeout_ms = call->timeout_ms,
      .max_answer_bytes = call->max_answer_bytes,
      .is_once = !call->is_safe,
      .keeps_head = true,
      .is_direct = call->is_direct,
      .may_be_private = call->may_be_private,
  };
  return net_http_start(call->service->web->http, &request, net_web_answered, call,
                        &call->http_call);
}

void net_web_send(struct net_web_call *call)
{
  struct ap_error err = {0};
  bool is_given = call->service->web->answers != NULL;
  call->tries++;
  int rc = is_given ? net_web_reply(call, &err) : ask(call);
  if (rc == AP_PENDING)
    return;
  net_web_sent_ended(call);
  net_web_fail(call, rc, *err.text ? err.text : NULL);
}

static void forget(struct net_web_call *call)
{
  net_web_leave(call);
  DL_DELETE(call->service->calls, call);
}

void net_web_finish(struct net_web_call *call, const struct net_http_answer *answer)
{
  struct net_http_answer told = *answer;
  told.was_sent = call->was_sent;
  forget(call);
  call->done(call->arg, &told);
  call_free(call);
}

void net_web_fail(struct net_web_call *call, int code, const char *text)
{
  const struct net_http_answer answer = {
      .code = code, .error = text ? text : ap_error_text(code), .content_type = ""};
  net_web_finish(call, &answer);
}

bool net_web_cancel(struct net_web_call *call)
{
  bool may_have_left = call->was_sent || call->state == NET_WEB_SENT;
  forget(call);
  call_free(call);
  return may_have_left;
}
