/* Runs a command and prints as JSON what it took: wall time, CPU time and peak memory of that
 * process. Its standard output goes to /dev/null.
 *
 *   measure COMMAND [ARGUMENT]... */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static double now_s(void)
{
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(struct timeval time)
{
  return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* posix_spawn shares our memory until exec: a fork's copy would count as the command's peak. */
static int start(char **argv, pid_t *pid)
{
  posix_spawn_file_actions_t actions;
  (void)posix_spawn_file_actions_init(&actions);
  int error = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  if (!error)
    error = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
  (void)posix_spawn_file_actions_destroy(&actions);
  return error;
}

int main(int argc, char **argv)
{
  pid_t pid;
  int status;
  struct rusage used;
  if (argc < 2) {
    (void)fputs("usage: measure COMMAND [ARGUMENT]...\n", stderr);
    return 2;
  }
  double started_s = now_s();
  int error = start(argv + 1, &pid);
  if (error) {
    (void)fprintf(stderr, "measure: %s: %s\n", argv[1], strerror(error));
    return 2;
  }
  while (wait4(pid, &status, 0, &used) < 0)
    if (errno != EINTR)
      return 2;
  double wall_s = now_s() - started_s;
  int exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  (void)printf("{\"exit\": %d, \"wall_s\": %.6f, \"user_s\": %.6f, \"system_s\": %.6f, "
               "\"peak_kib\": %ld}\n",
               exit_code, wall_s, seconds(used.ru_utime), seconds(used.ru_stime), used.ru_maxrss);
  return 0;
}
