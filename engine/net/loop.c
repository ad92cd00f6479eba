// SPDX-License-Identifier: Apache-2.0
#include "net/loop.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"

enum { SIGNAL_COUNT = 3 };

struct net_loop {
  uv_loop_t uv;
  uv_prepare_t prepare;
  uv_idle_t again; /* runs: the loop does not wait this time */
  uv_signal_t signals[SIGNAL_COUNT];
  void (*turn)(void *arg);
  void *turn_arg;
  void (*caught)(void *arg, int signal_number);
  void *caught_arg;
};

struct net_timer {
  uv_timer_t uv;
  void (*fired)(void *arg);
  void *arg;
};

struct work {
  uv_work_t uv;
  void (*work)(void *arg);
  void (*done)(void *arg);
  void *arg;
};

int net_loop_new(struct net_loop **out)
{
  struct net_loop *loop = calloc(1, sizeof(*loop));
  if (!loop)
    return AP_E_NO_MEMORY;
  if (uv_loop_init(&loop->uv)) {
    free(loop);
    return AP_E_NO_MEMORY;
  }
  (void)uv_prepare_init(&loop->uv, &loop->prepare);
  loop->prepare.data = loop;
  (void)uv_idle_init(&loop->uv, &loop->again);
  for (int i = 0; i < SIGNAL_COUNT; i++) {
    (void)uv_signal_init(&loop->uv, &loop->signals[i]);
    loop->signals[i].data = loop;
  }
  *out = loop;
  return AP_OK;
}

void net_loop_free(struct net_loop *loop)
{
  if (!loop)
    return;
  uv_close((uv_handle_t *)&loop->prepare, NULL);
  uv_close((uv_handle_t *)&loop->again, NULL);
  for (int i = 0; i < SIGNAL_COUNT; i++)
    uv_close((uv_handle_t *)&loop->signals[i], NULL);
  net_loop_drain(loop);
  ap_require(uv_loop_close(&loop->uv) == 0);
  free(loop);
}

void net_loop_run(struct net_loop *loop)
{
  (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void net_loop_stop(struct net_loop *loop)
{
  uv_stop(&loop->uv);
}

void net_loop_drain(struct net_loop *loop)
{
  /* A prepare handle that runs keeps uv_run from returning: it rests while closing goes on. */
  (void)uv_prepare_stop(&loop->prepare);
  if (!uv_is_closing((uv_handle_t *)&loop->again))
    (void)uv_idle_stop(&loop->again);
  for (int i = 0; i < SIGNAL_COUNT; i++)
    if (!uv_is_closing((uv_handle_t *)&loop->signals[i]))
      (void)uv_signal_stop(&loop->signals[i]);
  (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void prepare_ran(uv_prepare_t *handle)
{
  struct net_loop *loop = handle->data;
  loop->turn(loop->turn_arg);
}

void net_loop_on_turn(struct net_loop *loop, void (*turn)(void *arg), void *arg)
{
  loop->turn = turn;
  loop->turn_arg = arg;
  (void)uv_prepare_start(&loop->prepare, prepare_ran);
}

static void again_ran(uv_idle_t *handle)
{
  (void)uv_idle_stop(handle);
}

void net_loop_again(struct net_loop *loop)
{
  (void)uv_idle_start(&loop->again, again_ran);
}

/* Signals that came, and those that a loop has told of. */
static volatile sig_atomic_t signals_seen;
static sig_atomic_t signals_told;
static void (*uv_handler)(int signal_number);

static void signal_seen(int signal_number)
{
  signals_seen = signals_seen + 1;
  uv_handler(signal_number);
}

/* libuv's handler still runs, behind one that counts. */
static int count_signals(int number)
{
  struct sigaction action;
  if (sigaction(number, NULL, &action))
    return AP_E_INTERNAL;
  if (action.sa_handler != signal_seen) {
    uv_handler = action.sa_handler;
    action.sa_handler = signal_seen;
  }
  return sigaction(number, &action, NULL) ? AP_E_INTERNAL : AP_OK;
}

bool net_loop_signal_waits(void)
{
  return signals_seen != signals_told;
}

static void signal_caught(uv_signal_t *handle, int signal_number)
{
  struct net_loop *loop = handle->data;
  signals_told++;
  loop->caught(loop->caught_arg, signal_number);
}

static bool is_ignored(int number)
{
  struct sigaction now;
  return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

int net_loop_on_signal(struct net_loop *loop, void (*caught)(void *arg, int signal_number),
                       void *arg)
{
  static const int numbers[SIGNAL_COUNT] = {SIGINT, SIGTERM, SIGHUP};
  loop->caught = caught;
  loop->caught_arg = arg;
  for (int i = 0; i < SIGNAL_COUNT; i++) {
    if (numbers[i] == SIGHUP && is_ignored(SIGHUP))
      continue;
    if (uv_signal_start(&loop->signals[i], signal_caught, numbers[i]) ||
        count_signals(numbers[i]) != AP_OK)
      return AP_E_INTERNAL;
    uv_unref((uv_handle_t *)&loop->signals[i]);
  }
  return AP_OK;
}

static void timer_fired(uv_timer_t *handle)
{
  struct net_timer *timer = handle->data;
  timer->fired(timer->arg);
}

int net_timer_new(struct net_loop *loop, void (*fired)(void *arg), void *arg,
                  struct net_timer **out)
{
  struct net_timer *timer = calloc(1, sizeof(*timer));
  if (!timer)
    return AP_E_NO_MEMORY;
  (void)uv_timer_init(&loop->uv, &timer->uv);
  timer->uv.data = timer;
  timer->fired = fired;
  timer->arg = arg;
  *out = timer;
  return AP_OK;
}

void net_timer_start(struct net_timer *timer, uint64_t wait_ms)
{
  uv_update_time(timer->uv.loop);
  (void)uv_timer_start(&timer->uv, timer_fired, ap_clock_real_wait_ms(wait_ms), 0);
}

void net_timer_stop(struct net_timer *timer)
{
  (void)uv_timer_stop(&timer->uv);
}

static void timer_closed(uv_handle_t *handle)
{
  free(handle->data);
}

void net_timer_free(struct net_timer *timer)
{
  if (timer)
    uv_close((uv_handle_t *)&timer->uv, timer_closed);
}

static void run_work(uv_work_t *request)
{
  struct work *work = request->data;
  work->work(work->arg);
}

static void finish_work(uv_work_t *request, int status)
{
  struct work *work = request->data;
  (void)status; /* nothing of ours is ever canceled */
  work->done(work->arg);
  free(work);
}

int net_loop_work(struct net_loop *loop, void (*work)(void *arg), void (*done)(void *arg),
                  void *arg)
{
  struct work *job = calloc(1, sizeof(*job));
  if (!job)
    return AP_E_NO_MEMORY;
  *job = (struct work){.work = work, .done = done, .arg = arg};
  job->uv.data = job;
  if (uv_queue_work(&loop->uv, &job->uv, run_work, finish_work)) {
    free(job);
    return AP_E_INTERNAL;
  }
  return AP_PENDING;
}

uv_loop_t *net_loop_uv(struct net_loop *loop)
{
  return &loop->uv;
}
