/* Plain data: what a configuration or scenario file holds once it was read. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

enum ap_value_kind {
  AP_VALUE_NONE,
  AP_VALUE_BOOL,
  AP_VALUE_INT,
  AP_VALUE_NUMBER,
  AP_VALUE_STRING,
  AP_VALUE_LIST, /* a Lua table with keys 1..n, or empty */
  AP_VALUE_TABLE /* a Lua table with string keys */
};

struct ap_value {
  enum ap_value_kind kind;
  bool boolean;
  int64_t integer;
  double number;
  char *text; /* STRING: len bytes and a NUL */
  size_t len; /* STRING: bytes; LIST and TABLE: members */
  struct ap_value *items;
  char **keys; /* TABLE only, sorted bytewise */
};

/* Frees what hangs on a value and makes it AP_VALUE_NONE. */
void ap_value_deinit(struct ap_value *value);

/* A member of a TABLE; NULL when value is no table or has none of that name. */
const struct ap_value *ap_value_get(const struct ap_value *value, const char *key);

/* A STRING's text; otherwise fallback. */
const char *ap_value_text(const struct ap_value *value, const char *fallback);
