/* The store on disk: what is asked in one turn is one transaction, on the pool. When it fails for
 * the sake of reports, the rest is done without them: they can be fetched again. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "store/disk_private.h"

static bool is_reading(const struct store_op *op)
{
  return op->kind == STORE_OP_REPORT_GET || op->kind == STORE_OP_FIND ||
         op->kind == STORE_OP_USAGE || op->kind == STORE_OP_ENTRIES;
}

static int apply_one(struct disk *disk, struct store_op *op)
{
  switch (op->kind) {
  case STORE_OP_REPORT_GET:
    return disk_report_get(disk, op);
  case STORE_OP_REPORT_PUT:
    return disk_report_put(disk, op);
  case STORE_OP_REPORT_FORGET:
    return disk_report_forget(disk, op);
  case STORE_OP_TAKE:
    return disk_quota_take(disk, op);
  case STORE_OP_COUNT:
    return disk_quota_count(disk, op);
  case STORE_OP_RETURN:
    return disk_quota_return(disk, op);
  case STORE_OP_SPEND_MINUTE:
  case STORE_OP_SPEND_DAY:
    return disk_quota_mark(disk, op);
  case STORE_OP_FIND:
    return disk_journal_find(disk, op);
  case STORE_OP_INTEND:
    return disk_journal_intend(disk, op);
  case STORE_OP_SENT:
  case STORE_OP_DONE:
  case STORE_OP_SCANNED:
    return disk_journal_write(disk, op);
  case STORE_OP_ONCE:
    return disk_once_intend(disk, op);
  case STORE_OP_ONCE_SENT:
  case STORE_OP_ONCE_UNDO:
    return disk_once_write(disk, op);
  case STORE_OP_USAGE:
    return disk_usage(disk, op);
  case STORE_OP_ENTRIES:
    return disk_entries(disk, op);
  case STORE_OP_PURGE:
    return disk_purge(disk, op);
  }
  return AP_E_INTERNAL;
}

/* Leaves a transaction that failed; SQLite may have left it already. */
static void roll_back(struct disk *disk)
{
  if (!sqlite3_get_autocommit(disk->db))
    (void)sqlite3_exec(disk->db, "ROLLBACK", NULL, NULL, NULL);
}

/* The longest of late, and slowly forgotten. */
static void learn_pace(struct disk *disk, int64_t began_ms)
{
  enum { COMMIT_MAX_MS = 10000 };
  int64_t took_ms = ap_clock_unix_ms() - began_ms;
  disk->commit_ms -= disk->commit_ms / 8;
  if (took_ms > disk->commit_ms)
    disk->commit_ms = took_ms < COMMIT_MAX_MS ? took_ms : COMMIT_MAX_MS;
}

/* What is durable after a commit, and not before it. */
static void pass_by(const struct store_op *ops, bool is_after)
{
  static const char *const names[][2] = {
      [STORE_OP_REPORT_PUT] = {"before_report", "after_report"},
      [STORE_OP_TAKE] = {"before_quota", "after_quota"},
      [STORE_OP_INTEND] = {"before_intent", "after_intent"},
      [STORE_OP_SENT] = {"before_sent", "after_sent"},
      [STORE_OP_DONE] = {"before_done", "after_done"},
      [STORE_OP_SCANNED] = {"before_scanned", "after_scanned"},
      [STORE_OP_ONCE] = {"before_once", "after_once"},
      [STORE_OP_ONCE_SENT] = {"before_once_sent", "after_once_sent"},
  };
  for (const struct store_op *op = ops; op; op = op->next)
    if (op->kind < sizeof(names) / sizeof(names[0]) && names[op->kind][is_after])
      ap_failpoint(names[op->kind][is_after]);
}

static int apply_all(struct disk *disk, struct store_op *ops, bool with_reports)
{
  bool is_writing = false;
  bool has_put = false;
  for (const struct store_op *op = ops; op; op = op->next)
    is_writing = is_writing || !is_reading(op);
  int rc = disk_run(disk, is_writing ? DISK_BEGIN_WRITE : DISK_BEGIN_READ, "");
  int64_t began_ms = ap_clock_unix_ms(); /* the lock is ours */
  if (rc == AP_OK)
    rc = is_writing ? disk_register(disk) : disk_find_service(disk);
  for (struct store_op *op = ops; op && rc != AP_E_IO; op = op->next) {
    bool is_put = op->kind == STORE_OP_REPORT_PUT;
    ap_buf_clear(&op->found);
    ap_buf_clear(&op->rows);
    ap_buf_clear(&op->pending);
    op->code = is_put && !with_reports ? AP_OK : apply_one(disk, op);
    has_put = has_put || is_put;
    rc = op->code;
  }
  if (rc != AP_E_IO && has_put && with_reports)
    rc = disk_report_purge(disk);
  if (rc != AP_E_IO) {
    pass_by(ops, false);
    rc = disk_run(disk, DISK_COMMIT, "");
  }
  if (rc != AP_OK) {
    roll_back(disk);
    return rc;
  }
  pass_by(ops, true);
  disk->is_registered = disk->is_registered || is_writing;
  if (is_writing) {
    learn_pace(disk, began_ms);
    disk_quota_told(disk, ops);
  }
  return AP_OK;
}

static bool has_reports(const struct store_op *ops)
{
  while (ops && ops->kind != STORE_OP_REPORT_PUT)
    ops = ops->next;
  return ops != NULL;
}

static bool has_others(const struct store_op *ops)
{
  while (ops && ops->kind == STORE_OP_REPORT_PUT)
    ops = ops->next;
  return ops != NULL;
}

static void apply(struct store *store, struct store_op *ops)
{
  struct disk *disk = (struct disk *)store;
  struct ap_error err = {0};
  int rc = apply_all(disk, ops, true);
  if (rc == AP_OK)
    return;
  (void)disk_fail(disk, disk->sql_code, &err);
  memcpy(store->failure, err.text, sizeof(store->failure));
  store->failure[sizeof(store->failure) - 1] = '\0';
  if (err.code != AP_E_BUSY && has_reports(ops) && has_others(ops))
    rc = apply_all(disk, ops, false);
  for (struct store_op *op = ops; op && rc != AP_OK; op = op->next)
    op->code = err.code;
}

static size_t open_count(struct store *store)
{
  struct disk *disk = (struct disk *)store;
  int64_t count = 0;
  if (disk_find_service(disk) != AP_OK ||
      disk_number(disk, &count, DISK_OPEN_SUBMISSIONS, "i", disk->service_id) != AP_OK)
    return 0;
  return (size_t)count;
}

static void free_disk(struct store *store)
{
  struct disk *disk = (struct disk *)store;
  if (disk->is_waiting && disk_run(disk, DISK_DROP_WAITER, "i", disk->me.id) != AP_OK)
    ap_log(AP_LOG_STORE, AP_LOG_DEBUG, "a place in line stays until it is over");
  disk_finalize(disk);
  disk_body_free(disk);
  if (sqlite3_close(disk->db) != SQLITE_OK)
    ap_log(AP_LOG_STORE, AP_LOG_WARN, "%s could not be closed", disk->path);
  free(disk->path);
  free(disk->service);
  free(disk->spender);
  free(disk);
}

const struct store_backend store_disk_backend = {
    .apply = apply, .open_count = open_count, .free = free_disk, .is_slow = true};

/* ---- who is here ---- */

int disk_find_service(struct disk *disk)
{
  if (disk->service_id)
    return AP_OK;
  int rc = disk_number(disk, &disk->service_id, DISK_GET_SERVICE, "t", disk->service);
  return rc == AP_E_NOT_FOUND ? AP_OK : rc;
}

static int drop_dead(struct disk *disk)
{
  enum { DEAD_MAX = 64 };
  int64_t dead[DEAD_MAX];
  size_t count = 0;
  sqlite3_stmt *row = NULL;
  int rc = disk_first(disk, &row, DISK_ALL_HOLDERS, "");
  while (rc == AP_OK && count < DEAD_MAX) {
    if (!holder_lives(sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2)))
      dead[count++] = sqlite3_column_int64(row, 0);
    rc = disk_next(disk, row);
  }
  if (rc == AP_OK)
    disk_end(row);
  for (size_t i = 0; i < count && rc != AP_E_IO; i++) {
    rc = disk_run(disk, DISK_DROP_WAITER, "i", dead[i]);
    if (rc == AP_OK)
      rc = disk_run(disk, DISK_DROP_HOLDER, "i", dead[i]);
  }
  return rc == AP_E_NOT_FOUND ? AP_OK : rc;
}

static int find_key(struct disk *disk)
{
  struct ap_slice digest = {(const char *)disk->digest, sizeof(disk->digest)};
  int rc = disk_run(disk, DISK_ADD_KEY, "b", digest);
  return rc == AP_OK ? disk_number(disk, &disk->key_id, DISK_GET_KEY, "b", digest) : rc;
}

static int drop_old(struct disk *disk)
{
  enum { SPENT_DAYS = 400, SUBMISSION_DAYS = 30 };
  int64_t now_ms = ap_clock_unix_ms();
  int rc = disk_run(disk, DISK_DROP_OLD_SPENT, "i", now_ms / STORE_DAY_MS - SPENT_DAYS);
  if (rc == AP_OK)
    rc = disk_run(disk, DISK_DROP_OLD_SUBMISSIONS, "i",
                  now_ms - (int64_t)SUBMISSION_DAYS * STORE_DAY_MS);
  if (rc == AP_OK)
    rc = disk_once_drop_old(disk, now_ms);
  return rc;
}

int disk_register(struct disk *disk)
{
  if (disk->is_registered)
    return AP_OK;
  disk->service_id = 0;
  int rc = drop_dead(disk);
  if (rc == AP_OK)
    rc = drop_old(disk);
  if (rc == AP_OK)
    rc = disk_run(disk, DISK_ADD_HOLDER, "iii", disk->me.id, disk->me.pid, disk->me.born);
  if (rc == AP_OK)
    rc = disk_run(disk, DISK_ADD_SERVICE, "t", disk->service);
  if (rc == AP_OK)
    rc = disk_find_service(disk);
  if (rc == AP_OK && disk->has_key)
    rc = find_key(disk);
  return rc;
}
