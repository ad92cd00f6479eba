// SPDX-License-Identifier: Apache-2.0
#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A standard stream that is closed would be the next file or socket that is opened. What takes its
 * place is open the wrong way round, so that reading and writing still fail. */
static void fill_streams(void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
      (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static mode_t inherited_umask = 077;

mode_t process_umask(void)
{
  return inherited_umask;
}

void process_harden(void)
{
  fill_streams();
  inherited_umask = umask(077);
  (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const struct rlimit no_core = {0, 0};
  (void)setrlimit(RLIMIT_CORE, &no_core);
  (void)close_range(STDERR_FILENO + 1, ~0U, 0);
  (void)signal(SIGPIPE, SIG_IGN);
  (void)signal(SIGXFSZ, SIG_IGN); /* RLIMIT_FSIZE: the write fails, and is reported */
}
