// SPDX-License-Identifier: Apache-2.0
#include "vt/await.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "vt/client_private.h"

enum { POLL_FAILURES_MAX = 3, POLL_WAIT_MAX_MS = 60000 };

struct vt_wait {
  struct vt_wait *prev, *next;
  struct vt_client *client;
  struct net_timer *timer;
  struct vt_ask *poll; /* under way; NULL: the timer runs */
  enum vt_call call;
  uint64_t wait_ms;
  int64_t poll_at_ms; /* while the timer runs */
  unsigned failures;  /* in a row */
  struct case_cost *cost;
  struct vt_about about;
  vt_done_fn *done;
  void *arg;
  char scan_id[];
};

static void unlink_wait(struct vt_wait *wait)
{
  DL_DELETE(wait->client->waits, wait);
  net_timer_free(wait->timer);
}

static void finish(struct vt_wait *wait, const struct vt_answer *answer)
{
  bool is_over = answer->code != AP_E_QUEUED && answer->code != AP_E_UNAUTHORIZED &&
                 answer->code != AP_E_DENIED;
  if (is_over)
    store_submission_scanned(wait->client->store, wait->scan_id);
  unlink_wait(wait);
  wait->done(wait->arg, answer);
  free(wait); /* the answer may name its scan id */
}

static void give_up(struct vt_wait *wait, const char *why)
{
  char message[400];
  (void)snprintf(message, sizeof(message), "still queued at VirusTotal: %s", why);
  const struct vt_answer answer = {
      .code = AP_E_QUEUED, .message = message, .scan_id = wait->scan_id};
  finish(wait, &answer);
}

static void rest(struct vt_wait *wait)
{
  net_timer_start(wait->timer, wait->wait_ms);
  wait->poll_at_ms = ap_clock_unix_ms() + (int64_t)wait->wait_ms;
  wait->wait_ms += wait->wait_ms / 2;
  if (wait->wait_ms > POLL_WAIT_MAX_MS)
    wait->wait_ms = POLL_WAIT_MAX_MS;
}

static void polled(void *arg, const struct vt_answer *answer)
{
  struct vt_wait *wait = arg;
  wait->poll = NULL;
  switch (answer->code) {
  case AP_OK:
  case AP_E_NOT_FOUND:
  case AP_E_REJECTED:
  case AP_E_UNAUTHORIZED:
  case AP_E_DENIED:
    finish(wait, answer);
    return;
  case AP_E_QUEUED:
    wait->failures = 0;
    rest(wait);
    return;
  case AP_E_LIMITED:
  case AP_E_DEADLINE:
  case AP_E_CANCELED:
    give_up(wait, answer->message);
    return;
  default:
    if (++wait->failures < POLL_FAILURES_MAX)
      rest(wait);
    else
      give_up(wait, answer->message);
  }
}

static int begin_poll(struct vt_wait *wait)
{
  const struct vt_ask_options options = {
      .priority = VT_POLL, .no_cache = true, .cost = wait->cost, .about = wait->about};
  return vt_ask(wait->client, wait->call, wait->scan_id, &options, polled, wait, &wait->poll);
}

static void poll_now(void *arg)
{
  struct vt_wait *wait = arg;
  int rc = begin_poll(wait);
  if (rc != AP_PENDING)
    give_up(wait, ap_error_text(rc));
}

int vt_await(struct vt_client *client, enum vt_call call, const char *scan_id,
             const struct vt_about *about, struct case_cost *cost, vt_done_fn *done, void *arg,
             struct vt_wait **out)
{
  char why[VT_POLICY_WHY];
  size_t len = strlen(scan_id);
  if (len == 0 || (call != VT_FILE_REPORT && call != VT_URL_REPORT))
    return AP_E_INVALID;
  if (client->ended != AP_OK)
    return client->ended;
  struct vt_wait *wait = calloc(1, sizeof(*wait) + len + 1);
  if (!wait)
    return AP_E_NO_MEMORY;
  if (net_timer_new(client->loop, poll_now, wait, &wait->timer) != AP_OK) {
    free(wait);
    return AP_E_NO_MEMORY;
  }
  memcpy(wait->scan_id, scan_id, len);
  wait->client = client;
  wait->call = call;
  wait->wait_ms = client->options.poll_interval_ms;
  wait->about = *about;
  wait->cost = cost;
  wait->done = done;
  wait->arg = arg;
  DL_APPEND(client->waits, wait);
  if (vt_client_judge(client, call, scan_id, about, why) == AP_OK || begin_poll(wait) != AP_PENDING)
    rest(wait); /* what is denied is told at once */
  if (out)
    *out = wait;
  return AP_PENDING;
}

void vt_wait_cancel(struct vt_wait *wait)
{
  if (wait->poll)
    vt_ask_cancel(wait->poll);
  unlink_wait(wait);
  free(wait);
}

int64_t vt_waits_next_ms(const struct vt_client *client)
{
  int64_t next_ms = 0;
  for (const struct vt_wait *wait = client->waits; wait; wait = wait->next)
    if (!wait->poll && (!next_ms || wait->poll_at_ms < next_ms))
      next_ms = wait->poll_at_ms;
  return next_ms;
}

void vt_waits_hurry(struct vt_client *client)
{
  for (struct vt_wait *wait = client->waits; wait; wait = wait->next)
    if (!wait->poll && begin_poll(wait) == AP_PENDING)
      net_timer_stop(wait->timer);
}

void vt_waits_end(struct vt_client *client, const char *why)
{
  while (client->waits) {
    struct vt_wait *wait = client->waits;
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the first is taken out of its list
    if (wait->poll)
      vt_ask_cancel(wait->poll);
    give_up(wait, why);
  }
}
