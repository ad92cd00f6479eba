/* The base functions that are ours: they never show an address, never make a finalizer, and never
 * let a killed script go on. */
// SPDX-License-Identifier: Apache-2.0
#include "script/host_private.h"
#include "script/sandbox.h"

void script_push_text(lua_State *L, int index)
{
  index = lua_absindex(L, index);
  luaL_checkstack(L, 4, NULL);
  if (luaL_callmeta(L, index, "__tostring")) {
    if (!lua_isstring(L, -1))
      luaL_error(L, "'__tostring' must return a string");
    return;
  }
  int type = lua_type(L, index);
  if (type == LUA_TLIGHTUSERDATA && !lua_touserdata(L, index)) {
    lua_pushliteral(L, "null"); /* json.null */
    return;
  }
  if (type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER || type == LUA_TSTRING) {
    (void)luaL_tolstring(L, index, NULL);
    return;
  }
  int named = luaL_getmetafield(L, index, "__name");
  if (named == LUA_TSTRING)
    return;
  if (named != LUA_TNIL)
    lua_pop(L, 1);
  lua_pushstring(L, luaL_typename(L, index));
}

static int base_tostring(lua_State *L)
{
  luaL_checkany(L, 1);
  script_push_text(L, 1);
  return 1;
}

static int base_print(lua_State *L)
{
  int count = lua_gettop(L);
  if (!ap_log_wants(AP_LOG_INFO))
    return 0;
  luaL_Buffer line;
  luaL_buffinit(L, &line);
  for (int i = 1; i <= count; i++) {
    if (i > 1)
      luaL_addchar(&line, '\t');
    script_push_text(L, i);
    luaL_addvalue(&line);
  }
  luaL_pushresult(&line);
  script_log_line(L, AP_LOG_INFO);
  return 0;
}

/* ---- protected calls ---- */

static bool is_error(int status)
{
  return status != LUA_OK && status != LUA_YIELD;
}

/* With the results above `below` values. Only errors look at the kill flag: code that was killed
 * has raised. */
static int finish_pcall(lua_State *L, int status, lua_KContext below)
{
  if (!is_error(status))
    return lua_gettop(L) - (int)below;
  script_caught(L);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

/* An error that is caught costs a walk over the calls that there are: when each of many catches
 * one, ending them takes for ever. */
static void check_depth(lua_State *L)
{
  enum { LEVELS_MAX = 1000 };
  lua_Debug ar;
  if (lua_getstack(L, LEVELS_MAX, &ar))
    luaL_error(L, "stack overflow: a protected call inside of %d others", LEVELS_MAX);
}

static int base_pcall(lua_State *L)
{
  luaL_checkany(L, 1);
  check_depth(L);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_pcall);
  return finish_pcall(L, status, 0);
}

/* The handler has run: false and what it made of the error. (function, handler, false, ...) */
static int finish_handler(lua_State *L, int status, lua_KContext ctx)
{
  (void)ctx;
  if (is_error(status))
    script_caught(L);
  return lua_gettop(L) - 2;
}

/* (function, handler, true, results or the error value) */
static int finish_xpcall(lua_State *L, int status, lua_KContext ctx)
{
  (void)ctx;
  if (!is_error(status))
    return lua_gettop(L) - 2;
  script_caught(L);
  lua_replace(L, 3);
  lua_settop(L, 3);
  lua_pushvalue(L, 2);
  lua_insert(L, 3);
  lua_pushboolean(L, 0);
  lua_insert(L, 3); /* function, handler, false, handler, error */
  status = lua_pcallk(L, 1, LUA_MULTRET, 0, 0, finish_handler);
  return finish_handler(L, status, 0);
}

/* The handler runs after the stack was unwound, not inside the error: scripts have nothing to look
 * at the stack with, and a killed script must not get a word in. */
static int base_xpcall(lua_State *L)
{
  luaL_checktype(L, 2, LUA_TFUNCTION);
  check_depth(L);
  lua_pushboolean(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2); /* function, handler, true, function, arguments */
  int status = lua_pcallk(L, lua_gettop(L) - 4, LUA_MULTRET, 0, 0, finish_xpcall);
  return finish_xpcall(L, status, 0);
}

/* ---- metatables ---- */

static void refuse_field(lua_State *L, const char *field)
{
  lua_pushstring(L, field);
  if (lua_rawget(L, 2) != LUA_TNIL) /* false would make a finalizer as well */
    luaL_error(L, "setmetatable: %s is not available to scripts", field);
  lua_pop(L, 1);
}

static int base_setmetatable(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, lua_isnoneornil(L, 2) || lua_istable(L, 2), 2, "nil or table");
  lua_settop(L, 2);
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
    return luaL_error(L, "cannot change a protected metatable");
  if (lua_istable(L, 2)) {
    refuse_field(L, "__gc");
    refuse_field(L, "__mode");
  }
  lua_setmetatable(L, 1);
  return 1;
}

/* A protected table is changed by its own rules only. */
static int base_rawset(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  luaL_checkany(L, 3);
  lua_settop(L, 3);
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
    return luaL_error(L, "rawset: the table is protected");
  lua_rawset(L, 1);
  return 1;
}

const luaL_Reg script_base_functions[] = {
    {"pcall", base_pcall},
    {"print", base_print},
    {"rawset", base_rawset},
    {"setmetatable", base_setmetatable},
    {"tostring", base_tostring},
    {"xpcall", base_xpcall},
    {NULL, NULL},
};
