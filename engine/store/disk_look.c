/* What people are told of the file: the windows of the quota, who took from it, what is pending,
 * which answers are kept. Reading it changes nothing. */
// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "store/disk_private.h"

/* A text that may be NULL, of the row's column. */
static const char *text_of(sqlite3_stmt *row, int column)
{
  return (const char *)sqlite3_column_text(row, column);
}

/* AP_E_NOT_FOUND is the end of the rows. */
static int over(int rc)
{
  return rc == AP_E_NOT_FOUND ? AP_OK : rc;
}

/* ---- usage ---- */

static int read_minute(struct disk *disk, int64_t now_ms, struct store_used *used)
{
  sqlite3_stmt *row = NULL;
  int rc = disk_first(disk, &row, DISK_USED_MINUTE, "iii", disk->key_id,
                      now_ms - (int64_t)STORE_MINUTE_MS, now_ms + (int64_t)STORE_MINUTE_MS);
  if (rc != AP_OK)
    return rc;
  used->minute = (uint32_t)sqlite3_column_int64(row, 0);
  used->minute_again_ms = sqlite3_column_int64(row, 1) + STORE_MINUTE_MS;
  disk_end(row);
  return AP_OK;
}

static int read_spenders(struct disk *disk, int64_t now_ms, struct store_op *op)
{
  sqlite3_stmt *row = NULL;
  int64_t first = store_month_begin_ms(store_month_of(now_ms)) / STORE_DAY_MS;
  int rc = disk_first(disk, &row, DISK_SPENDERS, "iii", disk->key_id, first, now_ms / STORE_DAY_MS);
  for (; rc == AP_OK; rc = disk_next(disk, row)) {
    const struct store_spender spender = {
        .name = text_of(row, 0),
        .today = (uint64_t)sqlite3_column_int64(row, 1),
        .this_month = (uint64_t)sqlite3_column_int64(row, 2),
    };
    store_look_add_spender(op, &spender);
  }
  return over(rc);
}

static int read_pending(struct disk *disk, struct store_op *op)
{
  sqlite3_stmt *row = NULL;
  int rc = disk_first(disk, &row, DISK_ALL_SUBMISSIONS, "ii", disk->service_id,
                      (int64_t)STORE_PENDING_MAX);
  for (; rc == AP_OK; rc = disk_next(disk, row)) {
    const struct store_pending pending = {
        .kind = (enum store_submission_kind)sqlite3_column_int(row, 0),
        .resource = text_of(row, 1),
        .waited_for = text_of(row, 2),
        .intended_unix_ms = sqlite3_column_int64(row, 3),
    };
    store_look_add_pending(op, &pending);
  }
  return over(rc);
}

/* A key that never took anything has no row. */
static int find_key(struct disk *disk)
{
  struct ap_slice digest = {(const char *)disk->digest, sizeof(disk->digest)};
  if (disk->key_id || !disk->has_key)
    return AP_OK;
  return over(disk_number(disk, &disk->key_id, DISK_GET_KEY, "b", digest));
}

int disk_usage(struct disk *disk, struct store_op *op)
{
  struct store_used used = {.marks = {.day = -1}};
  int64_t now_ms = ap_clock_unix_ms();
  int rc = find_key(disk);
  if (rc == AP_OK && disk->key_id)
    rc = disk_quota_marks(disk, &used.marks);
  if (rc == AP_OK)
    rc = disk_quota_days(disk, now_ms, &used);
  if (rc == AP_OK)
    rc = read_minute(disk, now_ms, &used);
  if (rc == AP_OK)
    rc = read_spenders(disk, now_ms, op);
  if (rc == AP_OK)
    rc = read_pending(disk, op);
  store_usage_of(&op->limits, &used, now_ms, &op->usage);
  return rc == AP_OK ? store_look_error(op) : AP_E_IO;
}

/* ---- entries ---- */

/* The rows of a report stand together, one for each of its keys. */
static int read_entries(struct disk *disk, struct store_op *op, sqlite3_stmt *row, int rc)
{
  struct ap_buf key = {0};
  int64_t last = 0;
  for (; rc == AP_OK; rc = disk_next(disk, row)) {
    int64_t report = sqlite3_column_int64(row, 0);
    const struct store_entry entry = {
        .code = sqlite3_column_int(row, 1),
        .fetched_unix_ms = sqlite3_column_int64(row, 2),
        .bytes = (uint64_t)sqlite3_column_int64(row, 3),
    };
    const struct ap_slice packed = {sqlite3_column_blob(row, 4),
                                    (size_t)sqlite3_column_bytes(row, 4)};
    if (report != last)
      store_look_add_entry(op, &entry);
    last = report;
    ap_buf_clear(&key);
    disk_key_unpack(packed, &key);
    store_look_add_key(op, ap_buf_cstr(&key));
  }
  ap_buf_deinit(&key);
  return over(rc);
}

/* 0: there is none. */
static int find_report(struct disk *disk, const char *text, int64_t *report)
{
  struct ap_buf key = {0};
  *report = 0;
  disk_key_pack(text, &key);
  int rc = disk_number(disk, report, DISK_REPORT_OF_KEY, "ib", disk->service_id, ap_slice_of(&key));
  ap_buf_deinit(&key);
  return over(rc);
}

int disk_entries(struct disk *disk, struct store_op *op)
{
  sqlite3_stmt *row = NULL;
  int64_t report = 0;
  int rc = op->key_count ? find_report(disk, op->keys[0], &report) : AP_OK;
  if (rc != AP_OK)
    return rc;
  rc = op->key_count ? disk_first(disk, &row, DISK_ENTRY, "ii", disk->service_id, report)
                     : disk_first(disk, &row, DISK_ENTRIES, "i", disk->service_id);
  rc = read_entries(disk, op, row, rc);
  return rc == AP_OK ? store_look_error(op) : rc;
}

int disk_purge(struct disk *disk, struct store_op *op)
{
  int64_t report = 0;
  int rc = op->key_count ? find_report(disk, op->keys[0], &report) : AP_OK;
  if (rc == AP_OK)
    rc = op->key_count ? disk_run(disk, DISK_PURGE_ONE, "ii", report, op->at_ms)
                       : disk_run(disk, DISK_PURGE, "ii", disk->service_id, op->at_ms);
  op->count = rc == AP_OK ? (uint32_t)sqlite3_changes(disk->db) : 0;
  return rc;
}
