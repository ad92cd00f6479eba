/* What the files of the client of other services share.
 *
 *   web.c         services, calls and their requests
 *   web_pace.c    whose turn it is: how many at a time, how many in a while
 *   web_answer.c  what follows from an answer: another try, a redirect, the end
 *   web_reply.c   an answer that is given instead of asking
 *   web_log.c     the request log
 *   web_host.c    hosts and URLs */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/web.h"
#include "net/web_answers.h"

enum {
  NET_WEB_HOSTS_MAX = 32,
  NET_WEB_IN_FLIGHT = 8, /* requests of one service at a time */
  NET_WEB_REDIRECTS_MAX = 5
};

struct net_web {
  struct net_loop *loop;
  struct net_http *http;
  struct net_web_service *services;
  char **private_hosts;
  size_t private_count;
  bool is_loopback_only;
  struct net_web_answers *answers; /* NULL: services are asked */
  int log;                         /* its file; -1: none */
};

struct net_web_service {
  struct net_web_service *next;
  struct net_web *web;
  char *name;
  struct net_web_host hosts[NET_WEB_HOSTS_MAX];
  size_t host_count;
  uint32_t retries;
  uint32_t rate;
  uint64_t per_ms;
  uint64_t *sent_ms; /* when the last `rate` requests were sent: a ring */
  uint32_t sent_at;  /* the oldest of them */
  uint32_t sent_count;
  struct net_timer *pace;
  struct net_web_call *calls;
  struct net_web_call *ready; /* of these, in order */
  uint32_t in_flight;
};

struct net_web_call {
  struct net_web_call *prev, *next; /* in service->calls */
  struct net_web_call *ready_prev, *ready_next;
  struct net_web_service *service;
  enum { NET_WEB_READY, NET_WEB_PAUSED, NET_WEB_SENT } state;
  char *method;
  struct ap_buf url;
  struct ap_buf lines; /* of headers, each ended by a NUL */
  bool *has_secret;    /* of each */
  size_t header_count;
  struct ap_buf body;
  bool has_body;
  bool url_has_secret;
  bool is_safe; /* GET or HEAD */
  bool was_sent;
  bool may_be_private;
  bool is_direct;
  uint64_t timeout_ms;
  size_t max_answer_bytes;
  struct net_web_target target;
  uint32_t tries;
  uint32_t redirects;
  struct net_timer *pause;
  struct net_http_call *http_call;
  struct net_timer *reply_timer; /* instead of http_call, where answers are given */
  struct net_web_given reply;
  net_http_done_fn *done;
  void *arg;
};

/* ---- web.c ---- */

/* Sets target from the URL, if it may be asked. */
int net_web_aim(struct net_web_call *call, struct ap_error *err) AP_MUST_USE;
void net_web_send(struct net_web_call *call); /* its turn has come */
/* Tells the caller and frees. */
void net_web_finish(struct net_web_call *call, const struct net_http_answer *answer);
void net_web_fail(struct net_web_call *call, int code, const char *text);

/* ---- web_pace.c ---- */

int net_web_pace_init(struct net_web_service *service) AP_MUST_USE;
void net_web_make_ready(struct net_web_call *call); /* and sends what may be sent */
void net_web_sent_ended(struct net_web_call *call); /* another may go */
int net_web_pause(struct net_web_call *call, uint64_t wait_ms) AP_MUST_USE; /* then it is ready */
void net_web_leave(struct net_web_call *call);                              /* wherever it waits */

/* ---- web_answer.c ---- */

/* A net_http_done_fn: arg is the call. */
void net_web_answered(void *arg, const struct net_http_answer *answer);

/* ---- web_reply.c ---- */

/* Answers later, in place of net_http_start; or an error now, with err: AP_E_DENIED when there is
 * no answer. */
int net_web_reply(struct net_web_call *call, struct ap_error *err) AP_MUST_USE;
void net_web_reply_cancel(struct net_web_call *call);

/* ---- web_log.c: nothing happens without a log ---- */

int net_web_log_open(struct net_web *web, const char *path, struct ap_error *err) AP_MUST_USE;
void net_web_log_close(struct net_web *web);
void net_web_log(const struct net_web_call *call, const struct net_http_answer *answer);
/* No answer was given for it. */
void net_web_log_unanswered(const struct net_web_call *call, const char *why);
