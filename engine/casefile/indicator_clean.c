/* Cleaning: from what stands in a mail or a report to the bare indicator. */
// SPDX-License-Identifier: Apache-2.0
#include "casefile/indicator.h"

#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "casefile/parts.h"

/* No-break and ideographic space, BOM; zero-width characters, direction marks, word joiner. */
static const char *const blanks[] = {
    " ",
    "\t",
    "\r",
    "\n",
    "\v",
    "\f",
    "\xc2\xa0",
    "\xe3\x80\x80",
    "\xef\xbb\xbf",
    "\xe2\x80\x8b",
    "\xe2\x80\x8c",
    "\xe2\x80\x8d",
    "\xe2\x80\x8e",
    "\xe2\x80\x8f",
    "\xe2\x81\xa0",
};

static const struct {
  const char *open;
  const char *close;
} quotes[] = {
    {"<", ">"},
    {"(", ")"},
    {"[", "]"},
    {"{", "}"},
    {"\"", "\""},
    {"'", "'"},
    {"`", "`"},
    {"\xe2\x80\x9c", "\xe2\x80\x9d"}, /* curly double quotes */
    {"\xe2\x80\x98", "\xe2\x80\x99"}, /* curly single quotes */
    {"\xc2\xab", "\xc2\xbb"},         /* guillemets */
};

/* Words are undone in front of a URL's path only: there they may be part of a real name. */
static const struct {
  const char *fanged;
  const char *plain;
  bool is_word;
} fangs[] = {
    {"[.]", ".", false},     {"(.)", ".", false},    {"{.}", ".", false},   {"[:]", ":", false},
    {"[://]", "://", false}, {"[@]", "@", false},    {"(@)", "@", false},   {"[/]", "/", false},
    {"[dot]", ".", true},    {"(dot)", ".", true},   {"{dot}", ".", true},  {" dot ", ".", true},
    {" [dot] ", ".", true},  {" (dot) ", ".", true}, {" [.] ", ".", false}, {" [at] ", "@", true},
    {" (at) ", "@", true},   {" [@] ", "@", false},  {"[at]", "@", true},   {"(at)", "@", true},
    {"{at}", "@", true},
};

enum { UNWRAP_ROUNDS = 8 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool starts_with(struct ap_slice text, const char *with)
{
  size_t len = strlen(with);
  return text.len >= len && memcmp(text.ptr, with, len) == 0;
}

static bool ends_with(struct ap_slice text, const char *with)
{
  size_t len = strlen(with);
  return text.len >= len && memcmp(text.ptr + text.len - len, with, len) == 0;
}

static struct ap_slice cut_front(struct ap_slice text, size_t len)
{
  return case_slice(text.ptr + len, text.len - len);
}

static struct ap_slice cut_back(struct ap_slice text, size_t len)
{
  return case_slice(text.ptr, text.len - len);
}

static struct ap_slice trim_once(struct ap_slice text)
{
  for (size_t i = 0; i < COUNT(blanks); i++) {
    if (starts_with(text, blanks[i]))
      return cut_front(text, strlen(blanks[i]));
    if (ends_with(text, blanks[i]))
      return cut_back(text, strlen(blanks[i]));
  }
  return text;
}

static struct ap_slice trim(struct ap_slice text)
{
  for (size_t before = text.len + 1; text.len < before;) {
    before = text.len;
    text = trim_once(text);
  }
  return text;
}

/* True when the opening bracket in front is closed by the last character, not before: not in
 * `[2001:db8::1]:[80]`. */
static bool is_pair(struct ap_slice text, const char *open, const char *close)
{
  size_t depth = 0;
  while (text.len > strlen(close)) {
    if (starts_with(text, open))
      depth++;
    else if (starts_with(text, close) && --depth == 0)
      return false;
    text = cut_front(text, 1);
  }
  return depth == 1;
}

static struct ap_slice unquote_once(struct ap_slice text)
{
  for (size_t i = 0; i < COUNT(quotes); i++) {
    size_t open = strlen(quotes[i].open);
    size_t close = strlen(quotes[i].close);
    if (text.len < open + close || !starts_with(text, quotes[i].open) ||
        !ends_with(text, quotes[i].close))
      continue;
    if (strcmp(quotes[i].open, quotes[i].close) == 0 ||
        is_pair(text, quotes[i].open, quotes[i].close))
      return cut_back(cut_front(text, open), close);
  }
  return text;
}

static struct ap_slice cut_trailing(struct ap_slice text)
{
  while (text.len && strchr(",;.", text.ptr[text.len - 1]))
    text = cut_back(text, 1);
  return text;
}

/* The rounds are few: finding the pair of a bracket is linear, and a line of brackets would make
 * the whole quadratic. */
static struct ap_slice unwrap(struct ap_slice text)
{
  for (int round = 0; round < UNWRAP_ROUNDS; round++) {
    struct ap_slice bare = unquote_once(trim(cut_trailing(trim(text))));
    if (bare.len == text.len)
      break;
    text = bare;
  }
  return text;
}

static bool starts_with_fold(struct ap_slice text, const char *with)
{
  size_t len = strlen(with);
  return text.len >= len && strncasecmp(text.ptr, with, len) == 0;
}

static size_t undo_fang(struct ap_slice text, bool in_path, struct ap_buf *out)
{
  for (size_t i = 0; i < COUNT(fangs); i++) {
    if ((fangs[i].is_word && in_path) || !starts_with_fold(text, fangs[i].fanged))
      continue;
    ap_buf_add_str(out, fangs[i].plain);
    return strlen(fangs[i].fanged);
  }
  return 0;
}

static bool is_behind(const struct ap_buf *out, size_t from, const char *mark)
{
  return ends_with(case_slice(out->ptr + from, out->len - from), mark);
}

/* How much of text neither begins a fang nor may end the scheme or the host of a URL. */
static size_t plain_len(struct ap_slice text)
{
  size_t len = 0;
  while (len < text.len && !strchr("[({ /?#", text.ptr[len]))
    len++;
  return len;
}

static void undo_fangs(struct ap_slice text, struct ap_buf *out)
{
  size_t from = out->len;
  bool is_url = false;
  bool in_path = false;
  while (text.len && !ap_buf_error(out)) {
    size_t used = plain_len(text);
    if (used)
      ap_buf_add(out, text.ptr, used);
    else
      used = undo_fang(text, in_path, out);
    if (!used) {
      in_path = in_path || (is_url && strchr("/?#", text.ptr[0]));
      ap_buf_add_char(out, text.ptr[0]);
      used = 1;
    }
    text = cut_front(text, used);
    is_url = is_url || is_behind(out, from, "://");
  }
  while (out->len > from && out->ptr[out->len - 1] == '.')
    out->ptr[--out->len] = '\0';
}

/* hxxp://, hxxps://, fxp://: the x become t, in the case of the first letter. */
static void undo_scheme(char *text)
{
  static const char *const schemes[] = {"hxxp://", "hxxps://", "fxp://", "fxps://"};
  for (size_t i = 0; i < COUNT(schemes); i++)
    if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
      for (char *at = text; *at != ':'; at++)
        if (*at == 'x' || *at == 'X')
          *at = text[0] < 'a' ? 'T' : 't';
}

static int check_text(struct ap_slice text, struct ap_error *err)
{
  if (text.len == 0)
    return ap_fail(err, AP_E_INVALID, "it is empty");
  if (text.len > CASE_INDICATOR_MAX_BYTES)
    return ap_fail(err, AP_E_INVALID, "it is longer than %d bytes", CASE_INDICATOR_MAX_BYTES);
  if (!ap_utf8_is_valid(text.ptr, text.len))
    return ap_fail(err, AP_E_INVALID, "it is not UTF-8");
  for (size_t i = 0; i < text.len; i++)
    if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
      return ap_fail(err, AP_E_INVALID, "it has a control character");
  return AP_OK;
}

int case_indicator_clean(const char *text, size_t len, struct ap_buf *out, struct ap_error *err)
{
  struct ap_slice bare = trim(case_slice(text, len));
  if (bare.len <= CASE_INDICATOR_MAX_BYTES)
    bare = unwrap(bare);
  int code = check_text(bare, err);
  if (code)
    return code;
  size_t from = out->len;
  undo_fangs(bare, out);
  if (ap_buf_error(out))
    return ap_fail(err, ap_buf_error(out), "%s", ap_error_text(ap_buf_error(out)));
  if (out->len == from)
    return ap_fail(err, AP_E_INVALID, "it is empty");
  undo_scheme(out->ptr + from);
  return AP_OK;
}

int case_indicator_trim(struct ap_slice text, struct ap_buf *out, struct ap_error *err)
{
  struct ap_slice bare = trim(text);
  int code = check_text(bare, err);
  if (code)
    return code;
  ap_buf_add(out, bare.ptr, bare.len);
  if (ap_buf_error(out))
    return ap_fail(err, ap_buf_error(out), "%s", ap_error_text(ap_buf_error(out)));
  return AP_OK;
}
