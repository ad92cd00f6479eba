/* The file of a kept run, as somebody may leave it for `resume` and `report`. Lines of the input
 * are its frames, the first byte the kind, so that checksums are always right; the raw input is
 * read as a file too. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "casefile/frame.h"
#include "casefile/restore.h"
#include "fuzz.h"

static int to_buf(void *arg, const char *data, size_t len)
{
  ap_buf_add(arg, data, len);
  return AP_OK;
}

static void rebuild(struct case_restored *restored, struct store_spool *spool)
{
  const struct case_run_info info = {.run = "one", .status = "in_progress"};
  struct casefile *cf = case_restored_take_case(restored);
  struct case_record *record;
  struct ap_buf out = {0};
  ap_require(case_record_new(cf, spool, &record) == AP_OK);
  if (case_record_rebuild(record, restored) == AP_OK &&
      case_record_write_run(record, &info, to_buf, &out) == AP_OK)
    ap_require(ap_json_check(ap_slice_of(&out), AP_JSON_MAX_DEPTH + 8, SIZE_MAX, NULL) == AP_OK);
  ap_buf_deinit(&out);
  case_record_free(record);
  casefile_free(cf);
}

static void read_again(const char *path)
{
  struct store_spool *spool;
  struct case_restored *restored;
  struct ap_buf end = {0};
  struct ap_error err = {0};
  uint64_t findings;
  ap_require(store_spool_reopen(NULL, path, false, &spool, &err) == AP_OK);
  (void)case_restore_request(spool, &end);
  ap_buf_clear(&end);
  (void)case_restore_end(spool, &end, &findings);
  if (case_restore(spool, false, 1000, &restored, &err) == AP_OK) {
    rebuild(restored, spool);
    case_restored_free(restored);
  }
  ap_buf_deinit(&end);
  store_spool_close(spool);
}

static const char *folder(void)
{
  static char path[64];
  if (!*path) {
    (void)snprintf(path, sizeof(path), "%s", "/tmp/apogee-fuzz-XXXXXX");
    ap_require(mkdtemp(path));
  }
  return path;
}

/* A finding's head is binary: its numbers are in the first bytes of the line, one each. */
static void add_finding(struct store_spool *spool, struct fuzz_input line)
{
  struct case_frame_finding head = {
      .step_len = fuzz_byte(&line),
      .identifier_len = fuzz_byte(&line),
      .object_len = fuzz_byte(&line),
      .insights_len = fuzz_byte(&line),
      .tables_len = fuzz_byte(&line),
      .answer_len = fuzz_byte(&line),
      .detections = (signed char)fuzz_byte(&line),
      .type = fuzz_byte(&line),
      .outcome = fuzz_byte(&line),
      .flags = fuzz_byte(&line),
  };
  const struct ap_slice parts[] = {{(const char *)&head, sizeof(head)}, {line.at, line.left}};
  ap_require(case_frame_add(spool, CASE_FRAME_FINDING, parts, 2, NULL) == AP_OK);
}

static void write_frames(const char *path, struct fuzz_input input)
{
  struct store_spool *spool;
  struct ap_error err = {0};
  ap_require(store_spool_open(NULL, folder(), &spool, &err) == AP_OK);
  while (input.left) {
    struct ap_slice line = fuzz_line(&input);
    struct fuzz_input rest = {line.ptr, line.len};
    enum case_frame_kind kind = fuzz_byte(&rest) & 0x0fU;
    if (kind == CASE_FRAME_FINDING)
      add_finding(spool, rest);
    else
      ap_require(case_frame_add(spool, kind, &(struct ap_slice){rest.at, rest.left}, 1, NULL) ==
                 AP_OK);
  }
  ap_require(store_spool_keep(spool, path, &err) == AP_OK);
  ap_require(store_spool_flush(spool) == AP_OK);
  store_spool_close(spool);
}

static void write_raw(const char *path, struct fuzz_input input)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ap_require(fd >= 0 && write(fd, input.at, input.left) == (ssize_t)input.left);
  (void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char path[128];
  if (!size)
    return 0;
  (void)snprintf(path, sizeof(path), "%s/one.run", folder());
  write_frames(path, fuzz_input(data, size));
  read_again(path);
  write_raw(path, fuzz_input(data, size));
  read_again(path);
  (void)unlink(path);
  return 0;
}
