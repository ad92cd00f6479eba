/* What a run was asked for, as its record keeps it: so that `apogee resume` asks for the same. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits.h>

#include "base/buf.h"
#include "cli/run.h"

struct cli_asked {
  struct script_request script; /* its strings are below */
  char *name;                   /* of the playbook or action */
  char *started;                /* UTC */
  char *folder;                 /* in which it was started */
  char *since;                  /* the run that it is compared with, "": none; NULL: it is not */
  char **withheld;              /* names of parameters that were secrets in plain */
  size_t withheld_count;
  struct ap_buf strings; /* of char *: all there are, to be freed */
  struct ap_buf lists;   /* of void *: the same */
};

/* A target that is a file, named so that it is found from any folder; else the target itself.
 * @param path  room for the name */
const char *cli_asked_target(const char *target, char path[PATH_MAX]);

/* Adds the JSON object for case_record_keep.
 * @param given  of script_run_options.begun
 * @param since  as in struct cli_asked */
int cli_asked_write(const struct script_request *request, const char *started, const char *since,
                    struct ap_slice given, struct ap_buf *out) AP_MUST_USE;

/* AP_E_INVALID, AP_E_NO_MEMORY. */
int cli_asked_read(struct ap_slice json, struct cli_asked *asked) AP_MUST_USE;
void cli_asked_deinit(struct cli_asked *asked);

/* Adds a parameter behind those that are kept; its strings are borrowed. */
int cli_asked_add_param(struct cli_asked *asked, const struct script_param *param) AP_MUST_USE;

/* The same from the record of a run that is kept. AP_E_NOT_FOUND, AP_E_INVALID, AP_E_IO. */
int cli_asked_load(const struct cli_config *config, const char *id, struct cli_asked *asked,
                   struct ap_error *err) AP_MUST_USE;

/* How a run ended, from case_restored_end. Slices are of `json`; the rest belongs to it. */
struct cli_ended {
  struct ap_buf loaded; /* of cli_ended_load: what the slices are of */
  bool has_ended;
  int exit_code;
  int64_t score;
  uint64_t checked, of, risky, requests, quota;
  struct ap_slice params;
  struct ap_slice tags;
  struct ap_slice changes; /* ptr NULL: it was not compared */
  struct ap_buf status, finished;
};

int cli_ended_read(struct ap_slice json, struct cli_ended *ended) AP_MUST_USE;
int cli_ended_load(const struct cli_config *config, const char *id, struct cli_ended *ended,
                   uint64_t *findings, struct ap_error *err) AP_MUST_USE;
void cli_ended_deinit(struct cli_ended *ended);

/* Whether there is something left to go on with. */
bool cli_ended_is_whole(const struct cli_ended *ended);
