/* What the files of a command under way share.
 *
 *   run.c         from begin to end: what the run tells, timers and signals
 *   run_result.c  what it prints: lines while it goes on, the document at its end
 *   run_events.c  what happened, a JSON line each, for --log-format json */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.h"
#include "cli/asked.h"
#include "cli/command.h"
#include "cli/kept.h"
#include "cli/output.h"
#include "cli/parts.h"
#include "cli/run.h"

enum { RUN_ID_BYTES = 32 };

/* What the events have said. */
struct run_told {
  bool began;
  struct ap_buf steps; /* a byte for each: 1 when it began */
  enum vt_waiting_for waiting_for;
  int64_t until_unix_ms;
  bool quota_was_out;
};

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
  bool is_said;         /* why not, on standard error */
  int written;          /* AP_OK, or why the result is not written */
  struct run_told told; /* in events */
  struct ap_buf blame_path;
  struct cli_ended shown; /* how a run that is shown again ended */
};

/* ---- run_events.c: each does nothing unless events are asked for ---- */

void run_events_began(struct doing *doing, struct ap_slice given);
void run_events_step_began(struct doing *doing, uint32_t step);
void run_events_entity(struct doing *doing, uint32_t step, uint32_t entity);
void run_events_step_ended(struct doing *doing, uint32_t step);
/* Says what the run waits for when that is new, and what is left when quota is out or back. */
void run_events_standing(struct doing *doing, const struct vt_standing *standing);
void run_events_ended(struct doing *doing, const char *status, int exit_code); /* status: or NULL */

/* ---- run_result.c ---- */

/* Ends the run, for its result cannot be written. The first code counts. */
void run_not_written(struct doing *doing, int code);

/* The record took an entity; the end of a step: with --format ndjson their lines. */
void run_result_put(struct doing *doing, uint32_t step, uint32_t entity);
void run_result_step_ended(struct doing *doing, uint32_t step);

/* All lines of entities and steps at once, of a run that is shown again. */
void run_result_lines(struct doing *doing);

/* The exit code of the command, with the result in its place or not there at all. */
int run_result_finish(struct doing *doing);
