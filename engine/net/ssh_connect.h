/* A TCP connection to a host by name or address: resolved on the pool, its addresses of both
 * families tried one after the other, each for its share of the time. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/loop.h"

struct net_ssh_connect;

/* @param fd  connected, non-blocking, close-on-exec, the callee's; -1 unless code is AP_OK
 * @param text  why not, without the host's name; "" when code is AP_OK */
typedef void net_ssh_connect_fn(void *arg, int code, const char *text, int fd);

/* AP_PENDING, and done runs exactly once, later; or an error now. The caller has the deadline.
 * @param host        copied
 * @param each_ms     wall time for one address, unless it is the last */
int net_ssh_connect_start(struct net_loop *loop, const char *host, unsigned port, uint64_t each_ms,
                          net_ssh_connect_fn *done, void *arg,
                          struct net_ssh_connect **out) AP_MUST_USE;

/* The callback does not run. NULL is fine. */
void net_ssh_connect_cancel(struct net_ssh_connect *dial);
