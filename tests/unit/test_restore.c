// SPDX-License-Identifier: Apache-2.0
#include "casefile/restore.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "casefile/frame.h"
#include "folder.h"
#include "unit.h"

static const char request[] = "{\"command\":\"run\"}";

struct kept {
  struct folder folder;
  char path[300];
  struct casefile *cf;
  struct store_spool *spool;
  struct case_record *record;
};

static void add(struct casefile *cf, const char *text, const char *tlp)
{
  uint32_t index;
  struct ap_error err;
  const struct case_entity_input input = {.identifier = {text, strlen(text)},
                                          .tlp = {tlp, strlen(tlp)},
                                          .properties = {"{\"a\":[1]}", 9}};
  assert_int_equal(AP_OK, casefile_add(cf, &input, &index, &err));
}

static void put(struct case_record *record, uint32_t step, uint32_t entity,
                enum case_outcome outcome)
{
  static const char answer[] = "{ \"positives\" : 5 }";
  struct case_finding finding;
  case_finding_init(&finding);
  finding.outcome = outcome;
  finding.risky = outcome == CASE_OUTCOME_REPORTED;
  finding.suspicious = finding.risky;
  finding.detections = 5;
  finding.total = 9;
  finding.answer = (struct ap_slice){answer, sizeof(answer) - 1};
  assert_int_equal(AP_OK, case_finding_enrich(&finding, "Total", 5, (struct ap_slice){"9", 1}));
  case_record_cost(record, step)->requests++;
  assert_int_equal(AP_OK, case_record_put(record, step, entity, &finding));
  case_finding_deinit(&finding);
}

static uint32_t add_step(struct case_record *record)
{
  uint32_t step;
  const struct case_step_info info = {.name = "hashes",
                                      .action = "scan_hash",
                                      .title = "Scan Hash",
                                      .provider = "VirusTotal",
                                      .result_name = "is_risky"};
  assert_int_equal(AP_OK, case_record_add_step(record, &info, &step));
  return step;
}

static void select_all(struct case_record *record, uint32_t step, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++)
    assert_int_equal(AP_OK, case_record_select(record, step, i));
}

/* One entity is reported, one pending, one failed, one was not asked; one is no indicator. */
static void run_once(struct kept *kept, bool ends)
{
  struct ap_error err;
  folder_make(&kept->folder);
  (void)snprintf(kept->path, sizeof(kept->path), "%s/one.run", kept->folder.path);
  assert_int_equal(AP_OK, casefile_new(0, &kept->cf));
  add(kept->cf, "44d88612fea8a8f36de82e1278abb02f", "amber");
  add(kept->cf, "44D88612FEA8A8F36DE82E1278ABB02F", "");
  add(kept->cf, "22596363b3de40b06f981fb85d82312e8c0ed511", "");
  add(kept->cf, "hxxp://Example[.]com/Path", "");
  add(kept->cf, "10.0.0.1", "");
  add(kept->cf, "no indicator", "");
  assert_int_equal(AP_OK, store_spool_open(NULL, kept->folder.path, &kept->spool, &err));
  assert_int_equal(AP_OK, case_record_new(kept->cf, kept->spool, &kept->record));
  assert_int_equal(AP_OK, case_record_warn_run(kept->record, "of \"settings\", early"));
  assert_int_equal(AP_OK, case_record_keep(kept->record, kept->path,
                                           (struct ap_slice){request, strlen(request)}, &err));
  uint32_t step = add_step(kept->record);
  select_all(kept->record, step, casefile_count(kept->cf));
  put(kept->record, step, 0, CASE_OUTCOME_REPORTED);
  put(kept->record, step, 1, CASE_OUTCOME_PENDING);
  put(kept->record, step, 2, CASE_OUTCOME_FAILED);
  put(kept->record, step, 4, CASE_OUTCOME_SKIPPED);
  assert_int_equal(AP_OK, case_record_warn(kept->record, step, "a warning"));
  if (!ends)
    return;
  const struct case_step_end end = {.status = "in_progress", .result = true, .message = "Done."};
  const struct case_run_info info = {
      .status = "in_progress", .exit_code = 4, .playbook = "P", .finished = "then", .score = 7};
  assert_int_equal(AP_OK, case_record_end_step(kept->record, step, &end));
  assert_int_equal(AP_OK,
                   case_record_add_insight(kept->record, (struct ap_slice){"{\"b\": 1}", 8}));
  assert_int_equal(AP_OK, case_record_end_run(kept->record, &info));
}

static void close_run(struct kept *kept)
{
  case_record_free(kept->record);
  store_spool_close(kept->spool);
  casefile_free(kept->cf);
  kept->record = NULL;
  kept->spool = NULL;
  kept->cf = NULL;
}

static void remove_run(struct kept *kept)
{
  close_run(kept);
  (void)unlink(kept->path);
  folder_remove(&kept->folder);
}

struct again {
  struct store_spool *spool;
  struct case_restored *restored;
  struct casefile *cf;
  struct case_record *record;
};

static void open_again(struct again *again, const char *path, bool is_to_grow)
{
  struct ap_error err;
  assert_int_equal(AP_OK, store_spool_reopen(NULL, path, is_to_grow, &again->spool, &err));
  assert_int_equal(AP_OK, case_restore(again->spool, is_to_grow, 0, &again->restored, &err));
  again->cf = case_restored_take_case(again->restored);
  assert_int_equal(AP_OK, case_record_new(again->cf, again->spool, &again->record));
}

static void close_again(struct again *again)
{
  case_record_free(again->record);
  case_restored_free(again->restored);
  casefile_free(again->cf);
  store_spool_close(again->spool);
}

static int to_buf(void *arg, const char *data, size_t len)
{
  ap_buf_add(arg, data, len);
  return AP_OK;
}

static void write_run(struct case_record *record, struct ap_buf *out)
{
  const struct case_run_info info = {.run = "one", .status = "in_progress"};
  assert_int_equal(AP_OK, case_record_write_run(record, &info, to_buf, out));
}

static void test_a_report_is_the_document_of_the_run(void **state)
{
  struct kept kept;
  struct again again;
  struct ap_buf first = {0};
  struct ap_buf second = {0};
  (void)state;
  run_once(&kept, true);
  write_run(kept.record, &first);
  close_run(&kept);
  open_again(&again, kept.path, false);
  assert_int_equal(AP_OK, case_record_rebuild(again.record, again.restored));
  write_run(again.record, &second);
  assert_string_equal(ap_buf_cstr(&first), ap_buf_cstr(&second));
  close_again(&again);
  ap_buf_deinit(&first);
  ap_buf_deinit(&second);
  remove_run(&kept);
}

static void test_a_run_goes_on_with_what_is_final(void **state)
{
  struct kept kept;
  struct again again;
  (void)state;
  run_once(&kept, false);
  close_run(&kept);
  open_again(&again, kept.path, true);
  case_record_resume(again.record, again.restored);
  uint32_t step = add_step(again.record);
  select_all(again.record, step, casefile_count(again.cf));
  static const bool done[] = {true, false, false, false, true};
  assert_int_equal(sizeof(done) / sizeof(done[0]), casefile_count(again.cf));
  for (uint32_t i = 0; i < casefile_count(again.cf); i++)
    assert_int_equal(done[i], case_record_entity(again.record, step, i).is_done);
  assert_int_equal(5, case_record_entity(again.record, step, 0).detections);
  assert_true(casefile_entity(again.cf, 0)->suspicious);
  assert_true(casefile_entity(again.cf, 3)->internal);
  assert_string_equal("amber", casefile_entity(again.cf, 0)->tlp);
  assert_int_equal(4, case_record_cost(again.record, step)->requests);
  assert_int_equal(AP_OK, case_record_warn(again.record, step, "a warning")); /* said before */
  put(again.record, step, 1, CASE_OUTCOME_SCANNED);
  struct ap_buf line = {0};
  assert_int_equal(AP_OK, case_record_line_step(again.record, step, &line));
  assert_non_null(strstr(ap_buf_cstr(&line), "[\"a warning\"]"));
  ap_buf_deinit(&line);
  close_again(&again);
  open_again(&again, kept.path, true); /* and once more */
  case_record_resume(again.record, again.restored);
  step = add_step(again.record);
  select_all(again.record, step, 2);
  assert_int_equal(CASE_OUTCOME_SCANNED, case_record_entity(again.record, step, 1).outcome);
  close_again(&again);
  remove_run(&kept);
}

static void test_one_that_ended_the_process_fails(void **state)
{
  struct kept kept;
  struct again again;
  (void)state;
  run_once(&kept, false);
  close_run(&kept);
  open_again(&again, kept.path, true);
  assert_int_equal(AP_OK, case_restored_blame(again.restored, "hashes", CASE_TYPE_URL,
                                              casefile_entity(again.cf, 2)->identifier));
  case_record_resume(again.record, again.restored);
  uint32_t step = add_step(again.record);
  select_all(again.record, step, casefile_count(again.cf));
  assert_int_equal(CASE_OUTCOME_FAILED, case_record_entity(again.record, step, 2).outcome);
  close_again(&again);
  remove_run(&kept);
}

static void test_a_file_is_held_by_one_process(void **state)
{
  struct kept kept;
  struct store_spool *other;
  struct ap_error err;
  (void)state;
  run_once(&kept, true);
  assert_true(store_spool_is_held(kept.path));
  assert_int_equal(AP_E_BUSY, store_spool_reopen(NULL, kept.path, true, &other, &err));
  assert_int_equal(AP_OK, store_spool_reopen(NULL, kept.path, false, &other, &err));
  store_spool_close(other);
  close_run(&kept);
  assert_false(store_spool_is_held(kept.path));
  remove_run(&kept);
}

/* Reads a file that is not as it was written: what came of it, and how many findings it has. */
static int read_again(const char *path, bool is_to_grow, uint64_t *findings, bool *has_end)
{
  struct store_spool *spool;
  struct case_restored *restored = NULL;
  struct ap_buf end = {0};
  struct ap_error err;
  assert_int_equal(AP_OK, store_spool_reopen(NULL, path, is_to_grow, &spool, &err));
  int rc = case_restore(spool, is_to_grow, 0, &restored, &err);
  *has_end = rc == AP_OK && case_restored_end(restored).len;
  case_restored_free(restored);
  int end_rc = case_restore_end(spool, &end, findings);
  assert_true(end_rc == AP_OK || (end_rc == AP_E_INVALID && rc == AP_E_INVALID));
  ap_buf_deinit(&end);
  store_spool_close(spool);
  return rc;
}

/* Cut anywhere, the frames before are there, and a run goes on behind them. */
static void test_a_file_may_end_anywhere(void **state)
{
  struct kept kept;
  struct stat st;
  (void)state;
  run_once(&kept, true);
  close_run(&kept);
  assert_int_equal(0, stat(kept.path, &st));
  uint64_t most = UINT64_MAX;
  int rc = AP_OK;
  for (off_t size = st.st_size - 1; rc == AP_OK && size > 0; size--) {
    uint64_t findings;
    bool has_end;
    assert_int_equal(0, truncate(kept.path, size));
    rc = read_again(kept.path, true, &findings, &has_end);
    assert_false(has_end);
    assert_true(findings <= most);
    most = findings;
  }
  assert_int_equal(AP_E_INVALID, rc); /* its beginning is gone */
  assert_int_equal(0, most);
  remove_run(&kept);
}

static void flip(int fd, off_t at)
{
  char byte;
  assert_int_equal(1, pread(fd, &byte, 1, at));
  byte ^= 0x20;
  assert_int_equal(1, pwrite(fd, &byte, 1, at));
}

/* A byte that is another one ends the reading where it is, and breaks nothing. */
static void test_a_byte_may_be_wrong(void **state)
{
  struct kept kept;
  struct stat st;
  (void)state;
  run_once(&kept, true);
  close_run(&kept);
  assert_int_equal(0, stat(kept.path, &st));
  int fd = open(kept.path, O_RDWR | O_CLOEXEC);
  for (off_t at = 0; at < st.st_size; at++) {
    uint64_t findings;
    bool has_end;
    flip(fd, at);
    int rc = read_again(kept.path, false, &findings, &has_end);
    assert_true(rc == AP_E_INVALID || (rc == AP_OK && !has_end));
    flip(fd, at);
  }
  assert_int_equal(0, close(fd));
  remove_run(&kept);
}

/* Whoever can write the file can make its checksums right too. */
static void test_frames_that_are_no_json_are_refused(void **state)
{
  static const struct {
    enum case_frame_kind kind;
    struct ap_slice data;
  } cases[] = {
      {CASE_FRAME_REQUEST, {"{", 1}},
      {CASE_FRAME_ENTITY, {"{\"type\0or\":\"x\"}", 15}},
      {CASE_FRAME_ENTITY, {"", 0}},
      {CASE_FRAME_STEP, {"{\"name\":\"", 9}},
      {CASE_FRAME_WARNING, {"{\"text\":}", 9}},
      {CASE_FRAME_STEP_END, {"[[[", 3}},
      {CASE_FRAME_END, {"{\"insights\":[", 13}},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct kept kept;
    struct store_spool *spool;
    struct ap_error err;
    uint64_t findings;
    bool has_end;
    run_once(&kept, true);
    close_run(&kept);
    assert_int_equal(AP_OK, store_spool_reopen(NULL, kept.path, true, &spool, &err));
    assert_int_equal(AP_OK, case_frame_add(spool, cases[i].kind, &cases[i].data, 1, NULL));
    assert_int_equal(AP_OK, store_spool_flush(spool));
    store_spool_close(spool);
    assert_int_equal(AP_E_INVALID, read_again(kept.path, false, &findings, &has_end));
    remove_run(&kept);
  }
}

/* Pieces of a finding are copied into documents, and walked there. */
static void test_findings_that_are_no_json_are_refused(void **state)
{
  static const struct {
    const char *object;
    const char *insights;
    const char *tables;
    const char *answer;
    int rc;
  } cases[] = {
      {"{}", "", "", "", AP_OK},
      {"{\"a\":1}", "{},{}", "{}", "[1]", AP_OK},
      {"", "", "", "", AP_E_INVALID},
      {"{", "", "", "", AP_E_INVALID},
      {"[]", "", "", "", AP_E_INVALID},
      {" {}", "", "", "", AP_E_INVALID},
      {"{}{}", "", "", "", AP_E_INVALID},
      {"{}", "{},", "", "", AP_E_INVALID},
      {"{}", "1],[2", "", "", AP_E_INVALID},
      {"{}", "", "{\"", "", AP_E_INVALID},
      {"{}", "", "", "{\"a", AP_E_INVALID},
      {"{}", "", "", "{},{}", AP_E_INVALID},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct kept kept;
    struct store_spool *spool;
    struct ap_error err;
    uint64_t findings;
    bool has_end;
    const struct case_frame_finding head = {
        .step_len = 6,
        .identifier_len = 8,
        .object_len = (uint32_t)strlen(cases[i].object),
        .insights_len = (uint32_t)strlen(cases[i].insights),
        .tables_len = (uint32_t)strlen(cases[i].tables),
        .answer_len = (uint32_t)strlen(cases[i].answer),
        .type = CASE_TYPE_IP_ADDRESS,
        .outcome = CASE_OUTCOME_REPORTED,
    };
    const struct ap_slice parts[] = {
        {(const char *)&head, sizeof(head)},
        {"hashes", 6},
        {"10.0.0.1", 8},
        {cases[i].object, head.object_len},
        {cases[i].insights, head.insights_len},
        {cases[i].tables, head.tables_len},
        {cases[i].answer, head.answer_len},
    };
    run_once(&kept, true);
    close_run(&kept);
    assert_int_equal(AP_OK, store_spool_reopen(NULL, kept.path, true, &spool, &err));
    assert_int_equal(AP_OK, case_frame_add(spool, CASE_FRAME_FINDING, parts, 7, NULL));
    assert_int_equal(AP_OK, store_spool_flush(spool));
    store_spool_close(spool);
    if (read_again(kept.path, false, &findings, &has_end) != cases[i].rc)
      fail_msg("case %zu", i);
    remove_run(&kept);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_report_is_the_document_of_the_run),
      cmocka_unit_test(test_a_run_goes_on_with_what_is_final),
      cmocka_unit_test(test_one_that_ended_the_process_fails),
      cmocka_unit_test(test_a_file_is_held_by_one_process),
      cmocka_unit_test(test_a_file_may_end_anywhere),
      cmocka_unit_test(test_a_byte_may_be_wrong),
      cmocka_unit_test(test_frames_that_are_no_json_are_refused),
      cmocka_unit_test(test_findings_that_are_no_json_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
