/* The module `sftp`, given to actions that declare the capability: files of another machine. All
 * wait; what the world does comes back as nil, message, code.
 *
 *   sftp.open{ host =, port = 22, user =, password =, key =, key_passphrase =, agent = false,
 *              known_hosts =, host_key = }  -> connection | nil, message, code
 *       password and key_passphrase are handles of secrets (parameters of type secret); key and
 *       known_hosts are paths; host_key is "SHA256:...", the only key to trust. Tasks that open
 * with the same options share one connection, and when it fails it has failed for all of them.
 *
 *   connection:list(folder[, max]) -> { { name =, type =, size =, mtime = }, ... }, is_cut
 *       max: 1,000 without; 10,000 at most. type is "file", "folder", "link" or "other"; mtime is
 * in seconds since 1970. Names are the server's bytes: never "." or "..", never with "/"
 *   connection:stat(path)          -> { type =, size =, mtime = }, of a link itself
 *   connection:open_file(path)     -> source, as files.open gives it; a regular file
 *   connection:close()             again is fine; <close> and the collector do it too
 *
 * codes: "denied" the host key is unknown, changed or revoked; "forbidden" the login was refused,
 * or the file is closed to this user; "not_found"; "invalid" no regular file, a key that cannot be
 * used; "timeout"; "network"; "io". */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "script/files.h"
#include "script/host_private.h"

static const char connection_type[] = "SFTP connection";

/* What a script holds. */
struct script_handle {
  struct script_handle *prev, *next; /* in job->connections */
  struct script_job *job;            /* NULL: closed */
  struct script_connection *connection;
};

/* ---- who uses a connection ---- */

void script_connection_use(struct script_connection *connection)
{
  connection->users++;
}

void script_connection_leave(struct script_connection *connection)
{
  connection->users--;
}

static void handle_close(struct script_handle *handle)
{
  if (!handle->job)
    return;
  DL_DELETE(handle->job->connections, handle);
  handle->job = NULL;
  script_connection_leave(handle->connection);
  handle->connection = NULL;
}

void script_connections_leave(struct script_job *job)
{
  while (job->connections)
    handle_close(job->connections);
}

static void connection_free(struct script_connection *connection)
{
  net_sftp_close(connection->sftp);
  ap_buf_deinit(&connection->key);
  free(connection->text);
  free(connection);
}

void script_connections_drop(struct script_run *run, bool is_end)
{
  struct script_connection *left = run->connections;
  run->connections = NULL;
  while (left) {
    struct script_connection *connection = left;
    left = connection->next;
    if (connection->users && !is_end)
      LL_PREPEND(run->connections, connection);
    else
      connection_free(connection);
  }
}

/* ---- opening ---- */

struct sftp_opening {
  struct sftp_opening *prev, *next; /* in connection->waiting */
  struct script_job *job;
  struct script_connection *connection; /* that is waited for; NULL: none */
};

static void opening_cancel(void *memory)
{
  struct sftp_opening *opening = memory;
  if (!opening->connection)
    return;
  if (opening->connection->state == SCRIPT_OPENING)
    DL_DELETE(opening->connection->waiting, opening);
}

static void opening_release(void *memory)
{
  struct sftp_opening *opening = memory;
  if (opening->connection)
    script_connection_leave(opening->connection);
}

static const struct task_op_kind open_kind = {"sftp.open", opening_cancel, opening_release};

static void set_failed(struct script_connection *connection, int code, const char *text)
{
  connection->state = SCRIPT_FAILED;
  connection->code = code;
  connection->text = strdup(text && *text ? text : ap_error_text(code));
  if (!connection->text)
    script_out_of_memory();
}

static void ready(void *arg, int code, const char *text)
{
  struct script_connection *connection = arg;
  if (code == AP_OK) {
    connection->state = SCRIPT_OPEN;
  } else {
    set_failed(connection, code, text);
    net_sftp_close(connection->sftp);
    connection->sftp = NULL;
  }
  while (connection->waiting) {
    struct sftp_opening *opening = connection->waiting;
    DL_DELETE(connection->waiting, opening);
    task_op_wake(opening);
  }
}

/* ---- finding or making it ---- */

static struct script_connection *find(const struct script_run *run, const struct ap_buf *key)
{
  struct script_connection *known = run->connections;
  while (known && !(known->key.len == key->len && memcmp(known->key.ptr, key->ptr, key->len) == 0))
    known = known->next;
  return known;
}

static struct script_connection *
begin_connection(struct script_run *run, const struct net_sftp_options *options, struct ap_buf *key)
{
  struct ap_error err = {0};
  struct script_connection *made = calloc(1, sizeof(*made));
  if (!made)
    script_out_of_memory();
  made->key = *key;
  LL_PREPEND(run->connections, made);
  int rc = net_sftp_open(script_host_loop(run->host), options, ready, made, &made->sftp, &err);
  if (rc != AP_PENDING)
    set_failed(made, rc, err.text);
  return made;
}

static int push_handle(lua_State *L, struct script_job *job, struct script_connection *connection)
{
  struct script_handle *handle = lua_newuserdatauv(L, sizeof(*handle), 0);
  *handle = (struct script_handle){0};
  luaL_setmetatable(L, connection_type);
  handle->job = job;
  handle->connection = connection;
  DL_APPEND(job->connections, handle);
  script_connection_use(connection);
  return 1;
}

static int open_done(lua_State *L, int status, lua_KContext ctx)
{
  struct sftp_opening *opening = (struct sftp_opening *)ctx;
  struct script_connection *connection = opening->connection;
  int code = task_op_code(opening);
  int count;
  (void)status;
  luaL_checkstack(L, 8, NULL);
  if (code != AP_OK)
    count = script_push_error(L, code, NULL);
  else if (connection->state == SCRIPT_FAILED)
    count = script_push_error(L, connection->code, connection->text);
  else
    count = push_handle(L, opening->job, connection);
  task_op_end(opening);
  return count;
}

static int sftp_open(lua_State *L)
{
  struct net_sftp_options options;
  struct ap_buf key = {0};
  struct script_job *job = script_job_check(L, SCRIPT_MAY_SFTP, "sftp.open");
  int first = script_sftp_take_fields(L, 1);
  script_sftp_read_options(L, first, &options);
  struct sftp_opening *opening = task_op_begin(L, sizeof(*opening), &open_kind);
  script_sftp_write_key(&options, &key);
  struct script_connection *connection = find(job->run, &key);
  if (connection)
    ap_buf_deinit(&key);
  else
    connection = begin_connection(job->run, &options, &key);
  opening->job = job;
  opening->connection = connection;
  script_connection_use(connection);
  if (connection->state == SCRIPT_OPENING)
    DL_APPEND(connection->waiting, opening);
  else
    task_op_wake(opening);
  return task_op_wait(L, opening, open_done);
}

/* ---- using it ---- */

struct script_connection *script_connection_check(lua_State *L)
{
  const struct script_handle *handle = luaL_checkudata(L, 1, connection_type);
  if (!handle->job)
    luaL_error(L, "the connection is closed");
  if (handle->job != script_job_current(L))
    luaL_error(L, "a connection works in the run of the entity that opened it only");
  return handle->connection;
}

const char *script_connection_path(lua_State *L)
{
  size_t len;
  const char *path = luaL_checklstring(L, 2, &len);
  luaL_argcheck(L, len > 0 && strlen(path) == len, 2, "no path");
  return path;
}

static int connection_open_file(lua_State *L)
{
  struct script_connection *connection = script_connection_check(L);
  return script_file_open(L, connection, script_connection_path(L));
}

/* ---- the handle ---- */

/* connection:close(), __close: of its own run only, so that no other ends what is under way */
static int connection_close(lua_State *L)
{
  struct script_handle *handle = luaL_checkudata(L, 1, connection_type);
  if (handle->job && handle->job != script_job_current(L))
    luaL_error(L, "a connection works in the run of the entity that opened it only");
  handle_close(handle);
  return 0;
}

static int connection_gc(lua_State *L)
{
  handle_close(luaL_checkudata(L, 1, connection_type));
  return 0;
}

static int connection_tostring(lua_State *L)
{
  (void)luaL_checkudata(L, 1, connection_type);
  lua_pushstring(L, connection_type);
  return 1;
}

static const luaL_Reg methods[] = {
    {"close", connection_close},
    {"list", script_connection_list},
    {"open_file", connection_open_file},
    {"stat", script_connection_stat},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__close", connection_close},
    {"__gc", connection_gc},
    {"__tostring", connection_tostring},
    {NULL, NULL},
};

void script_sftp_init(lua_State *L)
{
  luaL_newmetatable(L, connection_type);
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

static const luaL_Reg functions[] = {
    {"open", sftp_open},
    {NULL, NULL},
};

void script_sftp_push_module(lua_State *L)
{
  luaL_newlib(L, functions);
}
