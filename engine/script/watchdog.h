/* The last resort against what the budget of instructions cannot see: instructions that are slow
 * (the comparison of two long strings), and one call of a C function, or the parser, that does not
 * come back (a pattern with many ways to match). A timer on the CPU time of the thread ends the
 * script that holds it, as a spent budget does, at half of the limit; what cannot be ended so ends
 * the process at the limit, with exit 6, and says who it was. One per process. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Whose task it is that runs: an entity in a step. Borrowed as long as it may run. */
struct script_place {
  const char *step;
  const char *type; /* canonical word */
  const char *identifier;
};

/* Watches the calling thread. @param limit_ms CPU time in one go; 0 watches nothing */
int script_watchdog_start(uint32_t limit_ms, struct ap_error *err) AP_MUST_USE;
void script_watchdog_stop(void);

/* Around every entry into Lua. Returns whether this is the outermost one, which is what counts.
 * @param label  borrowed until leave: "scan_hash on 44d88612..."; NULL keeps the one that is set
 * @param place  of the label's task; NULL: it is of no entity */
bool script_watchdog_enter(const char *label, const struct script_place *place);
void script_watchdog_leave(bool is_outermost);

/* Which coroutine runs; returns the one that did. The watchdog puts a hook on it to end it. */
lua_State *script_watchdog_run(lua_State *L);
bool script_watchdog_is_due(void);     /* half of the limit has passed in this go */
void script_watchdog_begin_anew(void); /* what took it was ended: the time counts from now */

/* Names what is done inside of an entry for a while (a file that is read), and returns what was
 * named before, to be put back. */
const char *script_watchdog_rename(const char *label);

/* Writes who holds the thread to standard error: ": LABEL", nothing without one. Safe in a signal
 * handler. */
void script_watchdog_write_label(void);

/* Where a process that ends at a limit writes whose task ran: a run that goes on leaves that entity
 * out. @param path  borrowed; NULL: nowhere */
void script_blame_to(const char *path);
void script_blame(void); /* only calls that are safe in a signal handler */
