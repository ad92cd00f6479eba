/* The bench server: answers file/report on loopback with reports of about 7 KB, each a set time
 * after its request arrived. One thread, so that it takes little from the client that is measured.
 *
 *   server DELAY_MS
 *
 * Prints its base URL, serves until SIGTERM, then prints as JSON what it saw: requests, items, the
 * most requests in flight at one moment, connections, and requests that it did not understand. */
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "answer.h"

enum { REQUEST_BYTES = 8 * 1024, EVENTS = 64 };

enum state { READING, WAITING, WRITING };

struct conn {
  struct conn *prev, *next; /* in line, while WAITING */
  int fd;
  enum state state;
  uint64_t due_ns;
  size_t got;
  size_t sent;
  char request[REQUEST_BYTES];
  struct answer answer;
};

struct server {
  int epoll;
  int listener;
  int timer;
  int signals;
  uint64_t delay_ns;
  struct conn *line; /* by due_ns: the delay is the same for all */
  size_t in_flight;
  size_t requests, items, peak, connections, bad;
};

static uint64_t now_ns(void)
{
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void watch(const struct server *server, int fd, int operation, uint32_t events, void *data)
{
  struct epoll_event event = {.events = events, .data.ptr = data};
  if (epoll_ctl(server->epoll, operation, fd, &event)) {
    perror("server: epoll_ctl");
    exit(1);
  }
}

static void set_timer(const struct server *server)
{
  struct itimerspec at = {0};
  if (server->line) {
    at.it_value.tv_sec = (time_t)(server->line->due_ns / 1000000000U);
    at.it_value.tv_nsec = (long)(server->line->due_ns % 1000000000U);
  }
  (void)timerfd_settime(server->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void conn_free(struct server *server, struct conn *conn)
{
  if (conn->state == WAITING)
    DL_DELETE(server->line, conn);
  if (conn->state != READING)
    server->in_flight--;
  (void)close(conn->fd);
  free(conn);
}

static void conn_write(struct server *server, struct conn *conn)
{
  while (conn->sent < conn->answer.len) {
    ssize_t sent = send(conn->fd, conn->answer.bytes + conn->sent, conn->answer.len - conn->sent,
                        MSG_NOSIGNAL);
    if (sent <= 0) {
      watch(server, conn->fd, EPOLL_CTL_MOD, EPOLLOUT, conn);
      return; /* a connection that broke says so as an event */
    }
    conn->sent += (size_t)sent;
  }
  conn->state = READING;
  conn->got = conn->sent = 0;
  server->in_flight--;
  watch(server, conn->fd, EPOLL_CTL_MOD, EPOLLIN, conn);
}

/* Where the body begins, once all of the request is there; NULL before. */
static const char *find_body(struct conn *conn, size_t *len)
{
  static const char field[] = "Content-Length: ";
  conn->request[conn->got] = '\0';
  const char *end = strstr(conn->request, "\r\n\r\n");
  const char *length = end ? strstr(conn->request, field) : NULL;
  if (!length)
    return NULL;
  *len = strtoul(length + sizeof(field) - 1, NULL, 10);
  end += 4;
  return (size_t)(end - conn->request) + *len <= conn->got ? end : NULL;
}

static void take_request(struct server *server, struct conn *conn, const char *body, size_t len)
{
  answer_write(body, len, &conn->answer);
  server->requests++;
  server->items += conn->answer.items;
  if (conn->answer.items == 0)
    server->bad++;
  server->in_flight++;
  if (server->in_flight > server->peak)
    server->peak = server->in_flight;
  if (server->delay_ns == 0) {
    conn->state = WRITING;
    conn_write(server, conn);
    return;
  }
  conn->state = WAITING;
  conn->due_ns = now_ns() + server->delay_ns;
  DL_APPEND(server->line, conn);
  if (server->line == conn)
    set_timer(server);
}

static void conn_read(struct server *server, struct conn *conn)
{
  size_t len;
  ssize_t got = recv(conn->fd, conn->request + conn->got, REQUEST_BYTES - 1 - conn->got, 0);
  if (got <= 0) {
    conn_free(server, conn);
    return;
  }
  conn->got += (size_t)got;
  const char *body = find_body(conn, &len);
  if (body)
    take_request(server, conn, body, len);
}

static void conn_event(struct server *server, struct conn *conn, uint32_t events)
{
  bool is_broken = events & (EPOLLERR | EPOLLHUP);
  if (!is_broken && events & EPOLLOUT)
    conn_write(server, conn);
  else if (!is_broken && conn->state == READING)
    conn_read(server, conn);
  else
    conn_free(server, conn); /* nobody waits for its answer any more */
}

static void timer_event(struct server *server)
{
  uint64_t count;
  (void)!read(server->timer, &count, sizeof(count));
  uint64_t now = now_ns();
  while (server->line && server->line->due_ns <= now) {
    struct conn *conn = server->line;
    DL_DELETE(server->line, conn);
    conn->state = WRITING;
    conn_write(server, conn);
  }
  set_timer(server);
}

static void accept_one(struct server *server)
{
  int yes = 1;
  int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  struct conn *conn = fd < 0 ? NULL : calloc(1, sizeof(*conn));
  if (!conn)
    return;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  conn->fd = fd;
  server->connections++;
  watch(server, fd, EPOLL_CTL_ADD, EPOLLIN, conn);
}

static bool listen_on_loopback(struct server *server)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  server->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&address, len) ||
      listen(server->listener, 1024) ||
      getsockname(server->listener, (struct sockaddr *)&address, &len))
    return false;
  (void)printf("http://127.0.0.1:%u\n", ntohs(address.sin_port));
  return fflush(stdout) == 0;
}

/* SIGTERM is an event too; and the server does not outlive who started it. */
static bool catch_end(struct server *server)
{
  sigset_t set;
  (void)sigemptyset(&set);
  (void)sigaddset(&set, SIGTERM);
  server->signals = signalfd(-1, &set, SFD_CLOEXEC);
  return sigprocmask(SIG_BLOCK, &set, NULL) == 0 && server->signals >= 0 &&
         prctl(PR_SET_PDEATHSIG, SIGTERM) == 0;
}

static void serve(struct server *server)
{
  struct epoll_event events[EVENTS];
  for (;;) {
    int count = epoll_wait(server->epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      const void *what = events[i].data.ptr;
      if (what == &server->signals)
        return;
      if (what == &server->listener)
        accept_one(server);
      else if (what == &server->timer)
        timer_event(server);
      else
        conn_event(server, events[i].data.ptr, events[i].events);
    }
  }
}

int main(int argc, char **argv)
{
  static struct server server;
  if (argc != 2) {
    (void)fputs("usage: server DELAY_MS\n", stderr);
    return 2;
  }
  server.delay_ns = strtoull(argv[1], NULL, 10) * 1000000U;
  answer_init();
  server.epoll = epoll_create1(EPOLL_CLOEXEC);
  server.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  if (server.epoll < 0 || server.timer < 0 || !catch_end(&server) || !listen_on_loopback(&server)) {
    perror("server");
    return 1;
  }
  watch(&server, server.listener, EPOLL_CTL_ADD, EPOLLIN, &server.listener);
  watch(&server, server.timer, EPOLL_CTL_ADD, EPOLLIN, &server.timer);
  watch(&server, server.signals, EPOLL_CTL_ADD, EPOLLIN, &server.signals);
  serve(&server);
  (void)printf("{\"requests\": %zu, \"items\": %zu, \"in_flight\": %zu, \"connections\": %zu, "
               "\"bad\": %zu}\n",
               server.requests, server.items, server.peak, server.connections, server.bad);
  return 0;
}
