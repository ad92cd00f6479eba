/* What the files of the HTTP client share.
 *
 *   http.c         handles, requests and their ends
 *   http_request.c what one request sets on its handle
 *   http_upload.c  a multipart body that streams, and the patience with it
 *   http_url.c     URLs */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include "net/http.h"
#include "net/sockets.h"

enum { NET_HTTP_IDLE_MAX = 256 };

struct net_http {
  struct net_loop *loop;
  CURLM *multi;
  struct net_sockets sockets;
  uv_timer_t *timer;
  struct net_http_options options;
  char *proxy;
  char *proxy_user;
  char *ca_file;
  CURL *idle[NET_HTTP_IDLE_MAX];
  size_t idle_count;
  struct net_http_call *calls;
};

struct net_http_streaming; /* of http_upload.c */

enum { NET_HTTP_HEAD_MAX_BYTES = 64 * 1024 };

struct net_http_call {
  struct net_http_call *prev, *next;
  struct net_http *http;
  CURL *easy;
  struct net_http_streaming *upload; /* NULL: it is none */
  struct ap_buf form;
  struct ap_buf body;
  struct ap_buf head;
  struct curl_slist *headers;
  size_t header_bytes;
  bool keeps_head;
  bool may_be_private;
  bool is_refused; /* an address was, for it is not public */
  bool is_head_too_large;
  net_http_done_fn *done;
  void *arg;
  char error[CURL_ERROR_SIZE];
};

/* ---- http.c ---- */

/* Calls back and releases the call. Never from inside libcurl. */
void net_http_finish(struct net_http_call *call, CURLcode curl);

/* ---- http_request.c ---- */

/* What is the same for every request on a handle. */
bool net_http_request_prepare(const struct net_http *http, CURL *easy);
/* What is this request's; false: libcurl refused it. */
bool net_http_request_set(struct net_http_call *call, const struct net_http_request *request);
void net_http_request_end(struct net_http_call *call); /* wipes what it was given */

/* ---- http_upload.c ---- */

/* Gives the call the body and the deadlines of an upload; false: out of memory. */
bool net_http_upload_begin(struct net_http_call *call, const struct net_http_request *request);
int net_http_upload_error(const struct net_http_call *call); /* AP_OK, or why its source failed */
void net_http_upload_count(const struct net_http_call *call, struct net_http_answer *answer);
void net_http_upload_end(struct net_http_call *call);  /* nothing of it runs any more */
void net_http_upload_free(struct net_http_call *call); /* after the handle is gone */
