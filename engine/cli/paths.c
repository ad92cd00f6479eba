// SPDX-License-Identifier: Apache-2.0
#include "cli/paths.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Cuts the last parts of a path off. False when there are not as many. */
static bool cut_last(char *path, int count)
{
  for (; count > 0; count--) {
    char *slash = strrchr(path, '/');
    if (!slash)
      return false;
    *slash = '\0';
  }
  return true;
}

static bool join(char *out, const char *prefix, const char *name)
{
  int len = snprintf(out, CLI_PATH_MAX, "%s/share/apogee/%s", prefix, name);
  return len > 0 && len < CLI_PATH_MAX;
}

int cli_folders_find(struct cli_folders *folders, struct ap_error *err)
{
  char prefix[CLI_PATH_MAX];
  ssize_t len = readlink("/proc/self/exe", prefix, sizeof(prefix) - 1);
  if (len < 0)
    return ap_fail(err, AP_E_IO, "/proc/self/exe: %s", strerror(errno));
  prefix[len] = '\0';
  if (!cut_last(prefix, 2) || !join(folders->actions, prefix, "actions") ||
      !join(folders->playbooks, prefix, "playbooks"))
    return ap_fail(err, AP_E_TOO_LARGE, "the program lies in a folder with too long a name");
  return AP_OK;
}
