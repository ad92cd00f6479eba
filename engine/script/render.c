/* What a terminal shows of a run: plain tables of it for the module report.table. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "script/host_private.h"
#include "script/json.h"
#include "script/run_private.h"

enum { ROWS_MAX = 1000 };

struct picture {
  struct script_run *run;
  uint32_t width;
  bool is_coloured;
  struct ap_buf *out;
};

/* Moves a member of the object at `from` to the row on top. */
static void move(lua_State *L, int from, const char *name)
{
  lua_getfield(L, from, name);
  lua_setfield(L, -2, name);
}

/* [-0, +1, e] */
static void push_row(lua_State *L, struct script_run *run, uint32_t step, uint32_t entity)
{
  static const char *const of_entity[] = {"identifier", "type", "outcome", "reason", "suspicious"};
  static const char *const of_verdict[] = {"risky", "detections", "total"};
  struct ap_buf json = {0};
  if (case_record_entity_json(run->options.record, step, entity, &json) != AP_OK) {
    ap_buf_deinit(&json);
    luaL_error(L, "the record cannot be read");
  }
  script_json_push(L, ap_slice_of(&json));
  ap_buf_deinit(&json);
  int object = lua_gettop(L);
  lua_createtable(L, 0, 8);
  for (size_t i = 0; i < sizeof(of_entity) / sizeof(of_entity[0]); i++)
    move(L, object, of_entity[i]);
  if (lua_getfield(L, object, "verdict") == LUA_TTABLE) {
    lua_insert(L, -2);
    for (size_t i = 0; i < sizeof(of_verdict) / sizeof(of_verdict[0]); i++)
      move(L, -2, of_verdict[i]);
    lua_remove(L, -2);
  } else {
    lua_pop(L, 1);
  }
  lua_remove(L, object);
}

/* Adds the entities of a step that are risky, or are not, to the list on top, while there is room.
 * Returns how many it has then. */
static uint32_t add_rows(lua_State *L, struct script_run *run, uint32_t step, bool risky,
                         uint32_t has)
{
  uint32_t count = casefile_count(run->options.cf);
  for (uint32_t i = 0; i < count && has < ROWS_MAX; i++) {
    struct case_step_entity known = case_record_entity(run->options.record, step, i);
    if (!known.in_step || known.risky != risky)
      continue;
    push_row(L, run, step, i);
    lua_rawseti(L, -2, ++has);
  }
  return has;
}

/* [-0, +1, e] */
static void push_step(lua_State *L, struct script_run *run, uint32_t step)
{
  const struct script_step_words *words = &run->steps[step];
  uint32_t of = case_record_counts(run->options.record, step).of;
  lua_createtable(L, 0, 8);
  lua_pushstring(L, words->title);
  lua_setfield(L, -2, "title");
  lua_pushstring(L, words->status ? words->status : "not_run");
  lua_setfield(L, -2, "status");
  lua_pushstring(L, words->message ? words->message : "");
  lua_setfield(L, -2, "message");
  lua_newtable(L);
  uint32_t shown = add_rows(L, run, step, true, 0);
  shown = add_rows(L, run, step, false, shown);
  lua_setfield(L, -2, "rows");
  lua_pushinteger(L, of - shown);
  lua_setfield(L, -2, "left_out");
}

static void push_case(lua_State *L, const struct script_run *run)
{
  struct ap_buf insights = {0};
  lua_createtable(L, 0, 8);
  lua_pushstring(L, run->end.playbook);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, run->end.status);
  lua_setfield(L, -2, "status");
  lua_pushinteger(L, run->end.score);
  lua_setfield(L, -2, "score");
  script_json_push(L, run->end.tags);
  lua_setfield(L, -2, "tags");
  ap_buf_add_char(&insights, '[');
  case_record_insights(run->options.record, &insights);
  ap_buf_add_char(&insights, ']');
  if (ap_buf_error(&insights))
    script_out_of_memory();
  script_json_push(L, ap_slice_of(&insights));
  ap_buf_deinit(&insights);
  lua_setfield(L, -2, "insights");
}

static void add_text(lua_State *L, struct ap_buf *out)
{
  size_t len;
  const char *text = lua_tolstring(L, -1, &len);
  ap_buf_add(out, text, len);
  lua_pop(L, 1);
}

/* A function of the playbook that did what it should: what it said is below. */
static bool is_dull(const struct script_step_words *words)
{
  return !words->action && words->status && strcmp(words->status, "completed") == 0;
}

/* (picture, module report.table, number of the step) */
static int draw_step(lua_State *L)
{
  const struct picture *picture = lua_touserdata(L, 1);
  lua_getfield(L, 2, "render");
  push_step(L, picture->run, (uint32_t)lua_tointeger(L, 3));
  lua_pushinteger(L, picture->width);
  lua_pushboolean(L, picture->is_coloured);
  lua_call(L, 3, 1);
  add_text(L, picture->out);
  return 0;
}

/* (picture, module report.table) */
static int draw_case(lua_State *L)
{
  const struct picture *picture = lua_touserdata(L, 1);
  lua_getfield(L, 2, "render_case");
  push_case(L, picture->run);
  lua_pushinteger(L, picture->width);
  lua_call(L, 2, 1);
  add_text(L, picture->out);
  return 0;
}

/* Each piece has an account of its own: there may be many steps. `module` is report.table. */
static int draw_all(lua_State *L, struct picture *picture, int module, struct ap_error *err)
{
  const struct script_run *run = picture->run;
  bool is_first = true;
  int rc = AP_OK;
  for (uint32_t i = 0; rc == AP_OK && i < run->step_count; i++) {
    if (is_dull(&run->steps[i]))
      continue;
    if (!is_first)
      ap_buf_add_char(picture->out, '\n');
    is_first = false;
    lua_pushcfunction(L, draw_step);
    lua_pushlightuserdata(L, picture);
    lua_pushvalue(L, module);
    lua_pushinteger(L, i);
    rc = script_call(L, 3, 0, err);
  }
  if (rc != AP_OK || !run->end.is_whole)
    return rc;
  if (!is_first)
    ap_buf_add_char(picture->out, '\n');
  lua_pushcfunction(L, draw_case);
  lua_pushlightuserdata(L, picture);
  lua_pushvalue(L, module);
  return script_call(L, 2, 0, err);
}

int script_run_render(struct script_run *run, uint32_t width, bool is_coloured, struct ap_buf *out,
                      struct ap_error *err)
{
  lua_State *L = script_host_state(run->host);
  struct picture picture = {run, width, is_coloured, out};
  int top = lua_gettop(L);
  luaL_checkstack(L, 16, "a table");
  script_env_push(L, NULL);
  int rc = script_require(L, top + 1, "report.table", err);
  if (rc == AP_OK)
    rc = draw_all(L, &picture, top + 2, err);
  lua_settop(L, top);
  return rc;
}
