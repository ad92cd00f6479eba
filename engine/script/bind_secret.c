/* Secrets as scripts have them: a handle that can be passed on and compared, never read. The engine
 * makes one of each parameter of type secret. What it stands for lives as long as the run, and the
 * same secret is made once: an environment variable can be read only once. */
// SPDX-License-Identifier: Apache-2.0
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "script/host_private.h"
#include "script/run_private.h"
#include "script/secret.h"

struct script_secret {
  struct script_secret *next;
  struct ap_secret *secret;
  char source[]; /* env:NAME and the like; "" for one that was given itself */
};

static const char secret_type[] = "secret";

/* ---- the handle ---- */

static struct script_secret *secret_at(lua_State *L, int index)
{
  struct script_secret *const *slot = luaL_testudata(L, index, secret_type);
  return slot ? *slot : NULL;
}

static int secret_tostring(lua_State *L)
{
  lua_pushliteral(L, "***");
  return 1;
}

static int secret_eq(lua_State *L)
{
  const struct script_secret *left = secret_at(L, 1);
  lua_pushboolean(L, left && left == secret_at(L, 2));
  return 1;
}

static const luaL_Reg metamethods[] = {
    {"__eq", secret_eq},
    {"__tostring", secret_tostring},
    {NULL, NULL},
};

void script_secret_init(lua_State *L)
{
  luaL_newmetatable(L, secret_type);
  luaL_setfuncs(L, metamethods, 0);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

const struct ap_secret *script_secret_at(lua_State *L, int index)
{
  const struct script_secret *secret = secret_at(L, index);
  return secret ? secret->secret : NULL;
}

static void push(lua_State *L, struct script_secret *secret)
{
  struct script_secret **slot = lua_newuserdatauv(L, sizeof(struct script_secret *), 0);
  *slot = secret;
  luaL_setmetatable(L, secret_type);
}

/* ---- making one ---- */

static bool is_same(const struct script_secret *known, bool is_source, struct ap_slice text)
{
  if (is_source)
    return strcmp(known->source, text.ptr) == 0;
  struct ap_slice bytes = ap_secret_bytes(known->secret);
  return !*known->source && bytes.len == text.len &&
         CRYPTO_memcmp(bytes.ptr, text.ptr, text.len) == 0;
}

static struct script_secret *find(const struct script_run *run, bool is_source,
                                  struct ap_slice text)
{
  struct script_secret *known = run->secrets;
  while (known && !is_same(known, is_source, text))
    known = known->next;
  return known;
}

static int make(struct script_run *run, const char *name, bool is_source, struct ap_slice text,
                struct script_secret **out, struct ap_error *err)
{
  size_t source_bytes = is_source ? text.len + 1 : 1;
  struct script_secret *made = calloc(1, sizeof(*made) + source_bytes);
  if (!made)
    script_out_of_memory();
  if (is_source)
    memcpy(made->source, text.ptr, text.len);
  int rc = is_source ? ap_secret_load(name, text.ptr, &made->secret, err)
                     : ap_secret_new(name, text.ptr, text.len, &made->secret, err);
  if (rc != AP_OK) {
    free(made);
    return rc;
  }
  made->next = run->secrets;
  run->secrets = made;
  *out = made;
  return AP_OK;
}

/* secret(name, text) -> handle, whether it was given itself | nil, message. text is a source
 * (env:NAME, file:PATH, credential:NAME), the secret itself, or a handle that is given back. */
int script_engine_secret(lua_State *L)
{
  struct script_run *run = script_run_of(L);
  struct ap_error err = {0};
  struct ap_slice text;
  const char *name = luaL_checkstring(L, 1);
  if (secret_at(L, 2)) {
    lua_settop(L, 2);
    return 1;
  }
  if (lua_type(L, 2) != LUA_TSTRING)
    return luaL_error(L, "%s: must be a secret", name);
  text.ptr = lua_tolstring(L, 2, &text.len);
  bool is_source = ap_secret_is_source(text.ptr);
  struct script_secret *secret = find(run, is_source, text);
  if (!secret && make(run, name, is_source, text, &secret, &err) != AP_OK) {
    lua_pushnil(L);
    lua_pushstring(L, err.text);
    return 2;
  }
  push(L, secret);
  lua_pushboolean(L, !is_source);
  return 2;
}

void script_secrets_free(struct script_run *run)
{
  while (run->secrets) {
    struct script_secret *next = run->secrets->next;
    ap_secret_free(run->secrets->secret);
    free(run->secrets);
    run->secrets = next;
  }
}
