// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/process.h"

int main(int argc, char **argv)
{
  struct ap_error err = {0};
  process_harden();
  ap_failpoint_init();
  if (ap_clock_init(&err) != AP_OK) {
    ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err.text);
    return CLI_EXIT_USAGE;
  }
  return cli_run(argc, argv);
}
