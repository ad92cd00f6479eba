/* run, action, ping and plan: what was typed becomes a request to the engine. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/cron.h"
#include "cli/print.h"

/* What a command of these is about. */
struct script_command {
  const char *name;
  const char *command; /* of the engine */
  const char *target;  /* NULL: the operand */
  const char *operand; /* what the operand is, in messages */
};

static const struct script_command script_commands[] = {
    {"run", "run", NULL, "a playbook"},
    {"action", "action", NULL, "an action"},
    {"ping", "action", "ping", NULL},
    {"plan", "plan", NULL, "a playbook"},
};

static const struct script_command *find(const char *name)
{
  const struct script_command *found = script_commands;
  while (strcmp(found->name, name) != 0)
    found++;
  return found;
}

static int check_words(const struct script_command *script, const struct cli_args *args)
{
  const struct cli_words *words = &args->operands;
  size_t wanted = script->target ? 0 : 1;
  if (words->count < wanted)
    return cli_wrong_usage(script->name, "%s is missing: which %s?", script->operand,
                           script->operand + strcspn(script->operand, " ") + 1);
  if (words->count > wanted)
    return cli_wrong_usage(script->name, "\"%.80s\" is one too many%s", words->items[wanted],
                           wanted ? "; entities are given with --entities FILE or --entity" : "");
  if (args->scenario && !args->simulate)
    return cli_wrong_usage(script->name, "--scenario goes with --simulate");
  if (args->ask_services && !args->simulate)
    return cli_wrong_usage(script->name, "--ask-services goes with --simulate");
  if (args->request_log && !args->simulate)
    return cli_wrong_usage(script->name, "--request-log goes with --simulate");
  if (args->is_compared && args->simulate)
    return cli_wrong_usage(script->name, "--changed-since-last does not go with --simulate: "
                                         "no run is kept then");
  return CLI_EXIT_DONE;
}

enum run_format cli_format_of(const struct cli_args *args)
{
  if (args->has_format)
    return args->format;
  return !args->output && isatty(STDOUT_FILENO) ? RUN_FORMAT_TABLE : RUN_FORMAT_JSON;
}

void cli_warn_of_suffix(const struct cli_args *args)
{
  static const struct {
    const char *suffix;
    enum run_format format;
  } suffixes[] = {
      {".html", RUN_FORMAT_HTML},     {".htm", RUN_FORMAT_HTML},
      {".md", RUN_FORMAT_MARKDOWN},   {".markdown", RUN_FORMAT_MARKDOWN},
      {".csv", RUN_FORMAT_CSV},       {".json", RUN_FORMAT_JSON},
      {".ndjson", RUN_FORMAT_NDJSON}, {".jsonl", RUN_FORMAT_NDJSON},
  };
  const char *name = args->output ? strrchr(args->output, '/') : NULL;
  const char *suffix = strrchr(name ? name : args->output ? args->output : "", '.');
  for (size_t i = 0; suffix && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
    if (strcasecmp(suffix, suffixes[i].suffix) == 0 && cli_format_of(args) != suffixes[i].format)
      ap_log(AP_LOG_CLI, AP_LOG_WARN, "%.200s is written as %s%s: its name says --format %s",
             args->output, run_format_word(cli_format_of(args)),
             args->has_format ? "" : ", for no --format was given",
             run_format_word(suffixes[i].format));
}

static int ask(const struct script_command *script, const struct cli_args *args,
               const struct cli_config *config, bool as_json)
{
  const char *taken[CLI_ENTRIES_MAX];
  const size_t taken_count = cli_taken_names(taken);
  cli_warn_of_suffix(args);
  const struct run_request request = {
      .script =
          {
              .command = script->command,
              .target = script->target ? script->target : args->operands.items[0],
              .params = args->params,
              .param_count = args->param_count,
              .options = args->loose,
              .option_count = args->loose_count,
              .taken = taken,
              .taken_count = taken_count,
              .only = args->only.items,
              .only_count = args->only.count,
              .skip = args->skip.items,
              .skip_count = args->skip.count,
              .tlp = args->tlp,
              .fail_on_risky = args->fail_on_risky,
              .as_json = as_json,
          },
      .entities_files = args->entities.items,
      .entities_file_count = args->entities.count,
      .entity_options = args->entity.items,
      .entity_option_count = args->entity.count,
      .simulate = args->simulate,
      .scenario = args->scenario,
      .ask_services = args->ask_services,
      .request_log = args->request_log,
      .is_kept = !script->target, /* a ping is not worth it */
      .format = cli_format_of(args),
      .output = args->output,
      .quiet = args->quiet,
      .is_compared = args->is_compared,
      .lock = args->lock,
      .metrics = args->metrics,
  };
  return run_main(&request, config);
}

struct run_options {
  bool is_resumed;
};

static int take_resume(void *into, char *value, struct ap_error *err)
{
  struct run_options *options = into;
  (void)value;
  (void)err;
  options->is_resumed = true;
  return AP_OK;
}

const struct cli_option cli_run_options[] = {
    {.name = "resume",
     .doc = "go on with the last run of this playbook if it is not through, else begin one",
     .take = take_resume},
    {0},
};

/* Entities that were given are those of a new run. */
static int go_on_or_ask(const struct script_command *script, const struct cli_args *args,
                        const struct cli_config *config)
{
  char id[CLI_RUN_ID_BYTES];
  if (args->simulate || config->no_state)
    return cli_wrong_usage(script->name, "--resume does not go with %s: no run is kept then",
                           args->simulate ? "--simulate" : "--no-state");
  if (cli_find_unfinished(config, args->operands.items[0], id))
    return cli_go_on(id, args, config);
  return ask(script, args, config, false);
}

/* What is wrong with the call or the configuration is worth an alert too: a job that never runs. */
static int refused(const struct cli_command *command, const struct cli_args *args, int exit_code)
{
  const int64_t now_ms = ap_clock_unix_ms();
  const struct metrics metrics = {
      .command = command->name,
      .target = args->operands.count ? args->operands.items[0] : NULL,
      .started_unix_ms = now_ms,
      .ended_unix_ms = now_ms,
      .exit_code = exit_code,
  };
  return cron_metrics(&metrics, args->metrics);
}

int cli_script(const struct cli_command *command, int argc, char **argv)
{
  const struct script_command *script = find(command->name);
  struct run_options options = {0};
  struct cli_args args = {.own = &options};
  struct cli_config config;
  int exit_code = cli_prepare(command, argc, argv, &args, &config);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = check_words(script, &args);
  if (exit_code == CLI_EXIT_DONE && args.is_compared && config.no_state)
    exit_code = cli_wrong_usage(script->name, "--changed-since-last does not go with --no-state: "
                                              "no run is kept then");
  if (exit_code != CLI_EXIT_DONE)
    exit_code = refused(command, &args, exit_code);
  else
    exit_code = options.is_resumed ? go_on_or_ask(script, &args, &config)
                                   : ask(script, &args, &config, false);
  cli_args_deinit(&args);
  cli_config_deinit(&config);
  return exit_code;
}

/* A plan is text of the engine's own, whatever its form. */
static int take_format(void *into, char *value, struct ap_error *err)
{
  return cli_take_as_json(into, value, err);
}

const struct cli_option cli_plan_options[] = {
    {.name = "format", .value = "table|json", .doc = "(default table)", .take = take_format},
    {0},
};

int cli_plan(const struct cli_command *command, int argc, char **argv)
{
  const struct script_command *script = find(command->name);
  bool as_json = false;
  struct cli_args args = {.own = &as_json};
  struct cli_config config;
  int exit_code = cli_prepare(command, argc, argv, &args, &config);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = check_words(script, &args);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = ask(script, &args, &config, as_json);
  cli_args_deinit(&args);
  cli_config_deinit(&config);
  return exit_code;
}
