// SPDX-License-Identifier: Apache-2.0
#include "script/report.h"

#include <string.h>

#include "script/host_private.h"
#include "script/json.h"

enum { LATE_MAX = 8, LARGE_BYTES = 1024, BYTES_PER_INSTRUCTION = 4 };

static const char bytes_type[] = "bytes of a report";
static const char bytes_key; /* in the report's metatable */

/* A member that is decoded when it is read. Offsets into bytes. */
struct late {
  size_t key, key_len; /* without the quotes */
  size_t value, value_len;
};

struct report {
  uint64_t serial;
  size_t late_count;
  struct late late[LATE_MAX];
  size_t len;
  char bytes[];
};

/* NULL when the value is no report. [-0, +0, -] */
static struct report *report_at(lua_State *L, int index)
{
  if (!lua_istable(L, index) || !lua_getmetatable(L, index))
    return NULL;
  lua_rawgetp(L, -1, &bytes_key);
  struct report *report = luaL_testudata(L, -1, bytes_type);
  lua_pop(L, 2);
  return report;
}

/* ---- what is decoded late ---- */

static const struct late *find_late(const struct report *report, struct ap_slice name)
{
  for (size_t i = 0; i < report->late_count; i++) {
    const struct late *late = &report->late[i];
    if (late->key_len == name.len && memcmp(report->bytes + late->key, name.ptr, name.len) == 0)
      return late;
  }
  return NULL;
}

/* Decodes one member into the table at `table`, and leaves its value on top. [-0, +1, e] */
static void decode_late(lua_State *L, int table, const struct report *report,
                        const struct late *late)
{
  script_json_push(L, (struct ap_slice){report->bytes + late->value, late->value_len});
  lua_pushlstring(L, report->bytes + late->key, late->key_len);
  lua_pushvalue(L, -2);
  lua_rawset(L, table);
}

void script_report_complete(lua_State *L, int index)
{
  int table = lua_absindex(L, index);
  const struct report *report = report_at(L, table);
  if (!report)
    return;
  if (!lua_checkstack(L, 4 * AP_JSON_MAX_DEPTH + 24)) /* what decoding asks for, and more */
    return;
  for (size_t i = 0; i < report->late_count; i++) {
    const struct late *late = &report->late[i];
    lua_pushlstring(L, report->bytes + late->key, late->key_len);
    if (lua_rawget(L, table) == LUA_TNIL) {
      decode_late(L, table, report, late);
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
}

/* report.name, where the table has no such field */
static int report_index(lua_State *L)
{
  struct ap_slice name;
  const struct report *report = report_at(L, 1);
  if (!report || lua_type(L, 2) != LUA_TSTRING)
    return 0;
  name.ptr = lua_tolstring(L, 2, &name.len);
  const struct late *late = find_late(report, name);
  if (!late)
    return 0;
  script_charge(L, late->value_len / BYTES_PER_INSTRUCTION);
  decode_late(L, 1, report, late);
  return 1;
}

static int report_next(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  return lua_next(L, 1) ? 2 : 0;
}

/* pairs(report) */
static int report_pairs(lua_State *L)
{
  uint64_t serial;
  luaL_checktype(L, 1, LUA_TTABLE);
  script_charge(L, script_report_bytes(L, 1, &serial).len / BYTES_PER_INSTRUCTION);
  script_report_complete(L, 1);
  lua_pushcfunction(L, report_next);
  lua_pushvalue(L, 1);
  return 2;
}

/* ---- making one ---- */

/* A large member whose key needs no decoding. */
static bool is_late(const struct ap_json_walk *walk)
{
  return walk->value.len > LARGE_BYTES && !memchr(walk->key.ptr, '\\', walk->key.len);
}

/* A key that stands twice: the last one counts, and is not late any more. */
static void forget_late(struct report *report, struct ap_slice key)
{
  const struct late *late = find_late(report, (struct ap_slice){key.ptr + 1, key.len - 2});
  if (late)
    report->late[late - report->late] = report->late[--report->late_count];
}

static void note_late(struct report *report, const struct ap_json_walk *walk)
{
  report->late[report->late_count++] = (struct late){
      .key = (size_t)(walk->key.ptr + 1 - report->bytes),
      .key_len = walk->key.len - 2,
      .value = (size_t)(walk->value.ptr - report->bytes),
      .value_len = walk->value.len,
  };
}

/* Decodes the small members into the table on top of the stack, and notes the large ones. Of a key
 * that stands twice the last one counts, also when it is null: then there is none. [-0, +0, e] */
static void read_members(lua_State *L, struct report *report)
{
  struct ap_json_walk walk = ap_json_walk((struct ap_slice){report->bytes, report->len});
  size_t decoded = 0;
  while (ap_json_next(&walk)) {
    bool late = is_late(&walk) && report->late_count < LATE_MAX;
    forget_late(report, walk.key);
    script_json_push(L, walk.key);
    if (late)
      note_late(report, &walk);
    else
      decoded += walk.key.len + walk.value.len;
    if (late || ap_json_kind(walk.value) == AP_JSON_NULL)
      lua_pushnil(L);
    else
      script_json_push(L, walk.value);
    lua_rawset(L, -3);
  }
  script_charge(L, decoded / BYTES_PER_INSTRUCTION);
}

/* The metatable of the report on top of the stack, whose bytes are below it. */
static void set_metatable(lua_State *L)
{
  lua_createtable(L, 0, 4);
  lua_pushvalue(L, -3);
  lua_rawsetp(L, -2, &bytes_key);
  lua_pushcfunction(L, report_index);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, report_pairs);
  lua_setfield(L, -2, "__pairs");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
}

void script_report_push(lua_State *L, struct ap_slice answer, uint64_t serial)
{
  luaL_checkstack(L, 8, "a report");
  struct report *report = lua_newuserdatauv(L, sizeof(*report) + answer.len, 0);
  luaL_setmetatable(L, bytes_type);
  report->serial = serial;
  report->late_count = 0;
  report->len = answer.len;
  memcpy(report->bytes, answer.ptr, answer.len);
  if (ap_json_kind(answer) != AP_JSON_OBJECT) {
    script_charge(L, answer.len / BYTES_PER_INSTRUCTION);
    script_json_push(L, answer);
    lua_remove(L, -2);
    return;
  }
  enum { TYPICAL_MEMBERS = 16 };
  lua_createtable(L, 0, TYPICAL_MEMBERS);
  read_members(L, report);
  set_metatable(L);
  lua_remove(L, -2);
}

struct ap_slice script_report_bytes(lua_State *L, int index, uint64_t *serial)
{
  const struct report *report = report_at(L, index);
  if (!report)
    return (struct ap_slice){0};
  *serial = report->serial;
  return (struct ap_slice){report->bytes, report->len};
}

struct ap_slice script_report_member(lua_State *L, int index, const char *name)
{
  const struct report *report = report_at(L, index);
  struct ap_slice value = {0};
  if (!report)
    return value;
  const struct late *late = find_late(report, (struct ap_slice){name, strlen(name)});
  if (late)
    return (struct ap_slice){report->bytes + late->value, late->value_len};
  (void)ap_json_get((struct ap_slice){report->bytes, report->len}, name, &value);
  return value;
}

void script_report_init(lua_State *L)
{
  luaL_newmetatable(L, bytes_type);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}
