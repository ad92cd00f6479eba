/* Where a container ends. Most of an answer is passed over, often more than once: sixteen bytes at
 * a time, where the processor can. */
// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>

#include "base/json_scan.h"

struct nesting {
  size_t depth;
  bool in_string;
  bool is_escaped; /* the next character, by a backslash */
};

/* True when the character closes the outermost container. */
static bool step(struct nesting *nesting, char c)
{
  if (nesting->is_escaped) {
    nesting->is_escaped = false;
  } else if (nesting->in_string) {
    nesting->is_escaped = c == '\\';
    nesting->in_string = c != '"';
  } else if (c == '"') {
    nesting->in_string = true;
  } else if (c == '{' || c == '[') {
    nesting->depth++;
  } else if (c == '}' || c == ']') {
    return --nesting->depth == 0;
  }
  return false;
}

#ifdef __SSE2__
enum { BLOCK = sizeof(__m128i), ALL_OF_BLOCK = (1 << BLOCK) - 1 };

static unsigned where(__m128i bytes, char c)
{
  return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
}

static size_t count_of(unsigned bits)
{
  size_t count = 0;
  for (; bits; bits &= bits - 1)
    count++;
  return count;
}

/* From the quotes: which bytes are in strings, the opening quotes among them. */
static unsigned in_strings(unsigned quotes, bool begins_in_string)
{
  for (int shift = 1; shift < BLOCK; shift *= 2)
    quotes ^= quotes << shift;
  return (quotes ^ (begins_in_string ? ALL_OF_BLOCK : 0U)) & ALL_OF_BLOCK;
}

/* Steps over a block at once; false, and nothing done, when it has a backslash or may close the
 * outermost container. */
static bool step_block(struct nesting *nesting, const char *at)
{
  __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
  __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20)); /* [ and ] become { and } */
  if (nesting->is_escaped || where(bytes, '\\'))
    return false;
  unsigned strings = in_strings(where(bytes, '"'), nesting->in_string);
  unsigned opening = where(folded, '{') & ~strings;
  unsigned closing = where(folded, '}') & ~strings;
  if (closing && count_of(closing) >= nesting->depth)
    return false;
  nesting->depth += count_of(opening) - count_of(closing);
  nesting->in_string = strings >> (BLOCK - 1);
  return true;
}
#else
enum { BLOCK = 1 };

static bool step_block(struct nesting *nesting, const char *at)
{
  (void)nesting;
  (void)at;
  return false;
}
#endif

const char *ap_json_container_end(const char *at, const char *end)
{
  struct nesting nesting = {0};
  while (at < end) {
    const char *block_end = end - at > BLOCK ? at + BLOCK : end;
    if (end - at >= BLOCK && step_block(&nesting, at)) {
      at = block_end;
      continue;
    }
    while (at < block_end)
      if (step(&nesting, *at++))
        return at;
  }
  return end;
}
