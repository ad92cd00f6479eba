/* What a cleaned text is, and why it is not what it should be. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "casefile/indicator.h"
#include "casefile/parts.h"

static bool is_hex(char c)
{
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static size_t hex_digits(struct ap_slice text)
{
  size_t count = 0;
  while (count < text.len && is_hex(text.ptr[count]))
    count++;
  return count;
}

static bool is_hash(struct ap_slice text)
{
  return (text.len == 32 || text.len == 40 || text.len == 64) && hex_digits(text) == text.len;
}

static bool is_address(struct ap_slice text)
{
  struct case_address address;
  return case_address_parse(text, &address);
}

static bool has_blank(struct ap_slice text)
{
  return text.len && memchr(text.ptr, ' ', text.len);
}

/* NULL when a URL's host (and port) can be asked for. */
static const char *url_problem(struct ap_slice text)
{
  struct case_url url = case_url_split(text);
  if (url.host.len > 1 && url.host.ptr[url.host.len - 1] == '.')
    url.host.len--;
  if (url.host.len == 0)
    return "it has no host";
  if (url.has_bad_port)
    return "its port is no number";
  if (is_address(url.host))
    return NULL;
  return case_host_problem(url.host, url.scheme.len ? 1 : 2);
}

static bool is_url(struct ap_slice text)
{
  return !has_blank(text) && case_url_split(text).scheme.len && !url_problem(text);
}

static bool is_mail_user(struct ap_slice text)
{
  const char *at = text.len ? memrchr(text.ptr, '@', text.len) : NULL;
  if (!at || at == text.ptr || has_blank(text))
    return false;
  struct ap_slice name = case_slice(text.ptr, (size_t)(at - text.ptr));
  struct ap_slice host = case_slice(at + 1, (size_t)(text.ptr + text.len - at - 1));
  return !memchr(name.ptr, '/', name.len) && !memchr(name.ptr, ':', name.len) &&
         !memchr(name.ptr, '@', name.len) && !case_host_problem(host, 2);
}

static bool is_domain_user(struct ap_slice text)
{
  const char *slash = text.len ? memchr(text.ptr, '\\', text.len) : NULL;
  if (!slash || has_blank(text))
    return false;
  struct ap_slice name = case_slice(slash + 1, (size_t)(text.ptr + text.len - slash - 1));
  return name.len && !memchr(name.ptr, '\\', name.len) && !memchr(name.ptr, '/', name.len) &&
         !case_host_problem(case_slice(text.ptr, (size_t)(slash - text.ptr)), 1);
}

bool case_indicator_infer(const char *text, size_t len, enum case_type *type)
{
  struct ap_slice slice = case_slice(text, len);
  if (is_hash(slice))
    *type = CASE_TYPE_FILEHASH;
  else if (is_address(slice))
    *type = CASE_TYPE_IP_ADDRESS;
  else if (is_url(slice))
    *type = CASE_TYPE_URL;
  else if (is_mail_user(slice) || is_domain_user(slice))
    *type = CASE_TYPE_USER;
  else if (!case_host_problem(slice, 2))
    *type = CASE_TYPE_HOSTNAME;
  else
    return false;
  return true;
}

bool case_indicator_has_port(const char *text, size_t len, struct ap_slice *host)
{
  struct ap_slice slice = case_slice(text, len);
  struct case_url url = case_url_split(slice);
  if (url.scheme.len || url.user.len || url.has_bad_port || url.port.len == 0 ||
      url.port.ptr + url.port.len != text + len)
    return false;
  if (!is_address(url.host) && case_host_problem(url.host, 2))
    return false;
  *host = url.host;
  return true;
}

/* An address with a prefix length: many addresses, none to ask for. */
static bool is_network(struct ap_slice text)
{
  const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
  if (!slash || !is_address(case_slice(text.ptr, (size_t)(slash - text.ptr))))
    return false;
  size_t digits = (size_t)(text.ptr + text.len - slash - 1);
  return digits > 0 && digits <= 3 && strspn(slash + 1, "0123456789") >= digits;
}

static const char *hash_problem(struct ap_slice text)
{
  if (is_hash(text))
    return NULL;
  return hex_digits(text) == text.len ? "a hash has 32, 40 or 64 hex characters"
                                      : "a hash has hex characters only";
}

static const char *address_problem(struct ap_slice text)
{
  if (is_address(text))
    return NULL;
  return is_network(text) ? "it is a network, not one address" : "it is no IPv4 or IPv6 address";
}

static const char *host_problem(struct ap_slice text)
{
  return is_address(text) ? "it is an address, not a host name" : case_host_problem(text, 1);
}

static const char *user_problem(struct ap_slice text)
{
  return text.len ? NULL : "it is empty";
}

static const char *type_problem(struct ap_slice text, enum case_type type)
{
  switch (type) {
  case CASE_TYPE_FILEHASH:
    return hash_problem(text);
  case CASE_TYPE_IP_ADDRESS:
    return address_problem(text);
  case CASE_TYPE_URL:
    return url_problem(text);
  case CASE_TYPE_HOSTNAME:
    return host_problem(text);
  case CASE_TYPE_USER:
  case CASE_TYPE_FILE:
    return user_problem(text);
  case CASE_TYPE_COUNT:
    break;
  }
  return "its type is unknown";
}

int case_indicator_check(const char *text, size_t len, enum case_type type, struct ap_error *err)
{
  const char *problem = type_problem(case_slice(text, len), type);
  return problem ? ap_fail(err, AP_E_INVALID, "no %s: %s", case_type_word(type), problem) : AP_OK;
}

static const char *sentence(const char *problem)
{
  return problem ? problem : "it is fine";
}

int case_indicator_explain(const char *text, size_t len, struct ap_error *err)
{
  struct ap_slice slice = case_slice(text, len);
  const char *zone = memchr(text, '%', len);
  if (has_blank(slice))
    return ap_fail(err, AP_E_INVALID, "no indicator: it has blanks inside");
  if (zone && is_address(case_slice(text, (size_t)(zone - text))))
    return ap_fail(err, AP_E_INVALID,
                   "no indicator: an address with a zone means one machine's "
                   "network only");
  if (is_network(slice))
    return ap_fail(err, AP_E_INVALID, "no indicator: it is a network, not one address");
  if (case_url_split(slice).scheme.len)
    return ap_fail(err, AP_E_INVALID, "no indicator: as a URL, %s", sentence(url_problem(slice)));
  if (len > 24 && hex_digits(slice) == len)
    return ap_fail(err, AP_E_INVALID,
                   "no indicator: a hash has 32, 40 or 64 hex characters, this has %zu", len);
  if (memchr(text, '/', len) && !url_problem(slice))
    return ap_fail(err, AP_E_INVALID, "no indicator: a URL needs its scheme (http://)");
  if (memchr(text, '@', len) || memchr(text, '\\', len))
    return ap_fail(err, AP_E_INVALID, "no indicator: it is no name@host or DOMAIN\\name");
  return ap_fail(err, AP_E_INVALID, "no indicator: as a host name, %s",
                 sentence(case_host_problem(slice, 2)));
}
