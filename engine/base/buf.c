// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void ap_buf_init(struct ap_buf *buf, size_t max_bytes)
{
  *buf = (struct ap_buf){.max = max_bytes};
}

void ap_buf_deinit(struct ap_buf *buf)
{
  free(buf->ptr);
  ap_buf_init(buf, buf->max);
}

void ap_buf_clear(struct ap_buf *buf)
{
  buf->len = 0;
  buf->error = 0;
  if (buf->ptr)
    buf->ptr[0] = '\0';
}

char *ap_buf_room(struct ap_buf *buf, size_t more)
{
  if (buf->error)
    return NULL;
  size_t want = buf->len + more;
  if (want < buf->len || want == SIZE_MAX || (buf->max && want > buf->max)) {
    buf->error = AP_E_TOO_LARGE;
    return NULL;
  }
  if (want + 1 > buf->cap) {
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap < want + 1)
      cap = cap > SIZE_MAX / 2 ? want + 1 : cap * 2;
    char *grown = realloc(buf->ptr, cap);
    if (!grown) {
      buf->error = AP_E_NO_MEMORY;
      return NULL;
    }
    buf->ptr = grown;
    buf->cap = cap;
  }
  buf->ptr[buf->len] = '\0';
  buf->ptr[want] = '\0';
  return buf->ptr + buf->len;
}

void ap_buf_add(struct ap_buf *buf, const void *data, size_t len)
{
  char *room = ap_buf_room(buf, len);
  if (!room)
    return;
  if (len)
    memcpy(room, data, len);
  buf->len += len;
  buf->ptr[buf->len] = '\0';
}

void ap_buf_add_char(struct ap_buf *buf, char c)
{
  char *room = ap_buf_room(buf, 1);
  if (!room)
    return;
  *room = c;
  buf->len++;
}

void ap_buf_add_str(struct ap_buf *buf, const char *str)
{
  ap_buf_add(buf, str, strlen(str));
}

void ap_buf_add_fmt(struct ap_buf *buf, const char *fmt, ...)
{
  char text[128]; /* most are shorter */
  va_list args;
  va_list again;
  va_start(args, fmt);
  va_copy(again, args);
  int len = vsnprintf(text, sizeof(text), fmt, args);
  va_end(args);
  if (len < 0) {
    buf->error = AP_E_TOO_LARGE; /* past INT_MAX; our formats fail in no other way */
  } else if ((size_t)len < sizeof(text)) {
    ap_buf_add(buf, text, (size_t)len);
  } else if (ap_buf_room(buf, (size_t)len)) {
    (void)vsnprintf(buf->ptr + buf->len, (size_t)len + 1, fmt, again);
    buf->len += (size_t)len;
  }
  va_end(again);
}

void ap_buf_must(const struct ap_buf *buf)
{
  if (buf->error == AP_E_NO_MEMORY)
    ap_out_of_memory();
}

const char *ap_buf_cstr(const struct ap_buf *buf)
{
  return buf->ptr ? buf->ptr : "";
}

void ap_buf_wipe(struct ap_buf *buf)
{
  if (buf->ptr)
    explicit_bzero(buf->ptr, buf->cap);
  ap_buf_deinit(buf);
}

bool ap_slice_is(struct ap_slice slice, const char *str)
{
  return slice.len == strlen(str) && (slice.len == 0 || memcmp(slice.ptr, str, slice.len) == 0);
}

char *ap_memdup(const char *ptr, size_t len)
{
  char *copy = malloc(len + 1);
  if (!copy)
    return NULL;
  if (len)
    memcpy(copy, ptr, len);
  copy[len] = '\0';
  return copy;
}
