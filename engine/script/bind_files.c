/* The module `files`, given to actions that declare the capability, and the sources that it and
 * `sftp` open. What waits, or what the world does, comes back as nil, message, code.
 *
 *   files.open(path) -> source | nil, message, code     a regular file of this machine; waits
 *
 *   source.name        the path it was opened by
 *   source.size        bytes, when it was opened
 *   source:digests()   -> { md5 =, sha1 =, sha256 = } | nil, message, code. Reads all of it; waits.
 *                      A local file is read again when it is sent, and must be the same then; one
 * of another machine is kept, in memory or in a temporary file without a name source:close() again
 * is fine; <close> and the collector do it too
 *
 * vt.file_scan takes a source: it is closed afterwards. A source works in the run of the entity
 * that opened it only, and ends with it. Few are open at a time: files.open waits for room. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "net/file.h"
#include "script/files.h"
#include "script/host_private.h"

/* Each costs a few megabytes while it is read or kept. */
enum { SOURCES_MAX = 16 };

static const char source_type[] = "file source";

/* ---- room ---- */

struct source_opening {
  struct source_opening *prev, *next; /* in run->openings, while it waits for room */
  struct script_job *job;
  struct script_connection *connection; /* NULL: of this machine */
  char *path;
  bool waits;
  bool has_room;
  struct net_file_opening *local; /* under way; NULL: none */
  struct net_sftp_op *remote;
  struct net_source bytes;
  int code;
  char *message;
};

static void begin_opening(struct source_opening *opening);

static void give_room_back(struct script_run *run)
{
  run->sources_open--;
  struct source_opening *next = run->openings;
  if (!next || run->is_closing)
    return;
  DL_DELETE(run->openings, next);
  next->waits = false;
  begin_opening(next);
}

/* ---- opening ---- */

static void opening_cancel(void *memory)
{
  struct source_opening *opening = memory;
  if (opening->waits)
    DL_DELETE(opening->job->run->openings, opening);
  if (opening->local)
    net_file_open_cancel(opening->local);
  if (opening->remote)
    net_sftp_cancel(opening->remote);
  opening->waits = false;
  opening->local = NULL;
  opening->remote = NULL;
}

static void opening_release(void *memory)
{
  struct source_opening *opening = memory;
  if (opening->bytes.kind)
    opening->bytes.kind->close(opening->bytes.self);
  if (opening->has_room)
    give_room_back(opening->job->run);
  free(opening->path);
  free(opening->message);
}

static const struct task_op_kind open_kind = {"files.open", opening_cancel, opening_release};
static const struct task_op_kind open_remote_kind = {"connection:open_file", opening_cancel,
                                                     opening_release};

static void opening_ended(struct source_opening *opening, int code, const char *text)
{
  opening->local = NULL;
  opening->remote = NULL;
  opening->code = code;
  if (code != AP_OK)
    opening->message = strdup(text && *text ? text : ap_error_text(code));
  if (code != AP_OK && !opening->message)
    script_out_of_memory();
  task_op_wake(opening);
}

static void opened(void *arg, int code, const char *text, const struct net_source *source)
{
  struct source_opening *opening = arg;
  if (code == AP_OK)
    opening->bytes = *source;
  opening_ended(opening, code, text);
}

static void opened_remote(void *arg, int code, const char *text, struct net_sftp_file *file)
{
  struct source_opening *opening = arg;
  if (code == AP_OK)
    opening->bytes = net_sftp_source(file);
  opening_ended(opening, code, text);
}

static void begin_opening(struct source_opening *opening)
{
  struct script_run *run = opening->job->run;
  int rc;
  run->sources_open++;
  opening->has_room = true;
  if (opening->connection)
    rc = net_sftp_open_file(opening->connection->sftp, opening->path, opened_remote, opening,
                            &opening->remote);
  else
    rc =
        net_file_open(script_host_loop(run->host), opening->path, opened, opening, &opening->local);
  if (rc != AP_PENDING)
    opening_ended(opening, rc, NULL);
}

/* [-0, +1, m] */
static void source_push(lua_State *L, struct source_opening *opening)
{
  size_t len = strlen(opening->path);
  struct script_file *source = lua_newuserdatauv(L, sizeof(*source) + len + 1, 0);
  *source = (struct script_file){0};
  memcpy(source->name, opening->path, len + 1);
  luaL_setmetatable(L, source_type);
  source->job = opening->job;
  source->bytes = opening->bytes;
  source->size = opening->bytes.size;
  source->connection = opening->connection;
  if (source->connection)
    script_connection_use(source->connection);
  DL_APPEND(source->job->sources, source);
  opening->bytes.kind = NULL;
  opening->has_room = false; /* it is the source's now */
}

static int open_done(lua_State *L, int status, lua_KContext ctx)
{
  struct source_opening *opening = (struct source_opening *)ctx;
  int code = task_op_code(opening);
  int count = 1;
  (void)status;
  luaL_checkstack(L, 8, NULL);
  if (code != AP_OK)
    count = script_push_error(L, code, NULL);
  else if (opening->code != AP_OK)
    count = script_push_error(L, opening->code, opening->message);
  else
    source_push(L, opening);
  task_op_end(opening);
  return count;
}

/* Who has one open already does not wait for room: two that do would wait for each other. */
static bool has_room(const struct script_job *job)
{
  return job->run->sources_open < SOURCES_MAX || job->sources;
}

int script_file_open(lua_State *L, struct script_connection *connection, const char *path)
{
  struct script_job *job = script_job_current(L);
  struct source_opening *opening =
      task_op_begin(L, sizeof(*opening), connection ? &open_remote_kind : &open_kind);
  opening->job = job;
  opening->connection = connection;
  opening->path = strdup(path);
  if (!opening->path)
    script_out_of_memory();
  if (has_room(job)) {
    begin_opening(opening);
  } else {
    opening->waits = true;
    DL_APPEND(job->run->openings, opening);
  }
  return task_op_wait(L, opening, open_done);
}

/* files.open(path) */
static int files_open(lua_State *L)
{
  size_t len;
  const char *path = luaL_checklstring(L, 1, &len);
  luaL_argcheck(L, len > 0 && strlen(path) == len, 1, "no path");
  (void)script_job_check(L, SCRIPT_MAY_FILES, "files.open");
  return script_file_open(L, NULL, path);
}

/* ---- a source ---- */

void script_file_close(struct script_file *source)
{
  struct script_job *job = source->job;
  if (!job)
    return;
  if (source->bytes.kind)
    source->bytes.kind->close(source->bytes.self);
  source->bytes.kind = NULL;
  source->job = NULL;
  DL_DELETE(job->sources, source);
  if (source->connection)
    script_connection_leave(source->connection);
  source->connection = NULL;
  give_room_back(job->run);
}

struct script_file *script_file_own(lua_State *L, int arg)
{
  struct script_file *source = luaL_checkudata(L, arg, source_type);
  if (source->job && source->job != script_job_current(L))
    luaL_error(L, "a file source works in the run of the entity that opened it only");
  return source;
}

struct script_file *script_file_check(lua_State *L, int arg)
{
  struct script_file *source = script_file_own(L, arg);
  if (!source->job || !source->bytes.kind) {
    (void)script_push_error(L, AP_E_CLOSED, "the file is closed");
    return NULL;
  }
  int rc = source->was_read ? source->bytes.kind->rewind(source->bytes.self) : AP_OK;
  if (rc != AP_OK) {
    (void)script_push_error(L, rc, "the file cannot be read again");
    return NULL;
  }
  source->was_read = false;
  return source;
}

/* source:close(), __close: of its own run only, so that no other ends a read under way */
static int source_close(lua_State *L)
{
  script_file_close(script_file_own(L, 1));
  return 0;
}

static int source_gc(lua_State *L)
{
  script_file_close(luaL_checkudata(L, 1, source_type));
  return 0;
}

/* ---- its methods ---- */

static const luaL_Reg source_methods[] = {
    {"close", source_close},
    {"digests", script_file_digests},
    {NULL, NULL},
};

static int source_index(lua_State *L)
{
  const struct script_file *source = luaL_checkudata(L, 1, source_type);
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(key, "size") == 0)
    lua_pushinteger(L, (lua_Integer)source->size);
  else if (strcmp(key, "name") == 0)
    lua_pushstring(L, source->name);
  else
    lua_getfield(L, lua_upvalueindex(1), key);
  return 1;
}

static int source_tostring(lua_State *L)
{
  const struct script_file *source = luaL_checkudata(L, 1, source_type);
  lua_pushfstring(L, "file source: %s", source->name);
  return 1;
}

static const luaL_Reg source_metamethods[] = {
    {"__close", source_close},
    {"__gc", source_gc},
    {"__tostring", source_tostring},
    {NULL, NULL},
};

void script_file_init(lua_State *L)
{
  luaL_newmetatable(L, source_type);
  luaL_setfuncs(L, source_metamethods, 0);
  luaL_newlib(L, source_methods);
  lua_pushcclosure(L, source_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

static const luaL_Reg files_functions[] = {
    {"open", files_open},
    {NULL, NULL},
};

void script_files_push_module(lua_State *L)
{
  luaL_newlib(L, files_functions);
}
