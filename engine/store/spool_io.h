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

/* ---- spool_file.c ---- */

int spool_file_open(const struct store_spool_io *io, const char *folder); /* -1 and errno */

/* Gives a file without a name one, and holds it. AP_E_IO where the file system cannot. */
int spool_file_name(int fd, const char *path, struct ap_error *err) AP_MUST_USE;

/* AP_E_NOT_FOUND, AP_E_BUSY (held by another, when it is to grow), AP_E_INVALID, AP_E_IO. */
int spool_file_reopen(const char *path, bool is_to_grow, int *fd, uint64_t *size,
                      struct ap_error *err) AP_MUST_USE;
