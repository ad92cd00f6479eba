/* Options: what a command takes, in tables, from which parsing and help are made.
 *
 * A command takes groups of common options, the settings of the configuration (config_keys.h), and
 * options of its own. Options may stand behind operands; -- ends them; names are not abbreviated.
 */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "cli/config.h"
#include "cli/run.h"

/* Groups of common options, for a command's mask. */
enum cli_group {
  CLI_GROUP_LOG = 1,        /* -v, --quiet, --log-format */
  CLI_GROUP_CONFIG = 2,     /* --config, and the settings that need no network */
  CLI_GROUP_SETTINGS = 4,   /* all the other settings */
  CLI_GROUP_RESULT = 8,     /* --format, --output */
  CLI_GROUP_RUN = 16,       /* --fail-on-risky */
  CLI_GROUP_ENTITIES = 32,  /* --entities, --entity, --tlp */
  CLI_GROUP_PARAMS = 64,    /* --param */
  CLI_GROUP_STEPS = 128,    /* --only, --skip */
  CLI_GROUP_CRON = 256,     /* --lock, --metrics */
  CLI_GROUP_COMPARE = 512,  /* --changed-since-last */
  CLI_GROUP_SIMULATE = 1024 /* --simulate and what goes with it */
};

struct cli_option {
  const char *name;
  char letter;       /* short form; 0: none */
  const char *value; /* "FILE"; NULL: takes none */
  const char *doc;
  unsigned group; /* of a common option */
  /* Takes the value, which lives as long as argv and may be cut up. On failure err holds the reason
   * without the option's name. `into` is the struct cli_args, or its `own`. */
  int (*take)(void *into, char *value, struct ap_error *err);
};

enum { CLI_ENTRIES_MAX = 96 }; /* options of one command */

struct cli_words {
  const char **items;
  size_t count;
};

/* What was typed, but for the settings, which go to the configuration. Strings point into argv. */
struct cli_args {
  void *own;   /* where the command's own options go; set before parsing */
  size_t room; /* of each list */
  struct cli_words operands;
  struct cli_words entities;
  struct cli_words entity;
  struct cli_words only;
  struct cli_words skip;
  struct script_param *params;
  size_t param_count;
  struct script_option *loose; /* options that may be parameters */
  size_t loose_count;
  int *loose_at; /* where they stand in argv */
  const char *config;
  const char *output;
  const char *scenario;
  const char *request_log;
  bool ask_services;
  const char *lock;
  const char *metrics;
  const char *tlp;
  bool has_format;
  enum run_format format;
  bool simulate;
  bool fail_on_risky;
  bool quiet;
  bool is_compared; /* --changed-since-last */
  unsigned verbose;
};

struct cli_command;

/* Reads argv (argv[0] is the command's name). Sets the log's level and form. On failure err says
 * what is wrong in one sentence; values that may be secret are not in it. A secret that was given
 * itself is overwritten in argv.
 * @param args    zeroed but for `own`
 * @param config  NULL for a command without CLI_GROUP_CONFIG */
int cli_options_parse(const struct cli_command *command, int argc, char **argv,
                      struct cli_args *args, struct cli_config *config,
                      struct ap_error *err) AP_MUST_USE;
void cli_args_deinit(struct cli_args *args);

/* The names of the options that running a playbook or an action takes: what no parameter can be
 * given as. Returns how many. */
size_t cli_taken_names(const char *names[CLI_ENTRIES_MAX]);

/* Prints every option that the command takes, with its meaning and default. */
void cli_options_help(const struct cli_command *command, FILE *to);
