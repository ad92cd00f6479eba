// SPDX-License-Identifier: Apache-2.0
#include "net/http_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void *or_end(void *ptr)
{
  if (!ptr)
    ap_out_of_memory();
  return ptr;
}

void *net_http_malloc(size_t size)
{
  return or_end(malloc(size));
}

void *net_http_calloc(size_t count, size_t size)
{
  return or_end(calloc(count, size));
}

/* Of no bytes it frees, and gives nothing. */
void *net_http_realloc(void *ptr, size_t size)
{
  void *grown = realloc(ptr, size);
  return size ? or_end(grown) : grown;
}

char *net_http_strdup(const char *text)
{
  return or_end(strdup(text));
}
