/* doctor: what protects this process, and whether libraries, files and the key are as they should
 * be. The last asks VirusTotal once. */
// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/doctor.h"
#include "cli/print.h"

struct options {
  bool as_json;
  bool is_offline;
};

static int take_format(void *into, char *value, struct ap_error *err)
{
  return cli_take_as_json(&((struct options *)into)->as_json, value, err);
}

static int take_offline(void *into, char *value, struct ap_error *err)
{
  (void)value;
  (void)err;
  ((struct options *)into)->is_offline = true;
  return AP_OK;
}

const struct cli_option cli_doctor_options[] = {
    {.name = "format", .value = "table|json", .doc = "(default table)", .take = take_format},
    {.name = "offline", .doc = "do not try the key: nothing is sent", .take = take_offline},
    {0},
};

/* ---- what is said ---- */

static const char *const words[DOCTOR_GRADE_COUNT] = {"good", "warn", "bad"};

static void print_json(const struct doctor *doctor, enum doctor_grade grade, const char *area,
                       const char *what, const char *text)
{
  const unsigned *counts = doctor->counts;
  bool is_first = counts[DOCTOR_GOOD] + counts[DOCTOR_WARN] + counts[DOCTOR_BAD] == 0;
  struct ap_buf line = {0};
  ap_buf_add_fmt(&line, "%s\n  {\"area\": \"%s\", \"what\": \"%s\", \"grade\": \"%s\", \"text\": ",
                 is_first ? "" : ",", area, what, words[grade]);
  ap_json_write_cstr(&line, text);
  ap_buf_add_char(&line, '}');
  (void)fputs(ap_buf_cstr(&line), stdout);
  ap_buf_deinit(&line);
}

void doctor_say(struct doctor *doctor, enum doctor_grade grade, const char *area, const char *what,
                const char *fmt, ...)
{
  enum { TEXT_BYTES = 1024 };
  char text[TEXT_BYTES];
  va_list args;
  va_start(args, fmt);
  (void)vsnprintf(text, sizeof(text), fmt, args);
  va_end(args);
  if (doctor->as_json) {
    print_json(doctor, grade, area, what, text);
  } else {
    (void)printf("%-4s  %-8s  %-13s  ", words[grade], area, what);
    cli_print_text(text);
    (void)putchar('\n');
  }
  doctor->counts[grade]++;
}

/* ---- the key ---- */

/* A ping, whose own errors go to standard error. */
static void try_key(struct doctor *doctor, const struct cli_config *config)
{
  const struct run_request request = {
      .script = {.command = "action", .target = "ping"},
      .format = RUN_FORMAT_JSON,
      .output = "/dev/null",
      .quiet = true,
  };
  (void)fflush(stdout);
  switch (run_main(&request, config)) {
  case CLI_EXIT_DONE:
    doctor_say(doctor, DOCTOR_GOOD, "key", "VirusTotal", "it answers, and the key works");
    break;
  case CLI_EXIT_PART:
    doctor_say(doctor, DOCTOR_WARN, "key", "VirusTotal", "the key works, its quota is spent");
    break;
  default:
    doctor_say(doctor, DOCTOR_BAD, "key", "VirusTotal",
               "no answer, or the key is refused: `apogee ping` says which, and what to do");
  }
}

/* ---- from begin to end ---- */

static int look(const struct cli_config *config, const struct options *options)
{
  struct doctor doctor = {.as_json = options->as_json};
  if (options->as_json)
    (void)fputs("{\"schema\": \"apogee.doctor/1\", \"findings\": [", stdout);
  doctor_process(&doctor);
  doctor_libraries(&doctor);
  doctor_files(&doctor, config);
  doctor_settings(&doctor, config);
  bool has_key = config->virustotal.api_key.source || config->virustotal.api_key.bare;
  if (has_key && !options->is_offline)
    try_key(&doctor, config);
  if (options->as_json)
    (void)printf("\n], \"warn\": %u, \"bad\": %u}\n", doctor.counts[DOCTOR_WARN],
                 doctor.counts[DOCTOR_BAD]);
  else
    (void)printf("\n%u good, %u to look at, %u to mend\n", doctor.counts[DOCTOR_GOOD],
                 doctor.counts[DOCTOR_WARN], doctor.counts[DOCTOR_BAD]);
  return doctor.counts[DOCTOR_BAD] ? CLI_EXIT_PART : CLI_EXIT_DONE;
}

int cli_doctor(const struct cli_command *command, int argc, char **argv)
{
  struct options options = {0};
  struct cli_args args = {.own = &options};
  struct cli_config config;
  int exit_code = cli_prepare(command, argc, argv, &args, &config);
  if (exit_code == CLI_EXIT_DONE && args.operands.count)
    exit_code = cli_wrong_usage(command->name, "\"%.80s\" is one too many", args.operands.items[0]);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = look(&config, &options);
  cli_args_deinit(&args);
  cli_config_deinit(&config);
  return exit_code;
}
