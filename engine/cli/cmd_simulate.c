// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "cli/command.h"
#include "script/data.h"
#include "sim/sim.h"

struct simulate {
  struct sim_options sim;
  struct ap_value scenario;
  const char *scenario_path;
  const char *ca_path;
};

static int read_port(const char *text, uint16_t *port)
{
  char *end = NULL;
  errno = 0;
  unsigned long number = strtoul(text, &end, 10);
  if (errno || end == text || *end || number > UINT16_MAX)
    return AP_E_INVALID;
  *port = (uint16_t)number;
  return AP_OK;
}

static int take_port(void *into, char *value, struct ap_error *err)
{
  struct simulate *simulate = into;
  if (read_port(value, &simulate->sim.port) != AP_OK)
    return ap_fail(err, AP_E_INVALID, "a port is a number from 0 to 65535, not \"%.40s\"", value);
  return AP_OK;
}

static int take_tls(void *into, char *value, struct ap_error *err)
{
  (void)value;
  (void)err;
  ((struct simulate *)into)->sim.tls = true;
  return AP_OK;
}

static int take_ca_out(void *into, char *value, struct ap_error *err)
{
  (void)err;
  ((struct simulate *)into)->ca_path = value;
  return AP_OK;
}

static int take_scenario(void *into, char *value, struct ap_error *err)
{
  (void)err;
  ((struct simulate *)into)->scenario_path = value;
  return AP_OK;
}

static int take_premium(void *into, char *value, struct ap_error *err)
{
  (void)value;
  (void)err;
  ((struct simulate *)into)->sim.premium = true;
  return AP_OK;
}

static int take_no_quota(void *into, char *value, struct ap_error *err)
{
  struct sim_options *sim = &((struct simulate *)into)->sim;
  (void)value;
  (void)err;
  sim->per_minute = sim->per_day = sim->per_month = 0;
  return AP_OK;
}

static int take_upload_max(void *into, char *value, struct ap_error *err)
{
  uint64_t bytes = 0;
  if (ap_size_parse(value, &bytes) != AP_OK || bytes == 0 || bytes > SIM_UPLOAD_URL_MOST)
    return ap_fail(err, AP_E_INVALID,
                   "--upload-max is a size from 1B to 1GiB, like \"651MiB\", not \"%.40s\"", value);
  ((struct simulate *)into)->sim.upload_url_max = bytes;
  return AP_OK;
}

static int take_request_log(void *into, char *value, struct ap_error *err)
{
  (void)err;
  ((struct simulate *)into)->sim.request_log = value;
  return AP_OK;
}

const struct cli_option cli_simulate_options[] = {
    {.name = "port",
     .value = "N",
     .doc = "listen on 127.0.0.1:N; 0 (default) is any free port",
     .take = take_port},
    {.name = "tls", .doc = "HTTPS with a certificate made at start", .take = take_tls},
    {.name = "ca-out",
     .value = "FILE",
     .doc = "write the certificate to trust there",
     .take = take_ca_out},
    {.name = "scenario",
     .value = "FILE",
     .doc = "a Lua table of answers and faults to give instead",
     .take = take_scenario},
    {.name = "premium",
     .doc = "keys may rescan and read comments; lists of 25",
     .take = take_premium},
    {.name = "no-quota",
     .doc = "without it: 4 a minute, 500 a day, 15,500 a month",
     .take = take_no_quota},
    {.name = "request-log",
     .value = "FILE",
     .doc = "a JSON line per request, without keys",
     .take = take_request_log},
    {.name = "upload-max",
     .value = "SIZE",
     .doc = "the largest request to an upload URL; 200MiB without it",
     .take = take_upload_max},
    {0},
};

static int read_options(const struct cli_command *command, int argc, char **argv,
                        struct simulate *simulate, struct cli_args *args)
{
  struct ap_error err = {0};
  if (cli_options_parse(command, argc, argv, args, NULL, &err) != AP_OK)
    return cli_wrong_usage(command->name, "%s", err.text);
  if (args->operands.count)
    return cli_wrong_usage(command->name, "%.80s: simulate takes options only",
                           args->operands.items[0]);
  if (simulate->ca_path && !simulate->sim.tls)
    return cli_wrong_usage(command->name, "--ca-out goes with --tls");
  return CLI_EXIT_DONE;
}

static int write_ca(const char *path, const char *pem)
{
  FILE *file = fopen(path, "we");
  bool good = file && fputs(pem, file) >= 0;
  if (file && fclose(file) != 0)
    good = false;
  if (good)
    return CLI_EXIT_DONE;
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s: cannot be written: %s", path, strerror(errno));
  return CLI_EXIT_NOT_WRITTEN;
}

/* The simulator's threads inherit the mask: the signals come here only. */
static void block_signals(sigset_t *signals)
{
  (void)sigemptyset(signals);
  (void)sigaddset(signals, SIGINT);
  (void)sigaddset(signals, SIGTERM);
  (void)sigaddset(signals, SIGHUP);
  (void)pthread_sigmask(SIG_BLOCK, signals, NULL);
}

static int serve(const struct simulate *simulate)
{
  struct sim *sim = NULL;
  struct ap_error err = {0};
  sigset_t signals;
  int number = 0;
  block_signals(&signals);
  if (sim_start(&simulate->sim, &sim, &err) != AP_OK) {
    ap_log(AP_LOG_SIM, AP_LOG_ERROR, "%s", err.text);
    return CLI_EXIT_USAGE;
  }
  int exit_code = CLI_EXIT_DONE;
  if (simulate->ca_path)
    exit_code = write_ca(simulate->ca_path, sim_ca_pem(sim));
  if (exit_code == CLI_EXIT_DONE) {
    (void)printf("%s\n", sim_url(sim));
    (void)fflush(stdout);
    (void)sigwait(&signals, &number);
  }
  sim_stop(sim);
  return exit_code;
}

static int start(struct simulate *simulate)
{
  struct ap_error err = {0};
  if (simulate->scenario_path) {
    if (script_data_read(simulate->scenario_path, &simulate->scenario, &err) != AP_OK) {
      ap_log(AP_LOG_SIM, AP_LOG_ERROR, "%s", err.text);
      return CLI_EXIT_USAGE;
    }
    simulate->sim.scenario = &simulate->scenario;
  }
  return serve(simulate);
}

int cli_simulate(const struct cli_command *command, int argc, char **argv)
{
  struct simulate simulate = {0};
  struct cli_args args = {.own = &simulate};
  sim_options_init(&simulate.sim);
  int exit_code = read_options(command, argc, argv, &simulate, &args);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = start(&simulate);
  ap_value_deinit(&simulate.scenario);
  cli_args_deinit(&args);
  return exit_code;
}
