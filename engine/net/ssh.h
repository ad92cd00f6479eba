/* One SSH connection: reached, its host key checked, logged in. What is done over it is its owner's
 * (sftp.c): calls of libssh2 that never block, made again when net_ssh_wait says so. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libssh2.h>

#include "net/sftp.h"

struct net_ssh;

/* Callbacks, on the loop thread. Each is the last that its caller does, so it may close the
 * connection. */
struct net_ssh_owner {
  void (*opened)(void *arg); /* once */
  void (*ready)(void *arg);  /* the socket, after net_ssh_wait */
  /* Once, and nothing after it: it was not opened, a deadline passed, or it broke. */
  void (*lost)(void *arg, int code, const char *text);
  void *arg;
};

/* AP_PENDING, then opened or lost; or an error now. Copies the options. */
int net_ssh_open(struct net_loop *loop, const struct net_sftp_options *options,
                 const struct net_ssh_owner *owner, struct net_ssh **out,
                 struct ap_error *err) AP_MUST_USE;
void net_ssh_close(struct net_ssh *ssh); /* NULL is fine */

LIBSSH2_SESSION *net_ssh_session(struct net_ssh *ssh);

/* "ana@host" or "ana@host:2222", for messages. */
const char *net_ssh_where(const struct net_ssh *ssh);

/* After LIBSSH2_ERROR_EAGAIN: runs ready once, when the socket can do what libssh2 waits for. */
void net_ssh_wait(struct net_ssh *ssh);

/* Between calls: keeps answering a server that asks whether we are alive. channel is where the
 * answers of our calls arrive. */
void net_ssh_rest(struct net_ssh *ssh, LIBSSH2_CHANNEL *channel);

/* From now on; an earlier one is forgotten. Wall time; 0 for none. */
void net_ssh_deadline(struct net_ssh *ssh, uint64_t wait_ms);

/* What broke, after a call of libssh2 failed with rc. Returns the code. */
int net_ssh_describe(struct net_ssh *ssh, int rc, struct ap_error *err);
