// SPDX-License-Identifier: Apache-2.0
#include "cli/run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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
#include "cli/output.h"
#include "cli/parts.h"
#include "cli/paths.h"
#include "cli/previous.h"
#include "cli/progress.h"
#include "script/render.h"
#include "script/watchdog.h"

enum { TICK_MS = 100, RUN_ID_BYTES = 32 };

/* A command under way. */
struct doing {
  const struct run_request *request;
  const struct cli_config *config;
  struct cli_parts parts;
  struct script_run *run;
  struct output *output;
  struct net_timer *deadline;
  struct net_timer *tick;
  char id[RUN_ID_BYTES];
  char since[CLI_RUN_ID_BYTES]; /* with is_compared: the run before it; "": none */
  bool has_changes;
  char started[AP_CLOCK_TEXT];
  int64_t started_unix_ms;
  uint64_t began_ms;
  int lock;      /* its file; -1: none */
  bool has_case; /* run or action, not plan, list, show or check */
  bool is_plan;
  bool was_signaled;
  bool must_flush;
  bool is_said; /* why not, on standard error */
  int written;  /* AP_OK, or why the result is not written */
  struct ap_buf blame_path;
  struct cli_ended shown; /* how a run that is shown again ended */
};

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
  cli_previous_find(doing->config, doing->request->script.command, ap_buf_cstr(&name),
                    doing->since);
  ap_buf_deinit(&name);
}

static void begun(void *arg, struct ap_slice given)
{
  struct doing *doing = arg;
  const struct run_request *request = doing->request;
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

static void not_written(struct doing *doing, int code)
{
  if (doing->written != AP_OK)
    return;
  doing->written = code;
  script_run_stop(doing->run, AP_E_CANCELED);
}

static void write_line(struct doing *doing, int rc, struct ap_buf *line)
{
  if (rc == AP_OK)
    rc = output_write(doing->output, ap_buf_cstr(line), line->len);
  ap_buf_deinit(line);
  doing->must_flush = true;
  if (rc != AP_OK)
    not_written(doing, rc);
}

/* --quiet then prints what changed and nothing else; a file has all. */
static bool is_only_changed(const struct run_request *request)
{
  return request->is_compared && request->quiet && !request->output && !request->is_report;
}

static void compare(struct doing *doing)
{
  bool is_whole_run = strcmp(doing->request->script.command, "run") == 0;
  if (!doing->request->is_compared || doing->request->is_report || doing->has_changes)
    return;
  doing->has_changes = true;
  int rc = cli_previous_compare(doing->config, doing->since, is_whole_run, doing->parts.record);
  if (rc != AP_OK)
    not_written(doing, rc);
}

static void write_entity(struct doing *doing, uint32_t step, uint32_t entity)
{
  struct ap_buf line = {0};
  write_line(doing, case_record_line_entity(doing->parts.record, step, entity, &line), &line);
}

static void put(void *arg, uint32_t step, uint32_t entity)
{
  struct doing *doing = arg;
  if (doing->request->format == RUN_FORMAT_NDJSON && !is_only_changed(doing->request))
    write_entity(doing, step, entity);
}

/* The entities that nobody asked for have no line yet: they get it before the step's. */
static void write_left_over(struct doing *doing, uint32_t step)
{
  for (uint32_t i = 0; i < casefile_count(doing->parts.cf) && doing->written == AP_OK; i++) {
    struct case_step_entity known = case_record_entity(doing->parts.record, step, i);
    if (known.in_step && !known.is_done)
      put(doing, step, i);
  }
}

static void write_step(struct doing *doing, uint32_t step)
{
  int rc = case_record_write_step_line(doing->parts.record, step, output_write, doing->output);
  if (rc == AP_OK)
    rc = output_flush(doing->output);
  if (rc != AP_OK)
    not_written(doing, rc);
}

/* An action's line is its last: it tells what changed. */
static void step_ended(void *arg, uint32_t step)
{
  struct doing *doing = arg;
  if (doing->request->format != RUN_FORMAT_NDJSON || is_only_changed(doing->request))
    return;
  write_left_over(doing, step);
  if (strcmp(doing->request->script.command, "action") == 0)
    compare(doing);
  write_step(doing, step);
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
    not_written(doing, rc);
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
  not_written(doing, code);
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
  script_run_progress(doing->run, &now);
  const struct progress_state state = {
      .step = now.step,
      .done = now.counts.done,
      .of = now.counts.of,
      .risky = now.counts.risky,
      .requests = now.requests,
      .waiting_until_unix_ms = doing->parts.client ? vt_client_waits_until(doing->parts.client) : 0,
  };
  progress_show(&state);
  if (doing->must_flush && output_flush(doing->output) != AP_OK)
    not_written(doing, AP_E_IO);
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
  if (progress_begin(doing->request->quiet) || doing->request->format == RUN_FORMAT_NDJSON)
    start_tick(doing);
  return CLI_EXIT_DONE;
}

/* ---- the result ---- */

static uint32_t terminal_width(void)
{
  enum { USUAL = 80 };
  struct winsize size = {0};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
    return size.ws_col;
  return USUAL;
}

const char *run_format_word(enum run_format format)
{
  static const char *const words[RUN_FORMAT_COUNT] = {"json", "ndjson",   "table",
                                                      "csv",  "markdown", "html"};
  return words[format];
}

/* What people read: made by scripts of ours. */
static bool is_rendered(enum run_format format)
{
  return format != RUN_FORMAT_JSON && format != RUN_FORMAT_NDJSON;
}

static void describe_run(const struct doing *doing, const struct script_end *end, char *finished,
                         struct case_run_info *info)
{
  if (doing->request->is_report)
    (void)snprintf(finished, AP_CLOCK_TEXT, "%s", ap_buf_cstr(&doing->shown.finished));
  else
    ap_clock_format_utc(ap_clock_unix_ms(), finished);
  *info = (struct case_run_info){
      .run = doing->id,
      .playbook = end->playbook,
      .params = end->params,
      .started = doing->started,
      .finished = *finished ? finished : NULL, /* it was cut off */
      .status = end->status,
      .exit_code = end->exit_code,
      .tags = end->tags,
      .score = end->score,
  };
}

static int write_rendered(struct doing *doing, const struct script_end *end)
{
  char finished[AP_CLOCK_TEXT];
  struct case_run_info info;
  struct ap_error err = {0};
  const char *format = run_format_word(doing->request->format);
  describe_run(doing, end, finished, &info);
  const struct script_render render = {
      .cf = doing->parts.cf,
      .record = doing->parts.record,
      .run = end->is_whole ? &info : NULL,
      .format = format,
      .width = terminal_width(),
      .is_coloured = !doing->request->output && isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
  };
  int rc = script_render(doing->parts.host, &render, output_write, doing->output, &err);
  if (*err.text)
    ap_log(AP_LOG_CLI, AP_LOG_ERROR, "the result could not be made as %s: %s", format, err.text);
  doing->is_said = *err.text;
  return rc;
}

static int write_whole_run(struct doing *doing, const struct script_end *end)
{
  char finished[AP_CLOCK_TEXT];
  struct case_run_info info;
  struct ap_buf line = {0};
  describe_run(doing, end, finished, &info);
  if (doing->request->format == RUN_FORMAT_JSON)
    return case_record_write_run(doing->parts.record, &info, output_write, doing->output);
  int rc = case_record_line_run(doing->parts.record, &info, &line);
  if (rc == AP_OK)
    rc = output_write(doing->output, ap_buf_cstr(&line), line.len);
  ap_buf_deinit(&line);
  return rc;
}

static void write_lines(struct doing *doing)
{
  for (uint32_t step = 0; step < case_record_step_count(doing->parts.record); step++) {
    for (uint32_t i = 0; i < casefile_count(doing->parts.cf); i++)
      if (case_record_entity(doing->parts.record, step, i).in_step)
        write_entity(doing, step, i);
    write_step(doing, step);
  }
}

static int write_document(struct doing *doing, const struct script_end *end)
{
  if (is_only_changed(doing->request)) {
    if (case_record_is_same(doing->parts.record))
      return AP_OK;
    case_record_keep_changed(doing->parts.record);
    if (doing->request->format == RUN_FORMAT_NDJSON)
      write_lines(doing);
  }
  if (is_rendered(doing->request->format))
    return write_rendered(doing, end);
  if (end->is_whole)
    return write_whole_run(doing, end);
  if (doing->request->format == RUN_FORMAT_JSON)
    return case_record_write_action(doing->parts.record, 0, output_write, doing->output);
  return AP_OK; /* the lines of an action went out as they came */
}

static int say_not_written(const struct doing *doing, int rc)
{
  struct ap_error err = {0};
  if (doing->is_said)
    return CLI_EXIT_NOT_WRITTEN;
  if (output_problem(doing->output, &err) != AP_OK)
    ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err.text);
  else
    ap_log(AP_LOG_CLI, AP_LOG_ERROR, "the result could not be written: %s",
           rc == AP_E_IO && doing->parts.spool ? store_spool_problem(doing->parts.spool)
                                               : ap_error_text(rc));
  return CLI_EXIT_NOT_WRITTEN;
}

/* An action alone has no status of a run: its step's is it. */
static int end_record(struct doing *doing, const struct script_end *end)
{
  char finished[AP_CLOCK_TEXT];
  struct case_run_info info;
  struct case_step_info step;
  struct case_step_end ended;
  describe_run(doing, end, finished, &info);
  if (!end->is_whole && case_record_step_count(doing->parts.record)) {
    case_record_step_words(doing->parts.record, 0, &step, &ended);
    info.status = ended.status;
  }
  return case_record_end_run(doing->parts.record, &info);
}

/* The exit code of the command, with the result in its place or not there at all. */
static int finish(struct doing *doing)
{
  struct ap_error err = {0};
  const struct script_end *end = script_run_end(doing->run);
  output_end_on_signals(doing->output);
  if (end->message)
    ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", end->message);
  bool has_document =
      doing->has_case && end->exit_code != CLI_EXIT_USAGE && end->exit_code != CLI_EXIT_LIMIT;
  if (doing->has_case && !has_document)
    return end->exit_code;
  if (has_document)
    compare(doing);
  int rc = doing->written;
  if (rc == AP_OK && has_document)
    rc = end_record(doing, end);
  if (rc == AP_OK && has_document)
    rc = write_document(doing, end);
  if (rc == AP_OK)
    rc = output_commit(doing->output, &err);
  return rc == AP_OK ? end->exit_code : say_not_written(doing, rc);
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
    write_lines(doing);
  int exit_code = finish(doing);
  return exit_code == CLI_EXIT_NOT_WRITTEN ? exit_code : CLI_EXIT_DONE;
}

static int make_parts(struct doing *doing)
{
  int exit_code = cli_parts_base(&doing->parts, doing->config);
  if (exit_code == CLI_EXIT_DONE && doing->is_plan)
    return cli_parts_plan(&doing->parts, doing->request, doing->config);
  if (exit_code != CLI_EXIT_DONE || !doing->has_case)
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
  return finish(doing);
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
