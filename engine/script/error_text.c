/* What a person reads of an error value. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "script/host_private.h"
#include "script/watchdog.h"

/* Copies what fits, whole characters only. */
static void copy_clean(char *out, size_t out_size, const char *text, size_t len)
{
  size_t used = 0;
  for (size_t at = 0; at < len;) {
    size_t size = ap_utf8_size(text + at, len - at);
    bool is_good = size && ap_utf8_is_visible(text + at, size);
    size_t step = size ? size : 1;
    size_t want = is_good ? size : 1;
    if (used + want >= out_size)
      break;
    if (is_good)
      memcpy(out + used, text + at, size);
    else
      out[used] = size ? ' ' : '?';
    used += want;
    at += step;
  }
  out[used] = '\0';
}

/* Of a table, its text or its field `message`. (value) -> text */
static int describe(lua_State *L)
{
  if (lua_istable(L, 1) && luaL_getmetafield(L, 1, "__tostring") == LUA_TNIL) {
    lua_pushliteral(L, "message");
    if (lua_rawget(L, 1) == LUA_TSTRING)
      return 1;
  }
  lua_settop(L, 1);
  if (lua_isnil(L, 1))
    lua_pushliteral(L, "an error without a message");
  else
    script_push_text(L, 1);
  return 1;
}

void script_error_text(lua_State *L, struct ap_error *err)
{
  /* An account of its own: __tostring is a script's code, and the scope that ended may be spent. */
  struct script_host *host = script_host_of(L);
  struct script_scope scope = {.limit = host->limits.load_instructions};
  struct script_scope *outer = host->scope;
  int status = LUA_OK;
  if (lua_type(L, -1) != LUA_TSTRING) {
    (void)lua_checkstack(L, 4);
    host->scope = &scope;
    lua_pushcfunction(L, describe);
    lua_insert(L, -2);
    bool is_outermost = script_watchdog_enter(NULL, NULL);
    lua_State *running = script_watchdog_run(L);
    status = lua_pcall(L, 1, 1, 0);
    (void)script_watchdog_run(running);
    script_watchdog_leave(is_outermost);
    host->scope = outer;
    if (scope.is_killed)
      script_watch(L);
  }
  char text[sizeof(err->text)];
  size_t len = 0;
  const char *message = status == LUA_OK ? lua_tolstring(L, -1, &len) : NULL;
  if (message)
    copy_clean(text, sizeof(text), message, len);
  else
    (void)snprintf(text, sizeof(text), "an error value that does not say what it is");
  lua_pop(L, 1);
  (void)ap_fail(err, AP_E_INVALID, "%s", text);
}

int script_push_error(lua_State *L, int code, const char *message)
{
  lua_pushnil(L);
  lua_pushstring(L, message ? message : ap_error_text(code));
  lua_pushstring(L, ap_error_word(code));
  return 3;
}
