/* Hash tables: uthash, with an end of our own when memory is out (by itself it calls exit()), and
 * with a removal that says what it promises, so that a static analyser need not follow it. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "base/memory.h"

#define uthash_fatal(msg) ap_out_of_memory()
#include <uthash.h>

/* Takes item out of the table `head`, in which it is by its member `handle`. */
#define TABLE_REMOVE(handle, head, item)                                                           \
  do {                                                                                             \
    ap_require(head);                                                                              \
    HASH_DELETE(handle, head, item);                                                               \
    ap_require((head) != (item));                                                                  \
  } while (0)
