/* UTF-8, strict: no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629). */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

/* Bytes of the character at the start of text, 1 to 4; 0 when it is not valid or cut off. */
size_t ap_utf8_size(const char *text, size_t len);

/* The code point of a valid character of that size. */
unsigned ap_utf8_point(const char *text, size_t size);

/* False for a valid character that a terminal obeys, or that changes how the text around it is
 * shown: control characters (C0, DEL, C1), marks of direction, characters without a width. The same
 * that apogee.text makes visible. */
bool ap_utf8_is_visible(const char *text, size_t size);

bool ap_utf8_is_valid(const char *text, size_t len);

/* Adds a code point that is valid. */
void ap_utf8_add(struct ap_buf *out, unsigned point);
