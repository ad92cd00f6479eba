/* Either store for each test, in memory and then on disk: define REPORT_BYTES, how much of reports
 * the one in memory keeps, before this is included. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "store_unit.h"

static bool is_on_disk;

static inline int open_store(void **state)
{
  static struct desk desk;
  desk = (struct desk){0};
  *state = &desk;
  if (is_on_disk) {
    folder_make(&folder);
    desk_open(&desk, &folder);
    return 0;
  }
  assert_int_equal(AP_OK, net_loop_new(&desk.loop));
  assert_int_equal(AP_OK, store_memory_new(desk.loop, REPORT_BYTES, &desk.store));
  return 0;
}

static inline int close_store(void **state)
{
  struct desk *desk = *state;
  assert_string_equal("", store_problem(desk->store));
  desk_close(desk);
  if (is_on_disk)
    folder_remove(&folder);
  return 0;
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)
