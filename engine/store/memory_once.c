/* What is sent once, in the store of one run. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "store/memory_private.h"

static struct memory_once *find(struct memory *memory, const struct store_op *op)
{
  struct memory_once *once = memory->onces;
  while (once && (strcmp(once->run, op->keys[0]) != 0 || strcmp(once->name, op->keys[1]) != 0))
    once = once->next;
  return once;
}

static int add(struct memory *memory, const struct store_op *op)
{
  size_t run_size = strlen(op->keys[0]) + 1;
  size_t name_size = strlen(op->keys[1]) + 1;
  struct memory_once *once = calloc(1, sizeof(*once) + run_size + name_size);
  if (!once)
    return AP_E_NO_MEMORY;
  memcpy(once->run, op->keys[0], run_size);
  memcpy(once->run + run_size, op->keys[1], name_size);
  once->name = once->run + run_size;
  DL_APPEND(memory->onces, once);
  return AP_OK;
}

int memory_once_intend(struct memory *memory, struct store_op *op)
{
  const struct memory_once *once = find(memory, op);
  op->once = (struct store_once){.state = STORE_ONCE_NEW};
  if (!once)
    return add(memory, op);
  op->once.state = once->status ? STORE_ONCE_SENT : STORE_ONCE_LOST;
  op->once.status = once->status;
  ap_buf_add(&op->found, once->body, once->body_len);
  return ap_buf_error(&op->found);
}

int memory_once_sent(struct memory *memory, struct store_op *op)
{
  struct memory_once *once = find(memory, op);
  if (!once)
    return AP_OK;
  free(once->body);
  once->status = op->status;
  once->body = op->bytes;
  once->body_len = op->bytes_len;
  op->bytes = NULL;
  return AP_OK;
}

static void drop(struct memory *memory, struct memory_once *once)
{
  DL_DELETE(memory->onces, once);
  free(once->body);
  free(once);
}

void memory_once_undo(struct memory *memory, const struct store_op *op)
{
  struct memory_once *once = find(memory, op);
  if (once && !once->status)
    drop(memory, once);
}

void memory_onces_free(struct memory *memory)
{
  while (memory->onces)
    drop(memory, memory->onces);
}
