// SPDX-License-Identifier: Apache-2.0
#include "net/memory_source.h"

#include <stdlib.h>

struct memory {
  struct net_timer *later; /* a read calls back from the loop, as every source does */
  char *bytes;
  size_t size;
  size_t at;
  net_source_data_fn *got; /* NULL: no read is under way */
  void *arg;
};

static void give(void *arg)
{
  struct memory *memory = arg;
  net_source_data_fn *got = memory->got;
  size_t len = memory->size - memory->at;
  if (len > NET_SOURCE_READ_MAX)
    len = NET_SOURCE_READ_MAX;
  const struct ap_slice data = {len ? memory->bytes + memory->at : NULL, len};
  memory->at += len;
  memory->got = NULL;
  got(memory->arg, AP_OK, "", data);
}

static int memory_read(void *self, net_source_data_fn *got, void *arg)
{
  struct memory *memory = self;
  if (memory->got)
    return AP_E_BUSY;
  memory->got = got;
  memory->arg = arg;
  net_timer_start(memory->later, 0);
  return AP_PENDING;
}

static void memory_cancel(void *self)
{
  struct memory *memory = self;
  net_timer_stop(memory->later);
  memory->got = NULL;
}

static int memory_rewind(void *self)
{
  struct memory *memory = self;
  if (memory->got)
    return AP_E_BUSY;
  memory->at = 0;
  return AP_OK;
}

static void memory_close(void *self)
{
  struct memory *memory = self;
  net_timer_free(memory->later);
  free(memory->bytes);
  free(memory);
}

int net_memory_source(struct net_loop *loop, char *bytes, size_t size, struct net_source *out)
{
  static const struct net_source_kind kind = {memory_read, memory_cancel, memory_rewind,
                                              memory_close};
  struct memory *memory = calloc(1, sizeof(*memory));
  if (!memory)
    return AP_E_NO_MEMORY;
  *memory = (struct memory){.bytes = bytes, .size = size};
  int rc = net_timer_new(loop, give, memory, &memory->later);
  if (rc != AP_OK) {
    free(memory);
    return rc;
  }
  *out = (struct net_source){&kind, memory, size};
  return AP_OK;
}
