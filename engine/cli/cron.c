// SPDX-License-Identifier: Apache-2.0
#include "cli/cron.h"

#include "base/log.h"
#include "cli/command.h"
#include "cli/lock.h"
#include "cli/parts.h"

int cron_lock(const struct run_request *request, const struct cli_config *config, int *fd)
{
  struct ap_error err = {0};
  const char *folder = config->state_dir;
  if (!request->lock)
    return CLI_EXIT_DONE;
  int rc = folder ? lock_take(folder, request->lock, fd, &err)
                  : ap_fail(&err, AP_E_INVALID, "%s", cli_no_state_folder);
  if (rc == AP_OK)
    return CLI_EXIT_DONE;
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "nothing was sent: %s", err.text);
  return rc == AP_E_BUSY ? CLI_EXIT_LOCKED : CLI_EXIT_USAGE;
}

int cron_metrics(const struct metrics *metrics, const char *path)
{
  struct ap_error err = {0};
  int exit_code = metrics->exit_code;
  if (!path || exit_code == CLI_EXIT_LOCKED || metrics_write(metrics, path, &err) == AP_OK)
    return exit_code;
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err.text);
  bool is_worse = exit_code == CLI_EXIT_USAGE || exit_code == CLI_EXIT_LIMIT;
  return is_worse ? exit_code : CLI_EXIT_NOT_WRITTEN;
}
