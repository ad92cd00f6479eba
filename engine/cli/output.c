// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/progress.h"
#include "net/loop.h"

enum { BUFFER_BYTES = 64 * 1024, HURRY_MS = 2000, PART_MS = 50 };

struct output {
  int fd;
  bool owns_fd;
  bool is_hurried;  /* the run is to end */
  bool is_terminal; /* maybe the one that shows the progress line */
  bool has_reader;  /* a pipe, a socket, a terminal: writing may wait for whoever reads */
  char *name;       /* in messages: the path, or "standard output" */
  char *target;     /* where the file goes; NULL: written straight */
  char *temporary;  /* the file until then; NULL: there is none (any more) */
  int error;        /* errno of the first failure; 0: none */
  size_t len;
  char buffer[BUFFER_BYTES];
};

/* ---- opening ---- */

static int refuse(const char *name, const char *why, struct ap_error *err)
{
  return ap_fail(err, AP_E_IO, "%s: cannot be written: %s", name, why);
}

/* `--output /dev/stdout >>file`: the same file is open as it was asked for. */
static bool is_stream(int fd, const struct stat *target)
{
  struct stat st;
  return fstat(fd, &st) == 0 && st.st_dev == target->st_dev && st.st_ino == target->st_ino;
}

static int open_straight(struct output *output, const char *path, const struct stat *target,
                         struct ap_error *err)
{
  for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
    if (is_stream(fd, target)) {
      output->fd = fd;
      return AP_OK;
    }
  output->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
  output->owns_fd = output->fd >= 0;
  return output->owns_fd ? AP_OK : refuse(path, strerror(errno), err);
}

/* The folder of a path, with the slash. */
static size_t folder_len(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

/* @param mode  of the file that is there; 0: there is none */
static int open_beside(struct output *output, mode_t mode, struct ap_error *err)
{
  struct ap_buf path = {0};
  ap_buf_add(&path, output->target, folder_len(output->target));
  ap_buf_add_str(&path, ".apogee-XXXXXX");
  if (ap_buf_error(&path)) {
    ap_buf_deinit(&path);
    return ap_fail(err, AP_E_NO_MEMORY, "%s: out of memory", output->name);
  }
  output->fd = mkostemp(path.ptr, O_CLOEXEC);
  if (output->fd < 0) {
    ap_buf_deinit(&path);
    return refuse(output->name, strerror(errno), err);
  }
  output->owns_fd = true;
  output->temporary = path.ptr;
  if (mode && fchmod(output->fd, mode & 0777) != 0)
    return refuse(output->name, strerror(errno), err);
  return AP_OK;
}

static int open_path(struct output *output, const char *path, struct ap_error *err)
{
  struct stat st;
  bool exists = stat(path, &st) == 0;
  if (!exists && errno != ENOENT)
    return refuse(path, strerror(errno), err);
  if (exists && S_ISDIR(st.st_mode))
    return refuse(path, "it is a folder", err);
  if (exists &&
      (!S_ISREG(st.st_mode) || is_stream(STDOUT_FILENO, &st) || is_stream(STDERR_FILENO, &st)))
    return open_straight(output, path, &st, err);
  if (exists && access(path, W_OK) != 0)
    return refuse(path, strerror(errno), err);
  /* A link stays a link: the file that it leads to is replaced. */
  output->target = exists ? realpath(path, NULL) : ap_memdup(path, strlen(path));
  if (!output->target)
    return refuse(path, strerror(errno), err);
  return open_beside(output, exists ? st.st_mode : 0, err);
}

static bool has_reader(int fd)
{
  struct stat st;
  if (fstat(fd, &st) != 0)
    return true;
  return !S_ISREG(st.st_mode) && (!S_ISCHR(st.st_mode) || isatty(fd));
}

int output_open(const char *path, struct output **out, struct ap_error *err)
{
  const char *name = path ? path : "standard output";
  struct output *output = calloc(1, sizeof(*output));
  if (!output)
    return ap_fail(err, AP_E_NO_MEMORY, "%s: out of memory", name);
  output->fd = STDOUT_FILENO;
  output->name = ap_memdup(name, strlen(name));
  int rc = output->name ? AP_OK : ap_fail(err, AP_E_NO_MEMORY, "%s: out of memory", name);
  if (rc == AP_OK && path)
    rc = open_path(output, path, err);
  if (rc != AP_OK) {
    output_close(output);
    return rc;
  }
  output->is_terminal = isatty(output->fd) == 1;
  output->has_reader = has_reader(output->fd);
  *out = output;
  return AP_OK;
}

void output_set_mode(struct output *output, mode_t mode)
{
  if (output->temporary && fchmod(output->fd, mode) != 0)
    output->error = errno;
}

/* ---- writing ---- */

/* Waits for a reader that may never read on. A signal, which the loop cannot see meanwhile, ends
 * the wait and with it the writing; so does the time, once the run is to end. One that comes just
 * before poll does not interrupt it: hence the parts. */
static bool wait_until_writable(struct output *output)
{
  struct pollfd ready = {.fd = output->fd, .events = POLLOUT};
  for (int waited_ms = 0; !output->is_hurried || waited_ms < HURRY_MS; waited_ms += PART_MS) {
    int count = poll(&ready, 1, PART_MS);
    if (count > 0)
      return true;
    if (count < 0 && errno != EINTR) {
      output->error = errno;
      return false;
    }
    if (!output->is_hurried && net_loop_signal_waits()) {
      output->error = EINTR;
      return false;
    }
  }
  output->error = ETIMEDOUT;
  return false;
}

static int write_all(struct output *output, const char *data, size_t len)
{
  if (len && output->is_terminal)
    progress_hide();
  while (len && !output->error) {
    if (output->has_reader && !wait_until_writable(output))
      break;
    /* As much as a pipe that is writable takes without waiting. */
    size_t part = output->has_reader && len > PIPE_BUF ? PIPE_BUF : len;
    ssize_t done = write(output->fd, data, part);
    if (done >= 0) {
      data += done;
      len -= (size_t)done;
    } else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
      output->error = errno;
    }
  }
  return output->error ? AP_E_IO : AP_OK;
}

int output_flush(struct output *output)
{
  size_t len = output->len;
  output->len = 0;
  return write_all(output, output->buffer, len);
}

int output_write(void *arg, const char *data, size_t len)
{
  struct output *output = arg;
  if (len > BUFFER_BYTES - output->len && output_flush(output) != AP_OK)
    return AP_E_IO;
  if (len >= BUFFER_BYTES)
    return write_all(output, data, len);
  memcpy(output->buffer + output->len, data, len);
  output->len += len;
  return output->error ? AP_E_IO : AP_OK;
}

void output_hurry(struct output *output)
{
  output->is_hurried = true;
}

/* ---- the end ---- */

/* The file that the handler below removes; "": none. */
static char to_remove[PATH_MAX];

static void end_process(int number)
{
  if (*to_remove)
    (void)unlink(to_remove);
  (void)signal(number, SIG_DFL);
  (void)raise(number);
}

void output_end_on_signals(const struct output *output)
{
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  const struct sigaction action = {.sa_handler = end_process};
  struct sigaction now;
  if (output->temporary)
    (void)snprintf(to_remove, sizeof(to_remove), "%s", output->temporary);
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
    if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
      (void)sigaction(numbers[i], &action, NULL);
}

int output_problem(const struct output *output, struct ap_error *err)
{
  if (!output->error)
    return AP_OK;
  if (output->error == EPIPE)
    return refuse(output->name, "its reader has gone", err);
  if (output->error == EINTR || output->error == ETIMEDOUT)
    return refuse(output->name, "the run was to end, and its reader did not read", err);
  if (output->error == ENOSPC || output->error == EDQUOT)
    return refuse(output->name, "the disk is full", err);
  if (output->error == EFBIG)
    return refuse(output->name, "larger than the limit on a file's size (ulimit -f)", err);
  return refuse(output->name, strerror(output->error), err);
}

/* A rename that was not written to disk with its folder can be lost; a file system that cannot do
 * it keeps the file all the same. */
static void sync_folder(const char *path)
{
  char folder[PATH_MAX];
  size_t len = folder_len(path);
  if (len >= sizeof(folder))
    return;
  memcpy(folder, path, len);
  folder[len] = '\0';
  int fd = open(len ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  (void)fsync(fd);
  (void)close(fd);
}

static int close_fd(struct output *output)
{
  int fd = output->fd;
  bool owns = output->owns_fd;
  output->owns_fd = false;
  return owns ? close(fd) : 0;
}

static int put_in_place(struct output *output)
{
  if (fsync(output->fd) != 0 || close_fd(output) != 0 ||
      rename(output->temporary, output->target) != 0)
    return errno;
  free(output->temporary);
  output->temporary = NULL;
  sync_folder(output->target);
  return 0;
}

int output_commit(struct output *output, struct ap_error *err)
{
  if (output_flush(output) != AP_OK)
    return output_problem(output, err);
  if (output->temporary)
    output->error = put_in_place(output);
  else if (close_fd(output) != 0)
    output->error = errno;
  return output_problem(output, err);
}

void output_close(struct output *output)
{
  if (!output)
    return;
  (void)close_fd(output);
  if (output->temporary)
    (void)unlink(output->temporary);
  free(output->temporary);
  free(output->target);
  free(output->name);
  free(output);
}
