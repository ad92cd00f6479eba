/* What the files of the store on disk share.
 *
 *   disk.c          one transaction for the ops of a turn
 *   disk_open.c     opening, the schema, its version
 *   disk_sql.c      the statements, and how they are run
 *   disk_reports.c  disk_quota.c  disk_journal.c  disk_once.c: what each table is for
 *   disk_body.c     how the body of a report is kept
 *   disk_look.c     what people are told of it
 *   holder.c        which processes live */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>
#include <zstd.h>

#include "store/holder.h"
#include "store/store_private.h"

enum { DISK_DIGEST_BYTES = 32, DISK_BODY_MAX = 64 << 20 /* as long as a value may be */ };

/* Used on the pool while a batch is applied, on the loop thread before and after: never by two at
 * once. */
struct disk {
  struct store store; /* first */
  sqlite3 *db;
  char *path;
  char *service;
  char *spender;
  bool has_key;
  unsigned char digest[DISK_DIGEST_BYTES]; /* of the key */
  struct store_options options;            /* its strings are not used */
  sqlite3_stmt **statements;               /* by enum disk_sql; NULL: not prepared yet */
  ZSTD_CCtx *packer;                       /* NULL: no body was written yet */
  ZSTD_DCtx *unpacker;                     /* NULL: none was read yet */
  struct holder me;
  bool is_registered; /* holder, service and key have their rows */
  bool is_waiting;    /* it has a row among the waiters */
  int64_t service_id; /* 0: it has no row yet */
  int64_t key_id;
  int64_t busy_since_ms; /* wall clock */
  int64_t commit_ms;     /* how long a transaction takes, about; on ap_clock */
  int sql_code;          /* SQLite's, of what failed last in this transaction; SQLITE_OK */
};

/* Every statement there is: X(NAME, text). */
#define DISK_SQL_MAP(X)                                                                            \
  X(BEGIN_WRITE, "BEGIN IMMEDIATE")                                                                \
  X(BEGIN_READ, "BEGIN")                                                                           \
  X(COMMIT, "COMMIT")                                                                              \
  X(SALT, "SELECT salt FROM meta WHERE id = 1")                                                    \
  X(ADD_HOLDER, "INSERT OR REPLACE INTO holders(id, pid, born) VALUES(?1, ?2, ?3)")                \
  X(GET_HOLDER, "SELECT pid, born FROM holders WHERE id = ?1")                                     \
  X(ALL_HOLDERS, "SELECT id, pid, born FROM holders")                                              \
  X(DROP_HOLDER, "DELETE FROM holders WHERE id = ?1")                                              \
  X(ADD_SERVICE, "INSERT OR IGNORE INTO services(url) VALUES(?1)")                                 \
  X(GET_SERVICE, "SELECT id FROM services WHERE url = ?1")                                         \
  X(ADD_KEY, "INSERT OR IGNORE INTO keys(digest) VALUES(?1)")                                      \
  X(GET_KEY, "SELECT id FROM keys WHERE digest = ?1")                                              \
  X(GET_REPORT, "SELECT r.code, r.fetched_ms, r.body, r.size FROM report_keys k "                  \
                "JOIN reports r ON r.id = k.report "                                               \
                "WHERE k.service = ?1 AND k.key = ?2 AND r.fetched_ms <= ?5 "                      \
                "AND r.fetched_ms > CASE r.code WHEN 0 THEN ?3 ELSE ?4 END")                       \
  X(REPORT_OF_KEY, "SELECT report FROM report_keys WHERE service = ?1 AND key = ?2")               \
  X(ADD_REPORT, "INSERT INTO reports(fetched_ms, code, body, size) VALUES(?1, ?2, ?3, ?4)")        \
  X(ADD_REPORT_KEY, "INSERT INTO report_keys(service, key, report) VALUES(?1, ?2, ?3) "            \
                    "ON CONFLICT(service, key) DO UPDATE SET report = excluded.report")            \
  X(DROP_REPORT_WITHOUT_KEY, "DELETE FROM reports WHERE id = ?1 "                                  \
                             "AND NOT EXISTS(SELECT 1 FROM report_keys WHERE report = ?1)")        \
  X(DROP_REPORT, "DELETE FROM reports WHERE id = ?1")                                              \
  X(DROP_OLD_REPORTS,                                                                              \
    "DELETE FROM reports WHERE id IN "                                                             \
    "(SELECT id FROM reports WHERE fetched_ms < ?1 ORDER BY fetched_ms LIMIT ?2)")                 \
  X(PAGE_COUNT, "PRAGMA page_count")                                                               \
  X(FREE_COUNT, "PRAGMA freelist_count")                                                           \
  X(DROP_TAKEN, "DELETE FROM taken WHERE key = ?1 AND (at_ms <= ?2 OR at_ms > ?3)")                \
  X(WINDOW, "SELECT coalesce(sum(count), 0), coalesce(min(at_ms) FILTER (WHERE count > 0), 0), "   \
            "coalesce(sum(count) FILTER (WHERE holder = ?2), 0), "                                 \
            "coalesce(min(at_ms) FILTER (WHERE holder = ?2), 0) FROM taken WHERE key = ?1")        \
  X(OTHERS_WAITING,                                                                                \
    "SELECT count(*) FROM waiters WHERE key = ?1 AND holder <> ?2 AND until_ms > ?3")              \
  X(HUNGRY_WAITING,                                                                                \
    "SELECT count(*) FROM waiters w WHERE key = ?1 AND holder <> ?2 AND until_ms > ?3 AND ?4 > "   \
    "(SELECT coalesce(sum(count), 0) FROM taken WHERE key = ?1 AND holder = w.holder)")            \
  X(SHARERS, "SELECT count(*) FROM (SELECT holder FROM taken WHERE key = ?1 AND count > 0 "        \
             "UNION SELECT holder FROM waiters WHERE key = ?1 AND until_ms > ?3 UNION SELECT ?2)") \
  X(DAYS, "SELECT coalesce(sum(count), 0) FROM spent WHERE key = ?1 AND day BETWEEN ?2 AND ?3")    \
  X(MARKS, "SELECT minute_until_ms, day_spent FROM keys WHERE id = ?1")                            \
  X(MARK_MINUTE, "UPDATE keys SET minute_until_ms = ?2 WHERE id = ?1")                             \
  X(MARK_DAY, "UPDATE keys SET day_spent = ?2 WHERE id = ?1")                                      \
  X(ADD_TAKEN, "INSERT INTO taken(key, at_ms, holder, count) VALUES(?1, ?2, ?3, ?4) "              \
               "ON CONFLICT DO UPDATE SET count = count + excluded.count")                         \
  X(MOVE_TAKEN, "UPDATE taken SET at_ms = ?4 WHERE key = ?1 AND at_ms = ?2 AND holder = ?3")       \
  X(ADD_SPENT, "INSERT INTO spent(key, day, spender, count) VALUES(?1, ?2, ?3, ?4) "               \
               "ON CONFLICT DO UPDATE SET count = count + excluded.count")                         \
  X(RETURN_TAKEN,                                                                                  \
    "UPDATE taken SET count = max(count - ?4, 0) WHERE key = ?1 AND at_ms = ?2 AND holder = ?3")   \
  X(RETURN_SPENT,                                                                                  \
    "UPDATE spent SET count = max(count - ?4, 0) WHERE key = ?1 AND day = ?2 AND spender = ?3")    \
  X(ADD_WAITER, "INSERT INTO waiters(key, holder, until_ms) VALUES(?1, ?2, ?3) "                   \
                "ON CONFLICT DO UPDATE SET until_ms = excluded.until_ms")                          \
  X(DROP_WAITER, "DELETE FROM waiters WHERE holder = ?1")                                          \
  X(DROP_OLD_SPENT, "DELETE FROM spent WHERE day < ?1")                                            \
  X(FIND_SUBMISSION, "SELECT id, state, waited_for, intended_ms, holder FROM submissions "         \
                     "WHERE service = ?1 AND resource = ?2 AND kind = ?3 AND intended_ms >= ?4 "   \
                     "ORDER BY id DESC LIMIT 1")                                                   \
  X(DROP_SUBMISSIONS_OF,                                                                           \
    "DELETE FROM submissions WHERE service = ?1 AND resource = ?2 AND kind = ?3")                  \
  X(ADD_SUBMISSION,                                                                                \
    "INSERT INTO submissions(service, kind, resource, state, intended_ms, holder) "                \
    "VALUES(?1, ?2, ?3, 0, ?4, ?5)")                                                               \
  X(CLAIM_SUBMISSION, "UPDATE submissions SET holder = ?2 WHERE id = ?1")                          \
  X(SENT_SUBMISSION, "UPDATE submissions SET state = 1, sent_ms = ?3, "                            \
                     "waited_for = CASE ?2 WHEN '' THEN resource ELSE ?2 END WHERE id = ?1")       \
  X(DROP_SUBMISSION, "DELETE FROM submissions WHERE id = ?1")                                      \
  X(DROP_SCANNED, "DELETE FROM submissions WHERE service = ?1 AND waited_for = ?2 AND state = 1")  \
  X(DROP_OLD_SUBMISSIONS, "DELETE FROM submissions WHERE intended_ms < ?1")                        \
  X(OPEN_SUBMISSIONS, "SELECT count(*) FROM submissions WHERE service = ?1")                       \
  X(USED_MINUTE, "SELECT coalesce(sum(count), 0), coalesce(min(at_ms), 0) FROM taken "             \
                 "WHERE key = ?1 AND count > 0 AND at_ms > ?2 AND at_ms <= ?3")                    \
  X(SPENDERS,                                                                                      \
    "SELECT spender, coalesce(sum(count) FILTER (WHERE day = ?3), 0), sum(count) FROM spent "      \
    "WHERE key = ?1 AND day BETWEEN ?2 AND ?3 GROUP BY spender HAVING sum(count) > 0 "             \
    "ORDER BY 3 DESC, 1")                                                                          \
  X(ALL_SUBMISSIONS, "SELECT kind, resource, waited_for, intended_ms FROM submissions "            \
                     "WHERE service = ?1 ORDER BY intended_ms, id LIMIT ?2")                       \
  X(ENTRIES, "SELECT r.id, r.code, r.fetched_ms, coalesce(r.size, length(r.body)), k.key "         \
             "FROM reports r JOIN report_keys k ON k.report = r.id WHERE k.service = ?1 "          \
             "ORDER BY r.fetched_ms, r.id, k.key")                                                 \
  X(ENTRY, "SELECT r.id, r.code, r.fetched_ms, coalesce(r.size, length(r.body)), k.key "           \
           "FROM report_keys k JOIN reports r ON r.id = k.report "                                 \
           "WHERE k.service = ?1 AND k.report = ?2 ORDER BY k.key")                                \
  X(PURGE, "DELETE FROM reports WHERE fetched_ms < ?2 "                                            \
           "AND id IN (SELECT report FROM report_keys WHERE service = ?1)")                        \
  X(FIND_ONCE, "SELECT status, body FROM once WHERE run = ?1 AND name = ?2")                       \
  X(ADD_ONCE, "INSERT INTO once(run, name, intended_ms) VALUES(?1, ?2, ?3)")                       \
  X(SENT_ONCE, "UPDATE once SET status = ?3, body = ?4 WHERE run = ?1 AND name = ?2")              \
  X(UNDO_ONCE, "DELETE FROM once WHERE run = ?1 AND name = ?2 AND status IS NULL")                 \
  X(DROP_OLD_ONCE, "DELETE FROM once WHERE intended_ms < ?1")                                      \
  X(PURGE_ONE, "DELETE FROM reports WHERE fetched_ms < ?2 AND id = ?1")

enum disk_sql {
#define X(name, text) DISK_##name,
  DISK_SQL_MAP(X)
#undef X
      DISK_SQL_COUNT
};

/* ---- disk_sql.c ---- */

/* Runs a statement that gives no rows. kinds tells what is bound, a letter each: i an int64_t, t a
 * const char *, b a struct ap_slice. AP_OK or AP_E_IO. */
int disk_run(struct disk *disk, enum disk_sql sql, const char *kinds, ...) AP_MUST_USE;

/* Runs one to its first row. AP_OK and *row, to be read and then given to disk_end; AP_E_NOT_FOUND:
 * there is none; AP_E_IO. */
int disk_first(struct disk *disk, sqlite3_stmt **row, enum disk_sql sql, const char *kinds,
               ...) AP_MUST_USE;
int disk_next(struct disk *disk, sqlite3_stmt *row) AP_MUST_USE; /* the same for the next row */
void disk_end(sqlite3_stmt *row);

/* A number from the first row; AP_E_NOT_FOUND, AP_E_IO. */
int disk_number(struct disk *disk, int64_t *number, enum disk_sql sql, const char *kinds,
                ...) AP_MUST_USE;

/* Fails with SQLite's code, in words. */
int disk_fail(const struct disk *disk, int sql_code, struct ap_error *err);
void disk_finalize(struct disk *disk);

/* ---- disk_body.c ---- */

/* Adds to packed. AP_E_NO_MEMORY. */
int disk_body_pack(struct disk *disk, struct ap_slice body, struct ap_buf *packed) AP_MUST_USE;

/* Adds to body what is size bytes long unpacked. AP_E_NOT_FOUND: it is damaged; AP_E_NO_MEMORY. */
int disk_body_unpack(struct disk *disk, struct ap_slice packed, int64_t size,
                     struct ap_buf *body) AP_MUST_USE;
void disk_body_free(struct disk *disk);

/* ---- by table: one op each; AP_E_IO: the transaction failed ---- */

int disk_report_get(struct disk *disk, struct store_op *op);
int disk_report_put(struct disk *disk, const struct store_op *op);
int disk_report_forget(struct disk *disk, const struct store_op *op);
int disk_report_purge(struct disk *disk); /* what is too old or too much; some of it at a time */

int disk_quota_take(struct disk *disk, struct store_op *op);
/* What was granted is used when it is told, and that may be much later than was thought: then it
 * counts from now on. */
void disk_quota_told(struct disk *disk, struct store_op *ops);
int disk_quota_count(struct disk *disk, struct store_op *op);
int disk_quota_return(struct disk *disk, const struct store_op *op);
int disk_quota_mark(struct disk *disk, const struct store_op *op);

int disk_journal_find(struct disk *disk, struct store_op *op);
int disk_journal_intend(struct disk *disk, struct store_op *op);
int disk_journal_write(struct disk *disk, const struct store_op *op);

int disk_once_intend(struct disk *disk, struct store_op *op);
int disk_once_write(struct disk *disk, const struct store_op *op);
int disk_once_drop_old(struct disk *disk, int64_t now_ms);

/* ---- disk_look.c ---- */

int disk_usage(struct disk *disk, struct store_op *op);
int disk_entries(struct disk *disk, struct store_op *op);
int disk_purge(struct disk *disk, struct store_op *op);

/* The key of a report as it is kept, and back. */
void disk_key_pack(const char *key, struct ap_buf *out);
void disk_key_unpack(struct ap_slice packed, struct ap_buf *out);

/* Of the quota: what is marked as spent, and what was taken today and this month. */
int disk_quota_marks(struct disk *disk, struct store_marks *marks);
int disk_quota_days(struct disk *disk, int64_t now_ms, struct store_used *used);

/* Makes sure of the rows of service, key and process; removes those of processes that ended. */
int disk_register(struct disk *disk) AP_MUST_USE;
int disk_find_service(struct disk *disk) AP_MUST_USE;

/* ---- disk_open.c ---- */

/* True where a write-ahead log is safe with several processes: SQLite's WAL-reset bug is fixed.
 * @param version  sqlite3_libversion_number() */
bool disk_may_log_ahead(int version);

/* store_open as if the library at run time had that version. */
int disk_open_as(int version, struct net_loop *loop, const char *folder,
                 const struct store_options *options, struct store **out,
                 struct ap_error *err) AP_MUST_USE;
