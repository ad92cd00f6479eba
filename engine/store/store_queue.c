/* Ops on their way into the queue before a store. Look-ups need not wait for lazy writes, unless
 * those have what is looked for. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "store/store_private.h"

enum { MOMENT_MS = 250 /* wall time */, LAZY_MAX = 64 };

/* FNV-1a: there may be thousands to compare with. */
static uint32_t hash_of(const char *text)
{
  uint32_t hash = 2166136261U;
  for (; *text; text++)
    hash = (hash ^ (unsigned char)*text) * 16777619U;
  return hash;
}

struct store_op *store_op_new_keyed(struct store *store, enum store_op_kind kind,
                                    const char *const *keys, size_t key_count)
{
  ap_require(key_count <= STORE_KEYS_MAX);
  size_t size = 0;
  for (size_t i = 0; i < key_count; i++)
    size += strlen(keys[i]) + 1;
  struct store_op *op = calloc(1, sizeof(*op) + size);
  if (!op)
    return NULL;
  char *at = op->memory;
  op->store = store;
  op->kind = kind;
  op->key_count = key_count;
  for (size_t i = 0; i < key_count; i++) {
    size_t len = strlen(keys[i]) + 1;
    op->keys[i] = memcpy(at, keys[i], len);
    op->key_hashes[i] = hash_of(keys[i]);
    at += len;
  }
  return op;
}

struct store_op *store_op_new(struct store *store, enum store_op_kind kind, const char *key)
{
  return store_op_new_keyed(store, kind, &key, key ? 1 : 0);
}

/* ---- lazy writes ---- */

/* Where a hash is counted: in two places, so that few that are not there seem to be. */
static void places_of(uint32_t hash, uint32_t *places)
{
  places[0] = hash % STORE_LAZY_SLOTS;
  places[1] = (hash >> 16 ^ hash * 5) % STORE_LAZY_SLOTS;
}

void store_lazy_count(struct store *store, const struct store_op *op, int by)
{
  for (size_t i = 0; i < op->key_count; i++) {
    uint32_t places[2];
    places_of(op->key_hashes[i], places);
    store->lazy_keys[places[0]] = (uint16_t)(store->lazy_keys[places[0]] + by);
    store->lazy_keys[places[1]] = (uint16_t)(store->lazy_keys[places[1]] + by);
  }
}

static bool may_be_lazy(const struct store *store, uint32_t hash)
{
  uint32_t places[2];
  places_of(hash, places);
  return store->lazy_keys[places[0]] && store->lazy_keys[places[1]];
}

static bool is_under_key(const struct store_op *put, const struct store_op *get)
{
  for (size_t i = 0; i < put->key_count; i++)
    if (put->key_hashes[i] == get->key_hashes[0] && strcmp(put->keys[i], get->keys[0]) == 0)
      return true;
  return false;
}

/* A look-up need not wait for lazy writes, unless they have what it looks for. */
static void hurry_for(struct store *store, const struct store_op *get)
{
  const struct store_op *op = store->lazy;
  if (!may_be_lazy(store, get->key_hashes[0]))
    return;
  while (op && !is_under_key(op, get))
    op = op->next;
  if (op)
    store_hurry(store);
}

static void enqueue(struct store_op *op)
{
  struct store *store = op->store;
  if (op->kind == STORE_OP_REPORT_GET)
    hurry_for(store, op);
  else if (op->kind != STORE_OP_FIND)
    store->is_writing = true;
  DL_APPEND(store->queue, op);
  store_start_turn(store);
}

void store_op_send_lazily(struct store_op *op)
{
  struct store *store = op->store;
  if (!store->backend->is_slow || store->is_writing) {
    enqueue(op);
    return;
  }
  if (!store->lazy)
    net_timer_start(store->moment, (uint64_t)(MOMENT_MS * ap_clock_scale()));
  store_lazy_count(store, op, 1);
  DL_APPEND(store->lazy, op);
  store->lazy_bytes += op->bytes_len;
  if (++store->lazy_count >= LAZY_MAX || store->lazy_bytes >= STORE_LAZY_BYTES)
    store_moment_over(store);
}

void store_op_send(struct store *store, struct store_op *op)
{
  if (op) {
    enqueue(op);
    return;
  }
  (void)snprintf(store->failure, sizeof(store->failure), "the state could not be written: %s",
                 ap_error_text(AP_E_NO_MEMORY));
  store_take_failure(store);
}

void store_op_tell(struct store_op *op)
{
  DL_APPEND(op->store->told, op);
  store_start_turn(op->store);
}

int store_op_ask(struct store_op *op, void *arg, struct store_op **out)
{
  op->arg = arg;
  if (out)
    *out = op;
  enqueue(op);
  return AP_PENDING;
}
