/* The protocol of ssh-agent, over its socket on the loop: libssh2's own client blocks, and turns in
 * circles when the agent hangs up. The caller has the deadline. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"
#include "net/loop.h"

struct net_ssh_agent;

/* @param answer  without its length, valid during the callback; not empty when code is AP_OK */
typedef void net_ssh_agent_fn(void *arg, int code, const char *text, struct ap_slice answer);

/* Connects at once, or fails with why. */
int net_ssh_agent_open(struct net_loop *loop, const char *path, struct net_ssh_agent **out,
                       struct ap_error *err) AP_MUST_USE;
void net_ssh_agent_close(struct net_ssh_agent *agent); /* no callback any more; NULL is fine */

/* One question at a time. AP_PENDING, and done runs exactly once, later; or an error now. */
int net_ssh_agent_list(struct net_ssh_agent *agent, net_ssh_agent_fn *done, void *arg) AP_MUST_USE;
int net_ssh_agent_sign(struct net_ssh_agent *agent, struct ap_slice key, struct ap_slice data,
                       net_ssh_agent_fn *done, void *arg) AP_MUST_USE;

/* Reads the answers above. A list: the public key at *at (0 at first), which moves on; false at its
 * end. A signature: its bytes, without the name of the algorithm. */
bool net_ssh_agent_next_key(struct ap_slice answer, size_t *at, struct ap_slice *key);
bool net_ssh_agent_signature(struct ap_slice answer, struct ap_slice *signature);
