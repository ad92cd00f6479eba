/* The store of one run: everything in hash tables and lists, the reports within a bound. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "store/memory_private.h"

/* ---- reports ---- */

static void take_key(struct memory *memory, struct report_key *key)
{
  TABLE_REMOVE(hh, memory->report_keys, key);
  key->text = NULL;
}

void memory_report_drop(struct memory *memory, struct report *report)
{
  for (size_t i = 0; i < report->key_count; i++)
    if (report->keys[i].text)
      take_key(memory, &report->keys[i]);
  memory->report_bytes -= sizeof(*report) + report->len;
  DL_DELETE(memory->reports, report);
  free(report->bytes);
  free(report);
}

struct report_key *memory_report_find(struct memory *memory, const struct store_op *op, size_t key)
{
  struct report_key *found = NULL;
  const char *text = op->keys[key];
  HASH_FIND_BYHASHVALUE(hh, memory->report_keys, text, strlen(text), op->key_hashes[key], found);
  return found;
}

static int get_report(struct memory *memory, struct store_op *op)
{
  const struct report_key *found = memory_report_find(memory, op, 0);
  if (!found)
    return AP_E_NOT_FOUND;
  const struct report *report = found->report;
  uint64_t lifetime = report->code == AP_OK ? op->lifetimes.report_ms : op->lifetimes.not_found_ms;
  if (ap_clock_unix_ms() - report->fetched_ms >= (int64_t)lifetime)
    return AP_E_NOT_FOUND;
  ap_buf_add(&op->found, report->bytes, report->len);
  op->report_code = report->code;
  op->at_ms = report->fetched_ms;
  return ap_buf_error(&op->found);
}

static void forget_report(struct memory *memory, const struct store_op *op)
{
  struct report_key *found = memory_report_find(memory, op, 0);
  if (found)
    memory_report_drop(memory, found->report);
}

static struct report *new_report(const struct store_op *op)
{
  size_t size = 0;
  for (size_t i = 0; i < op->key_count; i++)
    size += strlen(op->keys[i]) + 1;
  struct report *report = calloc(1, sizeof(*report) + size);
  if (!report)
    return NULL;
  report->fetched_ms = op->at_ms;
  report->code = op->report_code;
  report->key_count = op->key_count;
  return report;
}

/* A report that was found under a key before is so no more. */
static void add_keys(struct memory *memory, const struct store_op *op, struct report *report)
{
  char *at = report->texts;
  for (size_t i = 0; i < op->key_count; i++) {
    struct report_key *old = memory_report_find(memory, op, i);
    struct report_key *key = &report->keys[i];
    size_t len = strlen(op->keys[i]);
    if (old)
      take_key(memory, old);
    key->report = report;
    key->text = memcpy(at, op->keys[i], len + 1);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, memory->report_keys, key->text, len, op->key_hashes[i], key);
    at += len + 1;
  }
}

static int put_report(struct memory *memory, struct store_op *op)
{
  size_t size = sizeof(struct report) + op->bytes_len;
  if (size > memory->report_bytes_max)
    return AP_OK;
  struct report *report = new_report(op);
  if (!report)
    return AP_E_NO_MEMORY;
  report->bytes = op->bytes;
  report->len = op->bytes_len;
  op->bytes = NULL;
  add_keys(memory, op, report);
  DL_APPEND(memory->reports, report);
  memory->report_bytes += size;
  while (memory->reports && memory->report_bytes > memory->report_bytes_max)
    memory_report_drop(memory, memory->reports);
  return AP_OK;
}

/* ---- quota ---- */

void memory_windows_turn(struct memory *memory, int64_t now_ms)
{
  struct store_used *used = &memory->used;
  while (memory->minute && memory->minute->at_ms + STORE_MINUTE_MS <= now_ms) {
    struct taken *old = memory->minute;
    used->minute -= old->count;
    DL_DELETE(memory->minute, old);
    free(old);
  }
  used->minute_again_ms = memory->minute ? memory->minute->at_ms + STORE_MINUTE_MS : now_ms;
  int64_t day = now_ms / STORE_DAY_MS;
  int64_t month = store_month_of(now_ms);
  if (day != memory->day)
    used->day = 0;
  if (month != memory->month)
    used->month = 0;
  memory->day = day;
  memory->month = month;
}

static int take(struct memory *memory, struct store_op *op)
{
  int64_t now_ms = ap_clock_unix_ms();
  memory_windows_turn(memory, now_ms);
  store_grant_of(&op->limits, &memory->used, op->count, now_ms, &op->grant);
  uint32_t count = op->grant.granted;
  if (op->limits.per_minute && count) {
    struct taken *taken = calloc(1, sizeof(*taken));
    if (!taken)
      return AP_E_NO_MEMORY;
    taken->at_ms = now_ms;
    taken->count = count;
    DL_APPEND(memory->minute, taken);
    memory->used.minute += count;
  }
  memory->used.day += count;
  memory->used.month += count;
  return AP_OK;
}

static void count_taken(struct memory *memory, uint32_t count)
{
  memory_windows_turn(memory, ap_clock_unix_ms());
  memory->used.day += count;
  memory->used.month += count;
}

static void return_taken(struct memory *memory, const struct store_op *op)
{
  struct taken *taken;
  memory_windows_turn(memory, ap_clock_unix_ms());
  for (taken = memory->minute; taken; taken = taken->next)
    if (taken->at_ms == op->at_ms && taken->count >= op->count)
      break;
  if (taken) {
    taken->count -= op->count;
    memory->used.minute -= op->count;
  }
  if (op->at_ms / STORE_DAY_MS == memory->day)
    memory->used.day -= op->count;
  if (store_month_of(op->at_ms) == memory->month)
    memory->used.month -= op->count;
}

/* ---- submissions ---- */

static struct submission *find_submission(struct memory *memory, uint64_t id)
{
  struct submission *found = NULL;
  HASH_FIND(hh, memory->submissions, &id, sizeof(id), found);
  return found;
}

static void forget_wait(struct memory *memory, struct submission *submission)
{
  if (!submission->waited_for)
    return;
  TABLE_REMOVE(by_wait, memory->waits, submission);
  free(submission->waited_for);
  submission->waited_for = NULL;
}

static void drop_submission(struct memory *memory, struct submission *submission)
{
  forget_wait(memory, submission);
  TABLE_REMOVE(hh, memory->submissions, submission);
  free(submission);
}

static int find_open(struct memory *memory, struct store_op *op)
{
  struct submission *found = memory->submissions;
  int64_t oldest_ms = ap_clock_unix_ms() - STORE_DAY_MS;
  while (found && (found->kind != op->submission_kind || found->intended_ms < oldest_ms ||
                   strcmp(found->resource, op->keys[0]) != 0))
    found = found->hh.next;
  if (!found)
    return AP_E_NOT_FOUND;
  op->submission = (struct store_submission){
      .id = found->id,
      .state = found->waited_for ? STORE_SENT : STORE_LOST,
      .intended_unix_ms = found->intended_ms,
  };
  if (found->waited_for)
    ap_buf_add_str(&op->found, found->waited_for);
  return ap_buf_error(&op->found);
}

static int intend(struct memory *memory, struct store_op *op)
{
  int rc = find_open(memory, op);
  if (rc != AP_E_NOT_FOUND)
    return rc;
  size_t len = strlen(op->keys[0]);
  struct submission *submission = calloc(1, sizeof(*submission) + len + 1);
  if (!submission)
    return AP_E_NO_MEMORY;
  memcpy(submission->resource, op->keys[0], len);
  submission->kind = op->submission_kind;
  submission->id = ++memory->last_submission;
  submission->intended_ms = ap_clock_unix_ms();
  HASH_ADD(hh, memory->submissions, id, sizeof(submission->id), submission);
  op->submission = (struct store_submission){
      .id = submission->id, .state = STORE_NEW, .intended_unix_ms = submission->intended_ms};
  return AP_OK;
}

static int sent(struct memory *memory, const struct store_op *op)
{
  struct submission *submission = find_submission(memory, op->id);
  if (!submission)
    return AP_OK;
  const char *waited_for = *op->keys[0] ? op->keys[0] : submission->resource;
  forget_wait(memory, submission);
  submission->waited_for = ap_memdup(waited_for, strlen(waited_for));
  if (!submission->waited_for)
    return AP_E_NO_MEMORY;
  HASH_ADD_KEYPTR(by_wait, memory->waits, submission->waited_for, strlen(submission->waited_for),
                  submission);
  return AP_OK;
}

static void done(struct memory *memory, uint64_t id)
{
  struct submission *submission = find_submission(memory, id);
  if (submission)
    drop_submission(memory, submission);
}

static void scanned(struct memory *memory, const char *waited_for)
{
  for (;;) {
    struct submission *found = NULL;
    HASH_FIND(by_wait, memory->waits, waited_for, strlen(waited_for), found);
    if (!found)
      return;
    drop_submission(memory, found);
  }
}

/* ---- the store ---- */

static int apply_one(struct memory *memory, struct store_op *op)
{
  switch (op->kind) {
  case STORE_OP_REPORT_GET:
    return get_report(memory, op);
  case STORE_OP_REPORT_PUT:
    return put_report(memory, op);
  case STORE_OP_REPORT_FORGET:
    forget_report(memory, op);
    return AP_OK;
  case STORE_OP_TAKE:
    return take(memory, op);
  case STORE_OP_COUNT:
    count_taken(memory, op->count);
    return AP_OK;
  case STORE_OP_RETURN:
    return_taken(memory, op);
    return AP_OK;
  case STORE_OP_SPEND_MINUTE:
    memory->used.marks.minute_until_ms = op->at_ms;
    return AP_OK;
  case STORE_OP_SPEND_DAY:
    memory->used.marks.day = op->at_ms;
    return AP_OK;
  case STORE_OP_FIND:
    return find_open(memory, op);
  case STORE_OP_INTEND:
    return intend(memory, op);
  case STORE_OP_SENT:
    return sent(memory, op);
  case STORE_OP_DONE:
    done(memory, op->id);
    return AP_OK;
  case STORE_OP_SCANNED:
    scanned(memory, op->keys[0]);
    return AP_OK;
  case STORE_OP_ONCE:
    return memory_once_intend(memory, op);
  case STORE_OP_ONCE_SENT:
    return memory_once_sent(memory, op);
  case STORE_OP_ONCE_UNDO:
    memory_once_undo(memory, op);
    return AP_OK;
  case STORE_OP_USAGE:
    return memory_usage(memory, op);
  case STORE_OP_ENTRIES:
    return memory_entries(memory, op);
  case STORE_OP_PURGE:
    memory_purge(memory, op);
    return AP_OK;
  }
  return AP_E_INTERNAL;
}

static void apply(struct store *store, struct store_op *ops)
{
  for (struct store_op *op = ops; op; op = op->next)
    op->code = apply_one((struct memory *)store, op);
}

static size_t open_count(struct store *store)
{
  return HASH_COUNT(((struct memory *)store)->submissions);
}

static void free_memory(struct store *store)
{
  struct memory *memory = (struct memory *)store;
  while (memory->reports)
    memory_report_drop(memory, memory->reports);
  memory_onces_free(memory);
  while (memory->minute) {
    struct taken *taken = memory->minute;
    DL_DELETE(memory->minute, taken);
    free(taken);
  }
  while (memory->submissions)
    drop_submission(memory, memory->submissions);
  free(memory);
}

static const struct store_backend memory_backend = {
    .apply = apply, .open_count = open_count, .free = free_memory};

int store_memory_new(struct net_loop *loop, size_t report_bytes, struct store **out)
{
  struct memory *memory = calloc(1, sizeof(*memory));
  if (!memory)
    return AP_E_NO_MEMORY;
  memory->report_bytes_max = report_bytes;
  memory->used.part = UINT32_MAX;
  memory->used.marks.day = -1;
  if (store_init(&memory->store, loop, &memory_backend) != AP_OK) {
    free(memory);
    return AP_E_NO_MEMORY;
  }
  *out = &memory->store;
  return AP_OK;
}
