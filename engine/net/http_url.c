/* URLs: which may be asked, which lie together, and what is written into one. */
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "net/http.h"

bool net_http_host_is_loopback(const char *host)
{
  struct in_addr address;
  if (inet_pton(AF_INET, host, &address) == 1) /* and no name that begins like one */
    return ntohl(address.s_addr) >> 24 == 127;
  return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
         strcmp(host, "::1") == 0;
}

/* Reads the parts that make an origin; false when url cannot be read. The caller frees with
 * curl_free. */
static bool read_origin(const char *url, char **scheme, char **host, char **port)
{
  CURLU *parsed = curl_url();
  *scheme = *host = *port = NULL;
  bool good = parsed && !curl_url_set(parsed, CURLUPART_URL, url, 0) &&
              !curl_url_get(parsed, CURLUPART_SCHEME, scheme, 0) &&
              !curl_url_get(parsed, CURLUPART_HOST, host, 0) &&
              !curl_url_get(parsed, CURLUPART_PORT, port, CURLU_DEFAULT_PORT);
  curl_url_cleanup(parsed);
  return good;
}

bool net_http_url_is_allowed(const char *url)
{
  char *scheme = NULL;
  char *host = NULL;
  char *port = NULL;
  bool good = read_origin(url, &scheme, &host, &port) &&
              (strcmp(scheme, "https") == 0 ||
               (strcmp(scheme, "http") == 0 && net_http_host_is_loopback(host)));
  curl_free(scheme);
  curl_free(host);
  curl_free(port);
  return good;
}

bool net_http_same_origin(const char *a, const char *b)
{
  char *scheme[2];
  char *host[2];
  char *port[2];
  bool good = read_origin(a, &scheme[0], &host[0], &port[0]);
  good = read_origin(b, &scheme[1], &host[1], &port[1]) && good;
  good = good && strcmp(scheme[0], scheme[1]) == 0 && strcasecmp(host[0], host[1]) == 0 &&
         strcmp(port[0], port[1]) == 0;
  for (int i = 0; i < 2; i++) {
    curl_free(scheme[i]);
    curl_free(host[i]);
    curl_free(port[i]);
  }
  return good;
}

bool net_http_host_is_below(const char *url, const char *domain)
{
  char *scheme = NULL;
  char *host = NULL;
  char *port = NULL;
  bool good = read_origin(url, &scheme, &host, &port);
  size_t len = good ? strlen(host) : 0;
  size_t tail = strlen(domain);
  good =
      len > tail + 1 && host[len - tail - 1] == '.' && strcasecmp(host + len - tail, domain) == 0;
  curl_free(scheme);
  curl_free(host);
  curl_free(port);
  return good;
}

static bool needs_no_escape(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

void net_http_escape(struct ap_buf *out, const char *text, size_t len)
{
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < len; i++) {
    size_t plain = i;
    while (i < len && needs_no_escape(text[i]))
      i++;
    ap_buf_add(out, text + plain, i - plain);
    if (i == len)
      return;
    unsigned char c = (unsigned char)text[i];
    const char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};
    ap_buf_add(out, escaped, 3);
  }
}
