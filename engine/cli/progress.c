// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

enum { REDRAW_MS = 100, COLUMNS_DEFAULT = 80, LINE_BYTES = 512 };

static struct {
  pthread_mutex_t lock; /* log lines of other threads take the line off */
  bool is_on;
  bool is_plain;
  char shown[LINE_BYTES]; /* "": nothing is */
  uint64_t began_ms;
  uint64_t drawn_ms;
  struct progress_pace pace;
} line = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* What takes it off comes next: the line is not drawn again before that is written. */
static void take_off(void)
{
  (void)pthread_mutex_lock(&line.lock);
  ap_log_take_line_off();
  *line.shown = '\0';
  line.drawn_ms = ap_clock_ms();
  (void)pthread_mutex_unlock(&line.lock);
}

/* ---- the terminal ---- */

static bool can_take_back(void)
{
  const char *kind = getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && kind && *kind && strcmp(kind, "dumb") != 0;
}

/* By name, as locale(7) has them: the locale itself may not be installed here, which is common
 * where somebody came by ssh, and the terminal speaks UTF-8 all the same. */
static bool speaks_utf8(void)
{
  static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
  const char *locale = NULL;
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !(locale && *locale); i++)
    locale = getenv(names[i]);
  const char *codeset = locale ? strchr(locale, '.') : NULL;
  return codeset &&
         (strncasecmp(codeset, ".utf-8", 6) == 0 || strncasecmp(codeset, ".utf8", 5) == 0);
}

/* One less than there are: a terminal that is full to the last column may wrap. */
static size_t terminal_columns(void)
{
  struct winsize size;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
    return COLUMNS_DEFAULT - 1;
  return (size_t)size.ws_col - 1;
}

/* ---- begin and end ---- */

bool progress_begin(bool is_quiet)
{
  (void)pthread_mutex_lock(&line.lock);
  line.is_on = !is_quiet && can_take_back();
  line.is_plain = !speaks_utf8();
  *line.shown = '\0';
  line.began_ms = ap_clock_ms();
  line.drawn_ms = 0;
  line.pace = (struct progress_pace){0};
  bool is_on = line.is_on;
  (void)pthread_mutex_unlock(&line.lock);
  if (is_on)
    ap_log_set_before(take_off);
  return is_on;
}

void progress_hide(void)
{
  if (line.is_on)
    take_off();
}

void progress_end(void)
{
  if (!line.is_on)
    return;
  ap_log_set_before(NULL);
  take_off();
  line.is_on = false;
}

/* ---- drawing ---- */

static bool is_due(uint64_t now_ms)
{
  return line.drawn_ms == 0 || (double)(now_ms - line.drawn_ms) >= REDRAW_MS * ap_clock_scale();
}

static void draw(const char *text)
{
  struct ap_buf out = {0};
  ap_buf_add_fmt(&out, "\r%s\033[K", text);
  if (write(STDERR_FILENO, ap_buf_cstr(&out), out.len) < 0)
    line.is_on = false; /* the terminal has gone */
  ap_buf_deinit(&out);
  ap_log_line_is_shown();
  memcpy(line.shown, text, strlen(text) + 1);
}

void progress_show(const struct progress_state *state)
{
  char text[LINE_BYTES];
  (void)pthread_mutex_lock(&line.lock);
  uint64_t now_ms = ap_clock_ms();
  if (line.is_on && is_due(now_ms)) {
    int64_t now_unix_ms = ap_clock_unix_ms();
    const struct progress_view view = {
        .elapsed_ms = now_ms - line.began_ms,
        .now_unix_ms = now_unix_ms,
        .ends_unix_ms = progress_pace_note(&line.pace, state, now_unix_ms),
        .columns = terminal_columns(),
        .is_plain = line.is_plain,
    };
    progress_line(state, &view, text, sizeof(text));
    if (strcmp(text, line.shown) != 0) {
      draw(text);
      line.drawn_ms = now_ms;
    }
  }
  (void)pthread_mutex_unlock(&line.lock);
}
