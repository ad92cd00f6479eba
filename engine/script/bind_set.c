/* Sets of entities: what case:of("url"), case.STEP.entities and the like are. A set is a list of
 * numbers in the case's order; it never changes. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "script/host_private.h"
#include "script/run_private.h"

static const char set_type[] = "set of entities";

struct script_set *script_set_check(lua_State *L, int arg)
{
  return luaL_checkudata(L, arg, set_type);
}

struct script_set *script_set_push(lua_State *L, uint32_t max)
{
  enum { ENTITIES_PER_INSTRUCTION = 4 };
  script_charge(L, max / ENTITIES_PER_INSTRUCTION);
  struct script_set *set =
      lua_newuserdatauv(L, sizeof(*set) + (size_t)max * sizeof(set->index[0]), 0);
  set->count = 0;
  luaL_setmetatable(L, set_type);
  return set;
}

static struct casefile *case_of(lua_State *L)
{
  return script_run_of(L)->options.cf;
}

/* The types named by the arguments from `first` on, as bits. */
static uint32_t check_types(lua_State *L, int first)
{
  uint32_t types = 0;
  enum case_type type;
  for (int i = first; i <= lua_gettop(L); i++) {
    const char *word = luaL_checkstring(L, i);
    if (!case_type_parse(word, &type))
      luaL_argerror(L, i, lua_pushfstring(L, "there is no type \"%s\"", word));
    types |= 1U << type;
  }
  return types;
}

static bool has_type(struct casefile *cf, uint32_t index, uint32_t types)
{
  enum case_type type = casefile_entity(cf, index)->type;
  return type != CASE_TYPE_COUNT && types & (1U << type);
}

/* engine.set_of(types | nil) */
int script_engine_set_of(lua_State *L)
{
  struct casefile *cf = case_of(L);
  uint32_t types = (1U << CASE_TYPE_COUNT) - 1;
  if (!lua_isnoneornil(L, 1)) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    int count = (int)lua_rawlen(L, 1);
    luaL_checkstack(L, count, "types");
    for (int i = 1; i <= count; i++)
      lua_rawgeti(L, 1, i);
    types = check_types(L, 2);
  }
  uint32_t count = casefile_count(cf);
  uint32_t found = 0;
  for (uint32_t i = 0; i < count; i++)
    found += has_type(cf, i, types);
  struct script_set *set = script_set_push(L, found);
  for (uint32_t i = 0; i < count; i++)
    if (has_type(cf, i, types))
      set->index[set->count++] = i;
  return 1;
}

/* set:of(type, ...) */
static int set_of(lua_State *L)
{
  const struct script_set *set = script_set_check(L, 1);
  struct casefile *cf = case_of(L);
  uint32_t types = check_types(L, 2);
  struct script_set *chosen = script_set_push(L, set->count);
  for (uint32_t i = 0; i < set->count; i++)
    if (has_type(cf, set->index[i], types))
      chosen->index[chosen->count++] = set->index[i];
  return 1;
}

/* set:external(): those that are not internal */
static int set_external(lua_State *L)
{
  const struct script_set *set = script_set_check(L, 1);
  struct script_set *chosen = script_set_push(L, set->count);
  for (uint32_t i = 0; i < set->count; i++)
    if (!casefile_entity(case_of(L), set->index[i])->internal)
      chosen->index[chosen->count++] = set->index[i];
  return 1;
}

/* set:suspicious() */
static int set_suspicious(lua_State *L)
{
  const struct script_set *set = script_set_check(L, 1);
  struct script_set *chosen = script_set_push(L, set->count);
  script_run_of(L)->saw_findings = true;
  for (uint32_t i = 0; i < set->count; i++)
    if (casefile_entity(case_of(L), set->index[i])->suspicious)
      chosen->index[chosen->count++] = set->index[i];
  return 1;
}

/* set:where(function(entity) -> boolean end) */
static int set_where(lua_State *L)
{
  const struct script_set *set = script_set_check(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  struct script_set *chosen = script_set_push(L, set->count);
  for (uint32_t i = 0; i < set->count; i++) {
    lua_pushvalue(L, 2);
    script_entity_push(L, set->index[i], 0);
    lua_call(L, 1, 1);
    if (lua_toboolean(L, -1))
      chosen->index[chosen->count++] = set->index[i];
    lua_pop(L, 1);
  }
  return 1;
}

/* set:union(other) */
static int set_union(lua_State *L)
{
  const struct script_set *a = script_set_check(L, 1);
  const struct script_set *b = script_set_check(L, 2);
  struct script_set *both = script_set_push(L, a->count + b->count);
  uint32_t i = 0;
  uint32_t j = 0;
  while (i < a->count || j < b->count) {
    bool from_a = j == b->count || (i < a->count && a->index[i] <= b->index[j]);
    if (from_a && j < b->count && a->index[i] == b->index[j])
      j++;
    both->index[both->count++] = from_a ? a->index[i++] : b->index[j++];
  }
  return 1;
}

/* set:list([max]) -> { entities } */
static int set_list(lua_State *L)
{
  const struct script_set *set = script_set_check(L, 1);
  lua_Integer max = luaL_optinteger(L, 2, set->count);
  luaL_argcheck(L, max >= 0, 2, "0 or more");
  uint32_t count = max < (lua_Integer)set->count ? (uint32_t)max : set->count;
  lua_createtable(L, count < INT32_MAX ? (int)count : 0, 0);
  for (uint32_t i = 0; i < count; i++) {
    script_entity_push(L, set->index[i], 0);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int set_len(lua_State *L)
{
  lua_pushinteger(L, script_set_check(L, 1)->count);
  return 1;
}

static int set_tostring(lua_State *L)
{
  lua_pushfstring(L, "a set of %d entities", (int)script_set_check(L, 1)->count);
  return 1;
}

static const luaL_Reg methods[] = {
    {"external", set_external},
    {"list", set_list},
    {"of", set_of},
    {"suspicious", set_suspicious},
    {"union", set_union},
    {"where", set_where},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__len", set_len},
    {"__tostring", set_tostring},
    {NULL, NULL},
};

/* set.name; upvalue 1 has the methods */
static int set_index(lua_State *L)
{
  (void)script_set_check(L, 1);
  const char *name = luaL_checkstring(L, 2);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL)
    return luaL_error(L, "a set of entities has no method \"%s\"", name);
  return 1;
}

void script_set_init(lua_State *L)
{
  luaL_newmetatable(L, set_type);
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_pushcclosure(L, set_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}
