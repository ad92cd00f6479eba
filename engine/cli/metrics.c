// SPDX-License-Identifier: Apache-2.0
#include "cli/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/secret.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/process.h"

enum { FILE_MODE = 0644, TIMESTAMP_BYTES = 32 };

#define LAST_SUCCESS "apogee_run_last_success_timestamp_seconds"

static const char *const statuses[] = {"completed", "in_progress", "failed", "timed_out",
                                       "interrupted"};

/* ---- the format ---- */

/* A label's value; what is no UTF-8 becomes U+FFFD. */
static void add_value(struct ap_buf *out, const char *text)
{
  size_t left = strlen(text);
  ap_buf_add_char(out, '"');
  while (left) {
    size_t size = ap_utf8_size(text, left);
    if (size == 0)
      ap_buf_add_str(out, "\xef\xbf\xbd");
    else if (*text == '\n')
      ap_buf_add_str(out, "\\n");
    else if (*text == '"' || *text == '\\')
      ap_buf_add_fmt(out, "\\%c", *text);
    else
      ap_buf_add(out, text, size);
    size += size == 0;
    text += size;
    left -= size;
  }
  ap_buf_add_char(out, '"');
}

static void add_family(struct ap_buf *out, const char *name, const char *help)
{
  ap_buf_add_fmt(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

/* name{command="run",target="triage" */
static void begin_sample(const struct metrics *metrics, struct ap_buf *out, const char *name)
{
  ap_buf_add_fmt(out, "%s{command=", name);
  add_value(out, metrics->command);
  ap_buf_add_str(out, ",target=");
  add_value(out, metrics->target ? metrics->target : "");
}

static void add_label(struct ap_buf *out, const char *name, const char *value)
{
  ap_buf_add_fmt(out, ",%s=", name);
  add_value(out, value);
}

static void end_sample(struct ap_buf *out, uint64_t value)
{
  ap_buf_add_fmt(out, "} %" PRIu64 "\n", value);
}

/* ---- of the run ---- */

static void format_seconds(int64_t ms, char text[TIMESTAMP_BYTES])
{
  (void)snprintf(text, TIMESTAMP_BYTES, "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));
}

static void add_seconds(const struct metrics *metrics, struct ap_buf *out, const char *name,
                        const char *help, int64_t ms)
{
  char text[TIMESTAMP_BYTES];
  format_seconds(ms, text);
  add_family(out, name, help);
  begin_sample(metrics, out, name);
  ap_buf_add_fmt(out, "} %s\n", text);
}

static void add_status(const struct metrics *metrics, struct ap_buf *out)
{
  static const char name[] = "apogee_run_status";
  add_family(out, name, "Whether the last run ended in this status (1) or not (0).");
  for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
    begin_sample(metrics, out, name);
    add_label(out, "status", statuses[i]);
    end_sample(out, metrics->status && strcmp(metrics->status, statuses[i]) == 0);
  }
}

static void add_run(const struct metrics *metrics, const char *last_success, struct ap_buf *out)
{
  add_family(out, "apogee_run_info", "The program that made the last run.");
  begin_sample(metrics, out, "apogee_run_info");
  add_label(out, "version", APOGEE_VERSION);
  end_sample(out, 1);
  add_seconds(metrics, out, "apogee_run_start_timestamp_seconds", "When the last run began.",
              metrics->started_unix_ms);
  add_seconds(metrics, out, "apogee_run_end_timestamp_seconds", "When the last run ended.",
              metrics->ended_unix_ms);
  add_seconds(metrics, out, "apogee_run_duration_seconds", "How long the last run took.",
              (int64_t)metrics->duration_ms);
  add_family(out, "apogee_run_exit_code", "The exit code of the last run.");
  begin_sample(metrics, out, "apogee_run_exit_code");
  end_sample(out, (uint64_t)metrics->exit_code);
  add_status(metrics, out);
  if (!*last_success)
    return;
  add_family(out, LAST_SUCCESS, "When a run ended in which everything was done (exit 0 or 10).");
  begin_sample(metrics, out, LAST_SUCCESS);
  ap_buf_add_fmt(out, "} %s\n", last_success);
}

/* ---- of the steps ---- */

typedef uint64_t step_value_fn(struct case_record *record, uint32_t step);

static uint64_t risky_of(struct case_record *record, uint32_t step)
{
  return case_record_counts(record, step).risky;
}

static uint64_t requests_of(struct case_record *record, uint32_t step)
{
  return case_record_cost(record, step)->requests;
}

static uint64_t quota_of(struct case_record *record, uint32_t step)
{
  return case_record_cost(record, step)->quota;
}

static uint64_t cached_of(struct case_record *record, uint32_t step)
{
  return case_record_cost(record, step)->cached;
}

static uint64_t shared_of(struct case_record *record, uint32_t step)
{
  return case_record_cost(record, step)->shared;
}

static uint64_t bytes_of(struct case_record *record, uint32_t step)
{
  return case_record_cost(record, step)->bytes_sent;
}

static const struct {
  const char *name;
  const char *help;
  step_value_fn *value;
} by_step[] = {
    {"apogee_run_risky_entities", "Entities that the step found risky.", risky_of},
    {"apogee_run_requests", "Requests that the step sent.", requests_of},
    {"apogee_run_quota_lookups", "Look-ups that the step took from the quota.", quota_of},
    {"apogee_run_cached_lookups", "Look-ups that the cache answered.", cached_of},
    {"apogee_run_shared_lookups", "Look-ups that shared another one's request.", shared_of},
    {"apogee_run_sent_bytes", "Bytes that the step uploaded.", bytes_of},
};

static void add_entities(const struct metrics *metrics, struct ap_buf *out)
{
  static const char name[] = "apogee_run_entities";
  add_family(out, name, "Entities of the step by how they ended.");
  for (uint32_t i = 0; i < case_record_step_count(metrics->record); i++) {
    struct case_step_counts counts = case_record_counts(metrics->record, i);
    counts.outcome[CASE_OUTCOME_NOT_ASKED] += counts.of - counts.done;
    for (int outcome = 0; outcome < CASE_OUTCOME_COUNT; outcome++) {
      begin_sample(metrics, out, name);
      add_label(out, "step", case_record_step_name(metrics->record, i));
      add_label(out, "outcome", case_outcome_word((enum case_outcome)outcome));
      end_sample(out, counts.outcome[outcome]);
    }
  }
}

static void add_steps(const struct metrics *metrics, struct ap_buf *out)
{
  if (!metrics->record || case_record_step_count(metrics->record) == 0)
    return;
  add_entities(metrics, out);
  for (size_t i = 0; i < sizeof(by_step) / sizeof(by_step[0]); i++) {
    add_family(out, by_step[i].name, by_step[i].help);
    for (uint32_t step = 0; step < case_record_step_count(metrics->record); step++) {
      begin_sample(metrics, out, by_step[i].name);
      add_label(out, "step", case_record_step_name(metrics->record, step));
      end_sample(out, by_step[i].value(metrics->record, step));
    }
  }
}

void metrics_render(const struct metrics *metrics, const char *last_success, struct ap_buf *out)
{
  add_run(metrics, last_success, out);
  add_steps(metrics, out);
}

/* ---- the file ---- */

/* The number behind `sample` ("name{labels} ") in one line; false when it is another's. */
static bool read_sample(const char *line, const char *sample, char value[TIMESTAMP_BYTES])
{
  size_t len = strlen(sample);
  if (strncmp(line, sample, len) != 0)
    return false;
  size_t digits = strspn(line + len, "0123456789.");
  if (digits == 0 || digits >= TIMESTAMP_BYTES || line[len + digits] != '\n')
    return false;
  memcpy(value, line + len, digits);
  value[digits] = '\0';
  return true;
}

/* What the file of the run before says; "" when it says nothing. */
static void read_last_success(const struct metrics *metrics, const char *path,
                              char value[TIMESTAMP_BYTES])
{
  struct stat st;
  char line[4096];
  struct ap_buf sample = {0};
  FILE *file = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "re") : NULL;
  *value = '\0';
  begin_sample(metrics, &sample, LAST_SUCCESS);
  ap_buf_add_str(&sample, "} ");
  while (file && !*value && fgets(line, sizeof(line), file))
    (void)read_sample(line, ap_buf_cstr(&sample), value);
  if (file)
    (void)fclose(file);
  ap_buf_deinit(&sample);
}

static int write_file(const char *path, const struct ap_buf *text, struct ap_error *err)
{
  struct output *output = NULL;
  int rc = output_open(path, &output, err);
  if (rc != AP_OK)
    return rc;
  output_set_mode(output, FILE_MODE & ~process_umask());
  output_end_on_signals(output);
  rc = output_write(output, text->ptr, text->len);
  rc = rc == AP_OK ? output_commit(output, err) : output_problem(output, err);
  output_close(output);
  return rc;
}

int metrics_write(const struct metrics *metrics, const char *path, struct ap_error *err)
{
  char last_success[TIMESTAMP_BYTES];
  struct ap_buf text = {0};
  if (metrics->exit_code == CLI_EXIT_DONE || metrics->exit_code == CLI_EXIT_RISKY)
    format_seconds(metrics->ended_unix_ms, last_success);
  else
    read_last_success(metrics, path, last_success);
  metrics_render(metrics, last_success, &text);
  int rc = ap_buf_error(&text) ? ap_fail(err, AP_E_NO_MEMORY, "out of memory") : AP_OK;
  if (rc == AP_OK) {
    ap_redact(text.ptr, text.len);
    rc = write_file(path, &text, err);
  }
  ap_buf_deinit(&text);
  return rc == AP_OK ? rc : ap_fail_context(err, "--metrics");
}
