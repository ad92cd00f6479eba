// SPDX-License-Identifier: Apache-2.0
#include "net/ssh_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct net_ssh_block {
  struct net_ssh_block *prev, *next;
  size_t size;
  _Alignas(max_align_t) unsigned char bytes[];
};

static struct net_ssh_block *block_of(void *ptr)
{
  return (struct net_ssh_block *)(void *)((unsigned char *)ptr -
                                          offsetof(struct net_ssh_block, bytes));
}

void *net_ssh_memory_new(struct net_ssh_memory *memory, size_t size)
{
  if (size > NET_SSH_MEMORY_MAX - memory->bytes)
    return NULL;
  struct net_ssh_block *block = malloc(sizeof(*block) + size);
  if (!block)
    return NULL;
  block->size = size;
  memory->bytes += size;
  DL_APPEND(memory->blocks, block);
  return block->bytes;
}

void net_ssh_memory_free(struct net_ssh_memory *memory, void *ptr)
{
  if (!ptr)
    return;
  struct net_ssh_block *block = block_of(ptr);
  DL_DELETE(memory->blocks, block);
  memory->bytes -= block->size;
  explicit_bzero(block->bytes, block->size);
  free(block);
}

void *net_ssh_memory_resize(struct net_ssh_memory *memory, void *ptr, size_t size)
{
  void *grown = net_ssh_memory_new(memory, size);
  if (!grown || !ptr)
    return grown;
  size_t old = block_of(ptr)->size;
  memcpy(grown, ptr, old < size ? old : size);
  net_ssh_memory_free(memory, ptr);
  return grown;
}

void net_ssh_memory_sweep(struct net_ssh_memory *memory)
{
  while (memory->blocks)
    net_ssh_memory_free(memory, memory->blocks->bytes);
}
