/* One line on standard error that says how far a run is, when a person sits before it:
 *
 *   120/400 · 3 risky · 31 requests · left 2/min 380/day · quota in 0:42 · ends 14:05
 *
 *   progress.c       when it is drawn, and taken off the terminal
 *   progress_line.c  its text
 *   progress_pace.c  when the run may end
 *
 * There is one terminal, so there is one line. Used on one thread; log lines of other threads take
 * it off the terminal first. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vt/client.h"

struct progress_state {
  const char *step; /* NULL or "": none */
  uint64_t done;    /* of all steps that have begun, as the others */
  uint64_t of;      /* 0: not known yet */
  uint64_t risky;
  uint64_t requests;
  struct vt_standing standing; /* what it waits for, and what is left of the quota */
};

/* Shows a line from now on if standard error is a terminal that can take a line back ($TERM is
 * neither "dumb" nor missing). Returns whether it does. */
bool progress_begin(bool is_quiet);

/* Draws the line when it says something new, at most ten times a second. */
void progress_show(const struct progress_state *state);

/* Takes the line off the terminal before something else is written there; it comes back. */
void progress_hide(void);

/* Takes the line off the terminal for good. Harmless when there is none. */
void progress_end(void);

/* ---- the text ---- */

struct progress_view {
  uint64_t elapsed_ms;
  int64_t now_unix_ms;
  int64_t ends_unix_ms; /* about; 0: it cannot be told */
  size_t columns;
  bool is_plain; /* the terminal takes ASCII only */
};

/* Writes the line for a terminal of so many columns into buf (NUL-terminated, at most size bytes):
 * with all there is to say or, where that does not fit, the more important of it in fewer words.
 * Times are local. */
void progress_line(const struct progress_state *state, const struct progress_view *view, char *buf,
                   size_t size);

/* ---- the end ---- */

/* How fast a run goes. Begins as {0}. */
struct progress_pace {
  bool has_begun;
  bool was_out;     /* of quota, which sets the pace since */
  int64_t began_ms; /* when the first entities were seen */
  uint64_t done;    /* entities that were done then: by a run before */
  uint64_t of;      /* at the last reckoning */
  int64_t ends_unix_ms;
};

/* When the run ends about if it goes on as until now; 0 while that cannot be told: in the first
 * seconds, and when more is to do than the day's quota has look-ups left. */
int64_t progress_pace_note(struct progress_pace *pace, const struct progress_state *state,
                           int64_t now_unix_ms);
