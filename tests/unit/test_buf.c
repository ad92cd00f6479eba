// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static void test_zeroed_buffer_is_an_empty_string(void **state)
{
  (void)state;
  struct ap_buf buf = {0};
  assert_string_equal(ap_buf_cstr(&buf), "");
  assert_int_equal(ap_buf_error(&buf), AP_OK);
  ap_buf_add(&buf, NULL, 0);
  assert_int_equal(buf.len, 0);
  ap_buf_deinit(&buf);
}

static void test_appends_end_with_a_nul(void **state)
{
  (void)state;
  struct ap_buf buf = {0};
  ap_buf_add(&buf, "a\0b", 3);
  ap_buf_add_char(&buf, '-');
  ap_buf_add_str(&buf, "tail");
  ap_buf_add_fmt(&buf, " %d%s", 42, "!");
  assert_int_equal(buf.len, strlen("a_b-tail 42!"));
  assert_memory_equal(buf.ptr, "a\0b-tail 42!", buf.len + 1);
  ap_buf_deinit(&buf);
}

/* Around the size up to which a text is formatted once. */
static void test_formats_of_every_length_are_whole(void **state)
{
  (void)state;
  for (int len = 1; len < 300; len++) {
    struct ap_buf buf = {0};
    ap_buf_add_str(&buf, "x");
    ap_buf_add_fmt(&buf, "%*d!", len, 7);
    assert_int_equal(buf.len, len + 2);
    assert_string_equal(buf.ptr + len, "7!");
    ap_buf_deinit(&buf);
  }
}

static void test_grows_over_many_appends(void **state)
{
  (void)state;
  struct ap_buf buf = {0};
  for (int i = 0; i < 100000; i++)
    ap_buf_add_char(&buf, (char)('a' + i % 26));
  assert_int_equal(ap_buf_error(&buf), AP_OK);
  assert_int_equal(buf.len, 100000);
  for (size_t i = 0; i < buf.len; i++)
    if (buf.ptr[i] != (char)('a' + i % 26))
      fail_msg("byte %zu is wrong", i);
  ap_buf_deinit(&buf);
}

static void test_cap_may_be_filled_and_not_passed(void **state)
{
  (void)state;
  struct ap_buf buf;
  ap_buf_init(&buf, 5);
  ap_buf_add_str(&buf, "12345");
  assert_int_equal(ap_buf_error(&buf), AP_OK);
  ap_buf_add_char(&buf, '6');
  assert_int_equal(ap_buf_error(&buf), AP_E_TOO_LARGE);
  assert_string_equal(ap_buf_cstr(&buf), "12345");
  ap_buf_deinit(&buf);
}

static void test_failed_buffer_takes_nothing_until_cleared(void **state)
{
  (void)state;
  struct ap_buf buf;
  ap_buf_init(&buf, 3);
  ap_buf_add_str(&buf, "too long");
  ap_buf_add_str(&buf, "ab");
  ap_buf_add_fmt(&buf, "%c", 'c');
  assert_null(ap_buf_room(&buf, 0));
  assert_int_equal(buf.len, 0);
  ap_buf_clear(&buf);
  ap_buf_add_str(&buf, "abc");
  assert_int_equal(ap_buf_error(&buf), AP_OK);
  assert_string_equal(ap_buf_cstr(&buf), "abc");
  ap_buf_deinit(&buf);
}

static void test_absurd_sizes_are_too_large(void **state)
{
  (void)state;
  struct ap_buf buf = {0};
  ap_buf_add_str(&buf, "x");
  assert_null(ap_buf_room(&buf, SIZE_MAX));
  assert_int_equal(ap_buf_error(&buf), AP_E_TOO_LARGE);
  ap_buf_clear(&buf);
  ap_buf_add_str(&buf, "x");
  assert_null(ap_buf_room(&buf, SIZE_MAX - 1));
  assert_int_equal(ap_buf_error(&buf), AP_E_TOO_LARGE);
  ap_buf_deinit(&buf);
}

static void test_room_that_was_filled_is_a_string(void **state)
{
  (void)state;
  struct ap_buf buf = {0};
  char *room = ap_buf_room(&buf, 3);
  assert_non_null(room);
  assert_string_equal(ap_buf_cstr(&buf), "");
  memcpy(room, "abc", 3);
  buf.len += 3;
  assert_string_equal(ap_buf_cstr(&buf), "abc");
  ap_buf_deinit(&buf);
}

static void test_deinit_and_wipe_leave_an_empty_buffer_with_its_cap(void **state)
{
  (void)state;
  struct ap_buf buf;
  ap_buf_init(&buf, 4);
  ap_buf_add_str(&buf, "1234");
  ap_buf_deinit(&buf);
  assert_null(buf.ptr);
  assert_int_equal(buf.max, 4);
  ap_buf_add_str(&buf, "12345");
  assert_int_equal(ap_buf_error(&buf), AP_E_TOO_LARGE);
  ap_buf_wipe(&buf);
  assert_int_equal(ap_buf_error(&buf), AP_OK);
  ap_buf_wipe(&buf);
  assert_int_equal(buf.len, 0);
}

static void test_slice_is_compares_length_and_bytes(void **state)
{
  (void)state;
  struct ap_slice slice = {"queued!", 6};
  assert_true(ap_slice_is(slice, "queued"));
  assert_false(ap_slice_is(slice, "queued!"));
  assert_false(ap_slice_is(slice, "queue"));
  assert_true(ap_slice_is((struct ap_slice){0}, ""));
  assert_false(ap_slice_is((struct ap_slice){0}, "x"));
}

static void test_memdup_copies_nuls_and_ends_with_one(void **state)
{
  (void)state;
  char *copy = ap_memdup("a\0b?", 3);
  assert_non_null(copy);
  assert_memory_equal(copy, "a\0b\0", 4);
  free(copy);
  copy = ap_memdup(NULL, 0);
  assert_non_null(copy);
  assert_string_equal(copy, "");
  free(copy);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_formats_of_every_length_are_whole),
      cmocka_unit_test(test_zeroed_buffer_is_an_empty_string),
      cmocka_unit_test(test_appends_end_with_a_nul),
      cmocka_unit_test(test_grows_over_many_appends),
      cmocka_unit_test(test_cap_may_be_filled_and_not_passed),
      cmocka_unit_test(test_failed_buffer_takes_nothing_until_cleared),
      cmocka_unit_test(test_absurd_sizes_are_too_large),
      cmocka_unit_test(test_room_that_was_filled_is_a_string),
      cmocka_unit_test(test_deinit_and_wipe_leave_an_empty_buffer_with_its_cap),
      cmocka_unit_test(test_slice_is_compares_length_and_bytes),
      cmocka_unit_test(test_memdup_copies_nuls_and_ends_with_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
