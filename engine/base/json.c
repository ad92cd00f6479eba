// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/utf8.h"

/* ---- escapes ---- */

static bool read_hex4(const char *at, const char *end, unsigned *unit)
{
  *unit = 0;
  if (end - at < 4)
    return false;
  for (int i = 0; i < 4; i++) {
    char c = at[i];
    unsigned digit;
    if (c >= '0' && c <= '9')
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

bool ap_json_read_escape_u(const char **at, const char *end, unsigned *point)
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

/* ---- walking checked text ---- */

struct ap_slice ap_json_trim(struct ap_slice value)
{
  while (value.len && ap_json_is_space(value.ptr[0])) {
    value.ptr++;
    value.len--;
  }
  while (value.len && ap_json_is_space(value.ptr[value.len - 1]))
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

/* What the bytes between strings are. */
enum byte_class { BYTE_OF_SCALAR, BYTE_GAP, BYTE_QUOTE, BYTE_OPENS, BYTE_CLOSES };
static const unsigned char class_of_byte[UCHAR_MAX + 1] = {
    [' '] = BYTE_GAP,   ['\t'] = BYTE_GAP,   ['\n'] = BYTE_GAP,   ['\r'] = BYTE_GAP,
    [','] = BYTE_GAP,   [':'] = BYTE_GAP,    ['"'] = BYTE_QUOTE,  ['{'] = BYTE_OPENS,
    ['['] = BYTE_OPENS, ['}'] = BYTE_CLOSES, [']'] = BYTE_CLOSES,
};

static enum byte_class class_of(char c)
{
  return (enum byte_class)class_of_byte[(unsigned char)c];
}

/* Behind the quote that ends the string at `at`. */
static inline const char *string_end(const char *at, const char *end)
{
  for (at++; at < end; at += 2) {
    at = ap_json_skip_text(at, end, false);
    if (at < end && *at == '"')
      return at + 1;
  }
  return end;
}

static inline const char *value_end(const char *at, const char *end)
{
  if (at < end && class_of(*at) == BYTE_QUOTE)
    return string_end(at, end);
  if (at < end && class_of(*at) == BYTE_OPENS)
    return ap_json_container_end(at, end);
  while (at < end && class_of(*at) == BYTE_OF_SCALAR)
    at++;
  return at;
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

/* To the next member's key; false when there is none. */
static inline bool next_key(struct ap_json_walk *walk)
{
  while (walk->at < walk->end && class_of(*walk->at) == BYTE_GAP)
    walk->at++;
  if (walk->at >= walk->end || class_of(*walk->at) == BYTE_CLOSES)
    return false;
  if (!walk->is_object)
    return true;
  const char *key = walk->at;
  walk->at = string_end(key, walk->end);
  walk->key = (struct ap_slice){key, (size_t)(walk->at - key)};
  while (walk->at < walk->end && class_of(*walk->at) == BYTE_GAP)
    walk->at++;
  return true;
}

static inline bool next_member(struct ap_json_walk *walk)
{
  if (!next_key(walk))
    return false;
  const char *behind = value_end(walk->at, walk->end);
  walk->value = (struct ap_slice){walk->at, (size_t)(behind - walk->at)};
  walk->at = behind;
  return true;
}

bool ap_json_next(struct ap_json_walk *walk)
{
  return next_member(walk);
}

bool ap_json_next_inner(struct ap_json_walk *walk, struct ap_json_walk *inner)
{
  if (!next_key(walk))
    return false;
  bool is_container = walk->at < walk->end && class_of(*walk->at) == BYTE_OPENS;
  *inner = (struct ap_json_walk){
      .is_object = is_container && *walk->at == '{',
      .at = walk->at + is_container,
      .end = is_container ? walk->end : walk->at,
  };
  return true;
}

void ap_json_leave_inner(struct ap_json_walk *walk, struct ap_json_walk *inner)
{
  while (ap_json_next(inner))
    continue;
  const char *value = walk->at;
  walk->at = inner->end == walk->end ? inner->at + 1 : value_end(value, walk->end);
  walk->value = (struct ap_slice){value, (size_t)(walk->at - value)};
}

/* `key` has no escapes: a token that is the same byte for byte has none either. */
static inline bool key_is(struct ap_slice token, const char *key)
{
  size_t len = token.len - 2;
  return strncmp(key, token.ptr + 1, len) == 0 && strlen(key) == len;
}

static bool escaped_key_is(struct ap_slice token, const char *key)
{
  struct ap_buf plain = {0};
  ap_json_read_string(token, &plain);
  bool same = !ap_buf_error(&plain) && ap_slice_is(ap_slice_of(&plain), key);
  ap_buf_deinit(&plain);
  return same;
}

/* Which of the keys the token is; count when it is none. */
static size_t find_key(struct ap_slice token, const char *const *keys, size_t count)
{
  size_t i = 0;
  while (i < count && (keys[i][0] != token.ptr[1] || !key_is(token, keys[i])))
    i++;
  if (i < count || !memchr(token.ptr, '\\', token.len))
    return i;
  i = 0;
  while (i < count && !escaped_key_is(token, keys[i]))
    i++;
  return i;
}

void ap_json_read_many(struct ap_json_walk *walk, const char *const *keys, size_t count,
                       struct ap_slice *values)
{
  struct ap_json_walk member = *walk; /* a copy, which can be kept in registers */
  memset(values, 0, count * sizeof(*values));
  while (member.is_object && next_member(&member)) {
    size_t i = find_key(member.key, keys, count);
    if (i < count)
      values[i] = member.value;
  }
  *walk = member;
}

void ap_json_get_many(struct ap_slice object, const char *const *keys, size_t count,
                      struct ap_slice *values)
{
  struct ap_json_walk walk = ap_json_walk(object);
  ap_json_read_many(&walk, keys, count, values);
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
    at = ap_json_skip_text(at, end, false);
    ap_buf_add(out, plain, (size_t)(at - plain));
    if (at + 1 >= end)
      return;
    char kind = at[1];
    at += 2;
    if (kind == 'u') {
      unsigned point;
      if (!ap_json_read_escape_u(&at, end, &point))
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
    while (at < end && !ap_json_is_space(*at))
      at = *at == '"' ? string_end(at, end) : at + 1;
    ap_buf_add(out, from, (size_t)(at - from));
    while (at < end && ap_json_is_space(*at))
      at++;
  }
}

/* ---- writing ---- */

/* Writes the character at text, which is no plain one; returns its length. */
static size_t write_special(struct ap_buf *out, const char *text, size_t len)
{
  unsigned char c = (unsigned char)*text;
  if (c == '"' || c == '\\') {
    const char escaped[] = {'\\', (char)c};
    ap_buf_add(out, escaped, sizeof(escaped));
    return 1;
  }
  if (c == '\n' || c == '\t' || c == '\r') {
    ap_buf_add_str(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
    return 1;
  }
  if (c < 0x80) {
    ap_buf_add_fmt(out, "\\u%04x", c);
    return 1;
  }
  size_t size = ap_utf8_size(text, len);
  if (size == 0)
    ap_buf_add_str(out, "\xef\xbf\xbd");
  else if (size == 3 && memcmp(text, "\xe2\x80\xa8", 3) == 0)
    ap_buf_add_str(out, "\\u2028");
  else if (size == 3 && memcmp(text, "\xe2\x80\xa9", 3) == 0)
    ap_buf_add_str(out, "\\u2029");
  else if (size == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0)
    ap_buf_add_fmt(out, "\\u%04x", (unsigned char)text[1]);
  else
    ap_buf_add(out, text, size);
  return size ? size : 1;
}

void ap_json_write_string(struct ap_buf *out, const char *text, size_t len)
{
  const char *end = text + len;
  (void)ap_buf_room(out, len + 2); /* most texts need no more */
  ap_buf_add_char(out, '"');
  while (text < end) {
    const char *plain = text;
    text = ap_json_skip_text(text, end, true);
    ap_buf_add(out, plain, (size_t)(text - plain));
    if (text < end)
      text += write_special(out, text, (size_t)(end - text));
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

bool ap_json_write_number(struct ap_buf *out, double number)
{
  enum { FEWEST = 15, MOST = 17 }; /* digits of a double */
  const double whole_max = 1e15;
  char text[40];
  if (!isfinite(number))
    return false;
  if (number == floor(number) && fabs(number) < whole_max) {
    (void)snprintf(text, sizeof(text), "%.0f", number == 0 ? 0.0 : number);
  } else {
    for (int digits = FEWEST; digits <= MOST; digits++) {
      (void)snprintf(text, sizeof(text), "%.*g", digits, number);
      if (strtod(text, NULL) == number)
        break;
    }
  }
  ap_buf_add_str(out, text);
  return true;
}
