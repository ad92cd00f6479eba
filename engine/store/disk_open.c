/* Opening the file: whose it is, how it is written, which version it has. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/folder.h"
#include "store/disk_private.h"

enum {
  SCHEMA_VERSION = 3,
  APPLICATION_ID = 0x41504f47, /* "APOG" */
  LENGTH_MAX = DISK_BODY_MAX   /* of a value */
};

extern const struct store_backend store_disk_backend;

/* The schema, from nothing to version 1. A later version adds its steps to `migrations`. */
static const char schema_1[] =
    "CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK(id = 1), salt BLOB NOT NULL) STRICT;"
    "INSERT INTO meta(id, salt) VALUES(1, randomblob(32));"
    "CREATE TABLE services(id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE holders(id INTEGER PRIMARY KEY, pid INTEGER NOT NULL, born INTEGER NOT NULL)"
    " STRICT;"
    "CREATE TABLE reports(id INTEGER PRIMARY KEY, fetched_ms INTEGER NOT NULL,"
    " code INTEGER NOT NULL, body BLOB NOT NULL) STRICT;"
    "CREATE INDEX reports_by_age ON reports(fetched_ms);"
    "CREATE TABLE report_keys(service INTEGER NOT NULL REFERENCES services(id),"
    " key BLOB NOT NULL, report INTEGER NOT NULL REFERENCES reports(id) ON DELETE CASCADE,"
    " PRIMARY KEY(service, key)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX report_keys_by_report ON report_keys(report);"
    "CREATE TABLE keys(id INTEGER PRIMARY KEY,"
    " digest BLOB NOT NULL UNIQUE CHECK(length(digest) = 32),"
    " minute_until_ms INTEGER NOT NULL DEFAULT 0, day_spent INTEGER NOT NULL DEFAULT -1) STRICT;"
    "CREATE TABLE taken(key INTEGER NOT NULL REFERENCES keys(id), at_ms INTEGER NOT NULL,"
    " holder INTEGER NOT NULL, count INTEGER NOT NULL CHECK(count >= 0),"
    " PRIMARY KEY(key, at_ms, holder)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE waiters(key INTEGER NOT NULL REFERENCES keys(id), holder INTEGER NOT NULL,"
    " until_ms INTEGER NOT NULL, PRIMARY KEY(key, holder)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE spent(key INTEGER NOT NULL REFERENCES keys(id), day INTEGER NOT NULL,"
    " spender TEXT NOT NULL, count INTEGER NOT NULL CHECK(count >= 0),"
    " PRIMARY KEY(key, day, spender)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE submissions(id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " service INTEGER NOT NULL REFERENCES services(id), kind INTEGER NOT NULL"
    " CHECK(kind BETWEEN 0 AND 2), resource TEXT NOT NULL, state INTEGER NOT NULL"
    " CHECK(state IN (0, 1)), waited_for TEXT, intended_ms INTEGER NOT NULL, sent_ms INTEGER,"
    " holder INTEGER NOT NULL, CHECK((state = 1) = (waited_for IS NOT NULL))) STRICT;"
    "CREATE INDEX submissions_by_resource ON submissions(service, resource, kind);"
    "CREATE INDEX submissions_by_wait ON submissions(service, waited_for);";

/* What actions sent once, by run: status NULL: it may have been sent. */
static const char schema_2[] =
    "CREATE TABLE once(run TEXT NOT NULL, name TEXT NOT NULL, intended_ms INTEGER NOT NULL,"
    " status INTEGER, body BLOB, PRIMARY KEY(run, name)) STRICT, WITHOUT ROWID;";

/* Of a body that is compressed, how long it is without that; NULL: it is as it came. */
static const char schema_3[] = "ALTER TABLE reports ADD COLUMN size INTEGER;";

static const char *const migrations[SCHEMA_VERSION] = {schema_1, schema_2, schema_3};

/* ---- the folder and the file ---- */

/* The file's path with every link on the way followed, so that the last part may be none. */
static int find_path(const char *folder, char **path, struct ap_error *err)
{
  struct ap_buf whole = {0};
  int error = ap_folder_make(folder);
  char *real = error ? NULL : realpath(folder, NULL);
  if (!error && !real)
    error = errno;
  if (error)
    return ap_fail(err, AP_E_IO, "%s: %s", folder, strerror(error));
  ap_buf_add_fmt(&whole, "%s/apogee.db", real);
  free(real);
  *path = whole.ptr;
  return ap_buf_error(&whole) ? ap_fail(err, AP_E_NO_MEMORY, "out of memory") : AP_OK;
}

/* Makes the file before SQLite does, closed to others from its first moment. A file that is there
 * is never opened here: closing it would take SQLite's locks away. */
static int make_file(const char *path, struct ap_error *err)
{
  struct stat at;
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd >= 0)
    return close(fd) == 0 ? AP_OK : ap_fail(err, AP_E_IO, "%s: %s", path, strerror(errno));
  if (errno != EEXIST || lstat(path, &at) != 0)
    return ap_fail(err, AP_E_IO, "%s: %s", path, strerror(errno));
  if (!S_ISREG(at.st_mode))
    return ap_fail(err, AP_E_INVALID, "%s is not a regular file", path);
  if (at.st_uid != geteuid())
    return ap_fail(err, AP_E_INVALID, "%s belongs to another user", path);
  if ((at.st_mode & 077) && chmod(path, 0600) != 0)
    return ap_fail(err, AP_E_IO, "%s: %s", path, strerror(errno));
  return AP_OK;
}

/* ---- how it is written ---- */

static int64_t wall_ms(void)
{
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits differ, so that those who wait do not come back at the same moment. */
static int wait_for_lock(void *arg, int times)
{
  enum { SHORTEST_US = 200, SHORT_TIMES = 20, STEP_US = 500 };
  struct disk *disk = arg;
  if (times == 0)
    disk->busy_since_ms = wall_ms();
  if (wall_ms() - disk->busy_since_ms >= (int64_t)disk->options.patience_ms)
    return 0;
  uint64_t most_us = (uint64_t)STEP_US * (uint64_t)(times < SHORT_TIMES ? times + 1 : SHORT_TIMES);
  uint64_t wait_us = SHORTEST_US + ap_random_below(most_us);
  const struct timespec wait = {.tv_nsec = (long)wait_us * 1000};
  (void)nanosleep(&wait, NULL);
  return 1;
}

bool disk_may_log_ahead(int version)
{
  int branch = version / 1000;
  if (branch == 3044)
    return version >= 3044006;
  if (branch == 3050)
    return version >= 3050007;
  return version >= 3051003;
}

static int pragma(struct disk *disk, const char *text)
{
  return sqlite3_exec(disk->db, text, NULL, NULL, NULL);
}

static int set_limits(struct disk *disk)
{
  static const struct {
    int id, value;
  } limits[] = {
      {SQLITE_LIMIT_LENGTH, LENGTH_MAX},
      {SQLITE_LIMIT_SQL_LENGTH, 16384},
      {SQLITE_LIMIT_COLUMN, 64},
      {SQLITE_LIMIT_EXPR_DEPTH, 32},
      {SQLITE_LIMIT_COMPOUND_SELECT, 4},
      {SQLITE_LIMIT_ATTACHED, 0},
      {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 64},
      {SQLITE_LIMIT_VARIABLE_NUMBER, 16},
      {SQLITE_LIMIT_TRIGGER_DEPTH, 4},
      {SQLITE_LIMIT_WORKER_THREADS, 0},
  };
  for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
    (void)sqlite3_limit(disk->db, limits[i].id, limits[i].value);
  int code = sqlite3_db_config(disk->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_db_config(disk->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_db_config(disk->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_db_config(disk->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
  return code;
}

static int set_up(struct disk *disk, int version)
{
  static const char *const pragmas[] = {
      "PRAGMA trusted_schema = OFF", "PRAGMA foreign_keys = ON",   "PRAGMA cell_size_check = ON",
      "PRAGMA mmap_size = 0",        "PRAGMA temp_store = MEMORY", "PRAGMA cache_size = -4096",
  };
  int code = sqlite3_extended_result_codes(disk->db, 1);
  if (code == SQLITE_OK)
    code = sqlite3_busy_handler(disk->db, wait_for_lock, disk);
  if (code == SQLITE_OK)
    code = set_limits(disk);
  for (size_t i = 0; code == SQLITE_OK && i < sizeof(pragmas) / sizeof(pragmas[0]); i++)
    code = pragma(disk, pragmas[i]);
  bool is_ahead = disk_may_log_ahead(version);
  if (code == SQLITE_OK)
    code = pragma(disk, is_ahead ? "PRAGMA journal_mode = WAL" : "PRAGMA journal_mode = DELETE");
  if (code == SQLITE_OK)
    code = pragma(disk, is_ahead ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = EXTRA");
  return code;
}

/* ---- its version ---- */

static int read_number(struct disk *disk, const char *text, int *number)
{
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2(disk->db, text, -1, &statement, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_step(statement);
  if (code == SQLITE_ROW) {
    *number = sqlite3_column_int(statement, 0);
    code = SQLITE_OK;
  }
  (void)sqlite3_finalize(statement);
  return code;
}

/* From the version that it has to ours, in one transaction. */
static int migrate(struct disk *disk)
{
  char text[128];
  int version = 0;
  int code = pragma(disk, "BEGIN IMMEDIATE");
  if (code == SQLITE_OK)
    code = read_number(disk, "PRAGMA user_version", &version); /* another may have been faster */
  for (; code == SQLITE_OK && version < SCHEMA_VERSION; version++)
    code = pragma(disk, migrations[version]);
  (void)snprintf(text, sizeof(text), "PRAGMA application_id = %d; PRAGMA user_version = %d",
                 APPLICATION_ID, version);
  if (code == SQLITE_OK)
    code = pragma(disk, text);
  if (code == SQLITE_OK)
    code = pragma(disk, "COMMIT");
  if (code != SQLITE_OK && !sqlite3_get_autocommit(disk->db))
    (void)pragma(disk, "ROLLBACK");
  return code;
}

static int check_version(struct disk *disk, struct ap_error *err)
{
  int version = 0;
  int application = 0;
  int tables = 0;
  int code = read_number(disk, "PRAGMA user_version", &version);
  if (code == SQLITE_OK)
    code = read_number(disk, "PRAGMA application_id", &application);
  if (code == SQLITE_OK)
    code = read_number(disk, "SELECT count(*) FROM sqlite_schema", &tables);
  if (code != SQLITE_OK)
    return disk_fail(disk, code, err);
  if (application != APPLICATION_ID && (application || version || tables))
    return ap_fail(err, AP_E_INVALID, "%s is not a file of Apogee's: choose another state_dir",
                   disk->path);
  if (version > SCHEMA_VERSION)
    return ap_fail(err, AP_E_INVALID,
                   "%s was written by a newer Apogee (version %d of the file; this one reads up to "
                   "%d): use that one, or another state_dir",
                   disk->path, version, SCHEMA_VERSION);
  if (version < SCHEMA_VERSION)
    code = migrate(disk);
  return code == SQLITE_OK ? AP_OK : disk_fail(disk, code, err);
}

/* ---- whose key ---- */

static int read_digest(struct disk *disk, const struct store_options *options, struct ap_error *err)
{
  sqlite3_stmt *row = NULL;
  struct ap_buf message = {0};
  if (!options->key)
    return AP_OK;
  if (disk_first(disk, &row, DISK_SALT, "") != AP_OK)
    return disk_fail(disk, disk->sql_code ? disk->sql_code : SQLITE_CORRUPT, err);
  struct ap_slice key = ap_secret_bytes(options->key);
  ap_buf_add(&message, options->service, strlen(options->service) + 1);
  ap_buf_add(&message, key.ptr, key.len);
  int rc = ap_buf_error(&message);
  const struct ap_slice salt = {sqlite3_column_blob(row, 0), (size_t)sqlite3_column_bytes(row, 0)};
  if (rc == AP_OK)
    rc = ap_hmac_sha256(salt, ap_slice_of(&message), disk->digest);
  disk_end(row);
  ap_buf_wipe(&message);
  disk->has_key = rc == AP_OK;
  return rc == AP_OK ? AP_OK : ap_fail(err, rc, "out of memory");
}

/* ---- opening ---- */

static int open_file(struct disk *disk, int version, struct ap_error *err)
{
  int rc = make_file(disk->path, err);
  if (rc != AP_OK)
    return rc;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW |
              SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_PRIVATECACHE;
  int code = sqlite3_open_v2(disk->path, &disk->db, flags, NULL);
  if (code == SQLITE_OK)
    code = set_up(disk, version);
  return code == SQLITE_OK ? check_version(disk, err) : disk_fail(disk, code, err);
}

static int copy_options(struct disk *disk, const struct store_options *options)
{
  disk->options = *options;
  disk->service = ap_memdup(options->service, strlen(options->service));
  disk->spender = ap_memdup(options->spender, strlen(options->spender));
  disk->statements = calloc(DISK_SQL_COUNT, sizeof(sqlite3_stmt *));
  return disk->service && disk->spender && disk->statements ? AP_OK : AP_E_NO_MEMORY;
}

int disk_open_as(int version, struct net_loop *loop, const char *folder,
                 const struct store_options *options, struct store **out, struct ap_error *err)
{
  struct disk *disk = calloc(1, sizeof(*disk));
  if (!disk)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  holder_init(&disk->me);
  int rc = copy_options(disk, options) == AP_OK &&
                   store_init(&disk->store, loop, &store_disk_backend) == AP_OK
               ? AP_OK
               : ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  if (rc == AP_OK)
    rc = find_path(folder, &disk->path, err);
  if (rc == AP_OK)
    rc = open_file(disk, version, err);
  if (rc == AP_OK)
    rc = read_digest(disk, options, err);
  if (rc != AP_OK) {
    net_timer_free(disk->store.turn);
    net_timer_free(disk->store.moment);
    store_disk_backend.free(&disk->store);
    return rc;
  }
  *out = &disk->store;
  return AP_OK;
}

int store_open(struct net_loop *loop, const char *folder, const struct store_options *options,
               struct store **out, struct ap_error *err)
{
  return disk_open_as(sqlite3_libversion_number(), loop, folder, options, out, err);
}

const char *store_library(bool *logs_ahead)
{
  *logs_ahead = disk_may_log_ahead(sqlite3_libversion_number());
  return sqlite3_libversion();
}
