/* What people are told of the store in memory. Nobody but this run takes from its quota. */
// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "store/memory_private.h"

int memory_usage(struct memory *memory, struct store_op *op)
{
  int64_t now_ms = ap_clock_unix_ms();
  size_t count = 0;
  memory_windows_turn(memory, now_ms);
  store_usage_of(&op->limits, &memory->used, now_ms, &op->usage);
  for (const struct submission *at = memory->submissions; at && count < STORE_PENDING_MAX;
       at = at->hh.next, count++) {
    const struct store_pending pending = {
        .kind = at->kind,
        .resource = at->resource,
        .waited_for = at->waited_for,
        .intended_unix_ms = at->intended_ms,
    };
    store_look_add_pending(op, &pending);
  }
  return store_look_error(op);
}

static void add_entry(struct store_op *op, const struct report *report)
{
  const struct store_entry entry = {
      .code = report->code, .fetched_unix_ms = report->fetched_ms, .bytes = report->len};
  store_look_add_entry(op, &entry);
  for (size_t i = 0; i < report->key_count; i++)
    if (report->keys[i].text)
      store_look_add_key(op, report->keys[i].text);
}

int memory_entries(struct memory *memory, struct store_op *op)
{
  const struct report_key *key = op->key_count ? memory_report_find(memory, op, 0) : NULL;
  if (key)
    add_entry(op, key->report);
  for (const struct report *at = op->key_count ? NULL : memory->reports; at; at = at->next)
    add_entry(op, at);
  return store_look_error(op);
}

void memory_purge(struct memory *memory, struct store_op *op)
{
  const struct report_key *key = op->key_count ? memory_report_find(memory, op, 0) : NULL;
  struct report *at = op->key_count ? (key ? key->report : NULL) : memory->reports;
  op->count = 0;
  while (at) {
    struct report *next = op->key_count ? NULL : at->next;
    if (at->fetched_ms < op->at_ms) {
      memory_report_drop(memory, at);
      op->count++;
    }
    at = next;
  }
}
