// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/command.h"
#include "script/data.h"
#include "sim/sim.h"

static const struct option long_options[] = {
    {"port", required_argument, NULL, 'p'},        {"tls", no_argument, NULL, 't'},
    {"ca-out", required_argument, NULL, 'c'},      {"scenario", required_argument, NULL, 's'},
    {"premium", no_argument, NULL, 'm'},           {"no-quota", no_argument, NULL, 'n'},
    {"request-log", required_argument, NULL, 'r'}, {0},
};

struct simulate {
  struct sim_options sim;
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

static int read_options(struct simulate *simulate, int argc, char **argv)
{
  int option;
  optind = 1;
  opterr = 0;
  while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
    switch (option) {
    case 'p':
      if (read_port(optarg, &simulate->sim.port) != AP_OK)
        return cli_wrong_usage(argv[0], "--port %s: a port is a number from 0 to 65535", optarg);
      break;
    case 't':
      simulate->sim.tls = true;
      break;
    case 'c':
      simulate->ca_path = optarg;
      break;
    case 's':
      simulate->scenario_path = optarg;
      break;
    case 'm':
      simulate->sim.premium = true;
      break;
    case 'n':
      simulate->sim.per_minute = simulate->sim.per_day = simulate->sim.per_month = 0;
      break;
    case 'r':
      simulate->sim.request_log = optarg;
      break;
    default:
      return cli_wrong_usage(argv[0], "%s: an unknown option, or its value is missing",
                             argv[optind - 1]);
    }
  }
  if (optind < argc)
    return cli_wrong_usage(argv[0], "%s: simulate takes options only", argv[optind]);
  if (simulate->ca_path && !simulate->sim.tls)
    return cli_wrong_usage(argv[0], "--ca-out goes with --tls");
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

int cli_simulate(int argc, char **argv)
{
  struct simulate simulate = {0};
  struct ap_value scenario = {0};
  struct ap_error err = {0};
  sim_options_init(&simulate.sim);
  int exit_code = read_options(&simulate, argc, argv);
  if (exit_code != CLI_EXIT_DONE)
    return exit_code;
  if (simulate.scenario_path) {
    if (script_data_read(simulate.scenario_path, &scenario, &err) != AP_OK) {
      ap_log(AP_LOG_SIM, AP_LOG_ERROR, "%s", err.text);
      return CLI_EXIT_USAGE;
    }
    simulate.sim.scenario = &scenario;
  }
  exit_code = serve(&simulate);
  ap_value_deinit(&scenario);
  return exit_code;
}
