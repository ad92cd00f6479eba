// SPDX-License-Identifier: Apache-2.0
#include "script/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "script/host_private.h"

enum { EXIT_LIMIT = 6, TICK_SIGNAL = SIGVTALRM, TICKS = 8 }; /* in the limit */

#define NS_IN_S UINT64_C(1000000000)

/* Shared with the signal handler. */
static atomic_uint_fast32_t entry; /* number of the entry under way; 0: not inside of Lua */
static atomic_uint_fast32_t entry_seen;
static atomic_uint_fast32_t ticks_seen;
static _Atomic(lua_State *) running;
static _Atomic(const char *) entry_label;
static _Atomic(const struct script_place *) entry_place;
static _Atomic(const char *) blame_path;

static uint_fast32_t last_entry;
static timer_t timer;
static bool is_started;

static void write_printable(const char *text)
{
  enum { SHOWN_MAX = 200 };
  char shown[SHOWN_MAX];
  size_t len = strnlen(text, SHOWN_MAX);
  for (size_t i = 0; i < len; i++)
    shown[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
  if (write(STDERR_FILENO, shown, len) < 0)
    _exit(EXIT_LIMIT);
}

void script_watchdog_write_label(void)
{
  const char *label = atomic_load(&entry_label);
  if (!label)
    return;
  write_printable(": ");
  write_printable(label);
}

/* ---- whose fault it was ---- */

void script_blame_to(const char *path)
{
  atomic_store(&blame_path, path);
}

/* With the NUL at its end. */
static void write_word(int fd, const char *text)
{
  if (write(fd, text, strlen(text) + 1) < 0)
    return; /* the process ends, and this was its last word */
}

void script_blame(void)
{
  const struct script_place *place = atomic_load(&entry_place);
  const char *path = atomic_load(&blame_path);
  if (!place || !path)
    return;
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return;
  write_word(fd, place->step);
  write_word(fd, place->type);
  write_word(fd, place->identifier);
  (void)close(fd);
}

/* ---- the clock ---- */

static void ticked(int signal_number)
{
  (void)signal_number;
  uint_fast32_t now = atomic_load(&entry);
  if (now == 0 || now != atomic_load(&entry_seen)) {
    atomic_store(&entry_seen, now);
    atomic_store(&ticks_seen, 0);
    return;
  }
  uint_fast32_t ticks = atomic_fetch_add(&ticks_seen, 1) + 1;
  lua_State *L = atomic_load(&running);
  if (ticks >= TICKS / 2 && ticks < TICKS && L)
    lua_sethook(L, script_hook, LUA_MASKCOUNT, 1); /* of Lua's functions the one made for this */
  if (ticks < TICKS)
    return;
  script_blame();
  ap_log_take_line_off();
  write_printable("apogee: a script held the engine for too long");
  script_watchdog_write_label();
  if (write(STDERR_FILENO, "\n", 1) < 0)
    _exit(EXIT_LIMIT);
  _exit(EXIT_LIMIT);
}

int script_watchdog_start(uint32_t limit_ms, struct ap_error *err)
{
  if (limit_ms == 0 || is_started)
    return AP_OK;
  struct sigaction action = {.sa_handler = ticked, .sa_flags = SA_RESTART};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = TICK_SIGNAL};
  uint64_t tick_ns = (uint64_t)limit_ms * 1000000 / TICKS;
  struct timespec tick = {(time_t)(tick_ns / NS_IN_S), (long)(tick_ns % NS_IN_S)};
  struct itimerspec times = {tick, tick};
  (void)sigemptyset(&action.sa_mask);
  atomic_store(&ticks_seen, 0);
  atomic_store(&entry, 0);
  if (sigaction(TICK_SIGNAL, &action, NULL) ||
      timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer))
    return ap_fail(err, AP_E_INTERNAL, "the watchdog did not start: %s", strerror(errno));
  is_started = true;
  if (timer_settime(timer, 0, &times, NULL)) {
    script_watchdog_stop();
    return ap_fail(err, AP_E_INTERNAL, "the watchdog did not start: %s", strerror(errno));
  }
  return AP_OK;
}

void script_watchdog_stop(void)
{
  if (!is_started)
    return;
  is_started = false;
  (void)timer_delete(timer);
  (void)signal(TICK_SIGNAL, SIG_IGN); /* a tick may be under way */
}

lua_State *script_watchdog_run(lua_State *L)
{
  lua_State *outer = atomic_load_explicit(&running, memory_order_relaxed);
  atomic_store_explicit(&running, L, memory_order_relaxed);
  return outer;
}

bool script_watchdog_is_due(void)
{
  return atomic_load_explicit(&entry, memory_order_relaxed) == atomic_load(&entry_seen) &&
         atomic_load(&ticks_seen) >= TICKS / 2;
}

void script_watchdog_begin_anew(void)
{
  atomic_store(&ticks_seen, 0);
}

const char *script_watchdog_rename(const char *label)
{
  const char *before = atomic_load_explicit(&entry_label, memory_order_relaxed);
  atomic_store_explicit(&entry_label, label, memory_order_relaxed);
  return before;
}

bool script_watchdog_enter(const char *label, const struct script_place *place)
{
  if (label) {
    atomic_store_explicit(&entry_label, label, memory_order_relaxed);
    atomic_store_explicit(&entry_place, place, memory_order_relaxed);
  }
  if (atomic_load_explicit(&entry, memory_order_relaxed))
    return false;
  last_entry += last_entry + 1 ? 1 : 2; /* never 0 */
  atomic_store_explicit(&entry, last_entry, memory_order_relaxed);
  return true;
}

void script_watchdog_leave(bool is_outermost)
{
  if (!is_outermost)
    return;
  atomic_store_explicit(&entry, 0, memory_order_relaxed);
  atomic_store_explicit(&entry_label, NULL, memory_order_relaxed);
  atomic_store_explicit(&entry_place, NULL, memory_order_relaxed);
}
