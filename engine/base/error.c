// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static const struct {
  const char *word;
  const char *text;
} errors[AP_ERROR_COUNT] = {
#define X(name, word, text) [AP_INDEX_##name] = {word, text},
    AP_ERROR_MAP(X)
#undef X
};

static int index_of(int code)
{
  int index = -1 - code;
  return index >= 0 && index < AP_ERROR_COUNT ? index : AP_INDEX_INTERNAL;
}

const char *ap_error_word(int code)
{
  return code >= 0 ? "ok" : errors[index_of(code)].word;
}

const char *ap_error_text(int code)
{
  return code >= 0 ? "no error" : errors[index_of(code)].text;
}

int ap_fail(struct ap_error *err, int code, const char *fmt, ...)
{
  if (!err)
    return code;
  va_list args;
  va_start(args, fmt);
  err->code = code;
  (void)vsnprintf(err->text, sizeof(err->text), fmt, args);
  va_end(args);
  return code;
}

int ap_fail_context(struct ap_error *err, const char *fmt, ...)
{
  if (!err)
    return AP_E_INTERNAL;
  char before[sizeof(err->text)];
  va_list args;
  va_start(args, fmt);
  int len = vsnprintf(before, sizeof(before) - 2, fmt, args);
  va_end(args);
  if (len < 0)
    return err->code;
  size_t shift = strlen(before);
  memcpy(before + shift, ": ", 2);
  shift += 2;
  memmove(err->text + shift, err->text, sizeof(err->text) - shift);
  memcpy(err->text, before, shift);
  err->text[sizeof(err->text) - 1] = '\0';
  return err->code;
}

void ap_require_failed(const char *what, const char *file, int line)
{
  ap_log_take_line_off();
  (void)fprintf(stderr, "apogee: a bug: %s does not hold at %s:%d\n", what, file, line);
  abort();
}
