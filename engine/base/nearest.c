// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
  size_t least = a < b ? a : b;
  return least < c ? least : c;
}

/* Optimal string alignment distance, case folded. Both are at most LONGEST long. */
static size_t distance(const char *a, const char *b)
{
  size_t rows[3][LONGEST + 1];
  size_t *before = rows[0];
  size_t *last = rows[1];
  size_t *now = rows[2];
  size_t a_len = strlen(a);
  size_t b_len = strlen(b);
  memset(rows, 0, sizeof(rows));
  for (size_t j = 0; j <= b_len; j++)
    last[j] = j;
  for (size_t i = 1; i <= a_len; i++) {
    now[0] = i;
    for (size_t j = 1; j <= b_len; j++) {
      int x = tolower((unsigned char)a[i - 1]);
      int y = tolower((unsigned char)b[j - 1]);
      now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (x == y ? 0 : 1));
      if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
          y == tolower((unsigned char)a[i - 2]) && before[j - 2] + 1 < now[j])
        now[j] = before[j - 2] + 1;
    }
    size_t *spare = before;
    before = last;
    last = now;
    now = spare;
  }
  return last[b_len];
}

const char *ap_nearest(const char *word, const char *const *names, size_t count)
{
  const char *best = NULL;
  size_t best_distance = 0;
  size_t word_len = strlen(word);
  if (word_len > LONGEST)
    return NULL;
  for (size_t i = 0; i < count; i++) {
    size_t name_len = strlen(names[i]);
    if (name_len > LONGEST)
      continue;
    size_t longer = name_len > word_len ? name_len : word_len;
    size_t apart = distance(word, names[i]);
    if (apart * 3 <= longer + 1 && (!best || apart < best_distance)) {
      best = names[i];
      best_distance = apart;
    }
  }
  return best;
}
