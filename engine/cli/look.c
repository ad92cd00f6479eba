// SPDX-License-Identifier: Apache-2.0
#include "cli/look.h"

#include "base/log.h"
#include "cli/command.h"
#include "cli/parts.h"

static int said(int exit_code, const struct ap_error *err)
{
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err->text);
  return exit_code;
}

int cli_look_open(struct cli_look *look, const struct cli_config *config, bool with_key)
{
  struct ap_error err = {0};
  struct store_options options;
  *look = (struct cli_look){0};
  if (with_key && cli_config_api_key(config, &look->key, &err) != AP_OK)
    return said(CLI_EXIT_USAGE, &err);
  if (net_loop_new(&look->loop) != AP_OK) {
    (void)ap_fail(&err, AP_E_NO_MEMORY, "the event loop did not start");
    return said(CLI_EXIT_LIMIT, &err);
  }
  store_options_init(&options);
  options.service = config->virustotal.url;
  options.key = look->key;
  options.keep_reports_ms = config->keep.reports_ms;
  options.keep_bytes = config->keep.max_bytes;
  if (!config->state_dir)
    (void)ap_fail(&err, AP_E_INVALID, "%s", cli_no_state_folder);
  else if (store_open(look->loop, config->state_dir, &options, &look->store, &err) == AP_OK)
    return CLI_EXIT_DONE;
  (void)ap_fail_context(&err, "the state cannot be read");
  return said(CLI_EXIT_USAGE, &err);
}

void cli_look_close(struct cli_look *look)
{
  store_free(look->store);
  if (look->loop)
    net_loop_drain(look->loop);
  net_loop_free(look->loop);
  ap_secret_free(look->key);
}

void cli_look_told(struct cli_look *look, int code)
{
  look->code = code;
  net_loop_stop(look->loop);
}

int cli_look_wait(struct cli_look *look, int rc)
{
  look->code = rc;
  if (rc == AP_PENDING)
    net_loop_run(look->loop);
  if (look->code == AP_OK)
    return CLI_EXIT_DONE;
  const char *problem = store_problem(look->store);
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "the state cannot be read: %s",
         *problem ? problem : ap_error_text(look->code));
  return CLI_EXIT_FAILED;
}
