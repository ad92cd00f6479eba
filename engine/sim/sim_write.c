// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_write.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"

static void write_key(struct ap_buf *out, const char *key)
{
  char last = out->len ? out->ptr[out->len - 1] : '[';
  if (last != '{' && last != '[')
    ap_buf_add(out, ", ", 2);
  if (!key)
    return;
  ap_buf_add_char(out, '"');
  ap_buf_add_str(out, key);
  ap_buf_add(out, "\": ", 3);
}

void sim_write_open(struct ap_buf *out, const char *key, char bracket)
{
  write_key(out, key);
  ap_buf_add_char(out, bracket);
}

void sim_write_close(struct ap_buf *out, char bracket)
{
  ap_buf_add_char(out, bracket);
}

void sim_write_text(struct ap_buf *out, const char *key, const char *text)
{
  write_key(out, key);
  ap_json_write_cstr(out, text);
}

void sim_write_slice(struct ap_buf *out, const char *key, struct ap_slice text)
{
  write_key(out, key);
  ap_json_write_string(out, text.ptr, text.len);
}

void sim_write_int(struct ap_buf *out, const char *key, int64_t number)
{
  char text[24];
  (void)snprintf(text, sizeof(text), "%lld", (long long)number);
  write_key(out, key);
  ap_buf_add_str(out, text);
}

void sim_write_bool(struct ap_buf *out, const char *key, bool value)
{
  write_key(out, key);
  ap_buf_add_str(out, value ? "true" : "false");
}

void sim_write_raw(struct ap_buf *out, const char *key, struct ap_slice json)
{
  write_key(out, key);
  ap_buf_add(out, json.ptr, json.len);
}

static struct tm parts_of(int64_t unix_s)
{
  time_t seconds = (time_t)unix_s;
  struct tm parts = {.tm_year = 70, .tm_mday = 1};
  (void)gmtime_r(&seconds, &parts);
  return parts;
}

void sim_format_date(int64_t unix_s, char text[SIM_DATE_TEXT])
{
  struct tm parts = parts_of(unix_s);
  if (!strftime(text, SIM_DATE_TEXT, "%Y-%m-%d %H:%M:%S", &parts))
    text[0] = '\0';
}

void sim_format_stamp(int64_t unix_s, char text[SIM_DATE_TEXT])
{
  struct tm parts = parts_of(unix_s);
  if (!strftime(text, SIM_DATE_TEXT, "%Y%m%d%H%M%S", &parts))
    text[0] = '\0';
}

void sim_write_date(struct ap_buf *out, const char *key, int64_t unix_s)
{
  char text[SIM_DATE_TEXT];
  sim_format_date(unix_s, text);
  sim_write_text(out, key, text);
}

void sim_write_scan_id(struct ap_buf *out, const char *key, const char *sha256, int64_t unix_s)
{
  char text[96];
  (void)snprintf(text, sizeof(text), "%.64s-%lld", sha256, (long long)unix_s);
  sim_write_text(out, key, text);
}

void sim_write_permalink(struct ap_buf *out, char kind, const char *sha256, int64_t unix_s)
{
  char text[256];
  (void)snprintf(text, sizeof(text),
                 "https://www.virustotal.com/gui/%s/%.64s/detection/%c-%.64s-%lld",
                 kind == 'f' ? "file" : "url", sha256, kind, sha256, (long long)unix_s);
  sim_write_text(out, "permalink", text);
}
