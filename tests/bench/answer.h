/* The bench server's answers: reports of about 7 KB, from a template made once. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>

enum {
  ANSWER_LIST_MAX = 25,
  ANSWER_HEADER_BYTES = 256,
  ANSWER_REPORT_BYTES = 8 * 1024,
  ANSWER_BYTES = ANSWER_HEADER_BYTES + ANSWER_LIST_MAX * ANSWER_REPORT_BYTES,
};

struct answer {
  size_t len;
  size_t items;
  char bytes[ANSWER_BYTES];
};

void answer_init(void); /* once, first */

/* Writes the HTTP answer to a form: a report for one hash, a list of them for several, and 400 for
 * what is not a form with SHA-256 hashes as its resource. */
void answer_write(const char *form, size_t len, struct answer *answer);
