/* The request log: what was asked of services and what they answered, a JSON object a line, every
 * secret as "***". */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"
#include "net/web_private.h"

int net_web_log_open(struct net_web *web, const char *path, struct ap_error *err)
{
  web->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (web->log >= 0)
    return AP_OK;
  return ap_fail(err, AP_E_IO, "the request log %s cannot be opened: %s", path, strerror(errno));
}

void net_web_log_close(struct net_web *web)
{
  if (web->log >= 0)
    (void)close(web->log);
}

/* ---- one line ---- */

static void add_masked(struct ap_buf *line, const char *text, size_t len)
{
  struct ap_buf masked = {0};
  net_web_mask(&masked, text, len);
  ap_json_write_string(line, ap_buf_cstr(&masked), masked.len);
  if (ap_buf_error(&masked))
    line->error = ap_buf_error(&masked);
  ap_buf_wipe(&masked);
}

/* "Name: value" as a member of an object. */
static void add_header(struct ap_buf *line, const char *text, size_t len)
{
  const char *colon = memchr(text, ':', len);
  const char *end = text + len;
  if (!colon || colon == text)
    return;
  const char *value = colon + 1;
  while (value < end && *value == ' ')
    value++;
  while (end > value && (end[-1] == '\r' || end[-1] == ' '))
    end--;
  struct ap_buf name = {0};
  for (const char *c = text; c < colon; c++)
    ap_buf_add_char(&name, (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c));
  if (line->ptr[line->len - 1] != '{')
    ap_buf_add_char(line, ',');
  ap_json_write_string(line, ap_buf_cstr(&name), name.len);
  ap_buf_add_char(line, ':');
  add_masked(line, value, (size_t)(end - value));
  ap_buf_deinit(&name);
}

static void add_request(struct ap_buf *line, const struct net_web_call *call)
{
  const char *header = call->lines.ptr;
  ap_buf_add_str(line, "{\"service\":");
  ap_json_write_cstr(line, call->service->name);
  ap_buf_add_str(line, ",\"method\":");
  ap_json_write_cstr(line, call->method);
  ap_buf_add_str(line, ",\"url\":");
  add_masked(line, call->url.ptr, call->url.len);
  ap_buf_add_str(line, ",\"headers\":{");
  for (size_t i = 0; i < call->header_count && line->ptr; i++, header += strlen(header) + 1)
    add_header(line, header, strlen(header));
  ap_buf_add_str(line, "},\"body\":");
  if (call->has_body)
    add_masked(line, call->body.ptr, call->body.len);
  else
    ap_buf_add_str(line, "null");
}

static void add_head(struct ap_buf *line, struct ap_slice head)
{
  const char *end = head.ptr + head.len;
  for (const char *at = head.ptr; at < end && line->ptr;) {
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    if (!stop)
      stop = end;
    add_header(line, at, (size_t)(stop - at));
    at = stop + 1;
  }
}

static void add_answer(struct ap_buf *line, const struct net_http_answer *answer)
{
  if (answer->code != AP_OK) {
    ap_buf_add_str(line, ",\"fails\":");
    ap_json_write_cstr(line, ap_error_word(answer->code));
    return;
  }
  ap_buf_add_fmt(line, ",\"status\":%ld,\"answer\":{\"headers\":{", answer->status);
  add_head(line, answer->head);
  ap_buf_add_fmt(line, "},\"is_text\":%s,\"body\":",
                 ap_utf8_is_valid(answer->body.ptr, answer->body.len) ? "true" : "false");
  add_masked(line, answer->body.ptr, answer->body.len);
  ap_buf_add_char(line, '}');
}

/* Ends the line and writes it at once, for others append to the same file. */
static void put(const struct net_web *web, struct ap_buf *line)
{
  ap_buf_add_str(line, "}\n");
  bool is_good = !ap_buf_error(line) && write(web->log, line->ptr, line->len) == (ssize_t)line->len;
  if (!is_good)
    ap_log(AP_LOG_NET, AP_LOG_WARN, "the request log cannot be written");
  ap_buf_wipe(line);
}

void net_web_log(const struct net_web_call *call, const struct net_http_answer *answer)
{
  const struct net_web *web = call->service->web;
  struct ap_buf line = {0};
  if (web->log < 0)
    return;
  add_request(&line, call);
  add_answer(&line, answer);
  put(web, &line);
}

void net_web_log_unanswered(const struct net_web_call *call, const char *why)
{
  const struct net_web *web = call->service->web;
  struct ap_buf line = {0};
  if (web->log < 0)
    return;
  add_request(&line, call);
  ap_buf_add_str(&line, ",\"unanswered\":");
  ap_json_write_cstr(&line, why);
  put(web, &line);
}
