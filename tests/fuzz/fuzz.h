/* What every fuzz target includes. A target ends the process where a promise is broken, with
 * ap_require or by a sanitizer; libFuzzer keeps the input that did it. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>
#include <string.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Input that is taken from the front, piece by piece; what is not there reads as zero and empty. */
struct fuzz_input {
  const char *at;
  size_t left;
};

static inline struct fuzz_input fuzz_input(const uint8_t *data, size_t size)
{
  return (struct fuzz_input){(const char *)data, size};
}

static inline unsigned char fuzz_byte(struct fuzz_input *input)
{
  if (!input->left)
    return 0;
  input->left--;
  return (unsigned char)*input->at++;
}

static inline struct ap_slice fuzz_bytes(struct fuzz_input *input, size_t len)
{
  struct ap_slice taken = {input->at, len < input->left ? len : input->left};
  input->at += taken.len;
  input->left -= taken.len;
  return taken;
}

/* A line without its end: corpora are text that people can read. */
static inline struct ap_slice fuzz_line(struct fuzz_input *input)
{
  const char *end = input->left ? memchr(input->at, '\n', input->left) : NULL;
  struct ap_slice line = fuzz_bytes(input, end ? (size_t)(end - input->at) : input->left);
  (void)fuzz_byte(input);
  return line;
}

/* Copies a slice into a C string of its own size, cut at a NUL, so that a read behind it is seen.
 */
static inline char *fuzz_string(struct ap_slice text)
{
  char *copy = ap_memdup(text.ptr, text.len ? strnlen(text.ptr, text.len) : 0);
  ap_require(copy);
  return copy;
}
