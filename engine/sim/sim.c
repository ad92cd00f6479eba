// SPDX-License-Identifier: Apache-2.0
#include "sim/sim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "sim/sim_internal.h"

/* The pool of a connection holds its request line and headers: a list of long URLs in a GET. */
enum { CONNECTIONS_MAX = 1024, CONNECTION_BYTES = 128 * 1024 };

void sim_options_init(struct sim_options *options)
{
  *options =
      (struct sim_options){.per_minute = 4, .per_day = 500, .per_month = 15500, .scan_ms = 30000};
}

/* ---- waiting ---- */

/* False when the simulator stops meanwhile. */
static bool wait_wall(struct sim *sim, uint64_t ms)
{
  struct timespec until;
  (void)clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += (time_t)(ms / 1000);
  until.tv_nsec += (long)(ms % 1000) * 1000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  int rc = 0;
  (void)pthread_mutex_lock(&sim->lock);
  while (ms && !sim->is_stopping && rc != ETIMEDOUT)
    rc = pthread_cond_timedwait(&sim->stop, &sim->lock, &until);
  bool goes_on = !sim->is_stopping;
  (void)pthread_mutex_unlock(&sim->lock);
  return goes_on;
}

/* ---- sending ---- */

/* A body that ends before its announced length. */
struct cut_body {
  char *bytes;
  size_t sent_max;
};

static ssize_t read_cut_body(void *cls, uint64_t pos, char *out, size_t max)
{
  const struct cut_body *cut = cls;
  if (pos >= cut->sent_max)
    return MHD_CONTENT_READER_END_WITH_ERROR;
  size_t left = cut->sent_max - (size_t)pos;
  size_t len = left < max ? left : max;
  memcpy(out, cut->bytes + pos, len);
  return (ssize_t)len;
}

static void free_cut_body(void *cls)
{
  struct cut_body *cut = cls;
  free(cut->bytes);
  free(cut);
}

/* Takes the body out of reply, as the makers of responses here do on success. */
static struct MHD_Response *make_cut_response(struct sim_reply *reply)
{
  struct cut_body *cut = calloc(1, sizeof(*cut));
  if (!cut)
    return NULL;
  size_t len = reply->body.len;
  cut->sent_max = reply->cut == SIM_CUT_MIDDLE ? len / 2 : 0;
  struct MHD_Response *response = MHD_create_response_from_callback(
      len ? len : 1, 16 * 1024, read_cut_body, cut, free_cut_body);
  if (!response) {
    free(cut);
    return NULL;
  }
  cut->bytes = reply->body.ptr;
  reply->body = (struct ap_buf){0};
  return response;
}

static struct MHD_Response *make_response(struct sim_reply *reply)
{
  if (reply->cut == SIM_CUT_HEADERS || reply->cut == SIM_CUT_MIDDLE)
    return make_cut_response(reply);
  static char nothing[1] = "";
  if (reply->body.len == 0)
    return MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
  struct MHD_Response *response =
      MHD_create_response_from_buffer(reply->body.len, reply->body.ptr, MHD_RESPMEM_MUST_FREE);
  if (response)
    reply->body = (struct ap_buf){0};
  return response;
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct sim_reply *reply)
{
  const char *type = reply->content_type;
  if (!type)
    type =
        reply->body.len && reply->status == 200 ? "application/json" : "text/html; charset=utf-8";
  struct MHD_Response *response = make_response(reply);
  if (!response)
    return MHD_NO;
  (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
  enum MHD_Result result = MHD_queue_response(connection, reply->status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result answer(struct sim *sim, struct MHD_Connection *connection,
                              struct sim_request *request)
{
  struct sim_reply reply = {.delay_ms = sim->options.latency_ms};
  sim_request_finish(request);
  sim_answer(sim, request, &reply);
  bool is_sent = wait_wall(sim, reply.delay_ms) && reply.status != 0;
  enum MHD_Result result = is_sent ? send_reply(connection, &reply) : MHD_NO;
  ap_buf_deinit(&reply.body);
  return result;
}

/* ---- what libmicrohttpd calls ---- */

/* Called once with the headers, then with each piece of the body, last without one. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **slot)
{
  struct sim *sim = cls;
  struct sim_request *request = *slot;
  (void)version;
  if (!request) {
    request = sim_request_new(sim, connection, path, method);
    *slot = request;
    if (!request)
      return MHD_NO;
    return request->is_too_large ? answer(sim, connection, request) : MHD_YES;
  }
  if (*len == 0)
    return answer(sim, connection, request);
  bool goes_on = sim_request_feed(request, data, *len);
  *len = 0;
  return goes_on ? MHD_YES : MHD_NO;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode code)
{
  (void)cls;
  (void)connection;
  (void)code;
  sim_request_free(*slot);
  *slot = NULL;
}

/* ---- starting and stopping ---- */

/* Signals are for the thread that started us: those made here take none. */
static struct MHD_Daemon *start_daemon(struct sim *sim)
{
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons(sim->options.port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD;
  struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_KEY, 0, sim->tls.key_pem},
                                 {MHD_OPTION_HTTPS_MEM_CERT, 0, sim->tls.cert_pem},
                                 {MHD_OPTION_END, 0, NULL}};
  struct MHD_OptionItem no_tls[] = {{MHD_OPTION_END, 0, NULL}};
  sigset_t all;
  sigset_t before;
  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  struct MHD_Daemon *daemon = MHD_start_daemon(
      sim->options.tls ? flags | MHD_USE_TLS : flags, sim->options.port, NULL, NULL, on_request,
      sim, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
      MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      (size_t)CONNECTION_BYTES, MHD_OPTION_ARRAY, sim->options.tls ? tls : no_tls, MHD_OPTION_END);
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  return daemon;
}

static int listen_on_loopback(struct sim *sim, struct ap_error *err)
{
  sim->daemon = start_daemon(sim);
  const union MHD_DaemonInfo *info =
      sim->daemon ? MHD_get_daemon_info(sim->daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
  if (!info)
    return ap_fail(err, AP_E_NETWORK, "the simulator cannot listen on 127.0.0.1:%u: %s",
                   sim->options.port, strerror(errno));
  (void)snprintf(sim->origin, sizeof(sim->origin), "%s://127.0.0.1:%u",
                 sim->options.tls ? "https" : "http", (unsigned)info->port);
  (void)snprintf(sim->url, sizeof(sim->url), "%s/vtapi/v2", sim->origin);
  return AP_OK;
}

static int init_sync(struct sim *sim)
{
  pthread_condattr_t monotonic;
  if (pthread_condattr_init(&monotonic))
    return AP_E_NO_MEMORY;
  (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  (void)pthread_cond_init(&sim->stop, &monotonic);
  (void)pthread_mutex_init(&sim->lock, NULL);
  (void)pthread_condattr_destroy(&monotonic);
  return AP_OK;
}

static int init_parts(struct sim *sim, struct ap_error *err)
{
  struct sim_options *options = &sim->options;
  const struct sim_limits usual = {options->premium ? SIM_TIER_PREMIUM : SIM_TIER_PUBLIC,
                                   options->per_minute, options->per_day, options->per_month};
  sim->counts = calloc(sim_endpoint_count(), sizeof(*sim->counts));
  int rc = sim->counts ? sim_quota_new(&usual, &sim->quota) : AP_E_NO_MEMORY;
  if (rc == AP_OK)
    rc = sim_life_new(&sim->life);
  if (rc == AP_OK)
    rc = sim_comments_new(&sim->comments);
  if (rc)
    return ap_fail(err, rc, "the simulator could not start: %s", ap_error_text(rc));
  rc = sim_scenario_new(options->scenario, options, sim->quota, &sim->scenario, err);
  if (rc == AP_OK && options->request_log)
    rc = sim_log_open(options->request_log, &sim->log, err);
  if (rc == AP_OK && options->tls)
    rc = sim_tls_init(&sim->tls, err);
  return rc;
}

int sim_start(const struct sim_options *options, struct sim **out, struct ap_error *err)
{
  struct sim *sim = calloc(1, sizeof(*sim));
  if (!sim || init_sync(sim)) {
    free(sim);
    return ap_fail(err, AP_E_NO_MEMORY, "the simulator could not start: out of memory");
  }
  sim->options = *options;
  if (sim->options.upload_max == 0)
    sim->options.upload_max = SIM_UPLOAD_MAX;
  if (sim->options.upload_url_max == 0)
    sim->options.upload_url_max = SIM_UPLOAD_URL_MAX;
  sim->start_ms = ap_clock_ms();
  int64_t now_s = ap_clock_unix_ms() / 1000;
  sim->midnight_s = now_s - now_s % 86400;
  int rc = init_parts(sim, err);
  if (rc == AP_OK)
    rc = listen_on_loopback(sim, err);
  if (rc) {
    sim_stop(sim);
    return rc;
  }
  *out = sim;
  return AP_OK;
}

void sim_stop(struct sim *sim)
{
  if (!sim)
    return;
  (void)pthread_mutex_lock(&sim->lock);
  sim->is_stopping = true;
  (void)pthread_cond_broadcast(&sim->stop);
  (void)pthread_mutex_unlock(&sim->lock);
  if (sim->daemon)
    MHD_stop_daemon(sim->daemon);
  sim_log_close(sim->log);
  sim_comments_free(sim->comments);
  sim_scenario_free(sim->scenario);
  sim_life_free(sim->life);
  sim_quota_free(sim->quota);
  sim_tls_deinit(&sim->tls);
  free(sim->counts);
  (void)pthread_cond_destroy(&sim->stop);
  (void)pthread_mutex_destroy(&sim->lock);
  free(sim);
}

/* ---- what callers ask ---- */

const char *sim_url(const struct sim *sim)
{
  return sim->url;
}

const char *sim_ca_pem(const struct sim *sim)
{
  return sim->tls.cert_pem;
}

uint64_t sim_request_count(struct sim *sim, const char *endpoint)
{
  const struct sim_endpoint *found = endpoint ? sim_endpoint_find(endpoint) : NULL;
  uint64_t count = 0;
  (void)pthread_mutex_lock(&sim->lock);
  if (!endpoint)
    count = sim->total_count;
  else if (found)
    count = sim->counts[sim_endpoint_index(found)];
  (void)pthread_mutex_unlock(&sim->lock);
  return count;
}
