// SPDX-License-Identifier: Apache-2.0
#include "cli/process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

void process_harden(void)
{
  (void)umask(077);
  (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const struct rlimit no_core = {0, 0};
  (void)setrlimit(RLIMIT_CORE, &no_core);
  (void)close_range(STDERR_FILENO + 1, ~0U, 0);
  (void)signal(SIGPIPE, SIG_IGN);
}
