/* What only the store on disk promises: it outlives its process, is closed to others, and says what
 * is wrong with it. */
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store/disk_private.h"
#include "store_unit.h"

static void path_of_file(char *path, size_t size)
{
  (void)snprintf(path, size, "%s/apogee.db", folder.path);
}

/* Changes the file by SQL, as another program would. */
static void change(const char *sql)
{
  char path[512];
  sqlite3 *db = NULL;
  path_of_file(path, sizeof(path));
  assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
  assert_int_equal(SQLITE_OK, sqlite3_exec(db, sql, NULL, NULL, NULL));
  assert_int_equal(SQLITE_OK, sqlite3_close(db));
}

static int64_t number(const char *sql)
{
  char path[512];
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  path_of_file(path, sizeof(path));
  assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
  assert_int_equal(SQLITE_OK, sqlite3_busy_timeout(db, 5000));
  assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(db, sql, -1, &statement, NULL));
  assert_int_equal(SQLITE_ROW, sqlite3_step(statement));
  int64_t value = sqlite3_column_int64(statement, 0);
  assert_int_equal(SQLITE_OK, sqlite3_finalize(statement));
  assert_int_equal(SQLITE_OK, sqlite3_close(db));
  return value;
}

/* ---- what outlives a process ---- */

static void test_everything_is_there_the_next_time(void **state)
{
  const struct store_limits limits = {.per_minute = 10, .per_day = 10};
  struct desk desk = {0};
  (void)state;
  desk_open(&desk, &folder);
  desk_put(&desk, "md5", "sha256", "{\"a\" : 1}");
  assert_int_equal(6, desk_take(&desk, &limits, 6));
  uint64_t sent = desk_intend(&desk, STORE_RESCAN, "abc");
  store_submission_sent(desk.store, sent, "s-1");
  uint64_t lost = desk_intend(&desk, STORE_UPLOAD, "def");
  desk_close(&desk);
  desk_open(&desk, &folder);
  assert_true(desk_holds(&desk, "md5", "{\"a\" : 1}"));
  assert_true(desk_holds(&desk, "sha256", "{\"a\" : 1}"));
  assert_int_equal(4, desk_take(&desk, &limits, 6));
  assert_int_equal(AP_OK, desk_find(&desk, STORE_RESCAN, "abc"));
  assert_int_equal(STORE_SENT, desk.submission.state);
  assert_string_equal("s-1", desk.waited_for);
  assert_int_equal(lost, desk_intend(&desk, STORE_UPLOAD, "def"));
  desk_close(&desk);
}

static void test_who_has_another_key_has_other_quota(void **state)
{
  const struct store_limits limits = {.per_day = 4};
  struct desk desk = {0};
  struct ap_error err = {0};
  (void)state;
  desk_open(&desk, &folder);
  assert_int_equal(4, desk_take(&desk, &limits, 4));
  desk_close(&desk);
  assert_int_equal(AP_OK, ap_secret_new("key", "another-key", 11, &desk.key, &err));
  desk_open(&desk, &folder);
  assert_int_equal(4, desk_take(&desk, &limits, 4));
  desk_close(&desk);
  assert_int_equal(2, number("SELECT count(*) FROM keys"));
}

static void test_answers_of_one_service_are_not_those_of_another(void **state)
{
  struct desk desk = {0};
  struct store_options options;
  (void)state;
  desk_open(&desk, &folder);
  desk_put(&desk, "md5", NULL, "{}");
  (void)desk_intend(&desk, STORE_UPLOAD, "abc");
  desk_close(&desk);
  desk_options(&desk, &options);
  options.service = "http://127.0.0.1:1/";
  desk_open_with(&desk, &folder, &options);
  assert_false(desk_holds(&desk, "md5", ""));
  assert_int_equal(AP_E_NOT_FOUND, desk_find(&desk, STORE_UPLOAD, "abc"));
  assert_int_equal(0, store_submission_open_count(desk.store));
  desk_close(&desk);
}

static void test_quota_is_counted_by_who_spends_it(void **state)
{
  struct desk desk = {0};
  struct store_options options;
  const struct store_limits limits = {.per_minute = 100};
  (void)state;
  desk_options(&desk, &options);
  options.spender = "action scan_hash";
  desk_open_with(&desk, &folder, &options);
  assert_int_equal(7, desk_take(&desk, &limits, 7));
  store_quota_return(desk.store, desk.grant.at_unix_ms, 2);
  desk_close(&desk);
  assert_int_equal(5, number("SELECT count FROM spent WHERE spender = 'action scan_hash'"));
}

/* A full minute, of which four have a third each; then the first gives some back. */
static void crowd(struct desk desks[4], const struct store_limits *limits)
{
  for (int i = 0; i < 4; i++)
    desk_open(&desks[i], &folder);
  for (int i = 0; i < 3; i++)
    assert_int_equal(4, desk_take(&desks[i], limits, 4));
  for (int i = 1; i < 3; i++) /* they stand in line */
    assert_int_equal(0, desk_take(&desks[i], limits, 4));
}

static void leave(struct desk desks[4])
{
  for (int i = 0; i < 4; i++)
    desk_close(&desks[i]);
}

static void test_what_one_does_not_want_of_its_part_is_for_the_others(void **state)
{
  const struct store_limits limits = {.per_minute = 12};
  struct desk desks[4] = {0};
  (void)state;
  crowd(desks, &limits);
  store_quota_return(desks[0].store, desks[0].grant.at_unix_ms, 3);
  store_settle(desks[0].store);
  assert_int_equal(3, desk_take(&desks[1], &limits, 4));
  leave(desks);
}

static void test_a_part_is_kept_for_who_waits_and_has_less(void **state)
{
  const struct store_limits limits = {.per_minute = 12};
  struct desk desks[4] = {0};
  (void)state;
  crowd(desks, &limits);
  assert_int_equal(0, desk_take(&desks[3], &limits, 4));
  store_quota_return(desks[0].store, desks[0].grant.at_unix_ms, 3);
  store_settle(desks[0].store);
  assert_int_equal(0, desk_take(&desks[1], &limits, 4));
  assert_int_equal(3, desk_take(&desks[3], &limits, 4));
  leave(desks);
}

/* ---- another process ---- */

/* Runs `child` in a process of its own. */
static pid_t spawn(void (*child)(int to), int *from)
{
  int ends[2];
  assert_int_equal(0, pipe(ends));
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    (void)close(ends[0]);
    child(ends[1]);
    _exit(0);
  }
  (void)close(ends[1]);
  *from = ends[0];
  return pid;
}

static void wait_for_byte(int from)
{
  char byte;
  assert_int_equal(1, read(from, &byte, 1));
}

static void end_child(pid_t pid, int from)
{
  int status;
  (void)kill(pid, SIGKILL);
  assert_int_equal(pid, waitpid(pid, &status, 0));
  (void)close(from);
}

static void intend_and_wait(int to)
{
  struct desk desk = {0};
  desk_open(&desk, &folder);
  (void)desk_intend(&desk, STORE_UPLOAD, "abc");
  (void)!write(to, "x", 1);
  (void)pause();
}

static void test_what_another_process_is_about_to_submit_is_left_to_it(void **state)
{
  struct desk desk = {0};
  int from;
  (void)state;
  pid_t pid = spawn(intend_and_wait, &from);
  wait_for_byte(from);
  desk_open(&desk, &folder);
  assert_int_equal(AP_OK, desk_find(&desk, STORE_UPLOAD, "abc"));
  assert_int_equal(STORE_UNDER_WAY, desk.submission.state);
  uint64_t id = desk_intend(&desk, STORE_UPLOAD, "abc");
  assert_int_equal(STORE_UNDER_WAY, desk.submission.state);
  end_child(pid, from);
  assert_int_equal(id, desk_intend(&desk, STORE_UPLOAD, "abc")); /* and is claimed */
  assert_int_equal(STORE_LOST, desk.submission.state);
  pid = spawn(intend_and_wait, &from);
  wait_for_byte(from);
  assert_int_equal(AP_OK, desk_find(&desk, STORE_UPLOAD, "abc"));
  assert_int_equal(STORE_LOST, desk.submission.state); /* still ours: the other left it alone */
  end_child(pid, from);
  desk_close(&desk);
}

static void test_an_intent_of_days_ago_is_forgotten(void **state)
{
  struct desk desk = {0};
  (void)state;
  desk_open(&desk, &folder);
  uint64_t id = desk_intend(&desk, STORE_UPLOAD, "abc");
  store_submission_sent(desk.store, id, "s-1");
  store_settle(desk.store);
  change("UPDATE submissions SET intended_ms = intended_ms - 86400001");
  assert_int_equal(AP_E_NOT_FOUND, desk_find(&desk, STORE_UPLOAD, "abc"));
  assert_int_not_equal(id, desk_intend(&desk, STORE_UPLOAD, "abc"));
  assert_int_equal(STORE_NEW, desk.submission.state);
  assert_int_equal(1, store_submission_open_count(desk.store));
  desk_close(&desk);
}

/* ---- how a report is kept ---- */

static void test_a_report_is_kept_compressed(void **state)
{
  char bytes[20000] = {0};
  struct desk desk = {0};
  (void)state;
  memset(bytes, 'x', sizeof(bytes) - 1);
  desk_open(&desk, &folder);
  desk_put(&desk, "a", NULL, bytes);
  desk_close(&desk);
  assert_true(number("SELECT length(body) FROM reports") < 1000);
  assert_int_equal(sizeof(bytes) - 1, number("SELECT size FROM reports"));
  desk_open(&desk, &folder);
  assert_true(desk_holds(&desk, "a", bytes));
  desk_close(&desk);
}

static void test_a_report_of_version_2_is_read(void **state)
{
  struct desk desk = {0};
  (void)state;
  desk_open(&desk, &folder);
  desk_put(&desk, "a", NULL, "{}");
  desk_close(&desk);
  change("UPDATE reports SET body = CAST('{\"old\": 1}' AS BLOB);"
         "ALTER TABLE reports DROP COLUMN size; PRAGMA user_version = 2");
  desk_open(&desk, &folder);
  assert_true(desk_holds(&desk, "a", "{\"old\": 1}"));
  desk_close(&desk);
}

static void test_a_damaged_report_is_none(void **state)
{
  static const char *const damages[] = {
      "UPDATE reports SET body = zeroblob(length(body))",
      "UPDATE reports SET body = substr(body, 1, length(body) - 1)",
      "UPDATE reports SET body = x''",
      "UPDATE reports SET size = size + 1",
      "UPDATE reports SET size = size - 1",
      "UPDATE reports SET size = -1",
      "UPDATE reports SET size = 9223372036854775807",
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(damages); i++) {
    struct desk desk = {0};
    desk_open(&desk, &folder);
    desk_put(&desk, "a", NULL, "{\"some\": \"thing\"}");
    desk_close(&desk);
    change(damages[i]);
    desk_open(&desk, &folder);
    if (desk_get_within(&desk, "a", HOUR_MS) != AP_E_NOT_FOUND)
      fail_msg("%s", damages[i]);
    desk_put(&desk, "a", NULL, "{}");
    assert_true(desk_holds(&desk, "a", "{}"));
    desk_close(&desk);
  }
}

/* ---- what is kept has limits ---- */

static void test_an_answer_is_stored_once(void **state)
{
  struct desk desk = {0};
  (void)state;
  desk_open(&desk, &folder);
  for (int i = 0; i < 10; i++)
    desk_put(&desk, "a44d88612fea8a8f36de82e1278abb02f", "sha256", "{}");
  desk_close(&desk);
  assert_int_equal(1, number("SELECT count(*) FROM reports"));
  assert_int_equal(2, number("SELECT count(*) FROM report_keys"));
}

static void test_reports_that_are_too_old_go(void **state)
{
  struct desk desk = {0};
  struct store_options options;
  (void)state;
  desk_options(&desk, &options);
  options.keep_reports_ms = HOUR_MS;
  desk_open_with(&desk, &folder, &options);
  desk_put(&desk, "old", "older", "{}");
  store_settle(desk.store);
  change("UPDATE reports SET fetched_ms = fetched_ms - 3600001");
  desk_put(&desk, "new", NULL, "{}");
  desk_close(&desk);
  assert_int_equal(1, number("SELECT count(*) FROM reports"));
  assert_int_equal(1, number("SELECT count(*) FROM report_keys"));
}

/* Text that does not compress well; with its NUL it is len + 1 long. */
static void fill_with_noise(char *bytes, size_t len)
{
  uint32_t noise = 1;
  for (size_t i = 0; i < len; i++) {
    noise = noise * 1664525U + 1013904223U;
    bytes[i] = (char)('!' + (noise >> 24) % 94);
  }
  bytes[len] = '\0';
}

static void test_the_file_grows_no_further_than_it_may(void **state)
{
  enum { REPORT = 20000, REPORTS = 300, KEEP = 1 << 20 };
  struct desk desk = {0};
  struct store_options options;
  struct stat at;
  char path[512];
  char key[16];
  char *bytes = malloc(REPORT + 1);
  (void)state;
  assert_non_null(bytes);
  fill_with_noise(bytes, REPORT);
  desk_options(&desk, &options);
  options.keep_bytes = KEEP;
  desk_open_with(&desk, &folder, &options);
  for (int i = 0; i < REPORTS; i++) {
    (void)snprintf(key, sizeof(key), "k%d", i);
    desk_put(&desk, key, NULL, bytes);
    if (i % 10 == 9)
      store_settle(desk.store);
  }
  assert_false(desk_holds(&desk, "k0", ""));
  assert_true(desk_holds(&desk, key, bytes));
  desk_close(&desk);
  path_of_file(path, sizeof(path));
  assert_int_equal(0, stat(path, &at));
  assert_true(at.st_size < KEEP + 20 * REPORT);
  free(bytes);
}

/* ---- how it is opened ---- */

static void expect_refused(int code, const char *sentence)
{
  struct ap_error err = {0};
  struct net_loop *loop = NULL;
  struct store *store = NULL;
  struct store_options options;
  store_options_init(&options);
  options.patience_ms = 100;
  assert_int_equal(AP_OK, net_loop_new(&loop));
  assert_int_equal(code, store_open(loop, folder.path, &options, &store, &err));
  if (!strstr(err.text, sentence))
    fail_msg("\"%s\" does not say \"%s\"", err.text, sentence);
  assert_null(store);
  net_loop_drain(loop);
  net_loop_free(loop);
}

static void make_file_of(const char *bytes, size_t len)
{
  char path[512];
  path_of_file(path, sizeof(path));
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(len, fwrite(bytes, 1, len, file));
  assert_int_equal(0, fclose(file));
}

static void make_store(void)
{
  struct desk desk = {0};
  desk_open(&desk, &folder);
  desk_put(&desk, "a", NULL, "{}");
  desk_close(&desk);
}

static void test_a_damaged_file_is_refused(void **state)
{
  static const char junk[] = "this is no database, but it is long enough to be taken for one: "
                             "a header of SQLite's has a hundred bytes, and this has more.";
  (void)state;
  make_file_of(junk, sizeof(junk));
  expect_refused(AP_E_INVALID, "is damaged: move it away");
}

static void test_a_file_that_is_cut_is_refused(void **state)
{
  char path[512];
  (void)state;
  make_store();
  path_of_file(path, sizeof(path));
  assert_int_equal(0, truncate(path, 4096));
  expect_refused(AP_E_INVALID, "is damaged: move it away");
}

static void test_a_newer_file_is_refused(void **state)
{
  (void)state;
  make_store();
  change("PRAGMA user_version = 4");
  expect_refused(AP_E_INVALID, "written by a newer Apogee (version 4 of the file; this one reads "
                               "up to 3)");
}

static void test_the_file_of_another_program_is_refused(void **state)
{
  (void)state;
  change("CREATE TABLE bookmarks(url)");
  expect_refused(AP_E_INVALID, "is not a file of Apogee's");
}

static void test_a_locked_file_is_waited_for_in_vain(void **state)
{
  char path[512];
  sqlite3 *db = NULL;
  (void)state;
  make_store();
  path_of_file(path, sizeof(path));
  assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
  assert_int_equal(SQLITE_OK, sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL));
  expect_refused(AP_E_BUSY, "another process has kept it locked");
  assert_int_equal(SQLITE_OK, sqlite3_close(db));
}

static void test_a_folder_that_cannot_be_written_is_refused(void **state)
{
  char kept[sizeof(folder.path)];
  (void)state;
  memcpy(kept, folder.path, sizeof(kept));
  (void)snprintf(folder.path, sizeof(folder.path), "/proc/apogee");
  expect_refused(AP_E_IO, "/proc/apogee: ");
  (void)snprintf(folder.path, sizeof(folder.path), "/dev/null");
  expect_refused(AP_E_IO, "/dev/null");
  (void)snprintf(folder.path, sizeof(folder.path), "%s", "");
  expect_refused(AP_E_IO, "");
  memcpy(folder.path, kept, sizeof(kept));
}

static void test_a_file_is_closed_to_others_whatever_it_was(void **state)
{
  struct stat at;
  char path[512];
  (void)state;
  mode_t before = umask(0);
  make_store();
  path_of_file(path, sizeof(path));
  assert_int_equal(0, stat(path, &at));
  assert_int_equal(0600, at.st_mode & 07777);
  assert_int_equal(0, chmod(path, 0666));
  make_store();
  assert_int_equal(0, stat(path, &at));
  assert_int_equal(0600, at.st_mode & 07777);
  (void)umask(before);
}

static void test_a_link_is_not_followed(void **state)
{
  char path[512];
  char other[512];
  (void)state;
  path_of_file(path, sizeof(path));
  (void)snprintf(other, sizeof(other), "%s/apogee.db-wal", folder.path);
  assert_int_equal(0, symlink(other, path));
  expect_refused(AP_E_INVALID, "is not a regular file");
  assert_int_not_equal(0, access(other, F_OK));
}

static void test_a_log_is_written_ahead_only_where_that_is_safe(void **state)
{
  static const struct {
    int version;
    bool may;
  } cases[] = {{3040001, false}, {3044005, false}, {3044006, true},  {3045000, false},
               {3050006, false}, {3050007, true},  {3051000, false}, {3051002, false},
               {3051003, true},  {3052000, true},  {3053001, true},  {4000000, true}};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    if (disk_may_log_ahead(cases[i].version) != cases[i].may)
      fail_msg("%d", cases[i].version);
}

static void test_it_works_with_a_log_written_ahead_and_back(void **state)
{
  static const int versions[] = {3051003, 3040001, 3051003};
  const struct store_limits limits = {.per_day = 10};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(versions); i++) {
    struct desk desk = {0};
    struct store_options options;
    struct ap_error err = {0};
    desk_options(&desk, &options);
    assert_int_equal(AP_OK, net_loop_new(&desk.loop));
    assert_int_equal(
        AP_OK, disk_open_as(versions[i], desk.loop, folder.path, &options, &desk.store, &err));
    assert_int_equal(3, desk_take(&desk, &limits, 3));
    assert_int_equal(i > 0, desk_holds(&desk, "a", "{}"));
    desk_put(&desk, "a", NULL, "{}");
    desk_close(&desk);
  }
}

/* ---- a disk that fills ---- */

static void hear_any_grant(void *arg, int code, const struct store_grant *grant)
{
  struct desk *desk = arg;
  desk->is_told = true;
  desk->code = code;
  desk->grant = grant ? *grant : (struct store_grant){0};
}

static void limit_files(rlim_t bytes)
{
  const struct rlimit limit = {bytes, RLIM_INFINITY};
  assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &limit));
}

static void test_on_a_full_disk_reports_go_first_and_nothing_is_lost(void **state)
{
  enum { ROOM = 256 * 1024, REPORT = 400 * 1024 };
  const struct store_limits limits = {.per_day = 1000};
  struct desk desk = {0};
  char *bytes = calloc(1, REPORT + 1);
  (void)state;
  assert_non_null(bytes);
  fill_with_noise(bytes, REPORT);
  (void)signal(SIGXFSZ, SIG_IGN);
  desk_open(&desk, &folder);
  assert_int_equal(1, desk_take(&desk, &limits, 1));
  limit_files(ROOM);
  desk_put(&desk, "large", NULL, bytes); /* in one transaction with what follows */
  assert_int_equal(2, desk_take(&desk, &limits, 2));
  assert_string_not_equal("", store_problem(desk.store));
  assert_false(desk_holds(&desk, "large", bytes));
  uint64_t id = desk_intend(&desk, STORE_UPLOAD, "abc");
  limit_files(4096); /* not even a journal */
  assert_int_equal(AP_PENDING,
                   store_quota_take(desk.store, &limits, 4, hear_any_grant, &desk, NULL));
  desk_wait(&desk);
  assert_int_equal(AP_E_IO, desk.code);
  limit_files(RLIM_INFINITY);
  assert_int_equal(997, desk_take(&desk, &limits, 1000));
  assert_int_equal(AP_OK, desk_find(&desk, STORE_UPLOAD, "abc"));
  assert_int_equal(id, desk.submission.id);
  desk_close(&desk);
  free(bytes);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_FOLDER(test_everything_is_there_the_next_time),
      IN_FOLDER(test_who_has_another_key_has_other_quota),
      IN_FOLDER(test_answers_of_one_service_are_not_those_of_another),
      IN_FOLDER(test_quota_is_counted_by_who_spends_it),
      IN_FOLDER(test_what_one_does_not_want_of_its_part_is_for_the_others),
      IN_FOLDER(test_a_part_is_kept_for_who_waits_and_has_less),
      IN_FOLDER(test_what_another_process_is_about_to_submit_is_left_to_it),
      IN_FOLDER(test_an_intent_of_days_ago_is_forgotten),
      IN_FOLDER(test_an_answer_is_stored_once),
      IN_FOLDER(test_a_report_is_kept_compressed),
      IN_FOLDER(test_a_report_of_version_2_is_read),
      IN_FOLDER(test_a_damaged_report_is_none),
      IN_FOLDER(test_reports_that_are_too_old_go),
      IN_FOLDER(test_the_file_grows_no_further_than_it_may),
      IN_FOLDER(test_a_damaged_file_is_refused),
      IN_FOLDER(test_a_file_that_is_cut_is_refused),
      IN_FOLDER(test_a_newer_file_is_refused),
      IN_FOLDER(test_the_file_of_another_program_is_refused),
      IN_FOLDER(test_a_locked_file_is_waited_for_in_vain),
      IN_FOLDER(test_a_folder_that_cannot_be_written_is_refused),
      IN_FOLDER(test_a_file_is_closed_to_others_whatever_it_was),
      IN_FOLDER(test_a_link_is_not_followed),
      IN_FOLDER(test_a_log_is_written_ahead_only_where_that_is_safe),
      IN_FOLDER(test_it_works_with_a_log_written_ahead_and_back),
      IN_FOLDER(test_on_a_full_disk_reports_go_first_and_nothing_is_lost),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
