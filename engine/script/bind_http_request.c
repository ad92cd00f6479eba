/* The options of a request: read once, checked, and made into what is sent. Nothing of them may
 * make two headers of one, or a second request. */
// SPDX-License-Identifier: Apache-2.0
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "script/http_op.h"
#include "script/json.h"
#include "script/secret.h"

enum {
  TIMEOUT_MS = 30000,
  TIMEOUT_MAX_S = 300,
  ANSWER_BYTES = 1 << 20,
  ANSWER_BYTES_MAX = 8 << 20,
  FIELDS_MAX = 256
};

struct reader {
  lua_State *L;
  int options;
  int allowed;
  struct script_http_parts *parts;
};

/* ---- values ---- */

static void add_plain(struct ap_buf *out, const char *text, size_t len)
{
  ap_buf_add(out, text, len);
}

static void fail(lua_State *L, const char *what, const char *why)
{
  luaL_error(L, "http: %s: %s", what, why);
}

/* Adds the value on top of the stack; raises, naming what it is of. */
static void add_value(const struct reader *reader, const char *what, script_piece_fn *add,
                      struct ap_buf *out, bool *has_secret)
{
  struct ap_error err = {0};
  lua_State *L = reader->L;
  if (script_secret_write(L, lua_gettop(L), reader->allowed, add, out, has_secret, &err) != AP_OK)
    fail(L, what, err.text);
  if (ap_buf_error(out))
    fail(L, what, "too long");
}

/* Pushes an option. [-0, +1, -] */
static int push_option(const struct reader *reader, const char *name)
{
  lua_pushstring(reader->L, name);
  return lua_rawget(reader->L, reader->options);
}

/* Pushes the names of the table at index, sorted: what is sent is the same each time. A number of
 * a list is no name. [-0, +1, e] */
static int push_names(lua_State *L, int index, const char *what)
{
  lua_newtable(L);
  int names = lua_gettop(L);
  lua_Integer count = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING)
      fail(L, what, "must be a table of names and values");
    if (++count > FIELDS_MAX)
      fail(L, what, "more than 256 names");
    lua_Integer at = count;
    for (; at > 1; at--) { /* few, and mostly one */
      lua_rawgeti(L, names, at - 1);
      bool is_behind = strcmp(lua_tostring(L, -1), lua_tostring(L, -2)) > 0;
      if (is_behind)
        lua_rawseti(L, names, at);
      else
        lua_pop(L, 1);
      if (!is_behind)
        break;
    }
    lua_pushvalue(L, -1);
    lua_rawseti(L, names, at);
  }
  return names;
}

/* ---- URL, query and form ---- */

/* name=value&name=value, of the table on top of the stack. */
static void add_fields(const struct reader *reader, const char *what, char before,
                       struct ap_buf *out, bool *has_secret)
{
  lua_State *L = reader->L;
  int fields = lua_gettop(L);
  if (!lua_istable(L, fields))
    fail(L, what, "must be a table of names and values");
  int names = push_names(L, fields, what);
  lua_Integer count = (lua_Integer)lua_rawlen(L, names);
  for (lua_Integer i = 1; i <= count; i++) {
    size_t len;
    lua_rawgeti(L, names, i);
    const char *name = lua_tolstring(L, -1, &len);
    if (before)
      ap_buf_add_char(out, before);
    before = '&';
    net_http_escape(out, name, len);
    ap_buf_add_char(out, '=');
    lua_pushvalue(L, -1);
    (void)lua_rawget(L, fields);
    if (lua_isboolean(L, -1)) {
      lua_pushstring(L, lua_toboolean(L, -1) ? "true" : "false");
      lua_replace(L, -2);
    }
    add_value(reader, name, net_http_escape, out, has_secret);
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
}

static void read_url(const struct reader *reader, int url)
{
  lua_State *L = reader->L;
  struct script_http_parts *parts = reader->parts;
  ap_buf_init(&parts->url, SCRIPT_HTTP_URL_MAX);
  if (url)
    lua_pushvalue(L, url);
  else
    (void)push_option(reader, "url");
  if (lua_isnil(L, -1))
    luaL_error(L, "http: url is missing");
  add_value(reader, "url", add_plain, &parts->url, &parts->url_has_secret);
  lua_pop(L, 1);
  const char *text = ap_buf_cstr(&parts->url);
  if (strlen(text) != parts->url.len)
    fail(L, "url", "has a NUL character");
  if (strchr(text, '#'))
    fail(L, "url", "a fragment (#) is not sent: leave it out, or write %23");
  if (push_option(reader, "query") != LUA_TNIL) {
    add_fields(reader, "query", strchr(text, '?') ? '&' : '?', &parts->url, &parts->url_has_secret);
    if (ap_buf_error(&parts->url))
      fail(L, "query", "the URL is longer than 8,192 bytes");
  }
  lua_pop(L, 1);
}

/* ---- headers ---- */

static bool is_token(const char *name)
{
  static const char marks[] = "!#$%&'*+-.^_`|~";
  if (!*name)
    return false;
  for (; *name; name++) {
    bool is_alnum = (*name >= '0' && *name <= '9') || (*name >= 'a' && *name <= 'z') ||
                    (*name >= 'A' && *name <= 'Z');
    if (!is_alnum && !strchr(marks, *name))
      return false;
  }
  return true;
}

/* What belongs to the connection and to the host. */
static bool is_reserved(const char *name)
{
  static const char *const names[] = {"Accept-Encoding",
                                      "Connection",
                                      "Content-Length",
                                      "Expect",
                                      "Host",
                                      "Keep-Alive",
                                      "TE",
                                      "Trailer",
                                      "Transfer-Encoding",
                                      "Upgrade"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (strcasecmp(name, names[i]) == 0)
      return true;
  return strncasecmp(name, "Proxy-", 6) == 0;
}

static struct ap_buf *new_line(const struct reader *reader, const char *name)
{
  struct script_http_parts *parts = reader->parts;
  if (parts->header_count == SCRIPT_HTTP_HEADERS_MAX)
    fail(reader->L, "headers", "more than 64");
  struct ap_buf *line = &parts->lines[parts->header_count];
  ap_buf_init(line, SCRIPT_HTTP_URL_MAX);
  ap_buf_add_fmt(line, "%s: ", name);
  parts->headers[parts->header_count++] = (struct net_web_header){0};
  return line;
}

static void end_line(const struct reader *reader, const struct ap_buf *line, const char *name)
{
  struct script_http_parts *parts = reader->parts;
  if (ap_buf_error(line))
    fail(reader->L, name, "longer than 8,192 bytes");
  const char *text = ap_buf_cstr(line);
  if (strlen(text) != line->len || strpbrk(text, "\r\n"))
    fail(reader->L, name, "a header is one line, without CR, LF and NUL");
  parts->headers[parts->header_count - 1].line = text;
}

static void read_headers(const struct reader *reader)
{
  lua_State *L = reader->L;
  if (push_option(reader, "headers") == LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  int headers = lua_gettop(L);
  if (!lua_istable(L, headers))
    fail(L, "headers", "must be a table of names and values");
  int names = push_names(L, headers, "headers");
  lua_Integer count = (lua_Integer)lua_rawlen(L, names);
  for (lua_Integer i = 1; i <= count; i++) {
    size_t len;
    lua_rawgeti(L, names, i);
    const char *name = lua_tolstring(L, -1, &len);
    if (!is_token(name) || strlen(name) != len)
      luaL_error(L, "http: headers: a name has a character that none may have");
    if (is_reserved(name))
      fail(L, name, "this header is made by the engine");
    struct ap_buf *line = new_line(reader, name);
    bool has_secret = false;
    lua_pushvalue(L, -1);
    (void)lua_rawget(L, headers);
    add_value(reader, name, add_plain, line, &has_secret);
    end_line(reader, line, name);
    reader->parts->headers[reader->parts->header_count - 1].has_secret = has_secret;
    lua_pop(L, 2);
  }
  lua_pop(L, 2);
}

static void add_content_type(const struct reader *reader, const char *type)
{
  static const char name[] = "Content-Type";
  const struct script_http_parts *parts = reader->parts;
  for (size_t i = 0; i < parts->header_count; i++)
    if (strncasecmp(parts->headers[i].line, "Content-Type:", sizeof(name)) == 0)
      return;
  struct ap_buf *line = new_line(reader, name);
  ap_buf_add_str(line, type);
  end_line(reader, line, name);
}

/* ---- body ---- */

/* A secret in JSON is a string like others. */
static int write_secret(void *arg, lua_State *L, struct ap_buf *out, struct ap_error *err)
{
  const struct reader *reader = arg;
  struct ap_buf text = {0};
  bool has_secret = false;
  int rc =
      script_secret_write(L, lua_gettop(L), reader->allowed, add_plain, &text, &has_secret, err);
  if (rc == AP_OK)
    ap_json_write_string(out, ap_buf_cstr(&text), text.len);
  ap_buf_wipe(&text);
  return rc;
}

static void read_json(struct reader *reader)
{
  struct ap_error err = {0};
  struct ap_buf *body = &reader->parts->body;
  if (script_json_write_with(reader->L, lua_gettop(reader->L), write_secret, reader, body, &err) !=
      AP_OK)
    fail(reader->L, "json", err.text);
}

static void read_body(struct reader *reader)
{
  static const struct {
    const char *option;
    const char *type;
  } kinds[] = {{"body", "text/plain; charset=utf-8"},
               {"form", "application/x-www-form-urlencoded"},
               {"json", "application/json"}};
  struct script_http_parts *parts = reader->parts;
  bool has_secret = false;
  ap_buf_init(&parts->body, SCRIPT_HTTP_BODY_MAX);
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    if (push_option(reader, kinds[i].option) != LUA_TNIL) {
      if (parts->has_body)
        luaL_error(reader->L, "http: one of body, form and json");
      parts->has_body = true;
      if (i == 0)
        add_value(reader, "body", add_plain, &parts->body, &has_secret);
      else if (i == 1)
        add_fields(reader, "form", '\0', &parts->body, &has_secret);
      else
        read_json(reader);
      if (ap_buf_error(&parts->body))
        fail(reader->L, kinds[i].option, "larger than 1 MiB");
      add_content_type(reader, kinds[i].type);
    }
    lua_pop(reader->L, 1);
  }
}

/* ---- the rest ---- */

static void read_limits(const struct reader *reader)
{
  lua_State *L = reader->L;
  struct script_http_parts *parts = reader->parts;
  parts->timeout_ms = TIMEOUT_MS;
  parts->max_answer_bytes = ANSWER_BYTES;
  if (push_option(reader, "timeout") != LUA_TNIL) {
    lua_Number seconds = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
    if (!(seconds > 0 && seconds <= TIMEOUT_MAX_S))
      fail(L, "timeout", "must be seconds, more than 0 and at most 300");
    parts->timeout_ms = (uint64_t)ceil(seconds * 1000);
  }
  if (push_option(reader, "max_bytes") != LUA_TNIL) {
    int is_integer = 0;
    lua_Integer bytes = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || bytes < 1 || bytes > ANSWER_BYTES_MAX)
      fail(L, "max_bytes", "must be 1 to 8388608");
    parts->max_answer_bytes = (size_t)bytes;
  }
  lua_pop(L, 2);
}

static void read_method(const struct reader *reader, const char *method)
{
  static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  lua_State *L = reader->L;
  int type = push_option(reader, "method");
  if (!method)
    method = type == LUA_TNIL ? "GET" : type == LUA_TSTRING ? lua_tostring(L, -1) : "";
  else if (type != LUA_TNIL)
    fail(L, "method", "goes with http.request");
  for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
    if (strcmp(methods[i], method) == 0)
      reader->parts->method = methods[i];
  if (!reader->parts->method)
    fail(L, "method", "must be GET, HEAD, POST, PUT, PATCH or DELETE");
  lua_pop(L, 1);
}

/* What changes something is sent once, and says by which key. */
static void read_once(const struct reader *reader)
{
  lua_State *L = reader->L;
  struct script_http_parts *parts = reader->parts;
  bool is_safe = strcmp(parts->method, "GET") == 0 || strcmp(parts->method, "HEAD") == 0;
  size_t len = 0;
  int type = push_option(reader, "once");
  const char *key = type == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
  if (type != LUA_TNIL && is_safe)
    fail(L, "once", "goes with POST, PUT, PATCH and DELETE");
  if (is_safe && parts->has_body)
    fail(L, parts->method, "has no body: say method = \"POST\"");
  if (!is_safe && type == LUA_TNIL)
    fail(L, parts->method,
         "needs once = KEY: a text that is the same when a run goes on, so that it is not sent a "
         "second time");
  if (!is_safe && (!key || len == 0 || len > SCRIPT_ONCE_KEY_MAX || strlen(key) != len))
    fail(L, "once", "must be a text of 1 to 200 bytes");
  if (key)
    memcpy(parts->once, key, len);
  lua_pop(L, 1);
}

static void check_names(const struct reader *reader, bool has_url)
{
  static const char *const names[] = {"body", "form", "headers", "json",  "max_bytes",
                                      "once", "url",  "method",  "query", "timeout"};
  lua_State *L = reader->L;
  lua_pushnil(L);
  while (lua_next(L, reader->options)) {
    bool is_known = false;
    lua_pop(L, 1);
    const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
      is_known = is_known || strcmp(names[i], name) == 0;
    if (!is_known || (has_url && strcmp(name, "url") == 0))
      luaL_error(L, "http: unknown option \"%s\"", luaL_tolstring(L, -1, NULL));
  }
}

void script_http_read(lua_State *L, int url, int options, int allowed, const char *method,
                      struct script_http_parts *parts)
{
  struct reader reader = {L, options, allowed, parts};
  luaL_checkstack(L, 24, NULL);
  check_names(&reader, url != 0);
  read_method(&reader, method);
  read_url(&reader, url);
  read_headers(&reader);
  read_body(&reader);
  read_limits(&reader);
  read_once(&reader);
}

void script_http_parts_wipe(struct script_http_parts *parts)
{
  ap_buf_wipe(&parts->url);
  ap_buf_wipe(&parts->body);
  for (size_t i = 0; i < parts->header_count; i++)
    ap_buf_wipe(&parts->lines[i]);
  parts->header_count = 0;
}
