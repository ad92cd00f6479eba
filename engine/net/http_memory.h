/* The memory of libcurl, which does not survive being without: when there is none, the process
 * ends with exit code 6. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>

void *net_http_malloc(size_t size);
void *net_http_calloc(size_t count, size_t size);
void *net_http_realloc(void *ptr, size_t size);
char *net_http_strdup(const char *text);
