/* What a run from cron asks for around the run itself: a lock before it, figures after it. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/metrics.h"
#include "cli/run.h"

/* Takes the lock that was asked for, if one was. It is of the state folder with --no-state too:
 * there is one of it, whatever a run keeps. Returns the exit code of a failure, said already;
 * CLI_EXIT_DONE otherwise.
 * @param fd  the lock's file, to close at the end; untouched when there is none */
int cron_lock(const struct run_request *request, const struct cli_config *config, int *fd);

/* Writes FILE of --metrics, unless it is NULL or the run did not begin for the lock: then the run
 * that holds it tells. Returns the exit code of the command: metrics->exit_code, or 7 instead of a
 * run's when FILE cannot be written, which is said. */
int cron_metrics(const struct metrics *metrics, const char *path);
