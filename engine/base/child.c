// SPDX-License-Identifier: Apache-2.0
#include "base/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its streams are files in memory: neither side waits for the other. */
struct streams {
  int in;
  int out;
  int err;
};

static void close_streams(const struct streams *streams)
{
  const int fds[] = {streams->in, streams->out, streams->err};
  for (size_t i = 0; i < 3; i++)
    if (fds[i] >= 0)
      (void)close(fds[i]);
}

static bool put_all(int fd, struct ap_slice bytes)
{
  size_t done = 0;
  while (done < bytes.len) {
    ssize_t put = write(fd, bytes.ptr + done, bytes.len - done);
    if (put < 0 && errno != EINTR)
      return false;
    done += put > 0 ? (size_t)put : 0;
  }
  return lseek(fd, 0, SEEK_SET) == 0;
}

static bool open_streams(struct streams *streams, struct ap_slice input)
{
  streams->in = memfd_create("in", MFD_CLOEXEC);
  streams->out = memfd_create("out", MFD_CLOEXEC);
  streams->err = memfd_create("err", MFD_CLOEXEC);
  return streams->in >= 0 && streams->out >= 0 && streams->err >= 0 && put_all(streams->in, input);
}

static int start(const struct ap_child *child, const struct streams *streams, pid_t *pid)
{
  posix_spawn_file_actions_t actions;
  int error = posix_spawn_file_actions_init(&actions);
  if (error)
    return error;
  error = posix_spawn_file_actions_adddup2(&actions, streams->in, STDIN_FILENO);
  if (!error)
    error = posix_spawn_file_actions_adddup2(&actions, streams->out, STDOUT_FILENO);
  if (!error)
    error = posix_spawn_file_actions_adddup2(&actions, streams->err, STDERR_FILENO);
  if (!error)
    error = posix_spawn(pid, child->argv[0], &actions, NULL, (char *const *)(uintptr_t)child->argv,
                        (char *const *)(uintptr_t)child->envp);
  (void)posix_spawn_file_actions_destroy(&actions);
  return error;
}

/* Whether it ended before its time was over. */
static bool ends_in_time(pid_t pid, uint64_t limit_ms)
{
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0)
    return true; /* then nobody watches it */
  struct pollfd watched = {.fd = fd, .events = POLLIN};
  int count;
  do
    count = poll(&watched, 1, limit_ms > INT32_MAX ? INT32_MAX : (int)limit_ms);
  while (count < 0 && errno == EINTR);
  (void)close(fd);
  return count != 0;
}

static void wait_for(pid_t pid, uint64_t limit_ms, struct ap_child_end *end)
{
  int status = 0;
  end->was_late = !ends_in_time(pid, limit_ms);
  if (end->was_late)
    (void)kill(pid, SIGKILL);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    continue;
  end->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  end->signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void take(int fd, struct ap_buf *out)
{
  enum { PIECE = 65536 };
  char piece[PIECE];
  off_t at = 0;
  for (;;) {
    ssize_t got = pread(fd, piece, sizeof(piece), at);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return;
    ap_buf_add(out, piece, (size_t)got);
    at += got;
  }
}

int ap_child_run(const struct ap_child *child, struct ap_buf *out, struct ap_buf *err_out,
                 struct ap_child_end *end, struct ap_error *err)
{
  struct streams streams = {-1, -1, -1};
  pid_t pid = 0;
  int error = open_streams(&streams, child->input) ? start(child, &streams, &pid) : errno;
  if (!error) {
    wait_for(pid, child->limit_ms, end);
    take(streams.out, out);
    take(streams.err, err_out);
  }
  close_streams(&streams);
  return error ? ap_fail(err, AP_E_IO, "%s: %s", child->argv[0], strerror(error)) : AP_OK;
}
