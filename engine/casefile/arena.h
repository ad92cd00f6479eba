/* Strings that live as long as their case, in blocks instead of one allocation each. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>

struct case_arena_block;

/* A zeroed struct is an empty arena. */
struct case_arena {
  struct case_arena_block *blocks;
  char *at;
  size_t left;
};

/* A copy with a NUL behind; NULL when out of memory. Not aligned. */
const char *case_arena_add(struct case_arena *arena, const char *text, size_t len);
void case_arena_deinit(struct case_arena *arena);
