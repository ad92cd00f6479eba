// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vt/await.h"
#include "vt/client_private.h"

/* Half of more polls a minute than this is no bound: nothing sends that many. */
enum { BOUNDED_PER_MINUTE_MAX = 100000 };

void vt_options_init(struct vt_options *options)
{
  *options = (struct vt_options){
      .url = "https://www.virustotal.com/vtapi/v2",
      .limits = {.per_minute = 4, .per_day = 500, .per_month = 15500},
      .list = 4,
      .jobs = 32,
      .retries = 3,
      .retry_delay_ms = 1000,
      .poll_interval_ms = 60000,
      .timeout_ms = 60000,
      .max_wait_ms = 3600000,
      .report_lifetime_ms = 3600000,
      .not_found_lifetime_ms = 600000,
      .upload_max_bytes = 200000000,
      .comments = VT_COMMENTS_ALL,
  };
}

/* ---- ending ---- */

void vt_client_end(struct vt_client *client, int code, const char *message)
{
  struct vt_item *item;
  if (client->ended == AP_OK || (client->ended == AP_E_LIMITED && code != AP_E_LIMITED)) {
    client->ended = code;
    (void)snprintf(client->ended_message, sizeof(client->ended_message), "%s", message);
  }
  vt_quota_drop(client);
  vt_waits_hurry(client);
  while (code != AP_E_LIMITED && client->fresh)
    vt_item_fail(client->fresh, code, message);
  while (code != AP_E_LIMITED && client->looking)
    vt_item_fail(client->looking, code, message);
  while ((item = vt_client_first(client)))
    vt_item_fail(item, code, message);
  while (client->resting)
    vt_item_fail(client->resting, code, message);
}

/* Only those that wait for quota; what comes later meets the deadline itself. */
static void end_limited(struct vt_client *client)
{
  struct vt_item *item;
  char message[256];
  (void)snprintf(message, sizeof(message), "the deadline of the run came while %s",
                 client->quota_message);
  while ((item = vt_client_first(client)))
    vt_item_fail(item, AP_E_LIMITED, message);
}

/* An intent that came to nothing, or an upload that was cut before its end. */
static bool was_not_submitted(const struct vt_item *item, bool was_launched)
{
  if (item->call == VT_FILE_SCAN)
    was_launched = vt_upload_may_have_arrived(item);
  return !was_launched && !item->was_doubted;
}

static void stop_batch(struct vt_batch *batch, int code)
{
  bool is_submission = vt_call_info(batch->call)->is_submission;
  bool was_launched = batch->http_call != NULL;
  // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the first is taken out of its list
  vt_batch_abort(batch);
  for (size_t i = 0; i < batch->count; i++)
    if (is_submission && was_not_submitted(batch->items[i], was_launched))
      vt_item_refuse(batch->items[i], code, ap_error_text(code));
    else if (is_submission)
      vt_item_fail(batch->items[i], AP_E_QUEUED,
                   "the run ended before VirusTotal answered: the submission may have arrived");
    else
      vt_item_fail(batch->items[i], code, ap_error_text(code));
  free(batch);
}

void vt_client_stop(struct vt_client *client, int code)
{
  if (code == AP_E_DEADLINE && client->waits_for_quota)
    end_limited(client);
  vt_client_end(client, code, ap_error_text(code));
  vt_waits_end(client, ap_error_text(code));
  while (client->batches) {
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the first is taken out of its list
    stop_batch(client->batches, code);
  }
}

/* ---- what others may ask ---- */

int vt_client_judge(const struct vt_client *client, enum vt_call call, const char *resource,
                    const struct vt_about *about, char why[VT_POLICY_WHY])
{
  const struct vt_policy *policy = client->options.policy;
  return policy ? vt_policy_judge(policy, call, resource, about, why) : AP_OK;
}

bool vt_client_is_refused(const struct vt_client *client)
{
  return client->ended == AP_E_UNAUTHORIZED;
}

bool vt_client_was_answered(const struct vt_client *client)
{
  return client->is_answered;
}

static bool is_busy(const struct vt_client *client)
{
  return client->in_flight || client->fresh || client->looking || client->take ||
         vt_client_first(client);
}

void vt_client_standing(const struct vt_client *client, struct vt_standing *standing)
{
  *standing = (struct vt_standing){.knows_quota = client->knows_quota,
                                   .minute_left = client->minute_left,
                                   .day_left = client->day_left};
  if (client->waits_for_quota) {
    standing->waiting_for = VT_WAITS_QUOTA;
    standing->until_unix_ms = client->quota_again_ms;
  } else if (is_busy(client)) {
    standing->waiting_for = VT_WAITS_NOT;
  } else if (client->resting) {
    standing->waiting_for = VT_WAITS_RETRY;
    standing->until_unix_ms = client->rest_soonest_ms;
  } else if (client->waits) {
    standing->waiting_for = VT_WAITS_SCAN;
    standing->until_unix_ms = vt_waits_next_ms(client);
  }
}

uint64_t vt_client_upload_max(const struct vt_client *client)
{
  return client->options.upload_max_bytes;
}

const char *vt_client_refusal(const struct vt_client *client)
{
  return *client->refusal ? client->refusal : NULL;
}

const char *vt_client_unreachable(const struct vt_client *client)
{
  return *client->unreachable && !client->is_answered ? client->unreachable : NULL;
}

bool vt_comments_are_wanted(const struct vt_client *client, bool is_risky)
{
  enum vt_comments wanted = client->options.comments;
  if (!client->options.has_comments || client->comments_are_refused)
    return false;
  return wanted == VT_COMMENTS_ALL || (wanted == VT_COMMENTS_RISKY && is_risky);
}

/* ---- birth and death ---- */

static int init_polls(struct vt_client *client)
{
  uint32_t per_minute = client->options.limits.per_minute;
  if (per_minute == 0 || per_minute > BOUNDED_PER_MINUTE_MAX)
    return AP_OK;
  client->poll_max = per_minute > 1 ? per_minute / 2 : 1;
  client->poll_ms = calloc(client->poll_max, sizeof(*client->poll_ms));
  return client->poll_ms ? AP_OK : AP_E_NO_MEMORY;
}

static int init(struct vt_client *client)
{
  client->rest_soonest_ms = client->wake_at_ms = INT64_MAX;
  client->url = strdup(client->options.url);
  if (!client->url)
    return AP_E_NO_MEMORY;
  size_t len = strlen(client->url);
  while (len && client->url[len - 1] == '/')
    client->url[--len] = '\0';
  int rc = init_polls(client);
  return rc == AP_OK ? net_timer_new(client->loop, vt_woken, client, &client->wake) : rc;
}

int vt_client_new(struct net_loop *loop, struct net_http *http, struct store *store,
                  const struct vt_options *options, struct vt_client **out, struct ap_error *err)
{
  if (!net_http_url_is_allowed(options->url))
    return ap_fail(err, AP_E_INVALID, "virustotal.url: use https (http is for loopback only)");
  if (options->list < 1 || options->list > VT_LIST_MAX)
    return ap_fail(err, AP_E_INVALID, "virustotal.tier: a list has 1 to %d items", VT_LIST_MAX);
  struct vt_client *client = calloc(1, sizeof(*client));
  if (!client)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  client->loop = loop;
  client->http = http;
  client->store = store;
  client->options = *options;
  if (init(client) != AP_OK) {
    vt_client_free(client);
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  }
  *out = client;
  return AP_OK;
}

void vt_client_free(struct vt_client *client)
{
  struct vt_item *item;
  if (!client)
    return;
  vt_quota_drop(client);
  while (client->waits)
    vt_wait_cancel(client->waits);
  while (client->doubted) /* before what they ask */
    vt_item_drop(client->doubted);
  while (client->batches) {
    struct vt_batch *batch = client->batches;
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the first is taken out of its list
    vt_batch_abort(batch);
    for (size_t i = 0; i < batch->count; i++)
      vt_item_drop(batch->items[i]);
    free(batch);
  }
  while ((item = vt_client_first(client)))
    vt_item_drop(item);
  while (client->resting)
    vt_item_drop(client->resting);
  while (client->fresh)
    vt_item_drop(client->fresh);
  while (client->looking)
    vt_item_drop(client->looking);
  net_timer_free(client->wake);
  free(client->poll_ms);
  free(client->url);
  free(client);
}
