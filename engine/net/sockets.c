// SPDX-License-Identifier: Apache-2.0
#include "net/sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/memory.h"

/* ---- what is wanted ---- */

static bool is_wanted(const struct net_sockets *sockets, int socket)
{
  return (size_t)socket < sockets->wanted.len && sockets->wanted.ptr[socket];
}

/* While something is wanted, it keeps the loop alive. */
static void set_wanted(struct net_sockets *sockets, int socket, bool wanted)
{
  if (is_wanted(sockets, socket) == wanted)
    return;
  sockets->wanted.ptr[socket] = wanted;
  if (wanted && sockets->wanted_count++ == 0)
    uv_ref((uv_handle_t *)sockets->poll);
  else if (!wanted && --sockets->wanted_count == 0)
    uv_unref((uv_handle_t *)sockets->poll);
}

/* So that set_wanted finds a place for the socket. */
static void make_place(struct net_sockets *sockets, int socket)
{
  size_t len = (size_t)socket + 1;
  if (len <= sockets->wanted.len)
    return;
  char *room = ap_buf_room(&sockets->wanted, len - sockets->wanted.len);
  if (!room)
    ap_out_of_memory();
  memset(room, 0, len - sockets->wanted.len);
  sockets->wanted.len = len;
}

/* The socket may be in already, or be another than the one that was. */
static bool put_in(const struct net_sockets *sockets, int socket, uint32_t events)
{
  struct epoll_event event = {.events = events, .data.fd = socket};
  return epoll_ctl(sockets->epoll, EPOLL_CTL_MOD, socket, &event) == 0 ||
         (errno == ENOENT && epoll_ctl(sockets->epoll, EPOLL_CTL_ADD, socket, &event) == 0);
}

/* Told that a socket cannot be watched, libcurl does nothing more at all, and the run would wait
 * for ever: then it ends. The kernel is out of memory, or of what it lets us watch. */
static int socket_wanted(CURL *easy, curl_socket_t socket, int what, void *arg, void *socket_arg)
{
  struct net_sockets *sockets = arg;
  (void)easy;
  (void)socket_arg;
  if (what == CURL_POLL_REMOVE) {
    set_wanted(sockets, socket, false);
    return 0;
  }
  uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
  make_place(sockets, socket);
  if (!put_in(sockets, socket, events))
    ap_out_of_memory();
  set_wanted(sockets, socket, true);
  return 0;
}

/* ---- what has happened ---- */

static void tell(const struct net_sockets *sockets, const struct epoll_event *event)
{
  int flags = 0;
  int running;
  if (event->events & (EPOLLIN | EPOLLHUP))
    flags |= CURL_CSELECT_IN;
  if (event->events & EPOLLOUT)
    flags |= CURL_CSELECT_OUT;
  if (event->events & EPOLLERR)
    flags |= CURL_CSELECT_ERR;
  (void)curl_multi_socket_action(sockets->multi, event->data.fd, flags, &running);
}

/* One socket a turn of the loop: whoever had its answer sends its next request before the answers
 * of others are worked through, and servers need not wait for us. */
static void epoll_ready(uv_poll_t *handle, int status, int poll_events)
{
  struct net_sockets *sockets = handle->data;
  struct epoll_event event;
  (void)status;
  (void)poll_events;
  if (epoll_wait(sockets->epoll, &event, 1, 0) != 1)
    return;
  if (!is_wanted(sockets, event.data.fd)) {
    /* The other side has closed a connection that rests: libcurl will see it. */
    (void)epoll_ctl(sockets->epoll, EPOLL_CTL_DEL, event.data.fd, NULL);
    return;
  }
  tell(sockets, &event);
  sockets->acted(sockets->arg);
}

/* ---- opening and closing ---- */

static void poll_closed(uv_handle_t *handle)
{
  free(handle);
}

int net_sockets_open(struct net_sockets *sockets, struct net_loop *loop, CURLM *multi,
                     void (*acted)(void *arg), void *arg)
{
  *sockets = (struct net_sockets){.multi = multi, .acted = acted, .arg = arg};
  sockets->epoll = epoll_create1(EPOLL_CLOEXEC);
  sockets->poll = calloc(1, sizeof(*sockets->poll));
  if (sockets->epoll < 0 || !sockets->poll ||
      uv_poll_init(net_loop_uv(loop), sockets->poll, sockets->epoll)) {
    free(sockets->poll);
    if (sockets->epoll >= 0)
      (void)close(sockets->epoll);
    return AP_E_NO_MEMORY;
  }
  sockets->poll->data = sockets;
  (void)uv_poll_start(sockets->poll, UV_READABLE, epoll_ready);
  uv_unref((uv_handle_t *)sockets->poll);
  (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
  (void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, sockets);
  return AP_OK;
}

void net_sockets_close(struct net_sockets *sockets)
{
  (void)uv_poll_stop(sockets->poll);
  uv_close((uv_handle_t *)sockets->poll, poll_closed);
  (void)close(sockets->epoll);
  ap_buf_deinit(&sockets->wanted);
}
