/* The command line: one table of subcommands, one file each. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "cli/kept.h"
#include "cli/options.h"

/* Exit codes. */
enum cli_exit {
  CLI_EXIT_DONE = 0,          /* everything was done */
  CLI_EXIT_PART = 1,          /* done in part */
  CLI_EXIT_USAGE = 2,         /* nothing was done: wrong usage or input */
  CLI_EXIT_FAILED = 3,        /* the key was refused, or VirusTotal never answered */
  CLI_EXIT_PENDING = 4,       /* scans are still pending */
  CLI_EXIT_LOCKED = 5,        /* another run holds the lock */
  CLI_EXIT_LIMIT = 6,         /* a limit ended the process */
  CLI_EXIT_NOT_WRITTEN = 7,   /* the result or the state could not be written */
  CLI_EXIT_RISKY = 10,        /* --fail-on-risky: done, and something is risky */
  CLI_EXIT_RISKY_PART = 11,   /* the same, done in part */
  CLI_EXIT_RISKY_PENDING = 12 /* the same, with scans pending */
};

/* One subcommand. */
struct cli_command {
  const char *name;
  const char *synopsis;         /* "FILE|-... [--entity TYPE:VALUE]..." */
  const char *summary;          /* one line for `apogee --help` */
  const char *help;             /* examples first; the options are added */
  bool has_exit_codes;          /* its help has them */
  unsigned groups;              /* enum cli_group: the common options that it takes */
  const struct cli_option *own; /* others, up to a NULL name; NULL: none */
  int (*run)(const struct cli_command *command, int argc, char **argv); /* argv[0] is its name */
};

/* Finds the subcommand and runs it; returns the exit code. */
int cli_run(int argc, char **argv);

/* The commands, in the order of `apogee --help`; a NULL name ends the table. */
extern const struct cli_command cli_commands[];

int cli_script(const struct cli_command *command, int argc, char **argv); /* run, action, ping */
int cli_list(const struct cli_command *command, int argc, char **argv);
int cli_show(const struct cli_command *command, int argc, char **argv);
/* The help of the action or playbook that a call of `run`, `action` or `plan` names. */
int cli_help_of(const struct cli_command *command, int argc, char **argv);
int cli_check(const struct cli_command *command, int argc, char **argv);
int cli_entities(const struct cli_command *command, int argc, char **argv);
int cli_resume(const struct cli_command *command, int argc, char **argv); /* and report */
int cli_runs(const struct cli_command *command, int argc, char **argv);
int cli_plan(const struct cli_command *command, int argc, char **argv);
int cli_quota(const struct cli_command *command, int argc, char **argv);
int cli_cache(const struct cli_command *command, int argc, char **argv);
int cli_doctor(const struct cli_command *command, int argc, char **argv);
int cli_completion(const struct cli_command *command, int argc, char **argv);
int cli_init(const struct cli_command *command, int argc, char **argv);
int cli_simulate(const struct cli_command *command, int argc, char **argv);
int cli_test(const struct cli_command *command, int argc, char **argv);
int cli_new(const struct cli_command *command, int argc, char **argv);

extern const struct cli_option cli_entities_options[];
extern const struct cli_option cli_plan_options[];
extern const struct cli_option cli_quota_options[];
extern const struct cli_option cli_cache_options[];
extern const struct cli_option cli_doctor_options[];
extern const struct cli_option cli_simulate_options[];
extern const struct cli_option cli_run_options[];
extern const struct cli_option cli_test_options[];
extern const struct cli_option cli_new_options[];
extern const struct cli_option cli_init_options[];
extern const struct cli_option cli_list_options[];
extern const struct cli_option cli_runs_options[];

/* NULL: there is none of that name. */
const struct cli_command *cli_find_command(const char *name);

/* Says so, and what may be meant. Returns CLI_EXIT_USAGE. */
int cli_unknown_command(const char *name);

/* What --format says, or fits where the result goes. */
enum run_format cli_format_of(const struct cli_args *args);

/* Says so when the name of the --output file promises another form than it gets. */
void cli_warn_of_suffix(const struct cli_args *args);

/* The last run of a playbook, when it was cut off or left something to do. */
bool cli_find_unfinished(const struct cli_config *config, const char *target,
                         char id[CLI_RUN_ID_BYTES]);

/* Goes on with a run that is kept. */
int cli_go_on(const char *id, const struct cli_args *args, const struct cli_config *config);

/* Says what is wrong with the call of a command, and how to get help. Returns CLI_EXIT_USAGE. */
int cli_wrong_usage(const char *command, const char *fmt, ...) AP_PRINTF(2, 3);

/* Reads the options and then the configuration. CLI_EXIT_DONE, or another code after saying why;
 * the caller frees both in either case. */
int cli_prepare(const struct cli_command *command, int argc, char **argv, struct cli_args *args,
                struct cli_config *config) AP_MUST_USE;
