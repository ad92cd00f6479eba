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

static int set_streams(posix_spawn_file_actions_t *actions, const struct streams *streams)
{
  int error = posix_spawn_file_actions_adddup2(actions, streams->in, STDIN_FILENO);
  if (!error)
    error = posix_spawn_file_actions_adddup2(actions, streams->out, STDOUT_FILENO);
  if (!error)
    error = posix_spawn_file_actions_adddup2(actions, streams->err, STDERR_FILENO);
  return error;
}

/* @param mask  of its signals */
static int start(const struct ap_child *child, const struct streams *streams, const sigset_t *mask,
                 pid_t *pid)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int error = posix_spawn_file_actions_init(&actions);
  if (error)
    return error;
  error = posix_spawnattr_init(&attributes);
  if (!error) {
    error = set_streams(&actions, streams);
    if (!error)
      error = posix_spawnattr_setsigmask(&attributes, mask);
    if (!error)
      error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    if (!error)
      error =
          posix_spawn(pid, child->argv[0], &actions, &attributes,
                      (char *const *)(uintptr_t)child->argv, (char *const *)(uintptr_t)child->envp);
    (void)posix_spawnattr_destroy(&attributes);
  }
  (void)posix_spawn_file_actions_destroy(&actions);
  return error;
}

/* Whether it ended before its time was over. Signals come in while this waits only, so that none
 * comes too early to be seen. */
static bool ends_in_time(const struct ap_child *child, const sigset_t *mask, pid_t pid)
{
  enum { MS = 1000, NS = 1000000 };
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0)
    return true; /* then nobody watches it */
  struct pollfd watched = {.fd = fd, .events = POLLIN};
  const struct timespec limit = {.tv_sec = (time_t)(child->limit_ms / MS),
                                 .tv_nsec = (long)(child->limit_ms % MS) * NS};
  int count;
  while ((count = ppoll(&watched, 1, &limit, mask)) < 0 && errno == EINTR)
    if (child->stop && *child->stop)
      (void)kill(pid, SIGTERM);
  (void)close(fd);
  return count != 0;
}

static void wait_for(const struct ap_child *child, const sigset_t *mask, pid_t pid,
                     struct ap_child_end *end)
{
  int status = 0;
  end->was_late = !ends_in_time(child, mask, pid);
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
  sigset_t ending;
  sigset_t before;
  pid_t pid = 0;
  (void)sigemptyset(&ending);
  (void)sigaddset(&ending, SIGINT);
  (void)sigaddset(&ending, SIGTERM);
  (void)sigaddset(&ending, SIGHUP);
  (void)pthread_sigmask(SIG_BLOCK, &ending, &before);
  int error = open_streams(&streams, child->input) ? start(child, &streams, &before, &pid) : errno;
  if (!error) {
    wait_for(child, &before, pid, end);
    take(streams.out, out);
    take(streams.err, err_out);
  }
  close_streams(&streams);
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error ? ap_fail(err, AP_E_IO, "%s: %s", child->argv[0], strerror(error)) : AP_OK;
}
