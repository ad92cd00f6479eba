/* How the two stores stand behind the seam: a call is an op, a store applies ops in order.
 *
 *   store_ask.c    the calls: each makes an op
 *   store_queue.c  ops, and how they come into the queue
 *   store.c        groups the ops of a turn, has them applied, runs their done
 *   memory.c       applies them to hash tables, on the loop thread
 *   disk.c         applies them in one transaction, on the pool */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/loop.h"
#include "store/store.h"

enum store_op_kind {
  STORE_OP_REPORT_GET,
  STORE_OP_REPORT_PUT,
  STORE_OP_REPORT_FORGET,
  STORE_OP_TAKE,
  STORE_OP_COUNT, /* what was granted without asking */
  STORE_OP_RETURN,
  STORE_OP_SPEND_MINUTE,
  STORE_OP_SPEND_DAY,
  STORE_OP_FIND,
  STORE_OP_INTEND,
  STORE_OP_SENT,
  STORE_OP_DONE,
  STORE_OP_SCANNED,
  STORE_OP_ONCE,
  STORE_OP_ONCE_SENT,
  STORE_OP_ONCE_UNDO,
  STORE_OP_USAGE,
  STORE_OP_ENTRIES,
  STORE_OP_PURGE
};

/* VirusTotal counts a request when it arrives, and one may travel faster than the one a minute
 * before it: the minute is taken a second longer. */
enum { STORE_LAZY_SLOTS = 1 << 15, STORE_MINUTE_MS = 60000 + 1000, STORE_DAY_MS = 86400000 };

/* The pool has it while it is applied; nobody else looks at anything but prev and next then. */
struct store_op {
  struct store_op *prev, *next;
  struct store *store;
  enum store_op_kind kind;
  union {
    store_report_fn *report;
    store_grant_fn *grant;
    store_submission_fn *submission;
    store_once_fn *once;
    store_usage_fn *usage;
    store_entries_fn *entries;
    store_count_fn *count;
  } done; /* NULL: nobody waits */
  void *arg;
  bool is_canceled;         /* the loop thread's */
  uint64_t canceled_intent; /* the same: one that this may find, and that is none; 0: none */
  int code;                 /* what came of it */

  /* what is asked; the texts are in memory */
  const char *keys[STORE_KEYS_MAX]; /* of a report; the first: resource, or what is waited for */
  uint32_t key_hashes[STORE_KEYS_MAX];
  size_t key_count;
  char *bytes; /* of a report; a backend may take them. NULL: there are none */
  size_t bytes_len;
  int report_code;
  struct store_lifetimes lifetimes;
  struct store_limits limits;
  uint32_t count;
  int64_t at_ms; /* of a grant, or when a report was fetched; of a purge: before when */
  enum store_submission_kind submission_kind;
  uint64_t id;
  long status; /* of what was sent once */

  /* what is answered */
  struct ap_buf found; /* a report's bytes, what is waited for, or the texts of rows in order */
  struct ap_buf rows;  /* of entries, or of spenders */
  struct ap_buf pending;
  struct store_usage usage;
  struct store_grant grant;
  struct store_submission submission;
  struct store_once once;

  char memory[];
};

/* What the ledger says of a key besides its counts. */
struct store_marks {
  int64_t minute_until_ms; /* the minute counts as full until then */
  int64_t day;             /* counts as spent */
};

struct store_backend {
  /* Applies ops in order, all of them; each gets its code. Writes a sentence on failure. */
  void (*apply)(struct store *store, struct store_op *ops);
  size_t (*open_count)(struct store *store); /* of submissions */
  void (*free)(struct store *store);
  bool is_slow; /* apply waits for a disk */
};

struct store_batch;

/* The beginning of either store. */
struct store {
  const struct store_backend *backend;
  struct net_loop *loop;
  struct net_timer *turn; /* ends the turn: what is queued is applied */
  struct store_op *queue; /* in order */
  bool is_writing;        /* the queue has more than look-ups, or needs what is lazy */
  struct store_op *lazy;  /* writes that may wait a moment; they come before the queue's */
  bool is_due;            /* they have waited long enough, or are many */
  bool is_their_turn;     /* look-ups went before them already */
  uint16_t lazy_keys[STORE_LAZY_SLOTS]; /* how many hashes of their keys fall there */
  size_t lazy_count;
  size_t lazy_bytes;
  struct net_timer *moment;  /* until the lazy ones are applied */
  struct store_op *told;     /* applied: their done runs next */
  struct store_batch *batch; /* on the pool; NULL: none */
  bool is_telling;
  bool has_turn;            /* the timer runs */
  struct store_marks marks; /* as far as this process knows */
  char problem[256];        /* of the last failure */
  char failure[256];        /* apply's sentence; "": it went well */
};

/* Makes the common part of a store that was allocated zeroed. */
int store_init(struct store *store, struct net_loop *loop,
               const struct store_backend *backend) AP_MUST_USE;

/* ---- asking; store_queue.c ---- */

/* A call with one key, or none (NULL). NULL: out of memory. */
struct store_op *store_op_new(struct store *store, enum store_op_kind kind, const char *key);
struct store_op *store_op_new_keyed(struct store *store, enum store_op_kind kind,
                                    const char *const *keys, size_t key_count);
void store_op_free(struct store_op *op);
/* Puts it in the queue: AP_PENDING. */
int store_op_ask(struct store_op *op, void *arg, struct store_op **out) AP_MUST_USE;
/* The same for what nobody waits for; NULL, for want of memory, is said. */
void store_op_send(struct store *store, struct store_op *op);
/* The same for what can be lost with the process: reports, which can be fetched again, and counts
 * that limit nothing. Each commit costs; look-ups are not to wait behind them. */
void store_op_send_lazily(struct store_op *op);
/* Its answer is there already: its done runs at the end of the turn. */
void store_op_tell(struct store_op *op);

/* ---- store.c for store_queue.c, and back ---- */

enum { STORE_LAZY_BYTES = 1 << 19 /* of reports: as many are written at once */ };

void store_start_turn(struct store *store);   /* what is queued is applied at the turn's end */
void store_hurry(struct store *store);        /* lazy writes too */
void store_moment_over(void *arg);            /* arg is the store: they have waited long enough */
void store_take_failure(struct store *store); /* says what apply left in store->failure */
/* Counts the keys of a lazy op in, by 1, or out, by -1. */
void store_lazy_count(struct store *store, const struct store_op *op, int by);

/* ---- store_look.c: lists that are answered ---- */

/* Adds to the answer; strings are copied. ap_buf_error of found, rows and pending tells. */
void store_look_add_spender(struct store_op *op, const struct store_spender *spender);
void store_look_add_pending(struct store_op *op, const struct store_pending *pending);
/* The keys of an entry follow, each with store_look_add_key. */
void store_look_add_entry(struct store_op *op, const struct store_entry *entry);
void store_look_add_key(struct store_op *op, const char *key);
int store_look_error(const struct store_op *op);
void store_look_tell(struct store_op *op); /* runs its done */

/* ---- windows of the quota, the same for both stores ---- */

struct store_used {
  uint32_t minute, day, month;
  uint32_t part;           /* what this process may still have of the minute; UINT32_MAX: all */
  int64_t minute_again_ms; /* when some of the minute returns; when minute is not 0 */
  int64_t part_again_ms;   /* when to ask for more than the part */
  struct store_marks marks;
};

int64_t store_month_of(int64_t unix_ms); /* months since 1900, UTC */
int64_t store_month_begin_ms(int64_t month);
/* How much of what is wanted may be taken; at_unix_ms is now_ms. */
void store_grant_of(const struct store_limits *limits, const struct store_used *used, uint32_t want,
                    int64_t now_ms, struct store_grant *grant);
/* The windows as people want to know them. */
void store_usage_of(const struct store_limits *limits, const struct store_used *used,
                    int64_t now_ms, struct store_usage *usage);
