// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>
#include <utlist.h>

#include "base/clock.h"
#include "store/store.h"

/* VirusTotal counts a request when it arrives, and one may travel faster than the one a minute
 * before it: the minute is taken a second longer. */
enum { MINUTE_MS = 60000 + 1000, KEYS_MAX = 4 };

/* One answer, found under each of its keys. */
struct report {
  struct report *prev, *next; /* oldest first */
  int64_t fetched_ms;
  uint64_t lifetime_ms;
  int code;
  size_t key_count;
  struct report_key *keys[KEYS_MAX];
  size_t len;
  char bytes[];
};

struct report_key {
  UT_hash_handle hh;
  struct report *report;
  size_t slot; /* in report->keys */
  char text[];
};

/* Look-ups taken at one moment. */
struct taken {
  struct taken *prev, *next;
  int64_t at_ms;
  uint32_t count;
};

struct submission {
  UT_hash_handle hh;
  uint64_t id;
  enum store_submission kind;
  char *waited_for; /* the scan id, or the resource; NULL: not sent yet */
  UT_hash_handle by_wait;
  char resource[];
};

struct store {
  size_t report_bytes_max;
  size_t report_bytes;
  struct report *reports;
  struct report_key *report_keys;
  struct taken *minute;
  uint32_t minute_count;
  int64_t minute_spent_until_ms;
  int64_t day; /* days since 1970, UTC */
  uint32_t day_count;
  bool day_is_spent;
  int month; /* months since 1900, UTC */
  uint32_t month_count;
  struct submission *submissions;
  struct submission *waits; /* the same, those that were sent; may hold one scan id twice */
  uint64_t last_submission;
};

int store_memory_new(size_t report_bytes, struct store **out)
{
  struct store *store = calloc(1, sizeof(*store));
  if (!store)
    return AP_E_NO_MEMORY;
  store->report_bytes_max = report_bytes;
  *out = store;
  return AP_OK;
}

/* ---- reports ---- */

static void drop_report(struct store *store, struct report *report)
{
  for (size_t i = 0; i < report->key_count; i++) {
    struct report_key *key = report->keys[i];
    if (!key)
      continue;
    // NOLINTNEXTLINE(clang-analyzer-*): it loses track in uthash's macros
    HASH_DEL(store->report_keys, key);
    free(key);
  }
  store->report_bytes -= sizeof(*report) + report->len;
  DL_DELETE(store->reports, report);
  free(report);
}

static struct report_key *find_key(struct store *store, const char *text)
{
  struct report_key *key = NULL;
  HASH_FIND_STR(store->report_keys, text, key);
  return key;
}

bool store_report_get(struct store *store, const char *key, struct ap_buf *raw, int *code,
                      int64_t *fetched_unix_ms)
{
  struct report_key *found = find_key(store, key);
  if (!found)
    return false;
  struct report *report = found->report;
  if (ap_clock_unix_ms() - report->fetched_ms >= (int64_t)report->lifetime_ms) {
    drop_report(store, report);
    return false;
  }
  ap_buf_add(raw, report->bytes, report->len);
  *code = report->code;
  *fetched_unix_ms = report->fetched_ms;
  return !ap_buf_error(raw);
}

void store_report_forget(struct store *store, const char *key)
{
  struct report_key *found = find_key(store, key);
  if (found)
    drop_report(store, found->report);
}

static void take_key(struct store *store, const char *text)
{
  struct report_key *found = find_key(store, text);
  if (!found)
    return;
  found->report->keys[found->slot] = NULL;
  HASH_DEL(store->report_keys, found);
  free(found);
}

static void add_key(struct store *store, struct report *report, const char *text)
{
  take_key(store, text);
  size_t len = strlen(text);
  struct report_key *key = calloc(1, sizeof(*key) + len + 1);
  if (!key)
    return;
  memcpy(key->text, text, len);
  key->report = report;
  key->slot = report->key_count;
  report->keys[report->key_count++] = key;
  HASH_ADD_STR(store->report_keys, text, key);
}

void store_report_put(struct store *store, const char *const *keys, size_t key_count,
                      struct ap_slice raw, int code, uint64_t lifetime_ms)
{
  ap_require(key_count <= KEYS_MAX);
  size_t size = sizeof(struct report) + raw.len;
  if (lifetime_ms == 0 || size > store->report_bytes_max)
    return;
  struct report *report = malloc(size);
  if (!report)
    return;
  *report = (struct report){
      .fetched_ms = ap_clock_unix_ms(), .lifetime_ms = lifetime_ms, .code = code, .len = raw.len};
  if (raw.len)
    memcpy(report->bytes, raw.ptr, raw.len);
  for (size_t i = 0; i < key_count; i++)
    add_key(store, report, keys[i]);
  DL_APPEND(store->reports, report);
  store->report_bytes += size;
  while (store->reports && store->report_bytes > store->report_bytes_max)
    drop_report(store, store->reports);
}

/* ---- quota ---- */

static void turn_windows(struct store *store, int64_t now_ms)
{
  while (store->minute && store->minute->at_ms + MINUTE_MS <= now_ms) {
    struct taken *old = store->minute;
    store->minute_count -= old->count;
    DL_DELETE(store->minute, old);
    free(old);
  }
  int64_t day = now_ms / 86400000;
  if (day != store->day) {
    store->day = day;
    store->day_count = 0;
    store->day_is_spent = false;
  }
  time_t now_s = (time_t)(now_ms / 1000);
  struct tm parts = {0};
  (void)gmtime_r(&now_s, &parts);
  int month = parts.tm_year * 12 + parts.tm_mon;
  if (month != store->month) {
    store->month = month;
    store->month_count = 0;
  }
}

static int64_t month_end_ms(const struct store *store)
{
  struct tm next = {
      .tm_year = (store->month + 1) / 12, .tm_mon = (store->month + 1) % 12, .tm_mday = 1};
  return (int64_t)timegm(&next) * 1000;
}

static uint32_t left_of(uint32_t limit, uint32_t used)
{
  return limit == 0 ? UINT32_MAX : used >= limit ? 0 : limit - used;
}

static uint32_t least(uint32_t a, uint32_t b)
{
  return a < b ? a : b;
}

void store_quota_take(struct store *store, const struct store_limits *limits, uint32_t want,
                      struct store_grant *grant)
{
  int64_t now_ms = ap_clock_unix_ms();
  turn_windows(store, now_ms);
  *grant = (struct store_grant){0};
  if (left_of(limits->per_month, store->month_count) == 0) {
    grant->again_unix_ms = month_end_ms(store);
    grant->window = "month";
    return;
  }
  if (store->day_is_spent || left_of(limits->per_day, store->day_count) == 0) {
    grant->again_unix_ms = (store->day + 1) * 86400000;
    grant->window = "day";
    return;
  }
  if (store->minute_spent_until_ms > now_ms) {
    grant->again_unix_ms = store->minute_spent_until_ms;
    grant->window = "minute";
    return;
  }
  if (left_of(limits->per_minute, store->minute_count) == 0) {
    grant->again_unix_ms = store->minute->at_ms + MINUTE_MS;
    grant->window = "minute";
    return;
  }
  uint32_t count = least(want, left_of(limits->per_minute, store->minute_count));
  count = least(count, left_of(limits->per_day, store->day_count));
  count = least(count, left_of(limits->per_month, store->month_count));
  if (limits->per_minute) {
    struct taken *taken = calloc(1, sizeof(*taken));
    if (!taken) {
      grant->again_unix_ms = now_ms + 1000;
      grant->window = "minute";
      return;
    }
    taken->at_ms = now_ms;
    taken->count = count;
    DL_APPEND(store->minute, taken);
    store->minute_count += count;
  }
  store->day_count += count;
  store->month_count += count;
  grant->granted = count;
}

void store_quota_spend_minute(struct store *store)
{
  store->minute_spent_until_ms = ap_clock_unix_ms() + MINUTE_MS;
}

void store_quota_spend_day(struct store *store)
{
  turn_windows(store, ap_clock_unix_ms());
  store->day_is_spent = true;
}

/* ---- submissions ---- */

static struct submission *find_submission(struct store *store, uint64_t id)
{
  struct submission *found = NULL;
  HASH_FIND(hh, store->submissions, &id, sizeof(id), found);
  return found;
}

int store_submission_intend(struct store *store, enum store_submission kind, const char *resource,
                            uint64_t *id)
{
  size_t len = strlen(resource);
  struct submission *submission = calloc(1, sizeof(*submission) + len + 1);
  if (!submission)
    return AP_E_NO_MEMORY;
  memcpy(submission->resource, resource, len);
  submission->kind = kind;
  submission->id = ++store->last_submission;
  HASH_ADD(hh, store->submissions, id, sizeof(submission->id), submission);
  *id = submission->id;
  return AP_OK;
}

static void forget_wait(struct store *store, struct submission *submission)
{
  if (!submission->waited_for)
    return;
  HASH_DELETE(by_wait, store->waits, submission);
  free(submission->waited_for);
  submission->waited_for = NULL;
}

int store_submission_sent(struct store *store, uint64_t id, const char *scan_id)
{
  struct submission *submission = find_submission(store, id);
  if (!submission)
    return AP_E_INTERNAL;
  forget_wait(store, submission);
  submission->waited_for = strdup(*scan_id ? scan_id : submission->resource);
  if (!submission->waited_for)
    return AP_E_NO_MEMORY;
  HASH_ADD_KEYPTR(by_wait, store->waits, submission->waited_for, strlen(submission->waited_for),
                  submission);
  return AP_OK;
}

static void drop_submission(struct store *store, struct submission *submission)
{
  forget_wait(store, submission);
  HASH_DEL(store->submissions, submission);
  free(submission);
}

int store_submission_done(struct store *store, uint64_t id)
{
  struct submission *submission = find_submission(store, id);
  if (!submission)
    return AP_E_INTERNAL;
  drop_submission(store, submission);
  return AP_OK;
}

void store_submission_scanned(struct store *store, const char *waited_for)
{
  for (;;) {
    struct submission *found = NULL;
    HASH_FIND(by_wait, store->waits, waited_for, strlen(waited_for), found);
    if (!found)
      return;
    // NOLINTNEXTLINE(clang-analyzer-*): it loses track in uthash's macros
    drop_submission(store, found);
  }
}

size_t store_submission_open_count(const struct store *store)
{
  return HASH_COUNT(store->submissions);
}

void store_free(struct store *store)
{
  if (!store)
    return;
  while (store->reports)
    drop_report(store, store->reports);
  while (store->minute) {
    struct taken *taken = store->minute;
    DL_DELETE(store->minute, taken);
    free(taken);
  }
  while (store->submissions)
    // NOLINTNEXTLINE(clang-analyzer-*): it loses track in uthash's macros
    drop_submission(store, store->submissions);
  free(store);
}
