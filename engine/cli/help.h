/* Help: of the program, of a command, and of what an exit code means. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdio.h>

struct cli_command;

/* The first page: what there is, with examples. */
void cli_help(FILE *to);

/* `apogee help [COMMAND]`. Returns the exit code. */
int cli_help_command(const struct cli_command *command, int argc, char **argv);

/* `apogee COMMAND --help`; of a command that runs something that is named, the page of that.
 * argv[0] is the command's name. Returns the exit code. */
int cli_help_asked(const struct cli_command *command, int argc, char **argv);

/* `apogee --explain-exit [N]`: what to do after an exit code; all of them when code is NULL.
 * Returns the exit code. */
int cli_explain_exit(const char *code);
