/* SFTP: files of another machine, read over one SSH connection for all of them.
 *
 * Every call that waits follows one rule: it fails now and never calls back, or it returns
 * AP_PENDING and calls back exactly once, later, on the loop thread. Calls queue: any number may be
 * under way, on one file or many. A deadline stands on every wait, and when the server misses it
 * the connection is over: what is under way fails, and what is asked later fails with the same
 * sentence. A callback may call anything here, net_sftp_close included.
 *
 * Sentences for people name the host or the path, never a secret, and carry no control character:
 * what comes from the server is cleaned. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/secret.h"
#include "net/loop.h"
#include "net/source.h"

struct net_sftp;      /* a connection */
struct net_sftp_file; /* an open file */
struct net_sftp_op;   /* a call under way */

/* Everything is copied by net_sftp_open. A way to log in is tried when it is given and the server
 * offers it, in this order: key, agent, password, keyboard-interactive with the same password. */
struct net_sftp_options {
  const char *host; /* a name or an address; an IPv6 address with or without brackets */
  unsigned port;    /* 0: 22 */
  const char *user;
  const struct ap_secret *password;       /* NULL: none */
  const char *key_file;                   /* a private key, closed to others; NULL: none */
  const struct ap_secret *key_passphrase; /* NULL: the key has none */
  bool use_agent;                         /* the one that $SSH_AUTH_SOCK names */
  const char *known_hosts; /* NULL: ~/.ssh/known_hosts, then /etc/ssh/ssh_known_hosts */
  const char *host_key;    /* "SHA256:...", the only key to trust; NULL: ask known_hosts */
  uint64_t connect_ms;     /* from the name to the end of the login; 0 is refused */
  uint64_t wait_ms;        /* for each answer of the server; 0 is refused */
  uint64_t min_rate;       /* bytes a second while a file is read; 0: any */
};

enum net_sftp_type {
  NET_SFTP_FILE,
  NET_SFTP_FOLDER,
  NET_SFTP_LINK, /* a symbolic link: it is never followed at the end of a path */
  NET_SFTP_OTHER /* a device, a pipe, or the server does not say */
};

struct net_sftp_stat {
  enum net_sftp_type type;
  uint64_t size;   /* as the server says it; 0 where it does not */
  int64_t mtime_s; /* since 1970 */
};

/* A name is as the server gave it: bytes with an end, never empty, ".", ".." or with "/", at most
 * 255, but maybe with control characters and maybe not UTF-8. */
struct net_sftp_entry {
  const char *name;
  size_t name_len;
  struct net_sftp_stat stat;
};

struct net_sftp_list {
  const struct net_sftp_entry *entries; /* in the server's order */
  size_t count;
  size_t left_out; /* entries whose names break the rules above */
  bool is_cut;     /* the folder has more than max_entries */
};

/* In each, code is AP_OK, or an error with its sentence in text (else ""). What they are given is
 * valid during the callback, except a file, which the callee owns.
 *
 * Codes: AP_E_DENIED the host key is unknown, changed or revoked; AP_E_FORBIDDEN the login was
 * refused, or the server may not let this user read it; AP_E_NOT_FOUND no such file, or no such
 * host; AP_E_INVALID not a regular file, not a folder, a key that cannot be used; AP_E_TIMEOUT;
 * AP_E_NETWORK; AP_E_IO a file that changed while it was read, and other failures of the server;
 * AP_E_BAD_ANSWER it does not speak SFTP. */
typedef void net_sftp_ready_fn(void *arg, int code, const char *text);
typedef void net_sftp_stat_fn(void *arg, int code, const char *text,
                              const struct net_sftp_stat *stat);
typedef void net_sftp_list_fn(void *arg, int code, const char *text,
                              const struct net_sftp_list *list);
typedef void net_sftp_file_fn(void *arg, int code, const char *text, struct net_sftp_file *file);
typedef void net_sftp_data_fn(void *arg, int code, const char *text, struct ap_slice data);

/* Connects, checks the host key and logs in. AP_PENDING, and *out is the connection, which may be
 * closed before ready runs, and is to be closed after it failed too; or an error now: options that
 * cannot be right (AP_E_INVALID). Calls on it wait until it is ready. */
int net_sftp_open(struct net_loop *loop, const struct net_sftp_options *options,
                  net_sftp_ready_fn *ready, void *arg, struct net_sftp **out,
                  struct ap_error *err) AP_MUST_USE;

/* Ends the connection and every call on it: no callback runs any more. Files of it stay until they
 * are closed, and reading them is AP_E_CLOSED. NULL is fine. */
void net_sftp_close(struct net_sftp *sftp);

/* Each of these copies path, and gives the call to *out (may be NULL) for net_sftp_cancel. */

/* What is at path; a link itself, not what it points to. */
int net_sftp_stat(struct net_sftp *sftp, const char *path, net_sftp_stat_fn *done, void *arg,
                  struct net_sftp_op **out) AP_MUST_USE;

/* The entries of a folder, at most max_entries; 0 is refused. */
int net_sftp_list(struct net_sftp *sftp, const char *folder, size_t max_entries,
                  net_sftp_list_fn *done, void *arg, struct net_sftp_op **out) AP_MUST_USE;

/* A regular file, for reading from its beginning. */
int net_sftp_open_file(struct net_sftp *sftp, const char *path, net_sftp_file_fn *done, void *arg,
                       struct net_sftp_op **out) AP_MUST_USE;

/* Size and time when it was opened. */
const struct net_sftp_stat *net_sftp_file_stat(const struct net_sftp_file *file);

/* The next bytes, 1 to NET_SFTP_READ_MAX of them; none at the end. Megabytes beyond them are asked
 * for ahead. The end is told only when as many bytes were read as the file had when it was opened,
 * and size and time are still the same; else AP_E_IO. AP_E_BUSY: a read of it is under way.
 * AP_E_INVALID: a read was canceled, whose bytes are lost: rewind it first. */
#define NET_SFTP_READ_MAX NET_SOURCE_READ_MAX
int net_sftp_read(struct net_sftp_file *file, net_sftp_data_fn *done, void *arg,
                  struct net_sftp_op **out) AP_MUST_USE;

/* The next read starts at the beginning again. AP_E_BUSY while one is under way that was not
 * canceled. */
int net_sftp_rewind(struct net_sftp_file *file) AP_MUST_USE;

/* Closes it, and cancels a read of it. NULL is fine. */
void net_sftp_file_close(struct net_sftp_file *file);

/* The file as a source (net/source.h), which owns it from now on and closes it. */
struct net_source net_sftp_source(struct net_sftp_file *file);

/* Ends a call: its callback does not run, and a file that it opens is closed. */
void net_sftp_cancel(struct net_sftp_op *op);
