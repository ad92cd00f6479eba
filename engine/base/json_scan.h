/* What the files that read JSON share. Inside the room only. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A byte of a string that may be passed over: no quote and no backslash; with only_ascii, printable
 * and below DEL too. */
static inline bool ap_json_is_text(char c, bool only_ascii)
{
  return c != '"' && c != '\\' && (!only_ascii || (c >= 0x20 && c < 0x7f));
}

#ifdef __SSE2__
/* A bit for each of the 16 bytes at `at` that is none such. Bytes compare as signed: those above
 * ASCII are below a space. */
static inline unsigned ap_json_no_text(const char *at, bool only_ascii)
{
  __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
  __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                               _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
  if (only_ascii) {
    found = _mm_or_si128(found, _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)));
    found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
  }
  return (unsigned)_mm_movemask_epi8(found);
}
#endif

/* Behind the bytes from at on that may be passed over. */
static inline const char *ap_json_skip_text(const char *at, const char *end, bool only_ascii)
{
#ifdef __SSE2__
  for (; end - at >= (long)sizeof(__m128i); at += sizeof(__m128i)) {
    unsigned found = ap_json_no_text(at, only_ascii);
    if (found)
      return at + __builtin_ctz(found);
  }
#endif
  while (at < end && ap_json_is_text(*at, only_ascii))
    at++;
  return at;
}

static inline bool ap_json_is_space(char c)
{
  return (unsigned char)c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

/* Behind the `{` or `[` at at and all that belongs to it; end when it does not end. */
const char *ap_json_container_end(const char *at, const char *end);

/* Reads what follows a backslash and `u`, a surrogate pair included. Moves *at behind it. */
bool ap_json_read_escape_u(const char **at, const char *end, unsigned *point);
