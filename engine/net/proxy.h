/* The parts of a proxy's URL. Inside the room only. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>

/* Takes the name of the user off: libcurl forgets a password that comes apart from a name in the
 * URL. *bare is the URL without it, *user the name decoded or NULL; the caller frees both. False
 * when out of memory. */
bool net_proxy_split(const char *url, char **bare, char **user);
