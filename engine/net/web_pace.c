/* Whose turn it is. A request goes when fewer than NET_WEB_IN_FLIGHT of the service are under way
 * and its rate allows one more: `rate` requests in any `per_ms`. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <utlist.h>

#include "base/clock.h"
#include "net/web_private.h"

/* How long until the rate allows one; 0: it does. */
static uint64_t wait_for_rate(const struct net_web_service *service)
{
  if (!service->rate || service->sent_count < service->rate)
    return 0;
  uint64_t free_ms = service->sent_ms[service->sent_at] + service->per_ms;
  uint64_t now_ms = ap_clock_ms();
  return free_ms > now_ms ? free_ms - now_ms : 0;
}

static void count_sent(struct net_web_service *service)
{
  if (!service->rate)
    return;
  uint32_t at = (service->sent_at + service->sent_count) % service->rate;
  service->sent_ms[at] = ap_clock_ms();
  if (service->sent_count < service->rate)
    service->sent_count++;
  else
    service->sent_at = (service->sent_at + 1) % service->rate;
}

static void unready(struct net_web_call *call)
{
  DL_DELETE2(call->service->ready, call, ready_prev, ready_next);
}

static void send_ready(void *arg)
{
  struct net_web_service *service = arg;
  while (service->ready && service->in_flight < NET_WEB_IN_FLIGHT) {
    uint64_t wait_ms = wait_for_rate(service);
    if (wait_ms) {
      net_timer_start(service->pace, wait_ms);
      return;
    }
    struct net_web_call *call = service->ready;
    unready(call);
    count_sent(service);
    call->state = NET_WEB_SENT;
    service->in_flight++;
    net_web_send(call);
  }
}

int net_web_pace_init(struct net_web_service *service)
{
  if (service->rate) {
    service->sent_ms = calloc(service->rate, sizeof(*service->sent_ms));
    if (!service->sent_ms)
      return AP_E_NO_MEMORY;
  }
  return net_timer_new(service->web->loop, send_ready, service, &service->pace);
}

/* From the timer, so that no callback runs before the call that begins it has returned. */
void net_web_make_ready(struct net_web_call *call)
{
  struct net_web_service *service = call->service;
  call->state = NET_WEB_READY;
  DL_APPEND2(service->ready, call, ready_prev, ready_next);
  net_timer_start(service->pace, 0);
}

void net_web_sent_ended(struct net_web_call *call)
{
  call->http_call = NULL;
  net_web_reply_cancel(call);
  call->state = NET_WEB_PAUSED;
  call->service->in_flight--;
  if (call->service->ready)
    net_timer_start(call->service->pace, 0);
}

static void pause_over(void *arg)
{
  net_web_make_ready(arg);
}

int net_web_pause(struct net_web_call *call, uint64_t wait_ms)
{
  int rc = AP_OK;
  if (!call->pause)
    rc = net_timer_new(call->service->web->loop, pause_over, call, &call->pause);
  if (rc == AP_OK)
    net_timer_start(call->pause, wait_ms);
  return rc;
}

void net_web_leave(struct net_web_call *call)
{
  net_timer_free(call->pause);
  call->pause = NULL;
  if (call->state == NET_WEB_READY) {
    unready(call);
  } else if (call->state == NET_WEB_SENT) {
    net_http_cancel(call->http_call);
    net_web_sent_ended(call);
  }
  call->state = NET_WEB_PAUSED;
}
