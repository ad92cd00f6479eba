/* The event loop: one thread, on libuv. Everything that waits, waits here. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"

struct net_loop;
struct net_timer;

int net_loop_new(struct net_loop **out) AP_MUST_USE;

/* Closes the loop; every timer and request of others must be gone before. NULL is fine. */
void net_loop_free(struct net_loop *loop);

/* Runs until net_loop_stop. */
void net_loop_run(struct net_loop *loop);
void net_loop_stop(struct net_loop *loop);

/* Lets what was closed finish closing; call between stopping and freeing. */
void net_loop_drain(struct net_loop *loop);

/* Runs `turn` each time before the loop waits for events: the one place where tasks go on and lists
 * are packed. One per loop. */
void net_loop_on_turn(struct net_loop *loop, void (*turn)(void *arg), void *arg);

/* From inside `turn`: the loop looks for events without waiting, and then takes another turn. */
void net_loop_again(struct net_loop *loop);

/* Runs `caught` on SIGINT, SIGTERM and SIGHUP, on the loop thread. A SIGHUP that was ignored when
 * the process began (nohup) stays so. */
int net_loop_on_signal(struct net_loop *loop, void (*caught)(void *arg, int signal_number),
                       void *arg) AP_MUST_USE;

/* A signal came that the loop, which does not turn at the moment, has not told of yet. */
bool net_loop_signal_waits(void);

/* A timer on ap_clock: it is born stopped, and its callback may start, stop or free it. */
int net_timer_new(struct net_loop *loop, void (*fired)(void *arg), void *arg,
                  struct net_timer **out) AP_MUST_USE;
void net_timer_start(struct net_timer *timer, uint64_t wait_ms); /* once; restarts a running one */
void net_timer_stop(struct net_timer *timer);
void net_timer_free(struct net_timer *timer); /* NULL is fine; its callback does not run any more */

/* Runs `work` on the pool, then `done` on the loop thread, later, exactly once; both get arg. */
int net_loop_work(struct net_loop *loop, void (*work)(void *arg), void (*done)(void *arg),
                  void *arg) AP_MUST_USE;

/* libuv's own loop, for the rooms that stand on it (libcurl's and libssh2's sockets). */
uv_loop_t *net_loop_uv(struct net_loop *loop);
