/* Domains and networks that are never sent, or are the own ones, and the hosts that a text names. A
 * host is found in every spelling that a server would take for it: in capitals, in another script,
 * percent-encoded, an address as one number or in octal, an IPv4 address in an IPv6 one. */
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"
#include "casefile/host.h"
#include "casefile/parts.h"
#include "vt/policy_private.h"

enum { DECODE_ROUNDS = 3, MAPPED_BITS = 96, HOSTS_MAX = 64 };

/* ---- reading items ---- */

static int no_memory(struct ap_error *err)
{
  return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
}

int vt_policy_read_domain(const char *value, struct vt_policy_item **out, struct ap_error *err)
{
  const char *at = strncmp(value, "*.", 2) == 0 ? value + 2 : value + (*value == '.');
  size_t len = strlen(at);
  struct ap_buf name = {0};
  struct case_address address;
  if (len && at[len - 1] == '.')
    len--;
  const struct ap_slice host = {at, len};
  const char *problem = case_host_problem(host, 1);
  if (case_address_parse(host, &address))
    return ap_fail(err, AP_E_INVALID, "must be a domain, not an address");
  if (problem)
    return ap_fail(err, AP_E_INVALID, "must be a domain, like example.com: %s", problem);
  int rc = case_host_ascii(host, &name, err);
  *out = rc == AP_OK ? vt_policy_item_new(ap_buf_cstr(&name), value) : NULL;
  ap_buf_deinit(&name);
  return rc == AP_OK && !*out ? no_memory(err) : rc;
}

/* The address as an IPv6 one. */
static void map_address(const struct case_address *address, unsigned char out[16])
{
  static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
  if (address->family == AF_INET) {
    memcpy(out, mapped, sizeof(mapped));
    memcpy(out + sizeof(mapped), &address->v4, 4);
  } else {
    memcpy(out, &address->v6, 16);
  }
}

int vt_policy_read_network(const char *value, struct vt_policy_item **out, struct ap_error *err)
{
  static const char expects[] = "must be an address or a range, like 192.0.2.0/24";
  struct case_address address;
  size_t len = strcspn(value, "/");
  uint64_t bits = 0;
  if (!case_address_parse((struct ap_slice){value, len}, &address))
    return ap_fail(err, AP_E_INVALID, "%s", expects);
  unsigned most = address.family == AF_INET ? 32 : 128;
  if (!value[len])
    bits = most;
  else if (ap_count_parse(value + len + 1, &bits) != AP_OK || bits > most)
    return ap_fail(err, AP_E_INVALID, "%s: the number behind the / is 0 to %u", expects, most);
  *out = vt_policy_item_new("", value);
  if (!*out)
    return no_memory(err);
  map_address(&address, (*out)->network);
  (*out)->prefix = (unsigned)bits + (address.family == AF_INET ? MAPPED_BITS : 0);
  return AP_OK;
}

/* ---- the hosts of a text ---- */

static int hex_of(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One round. True when there was something to decode. */
static bool decode_round(struct ap_slice text, struct ap_buf *out)
{
  bool has_some = false;
  for (size_t i = 0; i < text.len; i++) {
    bool is_code = text.ptr[i] == '%' && i + 2 < text.len && hex_of(text.ptr[i + 1]) >= 0 &&
                   hex_of(text.ptr[i + 2]) >= 0;
    int byte = is_code ? hex_of(text.ptr[i + 1]) * 16 + hex_of(text.ptr[i + 2]) : text.ptr[i];
    if (is_code)
      i += 2;
    has_some = has_some || is_code;
    ap_buf_add_char(out, byte ? (char)byte : ' ');
  }
  return has_some;
}

void vt_policy_decode(const char *text, struct ap_buf *out)
{
  struct ap_buf before = {0};
  bool goes_on = decode_round((struct ap_slice){text, strlen(text)}, out);
  for (int round = 1; goes_on && round < DECODE_ROUNDS; round++) {
    struct ap_buf swap = before;
    before = *out;
    *out = swap;
    ap_buf_clear(out);
    goes_on = decode_round(ap_slice_of(&before), out);
  }
  if (ap_buf_error(&before))
    out->error = ap_buf_error(&before);
  ap_buf_deinit(&before);
}

/* What stands behind a host in a text that is no URL of its own. */
static size_t host_len(struct ap_slice host)
{
  static const char ends[] = "&;,'\"<>()| ";
  size_t len = 0;
  while (len < host.len && !memchr(ends, host.ptr[len], sizeof(ends) - 1))
    len++;
  while (len && host.ptr[len - 1] == '.')
    len--;
  return len;
}

static int visit_host(struct ap_slice host, int (*visit)(void *arg, const char *host), void *arg)
{
  struct ap_buf name = {0};
  struct ap_error err = {0};
  host.len = host_len(host);
  if (!host.len)
    return AP_OK;
  int rc = case_host_ascii(host, &name, &err);
  if (rc == AP_E_INVALID) { /* no name that there is in the DNS: compared as it is */
    case_add_lower(&name, host);
    rc = ap_buf_error(&name);
  }
  if (rc == AP_OK)
    rc = visit(arg, ap_buf_cstr(&name));
  ap_buf_deinit(&name);
  return rc;
}

/* From behind each "://" on. */
static int visit_within(struct ap_slice text, int (*visit)(void *arg, const char *host), void *arg)
{
  const char *end = text.ptr + text.len;
  const char *at = text.ptr;
  int rc = AP_OK;
  for (int count = 0; rc == AP_OK && count < HOSTS_MAX; count++) {
    at = memmem(at, (size_t)(end - at), "://", 3);
    if (!at)
      return AP_OK;
    at += 3;
    rc = visit_host(case_url_split((struct ap_slice){at, (size_t)(end - at)}).host, visit, arg);
  }
  return rc == AP_OK ? AP_E_DENIED : rc; /* too many to look at */
}

int vt_policy_hosts(const char *text, int (*visit)(void *arg, const char *host), void *arg)
{
  struct ap_buf decoded = {0};
  struct case_address address;
  vt_policy_decode(text, &decoded);
  struct ap_slice whole = ap_slice_of(&decoded);
  int rc = ap_buf_error(&decoded);
  if (rc == AP_OK && case_address_parse(whole, &address))
    rc = visit_host(whole, visit, arg);
  else if (rc == AP_OK && whole.len)
    rc = visit_host(case_url_split(whole).host, visit, arg);
  if (rc == AP_OK) /* its own again too: what is decoded may look otherwise */
    rc = visit_host(case_url_split((struct ap_slice){text, strlen(text)}).host, visit, arg);
  if (rc == AP_OK && whole.len)
    rc = visit_within(whole, visit, arg);
  ap_buf_deinit(&decoded);
  return rc;
}

/* ---- finding ---- */

bool vt_policy_is_below(const char *host, const char *domain)
{
  size_t host_bytes = strlen(host);
  size_t bytes = strlen(domain);
  if (host_bytes < bytes || strcmp(host + host_bytes - bytes, domain) != 0)
    return false;
  return host_bytes == bytes || host[host_bytes - bytes - 1] == '.';
}

const struct vt_policy_item *vt_policy_find_domain(const struct vt_policy_item *list,
                                                   const char *host)
{
  while (list && !vt_policy_is_below(host, list->text))
    list = list->next;
  return list;
}

/* Also as a resolver reads it: "0x7f.1", "2130706433", "010.0.0.1". */
static bool read_address(const char *host, unsigned char out[16])
{
  struct case_address address = {.family = AF_INET};
  if (!case_address_parse((struct ap_slice){host, strlen(host)}, &address) &&
      inet_aton(host, &address.v4) == 0)
    return false;
  map_address(&address, out);
  return true;
}

static bool is_in(const unsigned char address[16], const struct vt_policy_item *item)
{
  unsigned bytes = item->prefix / 8;
  unsigned bits = item->prefix % 8;
  unsigned char mask = (unsigned char)(0xff00U >> bits);
  if (memcmp(address, item->network, bytes) != 0)
    return false;
  return !bits || ((address[bytes] ^ item->network[bytes]) & mask) == 0;
}

const struct vt_policy_item *vt_policy_find_network(const struct vt_policy_item *list,
                                                    const char *host)
{
  unsigned char address[16];
  if (!list || !read_address(host, address))
    return NULL;
  while (list && !is_in(address, list))
    list = list->next;
  return list;
}
