// SPDX-License-Identifier: Apache-2.0
#include "net/ssh_connect.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct net_ssh_connect {
  struct net_loop *loop;
  uv_getaddrinfo_t resolve;
  uv_timer_t timer;
  uv_poll_t *poll; /* NULL: no attempt under way */
  struct addrinfo *all;
  struct addrinfo *next;
  uint64_t each_ms;
  int fd;
  bool is_resolving;
  bool is_over; /* canceled, or told: only memory is left */
  int last_error;
  net_ssh_connect_fn *done;
  void *arg;
};

static void try_next(struct net_ssh_connect *dial);

/* ---- the end ---- */

static void timer_closed(uv_handle_t *handle)
{
  struct net_ssh_connect *dial = handle->data;
  uv_freeaddrinfo(dial->all);
  free(dial);
}

static void poll_closed(uv_handle_t *handle)
{
  free(handle);
}

static void drop_poll(struct net_ssh_connect *dial)
{
  if (dial->poll)
    uv_close((uv_handle_t *)dial->poll, poll_closed);
  dial->poll = NULL;
}

static void drop_attempt(struct net_ssh_connect *dial)
{
  drop_poll(dial);
  (void)uv_timer_stop(&dial->timer);
  if (dial->fd >= 0)
    (void)close(dial->fd);
  dial->fd = -1;
}

/* The memory goes when the resolver has let go of it. */
static void end(struct net_ssh_connect *dial)
{
  dial->is_over = true;
  drop_attempt(dial);
  if (!dial->is_resolving)
    uv_close((uv_handle_t *)&dial->timer, timer_closed);
}

static void tell(struct net_ssh_connect *dial, int code, const char *text, int fd)
{
  net_ssh_connect_fn *done = dial->done;
  void *arg = dial->arg;
  dial->fd = -1;
  end(dial);
  done(arg, code, text, fd);
}

void net_ssh_connect_cancel(struct net_ssh_connect *dial)
{
  if (!dial)
    return;
  if (dial->is_resolving)
    (void)uv_cancel((uv_req_t *)&dial->resolve);
  end(dial);
}

/* ---- addresses ---- */

static void attempt_failed(struct net_ssh_connect *dial, int error)
{
  dial->last_error = error;
  drop_attempt(dial);
  try_next(dial);
}

static void attempt_ready(uv_poll_t *handle, int status, int events)
{
  struct net_ssh_connect *dial = handle->data;
  int error = 0;
  socklen_t len = sizeof(error);
  (void)events;
  if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
    error = errno;
  else if (status < 0 && !error) /* libuv has only "bad file" for what the socket knows */
    error = ECONNABORTED;
  if (error) {
    attempt_failed(dial, error);
    return;
  }
  int fd = dial->fd;
  int on = 1;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  drop_poll(dial);
  tell(dial, AP_OK, "", fd);
}

static void attempt_too_slow(uv_timer_t *timer)
{
  attempt_failed(timer->data, ETIMEDOUT);
}

static bool begin_attempt(struct net_ssh_connect *dial, const struct addrinfo *address)
{
  dial->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (dial->fd < 0) {
    dial->last_error = errno;
    return false;
  }
  if (connect(dial->fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS) {
    dial->last_error = errno;
    return false;
  }
  uv_poll_t *poll = calloc(1, sizeof(*poll));
  if (!poll || uv_poll_init(net_loop_uv(dial->loop), poll, dial->fd)) {
    free(poll);
    dial->last_error = ENOMEM;
    return false;
  }
  poll->data = dial;
  dial->poll = poll;
  (void)uv_poll_start(poll, UV_WRITABLE, attempt_ready);
  if (address->ai_next)
    (void)uv_timer_start(&dial->timer, attempt_too_slow, dial->each_ms, 0);
  return true;
}

static void try_next(struct net_ssh_connect *dial)
{
  while (dial->next) {
    const struct addrinfo *address = dial->next;
    dial->next = dial->next->ai_next;
    if (begin_attempt(dial, address))
      return;
    drop_attempt(dial);
  }
  char text[160];
  (void)snprintf(text, sizeof(text), "no connection: %s", strerror(dial->last_error));
  tell(dial, dial->last_error == ETIMEDOUT ? AP_E_TIMEOUT : AP_E_NETWORK, text, -1);
}

static void resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
  struct net_ssh_connect *dial = request->data;
  dial->is_resolving = false;
  dial->all = dial->next = list;
  if (dial->is_over) {
    end(dial);
  } else if (status < 0) {
    char text[160];
    bool is_unknown = status == UV_EAI_NONAME || status == UV_EAI_NODATA;
    (void)snprintf(text, sizeof(text), "the name cannot be resolved: %s", uv_strerror(status));
    tell(dial, is_unknown ? AP_E_NOT_FOUND : AP_E_NETWORK, text, -1);
  } else {
    dial->last_error = EHOSTUNREACH;
    try_next(dial);
  }
}

int net_ssh_connect_start(struct net_loop *loop, const char *host, unsigned port, uint64_t each_ms,
                          net_ssh_connect_fn *done, void *arg, struct net_ssh_connect **out)
{
  const struct addrinfo hints = {
      .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
  char service[16];
  struct net_ssh_connect *dial = calloc(1, sizeof(*dial));
  if (!dial)
    return AP_E_NO_MEMORY;
  dial->loop = loop;
  dial->each_ms = each_ms;
  dial->done = done;
  dial->arg = arg;
  dial->fd = -1;
  dial->resolve.data = dial;
  (void)snprintf(service, sizeof(service), "%u", port);
  (void)uv_timer_init(net_loop_uv(loop), &dial->timer);
  dial->timer.data = dial;
  if (uv_getaddrinfo(net_loop_uv(loop), &dial->resolve, resolved, host, service, &hints)) {
    end(dial);
    return AP_E_NO_MEMORY;
  }
  dial->is_resolving = true;
  *out = dial;
  return AP_PENDING;
}
