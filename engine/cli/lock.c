// SPDX-License-Identifier: Apache-2.0
#include "cli/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/folder.h"
#include "base/log.h"

enum { NAME_MAX_BYTES = 64, HOLDER_BYTES = 64 };

bool lock_name_is_good(const char *name)
{
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  size_t len = strlen(name);
  return len > 0 && len <= NAME_MAX_BYTES && *name != '.' && strspn(name, allowed) == len;
}

static int fail_errno(struct ap_error *err, const char *path, int error)
{
  return ap_fail(err, AP_E_IO, "%s: %s", path, strerror(error));
}

static int check_file(int fd, const char *path, struct ap_error *err)
{
  struct stat st;
  if (fstat(fd, &st) != 0)
    return fail_errno(err, path, errno);
  if (!S_ISREG(st.st_mode))
    return ap_fail(err, AP_E_INVALID, "%s is not a regular file", path);
  if (st.st_uid != geteuid())
    return ap_fail(err, AP_E_INVALID, "%s belongs to another user", path);
  if ((st.st_mode & 077) && fchmod(fd, 0600) != 0)
    return fail_errno(err, path, errno);
  return AP_OK;
}

static int open_file(const char *path, int *fd, struct ap_error *err)
{
  *fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
  return *fd >= 0 ? check_file(*fd, path, err) : fail_errno(err, path, errno);
}

/* "process 4711, since 2026-11-24T04:11:52Z"; what the file says may be of no use. */
static int held(int fd, const char *name, struct ap_error *err)
{
  char text[HOLDER_BYTES] = {0};
  char *since = text;
  ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
  long long pid = len > 0 ? strtoll(text, &since, 10) : 0;
  size_t since_len = *since == ' ' ? strspn(++since, "0123456789TZ:-") : 0;
  if (pid <= 0 || since_len == 0)
    return ap_fail(err, AP_E_BUSY, "the lock \"%s\" is held by another process", name);
  return ap_fail(err, AP_E_BUSY, "the lock \"%s\" is held by process %lld since %.*s", name, pid,
                 (int)since_len, since);
}

/* Best effort: the lock holds whatever the file says. */
static void say_holder(int fd)
{
  char now[AP_CLOCK_TEXT];
  char text[HOLDER_BYTES];
  ap_clock_format_utc(ap_clock_unix_ms(), now);
  int len = snprintf(text, sizeof(text), "%lld %s\n", (long long)getpid(), now);
  if (pwrite(fd, text, (size_t)len, 0) != len || ftruncate(fd, len) != 0)
    ap_log(AP_LOG_CLI, AP_LOG_WARN, "the lock's file cannot be written: who holds it is not known");
}

int lock_take(const char *folder, const char *name, int *fd, struct ap_error *err)
{
  char path[PATH_MAX];
  int len = snprintf(path, sizeof(path), "%s/locks", folder);
  if (len < 0 || (size_t)len + 1 + strlen(name) >= sizeof(path))
    return fail_errno(err, folder, ENAMETOOLONG);
  int error = ap_folder_make(path);
  if (error)
    return fail_errno(err, path, error);
  (void)snprintf(path + len, sizeof(path) - (size_t)len, "/%s", name);
  int opened = -1;
  int rc = open_file(path, &opened, err);
  if (rc == AP_OK && flock(opened, LOCK_EX | LOCK_NB) != 0)
    rc = errno == EWOULDBLOCK ? held(opened, name, err) : fail_errno(err, path, errno);
  if (rc == AP_OK) {
    say_holder(opened);
    *fd = opened;
  } else if (opened >= 0) {
    (void)close(opened);
  }
  return rc;
}
