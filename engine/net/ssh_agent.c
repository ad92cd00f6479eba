// SPDX-License-Identifier: Apache-2.0
#include "net/ssh_agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
  REQUEST_IDENTITIES = 11,
  IDENTITIES_ANSWER = 12,
  SIGN_REQUEST = 13,
  SIGN_RESPONSE = 14,
  ANSWER_MAX = 256 * 1024
};

struct net_ssh_agent {
  uv_poll_t poll;
  int fd;
  struct ap_buf out;
  size_t sent;
  struct ap_buf in;
  net_ssh_agent_fn *done; /* NULL: no question under way */
  void *arg;
};

int net_ssh_agent_open(struct net_loop *loop, const char *path, struct net_ssh_agent **out,
                       struct ap_error *err)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (!path || !*path)
    return ap_fail(err, AP_E_INVALID, "no agent is running: SSH_AUTH_SOCK is not set");
  if (strlen(path) >= sizeof(address.sun_path))
    return ap_fail(err, AP_E_INVALID, "the path of the agent's socket is too long");
  memcpy(address.sun_path, path, strlen(path));
  struct net_ssh_agent *agent = calloc(1, sizeof(*agent));
  if (!agent)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  ap_buf_init(&agent->out, ANSWER_MAX);
  ap_buf_init(&agent->in, ANSWER_MAX);
  agent->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (agent->fd < 0 ||
      connect(agent->fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
      uv_poll_init(net_loop_uv(loop), &agent->poll, agent->fd)) {
    int rc =
        ap_fail(err, AP_E_INVALID, "the agent at %s does not answer: %s", path, strerror(errno));
    if (agent->fd >= 0)
      (void)close(agent->fd);
    free(agent);
    return rc;
  }
  agent->poll.data = agent;
  *out = agent;
  return AP_OK;
}

static void poll_closed(uv_handle_t *handle)
{
  struct net_ssh_agent *agent = handle->data;
  (void)close(agent->fd);
  ap_buf_deinit(&agent->out);
  ap_buf_deinit(&agent->in);
  free(agent);
}

void net_ssh_agent_close(struct net_ssh_agent *agent)
{
  if (agent)
    uv_close((uv_handle_t *)&agent->poll, poll_closed);
}

/* ---- one question ---- */

static uint32_t number_at(const char *ptr)
{
  const unsigned char *c = (const unsigned char *)ptr;
  return (uint32_t)c[0] << 24 | (uint32_t)c[1] << 16 | (uint32_t)c[2] << 8 | c[3];
}

static void add_number(struct ap_buf *out, size_t value)
{
  const unsigned char bytes[] = {(unsigned char)(value >> 24 & 0xff),
                                 (unsigned char)(value >> 16 & 0xff),
                                 (unsigned char)(value >> 8 & 0xff), (unsigned char)(value & 0xff)};
  ap_buf_add(out, bytes, sizeof(bytes));
}

static void add_string(struct ap_buf *out, struct ap_slice text)
{
  add_number(out, text.len);
  ap_buf_add(out, text.ptr, text.len);
}

static void tell(struct net_ssh_agent *agent, int code, const char *text)
{
  net_ssh_agent_fn *done = agent->done;
  struct ap_slice answer = {NULL, 0};
  agent->done = NULL;
  (void)uv_poll_stop(&agent->poll);
  if (code == AP_OK)
    answer = (struct ap_slice){agent->in.ptr + 4, agent->in.len - 4};
  done(agent->arg, code, text, answer);
}

/* 1: all of it went out; 0: not yet; -1: it failed. */
static int send_some(struct net_ssh_agent *agent)
{
  while (agent->sent < agent->out.len) {
    ssize_t sent =
        send(agent->fd, agent->out.ptr + agent->sent, agent->out.len - agent->sent, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
      return 0;
    if (sent < 0)
      return -1;
    agent->sent += (size_t)sent;
  }
  return 1;
}

/* 1: the answer is whole; 0: not yet; -1: hung up, or nonsense. */
static int receive_some(struct net_ssh_agent *agent)
{
  for (;;) {
    size_t wanted = agent->in.len < 4 ? 4 : 4 + (size_t)number_at(agent->in.ptr);
    if (agent->in.len >= 4 && (wanted == 4 || wanted > ANSWER_MAX))
      return -1;
    if (agent->in.len >= 4 && agent->in.len == wanted)
      return 1;
    char *room = ap_buf_room(&agent->in, wanted - agent->in.len);
    if (!room)
      return -1;
    ssize_t got = recv(agent->fd, room, wanted - agent->in.len, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
      return 0;
    if (got <= 0)
      return -1;
    agent->in.len += (size_t)got;
  }
}

static void socket_ready(uv_poll_t *handle, int status, int events)
{
  struct net_ssh_agent *agent = handle->data;
  (void)events;
  int sent = status < 0 ? -1 : send_some(agent);
  if (sent == 0)
    return;
  int got = sent < 0 ? -1 : receive_some(agent);
  if (got < 0)
    tell(agent, AP_E_IO, "the agent hung up");
  else if (got > 0)
    tell(agent, AP_OK, "");
  else
    (void)uv_poll_start(&agent->poll, UV_READABLE, socket_ready);
}

static int ask(struct net_ssh_agent *agent, net_ssh_agent_fn *done, void *arg)
{
  if (ap_buf_error(&agent->out))
    return ap_buf_error(&agent->out);
  ap_buf_clear(&agent->in);
  agent->sent = 0;
  agent->done = done;
  agent->arg = arg;
  return uv_poll_start(&agent->poll, UV_READABLE | UV_WRITABLE, socket_ready) ? AP_E_INTERNAL
                                                                              : AP_PENDING;
}

int net_ssh_agent_list(struct net_ssh_agent *agent, net_ssh_agent_fn *done, void *arg)
{
  if (agent->done)
    return AP_E_BUSY;
  ap_buf_clear(&agent->out);
  add_number(&agent->out, 1);
  ap_buf_add_char(&agent->out, REQUEST_IDENTITIES);
  return ask(agent, done, arg);
}

int net_ssh_agent_sign(struct net_ssh_agent *agent, struct ap_slice key, struct ap_slice data,
                       net_ssh_agent_fn *done, void *arg)
{
  if (agent->done)
    return AP_E_BUSY;
  ap_buf_clear(&agent->out);
  add_number(&agent->out, 1 + 4 + key.len + 4 + data.len + 4);
  ap_buf_add_char(&agent->out, SIGN_REQUEST);
  add_string(&agent->out, key);
  add_string(&agent->out, data);
  add_number(&agent->out, 0); /* flags are for RSA */
  return ask(agent, done, arg);
}

/* ---- answers ---- */

static bool take_string(struct ap_slice bytes, size_t *at, struct ap_slice *out)
{
  if (bytes.len < *at || bytes.len - *at < 4)
    return false;
  size_t len = number_at(bytes.ptr + *at);
  if (len > bytes.len - *at - 4)
    return false;
  *out = (struct ap_slice){bytes.ptr + *at + 4, len};
  *at += 4 + len;
  return true;
}

bool net_ssh_agent_next_key(struct ap_slice answer, size_t *at, struct ap_slice *key)
{
  struct ap_slice comment;
  if (answer.len < 5 || answer.ptr[0] != IDENTITIES_ANSWER)
    return false;
  if (*at == 0)
    *at = 5; /* the kind, and how many: the bytes say that too */
  return take_string(answer, at, key) && take_string(answer, at, &comment);
}

bool net_ssh_agent_signature(struct ap_slice answer, struct ap_slice *signature)
{
  struct ap_slice whole;
  struct ap_slice algorithm;
  size_t at = 1;
  size_t inner = 0;
  return answer.len > 1 && answer.ptr[0] == SIGN_RESPONSE && take_string(answer, &at, &whole) &&
         take_string(whole, &inner, &algorithm) && take_string(whole, &inner, signature);
}
