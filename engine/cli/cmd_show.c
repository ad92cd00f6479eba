/* list, show and check: what the scripts say of themselves. Nothing is sent, no key is needed. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/command.h"
#include "cli/print.h"

static int ask(const char *command, const struct cli_args *args, const struct cli_config *config,
               bool as_json)
{
  bool is_show = strcmp(command, "show") == 0;
  const char *taken[CLI_ENTRIES_MAX];
  const size_t taken_count = cli_taken_names(taken);
  const struct run_request request = {
      .script =
          {
              .command = command,
              .target = is_show ? args->operands.items[0] : NULL,
              .targets = args->operands.items,
              .target_count = args->operands.count,
              .taken = taken,
              .taken_count = taken_count,
              .as_json = as_json,
          },
      .format = RUN_FORMAT_TABLE,
      .quiet = args->quiet,
  };
  return run_main(&request, config);
}

/* `show config` is the one that scripts do not answer. */
static int show(const struct cli_args *args, const struct cli_config *config)
{
  if (strcmp(args->operands.items[0], "config") != 0)
    return ask("show", args, config, false);
  cli_config_print(config, stdout);
  return CLI_EXIT_DONE;
}

/* Operands: at least and at most. */
static int check_words(const struct cli_command *command, const struct cli_args *args, size_t least,
                       size_t most, const char *what)
{
  if (args->operands.count < least)
    return cli_wrong_usage(command->name, "%s is missing", what);
  if (args->operands.count > most)
    return cli_wrong_usage(command->name, "\"%.80s\" is one too many", args->operands.items[most]);
  return CLI_EXIT_DONE;
}

int cli_help_of(const struct cli_command *command, int argc, char **argv)
{
  struct cli_args args = {0};
  struct cli_config config;
  int exit_code = cli_prepare(command, argc, argv, &args, &config);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = check_words(command, &args, 1, 1, "the name of an action or playbook");
  if (exit_code == CLI_EXIT_DONE)
    exit_code = ask("show", &args, &config, false);
  cli_args_deinit(&args);
  cli_config_deinit(&config);
  return exit_code;
}

static int take_format(void *into, char *value, struct ap_error *err)
{
  return cli_take_as_json(into, value, err);
}

const struct cli_option cli_list_options[] = {
    {.name = "format", .value = "table|json", .doc = "(default table)", .take = take_format},
    {0},
};

int cli_list(const struct cli_command *command, int argc, char **argv)
{
  bool as_json = false;
  struct cli_args args = {.own = &as_json};
  struct cli_config config;
  int exit_code = cli_prepare(command, argc, argv, &args, &config);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = check_words(command, &args, 0, 0, "");
  if (exit_code == CLI_EXIT_DONE)
    exit_code = ask("list", &args, &config, as_json);
  cli_args_deinit(&args);
  cli_config_deinit(&config);
  return exit_code;
}

int cli_show(const struct cli_command *command, int argc, char **argv)
{
  struct cli_args args = {0};
  struct cli_config config;
  int exit_code = cli_prepare(command, argc, argv, &args, &config);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = check_words(command, &args, 1, 1, "the name of an action or playbook");
  if (exit_code == CLI_EXIT_DONE)
    exit_code = show(&args, &config);
  cli_args_deinit(&args);
  cli_config_deinit(&config);
  return exit_code;
}

int cli_check(const struct cli_command *command, int argc, char **argv)
{
  struct cli_args args = {0};
  struct cli_config config;
  int exit_code = cli_prepare(command, argc, argv, &args, &config);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = check_words(command, &args, 1, SIZE_MAX, "the file to check");
  if (exit_code == CLI_EXIT_DONE)
    exit_code = ask("check", &args, &config, false);
  cli_args_deinit(&args);
  cli_config_deinit(&config);
  return exit_code;
}
