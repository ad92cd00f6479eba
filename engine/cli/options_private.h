/* What the parsing of options and their help share: everything that a command takes, in one list.
 */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command.h"
#include "cli/config_keys.h"

/* Either an option or a setting. */
struct cli_entry {
  const char *name;
  const struct cli_option *option;
  const struct cli_key *key;
};

/* The options of every command's groups, up to a NULL name. */
extern const struct cli_option cli_common_options[];

/* A command's own options, the common ones, then its settings. Returns how many. */
size_t cli_entries(const struct cli_command *command, struct cli_entry entries[CLI_ENTRIES_MAX]);

/* Keeps `word` ("--name" or "--name=value", which is cut) of argv[at] aside. @param near  an option
 * of the command that may be meant; NULL */
int cli_loose_add(struct cli_args *args, char *word, int at, const char *near,
                  struct ap_error *err) AP_MUST_USE;

/* Gives them the operands that stand behind them as values, when all words are read. */
void cli_loose_settle(struct cli_args *args, char *const *argv);

/* What stands for the value in help: "FILE"; NULL: there is none. buf may be used for it. */
const char *cli_entry_value(const struct cli_entry *entry, char *buf, size_t size);
