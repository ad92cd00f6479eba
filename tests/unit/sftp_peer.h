/* A scripted SSH server, out of libssh: for logins that sshd does not do for an ordinary user, and
 * for answers that no honest server gives. It serves one connection, in a process of its own. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#define WITH_SERVER /* sftp.h has its server half behind it */
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <libssh/sftp.h>

#include "sftp_unit.h"

#define PASSWORD "correct horse"

enum peer_manner {
  PEER_HONEST,
  PEER_NO_SFTP,      /* refuses the subsystem */
  PEER_SHORT_READS,  /* half of what was asked for */
  PEER_SLOW_READS,   /* a block each 100 ms */
  PEER_NO_TYPE,      /* attributes without type and size */
  PEER_ODD_NAMES,    /* in lists */
  PEER_SILENT_READS, /* none */
  PEER_STATUS        /* a strange status for each stat */
};

struct peer;

struct peer_plan {
  unsigned methods; /* SSH_AUTH_METHOD_... */
  unsigned prompts;
  char echo;
  bool asks_again; /* keyboard-interactive: a second question after the right answer */
  bool wants_both; /* the password is not enough: keyboard-interactive too */
  enum peer_manner manner;
  /* What the subsystem is, once it is asked for; NULL: files, in that manner */
  void (*serve)(ssh_session session, struct peer *peer);
};

struct peer {
  const struct peer_plan *plan;
  ssh_channel channel;
  bool is_subsystem;
  bool is_refused;
  unsigned answered;
};

/* ---- logging in ---- */

static inline int peer_password(ssh_session session, const char *user, const char *password,
                                void *arg)
{
  struct peer *peer = arg;
  (void)user;
  if (strcmp(password, PASSWORD) != 0 || !(peer->plan->methods & SSH_AUTH_METHOD_PASSWORD))
    return SSH_AUTH_DENIED;
  if (!peer->plan->wants_both)
    return SSH_AUTH_SUCCESS;
  ssh_set_auth_methods(session, SSH_AUTH_METHOD_INTERACTIVE);
  return SSH_AUTH_PARTIAL;
}

static inline int peer_ask(ssh_message message, const struct peer *peer)
{
  static const char *prompts[3] = {"Password: ", "Token: ", "Colour: "};
  char echo[3] = {peer->plan->echo, 1, 1};
  return ssh_message_auth_interactive_request(message, "", "", peer->plan->prompts, prompts, echo);
}

static inline int peer_message(ssh_session session, ssh_message message, void *arg)
{
  struct peer *peer = arg;
  if (ssh_message_type(message) != SSH_REQUEST_AUTH ||
      ssh_message_subtype(message) != (int)SSH_AUTH_METHOD_INTERACTIVE ||
      !(peer->plan->methods & SSH_AUTH_METHOD_INTERACTIVE))
    return 1;
  if (!ssh_message_auth_kbdint_is_response(message))
    return peer_ask(message, peer);
  bool is_right = peer->plan->prompts == 0;
  if (ssh_userauth_kbdint_getnanswers(session) == 1)
    is_right = strcmp(ssh_userauth_kbdint_getanswer(session, 0), PASSWORD) == 0;
  if (peer->plan->asks_again && peer->answered++ == 0)
    return peer_ask(message, peer);
  if (!is_right)
    return 1;
  (void)ssh_message_auth_reply_success(message, 0);
  return 0;
}

static inline int peer_subsystem(ssh_session session, ssh_channel channel, const char *name,
                                 void *arg)
{
  struct peer *peer = arg;
  (void)session;
  (void)channel;
  (void)name;
  peer->is_refused = peer->plan->manner == PEER_NO_SFTP;
  peer->is_subsystem = !peer->is_refused;
  return peer->is_refused ? 1 : 0;
}

static inline ssh_channel peer_channel(ssh_session session, void *arg)
{
  static struct ssh_channel_callbacks_struct callbacks;
  struct peer *peer = arg;
  callbacks = (struct ssh_channel_callbacks_struct){
      .userdata = peer, .channel_subsystem_request_function = peer_subsystem};
  ssh_callbacks_init(&callbacks);
  peer->channel = ssh_channel_new(session);
  (void)ssh_set_channel_callbacks(peer->channel, &callbacks);
  return peer->channel;
}

/* ---- files ---- */

enum { PEER_FILE_BYTES = 1000000 };

static inline void peer_attributes(sftp_client_message message, enum peer_manner manner)
{
  struct sftp_attributes_struct attributes = {.flags = SSH_FILEXFER_ATTR_SIZE |
                                                       SSH_FILEXFER_ATTR_PERMISSIONS,
                                              .size = PEER_FILE_BYTES,
                                              .permissions = 0100644};
  if (manner == PEER_NO_TYPE)
    attributes.flags = 0;
  if (manner == PEER_STATUS)
    (void)sftp_reply_status(message, 77, "strange");
  else
    (void)sftp_reply_attr(message, &attributes);
}

static inline void peer_names(sftp_client_message message, bool *is_told)
{
  char too_long[300];
  memset(too_long, 'x', sizeof(too_long));
  too_long[299] = '\0';
  const char *const names[] = {".", "..", "", "../up", "a/b", too_long, "new\nline", "good"};
  struct sftp_attributes_struct attributes = {.flags = SSH_FILEXFER_ATTR_PERMISSIONS,
                                              .permissions = 0100644};
  if (*is_told) {
    (void)sftp_reply_status(message, SSH_FX_EOF, "");
    return;
  }
  *is_told = true;
  for (size_t i = 0; i < COUNT_OF(names); i++)
    (void)sftp_reply_names_add(message, names[i], names[i], &attributes);
  (void)sftp_reply_names(message);
}

static inline void peer_data(sftp_client_message message, enum peer_manner manner)
{
  static const char zeros[65536];
  uint64_t left = message->offset < PEER_FILE_BYTES ? PEER_FILE_BYTES - message->offset : 0;
  uint64_t len = message->len < left ? message->len : left;
  if (manner == PEER_SILENT_READS)
    return;
  if (manner == PEER_SLOW_READS)
    (void)usleep(100000);
  if (manner == PEER_SHORT_READS)
    len /= 2;
  if (len == 0)
    (void)sftp_reply_status(message, SSH_FX_EOF, "");
  else
    (void)sftp_reply_data(message, zeros, (int)len);
}

static inline void peer_serve_files(ssh_session session, struct peer *peer)
{
  enum peer_manner manner = peer->plan->manner;
  sftp_session sftp = sftp_server_new(session, peer->channel);
  bool is_told = false;
  if (!sftp || sftp_server_init(sftp) != 0)
    return;
  sftp_client_message message;
  while ((message = sftp_get_client_message(sftp))) {
    switch (sftp_client_message_get_type(message)) {
    case SSH_FXP_LSTAT:
    case SSH_FXP_FSTAT:
      peer_attributes(message, manner);
      break;
    case SSH_FXP_OPEN:
    case SSH_FXP_OPENDIR:
      (void)sftp_reply_handle(message, sftp_handle_alloc(sftp, peer));
      break;
    case SSH_FXP_READDIR:
      peer_names(message, &is_told);
      break;
    case SSH_FXP_READ:
      peer_data(message, manner);
      break;
    default:
      (void)sftp_reply_status(message, SSH_FX_OK, "");
    }
    sftp_client_message_free(message);
  }
}

/* ---- one connection ---- */

static inline void peer_run(int connection, const char *host_key, const struct peer_plan *plan)
{
  struct peer peer = {.plan = plan};
  struct ssh_server_callbacks_struct callbacks = {.userdata = &peer,
                                                  .auth_password_function = peer_password,
                                                  .channel_open_request_session_function =
                                                      peer_channel};
  ssh_bind bound = ssh_bind_new();
  ssh_session session = ssh_new();
  ssh_event event = ssh_event_new();
  bool no = false;
  ssh_callbacks_init(&callbacks);
  (void)ssh_bind_options_set(bound, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
  (void)ssh_bind_options_set(bound, SSH_BIND_OPTIONS_HOSTKEY, host_key);
  if (ssh_bind_accept_fd(bound, session, connection) != SSH_OK)
    return;
  (void)ssh_set_server_callbacks(session, &callbacks);
  ssh_set_message_callback(session, peer_message, &peer);
  ssh_set_auth_methods(session, (int)(plan->wants_both ? SSH_AUTH_METHOD_PASSWORD : plan->methods));
  if (ssh_handle_key_exchange(session) != SSH_OK)
    return;
  (void)ssh_event_add_session(event, session);
  while (!peer.is_subsystem)
    if (ssh_event_dopoll(event, -1) != SSH_OK)
      return;
  (void)ssh_event_remove_session(event, session);
  if (plan->serve)
    plan->serve(session, &peer);
  else
    peer_serve_files(session, &peer);
}

/* The port where it waits for its connection. */
static inline pid_t peer_start(const struct server *server, const struct peer_plan *plan,
                               unsigned *port)
{
  int listener = listen_on_loopback(port);
  const char *host_key = path_in(server, "host_ed25519");
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(open("/dev/null", O_WRONLY), 2);
    peer_run(accept(listener, NULL, NULL), host_key, plan);
    _exit(0);
  }
  (void)close(listener);
  return pid;
}

static inline void peer_stop(pid_t pid)
{
  (void)kill(pid, SIGKILL);
  (void)waitpid(pid, NULL, 0);
}
