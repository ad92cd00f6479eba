/* Logging to standard error: one line an event, with its area and, in a run, the run's id.
 * Every line passes the redactor, and control characters never reach a terminal. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

#define AP_LOG_AREA_MAP(X)                                                                         \
  X(CLI, "cli")                                                                                    \
  X(SCRIPT, "script")                                                                              \
  X(VT, "vt")                                                                                      \
  X(CASE, "case")                                                                                  \
  X(STORE, "store")                                                                                \
  X(NET, "net")                                                                                    \
  X(SIM, "sim")

enum ap_log_area {
#define X(name, word) AP_LOG_##name,
  AP_LOG_AREA_MAP(X)
#undef X
};

enum ap_log_level { AP_LOG_ERROR, AP_LOG_WARN, AP_LOG_INFO, AP_LOG_DEBUG };

void ap_log_set_level(enum ap_log_level level); /* most talkative level shown; default WARN */
void ap_log_set_json(bool is_json);
void ap_log_set_run(const char *run_id); /* copied; NULL for none */

/* Runs before a line is written, to take a progress line off the terminal first. NULL for none. */
void ap_log_set_before(void (*before)(void));

/* That line, for whoever ends the process with a word of its own, past the log. Both may be called
 * from a signal handler; the second writes only when the first said that there is a line. */
void ap_log_line_is_shown(void);
void ap_log_take_line_off(void);

bool ap_log_wants(enum ap_log_level level);
void ap_log(enum ap_log_area area, enum ap_log_level level, const char *fmt, ...) AP_PRINTF(3, 4);

/* Whether events are asked for: with JSON lines, and unless only errors are shown. */
bool ap_log_wants_events(void);

/* Writes what happened as one JSON object on one line: time, run, event and the members.
 * @param members  what follows in the object, as `"step":"urls","risky":true`; "" for nothing. Its
 *                 writer takes secrets out: a text that is escaped does not show them. */
void ap_log_event(const char *event, struct ap_slice members);
