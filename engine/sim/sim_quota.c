// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_quota.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/table.h"

/* Keys are made up by whoever asks: beyond this many the one that came first is forgotten. */
enum { KEYS_MAX = 10000, MINUTE_MS = 60000 };

struct charge {
  uint64_t at_ms;
  uint32_t cost;
  struct charge *next;
};

struct period {
  int64_t number; /* of the day since 1970, or the month since 1900 */
  uint64_t used;
};

struct sim_key {
  char id[65];
  struct sim_limits limits;
  bool is_added;
  struct charge *charges; /* of the last minute, oldest first; kept only where there is a limit */
  struct charge *newest;
  uint64_t minute_used;
  struct period day;
  struct period month;
  UT_hash_handle hh;
};

struct sim_quota {
  struct sim_limits usual;
  struct sim_key *keys;
};

int sim_quota_new(const struct sim_limits *usual, struct sim_quota **out)
{
  struct sim_quota *quota = calloc(1, sizeof(*quota));
  if (!quota)
    return AP_E_NO_MEMORY;
  quota->usual = *usual;
  *out = quota;
  return AP_OK;
}

static void free_key(struct sim_quota *quota, struct sim_key *key)
{
  TABLE_REMOVE(hh, quota->keys, key);
  while (key->charges) {
    struct charge *next = key->charges->next;
    free(key->charges);
    key->charges = next;
  }
  free(key);
}

void sim_quota_free(struct sim_quota *quota)
{
  if (!quota)
    return;
  while (quota->keys)
    free_key(quota, quota->keys);
  free(quota);
}

bool sim_quota_is_key(struct ap_slice text)
{
  if (text.len != 64)
    return false;
  for (size_t i = 0; i < text.len; i++)
    if (!memchr("0123456789abcdef", text.ptr[i], 16))
      return false;
  return true;
}

static void forget_one(struct sim_quota *quota)
{
  struct sim_key *key = quota->keys;
  while (key && key->is_added)
    key = key->hh.next;
  if (key)
    free_key(quota, key);
}

static struct sim_key *find_or_add(struct sim_quota *quota, struct ap_slice text)
{
  char id[65];
  struct sim_key *key = NULL;
  if (ap_sha256_hex(text.ptr, text.len, id))
    return NULL;
  HASH_FIND(hh, quota->keys, id, 64, key);
  if (key)
    return key;
  if (HASH_COUNT(quota->keys) >= KEYS_MAX)
    forget_one(quota);
  key = calloc(1, sizeof(*key));
  if (!key)
    return NULL;
  memcpy(key->id, id, sizeof(id));
  key->limits = quota->usual;
  HASH_ADD(hh, quota->keys, id, 64, key);
  return key;
}

int sim_quota_add(struct sim_quota *quota, struct ap_slice text, const struct sim_limits *limits)
{
  struct sim_key *key = find_or_add(quota, text);
  if (!key)
    return AP_E_NO_MEMORY;
  key->limits = *limits;
  key->is_added = true;
  return AP_OK;
}

struct sim_key *sim_quota_find(struct sim_quota *quota, struct ap_slice text)
{
  struct sim_key *key = sim_quota_is_key(text) ? find_or_add(quota, text) : NULL;
  return key && key->limits.tier != SIM_TIER_REFUSED ? key : NULL;
}

bool sim_key_is_premium(const struct sim_key *key)
{
  return key->limits.tier == SIM_TIER_PREMIUM;
}

const char *sim_key_id(const struct sim_key *key)
{
  return key->id;
}

static void drop_old_charges(struct sim_key *key, uint64_t now_ms)
{
  while (key->charges && key->charges->at_ms + MINUTE_MS <= now_ms) {
    struct charge *next = key->charges->next;
    key->minute_used -= key->charges->cost;
    free(key->charges);
    key->charges = next;
  }
}

static bool add_charge(struct sim_key *key, uint64_t now_ms, uint32_t cost)
{
  struct charge *charge = malloc(sizeof(*charge));
  if (!charge)
    return false;
  *charge = (struct charge){now_ms, cost, NULL};
  if (key->charges)
    key->newest->next = charge;
  else
    key->charges = charge;
  key->newest = charge;
  key->minute_used += cost;
  return true;
}

static void enter_period(struct period *period, int64_t number)
{
  if (period->number != number)
    *period = (struct period){number, 0};
}

static bool fits(uint64_t used, uint32_t cost, uint32_t limit)
{
  return limit == 0 || used + cost <= limit;
}

bool sim_key_charge(struct sim_key *key, uint32_t cost)
{
  uint64_t now_ms = ap_clock_ms();
  time_t now_s = (time_t)(ap_clock_unix_ms() / 1000);
  struct tm parts = {0};
  (void)gmtime_r(&now_s, &parts);
  enter_period(&key->day, now_s / 86400);
  enter_period(&key->month, parts.tm_year * 12 + parts.tm_mon);
  drop_old_charges(key, now_ms);
  const struct sim_limits *limits = &key->limits;
  if (cost == 0)
    return true;
  if (!fits(key->minute_used, cost, limits->per_minute) ||
      !fits(key->day.used, cost, limits->per_day) ||
      !fits(key->month.used, cost, limits->per_month))
    return false;
  if (limits->per_minute && !add_charge(key, now_ms, cost))
    return false;
  key->day.used += cost;
  key->month.used += cost;
  return true;
}

void sim_key_refund(struct sim_key *key, uint32_t cost)
{
  key->day.used -= cost;
  key->month.used -= cost;
  if (!key->limits.per_minute || cost == 0)
    return;
  key->minute_used -= cost;
  key->newest->cost = 0;
}
