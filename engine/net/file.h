/* Local files for uploads, read on the pool: the loop never waits for a disk. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include "net/loop.h"
#include "net/source.h"

struct net_file_opening;

/* code is AP_OK and the source is the callee's to close; or an error with its sentence:
 * AP_E_NOT_FOUND, AP_E_FORBIDDEN (may not be read), AP_E_INVALID (a folder, or no regular file),
 * AP_E_IO. */
typedef void net_file_opened_fn(void *arg, int code, const char *text,
                                const struct net_source *source);

/* Opens a regular file for reading; path is copied. A symbolic link is followed. AP_PENDING, and
 * opened runs exactly once, later, on the loop thread; or AP_E_NO_MEMORY now.
 * @param out  for net_file_open_cancel; may be NULL */
int net_file_open(struct net_loop *loop, const char *path, net_file_opened_fn *opened, void *arg,
                  struct net_file_opening **out) AP_MUST_USE;

/* Its callback does not run. */
void net_file_open_cancel(struct net_file_opening *opening);

/* Where a source of net_file_open lies, with links followed; NULL: nobody knows, or it is another
 * source. Lives as long as the source. */
const char *net_file_path(const struct net_source *source);

/* An open regular file as a source; known is what fstat says of it. fd is taken on success. */
int net_file_adopt(struct net_loop *loop, int fd, const struct stat *known,
                   struct net_source *out) AP_MUST_USE;
