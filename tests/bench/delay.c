/* A TCP proxy that makes a connection longer: each byte is handed on a set time after it came, in
 * both directions. What is on its way is kept up to HELD_MAX a direction, so that the endpoints'
 * own windows decide what that costs.
 *
 *   delay PORT MS
 *
 * Prints its address, hands on to that port of loopback until SIGTERM, then prints {}. */
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  PAIRS_MAX = 64,
  CHUNK_BYTES = 64 * 1024,
  HELD_MAX = 32 * 1024 * 1024,
  EACH = 2, /* sockets of a pair */
  OWN = 2   /* the listener and the signals */
};

struct chunk {
  struct chunk *next;
  uint64_t due_ns;
  size_t len; /* 0: the end of what comes */
  size_t sent;
  char data[];
};

/* What came from one socket of a pair, for the other. */
struct way {
  struct chunk *first, *last;
  size_t held;
  bool has_ended; /* nothing more comes */
  bool is_done;   /* and the end was handed on */
};

struct pair {
  bool is_open;
  int fds[EACH];
  struct way ways[EACH]; /* of the bytes from the socket of this index */
};

static struct pair pairs[PAIRS_MAX];
static uint64_t delay_ns;

static uint64_t now_ns(void)
{
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static struct sockaddr_in loopback(uint16_t port)
{
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void drop_first(struct way *way)
{
  struct chunk *chunk = way->first;
  way->first = chunk->next;
  if (!way->first)
    way->last = NULL;
  way->held -= chunk->len;
  free(chunk);
}

static void close_pair(struct pair *pair)
{
  for (int i = 0; i < EACH; i++) {
    while (pair->ways[i].first)
      drop_first(&pair->ways[i]);
    (void)close(pair->fds[i]);
  }
  *pair = (struct pair){0};
}

static void set_no_delay(int fd)
{
  int yes = 1;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

static void accept_one(int listener, uint16_t port)
{
  const struct sockaddr_in target = loopback(port);
  struct pair *pair = NULL;
  for (int i = 0; i < PAIRS_MAX && !pair; i++)
    pair = pairs[i].is_open ? NULL : &pairs[i];
  int near = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (!pair || near < 0 || far < 0 ||
      connect(far, (const struct sockaddr *)&target, sizeof(target))) {
    (void)close(near);
    (void)close(far);
    return;
  }
  set_no_delay(near);
  set_no_delay(far);
  *pair = (struct pair){.is_open = true, .fds = {near, far}};
}

static bool is_later(void)
{
  return errno == EAGAIN || errno == EINTR;
}

/* False when the connection is broken. */
static bool take(struct pair *pair, int from)
{
  struct way *way = &pair->ways[from];
  struct chunk *chunk = malloc(sizeof(*chunk) + CHUNK_BYTES);
  ssize_t got = chunk ? recv(pair->fds[from], chunk->data, CHUNK_BYTES, MSG_DONTWAIT) : 0;
  if (!chunk || got < 0) {
    free(chunk);
    return chunk && is_later();
  }
  chunk->next = NULL;
  chunk->due_ns = now_ns() + delay_ns;
  chunk->len = (size_t)got;
  chunk->sent = 0;
  if (way->last)
    way->last->next = chunk;
  else
    way->first = chunk;
  way->last = chunk;
  way->held += chunk->len;
  way->has_ended = got == 0;
  return true;
}

/* False when the connection is broken. */
static bool hand_on(struct pair *pair, int from, uint64_t now)
{
  struct way *way = &pair->ways[from];
  int to = pair->fds[1 - from];
  while (way->first && way->first->due_ns <= now) {
    struct chunk *chunk = way->first;
    if (chunk->len == 0) {
      way->is_done = true;
      (void)shutdown(to, SHUT_WR);
    } else {
      ssize_t sent = send(to, chunk->data + chunk->sent, chunk->len - chunk->sent,
                          MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0)
        return is_later();
      chunk->sent += (size_t)sent;
      if (chunk->sent < chunk->len)
        return true;
    }
    drop_first(way);
  }
  return true;
}

/* What to wait for at the sockets of a pair; the earliest due time goes to *next_ns. */
static void ask_for(const struct pair *pair, uint64_t now, struct pollfd *asked, uint64_t *next_ns)
{
  for (int i = 0; i < EACH; i++)
    asked[i] = (struct pollfd){.fd = pair->is_open ? pair->fds[i] : -1};
  for (int from = 0; pair->is_open && from < EACH; from++) {
    const struct way *way = &pair->ways[from];
    if (!way->has_ended && way->held < HELD_MAX)
      asked[from].events |= POLLIN;
    if (way->first && way->first->due_ns <= now)
      asked[1 - from].events |= POLLOUT;
    else if (way->first && way->first->due_ns < *next_ns)
      *next_ns = way->first->due_ns;
  }
  for (int i = 0; i < EACH; i++)
    if (!asked[i].events)
      asked[i].fd = -1; /* an error would be told without end */
}

static void serve_pair(struct pair *pair, const struct pollfd *asked, uint64_t now)
{
  bool is_good = true;
  for (int i = 0; i < EACH && is_good; i++)
    if (asked[i].events & POLLIN && asked[i].revents)
      is_good = take(pair, i);
  for (int i = 0; i < EACH && is_good; i++)
    is_good = hand_on(pair, i, now);
  if (!is_good || (pair->ways[0].is_done && pair->ways[1].is_done))
    close_pair(pair);
}

static void serve(int listener, int signals, uint16_t port)
{
  struct pollfd asked[OWN + EACH * PAIRS_MAX] = {{.fd = listener, .events = POLLIN},
                                                 {.fd = signals, .events = POLLIN}};
  for (;;) {
    uint64_t now = now_ns();
    uint64_t next_ns = UINT64_MAX;
    for (int i = 0; i < PAIRS_MAX; i++)
      ask_for(&pairs[i], now, &asked[OWN + EACH * i], &next_ns);
    uint64_t wait_ns = next_ns == UINT64_MAX ? 0 : next_ns - now;
    const struct timespec wait = {(time_t)(wait_ns / 1000000000U), (long)(wait_ns % 1000000000U)};
    int count = ppoll(asked, OWN + EACH * PAIRS_MAX, next_ns == UINT64_MAX ? NULL : &wait, NULL);
    if (count < 0 && errno != EINTR)
      return;
    if (count > 0 && asked[1].revents)
      return;
    now = now_ns();
    for (int i = 0; i < PAIRS_MAX; i++)
      if (pairs[i].is_open)
        serve_pair(&pairs[i], &asked[OWN + EACH * i], now);
    if (count > 0 && asked[0].revents)
      accept_one(listener, port);
  }
}

/* -1 when it cannot listen. */
static int listen_on_loopback(void)
{
  struct sockaddr_in address = loopback(0);
  socklen_t len = sizeof(address);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, len) ||
      listen(listener, PAIRS_MAX) || getsockname(listener, (struct sockaddr *)&address, &len))
    return -1;
  (void)printf("127.0.0.1:%u\n", ntohs(address.sin_port));
  return fflush(stdout) == 0 ? listener : -1;
}

/* SIGTERM is read from it; and the proxy does not outlive who started it. */
static int catch_end(void)
{
  sigset_t set;
  (void)sigemptyset(&set);
  (void)sigaddset(&set, SIGTERM);
  bool is_caught = sigprocmask(SIG_BLOCK, &set, NULL) == 0 && prctl(PR_SET_PDEATHSIG, SIGTERM) == 0;
  return is_caught ? signalfd(-1, &set, SFD_CLOEXEC) : -1;
}

int main(int argc, char **argv)
{
  if (argc != 3) {
    (void)fputs("usage: delay PORT MS\n", stderr);
    return 2;
  }
  delay_ns = strtoull(argv[2], NULL, 10) * 1000000U;
  int signals = catch_end();
  int listener = signals < 0 ? -1 : listen_on_loopback();
  if (listener < 0) {
    perror("delay");
    return 1;
  }
  serve(listener, signals, (uint16_t)strtoul(argv[1], NULL, 10));
  (void)puts("{}");
  return 0;
}
