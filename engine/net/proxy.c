// SPDX-License-Identifier: Apache-2.0
#include "net/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_value(char c)
{
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  const char *found = c ? strchr(digits, c) : NULL;
  return found ? (int)(found - digits) % 16 : -1;
}

static void decode(char *text)
{
  char *to = text;
  for (const char *at = text; *at; at++) {
    int high = *at == '%' ? hex_value(at[1]) : -1;
    int low = high >= 0 ? hex_value(at[2]) : -1;
    *to++ = low >= 0 ? (char)(high * 16 + low) : *at;
    at += low >= 0 ? 2 : 0;
  }
  *to = '\0';
}

bool net_proxy_split(const char *url, char **bare, char **user)
{
  const char *mark = strstr(url, "://");
  const char *host = mark ? mark + 3 : url;
  const char *at = strrchr(host, '@');
  size_t size = strlen(url) + 1;
  char *rest = malloc(size);
  char *name = at ? strndup(host, (size_t)(at - host)) : NULL;
  if (!rest || (at && !name)) {
    free(rest);
    free(name);
    return false;
  }
  (void)snprintf(rest, size, "%.*s%s", (int)(host - url), url, at ? at + 1 : host);
  if (name)
    decode(name);
  *bare = rest;
  *user = name;
  return true;
}
