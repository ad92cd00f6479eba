/* What this room's libraries are called and which versions were loaded. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>

const char *net_http_library(void); /* "libcurl/7.88.1 OpenSSL/3.0.20 ..." */
const char *net_ssh_library(void);  /* "1.10.0" */

/* libssh2 before 1.11.1 lets whoever is on the way cut messages off (CVE-2023-48795), unless the
 * distribution has mended it: Debian 12 has, from 1.10.0-3+deb12u1 on, which the library itself
 * cannot tell. */
bool net_ssh_library_is_safe(void);
