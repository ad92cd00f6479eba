/* The insides of what was restored, for record.c. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/frame.h"
#include "casefile/record_private.h"
#include "casefile/restore.h"

/* The last that is known of an entity in a step. */
struct case_found {
  struct case_entry entry;
  uint8_t frame_flags;
  enum case_type type;
  const char *step;
  const char *identifier;
  bool is_blamed;
};

/* NULL: nothing is known. */
const struct case_found *case_restored_find(const struct case_restored *restored, const char *step,
                                            enum case_type type, const char *identifier);

/* Cost and warnings (JSON strings, joined by commas) of a step; NULL: it had not begun. */
const struct case_cost *case_restored_cost(const struct case_restored *restored, const char *step);
const struct ap_buf *case_restored_warnings(const struct case_restored *restored,
                                            const char *step); /* NULL step: of the run */
