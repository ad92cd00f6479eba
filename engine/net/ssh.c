/* The states of a connection, its socket, its deadline and its end. */
// SPDX-License-Identifier: Apache-2.0
#include "net/ssh.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/ssh_private.h"
#include "net/ssh_text.h"

enum { REACH_LEAST_MS = 250, REACH_TRIES = 3 };

int net_ssh_fail(struct net_ssh *ssh, int code, const char *fmt, ...)
{
  int len = snprintf(ssh->text, sizeof(ssh->text), "%s: ", ssh->where);
  va_list args;
  va_start(args, fmt);
  (void)vsnprintf(ssh->text + len, sizeof(ssh->text) - (size_t)len, fmt, args);
  va_end(args);
  return code;
}

/* ---- the end ---- */

static void handle_closed(uv_handle_t *handle)
{
  free(handle);
}

static void drop_socket(struct net_ssh *ssh)
{
  if (ssh->poll)
    uv_close((uv_handle_t *)ssh->poll, handle_closed);
  ssh->poll = NULL;
  net_ssh_session_free(ssh);
  if (ssh->fd >= 0)
    (void)close(ssh->fd);
  ssh->fd = -1;
}

static void free_all(struct net_ssh *ssh)
{
  net_ssh_connect_cancel(ssh->connect);
  net_ssh_login_deinit(ssh);
  drop_socket(ssh);
  if (ssh->timer)
    uv_close((uv_handle_t *)ssh->timer, handle_closed);
  for (size_t i = 0; i < ssh->file_count; i++) {
    free(ssh->files[i].path);
    ap_buf_deinit(&ssh->files[i].text);
  }
  net_ssh_hosts_deinit(&ssh->hosts);
  ap_secret_free(ssh->password);
  ap_secret_free(ssh->passphrase);
  free(ssh->host);
  free(ssh->user);
  free(ssh->key_file);
  free(ssh->pin);
  free(ssh);
}

void net_ssh_close(struct net_ssh *ssh)
{
  if (!ssh)
    return;
  if (ssh->is_on_pool)
    ssh->is_closing = true;
  else
    free_all(ssh);
}

static void lose(struct net_ssh *ssh, int code)
{
  ssh->state = NET_SSH_LOST;
  (void)uv_timer_stop(ssh->timer);
  net_ssh_connect_cancel(ssh->connect);
  ssh->connect = NULL;
  net_ssh_login_deinit(ssh);
  drop_socket(ssh);
  ssh->owner.lost(ssh->owner.arg, code, ssh->text);
}

/* ---- the deadline ---- */

static void deadline_passed(uv_timer_t *timer)
{
  struct net_ssh *ssh = timer->data;
  if (ssh->is_on_pool) {
    ssh->is_overdue = true;
    return;
  }
  lose(ssh, net_ssh_fail(ssh, AP_E_TIMEOUT, "%s",
                         ssh->state == NET_SSH_REACH       ? "no connection in time"
                         : ssh->state == NET_SSH_AGENT     ? "the agent or the server did not "
                                                             "answer in time"
                         : ssh->state == NET_SSH_HANDSHAKE ? "the server did not answer in time; "
                                                             "is it an SSH server?"
                                                           : "the server did not answer in time"));
}

void net_ssh_deadline(struct net_ssh *ssh, uint64_t wait_ms)
{
  uv_update_time(net_loop_uv(ssh->loop));
  if (wait_ms)
    (void)uv_timer_start(ssh->timer, deadline_passed, wait_ms, 0);
  else
    (void)uv_timer_stop(ssh->timer);
}

/* ---- the socket ---- */

/* While nothing is asked, packets are still taken in, so that a question of the server ("are you
 * alive?") is answered. Data of answers stays in the channel for later calls. */
static void take_in(struct net_ssh *ssh)
{
  char unused[256];
  ssize_t got;
  do {
    got = libssh2_channel_read_stderr(ssh->channel, unused, sizeof(unused));
  } while (got > 0);
  if (got == LIBSSH2_ERROR_EAGAIN)
    return;
  (void)uv_poll_stop(ssh->poll); /* it hung up: the next call says so */
}

static void socket_ready(uv_poll_t *handle, int status, int events)
{
  struct net_ssh *ssh = handle->data;
  (void)status; /* what is wrong with a socket, the next call on it tells */
  (void)events;
  if (ssh->is_resting) {
    take_in(ssh);
    return;
  }
  if (ssh->state == NET_SSH_OPEN)
    ssh->owner.ready(ssh->owner.arg);
  else
    net_ssh_run(ssh);
}

void net_ssh_wait(struct net_ssh *ssh)
{
  int wanted = libssh2_session_block_directions(ssh->session);
  int events = (wanted & LIBSSH2_SESSION_BLOCK_INBOUND ? UV_READABLE : 0) |
               (wanted & LIBSSH2_SESSION_BLOCK_OUTBOUND ? UV_WRITABLE : 0);
  ssh->is_resting = false;
  ssh->empty_reads = 0;
  (void)uv_poll_start(ssh->poll, events ? events : UV_READABLE, socket_ready);
}

void net_ssh_rest(struct net_ssh *ssh, LIBSSH2_CHANNEL *channel)
{
  ssh->channel = channel;
  ssh->is_resting = true;
  ssh->empty_reads = 0;
  (void)uv_poll_start(ssh->poll, UV_READABLE, socket_ready);
}

/* ---- the states ---- */

static void files_read(void *arg)
{
  struct net_ssh *ssh = arg;
  ssh->is_on_pool = false;
  if (ssh->is_closing) {
    free_all(ssh);
    return;
  }
  int rc = net_ssh_take_files(ssh);
  if (rc != AP_OK) {
    lose(ssh, rc);
    return;
  }
  ssh->state = NET_SSH_REACH;
  net_ssh_run(ssh);
}

static void reached(void *arg, int code, const char *text, int fd)
{
  struct net_ssh *ssh = arg;
  ssh->connect = NULL;
  ssh->fd = fd;
  if (code != AP_OK) {
    lose(ssh, net_ssh_fail(ssh, code, "%s", text));
    return;
  }
  ssh->poll = calloc(1, sizeof(*ssh->poll));
  if (!ssh->poll || uv_poll_init(net_loop_uv(ssh->loop), ssh->poll, fd)) {
    free(ssh->poll);
    ssh->poll = NULL;
    lose(ssh, net_ssh_fail(ssh, AP_E_NO_MEMORY, "out of memory"));
    return;
  }
  ssh->poll->data = ssh;
  int rc = net_ssh_session_new(ssh);
  if (rc != AP_OK) {
    lose(ssh, rc);
    return;
  }
  ssh->state = NET_SSH_HANDSHAKE;
  net_ssh_run(ssh);
}

static int reach(struct net_ssh *ssh)
{
  uint64_t each_ms = ssh->connect_ms / REACH_TRIES;
  drop_socket(ssh); /* of an earlier try */
  if (each_ms < REACH_LEAST_MS)
    each_ms = REACH_LEAST_MS;
  int rc =
      net_ssh_connect_start(ssh->loop, ssh->host, ssh->port, each_ms, reached, ssh, &ssh->connect);
  return rc == AP_PENDING ? NET_SSH_ELSEWHERE : net_ssh_fail(ssh, rc, "%s", ap_error_text(rc));
}

static net_ssh_state_fn *const states[NET_SSH_OPEN] = {
    [NET_SSH_REACH] = reach,
    [NET_SSH_HANDSHAKE] = net_ssh_handshake,
    [NET_SSH_TRUST] = net_ssh_trust,
    [NET_SSH_METHODS] = net_ssh_methods,
    [NET_SSH_CHOOSE] = net_ssh_choose,
    [NET_SSH_KEY] = net_ssh_login_key,
    [NET_SSH_AGENT] = net_ssh_login_agent,
    [NET_SSH_PASSWORD] = net_ssh_login_password,
    [NET_SSH_KEYBOARD] = net_ssh_login_keyboard,
};

void net_ssh_run(struct net_ssh *ssh)
{
  if (ssh->is_closing) {
    free_all(ssh);
    return;
  }
  if (ssh->is_overdue) {
    ssh->is_overdue = false;
    deadline_passed(ssh->timer);
    return;
  }
  int rc = AP_OK;
  while (rc == AP_OK && ssh->state != NET_SSH_OPEN)
    rc = states[ssh->state](ssh);
  if (rc == AP_OK) {
    (void)uv_timer_stop(ssh->timer);
    net_ssh_login_deinit(ssh);
    ssh->owner.opened(ssh->owner.arg);
  } else if (rc == AP_PENDING) {
    net_ssh_wait(ssh);
  } else if (rc < 0) {
    lose(ssh, rc);
  } else if (ssh->poll) {
    (void)uv_poll_stop(ssh->poll);
  }
}

/* ---- opening ---- */

static bool is_host_name(const char *host)
{
  size_t len = strlen(host);
  if (len == 0 || len > 255 || *host == '-')
    return false;
  for (const char *c = host; *c; c++)
    if (!isalnum((unsigned char)*c) && !strchr(".-_:%", *c) && !((unsigned char)*c & 0x80))
      return false;
  return true;
}

static bool is_user_name(const char *user)
{
  char clean[256];
  net_ssh_clean(clean, sizeof(clean), user, strlen(user));
  return *user && strcmp(clean, user) == 0;
}

static bool is_fingerprint(const char *text)
{
  unsigned char digest[32];
  size_t len = 0;
  return strncmp(text, "SHA256:", 7) == 0 &&
         net_ssh_base64(text + 7, strlen(text + 7), digest, sizeof(digest), &len) && len == 32;
}

static char *copy_host(const char *host)
{
  size_t len = strlen(host);
  bool has_brackets = len > 2 && host[0] == '[' && host[len - 1] == ']';
  char *copy = has_brackets ? ap_memdup(host + 1, len - 2) : ap_memdup(host, len);
  for (char *c = copy; c && *c; c++)
    *c = (char)tolower((unsigned char)*c);
  return copy;
}

static bool copy_secret(const struct ap_secret *from, struct ap_secret **to)
{
  if (!from)
    return true;
  struct ap_slice bytes = ap_secret_bytes(from);
  return ap_secret_new(ap_secret_name(from), bytes.ptr, bytes.len, to, NULL) == AP_OK;
}

static bool copy_text(const char *from, char **to)
{
  if (!from)
    return true;
  *to = strdup(from);
  return *to != NULL;
}

static bool add_file(struct net_ssh *ssh, const char *path)
{
  struct net_ssh_file *file = &ssh->files[ssh->file_count];
  file->path = strdup(path);
  if (file->path)
    ssh->file_count++;
  return file->path != NULL;
}

static bool add_files(struct net_ssh *ssh, const char *known_hosts)
{
  char path[4096];
  const char *home = getenv("HOME");
  ssh->has_own_known_hosts = known_hosts != NULL;
  if (known_hosts)
    return add_file(ssh, known_hosts);
  if (home && *home &&
      snprintf(path, sizeof(path), "%s/.ssh/known_hosts", home) < (int)sizeof(path) &&
      !add_file(ssh, path))
    return false;
  return add_file(ssh, "/etc/ssh/ssh_known_hosts");
}

static bool copy_options(struct net_ssh *ssh, const struct net_sftp_options *options)
{
  ssh->port = options->port ? options->port : 22;
  ssh->use_agent = options->use_agent;
  ssh->connect_ms = options->connect_ms;
  ssh->host = copy_host(options->host);
  if (!ssh->host || !copy_text(options->user, &ssh->user) ||
      !copy_text(options->key_file, &ssh->key_file) || !copy_text(options->host_key, &ssh->pin) ||
      !copy_secret(options->password, &ssh->password) ||
      !copy_secret(options->key_passphrase, &ssh->passphrase) ||
      !add_files(ssh, options->known_hosts))
    return false;
  if (ssh->pin)
    ssh->pin[7 + 43] = '\0'; /* without padding */
  bool is_v6 = strchr(ssh->host, ':') != NULL;
  if (ssh->port == 22)
    (void)snprintf(ssh->where, sizeof(ssh->where), "%.128s@%s", ssh->user, ssh->host);
  else
    (void)snprintf(ssh->where, sizeof(ssh->where), "%.100s@%s%.255s%s:%u", ssh->user,
                   is_v6 ? "[" : "", ssh->host, is_v6 ? "]" : "", ssh->port);
  ssh->hosts.host = ssh->host;
  ssh->hosts.port = ssh->port;
  return true;
}

static int check_options(const struct net_sftp_options *options, struct ap_error *err)
{
  char *host = options->host ? copy_host(options->host) : NULL;
  bool is_host = host && is_host_name(host);
  free(host);
  if (!is_host)
    return ap_fail(err, AP_E_INVALID, "the address of the SSH server is not a host name");
  if (options->port > 65535)
    return ap_fail(err, AP_E_INVALID, "%u is not a port", options->port);
  if (!options->user || !is_user_name(options->user))
    return ap_fail(err, AP_E_INVALID, "the user for the SSH server is missing or cannot be right");
  if (options->host_key && !is_fingerprint(options->host_key))
    return ap_fail(err, AP_E_INVALID,
                   "the host key must be its fingerprint, SHA256: and 43 characters (ssh-keygen "
                   "-lf FILE prints it)");
  if (!options->password && !options->key_file && !options->use_agent)
    return ap_fail(err, AP_E_INVALID,
                   "nothing to log in with: give a password, a key file or the agent");
  if (options->connect_ms == 0 || options->wait_ms == 0)
    return ap_fail(err, AP_E_INVALID, "a wait without an end is refused");
  return AP_OK;
}

int net_ssh_open(struct net_loop *loop, const struct net_sftp_options *options,
                 const struct net_ssh_owner *owner, struct net_ssh **out, struct ap_error *err)
{
  int rc = check_options(options, err);
  if (rc != AP_OK)
    return rc;
  struct net_ssh *ssh = calloc(1, sizeof(*ssh));
  if (!ssh)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  ssh->loop = loop;
  ssh->owner = *owner;
  ssh->fd = -1;
  ssh->self = ssh;
  ssh->timer = calloc(1, sizeof(*ssh->timer));
  if (ssh->timer) {
    (void)uv_timer_init(net_loop_uv(loop), ssh->timer);
    ssh->timer->data = ssh;
  }
  if (!ssh->timer || !copy_options(ssh, options) ||
      net_loop_work(loop, net_ssh_read_files, files_read, ssh) != AP_PENDING) {
    free_all(ssh);
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  }
  ssh->is_on_pool = true;
  net_ssh_deadline(ssh, ssh->connect_ms);
  *out = ssh;
  return AP_PENDING;
}

LIBSSH2_SESSION *net_ssh_session(struct net_ssh *ssh)
{
  return ssh->session;
}

const char *net_ssh_where(const struct net_ssh *ssh)
{
  return ssh->where;
}
