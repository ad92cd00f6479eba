// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/utf8.h"

enum { LONGEST_TEXT = 2048 };

static enum ap_log_level shown = AP_LOG_WARN;
static bool as_json;
static char run[40];
static void (*before_line)(void);
static atomic_bool has_line;
static pthread_mutex_t line_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const areas[] = {
#define X(name, word) [AP_LOG_##name] = word,
    AP_LOG_AREA_MAP(X)
#undef X
};
static const char *const levels[] = {"error", "warning", "info", "debug"};

void ap_log_set_level(enum ap_log_level level)
{
  shown = level;
}

void ap_log_set_json(bool is_json)
{
  as_json = is_json;
}

void ap_log_set_run(const char *run_id)
{
  (void)snprintf(run, sizeof(run), "%s", run_id ? run_id : "");
}

void ap_log_set_before(void (*before)(void))
{
  before_line = before;
}

void ap_log_line_is_shown(void)
{
  atomic_store(&has_line, true);
}

/* To the beginning of the line, and clear it. */
void ap_log_take_line_off(void)
{
  static const char take_off[] = "\r\033[K";
  if (atomic_exchange(&has_line, false) && write(STDERR_FILENO, take_off, sizeof(take_off) - 1) < 0)
    return; /* the terminal has gone, and the line with it */
}

bool ap_log_wants(enum ap_log_level level)
{
  return level <= shown;
}

static void render_json(struct ap_buf *line, enum ap_log_area area, enum ap_log_level level,
                        const char *text)
{
  char now[AP_CLOCK_TEXT];
  ap_clock_format_utc(ap_clock_unix_ms(), now);
  ap_buf_add_fmt(line, "{\"time\":\"%s\",\"level\":\"%s\",\"area\":\"%s\",", now, levels[level],
                 areas[area]);
  if (*run)
    ap_buf_add_fmt(line, "\"run\":\"%s\",", run);
  ap_buf_add_str(line, "\"message\":");
  ap_json_write_string(line, text, strlen(text));
  ap_buf_add_str(line, "}\n");
}

static void render_text(struct ap_buf *line, enum ap_log_area area, enum ap_log_level level,
                        const char *text)
{
  if (level == AP_LOG_INFO || level == AP_LOG_DEBUG)
    ap_buf_add_fmt(line, "apogee: [%s] ", areas[area]);
  else
    ap_buf_add_fmt(line, "apogee: %s: ", levels[level]);
  size_t left = strlen(text);
  while (left) {
    size_t size = ap_utf8_size(text, left);
    if (size == 0 || !ap_utf8_is_visible(text, size))
      ap_buf_add_char(line, size ? ' ' : '?');
    else
      ap_buf_add(line, text, size);
    size += size == 0;
    text += size;
    left -= size;
  }
  ap_buf_add_char(line, '\n');
}

static void write_bytes(struct ap_slice bytes)
{
  (void)pthread_mutex_lock(&line_lock);
  if (before_line)
    before_line();
  if (bytes.len && write(STDERR_FILENO, bytes.ptr, bytes.len) < 0)
    before_line = NULL; /* standard error is gone: nobody to tell */
  (void)pthread_mutex_unlock(&line_lock);
}

/* What is said when there is no memory to say it: of the text what is plain ASCII. */
static void write_plain(enum ap_log_area area, enum ap_log_level level, char *text)
{
  char now[AP_CLOCK_TEXT];
  char plain[LONGEST_TEXT + 256];
  for (char *at = text; *at; at++)
    if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\')
      *at = '?';
  ap_clock_format_utc(ap_clock_unix_ms(), now);
  int len =
      as_json ? snprintf(plain, sizeof(plain),
                         "{\"time\":\"%s\",\"level\":\"%s\",\"area\":\"%s\",\"message\":\"%s\"}\n",
                         now, levels[level], areas[area], text)
              : snprintf(plain, sizeof(plain), "apogee: %s: %s\n", levels[level], text);
  write_bytes((struct ap_slice){plain, len > 0 ? strlen(plain) : 0});
}

bool ap_log_wants_events(void)
{
  return as_json && ap_log_wants(AP_LOG_WARN);
}

void ap_log_event(const char *event, struct ap_slice members)
{
  char now[AP_CLOCK_TEXT];
  struct ap_buf line = {0};
  if (!ap_log_wants_events())
    return;
  ap_clock_format_utc(ap_clock_unix_ms(), now);
  ap_buf_add_fmt(&line, "{\"time\":\"%s\",\"run\":\"%s\",\"event\":\"%s\"", now, run, event);
  if (members.len)
    ap_buf_add_char(&line, ',');
  ap_buf_add(&line, members.ptr, members.len);
  ap_buf_add_str(&line, "}\n");
  if (!ap_buf_error(&line)) /* half a line would be no JSON */
    write_bytes(ap_slice_of(&line));
  ap_buf_deinit(&line);
}

void ap_log(enum ap_log_area area, enum ap_log_level level, const char *fmt, ...)
{
  if (!ap_log_wants(level))
    return;
  /* Some room more than is shown: a secret that is cut off at the end would not be known as one. */
  char text[LONGEST_TEXT + AP_SECRET_MAX_BYTES];
  va_list args;
  va_start(args, fmt);
  int len = vsnprintf(text, sizeof(text), fmt, args);
  va_end(args);
  if (len < 0)
    return;
  ap_redact(text, strlen(text));
  if (len > LONGEST_TEXT)
    memcpy(text + LONGEST_TEXT - 3, "...", sizeof("..."));

  struct ap_buf line = {0};
  if (as_json)
    render_json(&line, area, level, text);
  else
    render_text(&line, area, level, text);
  if (ap_buf_error(&line))
    write_plain(area, level, text);
  else
    write_bytes(ap_slice_of(&line));
  ap_buf_deinit(&line);
}
