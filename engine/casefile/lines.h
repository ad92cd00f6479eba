/* Lines of a file or of memory, read as they are asked for. Inside the room only. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

#define CASE_LINE_MAX_BYTES ((size_t)1024 * 1024)

struct case_lines {
  int fd;              /* -1: memory */
  struct ap_buf held;  /* file: what was read and not used up */
  struct ap_slice all; /* memory: everything */
  size_t at;           /* where the next line begins */
  size_t line_at;      /* where the last line began */
  bool is_eof;         /* nothing more to read */
  bool skip_rest;      /* the last line was cut */
  size_t number;       /* of the last line, from 1 */
};

struct case_line {
  struct ap_slice text; /* without its LF or CRLF; borrowed until the next call */
  bool is_cut;          /* longer than CASE_LINE_MAX_BYTES: its beginning */
};

void case_lines_of_file(struct case_lines *lines, int fd); /* borrows fd */
void case_lines_of_memory(struct case_lines *lines, struct ap_slice text);
void case_lines_deinit(struct case_lines *lines);

/* The next line; *has is false at the end. A BOM in front of the first is left out. AP_E_IO with
 * errno's text, AP_E_INVALID for a NUL byte ("binary"). */
int case_lines_next(struct case_lines *lines, struct case_line *line, bool *has,
                    struct ap_error *err) AP_MUST_USE;

/* Everything from the beginning of the last line on, up to max bytes (else AP_E_TOO_LARGE). */
int case_lines_rest(struct case_lines *lines, size_t max, struct ap_slice *rest,
                    struct ap_error *err) AP_MUST_USE;
