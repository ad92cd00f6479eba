/* Documents on their way out: laid out, gathered up to 64 KiB, then written. Inside the room only.
 *
 * The first failure is kept and everything after it does nothing; it is asked for once, at the end.
 */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/record.h"

#define CASE_EMIT_MAX_DEPTH 8

struct case_emit {
  struct ap_buf buf;
  case_write_fn *write;
  void *arg;
  int code;
  bool is_line;                        /* no newlines between members */
  unsigned depth;                      /* of case_emit_open */
  bool has_items[CASE_EMIT_MAX_DEPTH]; /* the open value at a depth needs a comma */
};

void case_emit_init(struct case_emit *out, bool is_line, case_write_fn *write, void *arg);

/* Writes what is left, frees, and returns the first failure. */
int case_emit_finish(struct case_emit *out) AP_MUST_USE;

/* Containers whose members stand on lines of their own: `[` or `{` opens, its partner closes. A
 * value is written behind case_emit_key or case_emit_item. */
void case_emit_open(struct case_emit *out, char bracket);
void case_emit_close(struct case_emit *out, char bracket);
void case_emit_item(struct case_emit *out);
void case_emit_key(struct case_emit *out, const char *name);

void case_emit_text(struct case_emit *out, const char *text);
void case_emit_bytes(struct case_emit *out, struct ap_slice bytes);
void case_emit_string(struct case_emit *out, const char *text); /* NULL writes null */
void case_emit_compact(struct case_emit *out, struct ap_slice json, const char *otherwise);
void case_emit_fmt(struct case_emit *out, const char *fmt, ...) AP_PRINTF(2, 3);

/* Copies len bytes of the spool. */
void case_emit_spooled(struct case_emit *out, struct store_spool *spool, uint64_t offset,
                       size_t len);
