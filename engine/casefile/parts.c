// SPDX-License-Identifier: Apache-2.0
#include "casefile/parts.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/utf8.h"

enum { HOST_MAX_CHARS = 253, LABEL_MAX_CHARS = 63, PORT_MAX_DIGITS = 5 };

bool case_address_parse(struct ap_slice text, struct case_address *address)
{
  char copy[INET6_ADDRSTRLEN];
  if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
    return false;
  memcpy(copy, text.ptr, text.len);
  copy[text.len] = '\0';
  struct case_address read = {.family = strchr(copy, ':') ? AF_INET6 : AF_INET};
  void *bytes = read.family == AF_INET ? (void *)&read.v4 : (void *)&read.v6;
  if (inet_pton(read.family, copy, bytes) != 1)
    return false;
  *address = read;
  return true;
}

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool is_label_ascii(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_';
}

/* Blanks and invisible characters beyond ASCII: they make two different names look the same. */
static bool is_invisible(const char *at, size_t size)
{
  const unsigned char *byte = (const unsigned char *)at;
  if (size == 2)
    return byte[0] == 0xc2 && (byte[1] < 0xa1 || byte[1] == 0xad);
  if (size != 3)
    return false;
  bool general_punctuation = byte[0] == 0xe2 && (byte[1] == 0x80 || byte[1] == 0x81);
  unsigned low = byte[2];
  return (general_punctuation && byte[1] == 0x80 &&
          (low <= 0x8f || (low >= 0xa8 && low <= 0xaf))) ||
         (general_punctuation && byte[1] == 0x81 && low >= 0x9f && low <= 0xaf) ||
         memcmp(at, "\xe3\x80\x80", 3) == 0 || memcmp(at, "\xef\xbb\xbf", 3) == 0;
}

static const char *label_problem(struct ap_slice label, size_t *chars)
{
  *chars = 0;
  if (label.len == 0)
    return "it has an empty label (two dots, or one in front)";
  for (size_t i = 0; i < label.len; (*chars)++) {
    size_t size = ap_utf8_size(label.ptr + i, label.len - i);
    if (size == 0)
      return "it is not UTF-8";
    if (size == 1 ? !is_label_ascii(label.ptr[i]) : is_invisible(label.ptr + i, size))
      return "it has a character that no host name has";
    i += size;
  }
  if (*chars > LABEL_MAX_CHARS)
    return "it has a label of more than 63 characters";
  if (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
    return "it has a label that begins or ends with a hyphen";
  return NULL;
}

static bool is_number(struct ap_slice text)
{
  for (size_t i = 0; i < text.len; i++)
    if (!is_digit(text.ptr[i]))
      return false;
  return text.len > 0;
}

const char *case_host_problem(struct ap_slice text, size_t min_labels)
{
  size_t labels = 0;
  size_t chars = 0;
  const char *at = text.ptr;
  const char *end = text.ptr + text.len;
  if (text.len == 0)
    return "it is empty";
  for (;;) {
    const char *dot = memchr(at, '.', (size_t)(end - at));
    struct ap_slice label = case_slice(at, (size_t)((dot ? dot : end) - at));
    size_t label_chars;
    const char *problem = label_problem(label, &label_chars);
    if (problem)
      return problem;
    labels++;
    chars += label_chars + (dot ? 1 : 0);
    if (!dot) {
      if (is_number(label) && labels > 1)
        return "its last label is a number";
      break;
    }
    at = dot + 1;
  }
  if (chars > HOST_MAX_CHARS)
    return "it has more than 253 characters";
  return labels < min_labels ? "it has no dot" : NULL;
}

static bool is_scheme(struct ap_slice text)
{
  if (text.len == 0 || is_digit(text.ptr[0]))
    return false;
  for (size_t i = 0; i < text.len; i++)
    if (!(is_label_ascii(text.ptr[i]) && text.ptr[i] != '_') && text.ptr[i] != '+' &&
        text.ptr[i] != '.')
      return false;
  return true;
}

static void split_port(struct case_url *url, struct ap_slice rest)
{
  if (rest.len == 0)
    return;
  struct ap_slice port = case_slice(rest.ptr + 1, rest.len - 1);
  url->has_bad_port =
      rest.ptr[0] != ':' || port.len > PORT_MAX_DIGITS || (port.len > 0 && !is_number(port));
  if (!url->has_bad_port)
    url->port = port;
}

static void split_host(struct case_url *url, struct ap_slice host)
{
  const char *end = host.ptr + host.len;
  const char *behind;
  if (host.len && host.ptr[0] == '[') {
    const char *close = memchr(host.ptr, ']', host.len);
    url->host = case_slice(host.ptr + 1, (size_t)((close ? close : end) - host.ptr - 1));
    behind = close ? close + 1 : end;
  } else {
    const char *colon = memchr(host.ptr, ':', host.len);
    behind = colon ? colon : end;
    url->host = case_slice(host.ptr, (size_t)(behind - host.ptr));
  }
  split_port(url, case_slice(behind, (size_t)(end - behind)));
}

struct case_url case_url_split(struct ap_slice text)
{
  struct case_url url = {0};
  const char *at = text.ptr;
  const char *end = text.ptr + text.len;
  const char *mark = text.len ? memmem(text.ptr, text.len, "://", 3) : NULL;
  if (mark && is_scheme(case_slice(at, (size_t)(mark - at)))) {
    url.scheme = case_slice(at, (size_t)(mark - at));
    at = mark + 3;
  }
  const char *stop = at;
  while (stop < end && !strchr("/?#\\", *stop))
    stop++;
  const char *user_end = stop > at ? memrchr(at, '@', (size_t)(stop - at)) : NULL;
  if (user_end) {
    url.user = case_slice(at, (size_t)(user_end + 1 - at));
    at = user_end + 1;
  }
  split_host(&url, case_slice(at, (size_t)(stop - at)));
  return url;
}

void case_add_lower(struct ap_buf *out, struct ap_slice text)
{
  char *room = ap_buf_room(out, text.len);
  if (!room)
    return;
  for (size_t i = 0; i < text.len; i++)
    room[i] = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? (char)(text.ptr[i] + 32) : text.ptr[i];
  out->len += text.len;
}
