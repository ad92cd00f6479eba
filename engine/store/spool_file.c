/* The file under a spool: without a name until it is to be kept, and then this process's alone. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "store/spool_io.h"

static int open_tmpfile(const char *folder)
{
  return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

const struct store_spool_io store_spool_system = {pwrite, pread, open_tmpfile};

/* For file systems without O_TMPFILE. */
static int open_and_unlink(const char *folder)
{
  struct ap_buf path = {0};
  ap_buf_add_fmt(&path, "%s/.spool-XXXXXX", folder);
  int fd = -1;
  errno = ENOMEM;
  if (!ap_buf_error(&path))
    fd = mkostemp(path.ptr, O_CLOEXEC);
  if (fd >= 0)
    (void)unlink(path.ptr);
  ap_buf_deinit(&path);
  return fd;
}

int spool_file_open(const struct store_spool_io *io, const char *folder)
{
  int error = ap_folder_make(folder);
  if (error) {
    errno = error;
    return -1;
  }
  int fd = io->open_unnamed(folder);
  return fd >= 0 ? fd : open_and_unlink(folder);
}

/* ---- a file that is kept ---- */

/* A lock of the open file: it goes with the process, however that ends. */
static struct flock whole_file(short kind)
{
  return (struct flock){.l_type = kind, .l_whence = SEEK_SET};
}

static int hold(int fd, const char *path, struct ap_error *err)
{
  struct flock lock = whole_file(F_WRLCK);
  if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
    return AP_OK;
  if (errno == EAGAIN || errno == EACCES)
    return ap_fail(err, AP_E_BUSY, "%s is held by another process", path);
  return ap_fail(err, AP_E_IO, "%s: %s", path, strerror(errno));
}

int spool_file_name(int fd, const char *path, struct ap_error *err)
{
  char self[40];
  int rc = hold(fd, path, err);
  if (rc != AP_OK)
    return rc;
  (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
  if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
    return AP_OK;
  return ap_fail(err, AP_E_IO, "%s: %s", path, strerror(errno));
}

int spool_file_reopen(const char *path, bool is_to_grow, int *fd, uint64_t *size,
                      struct ap_error *err)
{
  struct stat st;
  int flags = (is_to_grow ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  int opened = open(path, flags);
  if (opened < 0)
    return ap_fail(err, errno == ENOENT ? AP_E_NOT_FOUND : AP_E_IO, "%s: %s", path,
                   strerror(errno));
  int rc = is_to_grow ? hold(opened, path, err) : AP_OK;
  if (rc == AP_OK && (fstat(opened, &st) != 0 || !S_ISREG(st.st_mode)))
    rc = ap_fail(err, AP_E_INVALID, "%s is not a regular file", path);
  if (rc != AP_OK) {
    (void)close(opened);
    return rc;
  }
  *fd = opened;
  *size = (uint64_t)st.st_size;
  return AP_OK;
}

bool store_spool_is_held(const char *path)
{
  struct flock lock = whole_file(F_WRLCK);
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0)
    return false;
  bool is_held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  (void)close(fd);
  return is_held;
}
