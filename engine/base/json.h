/* JSON as bytes: a strict check, walking, and writing. Answers are never decoded and encoded again;
 * what is kept and embedded are slices of the text that came.
 *
 * Everything but ap_json_check expects text that ap_json_check accepted. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

/* Depth as lua-cjson is told (decode_max_depth): deeper answers are refused before decoding. */
#define AP_JSON_MAX_DEPTH 128

enum ap_json_kind {
  AP_JSON_NULL,
  AP_JSON_BOOL,
  AP_JSON_NUMBER,
  AP_JSON_STRING,
  AP_JSON_ARRAY,
  AP_JSON_OBJECT,
};

/* Checks that text is one JSON value (RFC 8259, strict: no BOM, no lone surrogates, valid UTF-8,
 * nothing behind it but white space), at most max_depth deep and of at most max_values values.
 * AP_E_BAD_ANSWER with the byte offset, AP_E_TOO_LARGE for depth and count. */
int ap_json_check(struct ap_slice text, size_t max_depth, size_t max_values,
                  struct ap_error *err) AP_MUST_USE;

enum ap_json_kind ap_json_kind(struct ap_slice value);

/* Cuts the white space around a value. */
struct ap_slice ap_json_trim(struct ap_slice value);

/* Walks the members of an object or the items of an array:
 *   struct ap_json_walk walk = ap_json_walk(object);
 *   while (ap_json_next(&walk)) use(walk.key, walk.value);
 * key is the raw string token with its quotes (empty for an array), value the raw value. */
struct ap_json_walk {
  struct ap_slice key;
  struct ap_slice value;
  const char *at;
  const char *end;
  bool is_object;
};
struct ap_json_walk ap_json_walk(struct ap_slice container);
bool ap_json_next(struct ap_json_walk *walk);

/* The same for values that are containers themselves, so that nobody passes over a value to find
 * its end before it is read. Of what is no container, inner has nothing.
 *   while (ap_json_next_inner(&walk, &inner)) {
 *     while (ap_json_next(&inner)) use(walk.key, inner.key, inner.value);
 *     ap_json_leave_inner(&walk, &inner);
 *   }
 * walk.value is set when it is left. */
bool ap_json_next_inner(struct ap_json_walk *walk, struct ap_json_walk *inner);
void ap_json_leave_inner(struct ap_json_walk *walk, struct ap_json_walk *inner);

/* The value of a member; false when there is none. A key that stands twice: the last one wins, as
 * in lua-cjson. `key` is plain text without escapes. */
bool ap_json_get(struct ap_slice object, const char *key, struct ap_slice *value);

/* The values of several members in one walk; ptr is NULL where there is none. */
void ap_json_get_many(struct ap_slice object, const char *const *keys, size_t count,
                      struct ap_slice *values);
/* The same of what is left of a walk. */
void ap_json_read_many(struct ap_json_walk *walk, const char *const *keys, size_t count,
                       struct ap_slice *values);

/* Adds the decoded characters of a string token to out. */
void ap_json_read_string(struct ap_slice token, struct ap_buf *out);

/* An integer, also written as a string or as a float without a fraction, as VirusTotal's fields
 * sometimes are. False when it is none or does not fit. */
bool ap_json_read_int(struct ap_slice value, int64_t *number);

/* Adds value to out without the white space between tokens. */
void ap_json_compact(struct ap_slice value, struct ap_buf *out);

/* Writes a string token. Bytes that are not UTF-8 become U+FFFD; U+2028/9, DEL and the C1 controls
 * are escaped, so that the text is safe in a line, a log and a script. */
void ap_json_write_string(struct ap_buf *out, const char *text, size_t len);
void ap_json_write_cstr(struct ap_buf *out, const char *text); /* NULL writes null */

/* Writes a number in the fewest digits that read back the same; a whole one has no fraction. false,
 * and nothing is written: JSON has no infinity and no NaN. */
bool ap_json_write_number(struct ap_buf *out, double number) AP_MUST_USE;
