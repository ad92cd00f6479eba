// SPDX-License-Identifier: Apache-2.0
#include "script/data.h"

#include <stdlib.h>
#include <string.h>

#include "script/host_private.h"
#include "script/source.h"

enum {
  SOURCE_MAX_BYTES = 4 << 20,
  MEMORY_MAX_BYTES = 256 << 20,
  INSTRUCTIONS_MAX = 10000000,
  DEPTH_MAX = 64,
  VALUES_MAX = 1000000
};

struct reader {
  lua_State *L;
  const char *name;
  struct ap_buf path; /* of the value on top of the stack: "virustotal.retries[2]" */
  size_t values;
  int depth;
  struct ap_error *err;
};

static int read_value(struct reader *reader, struct ap_value *out);

static int refuse(const struct reader *reader, int code, const char *what)
{
  if (!reader->path.len)
    return ap_fail(reader->err, code, "%s: %s", reader->name, what);
  return ap_fail(reader->err, code, "%s: %s: %s", reader->name, ap_buf_cstr(&reader->path), what);
}

static int no_memory(const struct reader *reader)
{
  return refuse(reader, AP_E_NO_MEMORY, "out of memory");
}

/* ---- the tree: raw access only, nothing here raises ---- */

static int read_scalar(struct reader *reader, struct ap_value *out)
{
  lua_State *L = reader->L;
  char what[64];
  switch (lua_type(L, -1)) {
  case LUA_TBOOLEAN:
    *out = (struct ap_value){.kind = AP_VALUE_BOOL, .boolean = lua_toboolean(L, -1)};
    return AP_OK;
  case LUA_TNUMBER:
    if (lua_isinteger(L, -1))
      *out = (struct ap_value){.kind = AP_VALUE_INT, .integer = lua_tointeger(L, -1)};
    else
      *out = (struct ap_value){.kind = AP_VALUE_NUMBER, .number = lua_tonumber(L, -1)};
    return AP_OK;
  case LUA_TSTRING: {
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    char *copy = ap_memdup(text, len);
    if (!copy)
      return no_memory(reader);
    *out = (struct ap_value){.kind = AP_VALUE_STRING, .text = copy, .len = len};
    return AP_OK;
  }
  default:
    (void)snprintf(what, sizeof(what), "a %s is no data", luaL_typename(L, -1));
    return refuse(reader, AP_E_INVALID, what);
  }
}

/* A child of the table below the value on top; pops the value. */
static int read_child(struct reader *reader, size_t path_len, struct ap_value *out)
{
  int rc = read_value(reader, out);
  lua_pop(reader->L, 1);
  if (rc == AP_OK && reader->path.ptr) {
    reader->path.len = path_len;
    reader->path.ptr[path_len] = '\0';
    reader->path.error = 0; /* a name too long to be shown; the next may be shorter */
  }
  return rc;
}

static int read_list(struct reader *reader, size_t count, struct ap_value *out)
{
  size_t path_len = reader->path.len;
  *out = (struct ap_value){.kind = AP_VALUE_LIST};
  if (!count)
    return AP_OK;
  out->items = calloc(count, sizeof(*out->items));
  if (!out->items)
    return no_memory(reader);
  out->len = count;
  int rc = AP_OK;
  for (size_t i = 0; rc == AP_OK && i < count; i++) {
    ap_buf_add_fmt(&reader->path, "[%zu]", i + 1);
    lua_rawgeti(reader->L, -1, (lua_Integer)i + 1);
    rc = read_child(reader, path_len, &out->items[i]);
  }
  return rc;
}

static int compare_keys(const void *left, const void *right)
{
  return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Copies the keys of the table on top of the stack into out->keys, sorted. */
static int read_keys(struct reader *reader, struct ap_value *out)
{
  lua_State *L = reader->L;
  size_t at = 0;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    size_t len;
    const char *key = lua_tolstring(L, -2, &len);
    lua_pop(L, 1);
    out->keys[at] = ap_memdup(key, len);
    if (!out->keys[at] || strlen(key) != len) {
      lua_pop(L, 1);
      return out->keys[at] ? refuse(reader, AP_E_INVALID, "a name has a NUL") : no_memory(reader);
    }
    at++;
  }
  qsort((void *)out->keys, at, sizeof(*out->keys), compare_keys);
  return AP_OK;
}

static int read_named(struct reader *reader, size_t count, struct ap_value *out)
{
  size_t path_len = reader->path.len;
  *out = (struct ap_value){.kind = AP_VALUE_TABLE, .len = count};
  out->items = calloc(count, sizeof(*out->items));
  out->keys = calloc(count, sizeof(*out->keys));
  if (!out->items || !out->keys) {
    out->len = 0;
    return no_memory(reader);
  }
  int rc = read_keys(reader, out);
  for (size_t i = 0; rc == AP_OK && i < count; i++) {
    ap_buf_add_fmt(&reader->path, "%s%s", path_len ? "." : "", out->keys[i]);
    lua_pushstring(reader->L, out->keys[i]);
    lua_rawget(reader->L, -2);
    rc = read_child(reader, path_len, &out->items[i]);
  }
  return rc;
}

static int read_table(struct reader *reader, struct ap_value *out)
{
  lua_State *L = reader->L;
  size_t names = 0;
  size_t numbers = 0;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pop(L, 1);
    int type = lua_type(L, -1);
    names += type == LUA_TSTRING;
    numbers += type == LUA_TNUMBER;
    if (type != LUA_TSTRING && type != LUA_TNUMBER) {
      lua_pop(L, 1);
      return refuse(reader, AP_E_INVALID, "a key is neither a name nor a number");
    }
  }
  if (names && numbers)
    return refuse(reader, AP_E_INVALID, "a table holds names or a list, not both");
  for (size_t i = 1; i <= numbers; i++) {
    int type = lua_rawgeti(L, -1, (lua_Integer)i);
    lua_pop(L, 1);
    if (type == LUA_TNIL)
      return refuse(reader, AP_E_INVALID, "a list is numbered from 1 without holes");
  }
  return names ? read_named(reader, names, out) : read_list(reader, numbers, out);
}

/* Of the value on top of the stack. On failure out holds what the caller has to deinit. */
static int read_value(struct reader *reader, struct ap_value *out)
{
  if (++reader->values > VALUES_MAX)
    return refuse(reader, AP_E_INVALID, "more than 1,000,000 values");
  if (lua_type(reader->L, -1) != LUA_TTABLE)
    return read_scalar(reader, out);
  if (reader->depth == DEPTH_MAX || !lua_checkstack(reader->L, 8))
    return refuse(reader, AP_E_INVALID, "tables are nested more than 64 deep, or in a circle");
  reader->depth++;
  int rc = read_table(reader, out);
  reader->depth--;
  return rc;
}

/* ---- running the chunk ---- */

static void budget_spent(lua_State *L, lua_Debug *ar)
{
  (void)lua_getinfo(L, "Sl", ar);
  lua_pushfstring(L, "%s:%d: ran for more than %d instructions without an end", ar->short_src,
                  ar->currentline, INSTRUCTIONS_MAX);
  (void)lua_error(L);
}

struct chunk {
  struct ap_slice source;
  const char *name;
};

/* (chunk) -> table. Its environment is an empty table. */
static int run_chunk(lua_State *L)
{
  const struct chunk *chunk = lua_touserdata(L, 1);
  lua_pushfstring(L, "@%s", chunk->name);
  if (luaL_loadbufferx(L, chunk->source.ptr, chunk->source.len, lua_tostring(L, -1), "t") != LUA_OK)
    return lua_error(L);
  lua_newtable(L);
  (void)lua_setupvalue(L, -2, 1);
  lua_sethook(L, budget_spent, LUA_MASKCOUNT, INSTRUCTIONS_MAX);
  lua_call(L, 0, 1);
  return 1;
}

/* With what Lua says, which names the file (a long name by its end) unless its own stack is spent.
 */
static int refuse_chunk(lua_State *L, const char *name, struct ap_error *err)
{
  const char *text = lua_isstring(L, -1) ? lua_tostring(L, -1) : "the file raised an error";
  bool names_file = strncmp(text, name, strlen(name)) == 0 || strncmp(text, "...", 3) == 0;
  return names_file ? ap_fail(err, AP_E_INVALID, "%s", text)
                    : ap_fail(err, AP_E_INVALID, "%s: %s", name, text);
}

static int read_chunk(lua_State *L, struct chunk *chunk, struct ap_value *out, struct ap_error *err)
{
  struct reader reader = {.L = L, .name = chunk->name, .err = err, .path = {.max = 256}};
  struct ap_value root = {0};
  int rc;
  lua_pushcfunction(L, run_chunk);
  lua_pushlightuserdata(L, chunk);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK)
    rc = refuse_chunk(L, chunk->name, err);
  else if (!lua_istable(L, -1))
    rc = refuse(&reader, AP_E_INVALID, "the file does not return a table");
  else
    rc = read_value(&reader, &root);
  ap_buf_deinit(&reader.path);
  if (rc == AP_OK)
    *out = root;
  else
    ap_value_deinit(&root);
  return rc;
}

int script_data_parse(const char *name, struct ap_slice source, struct ap_value *out,
                      struct ap_error *err)
{
  struct script_memory memory = {.max = MEMORY_MAX_BYTES};
  struct chunk chunk = {source, name};
  if (source.len > SOURCE_MAX_BYTES)
    return ap_fail(err, AP_E_TOO_LARGE, "%s: larger than 4 MiB", name);
  int rc = script_source_check(name, &chunk.source, err);
  if (rc != AP_OK)
    return rc;
  lua_State *L = lua_newstate(script_allocate, &memory);
  if (!L)
    return ap_fail(err, AP_E_INTERNAL, "Lua did not start");
  (void)lua_atpanic(L, script_panic);
  rc = read_chunk(L, &chunk, out, err);
  lua_close(L);
  script_pool_deinit(&memory.pool);
  return rc;
}

int script_data_read(const char *path, struct ap_value *out, struct ap_error *err)
{
  struct ap_buf text = {0};
  int rc = script_source_read(path, SOURCE_MAX_BYTES, &text, err);
  if (rc == AP_OK)
    rc = script_data_parse(path, ap_slice_of(&text), out, err);
  ap_buf_deinit(&text);
  return rc;
}
