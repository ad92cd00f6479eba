// SPDX-License-Identifier: Apache-2.0
#include "cli/guard.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/folder.h"
#include "base/log.h"
#include "cli/confine.h"
#include "cli/parts.h"

/* The folder where a file is written, a link followed as output.h does. */
static void folder_of(const char *file, char folder[PATH_MAX])
{
  if (!realpath(file, folder))
    (void)snprintf(folder, PATH_MAX, "%s", file);
  char *slash = strrchr(folder, '/');
  if (slash)
    slash[slash == folder] = '\0';
  else
    (void)snprintf(folder, PATH_MAX, ".");
}

/* list, show and check keep nothing. */
static bool uses_state(const struct run_request *request, const struct cli_config *config)
{
  static const char *const offline[] = {"list", "show", "check"};
  for (size_t i = 0; i < sizeof(offline) / sizeof(*offline); i++)
    if (strcmp(request->script.command, offline[i]) == 0)
      return false;
  return config->state_dir && (!config->no_state || request->lock);
}

void guard_run(const struct run_request *request, const struct cli_config *config)
{
  char output[PATH_MAX] = "";
  char metrics[PATH_MAX] = "";
  char request_log[PATH_MAX] = "";
  bool with_state = uses_state(request, config);
  if (with_state && ap_folder_make(config->state_dir) != 0)
    return;
  if (request->output)
    folder_of(request->output, output);
  if (request->metrics)
    folder_of(request->metrics, metrics);
  if (request->request_log)
    folder_of(request->request_log, request_log);
  const char *const folders[] = {
      with_state ? config->state_dir : NULL,
      cli_temporary_folder(),
      *output ? output : NULL,
      *metrics ? metrics : NULL,
      *request_log ? request_log : NULL,
#ifdef APOGEE_COUNTERS /* a build that counts which lines run */
      APOGEE_COUNTERS,
#endif
  };
  int version = confine(folders, sizeof(folders) / sizeof(*folders), request->simulate);
  if (version == 0)
    ap_log(AP_LOG_CLI, AP_LOG_DEBUG,
           "this kernel has no Landlock: files are not closed to the run");
}
