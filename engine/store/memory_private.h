/* What the files of the store in memory share.
 *
 *   memory.c        what a run asks
 *   memory_once.c   what is sent once
 *   memory_look.c   what people are told */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/table.h"
#include "store/store_private.h"

struct report_key {
  UT_hash_handle hh;
  struct report *report;
  const char *text; /* NULL: a later report has the key */
};

/* One answer, found under each of its keys. */
struct report {
  struct report *prev, *next; /* oldest first */
  int64_t fetched_ms;
  int code;
  size_t key_count;
  struct report_key keys[STORE_KEYS_MAX];
  char *bytes;
  size_t len;
  char texts[]; /* of the keys */
};

/* Look-ups taken at one moment. */
struct taken {
  struct taken *prev, *next;
  int64_t at_ms;
  uint32_t count;
};

struct submission {
  UT_hash_handle hh;
  uint64_t id;
  enum store_submission_kind kind;
  int64_t intended_ms;
  char *waited_for; /* the scan id, or the resource; NULL: not sent yet */
  UT_hash_handle by_wait;
  char resource[];
};

struct memory_once {
  struct memory_once *prev, *next;
  long status; /* 0: not answered */
  char *body;
  size_t body_len;
  const char *name; /* in run */
  char run[];       /* and behind its NUL the name */
};

struct memory {
  struct store store; /* first */
  size_t report_bytes_max;
  size_t report_bytes;
  struct report *reports;
  struct report_key *report_keys;
  struct taken *minute;
  struct store_used used;
  int64_t day; /* the counts are of: days since 1970, UTC */
  int64_t month;
  struct submission *submissions;
  struct submission *waits; /* the same, those that were sent; may hold one scan id twice */
  uint64_t last_submission;
  struct memory_once *onces;
};

void memory_report_drop(struct memory *memory, struct report *report);
/* Under one of the op's keys; NULL: there is none. */
struct report_key *memory_report_find(struct memory *memory, const struct store_op *op, size_t key);
void memory_windows_turn(struct memory *memory, int64_t now_ms); /* what is over leaves them */

/* memory_once.c */
int memory_once_intend(struct memory *memory, struct store_op *op);
int memory_once_sent(struct memory *memory, struct store_op *op);
void memory_once_undo(struct memory *memory, const struct store_op *op);
void memory_onces_free(struct memory *memory);

int memory_usage(struct memory *memory, struct store_op *op);
int memory_entries(struct memory *memory, struct store_op *op);
void memory_purge(struct memory *memory, struct store_op *op);
