/* The check: one pass, no recursion. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/json.h"
#include "base/json_scan.h"
#include "base/utf8.h"

struct checker {
  const char *start;
  const char *at;
  const char *end;
  size_t values;
  size_t max_values;
};

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static void skip_space(struct checker *in)
{
  while (in->at < in->end && ap_json_is_space(*in->at))
    in->at++;
}

static bool check_literal(struct checker *in, const char *word, size_t len)
{
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

/* What stands in a string and is no printable ASCII: a quote is none of it. */
static bool check_special(struct checker *in)
{
  unsigned char c = (unsigned char)*in->at;
  if (c < 0x20)
    return false;
  if (c == '\\') {
    in->at++;
    if (in->at >= in->end)
      return false;
    char kind = *in->at++;
    unsigned point;
    return kind == 'u' ? ap_json_read_escape_u(&in->at, in->end, &point)
                       : kind != '\0' && strchr("\"\\/bfnrt", kind);
  }
  size_t size = ap_utf8_size(in->at, (size_t)(in->end - in->at));
  in->at += size;
  return size > 0;
}

static bool check_string(struct checker *in)
{
  if (in->at >= in->end || *in->at != '"')
    return false;
  in->at++;
  for (;;) {
    in->at = ap_json_skip_text(in->at, in->end, true);
    if (in->at >= in->end)
      return false;
    if (*in->at == '"') {
      in->at++;
      return true;
    }
    if (!check_special(in))
      return false;
  }
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
                  : c == 't' ? check_literal(&in, "true", 4)
                  : c == 'f' ? check_literal(&in, "false", 5)
                  : c == 'n' ? check_literal(&in, "null", 4)
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
