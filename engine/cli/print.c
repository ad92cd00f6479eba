// SPDX-License-Identifier: Apache-2.0
#include "cli/print.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void cli_print_text(const char *text)
{
  for (size_t left = strlen(text); left;) {
    size_t size = ap_utf8_size(text, left);
    bool is_good = size && ap_utf8_is_visible(text, size);
    size += size == 0;
    if (is_good)
      (void)fwrite(text, 1, size, stdout);
    else
      (void)putchar('?');
    text += size;
    left -= size;
  }
}

void cli_print_words(FILE *to, const char *words, size_t indent)
{
  enum { WIDTH = 100 };
  size_t column = indent;
  while (*words) {
    size_t len = strcspn(words, " ");
    if (column > indent && column + 1 + len > WIDTH) {
      (void)fprintf(to, "\n%*s", (int)indent, "");
      column = indent;
    }
    (void)fprintf(to, "%s%.*s", column > indent ? " " : "", (int)len, words);
    column += len + (column > indent);
    words += len + (words[len] == ' ');
  }
  (void)fputc('\n', to);
}

int cli_take_as_json(bool *as_json, const char *value, struct ap_error *err)
{
  *as_json = strcmp(value, "json") == 0;
  if (!*as_json && strcmp(value, "table") != 0)
    return ap_fail(err, AP_E_INVALID, "it must be table or json, not \"%.40s\"", value);
  return AP_OK;
}
