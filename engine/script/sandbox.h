/* The sandbox: what scripts may name. One allow list; every environment gets copies of its own. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lauxlib.h>

#include "base/log.h"

/* Opens Lua's libraries, keeps what is allowed, and closes the way to the rest. [-0, +0, m] */
void script_sandbox_init(lua_State *L);

/* Pushes a new table of everything allowed, without require. [-0, +1, m] */
void script_sandbox_push(lua_State *L);

/* Our own functions, which go over those of Lua. */
extern const luaL_Reg script_base_functions[];
extern const luaL_Reg script_string_functions[];
extern const luaL_Reg script_table_functions[];
extern const luaL_Reg script_utf8_functions[];
extern const luaL_Reg script_coroutine_functions[];

/* string.format, for others that take a format. */
int script_string_format(lua_State *L);

/* Modules that every script has. [-0, +1, m] */
void script_log_push_module(lua_State *L);
void script_clock_push_module(lua_State *L);

/* Logs the text on top of the stack, and pops it. */
void script_log_line(lua_State *L, enum ap_log_level level);

/* Makes `require` and puts it into the environment on top of the stack. [-0, +0, m] */
void script_require_init(lua_State *L);
void script_require_add(lua_State *L, const char *folder);
