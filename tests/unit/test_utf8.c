// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <string.h>

#include "unit.h"

static void test_size_of_the_first_character(void **state)
{
  (void)state;
  static const struct {
    const char *what;
    const char *text;
    size_t size;
  } cases[] = {
      {"empty", "", 0},
      {"ASCII", "az", 1},
      {"DEL", "\x7f", 1},
      {"first of two bytes", "\xc2\x80z", 2},
      {"last of two bytes", "\xdf\xbf", 2},
      {"first of three bytes", "\xe0\xa0\x80", 3},
      {"the last before the surrogates", "\xed\x9f\xbf", 3},
      {"the first behind the surrogates", "\xee\x80\x80", 3},
      {"last of three bytes", "\xef\xbf\xbf", 3},
      {"first of four bytes", "\xf0\x90\x80\x80", 4},
      {"U+10FFFF", "\xf4\x8f\xbf\xbf", 4},
      {"U+110000", "\xf4\x90\x80\x80", 0},
      {"five bytes", "\xf8\x88\x80\x80\x80", 0},
      {"overlong NUL", "\xc0\x80", 0},
      {"overlong slash", "\xc0\xaf", 0},
      {"overlong slash in three", "\xe0\x80\xaf", 0},
      {"overlong in four", "\xf0\x80\x80\xaf", 0},
      {"high surrogate", "\xed\xa0\x80", 0},
      {"low surrogate", "\xed\xbf\xbf", 0},
      {"continuation first", "\x80", 0},
      {"cut off after one of two", "\xc3", 0},
      {"cut off after two of three", "\xe2\x82", 0},
      {"cut off after three of four", "\xf0\x9f\x98", 0},
      {"ASCII where a continuation is due", "\xe2\x82z", 0},
      {"0xff", "\xff", 0},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    size_t size = ap_utf8_size(cases[i].text, strlen(cases[i].text));
    if (size != cases[i].size)
      fail_msg("%s: %zu instead of %zu", cases[i].what, size, cases[i].size);
  }
}

static void test_never_reads_past_the_length(void **state)
{
  (void)state;
  static const char text[] = "\xf0\x9f\x98\x80";
  for (size_t len = 0; len < 4; len++)
    assert_int_equal(ap_utf8_size(text, len), 0);
  assert_int_equal(ap_utf8_size(text, 4), 4);
}

static void test_whole_text_is_valid_or_not(void **state)
{
  (void)state;
  assert_true(ap_utf8_is_valid("", 0));
  assert_true(ap_utf8_is_valid("a\0b", 3));
  assert_true(ap_utf8_is_valid("na\xc3\xafve \xf0\x9f\x98\x80", 11));
  assert_false(ap_utf8_is_valid("na\xefve", 5));
  assert_false(ap_utf8_is_valid("fine until \xe2\x82", 13));
}

static void test_every_code_point_is_written_valid(void **state)
{
  (void)state;
  struct ap_buf buf = {0};
  for (unsigned point = 0; point <= 0x10ffff; point++) {
    if (point >= 0xd800 && point <= 0xdfff)
      continue;
    ap_buf_clear(&buf);
    ap_utf8_add(&buf, point);
    if (ap_utf8_size(buf.ptr, buf.len) != buf.len)
      fail_msg("U+%04X", point);
  }
  ap_buf_clear(&buf);
  ap_utf8_add(&buf, 0xe9);
  ap_utf8_add(&buf, 0x20ac);
  ap_utf8_add(&buf, 0x1f600);
  assert_string_equal(ap_buf_cstr(&buf), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  ap_buf_deinit(&buf);
}

static void test_what_is_not_seen_is_known(void **state)
{
  (void)state;
  static const struct {
    unsigned point;
    bool is_visible;
  } cases[] = {
      {0, false},      {0x0a, false},   {0x1b, false},    {0x1f, false},    {' ', true},
      {'~', true},     {0x7f, false},   {0x80, false},    {0x9b, false},    {0x9f, false},
      {0xa0, true},    {0xad, false},   {0xe9, true},     {0x61c, false},   {0x180e, false},
      {0x200a, true},  {0x200b, false}, {0x200f, false},  {0x2010, true},   {0x2028, false},
      {0x202e, false}, {0x202f, true},  {0x2060, false},  {0x2066, false},  {0x206f, false},
      {0x2070, true},  {0xfeff, false}, {0xfff9, false},  {0xfffb, false},  {0xfffd, true},
      {0x1f600, true}, {0xdffff, true}, {0xe0000, false}, {0xe007f, false}, {0x10ffff, true},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_buf buf = {0};
    ap_utf8_add(&buf, cases[i].point);
    assert_int_equal(ap_utf8_point(buf.ptr, buf.len), cases[i].point);
    if (ap_utf8_is_visible(buf.ptr, buf.len) != cases[i].is_visible)
      fail_msg("U+%04X", cases[i].point);
    ap_buf_deinit(&buf);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_size_of_the_first_character),
      cmocka_unit_test(test_never_reads_past_the_length),
      cmocka_unit_test(test_whole_text_is_valid_or_not),
      cmocka_unit_test(test_every_code_point_is_written_valid),
      cmocka_unit_test(test_what_is_not_seen_is_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
