/* Hosts and the URLs that lead to them: read by libcurl's parser, which also sends them. */
// SPDX-License-Identifier: Apache-2.0
#include "net/web_host.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/http.h"

/* A part of a URL; false where it has none or it is too long. */
static bool part(CURLU *url, CURLUPart what, unsigned flags, char *out, size_t size)
{
  char *text = NULL;
  bool is_there = curl_url_get(url, what, &text, flags) == CURLUE_OK && strlen(text) < size;
  if (is_there)
    (void)snprintf(out, size, "%s", text);
  curl_free(text);
  return is_there;
}

static bool read_host(CURLU *url, struct net_web_host *out)
{
  if (!part(url, CURLUPART_HOST, 0, out->name, sizeof(out->name)) || !*out->name)
    return false;
  for (char *c = out->name; *c; c++) {
    if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || strchr("%\\\"<>|^`{}", *c))
      return false;
    if (*c >= 'A' && *c <= 'Z')
      *c = (char)(*c - 'A' + 'a');
  }
  out->is_loopback = net_http_host_is_loopback(out->name);
  return true;
}

int net_web_host_parse(const char *text, struct net_web_host *out, struct ap_error *err)
{
  char whole[NET_WEB_HOST_MAX + 16];
  char port[8] = "";
  *out = (struct net_web_host){0};
  CURLU *url = curl_url();
  bool good = url && strlen(text) < NET_WEB_HOST_MAX && !strpbrk(text, "/@?#\\ ");
  (void)snprintf(whole, sizeof(whole), "https://%s/", text);
  good = good && curl_url_set(url, CURLUPART_URL, whole, 0) == CURLUE_OK && read_host(url, out);
  if (good && part(url, CURLUPART_PORT, 0, port, sizeof(port)))
    out->port = (unsigned)strtoul(port, NULL, 10);
  else if (good && text[strlen(text) - 1] == ':')
    good = false;
  curl_url_cleanup(url);
  if (good && strchr(out->name, '*'))
    good = false;
  return good
             ? AP_OK
             : ap_fail(err, AP_E_INVALID,
                       "\"%.80s\" is no host: write host or host:port, like api.example.com", text);
}

/* Bytes that no URL has: a header or a second request must not be made of one. */
static bool is_clean(const char *url)
{
  for (; *url; url++)
    if ((unsigned char)*url <= ' ' || (unsigned char)*url >= 0x7f)
      return false;
  return true;
}

int net_web_target_parse(const char *url, struct net_web_target *out, struct ap_error *err)
{
  char port[8] = "";
  *out = (struct net_web_target){0};
  if (!is_clean(url))
    return ap_fail(err, AP_E_INVALID,
                   "the URL has a space, a control character or one outside of ASCII: "
                   "percent-encode it");
  CURLU *parsed = curl_url();
  bool good = parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
              part(parsed, CURLUPART_SCHEME, 0, out->scheme, sizeof(out->scheme)) &&
              read_host(parsed, &out->host) &&
              part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port));
  char *text = NULL;
  bool has_user = parsed && curl_url_get(parsed, CURLUPART_USER, &text, 0) == CURLUE_OK;
  curl_free(text);
  curl_url_cleanup(parsed);
  if (good && has_user)
    return ap_fail(err, AP_E_INVALID, "the URL has a user: a login goes into a header");
  out->host.port = (unsigned)strtoul(port, NULL, 10);
  if (good && strcmp(out->scheme, "https") != 0 && strcmp(out->scheme, "http") != 0)
    good = false;
  return good ? AP_OK : ap_fail(err, AP_E_INVALID, "the URL is none: write https://HOST/...");
}

bool net_web_host_is(const struct net_web_host *host, const struct net_web_target *target)
{
  bool is_https = strcmp(target->scheme, "https") == 0;
  unsigned usual = is_https ? 443 : 80;
  return (is_https || host->is_loopback) && strcmp(host->name, target->host.name) == 0 &&
         (host->port ? host->port : usual) == target->host.port;
}

bool net_web_target_same(const struct net_web_target *a, const struct net_web_target *b)
{
  return strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host.name, b->host.name) == 0 &&
         a->host.port == b->host.port;
}

char *net_web_resolve(const char *url, const char *location)
{
  char *whole = NULL;
  CURLU *parsed = curl_url();
  if (!parsed || curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK ||
      curl_url_set(parsed, CURLUPART_URL, location, 0) != CURLUE_OK ||
      curl_url_set(parsed, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
      curl_url_get(parsed, CURLUPART_URL, &whole, 0) != CURLUE_OK)
    whole = NULL;
  curl_url_cleanup(parsed);
  return whole;
}
