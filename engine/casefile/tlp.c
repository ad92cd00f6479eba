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

enum { GREEN = 2 };

int case_tlp_rank(const char *word)
{
  static const struct {
    const char *word;
    int rank;
  } ranks[] = {{"clear", 1}, {"white", 1},        {"green", GREEN},
               {"amber", 3}, {"amber+strict", 4}, {"red", 5}};
  for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++)
    if (strcmp(word, ranks[i].word) == 0)
      return ranks[i].rank;
  return CASE_TLP_UNKNOWN;
}

bool case_tlp_may_leave(const char *word)
{
  return case_tlp_rank(word) <= GREEN;
}

bool case_tlp_is_known(const char *text)
{
  struct ap_buf word = {0};
  case_tlp_clean((struct ap_slice){text, strlen(text)}, &word);
  bool is_known = !ap_buf_error(&word) && case_tlp_rank(ap_buf_cstr(&word)) != CASE_TLP_UNKNOWN;
  ap_buf_deinit(&word);
  return is_known;
}

const char *case_tlp_stricter(const char *a, const char *b)
{
  if (!a || !b)
    return a ? a : b;
  return case_tlp_rank(b) > case_tlp_rank(a) ? b : a;
}
