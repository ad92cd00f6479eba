// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/utf8.h"

enum { REDRAW_MS = 100, COLUMNS_DEFAULT = 80, LINE_BYTES = 512 };

#define DOT " \xc2\xb7 "

/* To the beginning of the line, and clear it. */
static const char take_off[] = "\r\033[K";

static struct {
  pthread_mutex_t lock; /* log lines of other threads take the line off */
  bool is_on;
  bool is_shown;
  uint64_t began_ms;
  uint64_t drawn_ms;
} line = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void write_out(const char *text, size_t len)
{
  if (write(STDERR_FILENO, text, len) < 0)
    line.is_on = false; /* the terminal has gone */
}

static void clear_line(void)
{
  if (line.is_shown)
    write_out(take_off, sizeof(take_off) - 1);
  line.is_shown = false;
}

/* What is logged comes next: the line is not drawn again before that is written. */
static void before_log(void)
{
  (void)pthread_mutex_lock(&line.lock);
  clear_line();
  line.drawn_ms = ap_clock_ms();
  (void)pthread_mutex_unlock(&line.lock);
}

bool progress_begin(bool is_quiet)
{
  (void)pthread_mutex_lock(&line.lock);
  line.is_on = !is_quiet && isatty(STDERR_FILENO) == 1;
  line.is_shown = false;
  line.began_ms = ap_clock_ms();
  line.drawn_ms = 0;
  (void)pthread_mutex_unlock(&line.lock);
  if (line.is_on)
    ap_log_set_before(before_log);
  return line.is_on;
}

void progress_end(void)
{
  if (!line.is_on)
    return;
  ap_log_set_before(NULL);
  (void)pthread_mutex_lock(&line.lock);
  clear_line();
  line.is_on = false;
  (void)pthread_mutex_unlock(&line.lock);
}

/* ---- the text ---- */

/* Minutes and seconds, "0:07"; from an hour on with hours, "1:00:07". */
static void add_time(struct ap_buf *out, uint64_t ms)
{
  uint64_t seconds = ms / 1000;
  uint64_t hours = seconds / 3600;
  if (hours)
    ap_buf_add_fmt(out, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, hours, seconds / 60 % 60,
                   seconds % 60);
  else
    ap_buf_add_fmt(out, "%" PRIu64 ":%02" PRIu64, seconds / 60, seconds % 60);
}

static void add_counts(struct ap_buf *out, const struct progress_state *state)
{
  if (state->step && *state->step)
    ap_buf_add_fmt(out, "%s ", state->step);
  ap_buf_add_fmt(out, "%" PRIu64, state->done);
  if (state->of)
    ap_buf_add_fmt(out, "/%" PRIu64, state->of);
  ap_buf_add_fmt(out, DOT "%" PRIu64 " risky" DOT "%" PRIu64 " request%s", state->risky,
                 state->requests, state->requests == 1 ? "" : "s");
}

/* How many columns the character at text takes: two where East Asian text is wide. */
static size_t columns_of(const char *text, size_t size)
{
  return size >= 3 && (unsigned char)text[0] >= 0xe1 && memcmp(text, "\xe2\x80", 2) != 0 ? 2 : 1;
}

/* Copies text up to `columns`, with what could steer a terminal replaced. */
static void copy_clipped(const char *text, size_t columns, char *buf, size_t size)
{
  size_t used = 0;
  size_t len = 0;
  size_t left = strlen(text);
  while (left) {
    size_t step = ap_utf8_size(text, left);
    bool is_bad = step == 0 || (unsigned char)text[0] < ' ' || text[0] == 0x7f ||
                  (step == 2 && (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0);
    step += step == 0;
    size_t bytes = is_bad ? 1 : step;
    used += is_bad ? 1 : columns_of(text, step);
    if (used > columns || len + bytes >= size)
      break;
    memcpy(buf + len, is_bad ? "?" : text, bytes);
    len += bytes;
    text += step;
    left -= step;
  }
  buf[len] = '\0';
}

void progress_render(const struct progress_state *state, uint64_t elapsed_ms, int64_t now_unix_ms,
                     size_t columns, char *buf, size_t size)
{
  struct ap_buf text = {0};
  int64_t wait_ms = state->waiting_until_unix_ms - now_unix_ms;
  add_counts(&text, state);
  ap_buf_add_str(&text, DOT);
  if (state->waiting_until_unix_ms && wait_ms > 0) {
    ap_buf_add_str(&text, "waiting for quota, ");
    add_time(&text, (uint64_t)wait_ms + 999); /* 0:00 would not be true */
  } else {
    add_time(&text, elapsed_ms);
  }
  if (text.ptr)
    ap_redact(text.ptr, text.len);
  copy_clipped(ap_buf_cstr(&text), columns, buf, size);
  ap_buf_deinit(&text);
}

/* ---- drawing ---- */

/* One less than there are: a terminal that is full to the last column may wrap. */
static size_t terminal_columns(void)
{
  struct winsize size;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
    return COLUMNS_DEFAULT - 1;
  return (size_t)size.ws_col - 1;
}

static bool is_due(uint64_t now_ms)
{
  return line.drawn_ms == 0 || (double)(now_ms - line.drawn_ms) >= REDRAW_MS * ap_clock_scale();
}

void progress_show(const struct progress_state *state)
{
  char text[LINE_BYTES];
  (void)pthread_mutex_lock(&line.lock);
  uint64_t now_ms = ap_clock_ms();
  if (line.is_on && is_due(now_ms)) {
    struct ap_buf out = {0};
    progress_render(state, now_ms - line.began_ms, ap_clock_unix_ms(), terminal_columns(), text,
                    sizeof(text));
    ap_buf_add_fmt(&out, "\r%s\033[K", text);
    write_out(ap_buf_cstr(&out), out.len);
    ap_buf_deinit(&out);
    line.is_shown = true;
    line.drawn_ms = now_ms;
  }
  (void)pthread_mutex_unlock(&line.lock);
}
