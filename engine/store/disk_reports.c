/* Fetched reports: a report is one row, found under each of its keys. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/clock.h"
#include "store/disk_private.h"

enum { PURGED_AT_ONCE = 8, PURGES_MAX = 128 };

/* Of a lower-case hexadecimal digit. */
static unsigned digit(char c)
{
  return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

/* Most keys are a letter and a hash in lower-case hex: half as long as bytes. Another key keeps its
 * text; the second byte tells which. */
void disk_key_pack(const char *key, struct ap_buf *out)
{
  enum { HEX_MIN = 32 };
  size_t len = strlen(key);
  size_t hex = len ? strspn(key + 1, "0123456789abcdef") : 0;
  ap_buf_add_char(out, len ? key[0] : '\0');
  if (hex < HEX_MIN || hex % 2 || hex + 1 != len) {
    ap_buf_add_char(out, 't');
    ap_buf_add_str(out, len ? key + 1 : "");
    return;
  }
  ap_buf_add_char(out, 'x');
  for (size_t i = 1; i < len; i += 2)
    ap_buf_add_char(out, (char)(digit(key[i]) << 4 | digit(key[i + 1])));
}

void disk_key_unpack(struct ap_slice packed, struct ap_buf *out)
{
  static const char digits[] = "0123456789abcdef";
  if (packed.len < 2)
    return;
  ap_buf_add_char(out, packed.ptr[0]);
  if (packed.ptr[1] == 't')
    ap_buf_add(out, packed.ptr + 2, packed.len - 2);
  for (size_t i = 2; packed.ptr[1] == 'x' && i < packed.len; i++) {
    ap_buf_add_char(out, digits[(unsigned char)packed.ptr[i] >> 4]);
    ap_buf_add_char(out, digits[(unsigned char)packed.ptr[i] & 15]);
  }
}

/* A body that is damaged is none: it is fetched again. */
static int read_body(struct disk *disk, sqlite3_stmt *row, struct ap_buf *body)
{
  const struct ap_slice kept = {sqlite3_column_blob(row, 2), (size_t)sqlite3_column_bytes(row, 2)};
  if (sqlite3_column_type(row, 3) != SQLITE_NULL)
    return disk_body_unpack(disk, kept, sqlite3_column_int64(row, 3), body);
  ap_buf_add(body, kept.ptr, kept.len); /* it was kept before bodies were compressed */
  return ap_buf_error(body);
}

int disk_report_get(struct disk *disk, struct store_op *op)
{
  struct ap_buf key = {0};
  sqlite3_stmt *row = NULL;
  int64_t now_ms = ap_clock_unix_ms();
  disk_key_pack(op->keys[0], &key);
  int rc =
      disk_first(disk, &row, DISK_GET_REPORT, "ibiii", disk->service_id, ap_slice_of(&key),
                 now_ms - (int64_t)op->lifetimes.report_ms,
                 now_ms - (int64_t)op->lifetimes.not_found_ms, now_ms + (int64_t)STORE_MINUTE_MS);
  ap_buf_deinit(&key);
  if (rc != AP_OK)
    return rc;
  op->report_code = sqlite3_column_int(row, 0);
  op->at_ms = sqlite3_column_int64(row, 1);
  rc = read_body(disk, row, &op->found);
  disk_end(row);
  return rc;
}

/* Puts a report under a key; *old is the report that was there, 0: none. */
static int put_key(struct disk *disk, const char *text, int64_t report, int64_t *old)
{
  struct ap_buf key = {0};
  disk_key_pack(text, &key);
  int rc = disk_number(disk, old, DISK_REPORT_OF_KEY, "ib", disk->service_id, ap_slice_of(&key));
  if (rc != AP_E_IO)
    rc = disk_run(disk, DISK_ADD_REPORT_KEY, "ibi", disk->service_id, ap_slice_of(&key), report);
  ap_buf_deinit(&key);
  return rc;
}

int disk_report_put(struct disk *disk, const struct store_op *op)
{
  int64_t old[STORE_KEYS_MAX] = {0};
  struct ap_buf body = {0};
  int rc = disk_body_pack(disk, (struct ap_slice){op->bytes, op->bytes_len}, &body);
  if (rc == AP_OK)
    rc = disk_run(disk, DISK_ADD_REPORT, "iibi", op->at_ms, (int64_t)op->report_code,
                  ap_slice_of(&body), (int64_t)op->bytes_len);
  ap_buf_deinit(&body);
  int64_t report = sqlite3_last_insert_rowid(disk->db);
  for (size_t i = 0; i < op->key_count && rc == AP_OK; i++)
    rc = put_key(disk, op->keys[i], report, &old[i]);
  for (size_t i = 0; i < op->key_count && rc == AP_OK; i++)
    if (old[i])
      rc = disk_run(disk, DISK_DROP_REPORT_WITHOUT_KEY, "i", old[i]);
  return rc;
}

int disk_report_forget(struct disk *disk, const struct store_op *op)
{
  struct ap_buf key = {0};
  int64_t report = 0;
  disk_key_pack(op->keys[0], &key);
  int rc =
      disk_number(disk, &report, DISK_REPORT_OF_KEY, "ib", disk->service_id, ap_slice_of(&key));
  ap_buf_deinit(&key);
  if (rc == AP_OK)
    rc = disk_run(disk, DISK_DROP_REPORT, "i", report);
  return rc == AP_E_NOT_FOUND ? AP_OK : rc;
}

/* ---- what is kept has limits ---- */

static int used_bytes(struct disk *disk, uint64_t *bytes)
{
  enum { PAGE_BYTES = 4096 };
  int64_t pages = 0;
  int64_t free_pages = 0;
  int rc = disk_number(disk, &pages, DISK_PAGE_COUNT, "");
  if (rc == AP_OK)
    rc = disk_number(disk, &free_pages, DISK_FREE_COUNT, "");
  *bytes = (uint64_t)(pages - free_pages) * PAGE_BYTES;
  return rc;
}

int disk_report_purge(struct disk *disk)
{
  uint64_t used = 0;
  int64_t oldest_ms = ap_clock_unix_ms() - (int64_t)disk->options.keep_reports_ms;
  int rc = AP_OK;
  if (disk->options.keep_reports_ms)
    rc = disk_run(disk, DISK_DROP_OLD_REPORTS, "ii", oldest_ms, (int64_t)PURGED_AT_ONCE);
  if (rc == AP_OK)
    rc = used_bytes(disk, &used);
  for (int i = 0;
       rc == AP_OK && disk->options.keep_bytes && used > disk->options.keep_bytes && i < PURGES_MAX;
       i++) {
    rc = disk_run(disk, DISK_DROP_OLD_REPORTS, "ii", INT64_MAX, (int64_t)PURGED_AT_ONCE);
    if (rc == AP_OK)
      rc = used_bytes(disk, &used);
  }
  return rc;
}
