/* The command line: one table of subcommands, one file each. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

/* Exit codes; the README's table says when. */
enum cli_exit {
  CLI_EXIT_DONE = 0,
  CLI_EXIT_USAGE = 2,       /* nothing was done: wrong usage or input */
  CLI_EXIT_NOT_WRITTEN = 7, /* the result could not be written */
};

/* One subcommand. argv[0] is its name. */
struct cli_command {
  const char *name;
  const char *synopsis; /* "FILE|-... [--entity TYPE:VALUE]..." */
  const char *summary;  /* one line for `apogee --help` */
  const char *help;     /* examples first, then the options */
  int (*run)(int argc, char **argv);
};

/* Finds the subcommand and runs it; returns the exit code. */
int cli_run(int argc, char **argv);

/* The commands, in the order of `apogee --help`; a NULL name ends the table. */
extern const struct cli_command cli_commands[];

int cli_entities(int argc, char **argv);
int cli_simulate(int argc, char **argv);

/* Says what is wrong with the call of a command, and how to get help. Returns CLI_EXIT_USAGE. */
int cli_wrong_usage(const char *command, const char *fmt, ...) AP_PRINTF(2, 3);
