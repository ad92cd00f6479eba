// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_canonical.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

static bool is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct ap_slice sim_trim(struct ap_slice text)
{
  while (text.len && is_blank(text.ptr[0])) {
    text.ptr++;
    text.len--;
  }
  while (text.len && is_blank(text.ptr[text.len - 1]))
    text.len--;
  return text;
}

bool sim_is_hex(struct ap_slice text)
{
  for (size_t i = 0; i < text.len; i++)
    if (!isxdigit((unsigned char)text.ptr[i]))
      return false;
  return true;
}

void sim_add_lower(struct ap_buf *out, struct ap_slice text)
{
  for (size_t i = 0; i < text.len; i++)
    ap_buf_add_char(out, (char)tolower((unsigned char)text.ptr[i]));
}

/* Cuts what stands before the first of `stops` off rest. */
static struct ap_slice cut_before(struct ap_slice *rest, const char *stops)
{
  struct ap_slice piece = {rest->ptr, 0};
  while (piece.len < rest->len && !strchr(stops, rest->ptr[piece.len]))
    piece.len++;
  rest->ptr += piece.len;
  rest->len -= piece.len;
  return piece;
}

static bool is_number(struct ap_slice text)
{
  for (size_t i = 0; i < text.len; i++)
    if (!isdigit((unsigned char)text.ptr[i]))
      return false;
  return text.len > 0;
}

static bool is_label(struct ap_slice label)
{
  for (size_t i = 0; i < label.len; i++) {
    unsigned char c = (unsigned char)label.ptr[i];
    if (c < 0x80 && !isalnum(c) && c != '-' && c != '_')
      return false;
  }
  return label.len > 0 && label.len <= 63;
}

bool sim_is_domain(struct ap_slice text)
{
  size_t labels = 0;
  struct ap_slice label = {0};
  if (text.len == 0 || text.len > 253 || memchr(text.ptr, '\0', text.len))
    return false;
  for (;;) {
    label = cut_before(&text, ".");
    if (!is_label(label))
      return false;
    labels++;
    if (text.len == 0)
      return labels > 1 && !is_number(label);
    text.ptr++;
    text.len--;
  }
}

static bool is_address(struct ap_slice text, int family)
{
  char copy[64];
  unsigned char address[sizeof(struct in6_addr)];
  if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
    return false;
  memcpy(copy, text.ptr, text.len);
  copy[text.len] = '\0';
  return inet_pton(family, copy, address) == 1;
}

bool sim_is_ipv4(struct ap_slice text)
{
  return is_address(text, AF_INET);
}

static bool is_host(struct ap_slice host)
{
  if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
    return is_address((struct ap_slice){host.ptr + 1, host.len - 2}, AF_INET6);
  return sim_is_domain(host) || sim_is_ipv4(host);
}

struct scheme {
  const char *start; /* with "://" */
  const char *port;
};

static const struct scheme *read_scheme(struct ap_slice *rest)
{
  static const struct scheme schemes[] = {
      {"http://", ":80"}, {"https://", ":443"}, {"ftp://", ":21"}};
  for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
    size_t len = strlen(schemes[i].start);
    if (rest->len >= len && strncasecmp(rest->ptr, schemes[i].start, len) == 0) {
      rest->ptr += len;
      rest->len -= len;
      return &schemes[i];
    }
  }
  struct ap_slice look = *rest;
  (void)cut_before(&look, ":/?#");
  bool has_other = look.len >= 3 && memcmp(look.ptr, "://", 3) == 0;
  return has_other ? NULL : &schemes[0];
}

static bool has_control_or_blank(struct ap_slice text)
{
  for (size_t i = 0; i < text.len; i++)
    if ((unsigned char)text.ptr[i] <= 0x20 || text.ptr[i] == 0x7f)
      return true;
  return false;
}

/* "user@host:port" in its parts; the port keeps its colon and may be empty. */
struct authority {
  struct ap_slice user; /* with the '@' */
  struct ap_slice host;
  struct ap_slice port;
};

static struct authority split_authority(struct ap_slice text)
{
  struct authority parts = {.host = text};
  for (size_t i = text.len; i > 0; i--)
    if (text.ptr[i - 1] == '@') {
      parts.user = (struct ap_slice){text.ptr, i};
      parts.host = (struct ap_slice){text.ptr + i, text.len - i};
      break;
    }
  size_t len = parts.host.len;
  size_t digits = 0;
  while (digits < len && isdigit((unsigned char)parts.host.ptr[len - 1 - digits]))
    digits++;
  if (digits < len && parts.host.ptr[len - 1 - digits] == ':') {
    parts.host.len = len - 1 - digits;
    parts.port = (struct ap_slice){parts.host.ptr + parts.host.len, digits + 1};
  }
  return parts;
}

int sim_canonical_url(struct ap_slice text, struct ap_buf *out)
{
  struct ap_slice rest = sim_trim(text);
  if (rest.len == 0 || rest.len > SIM_URL_MAX || has_control_or_blank(rest))
    return AP_E_INVALID;
  const struct scheme *scheme = read_scheme(&rest);
  if (!scheme)
    return AP_E_INVALID;
  struct authority parts = split_authority(cut_before(&rest, "/?#"));
  if (!is_host(parts.host) || parts.port.len > 6)
    return AP_E_INVALID;
  ap_buf_add_str(out, scheme->start);
  ap_buf_add(out, parts.user.ptr, parts.user.len);
  sim_add_lower(out, parts.host);
  if (parts.port.len > 1 && !ap_slice_is(parts.port, scheme->port))
    ap_buf_add(out, parts.port.ptr, parts.port.len);
  struct ap_slice path = cut_before(&rest, "#");
  if (path.len == 0 || path.ptr[0] != '/')
    ap_buf_add_char(out, '/');
  ap_buf_add(out, path.ptr, path.len);
  return ap_buf_error(out);
}
