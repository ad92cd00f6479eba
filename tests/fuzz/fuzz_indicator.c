/* Indicators as people write them. The first byte is the type that was said, if any. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/utf8.h"
#include "casefile/indicator.h"
#include "fuzz.h"
#include "vt/policy.h"
#include "vt/private_url.h"

static void look_closer(struct ap_slice text, enum case_type type)
{
  struct ap_buf key = {0};
  struct ap_slice host = {0};
  char *copy = fuzz_string(text);
  case_indicator_key(text.ptr, text.len, type, &key);
  (void)case_indicator_is_internal(text.ptr, text.len, type);
  if (case_indicator_has_port(text.ptr, text.len, &host))
    ap_require(host.len < text.len);
  (void)vt_private_url(copy);
  ap_buf_deinit(&key);
  free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = fuzz_input(data, size);
  enum case_type said = fuzz_byte(&input) % (CASE_TYPE_COUNT + 1);
  struct ap_slice text = {input.at, input.left};
  struct case_indicator found;
  struct ap_buf clean = {0};
  struct ap_error err = {0};
  int rc = case_indicator_read(text, said == CASE_TYPE_COUNT ? NULL : &said, &clean, &found, &err);
  if (rc == AP_OK) {
    ap_require(clean.len && clean.len <= CASE_INDICATOR_MAX_BYTES * 4);
    ap_require(found.type < CASE_TYPE_COUNT);
    ap_require(ap_utf8_is_valid(clean.ptr, clean.len) && !memchr(clean.ptr, '\0', clean.len));
    look_closer(ap_slice_of(&clean), found.type);
  } else {
    ap_require(err.text[0]);
  }
  ap_buf_deinit(&clean);
  return 0;
}
