// SPDX-License-Identifier: Apache-2.0
#include "casefile/types.h"

#include <string.h>
#include <strings.h>

static const struct {
  const char *word;
  const char *aliases; /* each ends in NUL, the last in two */
} types[CASE_TYPE_COUNT] = {
#define X(name, word, aliases) [CASE_TYPE_##name] = {word, aliases},
    CASE_TYPE_MAP(X)
#undef X
};

static const char *const outcomes[CASE_OUTCOME_COUNT] = {
#define X(name, word) [CASE_OUTCOME_##name] = word,
    CASE_OUTCOME_MAP(X)
#undef X
};

const char *case_type_word(enum case_type type)
{
  return type < CASE_TYPE_COUNT ? types[type].word : "unknown";
}

static bool type_has_name(unsigned type, const char *text)
{
  if (strcasecmp(text, types[type].word) == 0)
    return true;
  for (const char *alias = types[type].aliases; *alias; alias += strlen(alias) + 1)
    if (strcasecmp(text, alias) == 0)
      return true;
  return false;
}

bool case_type_parse(const char *text, enum case_type *type)
{
  for (unsigned i = 0; i < CASE_TYPE_COUNT; i++)
    if (type_has_name(i, text)) {
      *type = (enum case_type)i;
      return true;
    }
  return false;
}

const char *case_outcome_word(enum case_outcome outcome)
{
  return outcome < CASE_OUTCOME_COUNT ? outcomes[outcome] : "unknown";
}

bool case_outcome_parse(const char *text, enum case_outcome *outcome)
{
  for (unsigned i = 0; i < CASE_OUTCOME_COUNT; i++)
    if (strcmp(text, outcomes[i]) == 0) {
      *outcome = (enum case_outcome)i;
      return true;
    }
  return false;
}
