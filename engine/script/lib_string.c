/* String functions that could make or walk more than is good in one call: the size of the result is
 * bounded before Lua's own function runs, and is charged to the script. */
// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>
#include <string.h>

#include "script/host_private.h"
#include "script/sandbox.h"

enum { RESULT_MAX_BYTES = 16 << 20 };

static void charge_bytes(lua_State *L, size_t bytes)
{
  if (bytes > RESULT_MAX_BYTES)
    luaL_error(L, "the string would be larger than %d MiB", RESULT_MAX_BYTES >> 20);
  script_charge_text(L, bytes);
}

static int string_rep(lua_State *L)
{
  size_t len;
  size_t separator_len = 0;
  (void)luaL_checklstring(L, 1, &len);
  lua_Integer count = luaL_checkinteger(L, 2);
  (void)luaL_optlstring(L, 3, "", &separator_len);
  size_t each = len + separator_len;
  if (count <= 0 || each == 0) { /* Lua's own would count to the end for nothing */
    lua_pushliteral(L, "");
    return 1;
  }
  size_t most = RESULT_MAX_BYTES / each;
  charge_bytes(L, (lua_Unsigned)count > most ? SIZE_MAX : (size_t)count * each);
  return script_host_of(L)->original.rep(L);
}

static bool is_in(char c, const char *set)
{
  return c && strchr(set, c);
}

/* The bytes that an argument can add; one that is no string is made one first. */
static size_t format_argument(lua_State *L, char conversion, int arg)
{
  enum { LONGEST_NUMBER = 512 }; /* "%99.99f" of the largest */
  if (lua_isnone(L, arg) || !is_in(conversion, "sq"))
    return LONGEST_NUMBER;
  int type = lua_type(L, arg);
  if (conversion == 's' && type != LUA_TSTRING && type != LUA_TNUMBER) {
    script_push_text(L, arg);
    lua_replace(L, arg);
  }
  size_t len = lua_type(L, arg) == LUA_TSTRING ? lua_rawlen(L, arg) : LONGEST_NUMBER;
  return conversion == 'q' ? 4 * len + 2 : len + 100; /* "\001"; the widest field is 99 */
}

int script_string_format(lua_State *L)
{
  size_t len;
  const char *format = luaL_checklstring(L, 1, &len);
  const char *end = format + len;
  size_t bytes = len;
  int arg = 1;
  for (const char *at = format; at < end; at++) {
    if (*at != '%')
      continue;
    if (at + 1 < end && at[1] == '%') {
      at++;
      continue;
    }
    do
      at++;
    while (at < end && is_in(*at, "-+ #0123456789."));
    if (at >= end)
      break;
    if (*at == 'p')
      return luaL_error(L, "string.format: %%p is not available to scripts");
    bytes += format_argument(L, *at, ++arg);
  }
  charge_bytes(L, bytes);
  return script_host_of(L)->original.format(L);
}

/* Any number in the format may be the size of a field; the rest adds 16 bytes and its alignment. */
static int string_pack(lua_State *L)
{
  size_t len;
  const char *format = luaL_checklstring(L, 1, &len);
  size_t bytes = 0;
  size_t number = 0;
  for (size_t i = 0; i <= len && bytes <= RESULT_MAX_BYTES; i++) {
    if (i < len && format[i] >= '0' && format[i] <= '9') {
      number = number * 10 + (size_t)(format[i] - '0');
      number = number > RESULT_MAX_BYTES ? (size_t)RESULT_MAX_BYTES + 1 : number;
      continue;
    }
    bytes += number + 32;
    number = 0;
  }
  for (int arg = 2; arg <= lua_gettop(L); arg++)
    bytes += lua_type(L, arg) == LUA_TSTRING ? lua_rawlen(L, arg) : 0;
  charge_bytes(L, bytes);
  return script_host_of(L)->original.pack(L);
}

/* ---- functions that walk a text ---- */

/* The text at 1; a C function that is called for each match is work for each byte. */
static void charge_subject(lua_State *L)
{
  size_t len = lua_type(L, 1) == LUA_TSTRING ? lua_rawlen(L, 1) : 0;
  if (lua_isfunction(L, 3))
    script_charge(L, len);
  script_charge_text(L, len);
}

/* No limit makes patterns safe, but this one is none that a person would miss. */
static void check_pattern(lua_State *L)
{
  enum { PATTERN_MAX_BYTES = 4096 };
  if (lua_type(L, 2) == LUA_TSTRING && lua_rawlen(L, 2) > PATTERN_MAX_BYTES)
    luaL_error(L, "a pattern is longer than %d bytes", PATTERN_MAX_BYTES);
  charge_subject(L);
}

static int string_find(lua_State *L)
{
  if (lua_toboolean(L, 4)) /* plain text */
    charge_subject(L);
  else
    check_pattern(L);
  return script_host_of(L)->original.find(L);
}

static int string_match(lua_State *L)
{
  check_pattern(L);
  return script_host_of(L)->original.match(L);
}

static int string_gmatch(lua_State *L)
{
  check_pattern(L);
  return script_host_of(L)->original.gmatch(L);
}

static int string_gsub(lua_State *L)
{
  check_pattern(L);
  return script_host_of(L)->original.gsub(L);
}

static int string_lower(lua_State *L)
{
  charge_subject(L);
  return script_host_of(L)->original.lower(L);
}

static int string_upper(lua_State *L)
{
  charge_subject(L);
  return script_host_of(L)->original.upper(L);
}

static int string_reverse(lua_State *L)
{
  charge_subject(L);
  return script_host_of(L)->original.reverse(L);
}

static int utf8_len(lua_State *L)
{
  charge_subject(L);
  return script_host_of(L)->original.utf8_len(L);
}

const luaL_Reg script_utf8_functions[] = {
    {"len", utf8_len},
    {NULL, NULL},
};

const luaL_Reg script_string_functions[] = {
    {"find", string_find},
    {"format", script_string_format},
    {"gmatch", string_gmatch},
    {"gsub", string_gsub},
    {"lower", string_lower},
    {"match", string_match},
    {"pack", string_pack},
    {"rep", string_rep},
    {"reverse", string_reverse},
    {"upper", string_upper},
    {NULL, NULL},
};
