/* What actions sent once in a run. A row without a status may have been sent. */
// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "store/disk_private.h"

int disk_once_intend(struct disk *disk, struct store_op *op)
{
  sqlite3_stmt *row = NULL;
  op->once = (struct store_once){.state = STORE_ONCE_NEW};
  int rc = disk_first(disk, &row, DISK_FIND_ONCE, "tt", op->keys[0], op->keys[1]);
  if (rc == AP_E_NOT_FOUND)
    return disk_run(disk, DISK_ADD_ONCE, "tti", op->keys[0], op->keys[1], ap_clock_unix_ms());
  if (rc != AP_OK)
    return rc;
  bool is_sent = sqlite3_column_type(row, 0) != SQLITE_NULL;
  op->once.state = is_sent ? STORE_ONCE_SENT : STORE_ONCE_LOST;
  op->once.status = (long)sqlite3_column_int64(row, 0);
  const void *body = sqlite3_column_blob(row, 1);
  ap_buf_add(&op->found, body ? body : "", (size_t)sqlite3_column_bytes(row, 1));
  disk_end(row);
  return ap_buf_error(&op->found);
}

int disk_once_write(struct disk *disk, const struct store_op *op)
{
  if (op->kind == STORE_OP_ONCE_UNDO)
    return disk_run(disk, DISK_UNDO_ONCE, "tt", op->keys[0], op->keys[1]);
  struct ap_slice body = {op->bytes ? op->bytes : "", op->bytes_len};
  return disk_run(disk, DISK_SENT_ONCE, "ttib", op->keys[0], op->keys[1], (int64_t)op->status,
                  body);
}

int disk_once_drop_old(struct disk *disk, int64_t now_ms)
{
  enum { DAYS_MIN = 31 };
  uint64_t keep_ms = (uint64_t)DAYS_MIN * STORE_DAY_MS;
  if (disk->options.keep_runs_ms > keep_ms)
    keep_ms = disk->options.keep_runs_ms;
  return disk_run(disk, DISK_DROP_OLD_ONCE, "i", now_ms - (int64_t)keep_ms);
}
