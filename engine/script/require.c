/* Running script text in an environment, and `require` for it. What an environment has required is
 * kept beside it, out of the reach of scripts: the registry's table `keeps` maps each environment
 * to { [1] = folder or false, [2] = modules by name, [3] = names being read, outermost first }. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "script/embedded.h"
#include "script/host_private.h"
#include "script/sandbox.h"
#include "script/source.h"
#include "script/watchdog.h"

enum { KEEP_FOLDER = 1, KEEP_MODULES, KEEP_READING };
enum { NAME_MAX_BYTES = 100, PATH_MAX_BYTES = 4096 };

static const char keeps_key;

/* ---- source ---- */

int script_call(lua_State *L, int arg_count, int result_count, struct ap_error *err)
{
  struct script_host *host = script_host_of(L);
  struct script_scope scope;
  script_scope_enter(host, &scope, host->limits.load_instructions);
  bool is_outermost = script_watchdog_enter(NULL, NULL);
  lua_State *outer = script_watchdog_run(L);
  int status = lua_pcall(L, arg_count, result_count, 0);
  (void)script_watchdog_run(outer);
  script_watchdog_leave(is_outermost);
  script_scope_leave(L, &scope);
  if (status == LUA_OK)
    return AP_OK;
  if (scope.is_killed) { /* whatever a __close made of the error */
    lua_pop(L, 1);
    return ap_fail(err, AP_E_INVALID, "%s", scope.message);
  }
  script_error_text(L, err);
  return AP_E_INVALID;
}

struct source {
  struct ap_slice text;
  const char *mode; /* as luaL_loadbufferx takes it */
};

/* (source, chunk name, environment) -> result */
static int load_and_run(lua_State *L)
{
  enum { BYTES_PER_INSTRUCTION = 8 };
  const struct source *source = lua_touserdata(L, 1);
  const struct ap_slice *text = &source->text;
  script_charge(L, SCRIPT_QUANTUM + text->len / BYTES_PER_INSTRUCTION); /* for the parser */
  if (luaL_loadbufferx(L, text->ptr, text->len, lua_tostring(L, 2), source->mode) != LUA_OK)
    return lua_error(L);
  lua_pushvalue(L, 3);
  (void)lua_setupvalue(L, -2, 1);
  lua_call(L, 0, 1);
  return 1;
}

static int run(lua_State *L, int env, const char *chunk_name, struct source *source,
               struct ap_error *err)
{
  env = lua_absindex(L, env);
  if (!lua_checkstack(L, 8))
    return ap_fail(err, AP_E_INVALID, "%s: required too deeply", chunk_name);
  lua_pushcfunction(L, load_and_run);
  lua_pushlightuserdata(L, source);
  lua_pushfstring(L, "@%s", chunk_name);
  lua_pushvalue(L, env);
  const char *before = script_watchdog_rename(chunk_name);
  int rc = script_call(L, 3, 1, err);
  (void)script_watchdog_rename(before);
  if (rc != AP_OK && err && !strstr(err->text, ".lua")) /* what was raised does not say where */
    (void)ap_fail_context(err, "%s", chunk_name);
  return rc;
}

int script_run_source(lua_State *L, int env, const char *chunk_name, struct ap_slice source,
                      struct ap_error *err)
{
  size_t max_bytes = script_host_of(L)->limits.source_bytes;
  if (source.len > max_bytes)
    return ap_fail(err, AP_E_TOO_LARGE, "%s: larger than %zu KiB", chunk_name, max_bytes >> 10);
  int rc = script_source_check(chunk_name, &source, err);
  return rc == AP_OK ? run(L, env, chunk_name, &(struct source){source, "t"}, err) : rc;
}

int script_run_file(lua_State *L, int env, const char *path, struct ap_error *err)
{
  struct ap_buf text = {0};
  int rc = script_source_read(path, script_host_of(L)->limits.source_bytes, &text, err);
  if (rc == AP_OK)
    rc = script_run_source(L, env, path, ap_slice_of(&text), err);
  ap_buf_deinit(&text);
  return rc;
}

/* ---- finding a module ---- */

static bool is_ours(const char *name)
{
  return strncmp(name, "apogee.", 7) == 0 || strncmp(name, "report.", 7) == 0;
}

/* Letters, digits, _ and -, in parts between single dots. */
static bool is_module_name(const char *name)
{
  size_t len = strlen(name);
  if (len == 0 || len > NAME_MAX_BYTES || name[len - 1] == '.')
    return false;
  bool at_start = true;
  for (const char *c = name; *c; c++) {
    if (*c == '.' ? at_start
                  : !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *c))
      return false;
    at_start = *c == '.';
  }
  return true;
}

static int no_module_of_ours(const char *name, struct ap_error *err)
{
  enum { KNOWN_MAX = 128 };
  const char *known[KNOWN_MAX];
  size_t count = 0;
  for (size_t i = 0; count < KNOWN_MAX && script_embedded[i].name; i++)
    if (is_ours(script_embedded[i].name))
      known[count++] = script_embedded[i].name;
  const char *near = ap_nearest(name, known, count);
  return ap_fail(err, AP_E_NOT_FOUND, "there is no module \"%s\"%s%s%s", name,
                 near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* folder/a/b.lua for "a.b". [-0, +0, -] */
static int module_path(char *path, size_t size, const char *folder, const char *name)
{
  int len = snprintf(path, size, "%s%s%s.lua", folder, *folder ? "/" : "", name);
  if (len < 0 || (size_t)len >= size)
    return AP_E_TOO_LARGE;
  size_t name_at = (size_t)len - strlen(name) - strlen(".lua");
  for (size_t i = 0; i < strlen(name); i++)
    if (path[name_at + i] == '.')
      path[name_at + i] = '/';
  return AP_OK;
}

static int run_ours(lua_State *L, int env, const char *name, struct ap_error *err)
{
  for (const struct script_module *module = script_embedded; module->name; module++) {
    if (strcmp(module->name, name) != 0)
      continue;
    char path[NAME_MAX_BYTES + 8];
    if (module_path(path, sizeof(path), "", name))
      return ap_fail(err, AP_E_INVALID, "%s: the name is too long", name);
    struct source source = {{module->code, module->len}, "bt"};
    return run(L, env, path, &source, err);
  }
  return no_module_of_ours(name, err);
}

static int run_own(lua_State *L, int env, const char *folder, const char *name,
                   struct ap_error *err)
{
  char path[PATH_MAX_BYTES];
  if (!folder)
    return ap_fail(err, AP_E_NOT_FOUND, "there is no module \"%s\" here", name);
  if (module_path(path, sizeof(path), folder, name))
    return ap_fail(err, AP_E_INVALID, "the path of module \"%s\" is too long", name);
  return script_run_file(L, env, path, err);
}

/* ---- require ---- */

/* Pushes the keep of the environment. [-0, +1, -] */
static bool push_keep(lua_State *L, int env)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &keeps_key);
  lua_pushvalue(L, env);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  return lua_istable(L, -1);
}

/* Writes "a -> b -> a" when the module is being read already. */
static bool is_circle(lua_State *L, int reading, const char *name, struct ap_error *err)
{
  struct ap_buf text = {.max = sizeof(err->text) / 2};
  bool is_found = false;
  lua_Integer count = (lua_Integer)lua_rawlen(L, reading);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, reading, i);
    const char *outer = lua_tostring(L, -1);
    is_found = is_found || strcmp(outer, name) == 0;
    if (is_found)
      ap_buf_add_fmt(&text, "%s -> ", outer);
    lua_pop(L, 1);
  }
  if (is_found)
    (void)ap_fail(err, AP_E_INVALID, "modules require each other in a circle: %s%s",
                  ap_buf_cstr(&text), name);
  ap_buf_deinit(&text);
  return is_found;
}

/* Runs the module and remembers its value; nil becomes true. [-0, +1 on success, m] */
static int read_module(lua_State *L, int env, int keep, const char *name, struct ap_error *err)
{
  lua_rawgeti(L, keep, KEEP_READING);
  int reading = lua_gettop(L);
  if (is_circle(L, reading, name, err)) {
    lua_pop(L, 1);
    return err->code;
  }
  lua_Integer depth = (lua_Integer)lua_rawlen(L, reading) + 1;
  lua_pushstring(L, name);
  lua_rawseti(L, reading, depth);
  lua_rawgeti(L, keep, KEEP_FOLDER);
  const char *folder = lua_tostring(L, -1); /* anchored in the keep */
  lua_pop(L, 1);
  int rc = is_ours(name) ? run_ours(L, env, name, err) : run_own(L, env, folder, name, err);
  lua_pushnil(L);
  lua_rawseti(L, reading, depth);
  lua_remove(L, reading);
  if (rc != AP_OK)
    return rc;
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushboolean(L, 1);
  }
  lua_rawgeti(L, keep, KEEP_MODULES);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
  return AP_OK;
}

int script_require(lua_State *L, int env, const char *name, struct ap_error *err)
{
  struct ap_error ignored = {0};
  err = err ? err : &ignored;
  env = lua_absindex(L, env);
  if (!is_module_name(name))
    return ap_fail(err, AP_E_INVALID, "\"%.*s\" is no name of a module: write folder.name",
                   NAME_MAX_BYTES, name);
  if (!lua_checkstack(L, 12))
    return ap_fail(err, AP_E_INVALID, "%s: required too deeply", name);
  if (!push_keep(L, env)) {
    lua_pop(L, 1);
    return ap_fail(err, AP_E_INTERNAL, "not an environment of a script");
  }
  int keep = lua_gettop(L);
  lua_rawgeti(L, keep, KEEP_MODULES);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
  int rc = AP_OK;
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    rc = read_module(L, env, keep, name, err);
  }
  lua_remove(L, keep);
  return rc;
}

/* require(name) -> module; upvalue 1 is the environment */
static int env_require(lua_State *L)
{
  enum { CHARGE = 1000 };
  size_t len;
  const char *name = luaL_checklstring(L, 1, &len);
  struct ap_error err = {0};
  luaL_argcheck(L, strlen(name) == len, 1, "a name has no NUL");
  script_charge(L, CHARGE); /* for looking for its file */
  lua_pushvalue(L, lua_upvalueindex(1));
  if (script_require(L, -1, name, &err) != AP_OK) {
    if (script_is_killed(script_host_of(L)))
      return script_raise_killed(L);
    return luaL_error(L, "%s", err.text);
  }
  return 1;
}

void script_require_init(lua_State *L)
{
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k"); /* an environment that is gone takes its modules with it */
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &keeps_key);
}

void script_require_add(lua_State *L, const char *folder)
{
  int env = lua_gettop(L);
  lua_pushvalue(L, env);
  lua_pushcclosure(L, env_require, 1);
  lua_setfield(L, env, "require");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &keeps_key);
  lua_pushvalue(L, env);
  lua_createtable(L, KEEP_READING, 0);
  if (folder)
    lua_pushstring(L, folder);
  else
    lua_pushboolean(L, 0);
  lua_rawseti(L, -2, KEEP_FOLDER);
  lua_newtable(L);
  lua_rawseti(L, -2, KEEP_MODULES);
  lua_newtable(L);
  lua_rawseti(L, -2, KEEP_READING);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}
