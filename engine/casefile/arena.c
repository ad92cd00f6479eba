// SPDX-License-Identifier: Apache-2.0
#include "casefile/arena.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct case_arena_block {
  struct case_arena_block *next;
  char bytes[];
};

static char *add_block(struct case_arena *arena, size_t bytes)
{
  struct case_arena_block *block = malloc(sizeof(*block) + bytes);
  if (!block)
    return NULL;
  block->next = arena->blocks;
  arena->blocks = block;
  return block->bytes;
}

/* A large string gets a block of its own, and what is left of the current one stays in use. */
static char *room(struct case_arena *arena, size_t bytes)
{
  if (bytes > BLOCK_BYTES / 4)
    return add_block(arena, bytes);
  if (bytes > arena->left) {
    char *block = add_block(arena, BLOCK_BYTES);
    if (!block)
      return NULL;
    arena->at = block;
    arena->left = BLOCK_BYTES;
  }
  char *at = arena->at;
  arena->at += bytes;
  arena->left -= bytes;
  return at;
}

const char *case_arena_add(struct case_arena *arena, const char *text, size_t len)
{
  char *copy = room(arena, len + 1);
  if (!copy)
    return NULL;
  if (len)
    memcpy(copy, text, len);
  copy[len] = '\0';
  return copy;
}

void case_arena_deinit(struct case_arena *arena)
{
  while (arena->blocks) {
    struct case_arena_block *next = arena->blocks->next;
    free(arena->blocks);
    arena->blocks = next;
  }
  *arena = (struct case_arena){0};
}
