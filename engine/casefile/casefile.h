/* The case: the entities of one run, without their reports. What a step finds goes to the record
 * (record.h), so that memory grows with the number of entities only. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "casefile/types.h"

struct casefile;

/* What is known of an entity when it comes in. Pointers are borrowed for the call. */
struct case_entity_input {
  struct ap_slice identifier; /* as written, maybe defanged */
  struct ap_slice original;   /* the first spelling where the platform changed it; empty: none */
  bool has_type;
  enum case_type type;
  bool has_internal;
  bool internal;
  bool suspicious;
  struct ap_slice properties; /* a checked JSON object; empty: none */
  struct ap_slice tlp;        /* "amber", "TLP:AMBER"; empty: none */
  const char *problem;        /* why the reader takes it for no indicator; NULL: it does not */
  const char *source;         /* for messages: "hosts.txt"; kept by the case as given */
  size_t line;                /* in the source; 0: none */
};

/* One entity. Strings end in NUL, belong to the case and live as long as it. */
struct case_entity {
  const char *identifier;
  const char *original_identifier; /* NULL when the same as identifier */
  const char *properties;          /* JSON object; NULL: none */
  const char *tlp;                 /* lower case without "tlp:"; NULL: none */
  const char *malformed;           /* why it is skipped in every step; NULL when it is fine */
  const char *source;              /* where it came first, as the input said */
  size_t line;                     /* there; 0: none */
  uint32_t alias_head;             /* see case_aliases */
  enum case_type type;             /* CASE_TYPE_COUNT: malformed, and no type was said */
  bool internal;
  bool suspicious;
  bool enriched;
};

/* A note about one line of the input: skipped, merged, retyped, a port or a value dropped. */
struct case_note {
  const char *source;
  size_t line; /* 0: none */
  const char *text;
};

#define CASE_NOTES_KEPT 10000
#define CASE_ALIASES_KEPT 64 /* of one entity; further spellings are noted only */

/* @param max_entities  0: no limit */
int casefile_new(uint32_t max_entities, struct casefile **out) AP_MUST_USE;
void casefile_free(struct casefile *cf); /* NULL is fine */

/* Cleans, types and adds an entity, or merges it with the same indicator that is there: its
 * spelling becomes an alias, flags are or-ed, the stricter TLP stays, original and properties are
 * taken where there were none. index is the entity's. A URL is the same when its original is. A
 * malformed indicator is added too, with `malformed` set, so that it is listed as skipped.
 * AP_E_TOO_LARGE past max_entities. */
int casefile_add(struct casefile *cf, const struct case_entity_input *input, uint32_t *index,
                 struct ap_error *err) AP_MUST_USE;

/* The TLP of every entity that is added from here on and brings no stricter one. Borrowed as long
 * as the case lives; NULL: none. */
void casefile_set_tlp(struct casefile *cf, const char *tlp);

/* The strictest TLP of the entities that a text may name: those of its spelling, whatever their
 * type. NULL: none has one. */
const char *casefile_tlp_of(struct casefile *cf, const char *text);

uint32_t casefile_count(const struct casefile *cf);
struct case_entity *casefile_entity(struct casefile *cf, uint32_t index);

/* The other spellings merged into an entity, in the order they came: calls visit for each. */
void casefile_aliases(const struct casefile *cf, uint32_t index,
                      void (*visit)(void *arg, const char *alias), void *arg);

/* Notes kept, at most CASE_NOTES_KEPT, and how many more there were. A note is borrowed until the
 * next casefile_add. */
size_t casefile_note_count(const struct casefile *cf);
size_t casefile_notes_left_out(const struct casefile *cf);
const struct case_note *casefile_note(const struct casefile *cf, size_t index);
