/* What outlives a request: fetched reports, the quota ledger, the journal of submissions.
 *
 * This is the seam for a store on disk. The one behind it now keeps everything in memory for one
 * run, the reports within a bound. Calls are made on the loop thread; times are ap_clock's. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

#include "base/buf.h"

struct store;

/* @param report_bytes  how much of fetched reports is kept; the oldest go first */
int store_memory_new(size_t report_bytes, struct store **out) AP_MUST_USE;
void store_free(struct store *store); /* NULL is fine */

/* ---- reports ---- */

/* Finds what was kept under a key and is younger than its lifetime: adds the bytes to raw and gives
 * the code it was kept with (AP_OK, or AP_E_NOT_FOUND for "VirusTotal does not know it"). False
 * when there is none. */
bool store_report_get(struct store *store, const char *key, struct ap_buf *raw, int *code,
                      int64_t *fetched_unix_ms);

/* Keeps an answer under 1 to 4 keys. Best effort: a store that is full of newer things may drop it.
 */
void store_report_put(struct store *store, const char *const *keys, size_t key_count,
                      struct ap_slice raw, int code, uint64_t lifetime_ms);

/* Forgets the answer that is kept under a key, under its other keys too. */
void store_report_forget(struct store *store, const char *key);

/* ---- quota ---- */

/* 0 is no limit. */
struct store_limits {
  uint32_t per_minute; /* sliding 60 s */
  uint32_t per_day;    /* UTC */
  uint32_t per_month;  /* UTC */
};

struct store_grant {
  uint32_t granted;      /* 0 to what was wanted */
  int64_t again_unix_ms; /* when granted is 0: when some of it returns */
  const char *window;    /* when granted is 0: "minute", "day" or "month" */
};

/* Takes up to want look-ups from the ledger, as many as are left in each window. */
void store_quota_take(struct store *store, const struct store_limits *limits, uint32_t want,
                      struct store_grant *grant);

/* VirusTotal says the quota is spent: the minute counts as full from now on, or the whole day. */
void store_quota_spend_minute(struct store *store);
void store_quota_spend_day(struct store *store);

/* ---- submissions: intent, then send, then id, then done ---- */

enum store_submission { STORE_UPLOAD, STORE_URL_SCAN, STORE_RESCAN };

/* Journals that `resource` (SHA-256 or URL) is about to be submitted; before the first byte that
 * could do it. */
int store_submission_intend(struct store *store, enum store_submission kind, const char *resource,
                            uint64_t *id) AP_MUST_USE;
/* VirusTotal took it. scan_id "": it gave none, and the resource is what is waited for. */
int store_submission_sent(struct store *store, uint64_t id, const char *scan_id) AP_MUST_USE;
/* It is over: the report came, or VirusTotal did not take it. */
int store_submission_done(struct store *store, uint64_t id) AP_MUST_USE;
/* The same, by what is waited for: every submission that was sent and got this scan id, or has
 * this resource and got none. There may be none. */
void store_submission_scanned(struct store *store, const char *waited_for);
size_t store_submission_open_count(const struct store *store); /* intended or sent, not done */
