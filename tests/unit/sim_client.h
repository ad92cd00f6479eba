/* A small HTTP client over a plain socket for tests of the simulator: it sends what it is told,
 * also what is no HTTP, and says what came back, also half an answer. And a reader of scenarios
 * written as JSON. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/json.h"
#include "sim/sim.h"
#include "unit.h"

struct answer {
  int status;    /* 0: no status line came */
  bool is_whole; /* as much body as Content-Length says */
  struct ap_buf text;
  struct ap_slice body;
};

static inline void answer_free(struct answer *answer)
{
  ap_buf_deinit(&answer->text);
  *answer = (struct answer){0};
}

static inline int sim_port(const struct sim *sim)
{
  return (int)strtol(strrchr(sim_url(sim), ':') + 1, NULL, 10);
}

static inline int client_connect(int port)
{
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct timeval limit = {.tv_sec = 20};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
  assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
  return fd;
}

/* False when the other side closes before all is sent, as it may when it refuses early. */
static inline bool client_send(int fd, const char *bytes, size_t len)
{
  while (len) {
    ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes += sent;
    len -= (size_t)sent;
  }
  return true;
}

static inline void answer_parse(struct answer *answer)
{
  const char *text = ap_buf_cstr(&answer->text);
  const char *behind = strstr(text, "\r\n\r\n");
  const char *length = strstr(text, "Content-Length: ");
  if (strncmp(text, "HTTP/1.1 ", 9) != 0 || !behind)
    return;
  answer->status = (int)strtol(text + 9, NULL, 10);
  answer->body.ptr = behind + 4;
  answer->body.len = answer->text.len - (size_t)(behind + 4 - text);
  answer->is_whole = !length || strtoull(length + 16, NULL, 10) == answer->body.len;
}

/* Reads until the other side closes. */
static inline struct answer client_read(int fd)
{
  struct answer answer = {0};
  for (;;) {
    char *room = ap_buf_room(&answer.text, 16384);
    assert_non_null(room);
    ssize_t got = recv(fd, room, 16384, 0);
    if (got <= 0)
      break;
    answer.text.len += (size_t)got;
    answer.text.ptr[answer.text.len] = '\0';
  }
  answer_parse(&answer);
  return answer;
}

static inline struct answer client_exchange(const struct sim *sim, const char *bytes, size_t len)
{
  int fd = client_connect(sim_port(sim));
  (void)client_send(fd, bytes, len);
  struct answer answer = client_read(fd);
  (void)close(fd);
  return answer;
}

/* @param path  below the base path when it does not begin with a slash
 * @param type  NULL: no content type. */
static inline struct answer client_ask(const struct sim *sim, const char *method, const char *path,
                                       const char *type, struct ap_slice body)
{
  struct ap_buf request = {0};
  ap_buf_add_fmt(&request, "%s %s%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", method,
                 path[0] == '/' ? "" : "/vtapi/v2/", path);
  if (type)
    ap_buf_add_fmt(&request, "Content-Type: %s\r\n", type);
  if (type || body.len)
    ap_buf_add_fmt(&request, "Content-Length: %zu\r\n", body.len);
  ap_buf_add_str(&request, "\r\n");
  ap_buf_add(&request, body.ptr, body.len);
  struct answer answer = client_exchange(sim, request.ptr, request.len);
  ap_buf_deinit(&request);
  return answer;
}

/* ---- scenarios as JSON ---- */

static inline char *scenario_text(struct ap_slice token, size_t *len)
{
  struct ap_buf text = {0};
  ap_json_read_string(token, &text);
  *len = text.len;
  char *copy = ap_memdup(ap_buf_cstr(&text), text.len);
  ap_buf_deinit(&text);
  return copy;
}

static inline size_t scenario_place(const struct ap_value *table, const char *key)
{
  size_t at = 0;
  while (at < table->len && strcmp(table->keys[at], key) < 0)
    at++;
  return at;
}

static inline void scenario_read(struct ap_slice json, struct ap_value *out)
{
  enum ap_json_kind kind = ap_json_kind(json);
  *out = (struct ap_value){0};
  if (kind == AP_JSON_STRING) {
    out->kind = AP_VALUE_STRING;
    out->text = scenario_text(json, &out->len);
  } else if (kind == AP_JSON_NUMBER) {
    out->kind = AP_VALUE_INT;
    assert_true(ap_json_read_int(json, &out->integer));
  } else if (kind == AP_JSON_BOOL) {
    out->kind = AP_VALUE_BOOL;
    out->boolean = ap_json_trim(json).ptr[0] == 't';
  } else {
    bool is_table = kind == AP_JSON_OBJECT;
    out->kind = is_table ? AP_VALUE_TABLE : AP_VALUE_LIST;
    out->items = calloc(64, sizeof(*out->items));
    out->keys = is_table ? calloc(64, sizeof(*out->keys)) : NULL;
    struct ap_json_walk walk = ap_json_walk(json);
    while (ap_json_next(&walk)) {
      size_t len = 0;
      char *key = is_table ? scenario_text(walk.key, &len) : NULL;
      size_t at = is_table ? scenario_place(out, key) : out->len;
      memmove(&out->items[at + 1], &out->items[at], (out->len - at) * sizeof(*out->items));
      if (is_table) {
        memmove(&out->keys[at + 1], &out->keys[at], (out->len - at) * sizeof(*out->keys));
        out->keys[at] = key;
      }
      scenario_read(walk.value, &out->items[at]);
      out->len++;
      assert_true(out->len < 63);
    }
  }
}

static inline void scenario_parse(const char *json, struct ap_value *out)
{
  struct ap_slice text = {json, strlen(json)};
  struct ap_error err = {0};
  if (ap_json_check(text, 32, 1000, &err))
    fail_msg("%s: %s", json, err.text);
  scenario_read(text, out);
}
