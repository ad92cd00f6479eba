/* What the simulator remembers: submissions and their life cycle, the three digests that belong
 * together, the text behind a URL's id. Memory is bounded: what is only remembered goes first, the
 * oldest submissions after very many. Not thread-safe: under the simulator's lock. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>

#include "base/digest.h"

/* The submissions of one file or URL. Times are unix seconds, 0 for none; due_ms is on ap_clock. */
struct sim_scans {
  int64_t last_s;  /* the newest submission */
  int64_t done_s;  /* the newest before it that finished */
  uint64_t due_ms; /* when the newest is finished */
};

struct sim_subject {
  struct ap_digests digests; /* of a URL: the SHA-256 of its canonical form only */
  char *url;                 /* canonical; NULL for a file */
  struct sim_scans scans;
};

struct sim_life;

int sim_life_new(struct sim_life **out) AP_MUST_USE;
void sim_life_free(struct sim_life *life); /* NULL is fine */

/* Finds by any of the three digests in lower case, or by a URL's id; NULL when it is not
 * remembered. What is returned is valid until the next call that remembers. */
struct sim_subject *sim_life_find_file(struct sim_life *life, const char *digest);
struct sim_subject *sim_life_find_url(struct sim_life *life, const char *sha256);

/* Finds or adds; NULL when out of memory. Real digests replace derived ones of the same SHA-256. */
struct sim_subject *sim_life_remember_file(struct sim_life *life, const struct ap_digests *digests);
struct sim_subject *sim_life_remember_url(struct sim_life *life, const char *sha256,
                                          const char *url);

/* Queues an analysis that is finished after scan_ms. */
void sim_life_submit(struct sim_life *life, struct sim_subject *subject, uint64_t scan_ms);

/* Takes an unfinished analysis back; false when there is none. */
bool sim_scans_cancel(struct sim_scans *scans);

bool sim_scans_are_queued(const struct sim_scans *scans);
int64_t
sim_scans_finished_s(const struct sim_scans *scans); /* of the newest finished one; 0: none */

/* Upload URLs: single use, for an hour, good for one key. */
#define SIM_TOKEN_TEXT 33
int sim_life_give_token(struct sim_life *life, const char *key_id,
                        char token[SIM_TOKEN_TEXT]) AP_MUST_USE;
bool sim_life_take_token(struct sim_life *life, const char *token, const char *key_id);
