/* A folder of its own for one test. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

/* Where the file of a store lies: a folder of its own below TMPDIR. */
struct folder {
  char path[256];
};

static inline void folder_make(struct folder *folder)
{
  const char *tmp = getenv("TMPDIR");
  (void)snprintf(folder->path, sizeof(folder->path), "%s/apogee-store-XXXXXX",
                 tmp && *tmp ? tmp : "/tmp");
  assert_non_null(mkdtemp(folder->path));
}

static inline void folder_remove(const struct folder *folder)
{
  static const char *const names[] = {"apogee.db", "apogee.db-journal", "apogee.db-wal",
                                      "apogee.db-shm"};
  char path[512];
  (void)chmod(folder->path, 0700);
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    (void)snprintf(path, sizeof(path), "%s/%s", folder->path, names[i]);
    (void)unlink(path);
  }
  (void)rmdir(folder->path);
}
