/* What the files of the module `http` share.
 *
 *   bind_http.c          the functions, their waits and what they return
 *   bind_http_request.c  the options of a request
 *   once.c               what is sent once in a run */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.h>

#include "net/web.h"
#include "script/once.h"

enum { SCRIPT_HTTP_HEADERS_MAX = 64, SCRIPT_HTTP_URL_MAX = 8192, SCRIPT_HTTP_BODY_MAX = 1 << 20 };

/* A request as the options say it. Its buffers may hold secrets: they are wiped. */
struct script_http_parts {
  const char *method;
  struct ap_buf url;
  struct ap_buf body;
  struct ap_buf lines[SCRIPT_HTTP_HEADERS_MAX]; /* of headers */
  struct net_web_header headers[SCRIPT_HTTP_HEADERS_MAX];
  size_t header_count;
  bool has_body;
  bool url_has_secret;
  uint64_t timeout_ms;
  size_t max_answer_bytes;
  char once[SCRIPT_ONCE_KEY_MAX + 1]; /* "": none */
};

/* Reads the options table at index; raises on what is wrong. The URL is the value at url, or the
 * option where url is 0. allowed: as in script_secret_write.
 * @param method  the one of the function; NULL: the option says it */
void script_http_read(lua_State *L, int url, int options, int allowed, const char *method,
                      struct script_http_parts *parts);
void script_http_parts_wipe(struct script_http_parts *parts);

/* ---- bind_http.c ---- */

/* Pushes the module `http` with the terms of the table at terms, as reach.lua makes it.
 * AP_E_INVALID with why not. [-0, +1 on success, e] */
int script_http_push_module(lua_State *L, int terms, struct ap_error *err) AP_MUST_USE;
