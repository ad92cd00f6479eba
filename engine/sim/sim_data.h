/* What is true of an indicator: for a few it is written down, for all others it is derived from a
 * digest of the indicator, so that every run of every simulator agrees.
 *
 * Of the derived files a tenth is unknown and a quarter is malicious (3 to 60 engines); of the URLs
 * a fifth is unknown and a fifth malicious. The others are clean or have one or two detections. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/digest.h"

/* A source of numbers that depends on its seed alone (SplitMix64). */
struct sim_rng {
  uint64_t state;
};

/* @param kind  keeps the numbers of one purpose apart from those of another. */
struct sim_rng sim_rng_of(const char *kind, const char *text);
uint64_t sim_rng_next(struct sim_rng *rng);
unsigned sim_rng_below(struct sim_rng *rng, unsigned limit);
bool sim_rng_chance(struct sim_rng *rng, unsigned percent);
const char *sim_rng_pick(struct sim_rng *rng, const char *const *names, size_t count);
void sim_rng_hex(struct sim_rng *rng, char *out, size_t len); /* len hex characters and a NUL */

struct sim_facts {
  bool is_known;
  unsigned total;
  unsigned positives;
  int64_t scan_s;     /* unix seconds; 1 to 400 days before the midnight given */
  const char *family; /* of the malware; with is_exact the whole name */
  bool is_exact;
  struct sim_rng rng; /* for everything else about it */
};

/* The three digests of a file of which one is known, in lower case. */
void sim_derive_digests(const char *digest, struct ap_digests *out);

void sim_file_facts(const char *sha256, int64_t midnight_s, struct sim_facts *out);
void sim_url_facts(const char *sha256, const char *url, int64_t midnight_s, struct sim_facts *out);

/* Adds "scans": {...} with facts->total engines of which facts->positives detect. */
void sim_write_file_scans(struct ap_buf *out, const struct sim_facts *facts, int64_t scan_s);
void sim_write_url_scans(struct ap_buf *out, const struct sim_facts *facts);
