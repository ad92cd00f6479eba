/* Entities files of all formats, which are told apart by content; and --entity. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/json.h"
#include "base/utf8.h"
#include "casefile/input.h"
#include "fuzz.h"

static void take_alias(void *arg, const char *alias)
{
  *(size_t *)arg += strlen(alias);
}

static void check_entity(struct casefile *cf, uint32_t index)
{
  const struct case_entity *entity = casefile_entity(cf, index);
  size_t bytes = 0;
  ap_require(entity->identifier && (entity->malformed || entity->type < CASE_TYPE_COUNT));
  if (!entity->malformed)
    ap_require(ap_utf8_is_valid(entity->identifier, strlen(entity->identifier)));
  if (entity->properties)
    ap_require(ap_json_check((struct ap_slice){entity->properties, strlen(entity->properties)},
                             AP_JSON_MAX_DEPTH, SIZE_MAX, NULL) == AP_OK);
  casefile_aliases(cf, index, take_alias, &bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  enum { ENTITIES_MAX = 1000 };
  struct ap_slice text = {(const char *)data, size};
  struct casefile *cf;
  struct ap_error err = {0};
  char *option = fuzz_string(text);
  ap_require(casefile_new(ENTITIES_MAX, &cf) == AP_OK);
  int rc = case_input_parse(cf, "FILE", text, &err);
  ap_require(rc == AP_OK || err.text[0]);
  rc = case_input_option(cf, option, &err);
  ap_require(rc == AP_OK || err.text[0]);
  ap_require(casefile_count(cf) <= ENTITIES_MAX);
  for (uint32_t i = 0; i < casefile_count(cf); i++)
    check_entity(cf, i);
  for (size_t i = 0; i < casefile_note_count(cf); i++)
    ap_require(casefile_note(cf, i)->text);
  casefile_free(cf);
  free(option);
  return 0;
}
