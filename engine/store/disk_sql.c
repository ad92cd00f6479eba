/* Statements are prepared once, when they are first used, and values are bound: nothing that came
 * from outside is ever part of one. */
// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "store/disk_private.h"

static const char *const texts[DISK_SQL_COUNT] = {
#define X(name, text) text,
    DISK_SQL_MAP(X)
#undef X
};

static int failed(struct disk *disk, int sql_code)
{
  disk->sql_code = sql_code;
  return AP_E_IO;
}

static int prepare(struct disk *disk, enum disk_sql sql, sqlite3_stmt **out)
{
  sqlite3_stmt **slot = &disk->statements[sql];
  int code = SQLITE_OK;
  if (!*slot)
    code = sqlite3_prepare_v3(disk->db, texts[sql], -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
  if (code != SQLITE_OK)
    return failed(disk, code);
  *out = *slot;
  return AP_OK;
}

/* What is bound lives until the statement has run. */
static int bind_all(sqlite3_stmt *statement, const char *kinds, va_list *args)
{
  int code = SQLITE_OK;
  for (int i = 1; *kinds && code == SQLITE_OK; i++, kinds++) {
    if (*kinds == 'i') {
      code = sqlite3_bind_int64(statement, i, va_arg(*args, int64_t));
    } else if (*kinds == 't') {
      code = sqlite3_bind_text(statement, i, va_arg(*args, const char *), -1, SQLITE_STATIC);
    } else {
      struct ap_slice bytes = va_arg(*args, struct ap_slice);
      code =
          sqlite3_bind_blob64(statement, i, bytes.len ? bytes.ptr : "", bytes.len, SQLITE_STATIC);
    }
  }
  return code;
}

static int first_of(struct disk *disk, sqlite3_stmt **row, enum disk_sql sql, const char *kinds,
                    va_list *args)
{
  sqlite3_stmt *statement = NULL;
  int rc = prepare(disk, sql, &statement);
  if (rc != AP_OK)
    return rc;
  int code = bind_all(statement, kinds, args);
  if (code != SQLITE_OK) {
    disk_end(statement);
    return failed(disk, code);
  }
  rc = disk_next(disk, statement);
  if (rc == AP_OK)
    *row = statement;
  return rc;
}

int disk_next(struct disk *disk, sqlite3_stmt *row)
{
  int code = sqlite3_step(row);
  if (code == SQLITE_ROW)
    return AP_OK;
  disk_end(row);
  return code == SQLITE_DONE ? AP_E_NOT_FOUND : failed(disk, code);
}

void disk_end(sqlite3_stmt *row)
{
  (void)sqlite3_reset(row); /* says again what the step said */
  (void)sqlite3_clear_bindings(row);
}

int disk_run(struct disk *disk, enum disk_sql sql, const char *kinds, ...)
{
  va_list args;
  sqlite3_stmt *row = NULL;
  va_start(args, kinds);
  int rc = first_of(disk, &row, sql, kinds, &args);
  va_end(args);
  if (rc == AP_OK)
    disk_end(row);
  return rc == AP_E_NOT_FOUND ? AP_OK : rc;
}

int disk_first(struct disk *disk, sqlite3_stmt **row, enum disk_sql sql, const char *kinds, ...)
{
  va_list args;
  va_start(args, kinds);
  int rc = first_of(disk, row, sql, kinds, &args);
  va_end(args);
  return rc;
}

int disk_number(struct disk *disk, int64_t *number, enum disk_sql sql, const char *kinds, ...)
{
  va_list args;
  sqlite3_stmt *row = NULL;
  va_start(args, kinds);
  int rc = first_of(disk, &row, sql, kinds, &args);
  va_end(args);
  if (rc != AP_OK)
    return rc;
  *number = sqlite3_column_int64(row, 0);
  disk_end(row);
  return AP_OK;
}

void disk_finalize(struct disk *disk)
{
  for (int i = 0; disk->statements && i < DISK_SQL_COUNT; i++)
    (void)sqlite3_finalize(disk->statements[i]);
  free(disk->statements);
  disk->statements = NULL;
}

int disk_fail(const struct disk *disk, int sql_code, struct ap_error *err)
{
  switch (sql_code & 0xff) {
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return ap_fail(err, AP_E_BUSY, "%s: another process has kept it locked for %llu s", disk->path,
                   (unsigned long long)disk->options.patience_ms / 1000);
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return ap_fail(err, AP_E_INVALID,
                   "%s is damaged: move it away, and a new one is begun; what it knew of quota, "
                   "reports and pending scans is then lost",
                   disk->path);
  case SQLITE_FULL:
    return ap_fail(err, AP_E_IO, "%s cannot grow: the disk is full", disk->path);
  case SQLITE_READONLY:
  case SQLITE_PERM:
  case SQLITE_CANTOPEN:
    return ap_fail(err, AP_E_IO, "%s cannot be written", disk->path);
  case SQLITE_NOMEM:
    return ap_fail(err, AP_E_NO_MEMORY, "%s: out of memory", disk->path);
  default:
    return ap_fail(err, AP_E_IO, "%s: %s", disk->path, sqlite3_errstr(sql_code));
  }
}
