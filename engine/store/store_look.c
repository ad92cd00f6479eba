/* What people ask of a store: usage, entries, purging. A list is built in buffers of its op: rows,
 * and behind each other the texts that they name, which are found again in the same order. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "store/store_private.h"

/* ---- building an answer ---- */

static void add_text(struct store_op *op, const char *text)
{
  ap_buf_add(&op->found, text, strlen(text) + 1);
}

void store_look_add_spender(struct store_op *op, const struct store_spender *spender)
{
  ap_buf_add(&op->rows, spender, sizeof(*spender));
  add_text(op, spender->name);
}

void store_look_add_pending(struct store_op *op, const struct store_pending *pending)
{
  ap_buf_add(&op->pending, pending, sizeof(*pending));
  add_text(op, pending->resource);
  if (pending->waited_for)
    add_text(op, pending->waited_for);
}

void store_look_add_entry(struct store_op *op, const struct store_entry *entry)
{
  struct store_entry row = *entry;
  row.key_count = 0;
  ap_buf_add(&op->rows, &row, sizeof(row));
}

void store_look_add_key(struct store_op *op, const char *key)
{
  if (ap_buf_error(&op->rows))
    return;
  struct store_entry *rows = (struct store_entry *)(void *)op->rows.ptr;
  rows[op->rows.len / sizeof(*rows) - 1].key_count++;
  add_text(op, key);
}

int store_look_error(const struct store_op *op)
{
  if (ap_buf_error(&op->found))
    return ap_buf_error(&op->found);
  return ap_buf_error(&op->rows) ? ap_buf_error(&op->rows) : ap_buf_error(&op->pending);
}

/* ---- telling it ---- */

static const char *next_text(const char **at)
{
  const char *text = *at;
  *at += strlen(text) + 1;
  return text;
}

static void tell_usage(struct store_op *op)
{
  struct store_spender *spenders = (struct store_spender *)(void *)op->rows.ptr;
  struct store_pending *pending = (struct store_pending *)(void *)op->pending.ptr;
  const char *at = op->found.ptr;
  op->usage.spenders = spenders;
  op->usage.spender_count = op->rows.len / sizeof(*spenders);
  op->usage.pending = pending;
  op->usage.pending_count = op->pending.len / sizeof(*pending);
  for (size_t i = 0; i < op->usage.spender_count; i++)
    spenders[i].name = next_text(&at);
  for (size_t i = 0; i < op->usage.pending_count; i++) {
    pending[i].resource = next_text(&at);
    if (pending[i].waited_for)
      pending[i].waited_for = next_text(&at);
  }
  op->done.usage(op->arg, AP_OK, &op->usage);
}

static void tell_entries(struct store_op *op)
{
  struct store_entry *entries = (struct store_entry *)(void *)op->rows.ptr;
  size_t count = op->rows.len / sizeof(*entries);
  const char *at = op->found.ptr;
  for (size_t i = 0; i < count; i++) {
    entries[i].keys = at;
    for (size_t key = 0; key < entries[i].key_count; key++)
      (void)next_text(&at);
  }
  op->done.entries(op->arg, AP_OK, entries, count);
}

void store_look_tell(struct store_op *op)
{
  if (op->kind == STORE_OP_PURGE)
    op->done.count(op->arg, op->code, op->code == AP_OK ? op->count : 0);
  else if (op->kind == STORE_OP_USAGE && op->code == AP_OK)
    tell_usage(op);
  else if (op->kind == STORE_OP_USAGE)
    op->done.usage(op->arg, op->code, NULL);
  else if (op->code == AP_OK)
    tell_entries(op);
  else
    op->done.entries(op->arg, op->code, NULL, 0);
}

/* ---- asking ---- */

int store_usage_get(struct store *store, const struct store_limits *limits, store_usage_fn *done,
                    void *arg, struct store_op **op)
{
  struct store_op *asked = store_op_new(store, STORE_OP_USAGE, NULL);
  if (!asked)
    return AP_E_NO_MEMORY;
  asked->limits = *limits;
  asked->done.usage = done;
  return store_op_ask(asked, arg, op);
}

int store_report_entries(struct store *store, const char *key, store_entries_fn *done, void *arg,
                         struct store_op **op)
{
  struct store_op *asked = store_op_new(store, STORE_OP_ENTRIES, key);
  if (!asked)
    return AP_E_NO_MEMORY;
  asked->done.entries = done;
  return store_op_ask(asked, arg, op);
}

int store_report_purge(struct store *store, const char *key, int64_t before_unix_ms,
                       store_count_fn *done, void *arg, struct store_op **op)
{
  struct store_op *asked = store_op_new(store, STORE_OP_PURGE, key);
  if (!asked)
    return AP_E_NO_MEMORY;
  asked->at_ms = before_unix_ms;
  asked->done.count = done;
  return store_op_ask(asked, arg, op);
}
