// SPDX-License-Identifier: Apache-2.0
#include "net/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"

static int cannot(struct ap_error *err, const char *folder)
{
  return ap_fail(err, AP_E_IO, "no temporary file can be made in %s: %s", folder, strerror(errno));
}

int net_temporary_open_named(const char *folder, int *fd, struct ap_error *err)
{
  char path[4096];
  uint64_t random;
  ap_random_bytes(&random, sizeof(random));
  int len = snprintf(path, sizeof(path), "%s/.apogee-%016llx", folder, (unsigned long long)random);
  errno = ENAMETOOLONG;
  if (len < 0 || (size_t)len >= sizeof(path))
    return cannot(err, folder);
  int opened = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (opened < 0)
    return cannot(err, folder);
  if (unlink(path) != 0) {
    int rc = cannot(err, folder);
    (void)close(opened);
    return rc;
  }
  *fd = opened;
  return AP_OK;
}

int net_temporary_open(const char *folder, int *fd, struct ap_error *err)
{
  int opened = open(folder, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (opened >= 0) {
    *fd = opened;
    return AP_OK;
  }
  /* What says so when the file system, or an old kernel, does not know the flag. */
  if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
    return net_temporary_open_named(folder, fd, err);
  return cannot(err, folder);
}

int net_temporary_write(int fd, const char *bytes, size_t len, struct ap_error *err)
{
  while (len) {
    ssize_t wrote = write(fd, bytes, len);
    if (wrote < 0 && errno != EINTR)
      return ap_fail(err, AP_E_IO, "the temporary file cannot be written: %s", strerror(errno));
    if (wrote > 0) {
      bytes += wrote;
      len -= (size_t)wrote;
    }
  }
  return AP_OK;
}
