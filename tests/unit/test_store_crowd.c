/* Many processes on one store: the quota of a key is never exceeded and never left lying, everyone
 * gets on, and a process that is killed at any point leaves nothing wrong behind. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <time.h>

#include "base/digest.h"
#include "store_unit.h"

static void sleep_us(uint64_t us)
{
  const struct timespec wait = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
  (void)nanosleep(&wait, NULL);
}

/* ---- contention ---- */

enum { CROWD = 8, PER_MINUTE = 60, GRANTS_MAX = 4096, WINDOW_MS = 60000, WINDOWS = 3 };

struct granted {
  int64_t at_ms;
  uint32_t count;
  uint32_t who;
};

static void write_all(int to, const void *data, size_t len)
{
  if (write(to, data, len) != (ssize_t)len)
    _exit(3);
}

/* Takes all it gets until the end. */
static void be_greedy(uint32_t who, int64_t end_ms, int to)
{
  static const struct store_limits limits = {.per_minute = PER_MINUTE};
  struct desk desk = {0};
  desk_open(&desk, &folder);
  while (ap_clock_unix_ms() < end_ms) {
    const struct granted granted = {.count = desk_take(&desk, &limits, PER_MINUTE), .who = who};
    if (granted.count) {
      struct granted told = granted;
      told.at_ms = desk.grant.at_unix_ms;
      write_all(to, &told, sizeof(told));
      continue;
    }
    int64_t wait_ms = desk.grant.again_unix_ms - ap_clock_unix_ms();
    if (wait_ms > 0)
      sleep_us(1000 * ap_clock_real_wait_ms((uint64_t)wait_ms));
  }
  desk_close(&desk);
}

static int by_time(const void *a, const void *b)
{
  int64_t left = ((const struct granted *)a)->at_ms;
  int64_t right = ((const struct granted *)b)->at_ms;
  return left < right ? -1 : left > right;
}

static size_t read_grants(int from, struct granted *grants)
{
  size_t count = 0;
  while (count < GRANTS_MAX && read(from, &grants[count], sizeof(grants[0])) > 0)
    count++;
  return count;
}

/* No window of a minute, wherever it begins, has more than the quota. */
static void check_windows(const struct granted *grants, size_t count)
{
  for (size_t first = 0; first < count; first++) {
    uint32_t sum = 0;
    for (size_t i = first; i < count && grants[i].at_ms < grants[first].at_ms + WINDOW_MS; i++)
      sum += grants[i].count;
    if (sum > PER_MINUTE)
      fail_msg("%u in the minute from %lld", sum, (long long)grants[first].at_ms);
  }
}

static void check_use(const struct granted *grants, size_t count)
{
  uint32_t used[WINDOWS] = {0};
  uint32_t had[CROWD] = {0};
  for (size_t i = 0; i < count; i++) {
    size_t window = (size_t)((grants[i].at_ms - grants[0].at_ms) / WINDOW_MS);
    if (window < WINDOWS)
      used[window] += grants[i].count;
    had[grants[i].who] += grants[i].count;
  }
  for (size_t i = 0; i < WINDOWS; i++)
    if (used[i] * 100 < PER_MINUTE * 97)
      fail_msg("%u of %d used in minute %zu", used[i], PER_MINUTE, i);
  for (size_t i = 0; i < CROWD; i++)
    if (had[i] * CROWD * 2 < PER_MINUTE * WINDOWS)
      fail_msg("process %zu had %u: less than half of its part", i, had[i]);
}

static void test_a_crowd_shares_a_key_to_the_full_and_no_further(void **state)
{
  static struct granted grants[GRANTS_MAX];
  pid_t children[CROWD];
  int ends[2];
  int status;
  (void)state;
  assert_int_equal(0, pipe(ends));
  int64_t end_ms = ap_clock_unix_ms() + (WINDOWS + 1) * WINDOW_MS;
  for (uint32_t i = 0; i < CROWD; i++) {
    children[i] = fork();
    assert_true(children[i] >= 0);
    if (children[i] == 0) {
      be_greedy(i, end_ms, ends[1]);
      _exit(0);
    }
  }
  (void)close(ends[1]);
  size_t count = read_grants(ends[0], grants);
  for (int i = 0; i < CROWD; i++) {
    assert_int_equal(children[i], waitpid(children[i], &status, 0));
    assert_int_equal(0, status);
  }
  (void)close(ends[0]);
  qsort(grants, count, sizeof(grants[0]), by_time);
  check_windows(grants, count);
  check_use(grants, count);
}

/* ---- kill -9 ---- */

enum { ROUNDS = 60, EVENTS_MAX = 8, SOME_US = 20000, THINGS = 8, AT_ONCE = 5 };

enum what { TOOK, INTENDED, SENT, DONE };

/* What a process knows to be on disk. */
struct event {
  enum what what;
  uint32_t count; /* taken */
  uint32_t thing;
  uint64_t id;
};

/* What must be on disk. */
struct model {
  uint64_t taken;
  uint64_t ids[THINGS]; /* 0: not open */
  bool is_sent[THINGS];
};

static const char *name_of(uint32_t thing)
{
  static char name[16];
  (void)snprintf(name, sizeof(name), "thing-%u", thing);
  return name;
}

static void do_something(struct desk *desk, int to)
{
  static const struct store_limits limits = {.per_minute = 1000000, .per_day = 1000000000};
  struct event event = {.what = (enum what)ap_random_below(4),
                        .thing = (uint32_t)ap_random_below(THINGS)};
  desk_put(desk, name_of(event.thing), "other", "{\"positives\": 1}");
  if (event.what == TOOK) {
    event.count = desk_take(desk, &limits, 1 + (uint32_t)ap_random_below(AT_ONCE));
  } else {
    event.id = desk_intend(desk, STORE_UPLOAD, name_of(event.thing));
    if (event.what == SENT)
      store_submission_sent(desk->store, event.id, name_of(event.thing));
    else if (event.what == DONE)
      store_submission_done(desk->store, event.id);
    store_settle(desk->store);
  }
  write_all(to, &event, sizeof(event));
}

static void work_until_killed(int to)
{
  struct desk desk = {0};
  desk_open(&desk, &folder);
  for (;;)
    do_something(&desk, to);
}

static void learn(struct model *model, const struct event *event)
{
  switch (event->what) {
  case TOOK:
    model->taken += event->count;
    return;
  case DONE:
    model->ids[event->thing] = 0;
    model->is_sent[event->thing] = false;
    return;
  case SENT:
    model->is_sent[event->thing] = true;
    model->ids[event->thing] = event->id;
    return;
  case INTENDED:
    model->ids[event->thing] = event->id;
    return;
  }
}

static int64_t number(const char *sql)
{
  char path[512];
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  (void)snprintf(path, sizeof(path), "%s/apogee.db", folder.path);
  assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
  assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(db, sql, -1, &statement, NULL));
  int code = sqlite3_step(statement);
  assert_int_equal(SQLITE_ROW, code);
  int64_t value = sqlite3_column_int64(statement, 0);
  assert_int_equal(SQLITE_OK, sqlite3_finalize(statement));
  assert_int_equal(SQLITE_OK, sqlite3_close(db));
  return value;
}

/* One call may have been done and not told. What it did is learnt: the next round begins there. */
static void check_model(struct model *model)
{
  struct desk desk = {0};
  unsigned unknown = 0;
  desk_open(&desk, &folder);
  for (uint32_t i = 0; i < THINGS; i++) {
    int code = desk_find(&desk, STORE_UPLOAD, name_of(i));
    bool is_open = code == AP_OK;
    bool is_sent = is_open && desk.submission.state == STORE_SENT;
    uint64_t id = is_open ? desk.submission.id : 0;
    unknown += id != model->ids[i] || is_sent != model->is_sent[i];
    if (is_open && !is_sent)
      assert_int_equal(STORE_LOST, desk.submission.state);
    model->ids[i] = id;
    model->is_sent[i] = is_sent;
  }
  desk_close(&desk);
  uint64_t taken = (uint64_t)number("SELECT coalesce(sum(count), 0) FROM spent");
  assert_true(taken >= model->taken && taken <= model->taken + AT_ONCE);
  unknown += taken != model->taken;
  model->taken = taken;
  assert_true(unknown <= 1);
  assert_int_equal(1, number("SELECT count(*) = 1 FROM pragma_integrity_check "
                             "WHERE integrity_check = 'ok'"));
  assert_int_equal(0, number("SELECT count(*) FROM pragma_foreign_key_check"));
  assert_int_equal(0, number("SELECT count(*) FROM reports r WHERE NOT EXISTS"
                             "(SELECT 1 FROM report_keys WHERE report = r.id)"));
}

static void test_what_a_killed_process_was_told_is_on_disk(void **state)
{
  struct model model = {0};
  struct event event;
  int status;
  (void)state;
  for (int round = 0; round < ROUNDS; round++) {
    int ends[2];
    assert_int_equal(0, pipe(ends));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      (void)close(ends[0]);
      work_until_killed(ends[1]);
    }
    (void)close(ends[1]);
    unsigned events = (unsigned)ap_random_below(EVENTS_MAX); /* with none it is killed early on */
    while (events && read(ends[0], &event, sizeof(event)) == (ssize_t)sizeof(event)) {
      learn(&model, &event);
      events--;
    }
    assert_int_equal(0, events);
    sleep_us(ap_random_below(SOME_US));
    assert_int_equal(0, kill(child, SIGKILL));
    assert_int_equal(child, waitpid(child, &status, 0));
    assert_true(WIFSIGNALED(status));
    while (read(ends[0], &event, sizeof(event)) == (ssize_t)sizeof(event))
      learn(&model, &event);
    (void)close(ends[0]);
    check_model(&model);
  }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_FOLDER(test_a_crowd_shares_a_key_to_the_full_and_no_further),
      IN_FOLDER(test_what_a_killed_process_was_told_is_on_disk),
  };
  struct ap_error err = {0};
  if (setenv("APOGEE_CLOCK", "10", 1) != 0 || ap_clock_init(&err) != AP_OK)
    return 1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
