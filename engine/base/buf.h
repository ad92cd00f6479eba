/* The one growable byte buffer of the program; nobody else calls realloc.
 *
 * A buffer that could not grow (out of memory, or past its cap) is "failed": later appends do
 * nothing, and the code is asked for once at the end with ap_buf_error(). So a writer appends
 * freely and checks once. A zeroed struct is an empty buffer without a cap. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct ap_buf {
  char *ptr;  /* may be NULL when len is 0; when not NULL, ptr[len] is '\0' */
  size_t len; /* bytes in use */
  size_t cap; /* bytes allocated */
  size_t max; /* most bytes it may hold; 0 is no limit */
  int error;  /* 0, AP_E_NO_MEMORY or AP_E_TOO_LARGE */
};

void ap_buf_init(struct ap_buf *buf, size_t max_bytes);
void ap_buf_deinit(struct ap_buf *buf); /* frees; the buffer is empty and usable again, cap kept */
void ap_buf_clear(struct ap_buf *buf);  /* len = 0 and no error, keeps the memory */

void ap_buf_add(struct ap_buf *buf, const void *data, size_t len);
void ap_buf_add_char(struct ap_buf *buf, char c);
void ap_buf_add_str(struct ap_buf *buf, const char *str);
void ap_buf_add_fmt(struct ap_buf *buf, const char *fmt, ...) AP_PRINTF(2, 3);

/* Makes room for `more` bytes behind len. Returns where to write them, NULL on failure; the caller
 * adds what was written to len, and ends it with a NUL when it wrote fewer. */
char *ap_buf_room(struct ap_buf *buf, size_t more);

static inline int ap_buf_error(const struct ap_buf *buf)
{
  return buf->error;
}

/* Ends the process when memory was out: where what it holds may not be missing, and nobody can be
 * told. */
void ap_buf_must(const struct ap_buf *buf);

/* A NUL-terminated view; "" for an empty buffer. */
const char *ap_buf_cstr(const struct ap_buf *buf);

/* Overwrites the content, then frees: for buffers that held a secret. */
void ap_buf_wipe(struct ap_buf *buf);

/* Bytes that somebody else owns. */
struct ap_slice {
  const char *ptr;
  size_t len;
};

static inline struct ap_slice ap_slice_of(const struct ap_buf *buf)
{
  return (struct ap_slice){buf->ptr, buf->len};
}

bool ap_slice_is(struct ap_slice slice, const char *str);

/* A heap copy with a NUL behind; NULL when out of memory. The caller frees. */
char *ap_memdup(const char *ptr, size_t len);
