/* What the files of the SSH connection share. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/ssh.h"
#include "net/ssh_agent.h"
#include "net/ssh_connect.h"
#include "net/ssh_hosts.h"
#include "net/ssh_memory.h"

/* A state's function returns AP_OK when it went on to another, AP_PENDING to be called again when
 * the socket is ready, NET_SSH_ELSEWHERE when something else will call net_ssh_run, or an error. */
enum { NET_SSH_ELSEWHERE = 2 };

enum net_ssh_state {
  NET_SSH_FILES, /* known_hosts and the key are read, on the pool */
  NET_SSH_REACH,
  NET_SSH_HANDSHAKE,
  NET_SSH_TRUST,
  NET_SSH_METHODS, /* which ways to log in the server offers */
  NET_SSH_CHOOSE,  /* the next of ours */
  NET_SSH_KEY,
  NET_SSH_AGENT,
  NET_SSH_PASSWORD,
  NET_SSH_KEYBOARD,
  NET_SSH_OPEN,
  NET_SSH_LOST
};

enum { NET_SSH_FILES_MAX = 2, NET_SSH_HOST_TYPES = 4, NET_SSH_TEXT_MAX = 1024 };

struct net_ssh_file {
  char *path;
  struct ap_buf text;
  int error; /* errno; 0: it was read */
};

struct net_ssh_login {
  char offered[256];    /* by the server, with commas */
  char tried[128];      /* by us, for people */
  unsigned next;        /* of our ways */
  bool has_asked_again; /* for the methods, after one was not enough */
  /* key */
  struct ap_buf key;
  int key_rc; /* of the call on the pool */
  bool has_key_rc;
  /* agent */
  struct net_ssh_agent *agent;
  struct ap_buf agent_keys;      /* its answer */
  size_t agent_at;               /* how far it was read */
  struct ap_slice agent_key;     /* the one that is tried */
  struct ap_buf agent_signature; /* empty: not yet */
  bool is_listed;
  bool is_signing;
  bool has_signature_failed;
  unsigned agent_tried;
  unsigned agent_rsa; /* keys left out because they are RSA */
  char agent_problem[200];
  /* keyboard-interactive */
  bool has_answered;
  bool has_other_questions;
};

struct net_ssh {
  struct net_ssh_memory memory;
  struct net_loop *loop;
  struct net_ssh_owner owner;
  LIBSSH2_SESSION *session;
  uv_timer_t *timer;
  uv_poll_t *poll; /* NULL: no socket */
  int fd;
  enum net_ssh_state state;
  bool is_on_pool; /* another thread has the session and the files */
  bool is_closing; /* the owner let go, the pool has not */
  bool is_overdue; /* the deadline passed while the pool had it */
  bool is_resting;
  unsigned empty_reads; /* in this step: too many are a circle */
  LIBSSH2_CHANNEL *channel;
  struct net_ssh_connect *connect;

  char *host; /* in lower case, without brackets */
  unsigned port;
  char *user;
  struct ap_secret *password;
  struct ap_secret *passphrase;
  char *key_file;
  char *pin; /* "SHA256:..." */
  bool use_agent;
  bool has_own_known_hosts; /* the path was given */
  uint64_t connect_ms;

  struct net_ssh_file files[NET_SSH_FILES_MAX];
  size_t file_count;
  struct ap_error files_error; /* of the key */
  struct net_ssh_hosts hosts;
  unsigned pin_refused; /* bits: the types of host keys that are not the pinned one */
  char pin_seen[320];   /* what it showed instead */

  struct net_ssh_login login;
  void *self;
  char where[400];
  char goodbye[160];           /* why the server hung up, in its words, cleaned */
  char text[NET_SSH_TEXT_MAX]; /* why it is lost */
};

typedef int net_ssh_state_fn(struct net_ssh *ssh);

/* Goes on from where it is: the way back from the pool and from the agent. */
void net_ssh_run(struct net_ssh *ssh);

/* Fills ssh->text; returns code. */
int net_ssh_fail(struct net_ssh *ssh, int code, const char *fmt, ...) AP_PRINTF(3, 4);

/* ssh_session.c: a session of libssh2 with our memory and our algorithms, and its end. */
int net_ssh_session_new(struct net_ssh *ssh) AP_MUST_USE;
void net_ssh_session_free(struct net_ssh *ssh);
net_ssh_state_fn net_ssh_handshake;

/* ssh_trust.c */
extern const char *const net_ssh_host_types[NET_SSH_HOST_TYPES]; /* that we can check, best first */
void net_ssh_read_files(void *arg);                              /* on the pool */
int net_ssh_take_files(struct net_ssh *ssh) AP_MUST_USE;
net_ssh_state_fn net_ssh_trust;

/* ssh_login.c */
net_ssh_state_fn net_ssh_methods;
net_ssh_state_fn net_ssh_choose;
net_ssh_state_fn net_ssh_login_password;
net_ssh_state_fn net_ssh_login_keyboard;
int net_ssh_login_lost(struct net_ssh *ssh, int rc); /* a call failed for other than a refusal */
void net_ssh_login_deinit(struct net_ssh *ssh);

/* ssh_login_key.c */
net_ssh_state_fn net_ssh_login_key;
net_ssh_state_fn net_ssh_login_agent;
