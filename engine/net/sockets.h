/* The sockets of libcurl, in an epoll of their own that libuv watches.
 *
 * libcurl wants a socket watched for each request and not watched after it, and may close it in
 * between without a word. So a socket stays in the epoll when its request is over, and is taken out
 * only when it has something to say that nobody wants to hear; one that is wanted is always put in
 * again. That is one system call a request, and right whatever has become of the socket. Inside the
 * room only. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include "base/buf.h"
#include "net/loop.h"

struct net_sockets {
  CURLM *multi;
  uv_poll_t *poll;
  int epoll;
  struct ap_buf wanted; /* a bool by socket */
  size_t wanted_count;
  void (*acted)(void *arg);
  void *arg;
};

/* Watches the sockets of multi. `acted` runs when libcurl was told of some: transfers may have
 * finished. sockets is borrowed until it is closed. */
int net_sockets_open(struct net_sockets *sockets, struct net_loop *loop, CURLM *multi,
                     void (*acted)(void *arg), void *arg) AP_MUST_USE;

/* When multi is cleaned up. The loop must turn once more before it is freed. */
void net_sockets_close(struct net_sockets *sockets);
