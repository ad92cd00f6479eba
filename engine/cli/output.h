/* Where the result goes: a file that is written whole or not at all, or standard output. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "base/error.h"

struct output;

/* Opens the target; NULL is standard output. A regular file stays as it is until output_commit:
 * what is written goes to a file beside it. What is no regular file (/dev/stdout, a FIFO, a
 * terminal) is written straight. AP_E_IO. */
int output_open(const char *path, struct output **out, struct ap_error *err) AP_MUST_USE;

/* A case_write_fn; arg is the output. Buffered. AP_E_IO, then and ever after. */
int output_write(void *arg, const char *data, size_t len) AP_MUST_USE;

/* Who may read the file, instead of those who may read the one that is replaced (a new one: its
 * owner only). What is written straight keeps its mode. */
void output_set_mode(struct output *output, mode_t mode);

/* Sends what is buffered on its way: after a line that somebody waits for. */
int output_flush(struct output *output) AP_MUST_USE;

/* The run is to end soon: a reader that does not read is not waited for without end any more. */
void output_hurry(struct output *output);

/* From here on SIGINT, SIGTERM and SIGHUP end the process at once, and leave no half-written file:
 * for when no loop runs any more that could see them. */
void output_end_on_signals(const struct output *output);

/* The document is whole: puts it in place. AP_E_IO, also of a write before, with its sentence. */
int output_commit(struct output *output, struct ap_error *err) AP_MUST_USE;

/* AP_OK, or AP_E_IO with the sentence of the write that failed. */
int output_problem(const struct output *output, struct ap_error *err) AP_MUST_USE;

/* Frees; what was not committed leaves no file behind. NULL is fine. */
void output_close(struct output *output);
