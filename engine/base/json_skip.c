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

/* Up to block_end. NULL: the outermost container is still open. */
static const char *step_bytes(struct nesting *nesting, const char *at, const char *block_end)
{
  while (at < block_end)
    if (step(nesting, *at++))
      return at;
  return NULL;
}

#ifdef __SSE2__
enum { BLOCK = sizeof(__m128i), ALL_OF_BLOCK = (1 << BLOCK) - 1 };

static unsigned where(__m128i bytes, char c)
{
  return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
}

/* From the quotes: which bytes are in strings, the opening quotes among them. */
static unsigned in_strings(unsigned quotes, bool begins_in_string)
{
  for (int shift = 1; shift < BLOCK; shift *= 2)
    quotes ^= quotes << shift;
  return (quotes ^ (begins_in_string ? ALL_OF_BLOCK : 0U)) & ALL_OF_BLOCK;
}

/* A whole block. NULL: the outermost container is still open. */
static const char *step_block(struct nesting *nesting, const char *at)
{
  __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
  __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20)); /* [ and ] become { and } */
  unsigned quotes = where(bytes, '"');
  unsigned opening = where(folded, '{');
  unsigned braces = opening | where(folded, '}');
  if (nesting->is_escaped || where(bytes, '\\'))
    return step_bytes(nesting, at, at + BLOCK);
  if (!braces) { /* most blocks */
    nesting->in_string ^= (bool)__builtin_parity(quotes);
    return NULL;
  }
  unsigned strings = in_strings(quotes, nesting->in_string);
  nesting->in_string = strings >> (BLOCK - 1);
  for (braces &= ~strings; braces; braces &= braces - 1) {
    if (opening & braces & -braces)
      nesting->depth++;
    else if (--nesting->depth == 0)
      return at + __builtin_ctz(braces) + 1;
  }
  return NULL;
}
#else
enum { BLOCK = 1 };

static const char *step_block(struct nesting *nesting, const char *at)
{
  return step_bytes(nesting, at, at + BLOCK);
}
#endif

const char *ap_json_container_end(const char *at, const char *end)
{
  struct nesting nesting = {0};
  const char *found = NULL;
  for (; !found && end - at >= BLOCK; at += BLOCK)
    found = step_block(&nesting, at);
  if (!found)
    found = step_bytes(&nesting, at, end);
  return found ? found : end;
}
