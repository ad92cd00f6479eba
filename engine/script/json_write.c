/* Writing a Lua value as JSON. Raw access only, so nothing here runs a script or raises. */
// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "script/json.h"
#include "script/report.h"

enum { DEPTH_MAX = 64 };

struct writer {
  lua_State *L;
  struct ap_buf *out;
  size_t out_max; /* length that out may reach */
  int depth;
  struct ap_error *err;
  script_json_other_fn *other; /* NULL: there are no others */
  void *arg;
};

static int write_value(struct writer *writer);

static int refuse(struct writer *writer, const char *why)
{
  return ap_fail(writer->err, AP_E_INVALID, "%s", why);
}

static int write_number(struct writer *writer)
{
  if (lua_isinteger(writer->L, -1))
    ap_buf_add_fmt(writer->out, "%" PRId64, (int64_t)lua_tointeger(writer->L, -1));
  else if (!ap_json_write_number(writer->out, lua_tonumber(writer->L, -1)))
    return refuse(writer, "JSON has no infinity and no NaN");
  return AP_OK;
}

/* ---- tables ---- */

struct shape {
  size_t strings;
  size_t integers; /* keys from 1 to the length */
  bool has_other;
};

/* Of the table on top of the stack. */
static struct shape shape_of(lua_State *L)
{
  struct shape shape = {0};
  lua_Unsigned len = lua_rawlen(L, -1);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING)
      shape.strings++;
    else if (lua_isinteger(L, -1) && (lua_Unsigned)lua_tointeger(L, -1) - 1 < len)
      shape.integers++;
    else
      shape.has_other = true;
  }
  return shape;
}

static int compare_slices(const void *left, const void *right)
{
  const struct ap_slice *a = left;
  const struct ap_slice *b = right;
  int order = memcmp(a->ptr, b->ptr, a->len < b->len ? a->len : b->len);
  return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* Pushes a buffer with the keys of the table on top of the stack, sorted. [-0, +1, m] */
static const struct ap_slice *push_sorted_keys(lua_State *L, size_t count)
{
  struct ap_slice *keys = lua_newuserdatauv(L, (count ? count : 1) * sizeof(*keys), 0);
  size_t at = 0;
  lua_pushnil(L);
  while (lua_next(L, -3)) {
    lua_pop(L, 1);
    keys[at].ptr = lua_tolstring(L, -1, &keys[at].len); /* the table keeps it */
    at++;
  }
  qsort(keys, count, sizeof(*keys), compare_slices);
  return keys;
}

static int write_array(struct writer *writer, size_t count)
{
  int rc = AP_OK;
  ap_buf_add_char(writer->out, '[');
  for (size_t i = 1; rc == AP_OK && i <= count; i++) {
    if (i > 1)
      ap_buf_add_char(writer->out, ',');
    lua_rawgeti(writer->L, -1, (lua_Integer)i);
    rc = write_value(writer);
    lua_pop(writer->L, 1);
  }
  ap_buf_add_char(writer->out, ']');
  return rc;
}

static int write_object(struct writer *writer, size_t count)
{
  lua_State *L = writer->L;
  int rc = AP_OK;
  const struct ap_slice *keys = push_sorted_keys(L, count);
  ap_buf_add_char(writer->out, '{');
  for (size_t i = 0; rc == AP_OK && i < count; i++) {
    if (i)
      ap_buf_add_char(writer->out, ',');
    ap_json_write_string(writer->out, keys[i].ptr, keys[i].len);
    ap_buf_add_char(writer->out, ':');
    lua_pushlstring(L, keys[i].ptr, keys[i].len);
    lua_rawget(L, -3);
    rc = write_value(writer);
    lua_pop(L, 1);
  }
  ap_buf_add_char(writer->out, '}');
  lua_pop(L, 1);
  return rc;
}

static int write_table(struct writer *writer)
{
  script_report_complete(writer->L, -1);
  enum script_json_mark mark = script_json_mark_of(writer->L, -1);
  struct shape shape = shape_of(writer->L);
  if (shape.has_other || (shape.strings && shape.integers))
    return refuse(writer, "a table has names or the keys 1 to n, not both and nothing else");
  if (mark == SCRIPT_JSON_ARRAY && shape.strings)
    return refuse(writer, "a json.array has a name for a key");
  if (mark == SCRIPT_JSON_OBJECT && shape.integers)
    return refuse(writer, "a json.object has a number for a key");
  if (shape.integers != lua_rawlen(writer->L, -1))
    return refuse(writer, "a list has holes");
  if (shape.strings || mark == SCRIPT_JSON_OBJECT)
    return write_object(writer, shape.strings);
  return write_array(writer, shape.integers);
}

/* ---- any value ---- */

static int write_text(struct writer *writer)
{
  struct ap_slice text = script_json_text(writer->L, -1);
  if (!text.ptr && writer->other)
    return writer->other(writer->arg, writer->L, writer->out, writer->err);
  if (!text.ptr)
    return ap_fail(writer->err, AP_E_INVALID, "a %s is no data", luaL_typename(writer->L, -1));
  ap_buf_add(writer->out, text.ptr, text.len);
  return AP_OK;
}

static int write_nested(struct writer *writer)
{
  if (writer->depth == DEPTH_MAX || !lua_checkstack(writer->L, 12))
    return refuse(writer, "tables are nested more than 64 deep, or in a circle");
  writer->depth++;
  int rc = write_table(writer);
  writer->depth--;
  return rc;
}

/* Of the value on top of the stack. */
static int write_value(struct writer *writer)
{
  lua_State *L = writer->L;
  size_t len;
  const char *text;
  int rc = AP_OK;
  switch (lua_type(L, -1)) {
  case LUA_TNIL:
    ap_buf_add_str(writer->out, "null");
    break;
  case LUA_TBOOLEAN:
    ap_buf_add_str(writer->out, lua_toboolean(L, -1) ? "true" : "false");
    break;
  case LUA_TNUMBER:
    rc = write_number(writer);
    break;
  case LUA_TSTRING:
    text = lua_tolstring(L, -1, &len);
    ap_json_write_string(writer->out, text, len);
    break;
  case LUA_TTABLE:
    rc = write_nested(writer);
    break;
  case LUA_TUSERDATA:
    rc = write_text(writer);
    break;
  default:
    if (!script_json_is_null(L, -1))
      return ap_fail(writer->err, AP_E_INVALID, "a %s is no data", luaL_typename(L, -1));
    ap_buf_add_str(writer->out, "null");
    break;
  }
  if (rc == AP_OK && (ap_buf_error(writer->out) || writer->out->len > writer->out_max))
    return refuse(writer, "more than 1 MiB of JSON");
  return rc;
}

int script_json_write_with(lua_State *L, int index, script_json_other_fn *other, void *arg,
                           struct ap_buf *out, struct ap_error *err)
{
  struct writer writer = {L, out, out->len + SCRIPT_JSON_MAX_WRITTEN_BYTES, 0, err, other, arg};
  if (!lua_checkstack(L, 12))
    return ap_fail(err, AP_E_INVALID, "no room for one more table");
  lua_pushvalue(L, index);
  int rc = write_value(&writer);
  lua_pop(L, 1);
  return rc;
}

int script_json_write(lua_State *L, int index, struct ap_buf *out, struct ap_error *err)
{
  return script_json_write_with(L, index, NULL, NULL, out, err);
}
