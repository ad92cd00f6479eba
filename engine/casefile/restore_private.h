/* The insides of what was restored, for the files of this room that share it. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/table.h"
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
  bool is_seen; /* of a run that is compared with: the other has the entity too */
};

/* A key is the step's name, a NUL, the type, and the identifier. */
struct case_found_slot {
  UT_hash_handle hh;
  struct case_found found;
  char key[];
};

struct case_known_step {
  struct case_known_step *next;
  char *name; /* NULL: the run itself */
  struct ap_buf info;
  struct ap_buf end;
  struct ap_buf warnings;
  struct case_cost cost;
};

struct case_restored {
  struct casefile *cf;
  struct ap_buf request;
  struct ap_buf end;
  struct case_found_slot *found;
  struct case_known_step *steps; /* in order; the first is the run itself */
};

/* Adds the text of a JSON string to out; nothing where there is none. */
void case_read_text(struct ap_slice value, struct ap_buf *out);
bool case_is_true(struct ap_slice value);

/* NULL: nothing is known. */
const struct case_found *case_restored_find(const struct case_restored *restored, const char *step,
                                            enum case_type type, const char *identifier);

/* Cost and warnings (JSON strings, joined by commas) of a step; NULL: it had not begun. */
const struct case_cost *case_restored_cost(const struct case_restored *restored, const char *step);
const struct ap_buf *case_restored_warnings(const struct case_restored *restored,
                                            const char *step); /* NULL step: of the run */
