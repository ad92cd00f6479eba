// SPDX-License-Identifier: Apache-2.0
#include "net/web_answers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/nearest.h"
#include "base/secret.h"

struct row {
  const char *method; /* NULL: any; borrowed from the value below, as all texts are */
  const char *url;
  struct ap_slice sent; /* ptr NULL: any */
  struct ap_buf head;
  struct ap_buf body;
  long status;
  int fails;
  uint64_t retry_after_s;
  uint64_t delay_ms;
  bool was_used;
};

struct net_web_answers {
  struct row *rows;
  size_t count;
};

/* ---- reading ---- */

static const char *const fields[] = {"url",  "method", "sent",  "status",  "headers",
                                     "body", "json",   "fails", "delay_ms"};

static int wrong(struct ap_error *err, size_t at, const char *field, const char *what)
{
  return ap_fail(err, AP_E_INVALID, "the scenario's http[%zu].%s %s", at + 1, field, what);
}

static int check_fields(const struct ap_value *value, size_t at, struct ap_error *err)
{
  if (value->kind != AP_VALUE_TABLE)
    return ap_fail(err, AP_E_INVALID, "the scenario's http[%zu] must be a table with a url",
                   at + 1);
  for (size_t i = 0; i < value->len; i++) {
    bool is_known = false;
    for (size_t k = 0; k < sizeof(fields) / sizeof(*fields); k++)
      is_known = is_known || strcmp(fields[k], value->keys[i]) == 0;
    if (is_known)
      continue;
    const char *near = ap_nearest(value->keys[i], fields, sizeof(fields) / sizeof(*fields));
    return ap_fail(err, AP_E_INVALID, "the scenario's http[%zu]: unknown field \"%s\"%s%s%s",
                   at + 1, value->keys[i], near ? "; did you mean \"" : "", near ? near : "",
                   near ? "\"?" : "");
  }
  return AP_OK;
}

static int read_text(const struct ap_value *value, size_t at, const char *field, const char **out,
                     struct ap_error *err)
{
  const struct ap_value *member = ap_value_get(value, field);
  *out = ap_value_text(member, NULL);
  return member && !*out ? wrong(err, at, field, "must be a text") : AP_OK;
}

static int read_number(const struct ap_value *value, size_t at, const char *field, int64_t most,
                       int64_t *out, struct ap_error *err)
{
  const struct ap_value *member = ap_value_get(value, field);
  if (!member)
    return AP_OK;
  if (member->kind != AP_VALUE_INT || member->integer < 0 || member->integer > most)
    return wrong(err, at, field, "must be a whole number");
  *out = member->integer;
  return AP_OK;
}

static int read_fails(const struct ap_value *value, size_t at, int *out, struct ap_error *err)
{
  static const int codes[] = {AP_E_TIMEOUT, AP_E_NETWORK, AP_E_TLS, AP_E_DENIED};
  const char *word = NULL;
  int rc = read_text(value, at, "fails", &word, err);
  if (rc != AP_OK || !word)
    return rc;
  for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
    if (strcmp(ap_error_word(codes[i]), word) == 0) {
      *out = codes[i];
      return AP_OK;
    }
  return wrong(err, at, "fails", "must be timeout, network, tls or denied");
}

static int read_headers(const struct ap_value *value, size_t at, struct row *row,
                        struct ap_error *err)
{
  const struct ap_value *headers = ap_value_get(value, "headers");
  if (!headers || headers->len == 0)
    return AP_OK;
  if (headers->kind != AP_VALUE_TABLE)
    return wrong(err, at, "headers", "must be a table of names and values");
  for (size_t i = 0; i < headers->len; i++) {
    const char *text = ap_value_text(&headers->items[i], NULL);
    if (!text || strpbrk(text, "\r\n") || strpbrk(headers->keys[i], "\r\n:"))
      return wrong(err, at, "headers", "must have a line of text each");
    ap_buf_add_fmt(&row->head, "%s: %s\r\n", headers->keys[i], text);
    if (strcasecmp(headers->keys[i], "Retry-After") == 0)
      row->retry_after_s = strtoull(text, NULL, 10);
  }
  return AP_OK;
}

static bool write_json(struct ap_buf *out, const struct ap_value *value);

static bool write_members(struct ap_buf *out, const struct ap_value *value)
{
  bool is_table = value->kind == AP_VALUE_TABLE;
  bool is_good = true;
  ap_buf_add_char(out, is_table ? '{' : '[');
  for (size_t i = 0; i < value->len && is_good; i++) {
    if (i)
      ap_buf_add_char(out, ',');
    if (is_table) {
      ap_json_write_cstr(out, value->keys[i]);
      ap_buf_add_char(out, ':');
    }
    is_good = write_json(out, &value->items[i]);
  }
  ap_buf_add_char(out, is_table ? '}' : ']');
  return is_good;
}

/* The value is at most as deep as a data file may be. false: it has a number that JSON has not. */
static bool write_json(struct ap_buf *out, const struct ap_value *value)
{
  switch (value->kind) {
  case AP_VALUE_NONE:
    ap_buf_add_str(out, "null");
    return true;
  case AP_VALUE_BOOL:
    ap_buf_add_str(out, value->boolean ? "true" : "false");
    return true;
  case AP_VALUE_INT:
    ap_buf_add_fmt(out, "%lld", (long long)value->integer);
    return true;
  case AP_VALUE_NUMBER:
    return ap_json_write_number(out, value->number);
  case AP_VALUE_STRING:
    ap_json_write_string(out, value->text, value->len);
    return true;
  case AP_VALUE_LIST:
  case AP_VALUE_TABLE:
    break;
  }
  return write_members(out, value);
}

static int read_body(const struct ap_value *value, size_t at, struct row *row, struct ap_error *err)
{
  const struct ap_value *body = ap_value_get(value, "body");
  const struct ap_value *json = ap_value_get(value, "json");
  if (body && json)
    return wrong(err, at, "json", "stands beside a body: one of them");
  if (body && body->kind != AP_VALUE_STRING)
    return wrong(err, at, "body", "must be a text");
  if (body)
    ap_buf_add(&row->body, body->text, body->len);
  if (!json)
    return AP_OK;
  if (!write_json(&row->body, json))
    return wrong(err, at, "json", "has a number that JSON has not: infinity or NaN");
  if (!strcasestr(ap_buf_cstr(&row->head), "content-type:"))
    ap_buf_add_str(&row->head, "Content-Type: application/json\r\n");
  return AP_OK;
}

static int read_row(const struct ap_value *value, size_t at, struct row *row, struct ap_error *err)
{
  enum { DELAY_MAX_MS = 3600000 };
  int64_t status = 200;
  int64_t delay_ms = 0;
  int rc = check_fields(value, at, err);
  if (rc == AP_OK)
    rc = read_text(value, at, "url", &row->url, err);
  if (rc == AP_OK && !row->url)
    rc = wrong(err, at, "url", "is missing");
  if (rc == AP_OK)
    rc = read_text(value, at, "method", &row->method, err);
  if (rc == AP_OK)
    rc = read_text(value, at, "sent", &row->sent.ptr, err);
  if (rc == AP_OK && row->sent.ptr)
    row->sent.len = ap_value_get(value, "sent")->len;
  if (rc == AP_OK)
    rc = read_number(value, at, "status", 599, &status, err);
  if (rc == AP_OK && status < 100)
    rc = wrong(err, at, "status", "is from 100 to 599");
  if (rc == AP_OK)
    rc = read_number(value, at, "delay_ms", DELAY_MAX_MS, &delay_ms, err);
  if (rc == AP_OK)
    rc = read_fails(value, at, &row->fails, err);
  if (rc == AP_OK)
    rc = read_headers(value, at, row, err);
  if (rc == AP_OK)
    rc = read_body(value, at, row, err);
  row->status = (long)status;
  row->delay_ms = (uint64_t)delay_ms;
  if (rc == AP_OK && (ap_buf_error(&row->head) || ap_buf_error(&row->body)))
    rc = ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  return rc;
}

int net_web_answers_new(const struct ap_value *rows, struct net_web_answers **out,
                        struct ap_error *err)
{
  if (rows->kind != AP_VALUE_LIST && rows->len)
    return ap_fail(err, AP_E_INVALID,
                   "the scenario's http must be a list of tables, each with a url");
  struct net_web_answers *answers = calloc(1, sizeof(*answers));
  if (answers)
    answers->rows = calloc(rows->len + 1, sizeof(*answers->rows));
  if (!answers || !answers->rows) {
    net_web_answers_free(answers);
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  }
  for (size_t i = 0; i < rows->len; i++) {
    answers->count++;
    int rc = read_row(&rows->items[i], i, &answers->rows[i], err);
    if (rc != AP_OK) {
      net_web_answers_free(answers);
      return rc;
    }
  }
  *out = answers;
  return AP_OK;
}

void net_web_answers_free(struct net_web_answers *answers)
{
  if (!answers)
    return;
  for (size_t i = 0; i < answers->count; i++) {
    ap_buf_deinit(&answers->rows[i].head);
    ap_buf_deinit(&answers->rows[i].body);
  }
  free(answers->rows);
  free(answers);
}

/* ---- answering ---- */

static bool is_url_of(const struct row *row, const char *url)
{
  size_t len = strlen(row->url);
  if (strcmp(row->url, url) == 0)
    return true;
  return !strchr(row->url, '?') && strncmp(row->url, url, len) == 0 && url[len] == '?';
}

static bool is_sent(const struct row *row, struct ap_slice body)
{
  return !row->sent.ptr || (row->sent.len == body.len &&
                            (body.len == 0 || memcmp(row->sent.ptr, body.ptr, body.len) == 0));
}

static bool is_method_of(const struct row *row, const char *method)
{
  return !row->method || strcmp(row->method, method) == 0;
}

static struct row *find(struct net_web_answers *answers, const struct net_web_asked *asked)
{
  struct row *found = NULL;
  for (size_t i = 0; i < answers->count; i++) {
    struct row *row = &answers->rows[i];
    if (!is_url_of(row, asked->url) || !is_method_of(row, asked->method) ||
        !is_sent(row, asked->body))
      continue;
    found = row;
    if (!row->was_used)
      break;
  }
  return found;
}

static size_t shared_len(const char *a, const char *b)
{
  size_t len = 0;
  while (a[len] && a[len] == b[len])
    len++;
  return len;
}

/* The row whose URL begins most like the one that was asked. */
static const struct row *nearest(const struct net_web_answers *answers, const char *url)
{
  const struct row *found = NULL;
  size_t most = 0;
  for (size_t i = 0; i < answers->count; i++) {
    size_t len = shared_len(answers->rows[i].url, url);
    if (found && len <= most)
      continue;
    found = &answers->rows[i];
    most = len;
  }
  return found;
}

static int no_answer(const struct net_web_answers *answers, const struct net_web_asked *asked,
                     struct ap_error *err)
{
  const struct row *near = nearest(answers, asked->url);
  if (!near)
    return ap_fail(err, AP_E_DENIED, "no answer is given for %s %.200s, nor for any other request",
                   asked->method, asked->url);
  bool is_body = is_url_of(near, asked->url) && is_method_of(near, asked->method);
  return ap_fail(err, AP_E_DENIED, "no answer is given for %s %.160s; the nearest is %s%s%.160s%s",
                 asked->method, asked->url, near->method ? near->method : "",
                 near->method ? " " : "", near->url, is_body ? " with another body" : "");
}

int net_web_answers_take(struct net_web_answers *answers, const struct net_web_asked *asked,
                         struct net_web_given *given, struct ap_error *err)
{
  struct row *row = find(answers, asked);
  if (!row)
    return no_answer(answers, asked, err);
  row->was_used = true;
  *given = (struct net_web_given){
      .code = row->fails,
      .status = row->status,
      .head = ap_slice_of(&row->head),
      .body = ap_slice_of(&row->body),
      .retry_after_s = row->retry_after_s,
      .delay_ms = row->delay_ms,
  };
  return AP_OK;
}

/* ---- masking ---- */

void net_web_mask(struct ap_buf *out, const char *text, size_t len)
{
  enum { SHORTEST = 4 }; /* ap_redact leaves shorter ones */
  if (len == 0)
    return;
  struct ap_buf copy = {0};
  ap_buf_add(&copy, text, len);
  if (ap_buf_error(&copy)) {
    out->error = ap_buf_error(&copy);
    return;
  }
  ap_redact(copy.ptr, copy.len);
  for (size_t at = 0; at < copy.len;) {
    size_t stars = 0;
    while (at + stars < copy.len && copy.ptr[at + stars] == '*')
      stars++;
    size_t count = stars >= SHORTEST ? 3 : (stars ? stars : 1);
    ap_buf_add(out, copy.ptr + at, count);
    at += stars ? stars : 1;
  }
  ap_buf_wipe(&copy);
}
