/* The memory of Lua: small blocks from lists, large ones from malloc. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "script/pool.h"
#include "unit.h"

enum { SIZES = SCRIPT_POOL_MAX + 64, BLOCKS = 3000 };

static void check_filled(const char *block, size_t len, char with)
{
  for (size_t i = 0; i < len; i++)
    if (block[i] != with)
      fail_msg("byte %zu of %zu was written over", i, len);
}

static void test_blocks_of_every_size_keep_what_is_in_them(void **state)
{
  struct script_pool pool = {0};
  char *blocks[SIZES];
  (void)state;
  for (size_t size = 1; size < SIZES; size++) {
    blocks[size] = script_pool_resize(&pool, NULL, 0, size);
    assert_non_null(blocks[size]);
    assert_int_equal((uintptr_t)blocks[size] % SCRIPT_POOL_STEP, 0);
    memset(blocks[size], (char)size, size);
  }
  for (size_t size = 1; size < SIZES; size++) {
    check_filled(blocks[size], size, (char)size);
    assert_null(script_pool_resize(&pool, blocks[size], size, 0));
  }
  script_pool_deinit(&pool);
}

static void test_a_block_that_grows_and_shrinks_keeps_its_beginning(void **state)
{
  static const size_t sizes[] = {1, 16, 17, 500, 512, 513, 4000, 100000, 513, 512, 33, 2};
  struct script_pool pool = {0};
  size_t size = 0;
  char *block = NULL;
  (void)state;
  for (size_t i = 0; i < COUNT_OF(sizes); i++) {
    block = script_pool_resize(&pool, block, size, sizes[i]);
    assert_non_null(block);
    check_filled(block, size < sizes[i] ? size : sizes[i], 'x');
    size = sizes[i];
    memset(block, 'x', size);
  }
  assert_null(script_pool_resize(&pool, block, size, 0));
  script_pool_deinit(&pool);
}

static void test_blocks_that_were_freed_are_given_out_again_and_never_twice(void **state)
{
  struct script_pool pool = {0};
  char *blocks[BLOCKS];
  (void)state;
  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; i < BLOCKS; i++) {
      blocks[i] = script_pool_resize(&pool, NULL, 0, 48);
      assert_non_null(blocks[i]);
      memset(blocks[i], (char)i, 48);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
      check_filled(blocks[i], 48, (char)i);
      (void)script_pool_resize(&pool, blocks[i], 48, 0);
    }
  }
  script_pool_deinit(&pool);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_blocks_of_every_size_keep_what_is_in_them),
      cmocka_unit_test(test_a_block_that_grows_and_shrinks_keeps_its_beginning),
      cmocka_unit_test(test_blocks_that_were_freed_are_given_out_again_and_never_twice),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
