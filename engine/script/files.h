/* Files as scripts have them, of this machine or another, and what bounds them: a source belongs to
 * the job that opened it and is closed with it; few are open at a time in a run, and who wants
 * another waits. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lauxlib.h>

#include "base/digest.h"
#include "net/sftp.h"
#include "net/source.h"
#include "script/run_private.h"

/* One SSH connection, shared by all who open it with the same options while it is in use. */
struct script_connection {
  struct script_connection *next; /* in run->connections */
  struct net_sftp *sftp;          /* NULL: it failed */
  enum { SCRIPT_OPENING, SCRIPT_OPEN, SCRIPT_FAILED } state;
  int code;                     /* of the failure */
  char *text;                   /* its sentence */
  uint32_t users;               /* handles, open files, and tasks that wait for it */
  struct sftp_opening *waiting; /* tasks, in bind_sftp.c */
  struct ap_buf key;            /* the options it was opened with */
};

struct script_file {
  struct script_file *prev, *next;      /* in job->sources */
  struct script_job *job;               /* whose it is; NULL: that has ended, or it is closed */
  struct script_connection *connection; /* NULL: of this machine */
  struct net_source bytes;              /* kind NULL: closed, or an upload has taken it */
  bool was_read;                        /* not at its beginning */
  bool has_digests;
  struct ap_digests digests;
  uint64_t size;
  char name[]; /* the path it was opened by */
};

void script_file_init(lua_State *L);
void script_files_push_module(lua_State *L);

/* Opens a file and gives its source, as the end of a binding: `return script_file_open(...)`.
 * @param connection  NULL: of this machine */
int script_file_open(lua_State *L, struct script_connection *connection, const char *path);

/* The source at arg, open or not; raises when it is another run's. */
struct script_file *script_file_own(lua_State *L, int arg);
int script_file_digests(lua_State *L); /* the method */

/* The source at arg, open, of the running job, and at its beginning. Raises when it is another's;
 * NULL when it is closed or cannot be read again: then nil, message, code are pushed. */
struct script_file *script_file_check(lua_State *L, int arg);
void script_file_close(struct script_file *source); /* again is fine */

void script_sftp_init(lua_State *L);
void script_sftp_push_module(lua_State *L);
void script_connection_use(struct script_connection *connection);
void script_connection_leave(struct script_connection *connection);
void script_connections_leave(struct script_job *job); /* its handles are closed */

/* Closes the connections that nobody uses; all of them when the run ends. */
void script_connections_drop(struct script_run *run, bool is_end);

/* The table of options at arg becomes values on the stack, from the index that is returned; an
 * unknown option raises. The stack grows by as many as there are options. */
int script_sftp_take_fields(lua_State *L, int arg);
/* Of those values; its texts and secrets are borrowed from the stack. Raises where one is wrong. */
void script_sftp_read_options(lua_State *L, int first, struct net_sftp_options *options);
/* What makes two openings the same. */
void script_sftp_write_key(const struct net_sftp_options *options, struct ap_buf *key);

/* The connection of the handle at 1, which is open and of the running job, and the path at 2. Raise
 * otherwise. */
struct script_connection *script_connection_check(lua_State *L);
const char *script_connection_path(lua_State *L);
int script_connection_list(lua_State *L); /* the methods of bind_sftp_look.c */
int script_connection_stat(lua_State *L);
