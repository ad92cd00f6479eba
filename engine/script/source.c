// SPDX-License-Identifier: Apache-2.0
#include "script/source.h"

#include <errno.h>
#include <fcntl.h>
#include <lua.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, const char *path, size_t max_bytes, struct ap_buf *out,
                    struct ap_error *err)
{
  enum { STEP = 16 * 1024 };
  for (;;) {
    char *room = ap_buf_room(out, STEP);
    if (!room)
      return ap_fail(err, AP_E_NO_MEMORY, "%s: out of memory", path);
    ssize_t got = read(fd, room, STEP);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return ap_fail(err, AP_E_IO, "%s: %s", path, strerror(errno));
    out->len += (size_t)got;
    out->ptr[out->len] = '\0';
    if (out->len > max_bytes)
      return ap_fail(err, AP_E_TOO_LARGE, "%s: larger than %zu KiB", path, max_bytes >> 10);
    if (got == 0)
      return AP_OK;
  }
}

int script_source_read(const char *path, size_t max_bytes, struct ap_buf *out, struct ap_error *err)
{
  /* Non-blocking: opening a FIFO would wait for its writer. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    return ap_fail(err, errno == ENOENT ? AP_E_NOT_FOUND : AP_E_IO, "%s: %s", path,
                   strerror(errno));
  struct stat st;
  struct ap_buf text = {0};
  int rc;
  if (fstat(fd, &st) || !S_ISREG(st.st_mode))
    rc = ap_fail(err, AP_E_IO, "%s: not a regular file", path);
  else
    rc = read_all(fd, path, max_bytes, &text, err);
  (void)close(fd);
  if (rc == AP_OK)
    *out = text;
  else
    ap_buf_deinit(&text);
  return rc;
}

int script_source_check(const char *name, struct ap_slice *source, struct ap_error *err)
{
  static const char bom[] = {'\xef', '\xbb', '\xbf'};
  if (source->len >= sizeof(bom) && memcmp(source->ptr, bom, sizeof(bom)) == 0) {
    source->ptr += sizeof(bom);
    source->len -= sizeof(bom);
  }
  if (source->len && source->ptr[0] == LUA_SIGNATURE[0])
    return ap_fail(err, AP_E_INVALID, "%s: compiled Lua is not accepted, only source text", name);
  return AP_OK;
}
