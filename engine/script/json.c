/* Decoding: lua-cjson makes every number a float, null a light userdata. One walk over what it made
 * puts that right. */
// SPDX-License-Identifier: Apache-2.0
#include "script/json.h"

#include <lauxlib.h>
#include <lua5.4/lua-cjson.h>
#include <stdlib.h>
#include <string.h>

#include "script/host_private.h"

static const char text_type[] = "JSON text";
static const char decode_key;
static const char array_key;
static const char object_key;

#define EXACT_MAX 9007199254740992.0 /* 2^53: beyond it a double skips integers */

void script_json_push_null(lua_State *L)
{
  lua_pushlightuserdata(L, NULL);
}

bool script_json_is_null(lua_State *L, int index)
{
  return lua_islightuserdata(L, index) && !lua_touserdata(L, index);
}

/* ---- decoding ---- */

/* lua-cjson calls exit() when its own memory is out; nothing else does while it is at work. */
static bool is_at_work;

static void at_exit(void)
{
  if (is_at_work)
    script_out_of_memory();
}

/* As lua_call. It raises where the stack of a script is nearly full. */
static void call_cjson(lua_State *L, int arguments)
{
  is_at_work = true;
  int rc = lua_pcall(L, arguments, 1, 0);
  is_at_work = false;
  if (rc != LUA_OK)
    (void)lua_error(L);
}

static void call_setting(lua_State *L, int module, const char *name, int value)
{
  lua_getfield(L, module, name);
  if (value < 0)
    lua_pushboolean(L, 0);
  else
    lua_pushinteger(L, value);
  lua_call(L, 1, 0);
}

static void init_mark(lua_State *L, const char *key, const char *name)
{
  lua_createtable(L, 0, 2);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void script_json_init(lua_State *L)
{
  static bool has_handler;
  if (!has_handler && atexit(at_exit) != 0)
    script_out_of_memory();
  has_handler = true;
  lua_pushcfunction(L, luaopen_cjson);
  call_cjson(L, 0);
  int module = lua_gettop(L);
  call_setting(L, module, "decode_max_depth", AP_JSON_MAX_DEPTH);
  call_setting(L, module, "decode_invalid_numbers", -1);
  lua_getfield(L, module, "decode");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &decode_key);
  lua_pop(L, 1);
  init_mark(L, &array_key, "json.array");
  init_mark(L, &object_key, "json.object");
  luaL_newmetatable(L, text_type);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

static bool to_integer(lua_State *L, lua_Integer *integer)
{
  lua_Number number = lua_tonumber(L, -1);
  if (!(number >= -EXACT_MAX && number <= EXACT_MAX))
    return false;
  *integer = (lua_Integer)number;
  return (lua_Number)*integer == number;
}

/* Of the table on top of the stack. cjson's arrays have integer keys, its objects strings. */
static void tidy_table(lua_State *L)
{
  int table = lua_gettop(L);
  lua_Integer integer;
  luaL_checkstack(L, 6, "JSON");
  lua_pushnil(L);
  while (lua_next(L, table)) {
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
      if (to_integer(L, &integer)) {
        lua_pushvalue(L, -2);
        lua_pushinteger(L, integer);
        lua_rawset(L, table);
      }
      break;
    case LUA_TTABLE:
      tidy_table(L);
      break;
    case LUA_TLIGHTUSERDATA:
      if (lua_type(L, -2) == LUA_TSTRING) {
        lua_pushvalue(L, -2);
        lua_pushnil(L);
        lua_rawset(L, table);
      }
      break;
    default:
      break;
    }
    lua_pop(L, 1);
  }
}

/* What needs no decoder: texts without escapes, integers of a size that every number keeps, the
 * words. False, and pushes nothing, for anything else. [-0, +(0|1), m] */
static bool push_simple(lua_State *L, struct ap_slice text)
{
  enum { EXACT_DIGITS = 15 };
  lua_Integer integer = 0;
  bool is_negative = text.ptr[0] == '-';
  switch (text.ptr[0]) {
  case '{':
  case '[':
    return false;
  case '"':
    if (memchr(text.ptr, '\\', text.len))
      return false;
    lua_pushlstring(L, text.ptr + 1, text.len - 2);
    return true;
  case 't':
  case 'f':
    lua_pushboolean(L, text.ptr[0] == 't');
    return true;
  case 'n':
    script_json_push_null(L);
    return true;
  default:
    if (text.len > EXACT_DIGITS)
      return false;
    for (size_t i = is_negative; i < text.len; i++) {
      if (text.ptr[i] < '0' || text.ptr[i] > '9')
        return false;
      integer = integer * 10 + (text.ptr[i] - '0');
    }
    lua_pushinteger(L, is_negative ? -integer : integer);
    return true;
  }
}

void script_json_push(lua_State *L, struct ap_slice text)
{
  lua_Integer integer;
  luaL_checkstack(L, 4, "JSON");
  text = ap_json_trim(text);
  if (text.len && push_simple(L, text))
    return;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &decode_key);
  lua_pushlstring(L, text.ptr, text.len);
  call_cjson(L, 1);
  if (lua_istable(L, -1)) {
    tidy_table(L);
  } else if (lua_type(L, -1) == LUA_TNUMBER && to_integer(L, &integer)) {
    lua_pop(L, 1);
    lua_pushinteger(L, integer);
  }
}

/* ---- text that the engine has written ---- */

void script_json_text_push(lua_State *L, struct ap_slice text)
{
  char *copy = lua_newuserdatauv(L, text.len, 0);
  memcpy(copy, text.ptr, text.len);
  luaL_setmetatable(L, text_type);
}

struct ap_slice script_json_text(lua_State *L, int index)
{
  const char *text = luaL_testudata(L, index, text_type);
  return (struct ap_slice){text, text ? lua_rawlen(L, index) : 0};
}

/* ---- the module ---- */

int script_json_decode(lua_State *L, struct ap_slice text)
{
  enum { BYTES_PER_INSTRUCTION = 4 };
  struct ap_error err = {0};
  if (text.len > SCRIPT_JSON_MAX_BYTES)
    return script_push_error(L, AP_E_TOO_LARGE, "the JSON is larger than 8 MiB");
  script_charge(L, text.len / BYTES_PER_INSTRUCTION);
  if (ap_json_check(text, AP_JSON_MAX_DEPTH, SCRIPT_JSON_MAX_VALUES, &err) != AP_OK)
    return script_push_error(L, err.code, err.text);
  script_json_push(L, text);
  return 1;
}

static int json_decode(lua_State *L)
{
  struct ap_slice text;
  text.ptr = luaL_checklstring(L, 1, &text.len);
  return script_json_decode(L, text);
}

static int json_encode(lua_State *L)
{
  enum { BYTES_PER_INSTRUCTION = 4 };
  struct ap_buf text = {0};
  struct ap_error err = {0};
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  int rc = script_json_write(L, 1, &text, &err);
  if (rc == AP_OK)
    lua_pushlstring(L, ap_buf_cstr(&text), text.len);
  size_t len = text.len;
  ap_buf_deinit(&text);
  script_charge(L, len / BYTES_PER_INSTRUCTION);
  return rc == AP_OK ? 1 : luaL_error(L, "json.encode: %s", err.text);
}

enum script_json_mark script_json_mark_of(lua_State *L, int index)
{
  enum script_json_mark mark = SCRIPT_JSON_PLAIN;
  if (!lua_getmetatable(L, index))
    return mark;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &object_key);
  if (lua_rawequal(L, -3, -2))
    mark = SCRIPT_JSON_ARRAY;
  else if (lua_rawequal(L, -3, -1))
    mark = SCRIPT_JSON_OBJECT;
  lua_pop(L, 3);
  return mark;
}

static int mark_table(lua_State *L, const char *key)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  if (lua_getmetatable(L, 1)) {
    luaL_argcheck(L, script_json_mark_of(L, 1) != SCRIPT_JSON_PLAIN, 1,
                  "a table with a metatable cannot be marked");
    lua_pop(L, 1);
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, key);
  lua_setmetatable(L, 1);
  lua_settop(L, 1);
  return 1;
}

static int json_array(lua_State *L)
{
  return mark_table(L, &array_key);
}

static int json_object(lua_State *L)
{
  return mark_table(L, &object_key);
}

static const luaL_Reg json_functions[] = {
    {"array", json_array},
    {"decode", json_decode},
    {"encode", json_encode},
    {"object", json_object},
    {NULL, NULL},
};

void script_json_push_module(lua_State *L)
{
  luaL_newlib(L, json_functions);
  script_json_push_null(L);
  lua_setfield(L, -2, "null");
}
