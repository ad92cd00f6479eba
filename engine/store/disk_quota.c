/* The ledger of a key's quota. What is granted is counted in the transaction that grants it, so
 * that no two processes get the same. */
// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "store/disk_private.h"

/* A process whose part is used asks again after the first, and keeps its place in line for the
 * second after it should have been back. */
enum { PART_AGAIN_MS = 1000, PLACE_MS = 5000 };

/* A minute is taken a second longer: a part of that is for the commit to take longer than usual. */
enum { LATE_MS = 250 };

static uint32_t to_count(int64_t count)
{
  return count < 0 ? 0 : count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

int disk_quota_marks(struct disk *disk, struct store_marks *marks)
{
  sqlite3_stmt *row = NULL;
  int rc = disk_first(disk, &row, DISK_MARKS, "i", disk->key_id);
  if (rc != AP_OK)
    return rc;
  marks->minute_until_ms = sqlite3_column_int64(row, 0);
  marks->day = sqlite3_column_int64(row, 1);
  disk_end(row);
  int64_t latest = ap_clock_unix_ms() + (int64_t)STORE_MINUTE_MS;
  if (marks->minute_until_ms > latest) /* the clock was set back */
    marks->minute_until_ms = latest;
  return AP_OK;
}

int disk_quota_days(struct disk *disk, int64_t now_ms, struct store_used *used)
{
  int64_t today = now_ms / STORE_DAY_MS;
  int64_t first = store_month_begin_ms(store_month_of(now_ms)) / STORE_DAY_MS;
  int64_t day = 0;
  int64_t month = 0;
  int rc = disk_number(disk, &day, DISK_DAYS, "iii", disk->key_id, today, today);
  if (rc == AP_OK)
    rc = disk_number(disk, &month, DISK_DAYS, "iii", disk->key_id, first, today);
  used->day = to_count(day);
  used->month = to_count(month);
  return rc;
}

/* While others wait that have less, the minute is shared out evenly: what one does not want of its
 * part is for the others. `mine` is what this process has of it. */
static int read_part(struct disk *disk, int64_t now_ms, uint32_t per_minute, uint32_t mine,
                     struct store_used *used)
{
  int64_t others = 0;
  int64_t sharers = 1;
  used->part = UINT32_MAX;
  int rc =
      disk_number(disk, &others, DISK_OTHERS_WAITING, "iii", disk->key_id, disk->me.id, now_ms);
  if (rc != AP_OK || others == 0)
    return rc;
  rc = disk_number(disk, &sharers, DISK_SHARERS, "iii", disk->key_id, disk->me.id, now_ms);
  uint32_t count = sharers < 1 ? 1 : to_count(sharers);
  uint32_t part = (per_minute - 1) / count + 1;
  int64_t hungry = 0;
  if (rc == AP_OK)
    rc = disk_number(disk, &hungry, DISK_HUNGRY_WAITING, "iiii", disk->key_id, disk->me.id, now_ms,
                     (int64_t)part);
  if (hungry)
    used->part = part > mine ? part - mine : 0;
  return rc;
}

static int read_minute(struct disk *disk, int64_t now_ms, uint32_t per_minute,
                       struct store_used *used)
{
  sqlite3_stmt *row = NULL;
  int rc = disk_run(disk, DISK_DROP_TAKEN, "iii", disk->key_id, now_ms - (int64_t)STORE_MINUTE_MS,
                    now_ms + (int64_t)STORE_MINUTE_MS);
  if (rc == AP_OK)
    rc = disk_first(disk, &row, DISK_WINDOW, "ii", disk->key_id, disk->me.id);
  if (rc != AP_OK)
    return rc;
  uint32_t mine = to_count(sqlite3_column_int64(row, 2));
  int64_t mine_at_ms = sqlite3_column_int64(row, 3);
  used->minute = to_count(sqlite3_column_int64(row, 0));
  used->minute_again_ms = sqlite3_column_int64(row, 1) + STORE_MINUTE_MS;
  used->part_again_ms = now_ms + PART_AGAIN_MS;
  if (mine && mine_at_ms + STORE_MINUTE_MS < used->part_again_ms)
    used->part_again_ms = mine_at_ms + STORE_MINUTE_MS;
  disk_end(row);
  return read_part(disk, now_ms, per_minute, mine, used);
}

static int read_used(struct disk *disk, const struct store_limits *limits, int64_t now_ms,
                     struct store_used *used)
{
  int rc = disk_quota_marks(disk, &used->marks);
  used->part = UINT32_MAX;
  if (rc == AP_OK && (limits->per_day || limits->per_month))
    rc = disk_quota_days(disk, now_ms, used);
  if (rc == AP_OK && limits->per_minute)
    rc = read_minute(disk, now_ms, limits->per_minute, used);
  return rc;
}

static int count_spent(struct disk *disk, int64_t at_ms, uint32_t count)
{
  return disk_run(disk, DISK_ADD_SPENT, "iiti", disk->key_id, at_ms / STORE_DAY_MS, disk->spender,
                  (int64_t)count);
}

/* Who waits for the minute stands in line; who got some does not. */
static int stand_in_line(struct disk *disk, const struct store_grant *grant)
{
  bool waits = !grant->granted && grant->window[0] == 'm' && grant->window[1] == 'i';
  if (!waits && !disk->is_waiting)
    return AP_OK;
  disk->is_waiting = waits;
  if (!waits)
    return disk_run(disk, DISK_DROP_WAITER, "i", disk->me.id);
  return disk_run(disk, DISK_ADD_WAITER, "iii", disk->key_id, disk->me.id,
                  grant->again_unix_ms + PLACE_MS);
}

int disk_quota_take(struct disk *disk, struct store_op *op)
{
  struct store_used used = {0};
  int64_t now_ms = ap_clock_unix_ms();
  int rc = read_used(disk, &op->limits, now_ms, &used);
  if (rc != AP_OK)
    return AP_E_IO;
  store_grant_of(&op->limits, &used, op->count, now_ms, &op->grant);
  if (op->grant.granted && op->limits.per_minute)
    op->grant.at_unix_ms += disk->commit_ms; /* it is used when it is on disk */
  rc = op->limits.per_minute ? stand_in_line(disk, &op->grant) : AP_OK;
  if (rc != AP_OK || !op->grant.granted)
    return rc;
  if (op->limits.per_minute)
    rc = disk_run(disk, DISK_ADD_TAKEN, "iiii", disk->key_id, op->grant.at_unix_ms, disk->me.id,
                  (int64_t)op->grant.granted);
  return rc == AP_OK ? count_spent(disk, op->grant.at_unix_ms, op->grant.granted) : rc;
}

static bool is_late(const struct store_op *op, int64_t now_ms)
{
  return op->kind == STORE_OP_TAKE && op->grant.granted && op->limits.per_minute &&
         op->grant.at_unix_ms + LATE_MS < now_ms;
}

static int move_taken(struct disk *disk, struct store_op *op, int64_t at_ms)
{
  int rc = disk_run(disk, DISK_MOVE_TAKEN, "iiii", disk->key_id, op->grant.at_unix_ms, disk->me.id,
                    at_ms);
  if (rc == AP_OK)
    op->grant.at_unix_ms = at_ms;
  return rc;
}

void disk_quota_told(struct disk *disk, struct store_op *ops)
{
  int64_t now_ms = ap_clock_unix_ms();
  const struct store_op *late = ops;
  while (late && !is_late(late, now_ms))
    late = late->next;
  if (!late)
    return;
  int64_t at_ms = now_ms + disk->commit_ms;
  int rc = disk_run(disk, DISK_BEGIN_WRITE, "");
  for (struct store_op *op = ops; op && rc == AP_OK; op = op->next)
    rc = is_late(op, now_ms) ? move_taken(disk, op, at_ms) : AP_OK;
  if (rc == AP_OK)
    rc = disk_run(disk, DISK_COMMIT, "");
  if (rc != AP_OK && !sqlite3_get_autocommit(disk->db))
    (void)sqlite3_exec(disk->db, "ROLLBACK", NULL, NULL, NULL);
}

/* What was granted without asking, where nothing is limited: another process may know better. */
int disk_quota_count(struct disk *disk, struct store_op *op)
{
  static const struct store_limits none = {0};
  struct store_used used = {.part = UINT32_MAX};
  int rc = disk_quota_marks(disk, &used.marks);
  if (rc != AP_OK)
    return AP_E_IO;
  store_grant_of(&none, &used, op->count, op->at_ms, &op->grant);
  return count_spent(disk, op->at_ms, op->count);
}

int disk_quota_return(struct disk *disk, const struct store_op *op)
{
  int rc = disk_run(disk, DISK_RETURN_TAKEN, "iiii", disk->key_id, op->at_ms, disk->me.id,
                    (int64_t)op->count);
  if (rc == AP_OK)
    rc = disk_run(disk, DISK_RETURN_SPENT, "iiti", disk->key_id, op->at_ms / STORE_DAY_MS,
                  disk->spender, (int64_t)op->count);
  return rc;
}

int disk_quota_mark(struct disk *disk, const struct store_op *op)
{
  bool is_minute = op->kind == STORE_OP_SPEND_MINUTE;
  return disk_run(disk, is_minute ? DISK_MARK_MINUTE : DISK_MARK_DAY, "ii", disk->key_id,
                  op->at_ms);
}
