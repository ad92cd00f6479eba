// SPDX-License-Identifier: Apache-2.0
#include "casefile/tlp.h"

#include <string.h>
#include <strings.h>

void case_tlp_clean(struct ap_slice text, struct ap_buf *out)
{
  static const char prefix[] = "tlp:";
  if (text.len >= strlen(prefix) && strncasecmp(text.ptr, prefix, strlen(prefix)) == 0)
    text = (struct ap_slice){text.ptr + strlen(prefix), text.len - strlen(prefix)};
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    if (c != ' ' && c != '\t' && c != '\0')
      ap_buf_add_char(out, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
  }
}

int case_tlp_rank(const char *word)
{
  static const struct {
    const char *word;
    int rank;
  } ranks[] = {{"clear", 1}, {"white", 1},        {"green", 2},
               {"amber", 3}, {"amber+strict", 4}, {"red", 5}};
  for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++)
    if (strcmp(word, ranks[i].word) == 0)
      return ranks[i].rank;
  return CASE_TLP_UNKNOWN;
}
