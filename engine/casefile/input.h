/* Entities files: plain text (one indicator a line), JSON array, NDJSON, a SecOps-like case, CSV
 * with a header; told apart by content. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/casefile.h"

/* Reads a file, `-` for standard input. A line that is no indicator becomes a skipped entity with
 * the reason, and the rest goes on. Errors name the file and, where there is one, the line.
 * AP_E_IO: cannot be read. AP_E_INVALID: binary, broken JSON as a whole, a quote of a CSV left
 * open. AP_E_TOO_LARGE: more entities than the case takes, JSON of more than 256 MiB. */
int case_input_read(struct casefile *cf, const char *path, struct ap_error *err) AP_MUST_USE;

/* The same from memory; `source` is the name in messages and must outlive the case. */
int case_input_parse(struct casefile *cf, const char *source, struct ap_slice text,
                     struct ap_error *err) AP_MUST_USE;

/* Reads the value of --entity: TYPE:VALUE, or a bare indicator whose type is inferred. What is no
 * indicator is refused: AP_E_INVALID with the reason. */
int case_input_option(struct casefile *cf, const char *text, struct ap_error *err) AP_MUST_USE;
