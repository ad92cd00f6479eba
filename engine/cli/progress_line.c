// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "cli/progress.h"

enum { HOUR_MS = 3600000, SOON_MS = 10 * 60000 };

/* In the order in which they stand. */
enum part { DONE, RISKY, REQUESTS, QUOTA, WAITS, ENDS, STEP, ELAPSED, PART_COUNT };
enum form { LONG, SHORT, OFF };

/* What is given up first where there is no room. */
static const struct {
  enum part part;
  enum form form;
} reductions[] = {{ELAPSED, OFF},    {WAITS, SHORT},  {QUOTA, SHORT}, {STEP, OFF}, {ENDS, SHORT},
                  {REQUESTS, SHORT}, {REQUESTS, OFF}, {QUOTA, OFF},   {ENDS, OFF}, {WAITS, OFF}};

/* ---- times ---- */

/* Minutes and seconds, "0:07"; from an hour on with hours, "1:00:07". */
static void add_span(struct ap_buf *out, uint64_t ms)
{
  uint64_t seconds = ms / 1000;
  uint64_t hours = seconds / 3600;
  if (hours)
    ap_buf_add_fmt(out, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, hours, seconds / 60 % 60,
                   seconds % 60);
  else
    ap_buf_add_fmt(out, "%" PRIu64 ":%02" PRIu64, seconds / 60, seconds % 60);
}

/* "14:05", with seconds where they matter; a time that is not of the next hours with its day. */
static void add_time(struct ap_buf *out, int64_t unix_ms, int64_t now_unix_ms, bool with_seconds)
{
  char day[32];
  struct tm local;
  time_t seconds = (time_t)(unix_ms / 1000);
  bool is_near = unix_ms - now_unix_ms < (int64_t)18 * HOUR_MS;
  if (!localtime_r(&seconds, &local))
    return;
  if (!is_near && strftime(day, sizeof(day), "%d %b ", &local))
    ap_buf_add_str(out, day);
  ap_buf_add_fmt(out, "%02d:%02d", local.tm_hour, local.tm_min);
  if (is_near && with_seconds)
    ap_buf_add_fmt(out, ":%02d", local.tm_sec);
}

/* ---- parts: each adds nothing when it has nothing to say ---- */

static void add_done(struct ap_buf *out, const struct progress_state *state)
{
  if (state->of)
    ap_buf_add_fmt(out, "%" PRIu64 "/%" PRIu64, state->done, state->of);
  else
    ap_buf_add_str(out, "beginning");
}

static void add_requests(struct ap_buf *out, uint64_t count, enum form form)
{
  ap_buf_add_fmt(out, "%" PRIu64 " req", count);
  if (form == LONG)
    ap_buf_add_fmt(out, "uest%s", count == 1 ? "" : "s");
}

static void add_quota(struct ap_buf *out, const struct vt_standing *standing, enum form form)
{
  bool has_minute = standing->minute_left != UINT32_MAX;
  bool has_day = standing->day_left != UINT32_MAX;
  if (!standing->knows_quota || (!has_minute && !has_day))
    return;
  ap_buf_add_str(out, form == LONG ? "quota left:" : "left");
  if (has_minute)
    ap_buf_add_fmt(out, " %" PRIu32 "%s", standing->minute_left,
                   form == LONG ? " this minute" : "/min");
  if (has_minute && has_day && form == LONG)
    ap_buf_add_char(out, ',');
  if (has_day)
    ap_buf_add_fmt(out, " %" PRIu32 "%s", standing->day_left, form == LONG ? " today" : "/day");
}

static void add_waits(struct ap_buf *out, const struct vt_standing *standing, int64_t now_unix_ms,
                      enum form form)
{
  static const char *const words[][2] = {
      [VT_WAITS_QUOTA] = {"waiting for quota", "quota"},
      [VT_WAITS_SCAN] = {"waiting for scans", "scans"},
      [VT_WAITS_RETRY] = {"waiting to try again", "retry"},
  };
  int64_t left_ms = standing->until_unix_ms - now_unix_ms;
  if (standing->waiting_for == VT_WAITS_NOT)
    return;
  ap_buf_add_str(out, words[standing->waiting_for][form == SHORT]);
  if (left_ms <= 0)
    return;
  if (form == SHORT) {
    ap_buf_add_str(out, " in ");
    add_span(out, (uint64_t)left_ms + 999); /* 0:00 would not be true */
    return;
  }
  ap_buf_add_str(out, " until ");
  add_time(out, standing->until_unix_ms, now_unix_ms, true);
  ap_buf_add_str(out, " (");
  add_span(out, (uint64_t)left_ms + 999);
  ap_buf_add_char(out, ')');
}

static void add_end(struct ap_buf *out, const struct progress_view *view, enum form form)
{
  if (!view->ends_unix_ms)
    return;
  ap_buf_add_str(out, form == LONG ? "ends about " : "ends ");
  add_time(out, view->ends_unix_ms, view->now_unix_ms,
           form == LONG && view->ends_unix_ms - view->now_unix_ms < SOON_MS);
}

static void add_part(struct ap_buf *out, enum part part, enum form form,
                     const struct progress_state *state, const struct progress_view *view)
{
  switch (part) {
  case DONE:
    add_done(out, state);
    break;
  case RISKY:
    ap_buf_add_fmt(out, "%" PRIu64 " risky", state->risky);
    break;
  case REQUESTS:
    add_requests(out, state->requests, form);
    break;
  case QUOTA:
    add_quota(out, &state->standing, form);
    break;
  case WAITS:
    add_waits(out, &state->standing, view->now_unix_ms, form);
    break;
  case ENDS:
    add_end(out, view, form);
    break;
  case STEP:
    ap_buf_add_str(out, state->step ? state->step : "");
    break;
  case ELAPSED:
    add_span(out, view->elapsed_ms);
    break;
  case PART_COUNT:
    break;
  }
}

/* ---- the line ---- */

/* How many columns the character at text takes: two where East Asian text is wide. */
static size_t columns_of(const char *text, size_t size)
{
  return size >= 3 && (unsigned char)text[0] >= 0xe1 && memcmp(text, "\xe2\x80", 2) != 0 ? 2 : 1;
}

/* Copies text up to `columns`, with what could steer a terminal replaced. Returns the bytes of the
 * text that were copied. */
static size_t copy_clipped(const char *text, const struct progress_view *view, char *buf,
                           size_t size)
{
  size_t used = 0;
  size_t len = 0;
  size_t total = strlen(text);
  size_t left = total;
  while (left) {
    size_t step = ap_utf8_size(text, left);
    bool is_bad = step == 0 || !ap_utf8_is_visible(text, step) || (step > 1 && view->is_plain);
    step += step == 0;
    size_t bytes = is_bad ? 1 : step;
    used += is_bad ? 1 : columns_of(text, step);
    if (used > view->columns || len + bytes >= size)
      break;
    memcpy(buf + len, is_bad ? "?" : text, bytes);
    len += bytes;
    text += step;
    left -= step;
  }
  buf[len] = '\0';
  return total - left;
}

/* Returns whether the line fits. */
static bool write_line(const enum form forms[PART_COUNT], const struct progress_state *state,
                       const struct progress_view *view, char *buf, size_t size)
{
  struct ap_buf text = {0};
  struct ap_buf part = {0};
  for (int i = 0; i < PART_COUNT; i++) {
    ap_buf_clear(&part);
    if (forms[i] != OFF)
      add_part(&part, (enum part)i, forms[i], state, view);
    if (part.len && text.len)
      ap_buf_add_str(&text, view->is_plain ? " | " : " \xc2\xb7 ");
    ap_buf_add(&text, part.ptr, part.len);
  }
  if (text.ptr)
    ap_redact(text.ptr, text.len);
  bool fits = copy_clipped(ap_buf_cstr(&text), view, buf, size) == text.len;
  ap_buf_deinit(&text);
  ap_buf_deinit(&part);
  return fits;
}

void progress_line(const struct progress_state *state, const struct progress_view *view, char *buf,
                   size_t size)
{
  enum form forms[PART_COUNT] = {LONG};
  size_t given_up = 0;
  while (!write_line(forms, state, view, buf, size) &&
         given_up < sizeof(reductions) / sizeof(reductions[0])) {
    forms[reductions[given_up].part] = reductions[given_up].form;
    given_up++;
  }
}
