// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

size_t ap_utf8_size(const char *text, size_t len)
{
  const unsigned char *at = (const unsigned char *)text;
  if (len == 0)
    return 0;
  if (at[0] < 0x80)
    return 1;
  /* The second byte's range depends on the first: RFC 3629, section 4. */
  size_t size;
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
  if (at[0] >= 0xc2 && at[0] <= 0xdf) {
    size = 2;
  } else if (at[0] >= 0xe0 && at[0] <= 0xef) {
    size = 3;
    low = at[0] == 0xe0 ? 0xa0 : low;
    high = at[0] == 0xed ? 0x9f : high;
  } else if (at[0] >= 0xf0 && at[0] <= 0xf4) {
    size = 4;
    low = at[0] == 0xf0 ? 0x90 : low;
    high = at[0] == 0xf4 ? 0x8f : high;
  } else {
    return 0;
  }
  if (len < size || at[1] < low || at[1] > high)
    return 0;
  for (size_t i = 2; i < size; i++)
    if (at[i] < 0x80 || at[i] > 0xbf)
      return 0;
  return size;
}

unsigned ap_utf8_point(const char *text, size_t size)
{
  const unsigned char *at = (const unsigned char *)text;
  if (size == 1)
    return at[0];
  unsigned point = at[0] & (0xffU >> (size + 1));
  for (size_t i = 1; i < size; i++)
    point = point << 6 | (at[i] & 0x3fU);
  return point;
}

bool ap_utf8_is_visible(const char *text, size_t size)
{
  static const struct {
    unsigned first;
    unsigned last;
  } hidden[] = {
      {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},
      {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
      {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
  };
  unsigned point = ap_utf8_point(text, size);
  for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
    if (point <= hidden[i].last)
      return point < hidden[i].first;
  return true;
}

bool ap_utf8_is_valid(const char *text, size_t len)
{
  while (len) {
    size_t size = ap_utf8_size(text, len);
    if (size == 0)
      return false;
    text += size;
    len -= size;
  }
  return true;
}

void ap_utf8_add(struct ap_buf *out, unsigned point)
{
  char bytes[4];
  size_t size;
  if (point < 0x80) {
    bytes[0] = (char)point;
    size = 1;
  } else if (point < 0x800) {
    bytes[0] = (char)(0xc0 | point >> 6);
    bytes[1] = (char)(0x80 | (point & 0x3f));
    size = 2;
  } else if (point < 0x10000) {
    bytes[0] = (char)(0xe0 | point >> 12);
    bytes[1] = (char)(0x80 | (point >> 6 & 0x3f));
    bytes[2] = (char)(0x80 | (point & 0x3f));
    size = 3;
  } else {
    bytes[0] = (char)(0xf0 | point >> 18);
    bytes[1] = (char)(0x80 | (point >> 12 & 0x3f));
    bytes[2] = (char)(0x80 | (point >> 6 & 0x3f));
    bytes[3] = (char)(0x80 | (point & 0x3f));
    size = 4;
  }
  ap_buf_add(out, bytes, size);
}
