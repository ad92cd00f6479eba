// SPDX-License-Identifier: Apache-2.0
#include "cli/run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "casefile/changes.h"
#include "cli/asked.h"
#include "cli/command.h"
#include "cli/cron.h"
#include "cli/guard.h"
#include "cli/kept.h"
#include "cli/paths.h"
#include "cli/previous.h"
#include "cli/progress.h"
#include "cli/run_private.h"
#include "script/watchdog.h"

enum { TICK_MS = 100 };

/* ---- what the run tells ---- */

static void keep(struct doing *doing, struct ap_slice given)
{
  struct ap_error err = {0};
  struct ap_buf asked = {0};
  struct ap_buf path = {0};
  cli_kept_path(doing->config, doing->id, &path);
  int rc = cli_asked_write(&doing->request->script, doing->started,
                           doing->request->is_compared ? doing->since : NULL, given, &asked);
  if (rc == AP_OK)
    rc = cli_kept_prepare(doing->config, &err);
  if (rc == AP_OK)
    rc = case_record_keep(doing->parts.record, ap_buf_cstr(&path), ap_slice_of(&asked), &err);
  if (rc != AP_OK)
    ap_log(AP_LOG_CLI, AP_LOG_WARN, "the run cannot be resumed when it is cut off: %s",
           *err.text ? err.text : ap_error_text(rc));
  ap_buf_deinit(&asked);
  ap_buf_deinit(&path);
}

static void find_previous(struct doing *doing, struct ap_slice given)
{
  struct ap_slice value;
  struct ap_buf name = {0};
  if (ap_json_get(given, "name", &value))
    ap_json_read_string(value, &name);
  ap_buf_must(&name);
  cli_previous_find(doing->config, doing->request->script.command, ap_buf_cstr(&name),
                    doing->since);
  ap_buf_deinit(&name);
}

static void begun(void *arg, struct ap_slice given)
{
  struct doing *doing = arg;
  const struct run_request *request = doing->request;
  run_events_began(doing, given);
  if (!request->is_kept || request->simulate || doing->config->no_state)
    return;
  if (!request->id) {
    cli_kept_tidy(doing->config);
    if (request->is_compared)
      find_previous(doing, given);
    keep(doing, given);
  }
  cli_kept_blame_path(doing->config, doing->id, &doing->blame_path);
  if (!ap_buf_error(&doing->blame_path))
    script_blame_to(ap_buf_cstr(&doing->blame_path));
}

static void ended(void *arg)
{
  struct doing *doing = arg;
  net_loop_stop(doing->parts.loop);
}

static void put(void *arg, uint32_t step, uint32_t entity)
{
  run_events_entity(arg, step, entity);
  run_result_put(arg, step, entity);
}

static void step_began(void *arg, uint32_t step)
{
  run_events_step_began(arg, step);
}

static void step_ended(void *arg, uint32_t step)
{
  run_events_step_ended(arg, step);
  run_result_step_ended(arg, step);
}

static void print(void *arg, const char *text, size_t len)
{
  struct doing *doing = arg;
  FILE *capture = doing->request->capture;
  int rc = AP_OK;
  if (!capture)
    rc = output_write(doing->output, text, len);
  else if (fwrite(text, 1, len, capture) != len)
    rc = AP_E_NO_MEMORY;
  if (rc != AP_OK)
    run_not_written(doing, rc);
}

/* Whoever reads the table on a terminal has it there, and a run that ends because nothing can be
 * written has one thing to say. --quiet leaves warnings out, but not of what went wrong. */
static void say(void *arg, enum script_said what, const char *text)
{
  const struct doing *doing = arg;
  const struct run_request *request = doing->request;
  bool is_read = request->format == RUN_FORMAT_TABLE && !request->output && isatty(STDOUT_FILENO);
  bool is_error = what == SCRIPT_SAID_ERROR || (what == SCRIPT_SAID_WARNING && request->quiet);
  if (!is_read && doing->written == AP_OK)
    ap_log(AP_LOG_SCRIPT, is_error ? AP_LOG_ERROR : AP_LOG_WARN, "%s", text);
}

/* What was typed is shown by the process list until it is overwritten. */
static void hide(void *arg, const char *text)
{
  const struct doing *doing = arg;
  const struct script_request *script = &doing->request->script;
  for (size_t i = 0; i < script->param_count; i++)
    if (strcmp(script->params[i].value, text) == 0)
      memset((char *)(uintptr_t)script->params[i].value, '*', strlen(text));
  for (size_t i = 0; i < script->option_count; i++)
    if (script->options[i].value && strcmp(script->options[i].value, text) == 0)
      memset((char *)(uintptr_t)script->options[i].value, '*', strlen(text));
}

static void broke(void *arg, int code)
{
  struct doing *doing = arg;
  ap_log(AP_LOG_CLI, AP_LOG_ERROR,
         "%s: the record of the run cannot be written: %s; make room there, or name another folder "
         "with --state-dir",
         doing->parts.folder,
         code == AP_E_IO ? store_spool_problem(doing->parts.spool) : ap_error_text(code));
  doing->is_said = true;
  run_not_written(doing, code);
}

/* ---- timers and signals ---- */

static void deadline_reached(void *arg)
{
  struct doing *doing = arg;
  script_run_stop(doing->run, AP_E_DEADLINE);
}

static void start_tick(struct doing *doing)
{
  net_timer_start(doing->tick, (uint64_t)(TICK_MS * ap_clock_scale()));
}

static void ticked(void *arg)
{
  struct doing *doing = arg;
  struct script_progress now;
  struct vt_standing standing = {0};
  script_run_progress(doing->run, &now);
  if (doing->parts.client)
    vt_client_standing(doing->parts.client, &standing);
  run_events_standing(doing, &standing);
  const struct progress_state state = {
      .step = now.step,
      .done = now.done,
      .of = now.of,
      .risky = now.risky,
      .requests = now.requests,
      .standing = standing,
  };
  progress_show(&state);
  if (doing->must_flush && output_flush(doing->output) != AP_OK)
    run_not_written(doing, AP_E_IO);
  doing->must_flush = false;
  start_tick(doing);
}

/* The first ends the run in order, the second at once. */
static void caught(void *arg, int signal_number)
{
  struct doing *doing = arg;
  if (doing->was_signaled) {
    progress_end();
    output_close(doing->output);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
  }
  doing->was_signaled = true;
  output_hurry(doing->output);
  ap_log(AP_LOG_CLI, AP_LOG_WARN, "the run is ending; once more ends it at once");
  script_run_stop(doing->run, AP_E_CANCELED);
}

static int start_timers(struct doing *doing)
{
  struct net_loop *loop = doing->parts.loop;
  if (net_timer_new(loop, deadline_reached, doing, &doing->deadline) != AP_OK ||
      net_timer_new(loop, ticked, doing, &doing->tick) != AP_OK ||
      net_loop_on_signal(loop, caught, doing) != AP_OK) {
    ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", ap_error_text(AP_E_NO_MEMORY));
    return CLI_EXIT_LIMIT;
  }
  if (doing->config->deadline_ms)
    net_timer_start(doing->deadline, doing->config->deadline_ms);
  bool has_events = ap_log_wants_events(); /* no line between them */
  if (progress_begin(doing->request->quiet || has_events) || has_events ||
      doing->request->format == RUN_FORMAT_NDJSON)
    start_tick(doing);
  return CLI_EXIT_DONE;
}

/* ---- from begin to end ---- */

/* "20261124T041152Z-3f2a": when it began, and a number for those that began together. */
static void name_run(struct doing *doing)
{
  size_t len = 0;
  if (doing->request->id) {
    (void)snprintf(doing->id, sizeof(doing->id), "%s", doing->request->id);
    (void)snprintf(doing->started, sizeof(doing->started), "%s", doing->request->started);
    ap_log_set_run(doing->id);
    return;
  }
  ap_clock_format_utc(doing->started_unix_ms, doing->started);
  for (const char *c = doing->started; *c; c++)
    if (*c != '-' && *c != ':')
      doing->id[len++] = *c;
  (void)snprintf(doing->id + len, sizeof(doing->id) - len, "-%04x",
                 (unsigned)ap_random_below(0x10000));
  ap_log_set_run(doing->id);
}

/* When a run began that goes on, in seconds since 1970; 0: it begins. */
static int64_t began_unix_s(const struct doing *doing)
{
  int64_t unix_s = 0;
  if (doing->request->id &&
      ap_clock_parse_utc(doing->started, strlen(doing->started), &unix_s) != AP_OK)
    return 0;
  return unix_s;
}

static int make_run(struct doing *doing, const struct cli_folders *folders)
{
  struct ap_error err = {0};
  const struct cli_config *config = doing->config;
  uint64_t tasks = doing->is_plan ? 1 : config->jobs * config->virustotal.tier.list;
  enum { TASKS_MAX = 1024 };
  const struct script_run_options options = {
      .cf = doing->parts.cf,
      .record = doing->parts.record,
      .plan = doing->is_plan ? &doing->parts.plan : NULL,
      .policy = doing->parts.policy,
      .client = doing->parts.client,
      .no_client = doing->parts.no_client,
      .web = doing->parts.web,
      .store = doing->parts.store,
      .id = doing->id,
      .secrets = doing->parts.secrets,
      .secret_count = doing->parts.secrets ? config->secret_count : 0,
      .tasks_max = (uint32_t)(tasks > TASKS_MAX ? TASKS_MAX : tasks),
      .began_unix_s = began_unix_s(doing),
      .packaged = folders->actions,
      .playbooks = folders->playbooks,
      .action_folders = (const char *const *)config->actions_path.items,
      .action_folder_count = config->actions_path.count,
      .temporary = cli_temporary_folder(),
      .arg = doing,
      .begun = begun,
      .ended = ended,
      .put = put,
      .step_began = step_began,
      .step_ended = step_ended,
      .print = print,
      .say = say,
      .hide = hide,
      .broke = broke,
  };
  if (script_run_new(doing->parts.host, &options, &doing->run, &err) == AP_OK)
    return CLI_EXIT_DONE;
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err.text);
  return CLI_EXIT_USAGE;
}

static int start(struct doing *doing)
{
  struct ap_error err = {0};
  if (script_run_start(doing->run, &doing->request->script, &err) == AP_OK)
    return CLI_EXIT_DONE;
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err.text);
  return CLI_EXIT_USAGE;
}

/* ---- a run that is shown again ---- */

/* One that was cut off has no end: what there is of it is shown. */
static int show(struct doing *doing)
{
  struct cli_ended *shown = &doing->shown;
  if (cli_ended_read(case_restored_end(doing->parts.restored), shown) != AP_OK)
    return CLI_EXIT_LIMIT;
  if (!shown->has_ended) {
    ap_buf_add_str(&shown->status, "interrupted");
    shown->exit_code = CLI_EXIT_PART;
  }
  const struct script_end end = {
      .exit_code = shown->exit_code,
      .is_whole = strcmp(doing->request->script.command, "run") == 0,
      .playbook = doing->request->name,
      .params = shown->params,
      .status = ap_buf_cstr(&shown->status),
      .tags = shown->tags,
      .score = shown->score,
  };
  script_run_recall(doing->run, &end);
  if (shown->changes.ptr &&
      case_record_recall_changes(doing->parts.record, shown->changes, end.is_whole) != AP_OK)
    return CLI_EXIT_LIMIT;
  if (doing->request->format == RUN_FORMAT_NDJSON)
    run_result_lines(doing);
  int exit_code = run_result_finish(doing);
  return exit_code == CLI_EXIT_NOT_WRITTEN ? exit_code : CLI_EXIT_DONE;
}

static int make_parts(struct doing *doing)
{
  int exit_code = cli_parts_base(&doing->parts, doing->config);
  if (exit_code == CLI_EXIT_DONE && doing->is_plan)
    return cli_parts_plan(&doing->parts, doing->request, doing->config);
  if (exit_code == CLI_EXIT_DONE && !doing->has_case)
    return cli_parts_policy(&doing->parts, doing->config);
  if (exit_code != CLI_EXIT_DONE)
    return exit_code;
  if (doing->request->is_report)
    return cli_parts_report(&doing->parts, doing->request, doing->config);
  return cli_parts_case(&doing->parts, doing->request, doing->config);
}

/* What a run that never began has no status of. */
static const char *status_of(const struct doing *doing)
{
  const struct case_record *record = doing->parts.record;
  const struct script_end *end = doing->run ? script_run_end(doing->run) : NULL;
  if (end && end->is_whole)
    return end->status;
  bool is_action = record && strcmp(doing->request->script.command, "action") == 0;
  return is_action && case_record_step_count(record) ? case_record_step_status(record, 0) : NULL;
}

/* Returns the exit code of the command. */
static int write_metrics(const struct doing *doing, int exit_code)
{
  const struct metrics metrics = {
      .command = doing->request->script.command,
      .target = doing->request->script.target,
      .started_unix_ms = doing->started_unix_ms,
      .ended_unix_ms = ap_clock_unix_ms(),
      .duration_ms = ap_clock_ms() - doing->began_ms,
      .exit_code = exit_code,
      .status = status_of(doing),
      .record = doing->parts.record,
  };
  return cron_metrics(&metrics, doing->request->metrics);
}

static int run_all(struct doing *doing, const struct cli_folders *folders)
{
  struct ap_error err = {0};
  guard_run(doing->request, doing->config);
  int exit_code = cron_lock(doing->request, doing->config, &doing->lock);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = make_parts(doing);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = make_run(doing, folders);
  if (exit_code == CLI_EXIT_DONE && output_open(doing->request->output, &doing->output, &err)) {
    ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err.text);
    exit_code = CLI_EXIT_NOT_WRITTEN;
  }
  if (exit_code == CLI_EXIT_DONE && doing->request->is_report)
    return show(doing);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = start_timers(doing);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = start(doing);
  if (exit_code != CLI_EXIT_DONE)
    return exit_code;
  net_loop_run(doing->parts.loop);
  progress_end();
  return run_result_finish(doing);
}

int run_main(const struct run_request *request, const struct cli_config *config)
{
  struct doing doing = {
      .request = request,
      .config = config,
      .started_unix_ms = ap_clock_unix_ms(),
      .began_ms = ap_clock_ms(),
      .lock = -1,
  };
  struct cli_folders folders;
  struct ap_error err = {0};
  doing.has_case =
      strcmp(request->script.command, "run") == 0 || strcmp(request->script.command, "action") == 0;
  doing.is_plan = strcmp(request->script.command, "plan") == 0;
  if (cli_folders_find(&folders, &err) != AP_OK) {
    ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err.text);
    return CLI_EXIT_USAGE;
  }
  if (request->since)
    (void)snprintf(doing.since, sizeof(doing.since), "%s", request->since);
  if (doing.has_case)
    name_run(&doing);
  int exit_code = run_all(&doing, &folders);
  progress_end();
  script_blame_to(NULL);
  exit_code = write_metrics(&doing, exit_code);
  run_events_ended(&doing, status_of(&doing), exit_code);
  script_run_free(doing.run);
  output_close(doing.output);
  net_timer_free(doing.deadline);
  net_timer_free(doing.tick);
  cli_parts_free(&doing.parts);
  cli_ended_deinit(&doing.shown);
  ap_buf_deinit(&doing.blame_path);
  if (doing.lock >= 0)
    (void)close(doing.lock);
  ap_log_set_run(NULL);
  return exit_code;
}
