// SPDX-License-Identifier: Apache-2.0
#include "net/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_BYTES = 300, READ_BYTES = 1024 * 1024 };

/* An open file. A job on the pool works on it alone; what it leaves behind is read by its done. */
struct file {
  struct net_loop *loop;
  int fd;
  struct stat known; /* when it was opened */
  char *path;        /* where it lies; NULL: not known */
  char *data;
  uint64_t at;
  ssize_t got; /* of the job: bytes, or -1 */
  int error;   /* of the job: errno */
  bool has_changed;
  bool is_busy;             /* a job is on the pool */
  bool is_closed;           /* by its owner, while it is busy */
  net_source_data_fn *done; /* NULL: canceled, or none under way */
  void *arg;
};

static void free_file(struct file *file)
{
  (void)close(file->fd);
  free(file->path);
  free(file->data);
  free(file);
}

/* ---- reading ---- */

static bool is_as_it_was(const struct file *file, const struct stat *now)
{
  return now->st_size == file->known.st_size && now->st_mtim.tv_sec == file->known.st_mtim.tv_sec &&
         now->st_mtim.tv_nsec == file->known.st_mtim.tv_nsec;
}

/* On the pool. The end is the end only when the file is still what was opened. */
static void read_job(void *arg)
{
  struct file *file = arg;
  struct stat now;
  do
    file->got = pread(file->fd, file->data, READ_BYTES, (off_t)file->at);
  while (file->got < 0 && errno == EINTR);
  file->error = file->got < 0 ? errno : 0;
  if (file->got == 0)
    file->has_changed = fstat(file->fd, &now) != 0 || !is_as_it_was(file, &now) ||
                        file->at != (uint64_t)file->known.st_size;
}

static void read_done(void *arg)
{
  struct file *file = arg;
  net_source_data_fn *done = file->done;
  file->is_busy = false;
  file->done = NULL;
  if (file->is_closed) {
    free_file(file);
    return;
  }
  if (!done)
    return;
  if (file->got < 0) {
    char text[TEXT_BYTES];
    (void)snprintf(text, sizeof(text), "cannot be read: %s", strerror(file->error));
    done(file->arg, AP_E_IO, text, (struct ap_slice){0});
  } else if (file->has_changed) {
    done(file->arg, AP_E_IO, "it changed while it was read", (struct ap_slice){0});
  } else {
    file->at += (uint64_t)file->got;
    done(file->arg, AP_OK, "", (struct ap_slice){file->data, (size_t)file->got});
  }
}

static int file_read(void *self, net_source_data_fn *got, void *arg)
{
  struct file *file = self;
  if (file->is_busy)
    return AP_E_BUSY;
  if (!file->data)
    file->data = malloc(READ_BYTES);
  if (!file->data)
    return AP_E_NO_MEMORY;
  file->done = got;
  file->arg = arg;
  file->is_busy = true;
  int rc = net_loop_work(file->loop, read_job, read_done, file);
  if (rc != AP_PENDING) {
    file->is_busy = false;
    file->done = NULL;
  }
  return rc;
}

static void file_cancel(void *self)
{
  ((struct file *)self)->done = NULL;
}

static int file_rewind(void *self)
{
  struct file *file = self;
  if (file->is_busy)
    return AP_E_BUSY;
  file->at = 0;
  return AP_OK;
}

static void file_close(void *self)
{
  struct file *file = self;
  file->done = NULL;
  file->is_closed = true;
  if (!file->is_busy)
    free_file(file);
}

static const struct net_source_kind file_kind = {file_read, file_cancel, file_rewind, file_close};

int net_file_adopt(struct net_loop *loop, int fd, const struct stat *known, struct net_source *out)
{
  struct file *file = calloc(1, sizeof(*file));
  if (!file)
    return AP_E_NO_MEMORY;
  *file = (struct file){.loop = loop, .fd = fd, .known = *known};
  out->kind = &file_kind;
  out->self = file;
  out->size = (uint64_t)known->st_size;
  return AP_OK;
}

const char *net_file_path(const struct net_source *source)
{
  return source->kind == &file_kind ? ((const struct file *)source->self)->path : NULL;
}

/* ---- opening ---- */

struct net_file_opening {
  struct net_loop *loop;
  net_file_opened_fn *opened; /* NULL: canceled */
  void *arg;
  int fd;
  int code;
  struct stat stat;
  char text[TEXT_BYTES];
  char *real_path; /* NULL: not known */
  char path[];
};

static void fail(struct net_file_opening *opening, int code, const char *text)
{
  opening->code = code;
  (void)snprintf(opening->text, sizeof(opening->text), "%s", text);
}

/* What the file descriptor stands for: no link can be changed between this and the reading. */
static char *real_path_of(int fd)
{
  char entry[sizeof("/proc/self/fd/") + 12];
  char found[PATH_MAX];
  (void)snprintf(entry, sizeof(entry), "/proc/self/fd/%d", fd);
  ssize_t len = readlink(entry, found, sizeof(found));
  if (len <= 0 || (size_t)len == sizeof(found) || found[0] != '/')
    return NULL;
  return strndup(found, (size_t)len);
}

/* On the pool. O_NONBLOCK: a pipe that nobody writes to is no file, and not waited for. */
static void open_job(void *arg)
{
  struct net_file_opening *opening = arg;
  opening->fd = open(opening->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (opening->fd < 0 && errno == ENOENT)
    fail(opening, AP_E_NOT_FOUND, "there is no such file");
  else if (opening->fd < 0 && (errno == EACCES || errno == EPERM))
    fail(opening, AP_E_FORBIDDEN, "may not be read by this user");
  else if (opening->fd < 0 || fstat(opening->fd, &opening->stat) != 0)
    fail(opening, AP_E_IO, strerror(errno));
  else if (S_ISDIR(opening->stat.st_mode))
    fail(opening, AP_E_INVALID, "is a folder");
  else if (!S_ISREG(opening->stat.st_mode))
    fail(opening, AP_E_INVALID, "is no regular file");
  else
    opening->real_path = real_path_of(opening->fd);
}

static void open_done(void *arg)
{
  struct net_file_opening *opening = arg;
  struct net_source source;
  if (opening->code == AP_OK && opening->opened) {
    int rc = net_file_adopt(opening->loop, opening->fd, &opening->stat, &source);
    if (rc == AP_OK) {
      ((struct file *)source.self)->path = opening->real_path;
      opening->real_path = NULL;
      opening->fd = -1;
    } else {
      fail(opening, rc, ap_error_text(rc));
    }
  }
  if (opening->fd >= 0)
    (void)close(opening->fd);
  if (opening->opened)
    opening->opened(opening->arg, opening->code, opening->text,
                    opening->code == AP_OK ? &source : NULL);
  free(opening->real_path);
  free(opening);
}

int net_file_open(struct net_loop *loop, const char *path, net_file_opened_fn *opened, void *arg,
                  struct net_file_opening **out)
{
  size_t len = strlen(path);
  struct net_file_opening *opening = calloc(1, sizeof(*opening) + len + 1);
  if (!opening)
    return AP_E_NO_MEMORY;
  opening->loop = loop;
  opening->opened = opened;
  opening->arg = arg;
  opening->fd = -1;
  memcpy(opening->path, path, len);
  int rc = net_loop_work(loop, open_job, open_done, opening);
  if (rc != AP_PENDING)
    free(opening);
  else if (out)
    *out = opening;
  return rc;
}

void net_file_open_cancel(struct net_file_opening *opening)
{
  opening->opened = NULL;
}
