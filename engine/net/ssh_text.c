// SPDX-License-Identifier: Apache-2.0
#include "net/ssh_text.h"

#include <string.h>

#include "base/utf8.h"

void net_ssh_clean(char *out, size_t size, const char *text, size_t len)
{
  size_t used = 0;
  size_t at = 0;
  while (at < len && used + 1 < size) {
    size_t step = ap_utf8_size(text + at, len - at);
    if (step && ap_utf8_is_visible(text + at, step)) {
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
