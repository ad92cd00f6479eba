/* The JSON of VirusTotal: the strict check, walking, compacting, and the split of a list answer.
 * The first byte says which call it answers. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/json.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "vt/engines.h"
#include "vt/split.h"

static const char *const asked[] = {
    "44d88612fea8a8f36de82e1278abb02f",
    "https://example.com/",
    "192.0.2.1",
};
enum { ASKED = sizeof(asked) / sizeof(asked[0]) };

static void check_string(struct ap_slice token)
{
  struct ap_buf text = {0};
  struct ap_buf written = {0};
  struct ap_buf again = {0};
  ap_json_read_string(token, &text);
  ap_require(ap_utf8_is_valid(ap_buf_cstr(&text), text.len));
  ap_json_write_string(&written, ap_buf_cstr(&text), text.len);
  ap_require(ap_json_check(ap_slice_of(&written), 1, 1, NULL) == AP_OK);
  ap_json_read_string(ap_slice_of(&written), &again);
  ap_require(again.len == text.len);
  ap_require(memcmp(ap_buf_cstr(&again), ap_buf_cstr(&text), text.len) == 0);
  ap_buf_deinit(&text);
  ap_buf_deinit(&written);
  ap_buf_deinit(&again);
}

static void walk(struct ap_slice value)
{
  static const char *const keys[] = {"resource", "scans", "a"};
  struct ap_slice values[3];
  int64_t number;
  (void)ap_json_read_int(value, &number);
  enum ap_json_kind kind = ap_json_kind(value);
  if (kind == AP_JSON_STRING)
    check_string(ap_json_trim(value));
  if (kind == AP_JSON_OBJECT)
    ap_json_get_many(value, keys, 3, values);
  if (kind != AP_JSON_ARRAY && kind != AP_JSON_OBJECT)
    return;
  struct ap_json_walk members = ap_json_walk(value);
  while (ap_json_next(&members)) {
    if (kind == AP_JSON_OBJECT)
      check_string(members.key);
    walk(members.value);
  }
  struct ap_json_walk outer = ap_json_walk(value);
  struct ap_json_walk inner;
  size_t count = 0;
  while (ap_json_next_inner(&outer, &inner)) {
    count += ap_json_next(&inner);
    ap_json_leave_inner(&outer, &inner);
    count += outer.value.len;
  }
  ap_require(count <= value.len);
}

/* Without its white space it is JSON still, and a second time changes nothing. */
static void compact(struct ap_slice text)
{
  struct ap_buf once = {0};
  struct ap_buf twice = {0};
  ap_json_compact(text, &once);
  ap_require(ap_json_check(ap_slice_of(&once), AP_JSON_MAX_DEPTH, SIZE_MAX, NULL) == AP_OK);
  ap_json_compact(ap_slice_of(&once), &twice);
  ap_require(once.len == twice.len && memcmp(once.ptr, twice.ptr, once.len) == 0);
  ap_buf_deinit(&once);
  ap_buf_deinit(&twice);
}

static void take_name(void *arg, struct ap_slice text)
{
  *(size_t *)arg += text.len;
}

static void split(enum vt_call call, struct ap_slice text)
{
  struct ap_slice items[ASKED];
  struct ap_slice scans = {0};
  struct vt_engines engines = {0};
  struct ap_error err = {0};
  size_t bytes = 0;
  if (vt_split(call, text, asked, ASKED, items, &err) != AP_OK) {
    ap_require(err.text[0]);
    return;
  }
  for (size_t i = 0; i < ASKED; i++) {
    if (!items[i].ptr)
      continue;
    ap_require(items[i].ptr >= text.ptr && items[i].len <= text.len);
    (void)vt_call_read(call, items[i]);
    if (ap_json_kind(items[i]) == AP_JSON_OBJECT)
      (void)ap_json_get(items[i], "scans", &scans);
    if (vt_engines_read(scans, &engines, take_name, &bytes) == AP_OK)
      ap_require(ap_json_check(ap_slice_of(&engines.rows), 3, SIZE_MAX, NULL) == AP_OK);
    ap_buf_deinit(&engines.rows);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = fuzz_input(data, size);
  enum vt_call call = fuzz_byte(&input) % VT_CALL_COUNT;
  struct ap_slice text = {input.at, input.left};
  struct ap_error err = {0};
  split(call, text);
  if (ap_json_check(text, AP_JSON_MAX_DEPTH, VT_ITEM_MAX_VALUES, &err) == AP_OK) {
    walk(ap_json_trim(text));
    compact(text);
  }
  struct ap_buf written = {0};
  ap_json_write_string(&written, text.ptr, text.len); /* any bytes at all */
  ap_require(ap_json_check(ap_slice_of(&written), 1, 1, NULL) == AP_OK);
  ap_buf_deinit(&written);
  return 0;
}
