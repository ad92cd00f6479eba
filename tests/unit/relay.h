/* Stands between a client and the simulator: counts what the client sends, and does away with the
 * first `cuts` connections: it hangs up after some of the request, or answers too early. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

enum { RELAY_PAIRS = 30, RELAY_CUT_AFTER = 100000 };

struct relay_pair {
  int client;
  int server; /* -1: it is to be cut, and nobody is behind it */
  size_t got;
};

struct relay {
  pthread_t thread;
  int listener;
  int target_port;
  unsigned cuts;
  const char *early; /* what it answers at once to those, before it hangs up; NULL: nothing */
  char url[64];
  _Atomic uint64_t bytes_up; /* from the client */
  atomic_bool saw_mark;      /* an exclamation mark among them */
  atomic_uint connections;   /* that are open */
  size_t count;
  struct relay_pair pairs[RELAY_PAIRS];
};

static inline int relay_dial(int port)
{
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return connect(fd, (const struct sockaddr *)&address, sizeof(address)) ? -1 : fd;
}

static inline void relay_hang_up(struct relay *relay, size_t i)
{
  const struct linger reset = {.l_onoff = 1};
  const struct relay_pair pair = relay->pairs[i];
  if (pair.server < 0)
    (void)setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  else
    (void)close(pair.server);
  (void)close(pair.client);
  relay->pairs[i] = relay->pairs[--relay->count];
  relay->connections--;
}

static inline void relay_accept(struct relay *relay)
{
  int fd = accept(relay->listener, NULL, NULL);
  if (fd < 0 || relay->count == RELAY_PAIRS)
    return;
  bool is_cut = relay->cuts > 0;
  relay->cuts -= is_cut ? 1 : 0;
  relay->pairs[relay->count++] =
      (struct relay_pair){.client = fd, .server = is_cut ? -1 : relay_dial(relay->target_port)};
  relay->connections++;
}

/* False: the pair is over. */
static inline bool relay_up(struct relay *relay, struct relay_pair *pair)
{
  static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
  char data[16384];
  ssize_t n = read(pair->client, data, sizeof(data));
  if (n <= 0)
    return false;
  relay->bytes_up += (uint64_t)n;
  if (memchr(data, '!', (size_t)n))
    relay->saw_mark = true;
  bool is_first = pair->got == 0;
  pair->got += (size_t)n;
  if (pair->server >= 0)
    return send(pair->server, data, (size_t)n, MSG_NOSIGNAL) == n;
  if (relay->early) {
    (void)send(pair->client, relay->early, strlen(relay->early), MSG_NOSIGNAL);
    (void)shutdown(pair->client, SHUT_WR);
    return true; /* the client hangs up */
  }
  return (!is_first || send(pair->client, go_on, sizeof(go_on) - 1, MSG_NOSIGNAL) > 0) &&
         pair->got < RELAY_CUT_AFTER;
}

static inline bool relay_down(const struct relay_pair *pair)
{
  char data[16384];
  ssize_t n = read(pair->server, data, sizeof(data));
  return n > 0 && send(pair->client, data, (size_t)n, MSG_NOSIGNAL) == n;
}

static inline void *relay_run(void *arg)
{
  struct relay *relay = arg;
  for (;;) {
    struct pollfd ends[1 + 2 * RELAY_PAIRS] = {{.fd = relay->listener, .events = POLLIN}};
    size_t count = relay->count;
    for (size_t i = 0; i < count; i++) {
      ends[1 + 2 * i] = (struct pollfd){.fd = relay->pairs[i].client, .events = POLLIN};
      ends[2 + 2 * i] = (struct pollfd){.fd = relay->pairs[i].server, .events = POLLIN};
    }
    if (poll(ends, 1 + 2 * count, 60000) <= 0 || ends[0].revents & (POLLHUP | POLLERR | POLLNVAL))
      break;
    for (size_t i = count; i > 0; i--) { /* from the back: who hangs up is replaced by the last */
      bool goes_on = !ends[2 * i - 1].revents || relay_up(relay, &relay->pairs[i - 1]);
      if (goes_on && ends[2 * i].revents)
        goes_on = relay_down(&relay->pairs[i - 1]);
      if (!goes_on)
        relay_hang_up(relay, i - 1);
    }
    if (ends[0].revents)
      relay_accept(relay);
  }
  while (relay->count)
    relay_hang_up(relay, relay->count - 1);
  return NULL;
}

static inline void relay_open(struct relay *relay)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(0, bind(relay->listener, (struct sockaddr *)&address, len));
  assert_int_equal(0, listen(relay->listener, 8));
  assert_int_equal(0, getsockname(relay->listener, (struct sockaddr *)&address, &len));
  (void)snprintf(relay->url, sizeof(relay->url), "http://127.0.0.1:%u/vtapi/v2",
                 (unsigned)ntohs(address.sin_port));
}

/* @param url  of the simulator */
static inline void relay_start(struct relay *relay, const char *url)
{
  relay->target_port = (int)strtol(strrchr(url, ':') + 1, NULL, 10);
  assert_int_equal(0, pthread_create(&relay->thread, NULL, relay_run, relay));
}

static inline void relay_close(struct relay *relay)
{
  (void)shutdown(relay->listener, SHUT_RDWR);
  assert_int_equal(0, pthread_join(relay->thread, NULL));
  (void)close(relay->listener);
}
