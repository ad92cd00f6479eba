/* connection:list and connection:stat of bind_sftp.c: what another machine has. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "script/files.h"
#include "script/host_private.h"

enum { LIST_USUAL = 1000, LIST_MAX = 10000, INSTRUCTIONS_PER_ENTRY = 32 };

struct look_op {
  struct net_sftp_op *call; /* under way; NULL: none */
  bool is_list;
  int code;
  char *message;
  struct net_sftp_stat stat;
  struct net_sftp_entry *entries; /* their names stand in `names`, one after the other */
  size_t count;
  bool is_cut;
  struct ap_buf names;
  struct script_host *host; /* that counts what it takes; NULL: it has no list yet */
};

static size_t bytes_of(const struct look_op *op)
{
  return op->count * sizeof(*op->entries) + op->names.len;
}

static void look_cancel(void *memory)
{
  struct look_op *op = memory;
  if (op->call)
    net_sftp_cancel(op->call);
  op->call = NULL;
}

static void look_release(void *memory)
{
  struct look_op *op = memory;
  if (op->host)
    script_native(op->host, -(ptrdiff_t)bytes_of(op));
  ap_buf_deinit(&op->names);
  free(op->entries);
  free(op->message);
}

static const struct task_op_kind list_kind = {"connection:list", look_cancel, look_release};
static const struct task_op_kind stat_kind = {"connection:stat", look_cancel, look_release};

static void looked(struct look_op *op, int code, const char *text)
{
  op->call = NULL;
  op->code = code;
  if (code != AP_OK)
    op->message = strdup(text && *text ? text : ap_error_text(code));
  if ((code != AP_OK && !op->message) || ap_buf_error(&op->names))
    script_out_of_memory();
  script_native(op->host, (ptrdiff_t)bytes_of(op));
  task_op_wake(op);
}

static void got_stat(void *arg, int code, const char *text, const struct net_sftp_stat *stat)
{
  struct look_op *op = arg;
  if (code == AP_OK)
    op->stat = *stat;
  looked(op, code, text);
}

static void got_list(void *arg, int code, const char *text, const struct net_sftp_list *list)
{
  struct look_op *op = arg;
  if (code == AP_OK && list->count) {
    op->entries = calloc(list->count, sizeof(*op->entries));
    if (!op->entries)
      script_out_of_memory();
    memcpy(op->entries, list->entries, list->count * sizeof(*op->entries));
    for (size_t i = 0; i < list->count; i++)
      ap_buf_add(&op->names, list->entries[i].name, list->entries[i].name_len);
  }
  if (code == AP_OK) {
    op->count = list->count;
    op->is_cut = list->is_cut;
  }
  looked(op, code, text);
}

/* { type =, size =, mtime = } [-0, +1, m] */
static void push_stat(lua_State *L, const struct net_sftp_stat *stat)
{
  static const char *const words[] = {
      [NET_SFTP_FILE] = "file",
      [NET_SFTP_FOLDER] = "folder",
      [NET_SFTP_LINK] = "link",
      [NET_SFTP_OTHER] = "other",
  };
  lua_createtable(L, 0, 4);
  lua_pushstring(L, words[stat->type]);
  lua_setfield(L, -2, "type");
  lua_pushinteger(L, (lua_Integer)stat->size);
  lua_setfield(L, -2, "size");
  lua_pushinteger(L, stat->mtime_s);
  lua_setfield(L, -2, "mtime");
}

static int push_list(lua_State *L, const struct look_op *op)
{
  const char *name = op->names.ptr;
  script_charge(L, op->count * INSTRUCTIONS_PER_ENTRY);
  lua_createtable(L, (int)op->count, 0);
  for (size_t i = 0; i < op->count; i++) {
    push_stat(L, &op->entries[i].stat);
    lua_pushlstring(L, name, op->entries[i].name_len);
    lua_setfield(L, -2, "name");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
    name += op->entries[i].name_len;
  }
  lua_pushboolean(L, op->is_cut);
  return 2;
}

static int look_done(lua_State *L, int status, lua_KContext ctx)
{
  struct look_op *op = (struct look_op *)ctx;
  int code = task_op_code(op);
  int count = 1;
  (void)status;
  luaL_checkstack(L, 8, NULL);
  if (code != AP_OK)
    count = script_push_error(L, code, NULL);
  else if (op->code != AP_OK)
    count = script_push_error(L, op->code, op->message);
  else if (op->is_list)
    count = push_list(L, op);
  else
    push_stat(L, &op->stat);
  task_op_end(op);
  return count;
}

static int wait_or_fail(lua_State *L, struct look_op *op, int rc)
{
  if (rc == AP_PENDING)
    return task_op_wait(L, op, look_done);
  task_op_end(op);
  return script_push_error(L, rc, NULL);
}

int script_connection_list(lua_State *L)
{
  const struct script_connection *connection = script_connection_check(L);
  const char *folder = script_connection_path(L);
  lua_Integer max = luaL_optinteger(L, 3, LIST_USUAL);
  luaL_argcheck(L, max >= 1 && max <= LIST_MAX, 3, "1 to 10000");
  struct look_op *op = task_op_begin(L, sizeof(*op), &list_kind);
  op->is_list = true;
  op->host = script_host_of(L);
  return wait_or_fail(
      L, op, net_sftp_list(connection->sftp, folder, (size_t)max, got_list, op, &op->call));
}

int script_connection_stat(lua_State *L)
{
  const struct script_connection *connection = script_connection_check(L);
  const char *path = script_connection_path(L);
  struct look_op *op = task_op_begin(L, sizeof(*op), &stat_kind);
  op->host = script_host_of(L);
  return wait_or_fail(L, op, net_sftp_stat(connection->sftp, path, got_stat, op, &op->call));
}
