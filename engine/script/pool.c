// SPDX-License-Identifier: Apache-2.0
#include "script/pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SLAB_BYTES = 64 * 1024 };

struct pool_block {
  struct pool_block *next;
};

struct pool_slab {
  struct pool_slab *next;
  _Alignas(SCRIPT_POOL_STEP) char bytes[SLAB_BYTES];
};

static bool is_small(size_t size)
{
#ifdef __SANITIZE_ADDRESS__
  (void)size; /* the sanitizer watches over blocks that it gave out itself */
  return false;
#else
  return size > 0 && size <= SCRIPT_POOL_MAX;
#endif
}

static size_t list_of(size_t size)
{
  return (size - 1) / SCRIPT_POOL_STEP;
}

static bool add_slab(struct script_pool *pool)
{
  struct pool_slab *slab = malloc(sizeof(*slab));
  if (!slab)
    return false;
  slab->next = pool->slabs;
  pool->slabs = slab;
  pool->rest = slab->bytes;
  pool->rest_len = sizeof(slab->bytes);
  return true;
}

static void *take(struct script_pool *pool, size_t size)
{
  struct pool_block **list = &pool->free[list_of(size)];
  struct pool_block *block = *list;
  if (block) {
    *list = block->next;
    return block;
  }
  size_t room = (list_of(size) + 1) * SCRIPT_POOL_STEP;
  if (room > pool->rest_len && !add_slab(pool))
    return NULL;
  void *fresh = pool->rest;
  pool->rest += room;
  pool->rest_len -= room;
  return fresh;
}

static void give_back(struct script_pool *pool, void *ptr, size_t size)
{
  struct pool_block *block = ptr;
  block->next = pool->free[list_of(size)];
  pool->free[list_of(size)] = block;
}

void *script_pool_resize(struct script_pool *pool, void *ptr, size_t old_size, size_t new_size)
{
  bool was_small = ptr && is_small(old_size);
  bool will_be_small = is_small(new_size);
  if (!was_small && !will_be_small) {
    if (new_size)
      return realloc(ptr, new_size);
    free(ptr);
    return NULL;
  }
  if (was_small && will_be_small && list_of(old_size) == list_of(new_size))
    return ptr;
  void *fresh = NULL;
  if (new_size) {
    fresh = will_be_small ? take(pool, new_size) : malloc(new_size);
    if (!fresh)
      return NULL;
    if (ptr)
      memcpy(fresh, ptr, old_size < new_size ? old_size : new_size);
  }
  if (was_small)
    give_back(pool, ptr, old_size);
  else
    free(ptr);
  return fresh;
}

void script_pool_deinit(struct script_pool *pool)
{
  while (pool->slabs) {
    struct pool_slab *slab = pool->slabs;
    pool->slabs = slab->next;
    free(slab);
  }
  *pool = (struct script_pool){0};
}
