/* The journal of submissions. A row is open from the intent until the scan is known; what its
 * process left behind is claimed by the next that wants the same. */
// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "store/disk_private.h"

enum { STATE_SENT = 1 };

static int state_of(struct disk *disk, int64_t holder, enum store_submission_state *state)
{
  sqlite3_stmt *row = NULL;
  *state = STORE_LOST;
  if (holder == disk->me.id)
    return AP_OK;
  int rc = disk_first(disk, &row, DISK_GET_HOLDER, "i", holder);
  if (rc != AP_OK)
    return rc == AP_E_NOT_FOUND ? AP_OK : rc;
  if (holder_lives(sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1)))
    *state = STORE_UNDER_WAY;
  disk_end(row);
  return AP_OK;
}

int disk_journal_find(struct disk *disk, struct store_op *op)
{
  sqlite3_stmt *row = NULL;
  int rc = disk_first(disk, &row, DISK_FIND_SUBMISSION, "itii", disk->service_id, op->keys[0],
                      (int64_t)op->submission_kind, ap_clock_unix_ms() - (int64_t)STORE_DAY_MS);
  if (rc != AP_OK)
    return rc;
  bool is_sent = sqlite3_column_int(row, 1) == STATE_SENT;
  int64_t holder = sqlite3_column_int64(row, 4);
  op->submission = (struct store_submission){
      .id = (uint64_t)sqlite3_column_int64(row, 0),
      .state = STORE_SENT,
      .intended_unix_ms = sqlite3_column_int64(row, 3),
  };
  if (is_sent)
    ap_buf_add(&op->found, sqlite3_column_text(row, 2), (size_t)sqlite3_column_bytes(row, 2));
  disk_end(row);
  rc = is_sent ? AP_OK : state_of(disk, holder, &op->submission.state);
  return rc == AP_OK ? ap_buf_error(&op->found) : rc;
}

static int add(struct disk *disk, struct store_op *op)
{
  int64_t now_ms = ap_clock_unix_ms();
  int rc = disk_run(disk, DISK_DROP_SUBMISSIONS_OF, "iti", disk->service_id, op->keys[0],
                    (int64_t)op->submission_kind); /* older than a day */
  if (rc == AP_OK)
    rc = disk_run(disk, DISK_ADD_SUBMISSION, "iitii", disk->service_id,
                  (int64_t)op->submission_kind, op->keys[0], now_ms, disk->me.id);
  op->submission = (struct store_submission){
      .id = (uint64_t)sqlite3_last_insert_rowid(disk->db),
      .state = STORE_NEW,
      .intended_unix_ms = now_ms,
  };
  return rc;
}

int disk_journal_intend(struct disk *disk, struct store_op *op)
{
  int rc = disk_journal_find(disk, op);
  if (rc == AP_E_NOT_FOUND)
    return add(disk, op);
  if (rc == AP_OK && op->submission.state == STORE_LOST)
    rc = disk_run(disk, DISK_CLAIM_SUBMISSION, "ii", (int64_t)op->submission.id, disk->me.id);
  return rc;
}

int disk_journal_write(struct disk *disk, const struct store_op *op)
{
  if (op->kind == STORE_OP_SENT)
    return disk_run(disk, DISK_SENT_SUBMISSION, "iti", (int64_t)op->id, op->keys[0],
                    ap_clock_unix_ms());
  if (op->kind == STORE_OP_DONE)
    return disk_run(disk, DISK_DROP_SUBMISSION, "i", (int64_t)op->id);
  return disk_run(disk, DISK_DROP_SCANNED, "it", disk->service_id, op->keys[0]);
}
