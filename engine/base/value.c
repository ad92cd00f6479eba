// SPDX-License-Identifier: Apache-2.0
#include "base/value.h"

#include <stdlib.h>
#include <string.h>

void ap_value_deinit(struct ap_value *value)
{
  bool has_items = value->kind == AP_VALUE_LIST || value->kind == AP_VALUE_TABLE;
  for (size_t i = 0; has_items && i < value->len; i++) {
    ap_value_deinit(&value->items[i]);
    if (value->keys)
      free(value->keys[i]);
  }
  free(value->items);
  free((void *)value->keys);
  free(value->text);
  *value = (struct ap_value){0};
}

const struct ap_value *ap_value_get(const struct ap_value *value, const char *key)
{
  if (!value || value->kind != AP_VALUE_TABLE)
    return NULL;
  for (size_t i = 0; i < value->len; i++)
    if (strcmp(value->keys[i], key) == 0)
      return &value->items[i];
  return NULL;
}

const char *ap_value_text(const struct ap_value *value, const char *fallback)
{
  return value && value->kind == AP_VALUE_STRING ? value->text : fallback;
}
