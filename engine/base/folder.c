// SPDX-License-Identifier: Apache-2.0
#include "base/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"

static int make_each(char *path)
{
  for (char *at = path + 1; at[-1]; at++) {
    if (*at && *at != '/')
      continue;
    char kept = *at;
    *at = '\0';
    if (mkdir(path, 0700) && errno != EEXIST)
      return errno;
    *at = kept;
    if (!kept)
      break;
  }
  return 0;
}

int ap_folder_make(const char *path)
{
  if (!*path)
    return ENOENT;
  char *copy = ap_memdup(path, strlen(path));
  if (!copy)
    return ENOMEM;
  int error = make_each(copy);
  free(copy);
  return error;
}
