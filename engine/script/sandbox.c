/* The allow list. What it names is copied from Lua's libraries into masters once; an environment
 * gets copies of the masters, so that what a script does to its tables stays with it. The functions
 * themselves are shared and cannot be changed. */
// SPDX-License-Identifier: Apache-2.0
#include "script/sandbox.h"

#include <lualib.h>
#include <string.h>

#include "script/host_private.h"
#include "script/json.h"
#include "script/secret.h"

static const char masters_key;

#define NAMES(...)                                                                                 \
  (const char *const[])                                                                            \
  {                                                                                                \
    __VA_ARGS__, NULL                                                                              \
  }

static const struct library {
  const char *name; /* NULL: the names stand in the environment itself */
  lua_CFunction open;
  const char *const *allowed;
  const luaL_Reg *own; /* over or beside the allowed ones; may be NULL */
} libraries[] = {
    {NULL, luaopen_base,
     NAMES("_VERSION", "assert", "error", "getmetatable", "ipairs", "next", "pairs", "rawequal",
           "rawget", "rawlen", "select", "tonumber", "type"),
     script_base_functions},
    {LUA_STRLIBNAME, luaopen_string, NAMES("byte", "char", "len", "packsize", "sub", "unpack"),
     script_string_functions},
    {LUA_TABLIBNAME, luaopen_table, NAMES("pack"), script_table_functions},
    {LUA_UTF8LIBNAME, luaopen_utf8, NAMES("char", "charpattern", "codepoint", "codes", "offset"),
     script_utf8_functions},
    {LUA_COLIBNAME, NULL, NAMES(NULL), script_coroutine_functions},
};

/* Random numbers have a state: each environment opens a library of its own. */
static const char *const math_allowed[] = {
    "abs", "acos",       "asin", "atan",      "ceil", "cos",    "deg",
    "exp", "floor",      "fmod", "huge",      "log",  "max",    "maxinteger",
    "min", "mininteger", "modf", "pi",        "rad",  "random", "randomseed",
    "sin", "sqrt",       "tan",  "tointeger", "type", "ult",    NULL};

/* Pushes a table with the allowed names of the one on top, which it replaces. [-1, +1, m] */
static void keep_allowed(lua_State *L, const char *const *allowed)
{
  lua_newtable(L);
  for (; *allowed; allowed++) {
    lua_getfield(L, -2, *allowed);
    ap_require(!lua_isnil(L, -1));
    lua_setfield(L, -2, *allowed);
  }
  lua_remove(L, -2);
}

static lua_CFunction original(lua_State *L, const char *name)
{
  lua_getfield(L, -1, name);
  lua_CFunction function = lua_tocfunction(L, -1);
  lua_pop(L, 1);
  ap_require(function);
  return function;
}

/* Of the library on top of the stack. [-0, +0, m] */
static void keep_originals(lua_State *L, const char *library)
{
  struct script_originals *kept = &script_host_of(L)->original;
  if (strcmp(library, LUA_STRLIBNAME) == 0) {
    kept->find = original(L, "find");
    kept->format = original(L, "format");
    kept->gmatch = original(L, "gmatch");
    kept->gsub = original(L, "gsub");
    kept->lower = original(L, "lower");
    kept->match = original(L, "match");
    kept->pack = original(L, "pack");
    kept->rep = original(L, "rep");
    kept->reverse = original(L, "reverse");
    kept->upper = original(L, "upper");
  } else if (strcmp(library, LUA_UTF8LIBNAME) == 0) {
    kept->utf8_len = original(L, "len");
  } else if (strcmp(library, LUA_TABLIBNAME) == 0) {
    kept->concat = original(L, "concat");
    kept->insert = original(L, "insert");
    kept->move = original(L, "move");
    kept->remove = original(L, "remove");
    kept->sort = original(L, "sort");
    kept->unpack = original(L, "unpack");
  }
}

static void push_library(lua_State *L, const char *name, lua_CFunction open)
{
  lua_pushcfunction(L, open);
  lua_pushstring(L, name);
  lua_call(L, 1, 1);
}

/* [-0, +1, m] */
static void push_copy(lua_State *L, int from)
{
  from = lua_absindex(L, from);
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, from)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
}

/* ("x"):upper() finds its functions in a copy that nobody can reach. */
static void close_string_metatable(lua_State *L, int string_master)
{
  string_master = lua_absindex(L, string_master);
  lua_pushliteral(L, "");
  ap_require(lua_getmetatable(L, -1));
  push_copy(L, string_master);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 2);
}

void script_sandbox_init(lua_State *L)
{
  lua_newtable(L); /* masters, in the order of `libraries` */
  for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
    const struct library *library = &libraries[i];
    if (library->open) {
      push_library(L, library->name ? library->name : LUA_GNAME, library->open);
      if (library->name)
        keep_originals(L, library->name);
    } else {
      lua_newtable(L);
    }
    keep_allowed(L, library->allowed);
    if (library->own)
      luaL_setfuncs(L, library->own, 0);
    if (library->name && strcmp(library->name, LUA_STRLIBNAME) == 0)
      close_string_metatable(L, -1);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_rawsetp(L, LUA_REGISTRYINDEX, &masters_key);
  lua_newtable(L); /* nothing of ours needs the globals, and nobody else shall find them */
  lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}

/* Puts the module on top of the stack into the environment at env. [-1, +0, m] */
static void add_module(lua_State *L, int env, const char *name)
{
  lua_setfield(L, env, name);
}

void script_sandbox_push(lua_State *L)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &masters_key);
  int masters = lua_gettop(L);
  lua_rawgeti(L, masters, 1);
  push_copy(L, -1);
  lua_replace(L, -2);
  int env = lua_gettop(L);
  for (size_t i = 1; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
    lua_rawgeti(L, masters, (lua_Integer)i + 1);
    push_copy(L, -1);
    add_module(L, env, libraries[i].name);
    lua_pop(L, 1);
  }
  push_library(L, LUA_MATHLIBNAME, luaopen_math);
  keep_allowed(L, math_allowed);
  add_module(L, env, LUA_MATHLIBNAME);
  script_json_push_module(L);
  add_module(L, env, "json");
  script_log_push_module(L);
  add_module(L, env, "log");
  script_clock_push_module(L);
  add_module(L, env, "clock");
  lua_pushcfunction(L, script_secret_function);
  add_module(L, env, "secret");
  lua_pushvalue(L, env);
  lua_setfield(L, env, LUA_GNAME);
  lua_remove(L, masters);
}
