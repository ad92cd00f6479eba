// SPDX-License-Identifier: Apache-2.0
#include "net/libraries.h"

#include <curl/curl.h>
#include <libssh2.h>

const char *net_http_library(void)
{
  return curl_version();
}

const char *net_ssh_library(void)
{
  const char *version = libssh2_version(0);
  return version ? version : "unknown";
}

bool net_ssh_library_is_safe(void)
{
  enum { MENDED = 0x010b01 };
  return libssh2_version(MENDED) != NULL;
}
