/* The module `clock` of every script. */
// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "base/clock.h"
#include "script/host_private.h"
#include "script/sandbox.h"

enum { SLEEP_MAX_S = 7 * 24 * 3600 };

/* now() -> seconds since 1970 */
static int clock_now(lua_State *L)
{
  lua_pushinteger(L, ap_clock_unix_ms() / 1000);
  return 1;
}

/* parse(text) -> seconds since 1970 | nil, message, code */
static int clock_parse(lua_State *L)
{
  enum { LONGEST_SHOWN = 40 };
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  int64_t unix_s;
  if (ap_clock_parse_utc(text, len, &unix_s) != AP_OK) {
    char message[100];
    (void)snprintf(message, sizeof(message), "\"%.*s\" is no time", LONGEST_SHOWN, text);
    return script_push_error(L, AP_E_INVALID, message);
  }
  lua_pushinteger(L, unix_s);
  return 1;
}

/* format(seconds) -> "2026-11-24T04:11:52Z" */
static int clock_format(lua_State *L)
{
  static const lua_Integer year_10000_s = 253402300800;
  lua_Integer unix_s = luaL_checkinteger(L, 1);
  luaL_argcheck(L, unix_s >= 0 && unix_s < year_10000_s, 1, "out of range");
  char text[AP_CLOCK_TEXT];
  ap_clock_format_utc(unix_s * 1000, text);
  lua_pushstring(L, text);
  return 1;
}

/* ---- sleep ---- */

struct sleep_op {
  struct net_timer *timer;
};

static void sleep_cancel(void *op)
{
  struct sleep_op *sleep_op = op;
  if (sleep_op->timer)
    net_timer_stop(sleep_op->timer);
}

static void sleep_release(void *op)
{
  net_timer_free(((struct sleep_op *)op)->timer);
}

static const struct task_op_kind sleep_kind = {"clock.sleep", sleep_cancel, sleep_release};

static int sleep_done(lua_State *L, int status, lua_KContext ctx)
{
  struct sleep_op *op = (struct sleep_op *)ctx;
  (void)status;
  int code = task_op_code(op);
  task_op_end(op);
  if (code != AP_OK)
    return script_push_error(L, code, NULL);
  lua_pushboolean(L, 1);
  return 1;
}

/* sleep(seconds) -> true | nil, message, code */
static int clock_sleep(lua_State *L)
{
  lua_Number seconds = luaL_checknumber(L, 1);
  luaL_argcheck(L, seconds >= 0 && seconds <= SLEEP_MAX_S, 1, "0 to 604800 seconds");
  struct sleep_op *op = task_op_begin(L, sizeof(*op), &sleep_kind);
  struct net_loop *loop = script_host_loop(script_host_of(L));
  if (net_timer_new(loop, task_op_wake, op, &op->timer) != AP_OK)
    script_out_of_memory();
  net_timer_start(op->timer, (uint64_t)ceil(seconds * 1000));
  return task_op_wait(L, op, sleep_done);
}

static const luaL_Reg clock_functions[] = {
    {"format", clock_format}, {"now", clock_now}, {"parse", clock_parse},
    {"sleep", clock_sleep},   {NULL, NULL},
};

void script_clock_push_module(lua_State *L)
{
  luaL_newlib(L, clock_functions);
}
