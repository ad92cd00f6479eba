/* How a spool writes: the seam for tests that fill the disk. Inside the room only. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "store/spool.h"

struct store_spool_io {
  ssize_t (*pwrite)(int fd, const void *data, size_t len, off_t offset);
  ssize_t (*pread)(int fd, void *data, size_t len, off_t offset);
  int (*open_unnamed)(const char *folder); /* a file descriptor, or -1 and errno */
};

extern const struct store_spool_io store_spool_system;

/* store_spool_open with other calls; io is borrowed until close. */
int store_spool_open_with(const struct store_spool_io *io, struct net_loop *loop,
                          const char *folder, struct store_spool **out,
                          struct ap_error *err) AP_MUST_USE;
