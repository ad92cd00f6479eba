/* The module `log` of every script: text, or a format and what goes into it. */
// SPDX-License-Identifier: Apache-2.0
#include "script/host_private.h"
#include "script/sandbox.h"

enum { LINES_MAX = 10000 };

void script_log_line(lua_State *L, enum ap_log_level level)
{
  struct script_host *host = script_host_of(L);
  const char *text = lua_tostring(L, -1);
  if (host->log_lines < LINES_MAX)
    ap_log(AP_LOG_SCRIPT, level, "%s", text);
  else if (host->log_lines == LINES_MAX)
    ap_log(AP_LOG_SCRIPT, AP_LOG_WARN, "scripts have logged %d lines; the rest is left out",
           LINES_MAX);
  host->log_lines += host->log_lines <= LINES_MAX;
  lua_pop(L, 1);
}

static int log_at(lua_State *L, enum ap_log_level level)
{
  luaL_checkany(L, 1);
  if (!ap_log_wants(level))
    return 0;
  if (lua_gettop(L) > 1)
    (void)script_string_format(L);
  else
    script_push_text(L, 1);
  script_log_line(L, level);
  return 0;
}

static int log_error(lua_State *L)
{
  return log_at(L, AP_LOG_ERROR);
}

static int log_warn(lua_State *L)
{
  return log_at(L, AP_LOG_WARN);
}

static int log_info(lua_State *L)
{
  return log_at(L, AP_LOG_INFO);
}

static int log_debug(lua_State *L)
{
  return log_at(L, AP_LOG_DEBUG);
}

static const luaL_Reg log_functions[] = {
    {"debug", log_debug}, {"error", log_error}, {"info", log_info},
    {"warn", log_warn},   {NULL, NULL},
};

void script_log_push_module(lua_State *L)
{
  luaL_newlib(L, log_functions);
}
