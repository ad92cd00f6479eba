/* A process is known by its number and the moment of its birth: numbers are given again. */
// SPDX-License-Identifier: Apache-2.0
#include "store/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"

/* The 22nd field of /proc/PID/stat; the second is a name in parentheses with whatever in it. */
static int64_t born_of(int64_t pid)
{
  enum { FIELDS_AFTER_NAME = 20 };
  char path[64];
  char text[1024];
  (void)snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return 0;
  ssize_t len = read(fd, text, sizeof(text) - 1);
  (void)close(fd);
  if (len <= 0)
    return 0;
  text[len] = '\0';
  const char *at = strrchr(text, ')');
  for (int i = 0; at && i < FIELDS_AFTER_NAME; i++)
    at = strchr(at + 1, ' ');
  return at ? strtoll(at, NULL, 10) : 0;
}

void holder_init(struct holder *me)
{
  uint64_t random;
  ap_random_bytes(&random, sizeof(random));
  me->id = (int64_t)(random >> 1);
  me->pid = getpid();
  me->born = born_of(me->pid);
}

bool holder_lives(int64_t pid, int64_t born)
{
  if (pid <= 0 || (kill((pid_t)pid, 0) != 0 && errno == ESRCH))
    return false;
  int64_t now = born_of(pid);
  return born == 0 || now == 0 || now == born;
}
