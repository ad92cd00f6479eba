// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static bool is_space(char c)
{
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* ---- the check: one pass, no recursion ---- */

struct checker {
  const char *start;
  const char *at;
  const char *end;
  size_t values;
  size_t max_values;
};

static void skip_space(struct checker *in)
{
  while (in->at < in->end && is_space(*in->at))
    in->at++;
}

static bool check_literal(struct checker *in, const char *word)
{
  size_t len = strlen(word);
  if ((size_t)(in->end - in->at) < len || memcmp(in->at, word, len) != 0)
    return false;
  in->at += len;
  return true;
}

static bool check_digits(struct checker *in)
{
  const char *from = in->at;
  while (in->at < in->end && is_digit(*in->at))
    in->at++;
  return in->at > from;
}

static bool check_number(struct checker *in)
{
  if (in->at < in->end && *in->at == '-')
    in->at++;
  if (in->at < in->end && *in->at == '0')
    in->at++;
  else if (!check_digits(in))
    return false;
  if (in->at < in->end && *in->at == '.') {
    in->at++;
    if (!check_digits(in))
      return false;
  }
  if (in->at < in->end && (*in->at == 'e' || *in->at == 'E')) {
    in->at++;
    if (in->at < in->end && (*in->at == '+' || *in->at == '-'))
      in->at++;
    if (!check_digits(in))
      return false;
  }
  return true;
}

static bool read_hex4(const char *at, const char *end, unsigned *unit)
{
  *unit = 0;
  if (end - at < 4)
    return false;
  for (int i = 0; i < 4; i++) {
    char c = at[i];
    unsigned digit;
    if (is_digit(c))
      digit = (unsigned)(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = (unsigned)(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
      digit = (unsigned)(c - 'A' + 10);
    else
      return false;
    *unit = *unit << 4 | digit;
  }
  return true;
}

/* Reads what follows a backslash and `u`, a surrogate pair included. Moves *at behind it. */
static bool read_escape_u(const char **at, const char *end, unsigned *point)
{
  unsigned unit;
  if (!read_hex4(*at, end, &unit))
    return false;
  *at += 4;
  *point = unit;
  if (unit >= 0xdc00 && unit <= 0xdfff)
    return false;
  if (unit < 0xd800 || unit > 0xdbff)
    return true;
  unsigned low;
  if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' || !read_hex4(*at + 2, end, &low) ||
      low < 0xdc00 || low > 0xdfff)
    return false;
  *at += 6;
  *point = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  return true;
}

static bool check_string(struct checker *in)
{
  if (in->at >= in->end || *in->at != '"')
    return false;
  in->at++;
  while (in->at < in->end) {
    unsigned char c = (unsigned char)*in->at;
    if (c == '"') {
      in->at++;
      return true;
    }
    if (c < 0x20)
      return false;
    if (c == '\\') {
      in->at++;
      if (in->at >= in->end)
        return false;
      char kind = *in->at++;
      unsigned point;
      if (kind == 'u' ? !read_escape_u(&in->at, in->end, &point)
                      : kind == '\0' || !strchr("\"\\/bfnrt", kind))
        return false;
    } else if (c < 0x80) {
      in->at++;
    } else {
      size_t size = ap_utf8_size(in->at, (size_t)(in->end - in->at));
      if (size == 0)
        return false;
      in->at += size;
    }
  }
  return false;
}

static int bad_json(const struct checker *in, struct ap_error *err)
{
  return ap_fail(err, AP_E_BAD_ANSWER, "not valid JSON at byte %zu", (size_t)(in->at - in->start));
}

int ap_json_check(struct ap_slice text, size_t max_depth, size_t max_values, struct ap_error *err)
{
  struct checker in = {text.ptr, text.ptr, text.ptr + text.len, 0, max_values};
  char closers[AP_JSON_MAX_DEPTH] = {0};
  size_t depth = 0;
  if (max_depth > AP_JSON_MAX_DEPTH)
    max_depth = AP_JSON_MAX_DEPTH;
  bool want_value = true; /* else: a comma or the closer */
  bool may_close = false; /* just behind an opener */
  for (;;) {
    skip_space(&in);
    if (want_value) {
      if (in.at >= in.end)
        return bad_json(&in, err);
      if (may_close && *in.at == closers[depth - 1]) {
        in.at++;
        depth--;
        want_value = may_close = false;
        continue;
      }
      if (depth && closers[depth - 1] == '}') {
        if (!check_string(&in))
          return bad_json(&in, err);
        skip_space(&in);
        if (in.at >= in.end || *in.at != ':')
          return bad_json(&in, err);
        in.at++;
        skip_space(&in);
        if (in.at >= in.end)
          return bad_json(&in, err);
      }
      may_close = false;
      if (++in.values > max_values)
        return ap_fail(err, AP_E_TOO_LARGE, "the JSON has more than %zu values", max_values);
      char c = *in.at;
      if (c == '{' || c == '[') {
        if (depth == max_depth)
          return ap_fail(err, AP_E_TOO_LARGE, "the JSON is nested more than %zu deep", max_depth);
        closers[depth++] = c == '{' ? '}' : ']';
        in.at++;
        may_close = true;
        continue;
      }
      bool good = c == '"'   ? check_string(&in)
                  : c == 't' ? check_literal(&in, "true")
                  : c == 'f' ? check_literal(&in, "false")
                  : c == 'n' ? check_literal(&in, "null")
                             : check_number(&in);
      if (!good)
        return bad_json(&in, err);
      want_value = false;
      continue;
    }
    if (depth == 0)
      return in.at == in.end ? AP_OK : bad_json(&in, err);
    if (in.at >= in.end)
      return bad_json(&in, err);
    if (*in.at == closers[depth - 1])
      depth--;
    else if (*in.at == ',')
      want_value = true;
    else
      return bad_json(&in, err);
    in.at++;
  }
}

/* ---- walking checked text ---- */

struct ap_slice ap_json_trim(struct ap_slice value)
{
  while (value.len && is_space(value.ptr[0])) {
    value.ptr++;
    value.len--;
  }
  while (value.len && is_space(value.ptr[value.len - 1]))
    value.len--;
  return value;
}

enum ap_json_kind ap_json_kind(struct ap_slice value)
{
  value = ap_json_trim(value);
  switch (value.len ? value.ptr[0] : 'n') {
  case '{':
    return AP_JSON_OBJECT;
  case '[':
    return AP_JSON_ARRAY;
  case '"':
    return AP_JSON_STRING;
  case 't':
  case 'f':
    return AP_JSON_BOOL;
  case 'n':
    return AP_JSON_NULL;
  default:
    return AP_JSON_NUMBER;
  }
}

/* Behind the quote that ends the string at `at`: the first with an even number of backslashes
 * before it. */
static const char *string_end(const char *at, const char *end)
{
  for (at++; at < end;) {
    const char *quote = memchr(at, '"', (size_t)(end - at));
    if (!quote)
      return end;
    size_t slashes = 0;
    while (quote - slashes > at && quote[-1 - (ptrdiff_t)slashes] == '\\')
      slashes++;
    at = quote + 1;
    if (slashes % 2 == 0)
      return at;
  }
  return end;
}

static const char *value_end(const char *at, const char *end)
{
  if (at < end && *at == '"')
    return string_end(at, end);
  size_t depth = 0;
  while (at < end) {
    char c = *at;
    if (c == '"') {
      at = string_end(at, end);
      continue;
    }
    if (c == '{' || c == '[') {
      depth++;
    } else if (c == '}' || c == ']') {
      if (depth == 0)
        return at;
      if (--depth == 0)
        return at + 1;
    } else if (depth == 0 && (c == ',' || is_space(c))) {
      return at;
    }
    at++;
  }
  return end;
}

struct ap_json_walk ap_json_walk(struct ap_slice container)
{
  container = ap_json_trim(container);
  struct ap_json_walk walk = {0};
  if (container.len < 2 || (container.ptr[0] != '{' && container.ptr[0] != '['))
    return walk;
  walk.is_object = container.ptr[0] == '{';
  walk.at = container.ptr + 1;
  walk.end = container.ptr + container.len - 1;
  return walk;
}

static void walk_space(struct ap_json_walk *walk)
{
  while (walk->at < walk->end && (is_space(*walk->at) || *walk->at == ',' || *walk->at == ':'))
    walk->at++;
}

bool ap_json_next(struct ap_json_walk *walk)
{
  walk_space(walk);
  if (walk->at >= walk->end)
    return false;
  if (walk->is_object) {
    const char *behind = string_end(walk->at, walk->end);
    walk->key = (struct ap_slice){walk->at, (size_t)(behind - walk->at)};
    walk->at = behind;
    walk_space(walk);
  }
  const char *behind = value_end(walk->at, walk->end);
  walk->value = (struct ap_slice){walk->at, (size_t)(behind - walk->at)};
  walk->at = behind;
  return true;
}

static bool key_is(struct ap_slice token, const char *key, size_t len)
{
  if (token.len == len + 2 && memcmp(token.ptr + 1, key, len) == 0)
    return true;
  if (!memchr(token.ptr, '\\', token.len))
    return false;
  struct ap_buf plain = {0};
  ap_json_read_string(token, &plain);
  bool same = !ap_buf_error(&plain) && ap_slice_is(ap_slice_of(&plain), key);
  ap_buf_deinit(&plain);
  return same;
}

void ap_json_get_many(struct ap_slice object, const char *const *keys, size_t count,
                      struct ap_slice *values)
{
  struct ap_json_walk walk = ap_json_walk(object);
  memset(values, 0, count * sizeof(*values));
  while (walk.is_object && ap_json_next(&walk)) {
    bool is_plain = !memchr(walk.key.ptr, '\\', walk.key.len);
    for (size_t i = 0; i < count; i++) {
      if (is_plain && keys[i][0] != walk.key.ptr[1])
        continue;
      if (key_is(walk.key, keys[i], strlen(keys[i])))
        values[i] = walk.value;
    }
  }
}

bool ap_json_get(struct ap_slice object, const char *key, struct ap_slice *value)
{
  struct ap_slice found;
  ap_json_get_many(object, &key, 1, &found);
  if (found.ptr)
    *value = found;
  return found.ptr;
}

void ap_json_read_string(struct ap_slice token, struct ap_buf *out)
{
  token = ap_json_trim(token);
  if (token.len < 2 || token.ptr[0] != '"')
    return;
  const char *at = token.ptr + 1;
  const char *end = token.ptr + token.len - 1;
  while (at < end) {
    const char *plain = at;
    while (at < end && *at != '\\')
      at++;
    ap_buf_add(out, plain, (size_t)(at - plain));
    if (at + 1 >= end)
      return;
    char kind = at[1];
    at += 2;
    if (kind == 'u') {
      unsigned point;
      if (!read_escape_u(&at, end, &point))
        return;
      ap_utf8_add(out, point);
      continue;
    }
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";
    const char *hit = strchr(from, kind);
    ap_buf_add_char(out, hit ? to[hit - from] : kind);
  }
}

bool ap_json_read_int(struct ap_slice value, int64_t *number)
{
  value = ap_json_trim(value);
  if (value.len >= 2 && value.ptr[0] == '"')
    value = (struct ap_slice){value.ptr + 1, value.len - 2};
  char text[40];
  if (value.len == 0 || value.len >= sizeof(text))
    return false;
  memcpy(text, value.ptr, value.len);
  text[value.len] = '\0';
  /* strtod would also take blanks, hexadecimals, "inf" and "nan". */
  if (text[0] == '+' || strspn(text, "0123456789+-.eE") != value.len)
    return false;
  char *end = NULL;
  if (!strpbrk(text, ".eE")) {
    errno = 0;
    int64_t exact = strtoll(text, &end, 10);
    if (end == text || *end || errno)
      return false;
    *number = exact;
    return true;
  }
  double approx = strtod(text, &end);
  if (end == text || *end || !(approx > -9e15 && approx < 9e15) ||
      approx != (double)(int64_t)approx)
    return false;
  *number = (int64_t)approx;
  return true;
}

void ap_json_compact(struct ap_slice value, struct ap_buf *out)
{
  const char *at = value.ptr;
  const char *end = value.ptr + value.len;
  while (at < end) {
    const char *from = at;
    while (at < end && !is_space(*at))
      at = *at == '"' ? string_end(at, end) : at + 1;
    ap_buf_add(out, from, (size_t)(at - from));
    while (at < end && is_space(*at))
      at++;
  }
}

/* ---- writing ---- */

void ap_json_write_string(struct ap_buf *out, const char *text, size_t len)
{
  ap_buf_add_char(out, '"');
  size_t i = 0;
  while (i < len) {
    size_t plain = i;
    while (i < len && (unsigned char)text[i] >= 0x20 && (unsigned char)text[i] < 0x7f &&
           text[i] != '"' && text[i] != '\\')
      i++;
    ap_buf_add(out, text + plain, i - plain);
    if (i == len)
      break;
    unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\') {
      ap_buf_add_char(out, '\\');
      ap_buf_add_char(out, (char)c);
      i++;
    } else if (c == '\n' || c == '\t' || c == '\r') {
      ap_buf_add_str(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
      i++;
    } else if (c < 0x80) {
      ap_buf_add_fmt(out, "\\u%04x", c);
      i++;
    } else {
      size_t size = ap_utf8_size(text + i, len - i);
      if (size == 0)
        ap_buf_add_str(out, "\xef\xbf\xbd");
      else if (size == 3 && memcmp(text + i, "\xe2\x80\xa8", 3) == 0)
        ap_buf_add_str(out, "\\u2028");
      else if (size == 3 && memcmp(text + i, "\xe2\x80\xa9", 3) == 0)
        ap_buf_add_str(out, "\\u2029");
      else if (size == 2 && c == 0xc2 && (unsigned char)text[i + 1] < 0xa0)
        ap_buf_add_fmt(out, "\\u%04x", (unsigned char)text[i + 1]);
      else
        ap_buf_add(out, text + i, size);
      i += size ? size : 1;
    }
  }
  ap_buf_add_char(out, '"');
}

void ap_json_write_cstr(struct ap_buf *out, const char *text)
{
  if (text)
    ap_json_write_string(out, text, strlen(text));
  else
    ap_buf_add_str(out, "null");
}
