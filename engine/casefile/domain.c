// SPDX-License-Identifier: Apache-2.0
#include "casefile/domain.h"

#include <libpsl.h>
#include <string.h>

#include "casefile/host.h"
#include "casefile/indicator.h"
#include "casefile/parts.h"

/* ---- the host in an entity's text ---- */

/* A text that is no host with a port comes back as it is; it will not pass for a host name. */
static struct ap_slice without_port(struct ap_slice text)
{
  for (size_t i = 0; i < text.len; i++)
    if (strchr("/?#\\@", text.ptr[i]))
      return text;
  struct case_url url = case_url_split(text);
  return url.has_bad_port ? text : url.host;
}

static int find_host(struct ap_slice text, enum case_type type, struct ap_slice *host,
                     struct ap_error *err)
{
  const char *at;
  switch (type) {
  case CASE_TYPE_HOSTNAME:
    *host = without_port(text);
    return AP_OK;
  case CASE_TYPE_URL:
    *host = case_url_split(text).host;
    return AP_OK;
  case CASE_TYPE_USER:
    at = text.len ? memrchr(text.ptr, '@', text.len) : NULL;
    if (!at || at + 1 == text.ptr + text.len)
      return ap_fail(err, AP_E_INVALID, "a user without a domain");
    *host = without_port(case_slice(at + 1, (size_t)(text.ptr + text.len - at - 1)));
    return AP_OK;
  case CASE_TYPE_IP_ADDRESS:
    return ap_fail(err, AP_E_INVALID, "an IP address, not a host name");
  case CASE_TYPE_FILEHASH:
  case CASE_TYPE_FILE:
  case CASE_TYPE_COUNT:
    break;
  }
  return ap_fail(err, AP_E_INVALID, "neither a host name nor a URL nor a user");
}

/* ---- what may be asked for ---- */

static const char *label_behind(const char *name)
{
  const char *dot = strchr(name, '.');
  return dot ? dot + 1 : NULL;
}

/* The registrable domain: the longest listed suffix and the label before it. NULL: nothing is
 * listed; "": the name is a suffix itself. */
static const char *registrable(const psl_ctx_t *list, const char *name)
{
  const char *before = "";
  for (const char *at = name; at; at = label_behind(at)) {
    if (psl_is_public_suffix2(list, at, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE))
      return before;
    before = at;
  }
  return NULL;
}

static int choose(const struct ap_buf *name, bool exact_host, const char **domain,
                  struct ap_error *err)
{
  struct case_address address;
  struct ap_slice host = ap_slice_of(name);
  const char *text = ap_buf_cstr(name);
  if (case_address_parse(host, &address))
    return ap_fail(err, AP_E_INVALID, "an IP address, not a host name");
  const char *problem = case_host_problem(host, 1);
  if (problem)
    return ap_fail(err, AP_E_INVALID, "not a host name: %s", problem);
  if (!label_behind(text))
    return ap_fail(err, AP_E_INVALID, "a name of one label");
  const psl_ctx_t *list = psl_builtin();
  if (!list)
    return ap_fail(err, AP_E_INTERNAL, "libpsl was built without the Public Suffix List");
  const char *found = registrable(list, text);
  if (!found)
    return ap_fail(err, AP_E_INVALID, "under no listed public suffix");
  if (case_indicator_is_internal(host.ptr, host.len, CASE_TYPE_HOSTNAME))
    return ap_fail(err, AP_E_INVALID, "a name that is used inside of networks only");
  if (!exact_host && !*found)
    return ap_fail(err, AP_E_INVALID, "a public suffix itself");
  *domain = exact_host ? text : found;
  return AP_OK;
}

int case_domain_of(const char *text, size_t len, enum case_type type, bool exact_host,
                   struct ap_buf *out, struct ap_error *err)
{
  struct ap_slice host = {0};
  if (len && memchr(text, '\0', len))
    return ap_fail(err, AP_E_INVALID, "not a host name: it has a NUL character");
  int code = find_host(case_slice(text, len), type, &host, err);
  if (code)
    return code;
  struct ap_buf name = {0};
  const char *domain = NULL;
  code = case_host_ascii(host, &name, err);
  if (!code && name.len > 1 && name.ptr[name.len - 1] == '.')
    name.ptr[--name.len] = '\0';
  if (!code)
    code = choose(&name, exact_host, &domain, err);
  if (!code) {
    ap_buf_add_str(out, domain);
    if (ap_buf_error(out))
      code = ap_fail(err, ap_buf_error(out), "a domain: %s", ap_error_text(ap_buf_error(out)));
  }
  ap_buf_deinit(&name);
  return code;
}
