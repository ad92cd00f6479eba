/* Secrets as scripts have them: a handle that can be passed on and compared, never read. The engine
 * makes one of each parameter of type secret; a script names the others, which the configuration
 * has. What it stands for lives as long as the run, and the same secret is made once: an
 * environment variable can be read only once. */
// SPDX-License-Identifier: Apache-2.0
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "net/http.h"
#include "script/host_private.h"
#include "script/run_private.h"
#include "script/secret.h"

enum { NAMES_MAX = 1000, PIECES_MAX = 64, MASKED_MIN_BYTES = 4 };

struct script_secret {
  struct script_secret *next;
  struct ap_secret *secret; /* NULL: nobody said that it is needed */
  /* As it is written in a URL and in JSON, where that differs: a server may send it back so. */
  struct ap_secret *escaped;
  struct ap_secret *in_json;
  bool is_named;
  char source[]; /* the name; or env:NAME and the like, "" for one that was given itself */
};

static const char secret_type[] = "secret";
static const char joined_type[] = "text with a secret"; /* its user value: a list of the pieces */

/* ---- the handle ---- */

static struct script_secret *secret_at(lua_State *L, int index)
{
  struct script_secret *const *slot = luaL_testudata(L, index, secret_type);
  return slot ? *slot : NULL;
}

static int secret_tostring(lua_State *L)
{
  const struct script_secret *secret = secret_at(L, 1);
  if (secret && secret->is_named)
    lua_pushfstring(L, "secret \"%s\"", secret->source);
  else
    lua_pushliteral(L, "***");
  return 1;
}

static int secret_eq(lua_State *L)
{
  const struct script_secret *left = secret_at(L, 1);
  lua_pushboolean(L, left && left == secret_at(L, 2));
  return 1;
}

/* ---- joined texts ---- */

/* Adds the value at index to the list of pieces. [-0, +0, e] */
static void add_pieces(lua_State *L, int list, int index)
{
  lua_Integer count = (lua_Integer)lua_rawlen(L, list);
  if (luaL_testudata(L, index, joined_type)) {
    lua_getiuservalue(L, index, 1);
    int pieces = lua_gettop(L);
    lua_Integer more = (lua_Integer)lua_rawlen(L, pieces);
    for (lua_Integer i = 1; i <= more && count < PIECES_MAX; i++) {
      lua_rawgeti(L, pieces, i);
      lua_rawseti(L, list, ++count);
    }
    lua_pop(L, 1);
  } else if (lua_isstring(L, index) || secret_at(L, index)) {
    lua_pushvalue(L, index);
    if (lua_type(L, -1) == LUA_TNUMBER)
      (void)lua_tolstring(L, -1, NULL);
    lua_rawseti(L, list, ++count);
  } else {
    luaL_error(L, "a secret cannot be joined with a %s", luaL_typename(L, index));
  }
  if (count >= PIECES_MAX)
    luaL_error(L, "a text of more than %d pieces", PIECES_MAX - 1);
}

static int secret_concat(lua_State *L)
{
  lua_settop(L, 2);
  lua_newtable(L);
  add_pieces(L, 3, 1);
  add_pieces(L, 3, 2);
  (void)lua_newuserdatauv(L, 0, 1);
  lua_pushvalue(L, 3);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, joined_type);
  return 1;
}

static int joined_tostring(lua_State *L)
{
  luaL_checkudata(L, 1, joined_type);
  lua_getiuservalue(L, 1, 1);
  int pieces = lua_gettop(L);
  lua_Integer count = (lua_Integer)lua_rawlen(L, pieces);
  luaL_checkstack(L, PIECES_MAX + 4, NULL);
  for (lua_Integer i = 1; i <= count; i++) {
    if (lua_rawgeti(L, pieces, i) != LUA_TSTRING) {
      lua_pop(L, 1);
      lua_pushliteral(L, "***");
    }
  }
  lua_concat(L, (int)count);
  return 1;
}

static const luaL_Reg metamethods[] = {
    {"__concat", secret_concat},
    {"__eq", secret_eq},
    {"__tostring", secret_tostring},
    {NULL, NULL},
};

static const luaL_Reg joined_metamethods[] = {
    {"__concat", secret_concat},
    {"__tostring", joined_tostring},
    {NULL, NULL},
};

static void make_type(lua_State *L, const char *type, const luaL_Reg *functions)
{
  luaL_newmetatable(L, type);
  luaL_setfuncs(L, functions, 0);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

void script_secret_init(lua_State *L)
{
  make_type(L, secret_type, metamethods);
  make_type(L, joined_type, joined_metamethods);
}

const struct ap_secret *script_secret_at(lua_State *L, int index)
{
  const struct script_secret *secret = secret_at(L, index);
  return secret && !secret->is_named ? secret->secret : NULL;
}

static void push(lua_State *L, struct script_secret *secret)
{
  struct script_secret **slot = lua_newuserdatauv(L, sizeof(struct script_secret *), 0);
  *slot = secret;
  luaL_setmetatable(L, secret_type);
}

/* ---- what is sent ---- */

static bool is_allowed(lua_State *L, int allowed, const char *name)
{
  lua_pushstring(L, name);
  bool is_it = lua_rawget(L, allowed) != LUA_TNIL;
  lua_pop(L, 1);
  return is_it;
}

static int write_secret(lua_State *L, int allowed, const struct script_secret *secret,
                        script_piece_fn *add, struct ap_buf *out, struct ap_error *err)
{
  if (secret->is_named && (!secret->secret || !is_allowed(L, allowed, secret->source)))
    return ap_fail(err, AP_E_INVALID,
                   "the action's manifest does not name the secret \"%s\": add secrets = { "
                   "\"%s\" }",
                   secret->source, secret->source);
  struct ap_slice bytes = ap_secret_bytes(secret->secret);
  add(out, bytes.ptr, bytes.len);
  return AP_OK;
}

int script_secret_write(lua_State *L, int index, int allowed, script_piece_fn *add,
                        struct ap_buf *out, bool *has_secret, struct ap_error *err)
{
  struct ap_slice text;
  const struct script_secret *secret = secret_at(L, index);
  if (secret) {
    *has_secret = true;
    return write_secret(L, allowed, secret, add, out, err);
  }
  if (lua_isstring(L, index)) {
    lua_pushvalue(L, index); /* a number stays one where it is */
    text.ptr = lua_tolstring(L, -1, &text.len);
    add(out, text.ptr, text.len);
    lua_pop(L, 1);
    return AP_OK;
  }
  if (!luaL_testudata(L, index, joined_type))
    return ap_fail(err, AP_E_INVALID, "must be a text, a number or a secret, not a %s",
                   luaL_typename(L, index));
  lua_getiuservalue(L, index, 1);
  int pieces = lua_gettop(L);
  int rc = AP_OK;
  lua_Integer count = (lua_Integer)lua_rawlen(L, pieces);
  for (lua_Integer i = 1; rc == AP_OK && i <= count; i++) {
    lua_rawgeti(L, pieces, i);
    rc = script_secret_write(L, lua_gettop(L), allowed, add, out, has_secret, err);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return rc;
}

/* ---- making one ---- */

static bool is_same(const struct script_secret *known, bool is_source, struct ap_slice text)
{
  if (known->is_named)
    return false;
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

/* ---- by name ---- */

static struct script_secret *find_named(const struct script_run *run, const char *name)
{
  struct script_secret *known = run->secrets;
  while (known && !(known->is_named && strcmp(known->source, name) == 0))
    known = known->next;
  return known;
}

/* Nothing is loaded for it: reading a file reaches no secret. NULL: there are too many. */
static struct script_secret *named(struct script_run *run, const char *name)
{
  struct script_secret *known = find_named(run, name);
  if (known)
    return known;
  if (run->secret_names++ == NAMES_MAX)
    return NULL;
  known = calloc(1, sizeof(*known) + strlen(name) + 1);
  if (!known)
    script_out_of_memory();
  known->is_named = true;
  memcpy(known->source, name, strlen(name));
  known->next = run->secrets;
  run->secrets = known;
  return known;
}

/* secret(name) -> handle of a secret that the configuration has */
int script_secret_function(lua_State *L)
{
  enum { NAME_MAX_BYTES = 64 };
  size_t len;
  const char *name = luaL_checklstring(L, 1, &len);
  luaL_argcheck(L, len > 0 && len <= NAME_MAX_BYTES && strlen(name) == len, 1, "no name");
  struct script_run *run = script_run_of(L);
  if (!run)
    return luaL_error(L, "secret works in a run only");
  struct script_secret *secret = named(run, name);
  if (!secret)
    return luaL_error(L, "more than %d names of secrets", NAMES_MAX);
  push(L, secret);
  return 1;
}

/* As it is written elsewhere, known so that it is masked there too. */
static int know_also(const struct ap_secret *secret, struct ap_buf *written, struct ap_secret **out,
                     struct ap_error *err)
{
  struct ap_slice bytes = ap_secret_bytes(secret);
  bool is_new = written->len != bytes.len || memcmp(written->ptr, bytes.ptr, bytes.len) != 0;
  int rc = ap_buf_error(written);
  if (rc == AP_OK && is_new && written->len <= AP_SECRET_MAX_BYTES)
    rc = ap_secret_new(ap_secret_name(secret), written->ptr, written->len, out, err);
  ap_buf_wipe(written);
  return rc;
}

static int load(struct script_secret *secret, const char *source, struct ap_error *err)
{
  struct ap_buf written = {0};
  char name[80];
  (void)snprintf(name, sizeof(name), "secrets.%s", secret->source);
  int rc = ap_secret_load(name, source, &secret->secret, err);
  if (rc != AP_OK)
    return rc;
  struct ap_slice bytes = ap_secret_bytes(secret->secret);
  if (bytes.len < MASKED_MIN_BYTES)
    return ap_fail(err, AP_E_INVALID, "%s is shorter than %d characters: it could not be masked",
                   name, MASKED_MIN_BYTES);
  net_http_escape(&written, bytes.ptr, bytes.len);
  rc = know_also(secret->secret, &written, &secret->escaped, err);
  if (rc != AP_OK)
    return rc;
  ap_json_write_string(&written, bytes.ptr, bytes.len);
  if (written.len > 2) { /* without the quotes */
    memmove(written.ptr, written.ptr + 1, written.len - 2);
    written.len -= 2;
  }
  return know_also(secret->secret, &written, &secret->in_json, err);
}

/* secrets(names) -> true | nil, message: those that actions need, before anything is sent */
int script_engine_secrets(lua_State *L)
{
  struct script_run *run = script_run_of(L);
  const struct script_run_options *options = &run->options;
  struct ap_error err = {0};
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, i);
    const char *name = luaL_checkstring(L, -1);
    struct script_secret *secret = named(run, name);
    const char *source = NULL;
    for (size_t j = 0; j < options->secret_count; j++)
      if (strcmp(options->secrets[j].name, name) == 0)
        source = options->secrets[j].value;
    if (!secret || !source)
      (void)ap_fail(&err, AP_E_INVALID,
                    "the configuration has no secret \"%s\": add secrets = { %s = "
                    "\"file:PATH\" }, or env:NAME, or credential:NAME",
                    name, name);
    else if (!secret->secret)
      (void)load(secret, source, &err);
    if (err.code) {
      lua_pushnil(L);
      lua_pushstring(L, err.text);
      return 2;
    }
    lua_pop(L, 1);
  }
  lua_pushboolean(L, 1);
  return 1;
}

void script_secrets_free(struct script_run *run)
{
  while (run->secrets) {
    struct script_secret *next = run->secrets->next;
    ap_secret_free(run->secrets->escaped);
    ap_secret_free(run->secrets->in_json);
    ap_secret_free(run->secrets->secret);
    free(run->secrets);
    run->secrets = next;
  }
}
