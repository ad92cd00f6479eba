/* The part of `engine` that is the record: steps, what they select, how they ended. Steps are
 * numbered from 1. Given to the engine's own Lua only. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "script/files.h"
#include "script/host_private.h"
#include "script/json.h"
#include "script/run_private.h"

static struct script_run *run_with_case(lua_State *L)
{
  struct script_run *run = script_run_of(L);
  if (!run->options.cf)
    luaL_error(L, "a bug: there is no case to work on");
  return run;
}

static uint32_t check_step(lua_State *L, const struct script_run *run, int arg)
{
  lua_Integer number = luaL_checkinteger(L, arg);
  luaL_argcheck(L, number >= 1 && number <= run->step_count, arg, "no such step");
  return (uint32_t)(number - 1);
}

static void check_kept(int rc)
{
  if (rc == AP_E_NO_MEMORY)
    script_out_of_memory();
}

/* The text in a field of the table at `table`; NULL: none. The table keeps it alive. */
static const char *text_field(lua_State *L, int table, const char *name)
{
  lua_pushstring(L, name);
  const char *text = lua_rawget(L, table) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  lua_pop(L, 1);
  return text;
}

static bool bool_field(lua_State *L, int table, const char *name)
{
  lua_pushstring(L, name);
  (void)lua_rawget(L, table);
  bool is_set = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return is_set;
}

static char *copy_or_null(const char *text)
{
  char *copy = text ? strdup(text) : NULL;
  if (text && !copy)
    script_out_of_memory();
  return copy;
}

static void keep_words(struct script_run *run, const struct case_step_info *info)
{
  struct script_step_words *steps =
      reallocarray(run->steps, (size_t)run->step_count + 1, sizeof(*steps));
  if (!steps)
    script_out_of_memory();
  run->steps = steps;
  steps[run->step_count++] = (struct script_step_words){
      .name = copy_or_null(info->name),
      .action = copy_or_null(info->action),
      .title = copy_or_null(info->title),
      .provider = copy_or_null(info->provider),
  };
}

/* begin_run{ name =, params = { { name, value } }, withheld = { names } }: the run begins */
static int record_begin_run(lua_State *L)
{
  struct script_run *run = run_with_case(L);
  struct ap_error err = {0};
  struct ap_buf given = {0};
  luaL_checktype(L, 1, LUA_TTABLE);
  int rc = script_json_write(L, 1, &given, &err);
  check_kept(rc);
  if (rc == AP_OK)
    run->options.begun(run->options.arg, ap_slice_of(&given));
  ap_buf_deinit(&given);
  return rc == AP_OK ? 0 : luaL_error(L, "begin_run: %s", err.text);
}

/* step{ name, action, title, provider, result_name, json_by_entity } -> number */
static int record_step(lua_State *L)
{
  struct script_run *run = run_with_case(L);
  uint32_t number;
  luaL_checktype(L, 1, LUA_TTABLE);
  const struct case_step_info info = {
      .name = text_field(L, 1, "name"),
      .action = text_field(L, 1, "action"),
      .title = text_field(L, 1, "title"),
      .provider = text_field(L, 1, "provider"),
      .result_name = text_field(L, 1, "result_name"),
      .json_by_entity = bool_field(L, 1, "json_by_entity"),
  };
  luaL_argcheck(L, info.name && info.title, 1, "a step has a name and a title");
  check_kept(case_record_add_step(run->options.record, &info, &number));
  ap_require(number == run->step_count);
  keep_words(run, &info);
  lua_pushinteger(L, (lua_Integer)number + 1);
  return 1;
}

/* Of a run that goes on it may be known already what is found: then the record has it now. */
static void select_entity(struct script_run *run, uint32_t step, uint32_t entity)
{
  struct case_record *record = run->options.record;
  bool was_done = case_record_entity(record, step, entity).is_done;
  check_kept(case_record_select(record, step, entity));
  if (!was_done && case_record_entity(record, step, entity).is_done)
    run->options.put(run->options.arg, step, entity);
}

/* Lines that are no indicator of any type belong to every step: they are listed, as skipped. */
static void select_malformed(struct script_run *run, uint32_t step)
{
  uint32_t count = casefile_count(run->options.cf);
  for (uint32_t i = 0; i < count; i++)
    if (casefile_entity(run->options.cf, i)->type == CASE_TYPE_COUNT)
      select_entity(run, step, i);
}

/* select(step, set[, is_items]) -> how many belong to the step */
static int record_select(lua_State *L)
{
  struct script_run *run = run_with_case(L);
  uint32_t step = check_step(L, run, 1);
  const struct script_set *set = script_set_check(L, 2);
  for (uint32_t i = 0; i < set->count; i++)
    select_entity(run, step, set->index[i]);
  lua_settop(L, 3);
  if (!lua_toboolean(L, 3))
    select_malformed(run, step);
  lua_pushinteger(L, case_record_counts(run->options.record, step).of);
  return 1;
}

static void warn_of_twice(struct script_run *run, uint32_t step, const char *name)
{
  struct ap_buf text = {0};
  ap_buf_add_fmt(&text, "%s is given twice: it is one item", name);
  if (ap_buf_error(&text))
    script_out_of_memory();
  ap_log(AP_LOG_SCRIPT, AP_LOG_WARN, "%s: %s", run->steps[step].name, ap_buf_cstr(&text));
  check_kept(case_record_warn(run->options.record, step, ap_buf_cstr(&text)));
  ap_buf_deinit(&text);
}

static void add_item(lua_State *L, struct script_run *run, uint32_t step, struct script_set *set)
{
  uint32_t index;
  struct ap_error err = {0};
  struct case_entity_input input = {.has_type = true, .type = CASE_TYPE_FILE};
  input.identifier.ptr = luaL_checklstring(L, -1, &input.identifier.len);
  uint32_t before = casefile_count(run->options.cf);
  int rc = casefile_add(run->options.cf, &input, &index, &err);
  check_kept(rc);
  if (rc != AP_OK)
    luaL_error(L, "%s", err.text);
  if (index < before)
    for (uint32_t i = 0; i < set->count; i++)
      if (set->index[i] == index) {
        warn_of_twice(run, step, input.identifier.ptr);
        return;
      }
  set->index[set->count++] = index;
}

static int by_number(const void *left, const void *right)
{
  uint32_t a = *(const uint32_t *)left;
  uint32_t b = *(const uint32_t *)right;
  return a < b ? -1 : a > b;
}

/* items(step, { names }) -> the set of them, as entities of type file that join the case */
static int record_items(lua_State *L)
{
  struct script_run *run = run_with_case(L);
  uint32_t step = check_step(L, run, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_Integer count = (lua_Integer)lua_rawlen(L, 2);
  struct script_set *set = script_set_push(L, (uint32_t)count);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 2, i);
    add_item(L, run, step, set);
    lua_pop(L, 1);
  }
  qsort(set->index, set->count, sizeof(set->index[0]), by_number); /* as all sets are */
  return 1;
}

/* counts(step) -> { reported =, scanned =, ..., of =, done =, risky =, partial = } */
static int record_counts(lua_State *L)
{
  const struct script_run *run = run_with_case(L);
  struct case_step_counts counts = case_record_counts(run->options.record, check_step(L, run, 1));
  counts.outcome[CASE_OUTCOME_NOT_ASKED] += counts.of - counts.done;
  lua_createtable(L, 0, CASE_OUTCOME_COUNT + 4);
  for (int i = 0; i < CASE_OUTCOME_COUNT; i++) {
    lua_pushinteger(L, counts.outcome[i]);
    lua_setfield(L, -2, case_outcome_word((enum case_outcome)i));
  }
  lua_pushinteger(L, counts.of);
  lua_setfield(L, -2, "of");
  lua_pushinteger(L, counts.done);
  lua_setfield(L, -2, "done");
  lua_pushinteger(L, counts.risky);
  lua_setfield(L, -2, "risky");
  lua_pushinteger(L, counts.partial);
  lua_setfield(L, -2, "partial");
  return 1;
}

static void push_reason(lua_State *L, struct script_run *run, uint32_t step, uint32_t entity)
{
  struct ap_buf object = {0};
  struct ap_buf text = {0};
  struct ap_slice reason;
  check_kept(case_record_entity_json(run->options.record, step, entity, &object));
  if (!ap_buf_error(&object) && ap_json_get(ap_slice_of(&object), "reason", &reason) &&
      ap_json_kind(reason) == AP_JSON_STRING)
    ap_json_read_string(reason, &text);
  check_kept(ap_buf_error(&text));
  if (text.len)
    lua_pushlstring(L, text.ptr, text.len);
  else
    lua_pushnil(L);
  ap_buf_deinit(&object);
  ap_buf_deinit(&text);
}

/* examples(step, outcome or "risky", max) -> { { identifier =, reason = }, ... } */
static int record_examples(lua_State *L)
{
  struct script_run *run = run_with_case(L);
  uint32_t step = check_step(L, run, 1);
  const char *word = luaL_checkstring(L, 2);
  lua_Integer max = luaL_checkinteger(L, 3);
  enum case_outcome outcome = CASE_OUTCOME_COUNT;
  bool wants_risky = strcmp(word, "risky") == 0;
  luaL_argcheck(L, wants_risky || case_outcome_parse(word, &outcome), 2, "no such outcome");
  lua_newtable(L);
  lua_Integer found = 0;
  uint32_t count = casefile_count(run->options.cf);
  for (uint32_t i = 0; i < count && found < max; i++) {
    struct case_step_entity known = case_record_entity(run->options.record, step, i);
    if (!known.in_step || (wants_risky ? !known.risky : known.outcome != outcome))
      continue;
    lua_createtable(L, 0, 2);
    lua_pushstring(L, casefile_entity(run->options.cf, i)->identifier);
    lua_setfield(L, -2, "identifier");
    if (!wants_risky) {
      push_reason(L, run, step, i);
      lua_setfield(L, -2, "reason");
    }
    lua_rawseti(L, -2, ++found);
  }
  return 1;
}

/* step_set(step) -> the set of its entities */
static int record_step_set(lua_State *L)
{
  struct script_run *run = run_with_case(L);
  uint32_t step = check_step(L, run, 1);
  struct script_set *set = script_set_push(L, case_record_counts(run->options.record, step).of);
  uint32_t count = casefile_count(run->options.cf);
  for (uint32_t i = 0; i < count; i++)
    if (case_record_entity(run->options.record, step, i).in_step)
      set->index[set->count++] = i;
  return 1;
}

/* end_step(step, { status =, result =, message = }) */
static int record_end_step(lua_State *L)
{
  struct script_run *run = run_with_case(L);
  uint32_t step = check_step(L, run, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  const struct case_step_end end = {
      .status = text_field(L, 2, "status"),
      .result = bool_field(L, 2, "result"),
      .message = text_field(L, 2, "message"),
  };
  luaL_argcheck(L, end.status && end.message, 2, "a step ends with a status and a message");
  check_kept(case_record_end_step(run->options.record, step, &end));
  script_connections_drop(run, false);
  run->options.step_ended(run->options.arg, step);
  return 0;
}

/* warn(step or nil, text) */
static int record_warn(lua_State *L)
{
  const struct script_run *run = run_with_case(L);
  const char *text = luaL_checkstring(L, 2);
  if (lua_isnil(L, 1)) {
    ap_log(AP_LOG_SCRIPT, AP_LOG_WARN, "%s", text);
    check_kept(case_record_warn_run(run->options.record, text));
    return 0;
  }
  uint32_t step = check_step(L, run, 1);
  ap_log(AP_LOG_SCRIPT, AP_LOG_WARN, "%s: %s", run->steps[step].name, text);
  check_kept(case_record_warn(run->options.record, step, text));
  return 0;
}

/* insight{ entity = or nil, severity =, title =, body = or nil } */
static int record_insight(lua_State *L)
{
  static const char *const fields[] = {"entity", "severity", "title", "body"};
  const struct script_run *run = run_with_case(L);
  struct ap_buf json = {0};
  luaL_checktype(L, 1, LUA_TTABLE);
  ap_buf_add_char(&json, '{');
  for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
    ap_buf_add_fmt(&json, "\"%s\":", fields[i]);
    ap_json_write_cstr(&json, text_field(L, 1, fields[i]));
    ap_buf_add_char(&json, ',');
  }
  ap_buf_add_str(&json, "\"triggered_by\":null}");
  if (ap_buf_error(&json))
    script_out_of_memory();
  int rc = case_record_add_insight(run->options.record, ap_slice_of(&json));
  ap_buf_deinit(&json);
  check_kept(rc);
  return rc == AP_OK ? 0 : luaL_error(L, "case:insight: more than a run may carry");
}

/* The JSON of a field: what the document says of the run. */
static void keep_json(lua_State *L, const char *name, struct ap_buf *out)
{
  struct ap_error err = {0};
  lua_pushstring(L, name);
  (void)lua_rawget(L, 1);
  ap_buf_clear(out);
  int rc = script_json_write(L, lua_gettop(L), out, &err);
  lua_pop(L, 1);
  check_kept(rc);
  if (rc != AP_OK)
    luaL_error(L, "%s: %s", name, err.text);
}

static const char *keep_text(lua_State *L, const char *name, struct ap_buf *out)
{
  ap_buf_clear(out);
  const char *text = text_field(L, 1, name);
  ap_buf_add_str(out, text ? text : "");
  check_kept(ap_buf_error(out));
  return ap_buf_cstr(out);
}

/* finish_run{ playbook =, params =, status =, tags =, score = } */
static int record_finish_run(lua_State *L)
{
  struct script_run *run = run_with_case(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_pushliteral(L, "params"); /* also when it is empty it is an object */
  luaL_argcheck(L, lua_rawget(L, 1) == LUA_TTABLE, 1, "params must be a table");
  bool has_params = !lua_isnil(L, -1);
  lua_pushnil(L);
  bool is_empty = has_params && !lua_next(L, -2);
  lua_settop(L, 1);
  keep_json(L, "params", &run->params);
  if (is_empty) {
    ap_buf_clear(&run->params);
    ap_buf_add_str(&run->params, "{}");
    check_kept(ap_buf_error(&run->params));
  }
  keep_json(L, "tags", &run->tags);
  run->end.playbook = keep_text(L, "playbook", &run->playbook);
  run->end.status = keep_text(L, "status", &run->status);
  lua_pushliteral(L, "score");
  (void)lua_rawget(L, 1);
  run->end.score = lua_tointeger(L, -1);
  run->end.params = ap_slice_of(&run->params);
  run->end.tags = ap_slice_of(&run->tags);
  run->end.is_whole = true;
  return 0;
}

const luaL_Reg script_record_functions[] = {
    {"begin_run", record_begin_run},
    {"counts", record_counts},
    {"end_step", record_end_step},
    {"examples", record_examples},
    {"finish_run", record_finish_run},
    {"insight", record_insight},
    {"items", record_items},
    {"select", record_select},
    {"step", record_step},
    {"step_set", record_step_set},
    {"warn", record_warn},
    {NULL, NULL},
};
