/* One line on standard error that says how far a run is, when a person sits before it:
 *
 *   scan_hash 120/400 · 3 risky · 31 requests · 0:12
 *
 * There is one terminal, so there is one line. Used on one thread; log lines of other threads take
 * it off the terminal first. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress_state {
  const char *step; /* NULL or "": none */
  uint64_t done;
  uint64_t of; /* 0: not known yet */
  uint64_t risky;
  uint64_t requests;
  int64_t waiting_until_unix_ms; /* when quota returns; 0: nothing waits for it */
};

/* Shows a line from now on if standard error is a terminal. Returns whether it does. */
bool progress_begin(bool is_quiet);

/* Draws the line, at most ten times a second: calls in between do nothing. */
void progress_show(const struct progress_state *state);

/* Takes the line off the terminal for good. Harmless when there is none. */
void progress_end(void);

/* Writes the line for a terminal of `columns` into buf (NUL-terminated, at most size bytes), as
 * progress_show does. */
void progress_render(const struct progress_state *state, uint64_t elapsed_ms, int64_t now_unix_ms,
                     size_t columns, char *buf, size_t size);
