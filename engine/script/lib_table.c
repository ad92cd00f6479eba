/* Table functions: how many items they touch is bounded before Lua's own function runs, and is
 * charged to the script. A length comes from the table, never from a __len. */
// SPDX-License-Identifier: Apache-2.0
#include "script/host_private.h"
#include "script/sandbox.h"

enum { ITEMS_MAX = 1 << 20, RESULT_MAX_BYTES = 16 << 20 };

static void charge_items(lua_State *L, lua_Unsigned count)
{
  if (count > ITEMS_MAX)
    luaL_error(L, "more than %d items at once", ITEMS_MAX);
  script_charge(L, count);
}

static lua_Integer check_list(lua_State *L, int arg)
{
  luaL_checktype(L, arg, LUA_TTABLE);
  if (luaL_getmetafield(L, arg, "__len") != LUA_TNIL)
    luaL_argerror(L, arg, "a table with __len is not accepted");
  return (lua_Integer)lua_rawlen(L, arg);
}

/* How many items from..to are; of all integers one less, which is too many as well. */
static lua_Unsigned range(lua_Integer from, lua_Integer to)
{
  lua_Unsigned last = (lua_Unsigned)to - (lua_Unsigned)from;
  return from > to ? 0 : last + (last < LUA_MAXUNSIGNED);
}

static int table_concat(lua_State *L)
{
  size_t separator_len = 0;
  lua_Integer len = check_list(L, 1);
  (void)luaL_optlstring(L, 2, "", &separator_len);
  lua_Integer from = luaL_optinteger(L, 3, 1);
  lua_Integer to = luaL_optinteger(L, 4, len);
  lua_Unsigned count = range(from, to);
  charge_items(L, count);
  size_t bytes = 0;
  for (lua_Unsigned i = 0; i < count && bytes <= RESULT_MAX_BYTES; i++) {
    enum { LONGEST_NUMBER = 32 };
    int type = lua_rawgeti(L, 1, (lua_Integer)((lua_Unsigned)from + i));
    bytes += separator_len + (type == LUA_TSTRING ? lua_rawlen(L, -1) : LONGEST_NUMBER);
    lua_pop(L, 1);
  }
  if (bytes > RESULT_MAX_BYTES)
    return luaL_error(L, "the string would be larger than %d MiB", RESULT_MAX_BYTES >> 20);
  script_charge_text(L, bytes);
  return script_host_of(L)->original.concat(L);
}

static int table_insert(lua_State *L)
{
  lua_Integer len = check_list(L, 1);
  if (lua_gettop(L) == 3)
    charge_items(L, range(luaL_checkinteger(L, 2), len));
  return script_host_of(L)->original.insert(L);
}

static int table_remove(lua_State *L)
{
  lua_Integer len = check_list(L, 1);
  if (lua_gettop(L) > 1)
    charge_items(L, range(luaL_checkinteger(L, 2), len));
  return script_host_of(L)->original.remove(L);
}

static int table_move(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  charge_items(L, range(luaL_checkinteger(L, 2), luaL_checkinteger(L, 3)));
  return script_host_of(L)->original.move(L);
}

static int table_sort(lua_State *L)
{
  enum { COMPARES_PER_ITEM = 20 };
  lua_Unsigned count = (lua_Unsigned)check_list(L, 1);
  charge_items(L, count);
  script_charge(L, count * COMPARES_PER_ITEM);
  return script_host_of(L)->original.sort(L);
}

static int table_unpack(lua_State *L)
{
  lua_Integer from = luaL_optinteger(L, 2, 1);
  lua_Integer to = lua_isnoneornil(L, 3) ? check_list(L, 1) : luaL_checkinteger(L, 3);
  luaL_checktype(L, 1, LUA_TTABLE);
  charge_items(L, range(from, to));
  return script_host_of(L)->original.unpack(L);
}

const luaL_Reg script_table_functions[] = {
    {"concat", table_concat},
    {"insert", table_insert},
    {"move", table_move},
    {"remove", table_remove},
    {"sort", table_sort},
    {"unpack", table_unpack},
    {NULL, NULL},
};
