/* The insides of a case, for the files of this room that share it.
 *
 * Entities lie in blocks that never move, because the hash tables point into them. There is one
 * table a type, and one more for malformed texts; a key that is spelled like the identifier shares
 * its bytes. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/arena.h"
#include "casefile/casefile.h"

struct case_slot;

struct casefile {
  const char *tlp; /* that every new entity has at least; borrowed, NULL: none */
  bool has_tlp;    /* some entity has one */
  uint32_t count;
  uint32_t max;
  uint64_t seed;        /* of the hash: nobody outside can make all keys collide */
  struct ap_buf blocks; /* of struct case_slot * */
  struct case_slot *tables[CASE_TYPE_COUNT + 1];
  struct ap_buf aliases; /* of struct alias */
  struct ap_buf notes;   /* of struct case_note */
  size_t notes_left_out;
  struct case_arena arena;
  const char *last_reason; /* why the last malformed one was: the next is often the same */
  struct ap_buf text;      /* scratch: the cleaned identifier, */
  struct ap_buf original;  /* the cleaned original, */
  struct ap_buf key;       /* the key, the TLP */
};
