/* The windows of a quota: what is left in each, and when it returns. */
// SPDX-License-Identifier: Apache-2.0
#include <time.h>

#include "store/store_private.h"

int64_t store_month_of(int64_t unix_ms)
{
  time_t seconds = (time_t)(unix_ms / 1000);
  struct tm parts = {0};
  (void)gmtime_r(&seconds, &parts);
  return (int64_t)parts.tm_year * 12 + parts.tm_mon;
}

int64_t store_month_begin_ms(int64_t month)
{
  struct tm first = {.tm_year = (int)(month / 12), .tm_mon = (int)(month % 12), .tm_mday = 1};
  return (int64_t)timegm(&first) * 1000;
}

static uint32_t left_of(uint32_t limit, uint32_t used)
{
  return limit == 0 ? UINT32_MAX : used >= limit ? 0 : limit - used;
}

static uint32_t least(uint32_t a, uint32_t b)
{
  return a < b ? a : b;
}

static void deny(struct store_grant *grant, const char *window, int64_t again_ms)
{
  *grant = (struct store_grant){.window = window, .again_unix_ms = again_ms};
}

static uint32_t less(uint32_t left, uint32_t taken)
{
  return left == UINT32_MAX ? left : left - taken;
}

/* What is left of the day but for the reserve. */
static uint32_t day_left(const struct store_limits *limits, uint32_t used, bool *is_reserved)
{
  uint32_t left = left_of(limits->per_day, used);
  *is_reserved = limits->per_day && left && left <= limits->reserve;
  if (!limits->per_day)
    return left;
  return left > limits->reserve ? left - limits->reserve : 0;
}

void store_grant_of(const struct store_limits *limits, const struct store_used *used, uint32_t want,
                    int64_t now_ms, struct store_grant *grant)
{
  uint32_t minute = left_of(limits->per_minute, used->minute);
  bool is_reserved;
  uint32_t day = day_left(limits, used->day, &is_reserved);
  uint32_t month = left_of(limits->per_month, used->month);
  int64_t today = now_ms / STORE_DAY_MS;
  if (month == 0) {
    deny(grant, "month", store_month_begin_ms(store_month_of(now_ms) + 1));
  } else if (day == 0 || used->marks.day == today) {
    deny(grant, "day", (today + 1) * STORE_DAY_MS);
    grant->is_reserved = is_reserved && used->marks.day != today;
  } else if (used->marks.minute_until_ms > now_ms) {
    deny(grant, "minute", used->marks.minute_until_ms);
  } else if (minute == 0) {
    deny(grant, "minute", used->minute_again_ms);
  } else if (used->part == 0) {
    deny(grant, "minute", used->part_again_ms);
  } else {
    *grant = (struct store_grant){
        .granted = least(least(want, least(minute, used->part)), least(day, month)),
        .at_unix_ms = now_ms,
    };
  }
  bool is_marked = used->marks.day == today;
  grant->day_left = is_marked ? 0 : less(day, grant->granted);
  grant->minute_left = used->marks.minute_until_ms > now_ms ? 0 : less(minute, grant->granted);
}

void store_usage_of(const struct store_limits *limits, const struct store_used *used,
                    int64_t now_ms, struct store_usage *usage)
{
  int64_t today = now_ms / STORE_DAY_MS;
  int64_t next_month_ms = store_month_begin_ms(store_month_of(now_ms) + 1);
  bool minute_is_marked = used->marks.minute_until_ms > now_ms;
  usage->day_is_marked = used->marks.day == today;
  usage->minute = (struct store_window){used->minute, left_of(limits->per_minute, used->minute), 0};
  usage->day = (struct store_window){used->day, left_of(limits->per_day, used->day), 0};
  usage->month = (struct store_window){used->month, left_of(limits->per_month, used->month), 0};
  if (minute_is_marked)
    usage->minute.left = 0;
  if (usage->day_is_marked)
    usage->day.left = 0;
  if (minute_is_marked)
    usage->minute.again_unix_ms = used->marks.minute_until_ms;
  else if (used->minute)
    usage->minute.again_unix_ms = used->minute_again_ms;
  if (used->day || usage->day_is_marked)
    usage->day.again_unix_ms = (today + 1) * STORE_DAY_MS;
  if (used->month)
    usage->month.again_unix_ms = next_month_ms;
}
