/* An entity as scripts see it. Its fields can be read wherever a script has it; its methods write
 * on it, and work only in the task that runs for it. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "casefile/domain.h"
#include "script/host_private.h"
#include "script/json.h"
#include "script/run_private.h"

static const char entity_type[] = "entity";

struct entity {
  uint32_t index;
  uint64_t serial; /* of the job that may write on it; 0: none may */
};

void script_entity_push(lua_State *L, uint32_t index, uint64_t serial)
{
  struct entity *entity = lua_newuserdatauv(L, sizeof(*entity), 0);
  *entity = (struct entity){index, serial};
  luaL_setmetatable(L, entity_type);
}

static struct entity *check(lua_State *L)
{
  return luaL_checkudata(L, 1, entity_type);
}

static struct case_entity *known(lua_State *L, const struct entity *entity)
{
  return casefile_entity(script_run_of(L)->options.cf, entity->index);
}

/* The job of the running task, when it is the entity's own; NULL otherwise. */
static struct script_job *own_job(lua_State *L, const struct entity *entity)
{
  struct script_job *job = script_job_current(L);
  return job && entity->serial && job->serial == entity->serial ? job : NULL;
}

static struct case_finding *check_own(lua_State *L, const char *method)
{
  struct script_job *job = own_job(L, check(L));
  if (!job)
    luaL_error(L, "entity:%s works only in the action's run for this very entity", method);
  return &job->finding;
}

/* ---- fields ---- */

static void push_text(lua_State *L, const char *text)
{
  lua_pushstring(L, text); /* nil for NULL */
}

static void push_properties(lua_State *L, const struct case_entity *entity)
{
  if (entity->properties)
    script_json_push(L, (struct ap_slice){entity->properties, strlen(entity->properties)});
  else
    lua_newtable(L);
}

static void push_suspicious(lua_State *L, const struct entity *entity)
{
  const struct script_job *job = own_job(L, entity);
  script_run_of(L)->saw_findings = true;
  lua_pushboolean(L, known(L, entity)->suspicious || (job && job->finding.suspicious));
}

static void push_enriched(lua_State *L, const struct case_entity *entity)
{
  script_run_of(L)->saw_findings = true;
  lua_pushboolean(L, entity->enriched);
}

/* [-0, +1, e] */
static void push_field(lua_State *L, const struct entity *entity, const char *name)
{
  const struct case_entity *what = known(L, entity);
  if (strcmp(name, "identifier") == 0)
    push_text(L, what->identifier);
  else if (strcmp(name, "original_identifier") == 0)
    push_text(L, what->original_identifier);
  else if (strcmp(name, "type") == 0)
    push_text(L, case_type_word(what->type));
  else if (strcmp(name, "internal") == 0)
    lua_pushboolean(L, what->internal);
  else if (strcmp(name, "suspicious") == 0)
    push_suspicious(L, entity);
  else if (strcmp(name, "enriched") == 0)
    push_enriched(L, what);
  else if (strcmp(name, "tlp") == 0)
    push_text(L, what->tlp);
  else if (strcmp(name, "properties") == 0)
    push_properties(L, what);
  else
    luaL_error(L, "an entity has no field or method \"%s\"", name);
}

/* The upvalue: the methods. */
static int entity_index(lua_State *L)
{
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL)
    push_field(L, check(L), luaL_checkstring(L, 2));
  return 1;
}

static int entity_newindex(lua_State *L)
{
  return luaL_error(L, "an entity is read-only: use entity:enrich and the other methods");
}

static int entity_tostring(lua_State *L)
{
  push_text(L, known(L, check(L))->identifier);
  return 1;
}

/* ---- methods ---- */

/* What the finding takes now counts as memory of the scripts. */
static void count_memory(lua_State *L)
{
  struct script_job *job = script_job_current(L);
  size_t bytes = case_finding_bytes(&job->finding);
  script_native(job->run->host, (ptrdiff_t)bytes - (ptrdiff_t)job->finding_bytes);
  job->finding_bytes = bytes;
}

/* Raises what writing on the finding ended with. */
static int written(lua_State *L, int rc, const char *method)
{
  if (rc == AP_E_NO_MEMORY)
    script_out_of_memory();
  if (rc == AP_E_TOO_LARGE)
    return luaL_error(L, "entity:%s: more than an entity may carry", method);
  if (rc != AP_OK)
    return luaL_error(L, "entity:%s: %s", method, ap_error_text(rc));
  count_memory(L);
  return 0;
}

/* Adds the value at index to json as JSON; raises when it is none, and frees json then.
 * [-0, +0, e] */
static void write_json(lua_State *L, int index, const char *method, struct ap_buf *json)
{
  struct ap_error err = {0};
  if (script_json_write(L, index, json, &err) == AP_OK)
    return;
  ap_buf_deinit(json);
  luaL_error(L, "entity:%s: %s", method, err.text);
}

/* The text in a field of the table at 2. [-0, +1, e] */
static struct ap_slice push_field_text(lua_State *L, const char *field, const char *method)
{
  struct ap_slice text;
  lua_pushstring(L, field);
  if (lua_rawget(L, 2) != LUA_TSTRING)
    luaL_error(L, "entity:%s: %s must be a text", method, field);
  text.ptr = lua_tolstring(L, -1, &text.len);
  return text;
}

/* entity:enrich(field, value): a nil value writes nothing */
static int entity_enrich(lua_State *L)
{
  size_t len;
  struct case_finding *finding = check_own(L, "enrich");
  const char *name = luaL_checklstring(L, 2, &len);
  luaL_argcheck(L, len > 0, 2, "a field has a name");
  if (lua_isnoneornil(L, 3))
    return 0;
  struct ap_buf json = {0};
  size_t text_len;
  const char *text = lua_type(L, 3) == LUA_TSTRING ? lua_tolstring(L, 3, &text_len) : NULL;
  if (text)
    ap_json_write_string(&json, text, text_len);
  else
    write_json(L, 3, "enrich", &json);
  int rc = ap_buf_error(&json);
  if (rc == AP_OK)
    rc = case_finding_enrich(finding, name, len, ap_slice_of(&json));
  ap_buf_deinit(&json);
  return written(L, rc, "enrich");
}

/* entity:mark_suspicious() */
static int entity_mark_suspicious(lua_State *L)
{
  check_own(L, "mark_suspicious")->suspicious = true;
  return 0;
}

/* entity:insight{ severity = "info"|"warn"|"error", title =, body = } */
static int entity_insight(lua_State *L)
{
  const struct entity *entity = check(L);
  struct case_finding *finding = check_own(L, "insight");
  luaL_checktype(L, 2, LUA_TTABLE);
  struct ap_slice severity = push_field_text(L, "severity", "insight");
  struct ap_slice title = push_field_text(L, "title", "insight");
  struct ap_slice body = push_field_text(L, "body", "insight");
  if (!ap_slice_is(severity, "info") && !ap_slice_is(severity, "warn") &&
      !ap_slice_is(severity, "error"))
    return luaL_error(L, "entity:insight: severity must be info, warn or error");
  return written(L,
                 case_finding_insight(finding, known(L, entity)->identifier, severity.ptr, title,
                                      body, script_job_current(L)->provider),
                 "insight");
}

/* entity:table{ title =, columns = { texts }, rows = { { cells } } or vt.engines(report).rows } */
static int entity_table(lua_State *L)
{
  struct case_finding *finding = check_own(L, "table");
  const char *identifier = known(L, check(L))->identifier;
  struct ap_buf json = {0}; /* the columns, then rows that are a table */
  luaL_checktype(L, 2, LUA_TTABLE);
  struct ap_slice title = push_field_text(L, "title", "table");
  lua_pushliteral(L, "rows");
  int type = lua_rawget(L, 2);
  struct ap_slice rows = script_json_text(L, -1);
  luaL_argcheck(L, rows.ptr || type == LUA_TTABLE, 2, "rows must be a list of lists");
  lua_pushliteral(L, "columns");
  luaL_argcheck(L, lua_rawget(L, 2) == LUA_TTABLE, 2, "columns must be a list of texts");
  write_json(L, -1, "table", &json);
  struct ap_slice columns = ap_slice_of(&json);
  if (!rows.ptr) {
    write_json(L, -2, "table", &json);
    columns.ptr = json.ptr;
    rows = (struct ap_slice){json.ptr + columns.len, json.len - columns.len};
  }
  int rc = case_finding_table(finding, identifier, title, columns, rows);
  ap_buf_deinit(&json);
  return written(L, rc, "table");
}

/* entity:link(url) */
static int entity_link(lua_State *L)
{
  enum { URL_MAX = 8192 };
  size_t len;
  struct case_finding *finding = check_own(L, "link");
  const char *url = luaL_checklstring(L, 2, &len);
  luaL_argcheck(L, len <= URL_MAX, 2, "longer than 8192 bytes");
  luaL_argcheck(L, strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0, 2,
                "a link begins with https:// or http://");
  for (size_t i = 0; i < len; i++)
    luaL_argcheck(L, (unsigned char)url[i] >= 0x20 && url[i] != 0x7f, 2,
                  "a link has no control characters");
  ap_buf_clear(&finding->link);
  ap_buf_add(&finding->link, url, len);
  return written(L, ap_buf_error(&finding->link), "link");
}

static int64_t count_field(lua_State *L, const char *name, bool is_optional)
{
  int is_integer;
  lua_pushstring(L, name);
  if (lua_rawget(L, 2) == LUA_TNIL && is_optional) {
    lua_pop(L, 1);
    return -1;
  }
  lua_Integer count = lua_tointegerx(L, -1, &is_integer);
  lua_pop(L, 1);
  if (!is_integer || count < 0)
    return luaL_error(L, "entity:result: %s must be a whole number of 0 or more", name);
  return count;
}

/* entity:result{ detections =, total = or nil, threshold = or nil, risky = true|false } */
static int entity_result(lua_State *L)
{
  struct case_finding *finding = check_own(L, "result");
  luaL_checktype(L, 2, LUA_TTABLE);
  int64_t detections = count_field(L, "detections", false);
  int64_t total = count_field(L, "total", true);
  int64_t threshold = count_field(L, "threshold", true);
  lua_pushliteral(L, "risky");
  luaL_argcheck(L, lua_rawget(L, 2) == LUA_TBOOLEAN, 2, "risky must be true or false");
  finding->detections = detections;
  finding->total = total;
  finding->threshold = threshold;
  finding->risky = lua_toboolean(L, -1);
  return 0;
}

/* entity:domain([exact_host]) -> text | nil, reason, "invalid" */
static int entity_domain(lua_State *L)
{
  const struct case_entity *entity = known(L, check(L));
  struct ap_buf domain = {0};
  struct ap_error err = {0};
  int rc = case_domain_of(entity->identifier, strlen(entity->identifier), entity->type,
                          lua_toboolean(L, 2), &domain, &err);
  if (rc == AP_OK)
    lua_pushlstring(L, ap_buf_cstr(&domain), domain.len);
  ap_buf_deinit(&domain);
  if (rc == AP_E_NO_MEMORY)
    script_out_of_memory(); /* else it would pass for an entity without a domain */
  return rc == AP_OK ? 1 : script_push_error(L, rc, err.text);
}

static const luaL_Reg methods[] = {
    {"domain", entity_domain},
    {"enrich", entity_enrich},
    {"insight", entity_insight},
    {"link", entity_link},
    {"mark_suspicious", entity_mark_suspicious},
    {"result", entity_result},
    {"table", entity_table},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__newindex", entity_newindex},
    {"__tostring", entity_tostring},
    {NULL, NULL},
};

void script_entity_init(lua_State *L)
{
  luaL_newmetatable(L, entity_type);
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_pushcclosure(L, entity_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}
