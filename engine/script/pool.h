/* Small blocks of memory for Lua, which says of each block how large it is: those that are free
 * wait in a list of their size. Their memory goes back to the system with the pool. Inside the room
 * only. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>

enum { SCRIPT_POOL_STEP = 16, SCRIPT_POOL_MAX = 512 };

/* A zeroed struct is an empty pool. */
struct script_pool {
  struct pool_block *free[SCRIPT_POOL_MAX / SCRIPT_POOL_STEP];
  struct pool_slab *slabs;
  char *rest; /* of the newest slab, what was never given out */
  size_t rest_len;
};

/* As realloc and free, but that the caller knows how large ptr is; ptr NULL has size 0. A size of 0
 * frees. NULL: out of memory, and ptr is as it was. */
void *script_pool_resize(struct script_pool *pool, void *ptr, size_t old_size, size_t new_size);

/* Every small block is gone with it. */
void script_pool_deinit(struct script_pool *pool);
