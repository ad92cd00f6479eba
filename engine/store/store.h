/* What outlives a request: fetched reports, the quota ledger, the journal of submissions, runs.
 *
 * One seam, two stores: one in memory for one run (memory.c), one on disk that all processes of the
 * user share (disk.c). Calls are made on the loop thread and never wait for a disk. They take
 * effect in the order in which they are made; those of one turn of the loop are one transaction.
 * Only fetched reports, and counts where nothing is limited, are written up to a quarter of a
 * second later: a process that is killed loses those, and nothing else that was asked of the store.
 * What has a `done` returns AP_PENDING, and done runs exactly once, later; what has none tells of a
 * failure in the log and by store_problem. Times are ap_clock's. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/secret.h"

struct net_loop;
struct store;
struct store_op; /* a call whose done is yet to run */

/* Everything but loop and folder is copied. */
struct store_options {
  const char *service;         /* whose answers and quota: the URL of the API */
  const struct ap_secret *key; /* whose quota; only a keyed digest of it is kept. NULL: nobody's */
  const char *spender;         /* who takes quota, for people: "run triage" */
  uint64_t keep_reports_ms;    /* how long a report is kept; 0: as long as there is room */
  uint64_t keep_runs_ms;       /* and the record of a run */
  uint64_t keep_bytes;         /* of the file: over it the oldest reports go; 0: no bound */
  uint64_t patience_ms;        /* how long another process's lock is waited for, wall time */
};

/* Sensible values, for nobody's key. */
void store_options_init(struct store_options *options);

/* The version of SQLite that was loaded.
 * @param logs_ahead  it may keep a write-ahead log, for it cannot lose pages by the log's reset */
const char *store_library(bool *logs_ahead);

/* Opens the store in a folder, which is made (0700) when it is missing. AP_E_IO, AP_E_BUSY (locked
 * by another process), AP_E_INVALID (damaged, or written by a newer Apogee) with a sentence that
 * says what to do.
 * @param loop  borrowed until store_free */
int store_open(struct net_loop *loop, const char *folder, const struct store_options *options,
               struct store **out, struct ap_error *err) AP_MUST_USE;

/* @param report_bytes  how much of fetched reports is kept; the oldest go first */
int store_memory_new(struct net_loop *loop, size_t report_bytes, struct store **out) AP_MUST_USE;

/* Does what was asked for, waiting for the disk; no done runs any more. Before the loop is freed.
 * NULL is fine. */
void store_free(struct store *store);

/* Does what was asked for, waiting for the disk; its done runs later. For commands and tests. */
void store_settle(struct store *store);

/* Why the store failed the last time: a sentence; "" when it never did. */
const char *store_problem(const struct store *store);

/* Its done does not run; what the call takes (quota, an intent) is given back. */
void store_cancel(struct store_op *op);

/* ---- reports ---- */

enum { STORE_KEYS_MAX = 4 };

/* How old an answer may be to be found. */
struct store_lifetimes {
  uint64_t report_ms;
  uint64_t not_found_ms;
};

/* Borrowed for the callback. */
struct store_report {
  struct ap_slice raw; /* as it was put, byte for byte */
  int code; /* it was put with: AP_OK, or AP_E_NOT_FOUND for "VirusTotal does not know it" */
  int64_t fetched_unix_ms;
};

/* AP_OK and the report, or AP_E_NOT_FOUND: there is none young enough; another code: the store
 * failed. report is NULL unless AP_OK. */
typedef void store_report_fn(void *arg, int code, const struct store_report *report);

/* @param op  for store_cancel; may be NULL */
int store_report_get(struct store *store, const char *key, const struct store_lifetimes *lifetimes,
                     store_report_fn *done, void *arg, struct store_op **op) AP_MUST_USE;

/* Keeps an answer, once, under 1 to STORE_KEYS_MAX keys. Best effort: a store that is full may drop
 * it. */
void store_report_put(struct store *store, const char *const *keys, size_t key_count,
                      struct ap_slice raw, int code);

/* Forgets the answer that is kept under a key, under its other keys too. */
void store_report_forget(struct store *store, const char *key);

/* ---- quota ---- */

/* 0 is no limit. */
struct store_limits {
  uint32_t per_minute; /* sliding 60 s */
  uint32_t per_day;    /* UTC */
  uint32_t per_month;  /* UTC */
  uint32_t reserve;    /* of the day's: it is left for others */
};

struct store_grant {
  uint32_t granted;      /* 0 to what was wanted */
  int64_t at_unix_ms;    /* when granted is not 0: the moment that counts, for store_quota_return */
  int64_t again_unix_ms; /* when granted is 0: when to ask again, for some of it returns */
  const char *window;    /* when granted is 0: "minute", "day" or "month" */
  bool is_reserved;      /* when granted is 0: there is some of the day, and it is the reserve */
  uint32_t minute_left;  /* after this grant; UINT32_MAX: no limit */
  uint32_t day_left;     /* the same, but for the reserve */
};

/* AP_OK and a grant, or why the ledger could not be read or written; grant is NULL then. */
typedef void store_grant_fn(void *arg, int code, const struct store_grant *grant);

/* Takes up to want look-ups from the ledger of the key, as many as are left in each window. While
 * other processes wait, none has more than its part of the minute. */
int store_quota_take(struct store *store, const struct store_limits *limits, uint32_t want,
                     store_grant_fn *done, void *arg, struct store_op **op) AP_MUST_USE;

/* Gives back what was granted at a moment and is not needed: nothing was sent for it. */
void store_quota_return(struct store *store, int64_t at_unix_ms, uint32_t count);

/* VirusTotal says the quota is spent: the minute counts as full from now on, or the whole day. */
void store_quota_spend_minute(struct store *store);
void store_quota_spend_day(struct store *store);

/* ---- submissions: intent, then send, then id, then done ---- */

enum store_submission_kind { STORE_UPLOAD, STORE_URL_SCAN, STORE_RESCAN };

enum store_submission_state {
  STORE_NEW,       /* it was not in the journal; now it is, as this process's */
  STORE_UNDER_WAY, /* another process that lives is about to send it */
  STORE_LOST,      /* it may have been sent: its process ended before it knew, or gave up */
  STORE_SENT       /* and VirusTotal took it */
};

/* Borrowed for the callback. */
struct store_submission {
  uint64_t id;
  enum store_submission_state state;
  const char *waited_for; /* STORE_SENT: the scan id, or the resource */
  int64_t intended_unix_ms;
};

/* submission is NULL unless AP_OK. */
typedef void store_submission_fn(void *arg, int code, const struct store_submission *submission);

/* Looks for an open submission of the same thing, of a day at most. AP_E_NOT_FOUND: none. */
int store_submission_find(struct store *store, enum store_submission_kind kind,
                          const char *resource, store_submission_fn *done, void *arg,
                          struct store_op **op) AP_MUST_USE;

/* Journals that `resource` (SHA-256 or URL) is about to be submitted; before the first byte that
 * could do it. What is open of the same thing already is given instead, and is not to be sent: no
 * two processes get STORE_NEW. */
int store_submission_intend(struct store *store, enum store_submission_kind kind,
                            const char *resource, store_submission_fn *done, void *arg,
                            struct store_op **op) AP_MUST_USE;

/* VirusTotal took it. scan_id "": it gave none, and the resource is what is waited for. */
void store_submission_sent(struct store *store, uint64_t id, const char *scan_id);
/* It is over: the report came, or VirusTotal did not take it. */
void store_submission_done(struct store *store, uint64_t id);
/* The same, by what is waited for: every submission that was sent and got this scan id, or has
 * this resource and got none. There may be none. */
void store_submission_scanned(struct store *store, const char *waited_for);

/* Intended or sent, not done. Settles; for commands and tests. */
size_t store_submission_open_count(struct store *store);

/* ---- what is sent once: intent, then send, then answer ---- */

enum store_once_state {
  STORE_ONCE_NEW,  /* it was not in the journal; now it is */
  STORE_ONCE_SENT, /* it was sent, and answered */
  STORE_ONCE_LOST  /* it may have been sent: nobody knows */
};

/* Borrowed for the callback. */
struct store_once {
  enum store_once_state state;
  long status;          /* STORE_ONCE_SENT: of the answer */
  struct ap_slice body; /* the same */
};

/* found is NULL unless AP_OK. */
typedef void store_once_fn(void *arg, int code, const struct store_once *found);

/* Journals that something is about to be sent, unless it is in the journal already. One process
 * alone may ask for a run. What a run sent is kept as long as its record, and a month at least. */
int store_once_intend(struct store *store, const char *run, const char *name, store_once_fn *done,
                      void *arg, struct store_op **op) AP_MUST_USE;
void store_once_sent(struct store *store, const char *run, const char *name, long status,
                     struct ap_slice body);
/* Nothing of it left. What was answered stays. */
void store_once_undo(struct store *store, const char *run, const char *name);

/* ---- what the ledger and the journal say, for people ---- */

struct store_window {
  uint32_t used;
  uint32_t left;         /* UINT32_MAX: no limit */
  int64_t again_unix_ms; /* when some of what is used returns; 0: nothing is used */
};

struct store_spender {
  const char *name; /* as in store_options */
  uint64_t today;
  uint64_t this_month;
};

/* A submission that is open. */
struct store_pending {
  enum store_submission_kind kind;
  const char *resource;
  const char *waited_for; /* NULL: it was not sent yet, or nobody knows */
  int64_t intended_unix_ms;
};

enum { STORE_PENDING_MAX = 1000 };

/* Borrowed for the callback. */
struct store_usage {
  struct store_window minute; /* counted where there is a limit of the minute */
  struct store_window day;
  struct store_window month;
  bool day_is_marked;                   /* VirusTotal said that the day is spent */
  const struct store_spender *spenders; /* of the month, the greatest first; none in memory */
  size_t spender_count;
  const struct store_pending *pending; /* oldest first, STORE_PENDING_MAX at most */
  size_t pending_count;
};

/* usage is NULL unless AP_OK. */
typedef void store_usage_fn(void *arg, int code, const struct store_usage *usage);

/* Takes nothing. The submissions are those of the service, whoever's key sent them. */
int store_usage_get(struct store *store, const struct store_limits *limits, store_usage_fn *done,
                    void *arg, struct store_op **op) AP_MUST_USE;

/* ---- what is kept of reports, for people ---- */

/* An answer that is kept. */
struct store_entry {
  const char *keys; /* one behind the other, each ended by a NUL */
  size_t key_count;
  int code; /* AP_OK or AP_E_NOT_FOUND */
  int64_t fetched_unix_ms;
  uint64_t bytes;
};

/* entries is NULL unless AP_OK; borrowed for the callback. */
typedef void store_entries_fn(void *arg, int code, const struct store_entry *entries, size_t count);

/* The answers of the service that are kept, of any age, oldest first; with a key the one under it,
 * if there is one. */
int store_report_entries(struct store *store, const char *key, store_entries_fn *done, void *arg,
                         struct store_op **op) AP_MUST_USE;

/* How many; 0 unless AP_OK. */
typedef void store_count_fn(void *arg, int code, size_t count);

/* Removes the answers of the service that were fetched before a time; with a key only the one
 * under it. */
int store_report_purge(struct store *store, const char *key, int64_t before_unix_ms,
                       store_count_fn *done, void *arg, struct store_op **op) AP_MUST_USE;
