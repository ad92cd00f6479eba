// SPDX-License-Identifier: Apache-2.0
#include "net/ssh_text.h"

#include <string.h>

#include "base/utf8.h"

static unsigned point_of(const unsigned char *c, size_t size)
{
  if (size == 1)
    return c[0];
  unsigned point = c[0] & (0xffU >> (size + 1));
  for (size_t i = 1; i < size; i++)
    point = point << 6 | (c[i] & 0x3fU);
  return point;
}

static bool is_harmless(unsigned point)
{
  return point >= 0x20 && !(point >= 0x7f && point < 0xa0) && point != 0x61c &&
         !(point >= 0x200b && point <= 0x200f) && !(point >= 0x2028 && point <= 0x202e) &&
         !(point >= 0x2060 && point <= 0x206f) && point != 0xfeff;
}

void net_ssh_clean(char *out, size_t size, const char *text, size_t len)
{
  size_t used = 0;
  size_t at = 0;
  while (at < len && used + 1 < size) {
    size_t step = ap_utf8_size(text + at, len - at);
    if (step && is_harmless(point_of((const unsigned char *)text + at, step))) {
      if (used + step >= size)
        break;
      memcpy(out + used, text + at, step);
      used += step;
    } else {
      out[used++] = '?';
    }
    at += step ? step : 1;
  }
  out[used] = '\0';
}

bool net_ssh_list_has(const char *list, const char *word)
{
  size_t len = strlen(word);
  for (const char *at = list; at; at = strchr(at, ',')) {
    at += *at == ',' ? 1 : 0;
    if (strncmp(at, word, len) == 0 && (at[len] == ',' || at[len] == '\0'))
      return true;
  }
  return false;
}
