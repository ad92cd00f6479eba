/* The progress line: its text, when the run ends, and what is drawn on a terminal. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "cli/output.h"
#include "unit.h"

/* 24 November 2026, 14:04:30 UTC. */
#define NOW INT64_C(1795529070000)

enum { SECOND = 1000, MINUTE = 60 * SECOND };

/* ---- the text ---- */

static void assert_text(const struct progress_state *state, struct progress_view view,
                        const char *wanted)
{
  char text[256];
  view.now_unix_ms = NOW;
  progress_line(state, &view, text, sizeof(text));
  assert_string_equal(text, wanted);
}

static const struct progress_state busy = {
    .step = "scan_hash",
    .done = 120,
    .of = 400,
    .risky = 3,
    .requests = 31,
    .standing = {.knows_quota = true, .minute_left = 2, .day_left = 380},
};

static void test_the_line_says_how_far_the_run_is(void **state)
{
  (void)state;
  assert_text(&busy, (struct progress_view){.elapsed_ms = 12345, .columns = 120},
              "120/400 · 3 risky · 31 requests · quota left: 2 this minute, 380 today · "
              "scan_hash · 0:12");
  assert_text(&busy, (struct progress_view){.elapsed_ms = 3723000, .columns = 120},
              "120/400 · 3 risky · 31 requests · quota left: 2 this minute, 380 today · "
              "scan_hash · 1:02:03");
  assert_text(&(struct progress_state){.requests = 1}, (struct progress_view){.columns = 120},
              "beginning · 0 risky · 1 request · 0:00");
}

static void test_a_quota_without_a_limit_is_not_shown(void **state)
{
  (void)state;
  static const struct {
    struct vt_standing standing;
    const char *says;
  } cases[] = {
      {{.knows_quota = false, .minute_left = 4, .day_left = 4}, ""},
      {{.knows_quota = true, .minute_left = UINT32_MAX, .day_left = UINT32_MAX}, ""},
      {{.knows_quota = true, .minute_left = 0, .day_left = UINT32_MAX},
       "quota left: 0 this minute · "},
      {{.knows_quota = true, .minute_left = UINT32_MAX, .day_left = 7}, "quota left: 7 today · "},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char wanted[128];
    const struct progress_state now = {.done = 1, .of = 2, .standing = cases[i].standing};
    (void)snprintf(wanted, sizeof(wanted), "1/2 · 0 risky · 0 requests · %s0:00", cases[i].says);
    assert_text(&now, (struct progress_view){.columns = 120}, wanted);
  }
}

static void test_the_line_says_what_is_waited_for_and_until_when(void **state)
{
  (void)state;
  static const struct {
    struct vt_standing standing;
    const char *says;
  } cases[] = {
      {{.waiting_for = VT_WAITS_NOT, .until_unix_ms = NOW + 5000}, ""},
      {{.waiting_for = VT_WAITS_QUOTA, .until_unix_ms = NOW + 41001},
       "waiting for quota until 14:05:11 (0:42) · "},
      {{.waiting_for = VT_WAITS_QUOTA, .until_unix_ms = NOW + 1},
       "waiting for quota until 14:04:30 (0:01) · "},
      {{.waiting_for = VT_WAITS_QUOTA, .until_unix_ms = NOW + INT64_C(1440) * MINUTE},
       "waiting for quota until 25 Nov 14:04 (24:00:00) · "},
      {{.waiting_for = VT_WAITS_QUOTA, .until_unix_ms = NOW}, "waiting for quota · "},
      {{.waiting_for = VT_WAITS_SCAN, .until_unix_ms = NOW + 20000},
       "waiting for scans until 14:04:50 (0:20) · "},
      {{.waiting_for = VT_WAITS_RETRY, .until_unix_ms = 0}, "waiting to try again · "},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char wanted[128];
    const struct progress_state now = {.done = 1, .of = 2, .standing = cases[i].standing};
    (void)snprintf(wanted, sizeof(wanted), "1/2 · 0 risky · 0 requests · %s0:00", cases[i].says);
    assert_text(&now, (struct progress_view){.columns = 120}, wanted);
  }
}

static void test_the_line_says_when_the_run_ends(void **state)
{
  (void)state;
  const struct progress_state now = {.done = 1, .of = 2};
  const struct progress_view soon = {.columns = 120, .ends_unix_ms = NOW + 90 * SECOND};
  const struct progress_view later = {.columns = 120, .ends_unix_ms = NOW + 90 * MINUTE};
  const struct progress_view next = {.columns = 120, .ends_unix_ms = NOW + 1440 * MINUTE};
  assert_text(&now, soon, "1/2 · 0 risky · 0 requests · ends about 14:06:00 · 0:00");
  assert_text(&now, later, "1/2 · 0 risky · 0 requests · ends about 15:34 · 0:00");
  assert_text(&now, next, "1/2 · 0 risky · 0 requests · ends about 25 Nov 14:04 · 0:00");
}

static void test_what_matters_less_is_given_up_first(void **state)
{
  (void)state;
  static const struct {
    size_t columns;
    const char *text;
  } cases[] = {
      {79, "120/400 · 3 risky · 31 req · left 2/min 380/day · quota in 0:42 · ends 15:34"},
      {74, "120/400 · 3 risky · left 2/min 380/day · quota in 0:42 · ends 15:34"},
      {60, "120/400 · 3 risky · quota in 0:42 · ends 15:34"},
      {39, "120/400 · 3 risky · quota in 0:42"},
      {20, "120/400 · 3 risky"},
      {9, "120/400 ·"},
      {0, ""},
  };
  struct progress_state now = busy;
  now.standing.waiting_for = VT_WAITS_QUOTA;
  now.standing.until_unix_ms = NOW + 42 * SECOND;
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    assert_text(
        &now,
        (struct progress_view){.columns = cases[i].columns, .ends_unix_ms = NOW + 90 * MINUTE},
        cases[i].text);
}

static void test_the_line_fits_every_terminal(void **state)
{
  (void)state;
  struct progress_state now = busy;
  now.standing.waiting_for = VT_WAITS_RETRY;
  now.standing.until_unix_ms = NOW + 42 * SECOND;
  for (size_t columns = 0; columns < 200; columns++) {
    char text[256];
    const struct progress_view view = {
        .now_unix_ms = NOW, .ends_unix_ms = NOW + 5 * SECOND, .columns = columns, .is_plain = true};
    progress_line(&now, &view, text, sizeof(text));
    assert_true(strlen(text) <= columns);
    assert_true(columns < 180 || strstr(text, "scan_hash | 0:00"));
  }
}

static void test_the_width_of_letters_counts(void **state)
{
  (void)state;
  struct progress_state now = {.step = "\xe6\xbc\xa2\xe5\xad\x97"}; /* two columns each */
  const char *whole = "beginning · 0 risky · 0 requests · \xe6\xbc\xa2\xe5\xad\x97";
  assert_text(&now, (struct progress_view){.columns = 39}, whole);
  assert_text(&now, (struct progress_view){.columns = 38}, "beginning · 0 risky · 0 requests");
  char text[8];
  progress_line(&now, &(struct progress_view){.columns = 80}, text, sizeof(text));
  assert_string_equal(text, "beginni");
}

static void test_a_plain_terminal_gets_ascii(void **state)
{
  (void)state;
  const struct progress_state now = {.step = "caf\xc3\xa9", .done = 1, .of = 2};
  assert_text(&now, (struct progress_view){.columns = 80, .is_plain = true},
              "1/2 | 0 risky | 0 requests | caf? | 0:00");
}

static void test_a_step_cannot_steer_the_terminal(void **state)
{
  (void)state;
  const struct progress_state now = {.step = "a\x1b[31m\n\xc2\x9b\xff"};
  assert_text(&now, (struct progress_view){.columns = 80},
              "beginning · 0 risky · 0 requests · a?[31m??? · 0:00");
}

static void test_a_secret_does_not_show(void **state)
{
  (void)state;
  struct ap_secret *secret = NULL;
  struct ap_error err = {0};
  assert_int_equal(ap_secret_new("k", "hunter2", 7, &secret, &err), AP_OK);
  assert_text(&(struct progress_state){.step = "hunter2"}, (struct progress_view){.columns = 80},
              "beginning · 0 risky · 0 requests · ******* · 0:00");
  ap_secret_free(secret);
}

/* ---- the end ---- */

static int64_t note(struct progress_pace *pace, uint64_t done, uint64_t of, int64_t after_ms)
{
  const struct progress_state state = {.done = done, .of = of};
  return progress_pace_note(pace, &state, NOW + after_ms);
}

static int64_t note_out(struct progress_pace *pace, uint64_t done, uint64_t of, int64_t after_ms,
                        int64_t until_ms)
{
  const struct progress_state state = {
      .done = done,
      .of = of,
      .standing = {.waiting_for = VT_WAITS_QUOTA, .until_unix_ms = NOW + until_ms}};
  return progress_pace_note(pace, &state, NOW + after_ms);
}

static void test_the_end_is_told_once_there_is_a_pace(void **state)
{
  (void)state;
  struct progress_pace pace = {0};
  assert_int_equal(note(&pace, 0, 0, 0), 0);
  assert_int_equal(note(&pace, 0, 100, MINUTE), 0);               /* it begins here */
  assert_int_equal(note(&pace, 9, 100, MINUTE + 9 * SECOND), 0);  /* too early */
  assert_int_equal(note(&pace, 2, 100, MINUTE + 20 * SECOND), 0); /* of too few */
  assert_int_equal(note(&pace, 20, 100, MINUTE + 20 * SECOND), NOW + MINUTE + 100 * SECOND);
  assert_int_equal(note(&pace, 100, 100, MINUTE + 100 * SECOND), 0);
}

static void test_what_a_run_before_did_does_not_speed_it_up(void **state)
{
  (void)state;
  struct progress_pace pace = {0};
  assert_int_equal(note(&pace, 50, 100, 0), 0);
  assert_int_equal(note(&pace, 60, 100, 20 * SECOND), NOW + 100 * SECOND);
}

static void test_quota_sets_the_pace_once_it_was_out(void **state)
{
  (void)state;
  struct progress_pace pace = {0};
  assert_int_equal(note(&pace, 0, 40, 0), 0);
  /* Four a minute: the other 36 take nine minutes more. */
  int64_t ends = NOW + 10 * MINUTE;
  assert_int_equal(note_out(&pace, 4, 40, 1 * SECOND, MINUTE), ends);
  assert_int_equal(note_out(&pace, 4, 40, 59 * SECOND, MINUTE), ends);
  assert_int_equal(note(&pace, 7, 40, 61 * SECOND), ends); /* no matter how fast these came */
  assert_int_equal(note_out(&pace, 8, 40, 62 * SECOND, 2 * MINUTE), ends);
  /* A step more. */
  assert_int_equal(note(&pace, 8, 80, 2 * MINUTE), NOW + 20 * MINUTE);
  /* What did not come true is not said. */
  assert_int_equal(note(&pace, 9, 80, 21 * MINUTE), 0);
}

static void test_more_than_the_days_quota_has_no_end(void **state)
{
  (void)state;
  struct progress_pace pace = {0};
  struct progress_state now = {.of = 100,
                               .standing = {.knows_quota = true, .minute_left = 9, .day_left = 90}};
  (void)progress_pace_note(&pace, &now, NOW);
  now.done = 9;
  now.standing.day_left = 90;
  assert_int_equal(progress_pace_note(&pace, &now, NOW + MINUTE), 0);
  now.standing.day_left = 91;
  assert_int_not_equal(progress_pace_note(&pace, &now, NOW + MINUTE), 0);
}

/* ---- the terminal ---- */

struct terminal {
  int master;
  int slave;
  int out;
  int err;
  char text[2048];
};

/* Standard output and standard error are a terminal of so many columns until close_terminal. */
static void open_terminal(struct terminal *terminal, unsigned short columns)
{
  const struct winsize size = {.ws_row = 24, .ws_col = columns};
  assert_int_equal(openpty(&terminal->master, &terminal->slave, NULL, NULL, &size), 0);
  (void)fflush(stdout);
  terminal->out = dup(STDOUT_FILENO);
  terminal->err = dup(STDERR_FILENO);
  assert_true(terminal->out >= 0 && terminal->err >= 0);
  assert_true(dup2(terminal->slave, STDOUT_FILENO) >= 0);
  assert_true(dup2(terminal->slave, STDERR_FILENO) >= 0);
}

/* What was written to it is in `text` then: it may come in pieces. */
static void close_terminal(struct terminal *terminal)
{
  size_t len = 0;
  ssize_t got;
  assert_true(dup2(terminal->out, STDOUT_FILENO) >= 0);
  assert_true(dup2(terminal->err, STDERR_FILENO) >= 0);
  assert_int_equal(close(terminal->out), 0);
  assert_int_equal(close(terminal->err), 0);
  assert_int_equal(close(terminal->slave), 0);
  while (len + 1 < sizeof(terminal->text) &&
         (got = read(terminal->master, terminal->text + len, sizeof(terminal->text) - 1 - len)) > 0)
    len += (size_t)got;
  terminal->text[len] = '\0';
  assert_int_equal(close(terminal->master), 0);
}

/* Until the next line may be drawn. */
static void let_time_pass(void)
{
  uint64_t began_ms = ap_clock_ms();
  while (ap_clock_ms() - began_ms <= 100)
    ;
}

static void test_there_is_no_line_without_a_terminal_or_when_quiet(void **state)
{
  (void)state;
  struct terminal terminal;
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  assert_true(null >= 0);
  open_terminal(&terminal, 80);
  assert_true(dup2(null, STDERR_FILENO) >= 0);
  bool shows = progress_begin(false);
  progress_show(&busy);
  progress_end();
  assert_true(dup2(terminal.slave, STDERR_FILENO) >= 0);
  bool shows_quiet = progress_begin(true);
  progress_show(&busy);
  progress_end();
  close_terminal(&terminal);
  assert_int_equal(close(null), 0);
  assert_false(shows);
  assert_false(shows_quiet);
  assert_string_equal(terminal.text, "");
}

static void test_there_is_no_line_on_a_terminal_that_keeps_all(void **state)
{
  (void)state;
  static const char *const kinds[] = {"dumb", "", NULL};
  for (size_t i = 0; i < COUNT_OF(kinds); i++) {
    struct terminal terminal;
    assert_int_equal(kinds[i] ? setenv("TERM", kinds[i], 1) : unsetenv("TERM"), 0);
    open_terminal(&terminal, 80);
    bool shows = progress_begin(false);
    progress_show(&busy);
    progress_end();
    close_terminal(&terminal);
    assert_int_equal(setenv("TERM", "xterm", 1), 0);
    assert_false(shows);
    assert_string_equal(terminal.text, "");
  }
}

static void test_the_locale_says_what_a_terminal_takes(void **state)
{
  (void)state;
  static const struct {
    const char *all, *type, *lang;
    bool is_plain;
  } cases[] = {
      {NULL, NULL, NULL, true},
      {NULL, NULL, "C", true},
      {NULL, NULL, "en_US.UTF-8", false},
      {NULL, "de_DE.utf8@euro", "C", false},
      {"C", "C.UTF-8", "C.UTF-8", true},
      {"", "", "C.UTF-8", false},
      {NULL, NULL, "de_DE.ISO-8859-1", true},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct terminal terminal;
    const char *const values[] = {cases[i].all, cases[i].type, cases[i].lang};
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t j = 0; j < COUNT_OF(names); j++)
      assert_int_equal(values[j] ? setenv(names[j], values[j], 1) : unsetenv(names[j]), 0);
    open_terminal(&terminal, 18);
    assert_true(progress_begin(false));
    progress_show(&busy);
    progress_end();
    close_terminal(&terminal);
    assert_string_equal(terminal.text, cases[i].is_plain ? "\r120/400 | 3 risky\033[K\r\033[K"
                                                         : "\r120/400 · 3 risky\033[K\r\033[K");
  }
  assert_int_equal(setenv("LC_ALL", "C.UTF-8", 1), 0);
}

static void test_the_line_is_drawn_when_it_says_something_new(void **state)
{
  (void)state;
  struct terminal terminal;
  struct progress_state now = {.done = 1, .of = 2};
  open_terminal(&terminal, 16);
  (void)progress_begin(false);
  progress_show(&now);
  let_time_pass();
  progress_show(&now);
  now.done = 2;
  progress_show(&now);
  progress_end();
  close_terminal(&terminal);
  assert_string_equal(terminal.text, "\r1/2 · 0 risky\033[K\r2/2 · 0 risky\033[K\r\033[K");
}

static void test_the_line_is_drawn_ten_times_a_second_at_most(void **state)
{
  (void)state;
  struct terminal terminal;
  struct progress_state now = {.of = UINT64_MAX};
  uint64_t frames = 0;
  open_terminal(&terminal, 8);
  uint64_t began_ms = ap_clock_ms();
  (void)progress_begin(false);
  while (ap_clock_ms() - began_ms < 350) {
    now.done += 1;
    progress_show(&now);
  }
  progress_end();
  uint64_t took_ms = ap_clock_ms() - began_ms;
  close_terminal(&terminal);
  for (const char *c = terminal.text; (c = strchr(c, '\r')); c++)
    frames++;
  frames--; /* the last takes it off */
  assert_in_range(frames, 2, took_ms / 100 + 1);
}

static void test_the_line_follows_the_size_of_the_terminal(void **state)
{
  (void)state;
  struct terminal terminal;
  struct progress_state now = {.done = 1, .of = 2};
  const struct winsize size = {.ws_row = 24, .ws_col = 6};
  open_terminal(&terminal, 16);
  (void)progress_begin(false);
  progress_show(&now);
  let_time_pass();
  assert_int_equal(ioctl(terminal.master, TIOCSWINSZ, &size), 0);
  progress_show(&now);
  progress_end();
  close_terminal(&terminal);
  assert_string_equal(terminal.text, "\r1/2 · 0 risky\033[K\r1/2 ·\033[K\r\033[K");
}

static void test_the_line_is_taken_off_for_the_log(void **state)
{
  (void)state;
  struct terminal terminal;
  open_terminal(&terminal, 10);
  (void)progress_begin(false);
  progress_show(&busy);
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "hello");
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "again");
  progress_end();
  progress_show(&busy);
  progress_end();
  close_terminal(&terminal);
  /* Nine columns of ten; nothing is left to be taken off at the end. */
  assert_string_equal(terminal.text, "\r120/400 ·\033[K\r\033[Kapogee: error: hello\r\n"
                                     "apogee: error: again\r\n");
}

static void test_the_line_is_taken_off_for_the_result(void **state)
{
  (void)state;
  struct terminal terminal;
  struct output *output = NULL;
  struct ap_error err = {0};
  open_terminal(&terminal, 10);
  (void)progress_begin(false);
  progress_show(&busy);
  int rc = output_open(NULL, &output, &err);
  if (rc == AP_OK)
    rc = output_write(output, "{}\n", 3);
  if (rc == AP_OK)
    rc = output_flush(output);
  output_close(output);
  let_time_pass();
  progress_show(&busy); /* and it comes back */
  progress_end();
  close_terminal(&terminal);
  assert_int_equal(rc, AP_OK);
  assert_string_equal(terminal.text, "\r120/400 ·\033[K\r\033[K{}\r\n\r120/400 ·\033[K\r\033[K");
}

static void test_last_words_take_the_line_off_once(void **state)
{
  (void)state;
  struct terminal terminal;
  open_terminal(&terminal, 10);
  (void)progress_begin(false);
  progress_show(&busy);
  ap_log_take_line_off();
  ap_log_take_line_off();
  progress_end();
  close_terminal(&terminal);
  assert_string_equal(terminal.text, "\r120/400 ·\033[K\r\033[K");
}

static int set_up(void **state)
{
  (void)state;
  int failed = setenv("TERM", "xterm", 1) | setenv("LC_ALL", "C.UTF-8", 1) | setenv("TZ", "UTC", 1);
  tzset();
  return failed;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_line_says_how_far_the_run_is),
      cmocka_unit_test(test_a_quota_without_a_limit_is_not_shown),
      cmocka_unit_test(test_the_line_says_what_is_waited_for_and_until_when),
      cmocka_unit_test(test_the_line_says_when_the_run_ends),
      cmocka_unit_test(test_what_matters_less_is_given_up_first),
      cmocka_unit_test(test_the_line_fits_every_terminal),
      cmocka_unit_test(test_the_width_of_letters_counts),
      cmocka_unit_test(test_a_plain_terminal_gets_ascii),
      cmocka_unit_test(test_a_step_cannot_steer_the_terminal),
      cmocka_unit_test(test_a_secret_does_not_show),
      cmocka_unit_test(test_the_end_is_told_once_there_is_a_pace),
      cmocka_unit_test(test_what_a_run_before_did_does_not_speed_it_up),
      cmocka_unit_test(test_quota_sets_the_pace_once_it_was_out),
      cmocka_unit_test(test_more_than_the_days_quota_has_no_end),
      cmocka_unit_test(test_there_is_no_line_without_a_terminal_or_when_quiet),
      cmocka_unit_test(test_there_is_no_line_on_a_terminal_that_keeps_all),
      cmocka_unit_test(test_the_locale_says_what_a_terminal_takes),
      cmocka_unit_test(test_the_line_is_drawn_when_it_says_something_new),
      cmocka_unit_test(test_the_line_is_drawn_ten_times_a_second_at_most),
      cmocka_unit_test(test_the_line_follows_the_size_of_the_terminal),
      cmocka_unit_test(test_the_line_is_taken_off_for_the_log),
      cmocka_unit_test(test_the_line_is_taken_off_for_the_result),
      cmocka_unit_test(test_last_words_take_the_line_off_once),
  };
  return cmocka_run_group_tests(tests, set_up, NULL);
}
