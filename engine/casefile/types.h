/* The words of a case: what an entity can be, how it can end, how bad an insight is. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* X(NAME, canonical word, names that the Google SecOps platform uses for it) */
#define CASE_TYPE_MAP(X)                                                                           \
  X(FILEHASH, "filehash", "FILEHASH\0Filehash\0hash\0")                                            \
  X(IP_ADDRESS, "ip_address", "ADDRESS\0IP Address\0ip\0")                                         \
  X(URL, "url", "DestinationURL\0URL\0")                                                           \
  X(HOSTNAME, "hostname", "HOSTNAME\0Hostname\0DOMAIN\0")                                          \
  X(USER, "user", "USERUNIQNAME\0User\0")                                                          \
  X(FILE, "file", "FILENAME\0")

enum case_type {
#define X(name, word, aliases) CASE_TYPE_##name,
  CASE_TYPE_MAP(X)
#undef X
      CASE_TYPE_COUNT
};

/* Outcomes of an entity in a step; see "Outcomes of an entity" in the docs. Order is that of
 * messages. */
#define CASE_OUTCOME_MAP(X)                                                                        \
  X(REPORTED, "reported")                                                                          \
  X(SCANNED, "scanned")                                                                            \
  X(PENDING, "pending")                                                                            \
  X(NOT_FOUND, "not_found")                                                                        \
  X(LIMITED, "limited")                                                                            \
  X(FORBIDDEN, "forbidden")                                                                        \
  X(DENIED, "denied")                                                                              \
  X(FAILED, "failed")                                                                              \
  X(SKIPPED, "skipped")                                                                            \
  X(NOT_ASKED, "not_asked")

enum case_outcome {
#define X(name, word) CASE_OUTCOME_##name,
  CASE_OUTCOME_MAP(X)
#undef X
      CASE_OUTCOME_COUNT
};

/* The canonical word; "unknown" for CASE_TYPE_COUNT, the type of a malformed entity of which none
 * was said. */
const char *case_type_word(enum case_type type);

/* Reads a canonical word or one of the SecOps names, in any case of letters. False when unknown. */
bool case_type_parse(const char *text, enum case_type *type);

const char *case_outcome_word(enum case_outcome outcome);
bool case_outcome_parse(const char *text, enum case_outcome *outcome);
