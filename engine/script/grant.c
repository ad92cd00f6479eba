/* Capabilities: what a manifest asks for in `needs` is put into its action's environment, and
 * written down. A function of theirs asks what the job that runs was granted, so that one that
 * another script has passed on is worth nothing. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "script/files.h"
#include "script/host_private.h"
#include "script/http_op.h"
#include "script/run_private.h"

static const char grants_key; /* in the registry: environment -> bits; its keys are weak */

static const struct module {
  const char *name;
  enum script_capability bit;
  void (*push)(lua_State *L); /* NULL: of `http`, which is made for one action */
} modules[] = {
    {"files", SCRIPT_MAY_FILES, script_files_push_module},
    {"http", SCRIPT_MAY_HTTP, NULL},
    {"sftp", SCRIPT_MAY_SFTP, script_sftp_push_module},
    {"vt", SCRIPT_MAY_VT, script_vt_push_module},
};

static const struct module *find_module(const char *name)
{
  for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
    if (strcmp(modules[i].name, name) == 0)
      return &modules[i];
  return NULL;
}

/* [-0, +1, m] */
static void push_grants(lua_State *L)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &grants_key) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &grants_key);
}

unsigned script_granted(lua_State *L, int env)
{
  if (!lua_istable(L, env))
    return 0;
  lua_pushvalue(L, env);
  push_grants(L);
  lua_insert(L, -2);
  (void)lua_rawget(L, -2);
  unsigned granted = (unsigned)lua_tointeger(L, -1);
  lua_pop(L, 2);
  return granted;
}

static void write_down(lua_State *L, int env, unsigned granted)
{
  push_grants(L);
  lua_pushvalue(L, env);
  lua_pushinteger(L, (lua_Integer)granted);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

static int fail(lua_State *L, const char *message)
{
  lua_pushnil(L);
  lua_pushstring(L, message);
  return 2;
}

/* Pushes the module, or why there is none. terms: of `http`, or no table. [-0, +1, e] */
static bool push_module(lua_State *L, const struct module *module, int terms)
{
  struct ap_error err = {0};
  if (module->push) {
    module->push(L);
    return true;
  }
  if (!lua_istable(L, terms))
    (void)ap_fail(&err, AP_E_INVALID, "http names its hosts: http = { \"api.example.com\" }");
  else if (script_http_push_module(L, terms, &err) == AP_OK)
    return true;
  lua_pushstring(L, err.text);
  return false;
}

/* grant(env, capabilities[, terms of http]) -> true | nil, message, whether it is the configuration
 * that lacks it */
int script_engine_grant(lua_State *L)
{
  const struct script_run *run = script_run_of(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  unsigned granted = script_granted(L, 1);
  lua_Integer count = (lua_Integer)lua_rawlen(L, 2);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 2, i);
    const char *name = luaL_checkstring(L, -1);
    const struct module *module = find_module(name);
    if (!module)
      return fail(L, lua_pushfstring(L, "\"%s\" is not there in this version", name));
    if (module->bit == SCRIPT_MAY_VT && !run->options.client) {
      (void)fail(L, run->options.no_client);
      lua_pushboolean(L, true);
      return 3;
    }
    if (!push_module(L, module, 3))
      return fail(L, lua_tostring(L, -1));
    lua_pushstring(L, name);
    lua_insert(L, -2);
    lua_rawset(L, 1);
    granted |= (unsigned)module->bit;
    lua_pop(L, 1);
  }
  write_down(L, 1, granted);
  lua_pushboolean(L, 1);
  return 1;
}

struct script_job *script_job_check(lua_State *L, enum script_capability what, const char *name)
{
  struct script_job *job = script_job_current(L);
  if (!job) {
    luaL_error(L, "%s works in an action's run only", name);
    return NULL;
  }
  if (!(job->granted & (unsigned)what))
    luaL_error(L, "%s is not for this script: its manifest does not ask for it in needs", name);
  return job;
}
