/* The check: one pass, no recursion. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/json.h"
#include "base/json_scan.h"
#include "base/utf8.h"

/* Each check reads one thing from `at` on: it returns where that ends, or NULL and notes in *bad
 * the byte that is wrong. */

static const char *wrong(const char *at, const char **bad)
{
  *bad = at;
  return NULL;
}

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static const char *skip_space(const char *at, const char *end)
{
  while (at < end && ap_json_is_space(*at))
    at++;
  return at;
}

static const char *check_literal(const char *at, const char *end, const char *word, size_t len,
                                 const char **bad)
{
  if ((size_t)(end - at) < len || memcmp(at, word, len) != 0)
    return wrong(at, bad);
  return at + len;
}

static const char *check_digits(const char *at, const char *end, const char **bad)
{
  if (at >= end || !is_digit(*at))
    return wrong(at, bad);
  while (at < end && is_digit(*at))
    at++;
  return at;
}

static const char *check_number(const char *at, const char *end, const char **bad)
{
  if (at < end && *at == '-')
    at++;
  at = at < end && *at == '0' ? at + 1 : check_digits(at, end, bad);
  if (at && at < end && *at == '.')
    at = check_digits(at + 1, end, bad);
  if (at && at < end && (*at == 'e' || *at == 'E')) {
    at++;
    if (at < end && (*at == '+' || *at == '-'))
      at++;
    at = check_digits(at, end, bad);
  }
  return at;
}

/* What stands in a string and is no printable ASCII: a quote is none of it. */
static const char *check_special(const char *at, const char *end, const char **bad)
{
  unsigned char c = (unsigned char)*at;
  if (c < 0x20)
    return wrong(at, bad);
  if (c != '\\') {
    size_t size = ap_utf8_size(at, (size_t)(end - at));
    return size ? at + size : wrong(at, bad);
  }
  if (++at >= end)
    return wrong(at, bad);
  char kind = *at++;
  unsigned point;
  if (kind == 'u' ? ap_json_read_escape_u(&at, end, &point)
                  : kind != '\0' && strchr("\"\\/bfnrt", kind))
    return at;
  return wrong(at, bad);
}

static inline const char *check_string(const char *at, const char *end, const char **bad)
{
  if (at >= end || *at != '"')
    return wrong(at, bad);
  at = ap_json_skip_text(at + 1, end, true);
  while (at < end && *at != '"') {
    at = check_special(at, end, bad);
    if (!at)
      return NULL;
    at = ap_json_skip_text(at, end, true);
  }
  return at < end ? at + 1 : wrong(at, bad);
}

/* A key and its colon, and the white space behind. */
static inline const char *check_key(const char *at, const char *end, const char **bad)
{
  at = check_string(at, end, bad);
  if (!at)
    return NULL;
  at = skip_space(at, end);
  if (at >= end || *at != ':')
    return wrong(at, bad);
  return skip_space(at + 1, end);
}

/* A value that is no container. */
static const char *check_scalar(const char *at, const char *end, const char **bad)
{
  switch (*at) {
  case '"':
    return check_string(at, end, bad);
  case 't':
    return check_literal(at, end, "true", 4, bad);
  case 'f':
    return check_literal(at, end, "false", 5, bad);
  case 'n':
    return check_literal(at, end, "null", 4, bad);
  default:
    return check_number(at, end, bad);
  }
}

static int bad_json(struct ap_slice text, const char *bad, struct ap_error *err)
{
  return ap_fail(err, AP_E_BAD_ANSWER, "not valid JSON at byte %zu", (size_t)(bad - text.ptr));
}

struct nesting {
  size_t depth;
  char closers[AP_JSON_MAX_DEPTH];
};

/* Behind a value: the closers that follow, up to a comma. Returns behind the comma, or where the
 * text goes on when everything is closed. */
static inline const char *check_closers(const char *at, const char *end, struct nesting *in,
                                        const char **bad)
{
  for (at = skip_space(at, end); in->depth; at = skip_space(at + 1, end)) {
    if (at >= end)
      return wrong(at, bad);
    if (*at == ',')
      return at + 1;
    if (*at != in->closers[in->depth - 1])
      return wrong(at, bad);
    in->depth--;
  }
  return at;
}

int ap_json_check(struct ap_slice text, size_t max_depth, size_t max_values, struct ap_error *err)
{
  const char *at = text.ptr;
  const char *end = text.ptr + text.len;
  const char *bad = NULL;
  struct nesting in;
  size_t values = 0;
  bool may_close = false; /* just behind an opener */
  in.depth = 0;
  if (max_depth > AP_JSON_MAX_DEPTH)
    max_depth = AP_JSON_MAX_DEPTH;
  do { /* at each turn a value begins */
    at = skip_space(at, end);
    bool is_empty = may_close && at < end && *at == in.closers[in.depth - 1];
    may_close = false;
    if (is_empty) {
      at = check_closers(at, end, &in, &bad);
      continue;
    }
    if (in.depth && in.closers[in.depth - 1] == '}')
      at = check_key(at, end, &bad);
    if (!at || at >= end)
      return bad_json(text, at ? at : bad, err);
    if (++values > max_values)
      return ap_fail(err, AP_E_TOO_LARGE, "the JSON has more than %zu values", max_values);
    if (*at == '{' || *at == '[') {
      if (in.depth == max_depth)
        return ap_fail(err, AP_E_TOO_LARGE, "the JSON is nested more than %zu deep", max_depth);
      in.closers[in.depth++] = *at++ == '{' ? '}' : ']';
      may_close = true;
      continue;
    }
    at = check_scalar(at, end, &bad);
    if (at)
      at = check_closers(at, end, &in, &bad);
  } while (at && in.depth);
  if (!at || at < end)
    return bad_json(text, at ? at : bad, err);
  return AP_OK;
}
