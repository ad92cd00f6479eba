/* What a command prints: with --format ndjson a line as soon as something is known, and the
 * document of the run at its end. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "casefile/changes.h"
#include "cli/previous.h"
#include "cli/run_private.h"
#include "script/render.h"

/* ---- while it goes on ---- */

void run_not_written(struct doing *doing, int code)
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
    run_not_written(doing, rc);
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
    run_not_written(doing, rc);
}

static void write_entity(struct doing *doing, uint32_t step, uint32_t entity)
{
  struct ap_buf line = {0};
  write_line(doing, case_record_line_entity(doing->parts.record, step, entity, &line), &line);
}

void run_result_put(struct doing *doing, uint32_t step, uint32_t entity)
{
  if (doing->request->format == RUN_FORMAT_NDJSON && !is_only_changed(doing->request))
    write_entity(doing, step, entity);
}

/* The entities that nobody asked for have no line yet: they get it before the step's. */
static void write_left_over(struct doing *doing, uint32_t step)
{
  for (uint32_t i = 0; i < casefile_count(doing->parts.cf) && doing->written == AP_OK; i++) {
    struct case_step_entity known = case_record_entity(doing->parts.record, step, i);
    if (known.in_step && !known.is_done)
      run_result_put(doing, step, i);
  }
}

static void write_step(struct doing *doing, uint32_t step)
{
  int rc = case_record_write_step_line(doing->parts.record, step, output_write, doing->output);
  if (rc == AP_OK)
    rc = output_flush(doing->output);
  if (rc != AP_OK)
    run_not_written(doing, rc);
}

/* An action's line is its last: it tells what changed. */
void run_result_step_ended(struct doing *doing, uint32_t step)
{
  if (doing->request->format != RUN_FORMAT_NDJSON || is_only_changed(doing->request))
    return;
  write_left_over(doing, step);
  if (strcmp(doing->request->script.command, "action") == 0)
    compare(doing);
  write_step(doing, step);
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

void run_result_lines(struct doing *doing)
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
      run_result_lines(doing);
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

int run_result_finish(struct doing *doing)
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
