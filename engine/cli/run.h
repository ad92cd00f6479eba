/* Runs a command that knows scripts, on the whole engine: from what was asked for to what is
 * printed and the exit code. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/config.h"
#include "script/run.h"

enum run_format {
  RUN_FORMAT_JSON,
  RUN_FORMAT_NDJSON,
  RUN_FORMAT_TABLE,
  RUN_FORMAT_CSV,
  RUN_FORMAT_MARKDOWN,
  RUN_FORMAT_HTML,
  RUN_FORMAT_COUNT
};

const char *run_format_word(enum run_format format); /* as --format takes it */

/* What a command asks of the engine. Strings are borrowed until run_main returns. */
struct run_request {
  struct script_request script;      /* what the scripts get of it */
  const char *const *entities_files; /* "-" is standard input */
  size_t entities_file_count;
  const char *const *entity_options; /* TYPE:VALUE */
  size_t entity_option_count;
  bool is_kept;        /* `apogee resume` can go on with it, where there is a state */
  const char *id;      /* of a run that is kept, to go on with or to show; NULL: a new one */
  bool is_report;      /* it is shown as it was */
  const char *started; /* with id: when it began, UTC */
  const char *name;    /* and what ran, by its name */
  bool simulate;
  const char *scenario; /* NULL: none */
  bool ask_services;    /* with simulate: services other than VirusTotal are asked all the same */
  const char *request_log; /* with simulate: --request-log FILE; NULL: none */
  enum run_format format;
  const char *output; /* --output FILE; NULL: standard output */
  bool quiet;
  bool is_compared;    /* --changed-since-last */
  const char *since;   /* with id: the run it is compared with; "": there was none */
  FILE *capture;       /* takes what scripts print; NULL: the output does */
  const char *lock;    /* --lock NAME; NULL: none */
  const char *metrics; /* --metrics FILE; NULL: none */
};

int run_main(const struct run_request *request, const struct cli_config *config); /* exit code */
