// SPDX-License-Identifier: Apache-2.0
#include "casefile/indicator.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "casefile/host.h"
#include "casefile/parts.h"

/* ---- reading ---- */

static void keep_host_only(struct ap_buf *out, size_t from, struct case_indicator *found)
{
  struct ap_slice host;
  if (!case_indicator_has_port(out->ptr + from, out->len - from, &host))
    return;
  memmove(out->ptr + from, host.ptr, host.len);
  out->len = from + host.len;
  out->ptr[out->len] = '\0';
  found->port_removed = true;
}

/* How long the first word of a text is. */
static size_t word_len(struct ap_slice text)
{
  size_t len = 0;
  while (len < text.len && !case_is_blank(text.ptr[len]))
    len++;
  return len;
}

static struct ap_slice skip_blanks(struct ap_slice text)
{
  while (text.len && case_is_blank(text.ptr[0]))
    text = case_slice(text.ptr + 1, text.len - 1);
  return text;
}

static bool begins_with_hash(struct ap_slice text)
{
  enum case_type type;
  size_t len = word_len(text);
  return (len == 32 || len == 40 || len == 64) && case_indicator_infer(text.ptr, len, &type) &&
         type == CASE_TYPE_FILEHASH;
}

/* As sha256sum prints them: `HASH  name`, `HASH *name`, with a backslash in front where the name
 * has one. */
static struct ap_slice cut_name(struct ap_slice text, struct case_indicator *found)
{
  struct ap_slice rest = skip_blanks(text);
  if (rest.len && rest.ptr[0] == '\\')
    rest = case_slice(rest.ptr + 1, rest.len - 1);
  if (!begins_with_hash(rest))
    return text;
  size_t len = word_len(rest);
  struct ap_slice name = skip_blanks(case_slice(rest.ptr + len, rest.len - len));
  if (name.len == 0 || begins_with_hash(name)) /* of two hashes none is left out */
    return text;
  found->name_removed = true;
  return case_slice(rest.ptr, len);
}

static bool is_network_type(enum case_type type)
{
  return type == CASE_TYPE_IP_ADDRESS || type == CASE_TYPE_HOSTNAME;
}

int case_indicator_read(struct ap_slice text, const enum case_type *said, struct ap_buf *out,
                        struct case_indicator *found, struct ap_error *err)
{
  size_t from = out->len;
  struct case_indicator read = {.type = said ? *said : CASE_TYPE_COUNT};
  if (said && *said == CASE_TYPE_FILE) {
    int code = case_indicator_trim(text, out, err);
    if (code == AP_OK)
      *found = read;
    return code;
  }
  if (!said || *said == CASE_TYPE_FILEHASH)
    text = cut_name(text, &read);
  int code = case_indicator_clean(text.ptr, text.len, out, err);
  if (code)
    return code;
  if (!said || is_network_type(*said))
    keep_host_only(out, from, &read);
  const char *clean = out->ptr + from;
  size_t len = out->len - from;
  bool is_known = case_indicator_infer(clean, len, &read.type);
  if (said) {
    code = case_indicator_check(clean, len, *said, err);
    if (code && !is_known)
      return code;
    read.retyped = code != AP_OK;
    read.type = code ? read.type : *said;
  } else if (!is_known) {
    return case_indicator_explain(clean, len, err);
  }
  *found = read;
  return AP_OK;
}

/* ---- the key ---- */

/* A host that IDNA knows no other spelling of is its own key. */
static void add_host(struct ap_buf *out, struct ap_slice host)
{
  int code = case_host_ascii(host, out, NULL);
  if (code == AP_E_INVALID)
    case_add_lower(out, host);
  else if (code != AP_OK)
    out->error = code;
}

static void add_address(struct ap_buf *out, struct ap_slice text)
{
  struct case_address address;
  char canonical[INET6_ADDRSTRLEN];
  if (!case_address_parse(text, &address) ||
      !inet_ntop(address.family, address.family == AF_INET ? (void *)&address.v4 : &address.v6,
                 canonical, sizeof(canonical)))
    case_add_lower(out, text);
  else
    ap_buf_add_str(out, canonical);
}

static void add_url(struct ap_buf *out, struct ap_slice text)
{
  struct case_url url = case_url_split(text);
  struct ap_slice host = url.host.ptr ? url.host : case_slice(text.ptr, 0);
  const char *host_end = host.ptr + host.len;
  const char *scheme_end = text.ptr + url.scheme.len;
  const char *user_end = url.user.len ? url.user.ptr + url.user.len : scheme_end;
  case_add_lower(out, case_slice(text.ptr, url.scheme.len));
  ap_buf_add(out, scheme_end, (size_t)(user_end - scheme_end));
  ap_buf_add(out, user_end, (size_t)(host.ptr - user_end));
  add_host(out, host);
  ap_buf_add(out, host_end, (size_t)(text.ptr + text.len - host_end));
}

static void add_user(struct ap_buf *out, struct ap_slice text)
{
  const char *at = text.len ? memrchr(text.ptr, '@', text.len) : NULL;
  const char *host = at ? at + 1 : text.ptr + text.len;
  case_add_lower(out, case_slice(text.ptr, (size_t)(host - text.ptr)));
  add_host(out, case_slice(host, (size_t)(text.ptr + text.len - host)));
}

void case_indicator_key(const char *text, size_t len, enum case_type type, struct ap_buf *out)
{
  struct ap_slice slice = case_slice(text, len);
  switch (type) {
  case CASE_TYPE_FILEHASH:
    case_add_lower(out, slice);
    return;
  case CASE_TYPE_HOSTNAME:
    add_host(out, slice);
    return;
  case CASE_TYPE_USER:
    add_user(out, slice);
    return;
  case CASE_TYPE_IP_ADDRESS:
    add_address(out, slice);
    return;
  case CASE_TYPE_URL:
    add_url(out, slice);
    return;
  case CASE_TYPE_FILE:
  case CASE_TYPE_COUNT:
    break;
  }
  ap_buf_add(out, text, len);
}

/* ---- what lies inside ---- */

struct range {
  uint32_t base;
  unsigned bits;
};

static bool is_internal_v4(uint32_t address)
{
  static const struct range ranges[] = {
      {0x00000000, 8},  /* this network, unspecified */
      {0x0a000000, 8},  /* RFC 1918 */
      {0x64400000, 10}, /* RFC 6598, shared */
      {0x7f000000, 8},  /* loopback */
      {0xa9fe0000, 16}, /* link-local */
      {0xac100000, 12}, /* RFC 1918 */
      {0xc0a80000, 16}, /* RFC 1918 */
  };
  for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
    if (((address ^ ranges[i].base) >> (32 - ranges[i].bits)) == 0)
      return true;
  return false;
}

static uint32_t read_u32(const unsigned char *bytes)
{
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool is_internal_v6(const struct in6_addr *address)
{
  const unsigned char *byte = address->s6_addr;
  if (IN6_IS_ADDR_V4MAPPED(address))
    return is_internal_v4(read_u32(byte + 12));
  bool is_unique_local = (byte[0] & 0xfe) == 0xfc;
  bool is_link_local = byte[0] == 0xfe && (byte[1] & 0xc0) == 0x80;
  return is_unique_local || is_link_local || IN6_IS_ADDR_UNSPECIFIED(address) ||
         IN6_IS_ADDR_LOOPBACK(address);
}

static bool has_internal_suffix(struct ap_slice host)
{
  static const char *const suffixes[] = {".local", ".internal", ".lan", ".home.arpa", ".localhost"};
  for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
    size_t len = strlen(suffixes[i]);
    if (host.len > len && strncasecmp(host.ptr + host.len - len, suffixes[i], len) == 0)
      return true;
  }
  return false;
}

static bool is_internal_host(struct ap_slice host)
{
  struct case_address address;
  if (host.len && host.ptr[host.len - 1] == '.')
    host.len--;
  if (host.len == 0)
    return false;
  if (case_address_parse(host, &address))
    return address.family == AF_INET ? is_internal_v4(ntohl(address.v4.s_addr))
                                     : is_internal_v6(&address.v6);
  return !memchr(host.ptr, '.', host.len) || has_internal_suffix(host);
}

bool case_indicator_is_internal(const char *text, size_t len, enum case_type type)
{
  struct ap_slice slice = case_slice(text, len);
  switch (type) {
  case CASE_TYPE_IP_ADDRESS:
  case CASE_TYPE_HOSTNAME:
    return is_internal_host(slice);
  case CASE_TYPE_URL:
    return is_internal_host(case_url_split(slice).host);
  case CASE_TYPE_FILEHASH:
  case CASE_TYPE_USER:
  case CASE_TYPE_FILE:
  case CASE_TYPE_COUNT:
    break;
  }
  return false;
}
