/* Another program, run to its end: what it printed and how it ended. For commands that stand on
 * other commands; never while a loop turns, for it waits. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include "base/buf.h"

struct ap_child {
  const char *const *argv; /* argv[0]: the path of the program; ends with NULL */
  const char *const *envp; /* "NAME=VALUE"; ends with NULL */
  struct ap_slice input;   /* what its standard input holds */
  uint64_t limit_ms;       /* wall time; then it is killed */
  /* Set by a handler of SIGINT, SIGTERM or SIGHUP: then it is asked to end (SIGTERM). May be NULL.
   */
  const volatile sig_atomic_t *stop;
};

struct ap_child_end {
  int exit_code; /* -1: a signal ended it */
  int signal_number;
  bool was_late; /* it was killed, for its time was over */
};

/* Runs it and waits. Adds what it printed to out and err, whose caps cut it.
 * AP_E_IO: it could not be started. */
int ap_child_run(const struct ap_child *child, struct ap_buf *out, struct ap_buf *err_out,
                 struct ap_child_end *end, struct ap_error *err) AP_MUST_USE;
