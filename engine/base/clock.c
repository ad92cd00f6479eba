// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS_MAX INT64_C(32503680000)

static double scale = 1.0;
static int64_t origin_unix_ms;
static uint64_t origin_mono_ms;
static int64_t shift_ms; /* added to the time of day */

static uint64_t real_mono_ms(void)
{
  struct timespec now;
  (void)clock_gettime(CLOCK_BOOTTIME, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int64_t real_unix_ms(void)
{
  struct timespec now;
  (void)clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + (int64_t)now.tv_nsec / 1000000;
}

/* Reads "@ORIGIN" or "+START" up to the end of the text. */
static bool read_seconds(const char *text, int64_t *unix_s)
{
  char *end = NULL;
  if (*text < '0' || *text > '9')
    return false;
  errno = 0;
  long long number = strtoll(text, &end, 10);
  *unix_s = number;
  return !errno && !*end && number <= SECONDS_MAX;
}

int ap_clock_init(struct ap_error *err)
{
  int64_t unix_s = 0;
  origin_mono_ms = real_mono_ms();
  origin_unix_ms = real_unix_ms();
  scale = 1.0;
  shift_ms = 0;
  const char *text = getenv("APOGEE_CLOCK");
  if (!text || !*text)
    return AP_OK;
  char *end = NULL;
  double factor = strtod(text, &end);
  if (end == text || !(factor >= 1 && factor <= 100000))
    return ap_fail(err, AP_E_INVALID, "APOGEE_CLOCK=%s: the scale is a number from 1 to 100000",
                   text);
  if (*end && *end != '@' && *end != '+')
    return ap_fail(err, AP_E_INVALID, "APOGEE_CLOCK=%s: write SCALE, SCALE@ORIGIN or SCALE+START",
                   text);
  if (*end && !read_seconds(end + 1, &unix_s))
    return ap_fail(err, AP_E_INVALID, "APOGEE_CLOCK=%s: after %c come seconds since 1970", text,
                   *end);
  if (*end == '@')
    origin_unix_ms = unix_s * 1000;
  else if (*end == '+')
    shift_ms = unix_s * 1000 - origin_unix_ms;
  scale = factor;
  return AP_OK;
}

uint64_t ap_clock_ms(void)
{
  uint64_t passed = real_mono_ms() - origin_mono_ms;
  return origin_mono_ms + (uint64_t)((double)passed * scale);
}

int64_t ap_clock_unix_ms(void)
{
  if (scale == 1.0)
    return real_unix_ms() + shift_ms;
  return origin_unix_ms + shift_ms + (int64_t)((double)(real_unix_ms() - origin_unix_ms) * scale);
}

uint64_t ap_clock_real_wait_ms(uint64_t ms)
{
  if (scale == 1.0 || ms == 0)
    return ms;
  double real = (double)ms / scale;
  return real < 1.0 ? 1 : (uint64_t)(real + 0.5);
}

double ap_clock_scale(void)
{
  return scale;
}

void ap_clock_format_utc(int64_t unix_ms, char *buf)
{
  time_t seconds = (time_t)(unix_ms / 1000);
  struct tm parts;
  if (!gmtime_r(&seconds, &parts) || !strftime(buf, AP_CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &parts))
    (void)snprintf(buf, AP_CLOCK_TEXT, "1970-01-01T00:00:00Z");
}

static bool read_digits(const char *text, size_t count, int *value)
{
  *value = 0;
  for (size_t i = 0; i < count; i++) {
    if (text[i] < '0' || text[i] > '9')
      return false;
    *value = *value * 10 + (text[i] - '0');
  }
  return true;
}

int ap_clock_parse_utc(const char *text, size_t len, int64_t *unix_s)
{
  /* Both forms hold the same six numbers, each at a fixed place. */
  static const int spaced_at[] = {0, 5, 8, 11, 14, 17};
  static const int packed_at[] = {0, 4, 6, 8, 10, 12};
  if (len && text[len - 1] == 'Z')
    len--;
  bool is_spaced = len == 10 || len == 19;
  if (!is_spaced && len != 8 && len != 14)
    return AP_E_INVALID;
  if (is_spaced && (text[4] != '-' || text[7] != '-'))
    return AP_E_INVALID;
  if (len == 19 && ((text[10] != ' ' && text[10] != 'T') || text[13] != ':' || text[16] != ':'))
    return AP_E_INVALID;
  const int *at = is_spaced ? spaced_at : packed_at;
  int numbers[6] = {0};
  int count = len == 19 || len == 14 ? 6 : 3;
  for (int i = 0; i < count; i++)
    if (!read_digits(text + at[i], i == 0 ? 4 : 2, &numbers[i]))
      return AP_E_INVALID;
  struct tm parts = {.tm_year = numbers[0] - 1900,
                     .tm_mon = numbers[1] - 1,
                     .tm_mday = numbers[2],
                     .tm_hour = numbers[3],
                     .tm_min = numbers[4],
                     .tm_sec = numbers[5]};
  if (numbers[0] < 1970 || numbers[1] < 1 || numbers[1] > 12 || numbers[2] < 1 || numbers[2] > 31 ||
      numbers[3] > 23 || numbers[4] > 59 || numbers[5] > 60)
    return AP_E_INVALID;
  struct tm day = {.tm_year = parts.tm_year, .tm_mon = parts.tm_mon, .tm_mday = parts.tm_mday};
  if (timegm(&day) < 0 || day.tm_mday != numbers[2]) /* 31 February became 3 March */
    return AP_E_INVALID;
  *unix_s = (int64_t)timegm(&parts);
  return AP_OK;
}
