/* A session of libssh2: its memory, its algorithms, its handshake, its last words. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "net/ssh_private.h"
#include "net/ssh_text.h"

enum { FREE_TRIES = 16, EMPTY_READS_MAX = 20000 };

static const struct {
  int method;
  const char *allowed;
} algorithms[] = {
    {LIBSSH2_METHOD_KEX, "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"
                         "ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group16-sha512,"
                         "diffie-hellman-group18-sha512"},
    {LIBSSH2_METHOD_CRYPT_CS, "aes256-ctr,aes192-ctr,aes128-ctr"},
    {LIBSSH2_METHOD_CRYPT_SC, "aes256-ctr,aes192-ctr,aes128-ctr"},
    {LIBSSH2_METHOD_MAC_CS, "hmac-sha2-256,hmac-sha2-512"},
    {LIBSSH2_METHOD_MAC_SC, "hmac-sha2-256,hmac-sha2-512"},
    {LIBSSH2_METHOD_COMP_CS, "none"},
    {LIBSSH2_METHOD_COMP_SC, "none"},
};

static LIBSSH2_ALLOC_FUNC(give)
{
  struct net_ssh *ssh = *abstract;
  return net_ssh_memory_new(&ssh->memory, count);
}

static LIBSSH2_REALLOC_FUNC(resize)
{
  struct net_ssh *ssh = *abstract;
  return net_ssh_memory_resize(&ssh->memory, ptr, count);
}

static LIBSSH2_FREE_FUNC(take_back)
{
  struct net_ssh *ssh = *abstract;
  net_ssh_memory_free(&ssh->memory, ptr);
}

static LIBSSH2_DISCONNECT_FUNC(hung_up)
{
  struct net_ssh *ssh = *abstract;
  (void)session;
  (void)reason;
  (void)language;
  (void)language_len;
  if (message_len > 0)
    net_ssh_clean(ssh->goodbye, sizeof(ssh->goodbye), message, (size_t)message_len);
}

/* libssh2 turns in circles where it meant to wait (a refused subsystem, whose channel the server
 * does not close): a step that reads nothing so often has lost its connection. */
static LIBSSH2_RECV_FUNC(receive)
{
  struct net_ssh *ssh = *abstract;
  ssize_t got = recv(socket, buffer, length, flags | MSG_NOSIGNAL);
  if (got >= 0) {
    ssh->empty_reads = 0;
    return got;
  }
  if (errno == EAGAIN && ++ssh->empty_reads > EMPTY_READS_MAX)
    return -ECONNABORTED;
  return errno == EINTR ? -EAGAIN : -errno;
}

/* The types that are known for the host come first, as in OpenSSH: a server with several keys then
 * shows one that can be compared. Those that turned out not to be the pinned key are left out. */
static void order_host_types(const struct net_ssh *ssh, char *out, size_t size)
{
  size_t used = 0;
  *out = '\0';
  for (int want_known = 1; want_known >= 0; want_known--)
    for (size_t i = 0; i < NET_SSH_HOST_TYPES; i++) {
      bool is_known = net_ssh_hosts_has_type(&ssh->hosts, net_ssh_host_types[i]);
      if (is_known == (want_known == 1) && !(ssh->pin_refused & 1U << i))
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "," : "",
                                 net_ssh_host_types[i]);
    }
}

int net_ssh_session_new(struct net_ssh *ssh)
{
  char types[160];
  ssh->session = libssh2_session_init_ex(give, take_back, resize, ssh);
  if (!ssh->session)
    return net_ssh_fail(ssh, AP_E_NO_MEMORY, "out of memory");
  libssh2_session_set_blocking(ssh->session, 0);
  const union {
    LIBSSH2_DISCONNECT_FUNC((*hung_up));
    LIBSSH2_RECV_FUNC((*receive));
    void *pointer;
  } on_hang_up = {.hung_up = hung_up}, on_receive = {.receive = receive};
  (void)libssh2_session_callback_set(ssh->session, LIBSSH2_CALLBACK_DISCONNECT, on_hang_up.pointer);
  (void)libssh2_session_callback_set(ssh->session, LIBSSH2_CALLBACK_RECV, on_receive.pointer);
  order_host_types(ssh, types, sizeof(types));
  int rc = libssh2_session_method_pref(ssh->session, LIBSSH2_METHOD_HOSTKEY, types);
  for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]) && rc == 0; i++)
    rc = libssh2_session_method_pref(ssh->session, algorithms[i].method, algorithms[i].allowed);
  if (rc != 0)
    return net_ssh_fail(ssh, AP_E_INTERNAL, "this libssh2 lacks the algorithms that are wanted");
  return AP_OK;
}

/* Nothing here waits for the network: a socket that is shut down fails at once. */
void net_ssh_session_free(struct net_ssh *ssh)
{
  if (!ssh->session)
    return;
  if (ssh->state == NET_SSH_OPEN)
    (void)libssh2_session_disconnect(ssh->session, "done");
  (void)shutdown(ssh->fd, SHUT_RDWR);
  for (int i = 0; i < FREE_TRIES; i++)
    if (libssh2_session_free(ssh->session) != LIBSSH2_ERROR_EAGAIN)
      break;
  ssh->session = NULL;
  net_ssh_memory_sweep(&ssh->memory);
}

static bool agreed_as_allowed(const struct net_ssh *ssh)
{
  for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
    const char *agreed = libssh2_session_methods(ssh->session, algorithms[i].method);
    if (!agreed || !net_ssh_list_has(algorithms[i].allowed, agreed))
      return false;
  }
  return true;
}

int net_ssh_handshake(struct net_ssh *ssh)
{
  int rc = libssh2_session_handshake(ssh->session, ssh->fd);
  if (rc == LIBSSH2_ERROR_EAGAIN)
    return AP_PENDING;
  if (rc == LIBSSH2_ERROR_KEX_FAILURE && ssh->pin_refused)
    return net_ssh_fail(ssh, AP_E_DENIED,
                        "the host key is not the pinned one: wanted %s, it shows %s", ssh->pin,
                        ssh->pin_seen);
  if (rc == LIBSSH2_ERROR_KEX_FAILURE)
    return net_ssh_fail(ssh, AP_E_NETWORK,
                        "no algorithms in common: it needs a host key of type ed25519 or ecdsa, "
                        "and aes-ctr with hmac-sha2");
  if (rc != 0) {
    struct ap_error err;
    return net_ssh_fail(ssh, net_ssh_describe(ssh, rc, &err), "%s", err.text);
  }
  if (!agreed_as_allowed(ssh))
    return net_ssh_fail(ssh, AP_E_NETWORK, "weak algorithms were agreed on");
  ssh->state = NET_SSH_TRUST;
  return AP_OK;
}

/* libssh2 has many words for the end of a connection, some of them -1. */
static bool has_hung_up(const struct net_ssh *ssh)
{
  char byte;
  ssize_t got = recv(ssh->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

static int describe_hang_up(const struct net_ssh *ssh, struct ap_error *err)
{
  if (*ssh->goodbye)
    return ap_fail(err, AP_E_NETWORK, "the server closed the connection: %s", ssh->goodbye);
  return ap_fail(err, AP_E_NETWORK, "the server closed the connection%s",
                 ssh->state == NET_SSH_HANDSHAKE ? " before it spoke SSH to the end" : "");
}

int net_ssh_describe(struct net_ssh *ssh, int rc, struct ap_error *err)
{
  char *message = NULL;
  int len = 0;
  char clean[160];
  if (rc == LIBSSH2_ERROR_ALLOC)
    return ap_fail(err, AP_E_NO_MEMORY, "no memory is left for what it sends");
  (void)libssh2_session_last_error(ssh->session, &message, &len, 0);
  net_ssh_clean(clean, sizeof(clean), message ? message : "", message ? (size_t)len : 0);
  switch (rc) {
  case LIBSSH2_ERROR_SOCKET_DISCONNECT:
  case LIBSSH2_ERROR_SOCKET_RECV:
  case LIBSSH2_ERROR_SOCKET_SEND:
  case LIBSSH2_ERROR_CHANNEL_CLOSED:
  case LIBSSH2_ERROR_CHANNEL_EOF_SENT:
  case LIBSSH2_ERROR_BANNER_RECV:
    return describe_hang_up(ssh, err);
  default:
    if (has_hung_up(ssh))
      return describe_hang_up(ssh, err);
    return ap_fail(err, AP_E_BAD_ANSWER, "SSH went wrong: %s (%d)", clean, rc);
  }
}
