/* The bytes of one file, wherever it lies: what an upload reads. A source is read once from its
 * beginning to its end; rewinding allows it once more. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

/* The next bytes, valid during the callback; none at the end. code is AP_OK or an error with its
 * sentence in text: at the end too, when the file is not what it was. */
typedef void net_source_data_fn(void *arg, int code, const char *text, struct ap_slice data);

struct net_source_kind {
  /* AP_PENDING, and got runs exactly once, later, on the loop thread; or an error now. */
  int (*read)(void *self, net_source_data_fn *got, void *arg);
  void (*cancel)(void *self); /* the read under way: its callback does not run; none: nothing */
  int (*rewind)(void *self);  /* while no read is under way */
  void (*close)(void *self);  /* cancels, frees */
};

struct net_source {
  const struct net_source_kind *kind;
  void *self;
  uint64_t size; /* when it was opened */
};

#define NET_SOURCE_READ_MAX (1280 * 1024) /* bytes that one read gives at most */
