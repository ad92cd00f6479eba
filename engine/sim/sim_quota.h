/* Keys, what they may do, and what they have used: a sliding minute on ap_clock_ms, the UTC day and
 * the UTC month. A key is kept as its SHA-256 only. Not thread-safe: under the simulator's lock. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

enum sim_tier { SIM_TIER_PUBLIC, SIM_TIER_PREMIUM, SIM_TIER_REFUSED };

struct sim_limits {
  enum sim_tier tier;
  uint32_t per_minute; /* 0 is no limit, here and below */
  uint32_t per_day;
  uint32_t per_month;
};

struct sim_key;
struct sim_quota;

/* @param usual  what a key may do that was not added. */
int sim_quota_new(const struct sim_limits *usual, struct sim_quota **out) AP_MUST_USE;
void sim_quota_free(struct sim_quota *quota); /* NULL is fine */

bool sim_quota_is_key(struct ap_slice text); /* 64 lower-case hex characters */

/* Gives a key limits of its own; a second time replaces them. */
int sim_quota_add(struct sim_quota *quota, struct ap_slice text,
                  const struct sim_limits *limits) AP_MUST_USE;

/* NULL when text is no key, or a refused one. Valid until the lock is let go. */
struct sim_key *sim_quota_find(struct sim_quota *quota, struct ap_slice text);

bool sim_key_is_premium(const struct sim_key *key);
const char *sim_key_id(const struct sim_key *key); /* SHA-256 of the key, hex */

/* Charges `cost`; false, and nothing is charged, when that is more than is left of any period. */
bool sim_key_charge(struct sim_key *key, uint32_t cost);

/* Takes the last charge back; only right behind sim_key_charge of the same cost. */
void sim_key_refund(struct sim_key *key, uint32_t cost);
