/* The module `http`, given to actions that name their hosts: needs = { http = { "HOST", ... } }.
 * Each function waits. What the network does comes back as nil, message, code; misuse raises.
 *
 *   http.request{ url =, method = "GET", headers = {}, query = {}, body = | form = {} | json =,
 *                 timeout = 30 (seconds, of one try), max_bytes = 1 MiB, once = KEY }
 *   http.get(url[, options])     http.post(url[, options])
 *     -> answer { status =, headers = {}, body =, json(), is_repeat = }
 *
 *   Any status is an answer, 404 and 500 too. Names of headers are in lower case; several of one
 *   name are joined by ", ". answer.json() gives what json.decode gives for the body.
 *   Values of headers, query and form, and url and body, are texts, numbers or secrets; a secret
 *   stands in json too, and may be joined: "Bearer " .. secret "NAME". In an answer it is masked.
 *   Other methods than GET and HEAD need once = KEY: they are sent once in a run for an action and
 *   a key. When a run goes on, the answer of then is given again: is_repeat is true, headers is
 *   empty, and so is a body that was longer than 64 KiB.
 *
 * codes: "denied" a host that the manifest does not name, or an address that is private;
 * "in_doubt" it may have been sent before, and is not sent again; "timeout"; "network"; "tls";
 * "too_large"; "bad_answer" redirects without an end; "io" the journal; "deadline"; "canceled". */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "casefile/tlp.h"
#include "script/host_private.h"
#include "script/http_op.h"
#include "script/json.h"
#include "script/run_private.h"
#include "script/secret.h"

enum { HOSTS_UPVALUE = 1, SECRETS_UPVALUE, ACTION_UPVALUE };

struct http_op {
  struct net_web_service *service;
  struct script_http_parts parts;
  struct net_web_call *call;
  struct script_once *once;
  int code;
  char error[480];
  long status;
  struct ap_buf head;
  struct ap_buf body;
  bool is_repeat;
};

/* ---- its life ---- */

static void http_cancel(void *memory)
{
  struct http_op *op = memory;
  bool may_have_left = op->call && net_web_cancel(op->call);
  if (op->call && op->once && !may_have_left)
    script_once_undo(op->once);
  op->call = NULL;
  if (op->once)
    script_once_end(op->once);
  op->once = NULL;
}

static void http_release(void *memory)
{
  struct http_op *op = memory;
  script_http_parts_wipe(&op->parts);
  ap_buf_deinit(&op->head);
  ap_buf_deinit(&op->body);
}

static const struct task_op_kind request_kind = {"http.request", http_cancel, http_release};
static const struct task_op_kind get_kind = {"http.get", http_cancel, http_release};
static const struct task_op_kind post_kind = {"http.post", http_cancel, http_release};

static void set_error(struct http_op *op, int code, const char *text)
{
  op->code = code;
  (void)snprintf(op->error, sizeof(op->error), "%s", text && *text ? text : ap_error_text(code));
}

static void end_once(struct http_op *op)
{
  if (op->once)
    script_once_end(op->once);
  op->once = NULL;
}

/* ---- the request ---- */

static void answered(void *arg, const struct net_http_answer *answer)
{
  struct http_op *op = arg;
  op->call = NULL;
  if (answer->code == AP_OK) {
    op->status = answer->status;
    ap_buf_add(&op->head, answer->head.ptr, answer->head.len);
    ap_buf_add(&op->body, answer->body.ptr, answer->body.len);
    if (ap_buf_error(&op->head) || ap_buf_error(&op->body))
      script_out_of_memory();
    if (op->once)
      script_once_sent(op->once, answer->status, answer->body);
  } else {
    set_error(op, answer->code, answer->error);
    if (op->once && !answer->was_sent)
      script_once_undo(op->once);
  }
  end_once(op);
  task_op_wake(op);
}

/* AP_PENDING, or why it is not sent; then nothing waits. */
static int send_request(struct http_op *op)
{
  struct ap_error err = {0};
  const struct script_http_parts *parts = &op->parts;
  const struct net_web_request request = {
      .method = parts->method,
      .url = ap_buf_cstr(&parts->url),
      .url_has_secret = parts->url_has_secret,
      .headers = parts->headers,
      .header_count = parts->header_count,
      .body = {parts->has_body ? ap_buf_cstr(&parts->body) : NULL, parts->body.len},
      .timeout_ms = parts->timeout_ms,
      .max_answer_bytes = parts->max_answer_bytes,
  };
  int rc = net_web_start(op->service, &request, answered, op, &op->call, &err);
  if (rc != AP_PENDING)
    set_error(op, rc, err.text);
  script_http_parts_wipe(&op->parts);
  return rc;
}

/* ---- once ---- */

static void repeat(struct http_op *op, const struct script_once_answer *answer)
{
  op->status = answer->status;
  op->is_repeat = true;
  ap_buf_add(&op->body, answer->body.ptr, answer->body.len);
  if (ap_buf_error(&op->body))
    script_out_of_memory();
}

static void told_once(void *arg, const struct script_once_answer *answer)
{
  struct http_op *op = arg;
  switch (answer->state) {
  case SCRIPT_ONCE_NEW:
    if (send_request(op) == AP_PENDING)
      return;
    script_once_undo(op->once);
    break;
  case SCRIPT_ONCE_SENT:
    repeat(op, answer);
    break;
  case SCRIPT_ONCE_DOUBT:
    set_error(op, AP_E_IN_DOUBT, NULL);
    break;
  case SCRIPT_ONCE_FAILED:
    set_error(op, AP_E_IO, "nothing was sent, for the journal cannot be written");
    break;
  }
  end_once(op);
  task_op_wake(op);
}

/* ---- the answer ---- */

static int answer_json(lua_State *L)
{
  struct ap_slice body;
  body.ptr = lua_tolstring(L, lua_upvalueindex(1), &body.len);
  lua_settop(L, 0);
  return script_json_decode(L, body);
}

/* Joins a header to what the table on top of the stack has of its name. [-0, +0, m] */
static void add_header(lua_State *L, const char *line, size_t len)
{
  const char *colon = memchr(line, ':', len);
  if (!colon || colon == line)
    return;
  const char *value = colon + 1;
  const char *end = line + len;
  while (value < end && (*value == ' ' || *value == '\t'))
    value++;
  while (end > value && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
    end--;
  luaL_Buffer name;
  luaL_buffinit(L, &name);
  for (const char *c = line; c < colon; c++)
    luaL_addchar(&name, (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c));
  luaL_pushresult(&name);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TSTRING) {
    lua_pushliteral(L, ", ");
    lua_pushlstring(L, value, (size_t)(end - value));
    lua_concat(L, 3);
  } else {
    lua_pop(L, 1);
    lua_pushlstring(L, value, (size_t)(end - value));
  }
  lua_rawset(L, -3);
}

static void push_headers(lua_State *L, const struct ap_buf *head)
{
  const char *line = ap_buf_cstr(head);
  const char *end = line + head->len;
  lua_newtable(L);
  while (line < end) {
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    if (!stop)
      stop = end;
    add_header(L, line, (size_t)(stop - line));
    line = stop + 1;
  }
}

static void push_answer(lua_State *L, const struct http_op *op)
{
  lua_createtable(L, 0, 5);
  lua_pushinteger(L, op->status);
  lua_setfield(L, -2, "status");
  push_headers(L, &op->head);
  lua_setfield(L, -2, "headers");
  lua_pushlstring(L, ap_buf_cstr(&op->body), op->body.len);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "body");
  lua_pushcclosure(L, answer_json, 1);
  lua_setfield(L, -2, "json");
  if (op->is_repeat) {
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "is_repeat");
  }
}

static int request_done(lua_State *L, int status, lua_KContext ctx)
{
  enum { BYTES_PER_INSTRUCTION = 8 };
  struct http_op *op = (struct http_op *)ctx;
  int count = 1;
  (void)status;
  luaL_checkstack(L, 16, NULL);
  if (task_op_code(op) != AP_OK)
    count = script_push_error(L, task_op_code(op), NULL);
  else if (op->code != AP_OK)
    count = script_push_error(L, op->code, op->error);
  else
    push_answer(L, op);
  size_t bytes = op->body.len;
  task_op_end(op);
  script_charge(L, bytes / BYTES_PER_INSTRUCTION);
  return count;
}

/* ---- the functions ---- */

/* An entity that must not leave is not told to another service either. */
static bool may_leave(const struct script_job *job)
{
  if (job->entity == SCRIPT_NO_ENTITY)
    return true;
  const char *tlp = casefile_entity(job->run->options.cf, job->entity)->tlp;
  return !tlp || case_tlp_may_leave(tlp);
}

static int ask(lua_State *L, int url, int options, const char *method,
               const struct task_op_kind *kind)
{
  const struct script_job *job = script_job_check(L, SCRIPT_MAY_HTTP, kind->name);
  struct http_op *op = task_op_begin(L, sizeof(*op), kind);
  op->service = lua_touserdata(L, lua_upvalueindex(HOSTS_UPVALUE));
  lua_pushvalue(L, lua_upvalueindex(SECRETS_UPVALUE));
  script_http_read(L, url, options, lua_gettop(L), method, &op->parts);
  if (!may_leave(job)) {
    set_error(op, AP_E_DENIED, "its TLP does not let it leave");
    task_op_wake(op);
  } else if (*op->parts.once)
    op->once = script_once_begin(job->run, lua_tostring(L, lua_upvalueindex(ACTION_UPVALUE)),
                                 op->parts.once, told_once, op);
  else if (send_request(op) != AP_PENDING)
    task_op_wake(op);
  return task_op_wait(L, op, request_done);
}

static int http_request(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  return ask(L, 0, 1, NULL, &request_kind);
}

static int ask_url(lua_State *L, const char *method, const struct task_op_kind *kind)
{
  luaL_checkany(L, 1);
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) {
    lua_newtable(L);
    lua_replace(L, 2);
  }
  luaL_checktype(L, 2, LUA_TTABLE);
  return ask(L, 1, 2, method, kind);
}

static int http_get(lua_State *L)
{
  return ask_url(L, "GET", &get_kind);
}

static int http_post(lua_State *L)
{
  return ask_url(L, "POST", &post_kind);
}

static const luaL_Reg functions[] = {
    {"get", http_get},
    {"post", http_post},
    {"request", http_request},
    {NULL, NULL},
};

/* ---- granting it ---- */

static lua_Integer number_in(lua_State *L, int terms, const char *name)
{
  lua_getfield(L, terms, name);
  lua_Integer number = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return number;
}

/* Of the engine's own Lua: nothing in it needs checking twice but the hosts. */
static int find_service(lua_State *L, int terms, const char *action,
                        struct net_web_service **service, struct ap_error *err)
{
  enum { HOSTS_MAX = 32 };
  const char *hosts[HOSTS_MAX];
  size_t count = 0;
  lua_getfield(L, terms, "hosts");
  int list = lua_gettop(L);
  for (lua_Integer i = 1; count < HOSTS_MAX && lua_rawgeti(L, list, i) == LUA_TSTRING; i++) {
    hosts[count++] = lua_tostring(L, -1); /* the list keeps it */
    lua_pop(L, 1);
  }
  lua_settop(L, list - 1);
  const struct net_web_terms given = {
      .hosts = hosts,
      .host_count = count,
      .rate = (uint32_t)number_in(L, terms, "rate"),
      .per_ms = (uint64_t)number_in(L, terms, "per_ms"),
      .retries = (uint32_t)number_in(L, terms, "retries"),
  };
  return net_web_service(script_run_of(L)->options.web, action, &given, service, err);
}

int script_http_push_module(lua_State *L, int terms, struct ap_error *err)
{
  struct net_web_service *service = NULL;
  luaL_checkstack(L, 16, NULL);
  if (!script_run_of(L)->options.web)
    return ap_fail(err, AP_E_INVALID, "http is not there for this command");
  lua_getfield(L, terms, "action");
  const char *action = luaL_checkstring(L, -1);
  lua_pop(L, 1); /* the table keeps it */
  int rc = find_service(L, terms, action, &service, err);
  if (rc != AP_OK)
    return rc;
  luaL_newlibtable(L, functions);
  lua_pushlightuserdata(L, service);
  lua_newtable(L);
  lua_getfield(L, terms, "secrets");
  int secrets = lua_gettop(L);
  for (lua_Integer i = 1; lua_rawgeti(L, secrets, i) == LUA_TSTRING; i++) {
    lua_pushboolean(L, 1);
    lua_rawset(L, secrets - 1);
  }
  lua_settop(L, secrets - 1);
  lua_pushstring(L, action);
  luaL_setfuncs(L, functions, 3);
  return AP_OK;
}
