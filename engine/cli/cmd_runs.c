/* runs, report and resume: the runs that are kept. */
// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "casefile/restore.h"
#include "cli/asked.h"
#include "cli/command.h"
#include "cli/kept.h"
#include "cli/print.h"
#include "store/spool.h"

static int said(int exit_code, const struct ap_error *err)
{
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err->text);
  return exit_code;
}

/* ---- resume and report ---- */

static bool was_given(const struct cli_args *args, const char *name)
{
  for (size_t i = 0; i < args->param_count; i++)
    if (strcmp(args->params[i].name, name) == 0)
      return true;
  return false;
}

static int take_secrets(const struct cli_args *args, struct cli_asked *asked)
{
  struct ap_error err = {0};
  for (size_t i = 0; i < asked->withheld_count; i++)
    if (!was_given(args, asked->withheld[i]))
      return cli_wrong_usage("resume",
                             "%s was given in plain, and such a secret is not kept: give it again "
                             "with --param %s=file:PATH",
                             asked->withheld[i], asked->withheld[i]);
  for (size_t i = 0; i < args->param_count; i++)
    if (cli_asked_add_param(asked, &args->params[i]) != AP_OK) {
      (void)ap_fail(&err, AP_E_NO_MEMORY, "out of memory");
      return said(CLI_EXIT_LIMIT, &err);
    }
  return CLI_EXIT_DONE;
}

static void warn_of_folder(const struct cli_asked *asked)
{
  char folder[PATH_MAX];
  if (asked->folder && getcwd(folder, sizeof(folder)) && strcmp(folder, asked->folder) != 0)
    ap_log(AP_LOG_CLI, AP_LOG_INFO,
           "the run began in %s: if it has relative paths, resume it from there", asked->folder);
}

static int ask(const char *id, const struct cli_asked *asked, const struct cli_args *args,
               const struct cli_config *config, bool is_report)
{
  cli_warn_of_suffix(args);
  const struct run_request request = {
      .script = asked->script,
      .is_kept = true,
      .id = id,
      .is_report = is_report,
      .started = asked->started,
      .name = asked->name,
      .format = cli_format_of(args),
      .output = args->output,
      .quiet = args->quiet,
      .is_compared = asked->since != NULL,
      .since = asked->since,
      .lock = args->lock,
      .metrics = args->metrics,
  };
  return run_main(&request, config);
}

int cli_go_on(const char *id, const struct cli_args *args, const struct cli_config *config)
{
  struct ap_error err = {0};
  struct cli_asked asked = {0};
  int exit_code = CLI_EXIT_DONE;
  if (cli_asked_load(config, id, &asked, &err) != AP_OK)
    exit_code = said(CLI_EXIT_USAGE, &err);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = take_secrets(args, &asked);
  if (exit_code == CLI_EXIT_DONE) {
    warn_of_folder(&asked);
    ap_log(AP_LOG_CLI, AP_LOG_INFO, "going on with the run %s", id);
    exit_code = ask(id, &asked, args, config, false);
  }
  cli_asked_deinit(&asked);
  return exit_code;
}

static int show(const char *id, const struct cli_args *args, const struct cli_config *config)
{
  struct ap_error err = {0};
  struct cli_asked asked = {0};
  int exit_code = cli_asked_load(config, id, &asked, &err) == AP_OK
                      ? ask(id, &asked, args, config, true)
                      : said(CLI_EXIT_USAGE, &err);
  cli_asked_deinit(&asked);
  return exit_code;
}

static int find_and(const struct cli_command *command, const struct cli_args *args,
                    const struct cli_config *config)
{
  struct ap_error err = {0};
  char id[CLI_RUN_ID_BYTES];
  if (args->operands.count > 1)
    return cli_wrong_usage(command->name, "\"%.80s\" is one too many", args->operands.items[1]);
  if (config->no_state)
    return cli_wrong_usage(command->name, "with --no-state there are no runs");
  const char *word = args->operands.count ? args->operands.items[0] : NULL;
  if (cli_kept_find(config, word, id, &err) != AP_OK)
    return said(CLI_EXIT_USAGE, &err);
  bool is_report = strcmp(command->name, "report") == 0;
  return is_report ? show(id, args, config) : cli_go_on(id, args, config);
}

int cli_resume(const struct cli_command *command, int argc, char **argv)
{
  struct cli_args args = {0};
  struct cli_config config;
  int exit_code = cli_prepare(command, argc, argv, &args, &config);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = find_and(command, &args, &config);
  cli_args_deinit(&args);
  cli_config_deinit(&config);
  return exit_code;
}

/* ---- run --resume ---- */

/* Whether a run is one of this playbook. */
static bool is_of(const struct cli_config *config, const char *id, const char *target)
{
  struct ap_error err = {0};
  struct cli_asked asked = {0};
  char path[PATH_MAX];
  bool is_it = cli_asked_load(config, id, &asked, &err) == AP_OK &&
               strcmp(asked.script.command, "run") == 0 &&
               strcmp(asked.script.target, cli_asked_target(target, path)) == 0;
  cli_asked_deinit(&asked);
  return is_it;
}

static bool is_unfinished(const struct cli_config *config, const char *id)
{
  struct ap_error err = {0};
  struct cli_ended ended;
  uint64_t findings;
  bool is_it =
      cli_ended_load(config, id, &ended, &findings, &err) == AP_OK && !cli_ended_is_whole(&ended);
  cli_ended_deinit(&ended);
  return is_it;
}

bool cli_find_unfinished(const struct cli_config *config, const char *target,
                         char id[CLI_RUN_ID_BYTES])
{
  struct ap_error err = {0};
  struct cli_kept *list;
  size_t count;
  if (cli_kept_list(config, &list, &count, &err) != AP_OK)
    return false;
  size_t last = 0;
  while (last < count && !is_of(config, list[last].id, target))
    last++;
  bool is_found = last < count && is_unfinished(config, list[last].id);
  if (is_found)
    memcpy(id, list[last].id, CLI_RUN_ID_BYTES);
  free(list);
  return is_found;
}

/* ---- runs ---- */

struct runs {
  bool as_json;
};

static int take_format(void *into, char *value, struct ap_error *err)
{
  return cli_take_as_json(&((struct runs *)into)->as_json, value, err);
}

const struct cli_option cli_runs_options[] = {
    {.name = "format", .value = "table|json", .doc = "(default table)", .take = take_format},
    {0},
};

struct row {
  const char *id;
  struct cli_asked asked;
  struct cli_ended ended;
  uint64_t findings;
  bool is_held;
};

static const char *state_of(const struct row *row)
{
  if (row->is_held)
    return "under_way";
  return row->ended.has_ended ? ap_buf_cstr(&row->ended.status) : "cut_off";
}

static void print_json(const struct row *row, bool is_first)
{
  struct ap_buf out = {0};
  ap_buf_add_str(&out, is_first ? "\n  {\"run\":" : ",\n  {\"run\":");
  ap_json_write_cstr(&out, row->id);
  ap_buf_add_str(&out, ",\"command\":");
  ap_json_write_cstr(&out, row->asked.script.command);
  ap_buf_add_str(&out, ",\"name\":");
  ap_json_write_cstr(&out, row->asked.name);
  ap_buf_add_str(&out, ",\"started\":");
  ap_json_write_cstr(&out, row->asked.started);
  ap_buf_add_str(&out, ",\"finished\":");
  ap_json_write_cstr(&out, row->ended.has_ended ? ap_buf_cstr(&row->ended.finished) : NULL);
  ap_buf_add_str(&out, ",\"state\":");
  ap_json_write_cstr(&out, state_of(row));
  if (row->ended.has_ended)
    ap_buf_add_fmt(&out,
                   ",\"exit\":%d,\"coverage\":{\"checked\":%" PRIu64 ",\"of\":%" PRIu64
                   "},\"risky\":%" PRIu64 ",\"cost\":{\"requests\":%" PRIu64 ",\"quota\":%" PRIu64
                   "}",
                   row->ended.exit_code, row->ended.checked, row->ended.of, row->ended.risky,
                   row->ended.requests, row->ended.quota);
  ap_buf_add_fmt(&out, ",\"findings\":%" PRIu64 "}", row->findings);
  (void)fputs(ap_buf_cstr(&out), stdout);
  ap_buf_deinit(&out);
}

static void print_row(const struct row *row)
{
  char coverage[64];
  char cost[32] = "-";
  char exit_code[16] = "-";
  (void)snprintf(coverage, sizeof(coverage), "%" PRIu64 " found", row->findings);
  if (row->ended.has_ended) {
    (void)snprintf(coverage, sizeof(coverage), "%" PRIu64 "/%" PRIu64, row->ended.checked,
                   row->ended.of);
    (void)snprintf(cost, sizeof(cost), "%" PRIu64, row->ended.quota);
    (void)snprintf(exit_code, sizeof(exit_code), "%d", row->ended.exit_code);
  }
  (void)printf("%-22s  %-11s  %4s  %-14s  %7s  %s\n", row->id, state_of(row), exit_code, coverage,
               cost, row->asked.name ? row->asked.name : row->asked.script.target);
}

static void print_run(const struct cli_config *config, const char *id, bool as_json, bool *is_first)
{
  struct ap_error err = {0};
  struct row row = {.id = id};
  struct ap_buf path = {0};
  cli_kept_path(config, id, &path);
  row.is_held = store_spool_is_held(ap_buf_cstr(&path));
  ap_buf_deinit(&path);
  if (cli_asked_load(config, id, &row.asked, &err) != AP_OK ||
      cli_ended_load(config, id, &row.ended, &row.findings, &err) != AP_OK) {
    ap_log(AP_LOG_CLI, AP_LOG_WARN, "%s", err.text);
  } else if (as_json) {
    print_json(&row, *is_first);
    *is_first = false;
  } else {
    print_row(&row);
  }
  cli_asked_deinit(&row.asked);
  cli_ended_deinit(&row.ended);
}

static int list_runs(const struct cli_config *config, bool as_json)
{
  struct ap_error err = {0};
  struct cli_kept *list;
  size_t count;
  bool is_first = true;
  if (cli_kept_list(config, &list, &count, &err) != AP_OK)
    return said(CLI_EXIT_USAGE, &err);
  if (as_json)
    (void)fputs("{\"schema\":\"apogee.runs/1\",\"runs\":[", stdout);
  else if (count)
    (void)printf("%-22s  %-11s  %4s  %-14s  %7s  %s\n", "RUN", "STATE", "EXIT", "COVERAGE", "QUOTA",
                 "NAME");
  for (size_t i = 0; i < count; i++)
    print_run(config, list[i].id, as_json, &is_first);
  if (as_json)
    (void)puts(is_first ? "]}" : "\n]}");
  else if (!count)
    ap_log(AP_LOG_CLI, AP_LOG_WARN, "no run is kept (runs with --simulate never are)");
  free(list);
  return CLI_EXIT_DONE;
}

int cli_runs(const struct cli_command *command, int argc, char **argv)
{
  struct runs runs = {0};
  struct cli_args args = {.own = &runs};
  struct cli_config config;
  int exit_code = cli_prepare(command, argc, argv, &args, &config);
  if (exit_code == CLI_EXIT_DONE && args.operands.count)
    exit_code = cli_wrong_usage("runs", "\"%.80s\" is one too many; `apogee report RUN` shows one",
                                args.operands.items[0]);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = list_runs(&config, runs.as_json);
  cli_args_deinit(&args);
  cli_config_deinit(&config);
  return exit_code;
}
