/* The record as a table of functions that the modules report.* read, and the loop that asks them
 * for one piece of text after the other. Steps and entities are numbered from 1 there. */
// SPDX-License-Identifier: Apache-2.0
#include "script/render.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "casefile/changes.h"
#include "script/host_private.h"
#include "script/json.h"

/* Upvalue 1 of every function. The functions are gone with the environment of the one render. */
static const struct script_render *what_of(lua_State *L)
{
  return lua_touserdata(L, lua_upvalueindex(1));
}

/* Pushes the decoded JSON and frees it; raises when the record could not be read. [-0, +1, e] */
static void push_json(lua_State *L, int rc, struct ap_buf *json)
{
  if (rc != AP_OK) {
    ap_buf_deinit(json);
    luaL_error(L, "the record cannot be read: %s", ap_error_text(rc));
  }
  script_json_push(L, ap_slice_of(json));
  ap_buf_deinit(json);
}

static uint32_t check_number(lua_State *L, int arg, uint32_t count)
{
  lua_Integer number = luaL_checkinteger(L, arg);
  luaL_argcheck(L, number >= 1 && number <= count, arg, "out of range");
  return (uint32_t)(number - 1);
}

static uint32_t check_step(lua_State *L, const struct script_render *what)
{
  return check_number(L, 1, case_record_step_count(what->record));
}

static uint32_t check_entity(lua_State *L, const struct script_render *what, int arg)
{
  return check_number(L, arg, casefile_count(what->cf));
}

/* ---- record.* ---- */

/* peek(step, entity) -> outcome, is_risky, detections or nil, has_no_engines, is_no_indicator (of
 * any type: it is in every step); nil: not in it */
static int render_peek(lua_State *L)
{
  const struct script_render *what = what_of(L);
  uint32_t entity = check_entity(L, what, 2);
  struct case_step_entity known = case_record_entity(what->record, check_step(L, what), entity);
  if (!known.in_step)
    return 0;
  lua_pushstring(L, case_outcome_word(known.outcome));
  lua_pushboolean(L, known.risky);
  if (known.detections < 0)
    lua_pushnil(L);
  else
    lua_pushinteger(L, known.detections);
  lua_pushboolean(L, known.no_engines);
  lua_pushboolean(L, casefile_entity(what->cf, entity)->type == CASE_TYPE_COUNT);
  return 5;
}

/* finding(step, entity) -> the entity's object in the step */
static int render_finding(lua_State *L)
{
  const struct script_render *what = what_of(L);
  struct ap_buf json = {0};
  uint32_t step = check_step(L, what);
  int rc = case_record_entity_json(what->record, step, check_entity(L, what, 2), &json);
  push_json(L, rc, &json);
  return 1;
}

/* entity(entity) -> its object in the run */
static int render_entity(lua_State *L)
{
  const struct script_render *what = what_of(L);
  struct ap_buf json = {0};
  int rc = case_record_run_entity_json(what->record, check_entity(L, what, 1), &json);
  push_json(L, rc, &json);
  return 1;
}

static int push_list(lua_State *L, enum case_list list)
{
  const struct script_render *what = what_of(L);
  struct ap_buf json = {0};
  uint32_t step = check_step(L, what);
  int rc = case_record_list_json(what->record, step, check_entity(L, what, 2), list, &json);
  push_json(L, rc, &json);
  return 1;
}

/* insights_of(step, entity) -> list */
static int render_insights_of(lua_State *L)
{
  return push_list(L, CASE_LIST_INSIGHTS);
}

/* tables_of(step, entity) -> list */
static int render_tables_of(lua_State *L)
{
  return push_list(L, CASE_LIST_TABLES);
}

/* source_hash(text) -> "sha256-…" as a Content-Security-Policy names it */
static int render_source_hash(lua_State *L)
{
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  char hash[45];
  if (ap_sha256_base64(text, len, hash) != AP_OK)
    script_out_of_memory();
  lua_pushfstring(L, "sha256-%s", hash);
  return 1;
}

static const luaL_Reg functions[] = {
    {"entity", render_entity},
    {"finding", render_finding},
    {"insights_of", render_insights_of},
    {"peek", render_peek},
    {"source_hash", render_source_hash},
    {"tables_of", render_tables_of},
    {NULL, NULL},
};

/* ---- the record ---- */

/* [-0, +0, e] */
static void set_run(lua_State *L, const struct script_render *what)
{
  struct ap_buf json = {0};
  int64_t now_s = ap_clock_unix_ms() / 1000;
  if (what->run) {
    push_json(L, case_record_line_run(what->record, what->run, &json), &json);
    lua_setfield(L, -2, "run");
    const char *finished = what->run->finished;
    if (finished && ap_clock_parse_utc(finished, strlen(finished), &now_s) != AP_OK)
      luaL_error(L, "\"%s\" is no time", finished);
  }
  lua_pushinteger(L, now_s);
  lua_setfield(L, -2, "now");
}

/* [-0, +0, e] */
static void set_insights(lua_State *L, const struct script_render *what)
{
  struct ap_buf json = {0};
  ap_buf_add_char(&json, '[');
  case_record_insights(what->record, &json);
  ap_buf_add_char(&json, ']');
  push_json(L, ap_buf_error(&json), &json);
  lua_setfield(L, -2, "insights");
}

/* [-0, +0, e] */
static void set_steps(lua_State *L, const struct script_render *what)
{
  uint32_t count = case_record_step_count(what->record);
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    struct ap_buf json = {0};
    push_json(L, case_record_step_json(what->record, i, &json), &json);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "steps");
}

/* (render, module) -> the function that gives the pieces */
static int begin(lua_State *L)
{
  const struct script_render *what = lua_touserdata(L, 1);
  lua_getfield(L, 2, "pieces");
  lua_newtable(L);
  lua_pushlightuserdata(L, lua_touserdata(L, 1));
  luaL_setfuncs(L, functions, 1);
  lua_pushinteger(L, casefile_count(what->cf));
  lua_setfield(L, -2, "count");
  lua_pushboolean(L, case_record_is_part(what->record));
  lua_setfield(L, -2, "is_part");
  set_run(L, what);
  set_insights(L, what);
  set_steps(L, what);
  lua_createtable(L, 0, 2);
  lua_pushinteger(L, what->width);
  lua_setfield(L, -2, "width");
  lua_pushboolean(L, what->is_coloured);
  lua_setfield(L, -2, "is_coloured");
  lua_call(L, 2, 1);
  return 1;
}

/* The function on top gives one piece a call, nil behind the last. Each has an account of its own:
 * there may be any number. */
static int write_pieces(lua_State *L, case_write_fn *write, void *arg, struct ap_error *err)
{
  for (;;) {
    size_t len;
    lua_pushvalue(L, -1);
    int rc = script_call(L, 0, 1, err);
    if (rc != AP_OK)
      return rc;
    const char *text = lua_tolstring(L, -1, &len);
    if (!text)
      return AP_OK;
    rc = write(arg, text, len);
    if (rc != AP_OK)
      return rc;
    lua_pop(L, 1);
  }
}

int script_render(struct script_host *host, const struct script_render *what, case_write_fn *write,
                  void *arg, struct ap_error *err)
{
  lua_State *L = script_host_state(host);
  struct script_render render = *what;
  char module[32];
  int top = lua_gettop(L);
  (void)snprintf(module, sizeof(module), "report.%s", what->format);
  luaL_checkstack(L, 16, "a render");
  lua_pushcfunction(L, begin);
  lua_pushlightuserdata(L, &render);
  script_env_push(L, NULL);
  int rc = script_require(L, -1, module, err);
  if (rc == AP_OK) {
    lua_remove(L, -2);
    rc = script_call(L, 2, 1, err);
  }
  if (rc == AP_OK)
    rc = write_pieces(L, write, arg, err);
  lua_settop(L, top);
  return rc;
}
