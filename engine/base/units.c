// SPDX-License-Identifier: Apache-2.0
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
  const char *name;
  uint64_t worth;
};

/* The greatest first, and each divides the one before it. */
static const struct unit durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};
enum { DURATION_COUNT = sizeof(durations) / sizeof(durations[0]) };

static const struct unit sizes[] = {
    {"TiB", UINT64_C(1) << 40},   {"TB", UINT64_C(1000000000000)}, {"GiB", UINT64_C(1) << 30},
    {"GB", UINT64_C(1000000000)}, {"MiB", UINT64_C(1) << 20},      {"MB", UINT64_C(1000000)},
    {"KiB", UINT64_C(1) << 10},   {"kB", UINT64_C(1000)},          {"B", 1},
};
enum { SIZE_COUNT = sizeof(sizes) / sizeof(sizes[0]) };

/* Digits at *at, which moves behind them. */
static int read_number(const char **at, uint64_t *out)
{
  uint64_t number = 0;
  const char *digit = *at;
  for (; *digit >= '0' && *digit <= '9'; digit++) {
    uint64_t value = (uint64_t)(*digit - '0');
    if (number > (INT64_MAX - value) / 10)
      return AP_E_INVALID;
    number = number * 10 + value;
  }
  if (digit == *at)
    return AP_E_INVALID;
  *at = digit;
  *out = number;
  return AP_OK;
}

int ap_count_parse(const char *text, uint64_t *count)
{
  uint64_t number;
  if (read_number(&text, &number) != AP_OK || *text)
    return AP_E_INVALID;
  *count = number;
  return AP_OK;
}

/* sum + number * worth, within int64_t. */
static int add_product(uint64_t *sum, uint64_t number, uint64_t worth)
{
  uint64_t product;
  uint64_t total;
  if (__builtin_mul_overflow(number, worth, &product) ||
      __builtin_add_overflow(*sum, product, &total) || total > INT64_MAX)
    return AP_E_INVALID;
  *sum = total;
  return AP_OK;
}

/* The unit whose letters stand at *at up to a digit or the end, at `from` or behind it in the
 * table. */
static size_t read_duration_unit(const char **at, size_t from)
{
  size_t letters = strcspn(*at, "0123456789");
  for (size_t i = from; i < DURATION_COUNT; i++)
    if (strlen(durations[i].name) == letters && memcmp(*at, durations[i].name, letters) == 0) {
      *at += letters;
      return i;
    }
  return DURATION_COUNT;
}

int ap_duration_parse(const char *text, uint64_t *ms)
{
  uint64_t sum = 0;
  uint64_t number;
  size_t next = 0;
  if (ap_count_parse(text, &number) == AP_OK) {
    if (add_product(&sum, number, 1000) != AP_OK)
      return AP_E_INVALID;
    *ms = sum;
    return AP_OK;
  }
  do {
    if (read_number(&text, &number) != AP_OK)
      return AP_E_INVALID;
    size_t unit = read_duration_unit(&text, next);
    if (unit == DURATION_COUNT || add_product(&sum, number, durations[unit].worth) != AP_OK)
      return AP_E_INVALID;
    next = unit + 1;
  } while (*text);
  *ms = sum;
  return AP_OK;
}

int ap_size_parse(const char *text, uint64_t *bytes)
{
  uint64_t sum = 0;
  uint64_t number;
  uint64_t worth = 0;
  if (read_number(&text, &number) != AP_OK)
    return AP_E_INVALID;
  if (!*text)
    worth = 1;
  for (size_t i = 0; i < SIZE_COUNT; i++)
    if (strcasecmp(text, sizes[i].name) == 0)
      worth = sizes[i].worth;
  if (worth == 0 || add_product(&sum, number, worth) != AP_OK)
    return AP_E_INVALID;
  *bytes = sum;
  return AP_OK;
}

void ap_duration_format(uint64_t ms, char *buf)
{
  size_t len = 0;
  for (size_t i = 0; i < DURATION_COUNT; i++) {
    uint64_t number = ms / durations[i].worth;
    ms %= durations[i].worth;
    if (number)
      len += (size_t)snprintf(buf + len, AP_UNITS_TEXT - len, "%" PRIu64 "%s", number,
                              durations[i].name);
  }
  if (len == 0)
    (void)snprintf(buf, AP_UNITS_TEXT, "0s");
}

void ap_size_format(uint64_t bytes, char *buf)
{
  const struct unit *best = &sizes[SIZE_COUNT - 1];
  for (size_t i = 0; bytes && i < SIZE_COUNT; i++)
    if (bytes % sizes[i].worth == 0 && bytes / sizes[i].worth < bytes / best->worth)
      best = &sizes[i];
  (void)snprintf(buf, AP_UNITS_TEXT, "%" PRIu64 "%s", bytes / best->worth, best->name);
}
