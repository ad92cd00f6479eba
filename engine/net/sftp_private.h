/* What the files of the SFTP client share: the queue of calls, one at a time with libssh2, whose
 * state for a call that waits would be spoilt by another. Reads keep the line busy all the same:
 * what they ask for ahead arrives while other calls are served. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libssh2_sftp.h>

#include "net/sftp.h"
#include "net/ssh.h"

/* libssh2 asks ahead for four times the room that it is given: with a piece full, a quarter more is
 * left, and 4 MiB are on their way. */
enum { NET_SFTP_PIECE = 1024 * 1024, NET_SFTP_ROOM = NET_SFTP_READ_MAX };

struct net_sftp {
  struct net_loop *loop;
  struct net_ssh *ssh;   /* NULL: the connection is lost */
  LIBSSH2_SFTP *session; /* NULL: not yet */
  struct net_sftp_op *ops;
  struct net_sftp_op *current; /* the first of them, once begun */
  struct net_sftp_file *files;
  uv_idle_t *kick; /* runs while something is to be begun or told */
  char *room;      /* net_sftp_room */
  uint64_t wait_ms;
  uint64_t min_rate;
  bool is_open;
  int lost_code;
  char lost_text[1024];
  char where[400];
};

struct net_sftp_file {
  struct net_sftp_file *prev, *next;
  struct net_sftp *sftp; /* NULL: the connection was closed */
  LIBSSH2_SFTP_HANDLE *handle;
  struct net_sftp_stat stat;
  uint64_t offset;
  struct net_sftp_op *read; /* under way; NULL: none */
  bool is_torn;             /* a read was canceled: bytes are missing */
  bool must_rewind;
  /* the minimum rate */
  uint64_t waited_ms;
  uint64_t waited_bytes;
  char path[]; /* cleaned, for messages */
};

union net_sftp_done {
  net_sftp_ready_fn *ready;
  net_sftp_stat_fn *stat;
  net_sftp_list_fn *list;
  net_sftp_file_fn *file;
  net_sftp_data_fn *data;
};

struct net_sftp_op {
  struct net_sftp_op *prev, *next;
  struct net_sftp *sftp;
  /* AP_PENDING: libssh2 waits for the socket. Else the end: AP_OK, or an error in err. */
  int (*step)(struct net_sftp_op *op, struct ap_error *err);
  /* Calls back, and frees what the call holds but the op itself; the last thing that happens. For a
   * canceled one it only frees. */
  void (*finish)(struct net_sftp_op *op, int code, const char *text);
  union net_sftp_done done;
  void *arg;
  char *path;
  int stage;
  bool is_canceled;
  bool has_progress; /* set by a step: the deadline starts again */
  LIBSSH2_SFTP_HANDLE *handle;
  struct net_sftp_file *file;
  struct net_sftp_stat stat;
  uint64_t begun_ms; /* of a read: since when it waits */
  size_t used;       /* bytes of room */
  /* list */
  size_t max_entries;
  struct ap_buf names;
  struct ap_buf items;
  size_t count;
  size_t dots; /* entries "." and ".." */
  size_t left_out;
  bool is_cut;
};

/* A call with a copy of path (may be NULL), not yet in the queue; NULL: out of memory. */
struct net_sftp_op *net_sftp_op_new(struct net_sftp *sftp, const char *path);
int net_sftp_op_submit(struct net_sftp_op *op, struct net_sftp_op **out);

/* Both for a call on a path: a copy of what `asked` says of it (step, finish, done, arg, ...). */
int net_sftp_ask(struct net_sftp *sftp, const char *path, const struct net_sftp_op *asked,
                 struct net_sftp_op **out);
void net_sftp_op_free(struct net_sftp_op *op);

/* Puts a handle that nobody owns any more in line to be closed. */
void net_sftp_close_later(struct net_sftp *sftp, LIBSSH2_SFTP_HANDLE *handle);

/* NET_SFTP_ROOM bytes for the call that is under way; NULL: out of memory. */
char *net_sftp_room(struct net_sftp *sftp);

/* Ends the connection: what is under way, and what comes later, fails with text. */
void net_sftp_lose(struct net_sftp *sftp, int code, const char *text);

/* After a call of libssh2 failed with rc: what the server said about the path, with the connection
 * still good; or what broke, with the connection lost. */
int net_sftp_refused(struct net_sftp_op *op, long rc, const char *path, struct ap_error *err);

struct net_sftp_stat net_sftp_stat_of(const LIBSSH2_SFTP_ATTRIBUTES *attributes);

/* Keeps a name that a server listed, unless it could mean another place than a file in the folder.
 */
void net_sftp_take_entry(struct net_sftp_op *op, const char *name, size_t len,
                         const LIBSSH2_SFTP_ATTRIBUTES *attributes);
