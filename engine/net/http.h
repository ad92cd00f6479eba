/* HTTPS requests on the loop, by libcurl's multi interface.
 *
 * Nothing here follows a redirect, reads .netrc or the environment's proxy, keeps cookies or writes
 * TLS secrets to a file. URLs and bodies may carry a key: they are never logged and never in an
 * error. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"
#include "base/secret.h"
#include "net/loop.h"

struct net_http;
struct net_http_call;

struct net_http_options {
  const char *proxy;                      /* URL; NULL or "": none, whatever the environment says */
  const struct ap_secret *proxy_password; /* NULL: none; borrowed as long as the client lives */
  const char *ca_file;                    /* PEM; NULL: the system's */
  bool verify_tls;                        /* false is for people who asked for it by name */
  bool allow_plain;                       /* http:// too: for the simulator on loopback only */
  bool is_guarded; /* without a proxy, only public addresses, unless a request says otherwise */
  uint64_t connect_timeout_ms; /* wall time */
  uint32_t max_connections;    /* to one host */
};

/* @param max_answer_bytes  an answer that grows past it fails with AP_E_TOO_LARGE
 * @param timeout_ms        wall time for the whole request, but for what an upload waits for its
 *                          `read`; 0 is refused */
struct net_http_request {
  const char *url;            /* borrowed until net_http_start returns */
  const char *method;         /* NULL: GET, or POST where there is a body */
  const char *const *headers; /* "Name: value", without CR, LF and NUL; copied. May be NULL */
  size_t header_count;
  /* A body, urlencoded unless a header says what it is: POST; copied. ptr NULL: GET, or multipart
   */
  struct ap_slice form;
  const struct net_http_upload *upload; /* a multipart body: POST; borrowed until it returns */
  uint64_t timeout_ms;
  size_t max_answer_bytes;
  /* On a connection of its own: on one that was used before, libcurl sends a request again when
   * the other side hangs up without an answer. */
  bool is_once;
  bool keeps_head;     /* the answer's headers are wanted */
  bool is_direct;      /* past the proxy */
  bool may_be_private; /* the address too: see is_guarded */
};

#define NET_HTTP_LATER INT64_MIN

/* A multipart/form-data body: text fields and one streamed file part. */
struct net_http_upload {
  struct ap_slice key;   /* value of the field "apikey"; copied. ptr NULL: no such field */
  const char *file_name; /* without folders, CR, LF, NUL or quotes; copied */
  uint64_t size;         /* bytes of the file */
  /* Fills data with up to len bytes: returns how many, 0 at the end, NET_HTTP_LATER when there are
   * none now: then net_http_go_on is to be called when there are. Another negative number is a
   * failure, AP_E_...: the request is broken off. */
  int64_t (*read)(void *arg, char *data, size_t len);
  void *arg; /* borrowed until done runs or the call is canceled */
};

struct net_http_answer {
  int code; /* AP_OK when there is an HTTP status, whatever it says; else why there is none */
  const char *error; /* a sentence for people, without secrets; "" when code is AP_OK */
  long status;
  struct ap_slice body;     /* valid during the callback */
  const char *content_type; /* "" when the answer has none */
  struct ap_slice head;     /* its headers as they came, a line each, where they are wanted */
  uint64_t retry_after_s;   /* what the answer asks for; 0: nothing */
  bool was_sent;            /* some of the request left */
  uint64_t bytes_sent;      /* of the body of an upload */
  bool sent_whole;          /* the last byte of the request was handed to the system */
};

typedef void net_http_done_fn(void *arg, const struct net_http_answer *answer);

/* Once per process, before threads start. */
int net_http_global_init(struct ap_error *err) AP_MUST_USE;

int net_http_new(struct net_loop *loop, const struct net_http_options *options,
                 struct net_http **out, struct ap_error *err) AP_MUST_USE;
void net_http_free(struct net_http *http); /* cancels what is under way; NULL is fine */

/* AP_PENDING, and done runs exactly once, later, on the loop thread; or an error now.
 * @param out  for net_http_cancel; may be NULL */
int net_http_start(struct net_http *http, const struct net_http_request *request,
                   net_http_done_fn *done, void *arg, struct net_http_call **out) AP_MUST_USE;

/* The upload's `read` has bytes again. Never from inside `read`; for one that does not wait it does
 * nothing. */
void net_http_go_on(struct net_http_call *call);

/* Ends a call; its callback does not run. */
void net_http_cancel(struct net_http_call *call);

/* True when url is https, or http to a loopback address (127.0.0.0/8, ::1, localhost). */
bool net_http_url_is_allowed(const char *url);

/* True for 127.0.0.0/8, ::1 (in brackets or not) and localhost. */
bool net_http_host_is_loopback(const char *host);

/* True when both URLs have the same scheme, host and port. */
bool net_http_same_origin(const char *a, const char *b);

/* True when the host of url ends in "." and domain. */
bool net_http_host_is_below(const char *url, const char *domain);

/* Adds text percent-encoded for a query or a urlencoded body. */
void net_http_escape(struct ap_buf *out, const char *text, size_t len);
