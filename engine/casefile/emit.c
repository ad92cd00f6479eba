// SPDX-License-Identifier: Apache-2.0
#include "casefile/emit.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { EMIT_BYTES = 64 * 1024 };

void case_emit_init(struct case_emit *out, bool is_line, case_write_fn *write, void *arg)
{
  *out = (struct case_emit){.write = write, .arg = arg, .is_line = is_line};
}

static void flush(struct case_emit *out)
{
  if (!out->code)
    out->code = ap_buf_error(&out->buf);
  if (!out->code && out->buf.len)
    out->code = out->write(out->arg, out->buf.ptr, out->buf.len);
  ap_buf_clear(&out->buf);
}

static void flush_when_full(struct case_emit *out)
{
  if (out->buf.len >= EMIT_BYTES || ap_buf_error(&out->buf))
    flush(out);
}

int case_emit_finish(struct case_emit *out)
{
  flush(out);
  ap_buf_deinit(&out->buf);
  return out->code;
}

void case_emit_bytes(struct case_emit *out, struct ap_slice bytes)
{
  while (bytes.len && !out->code) {
    size_t room = EMIT_BYTES > out->buf.len ? EMIT_BYTES - out->buf.len : 0;
    size_t len = bytes.len < room ? bytes.len : room;
    ap_buf_add(&out->buf, bytes.ptr, len);
    bytes = (struct ap_slice){bytes.ptr + len, bytes.len - len};
    flush_when_full(out);
  }
}

void case_emit_text(struct case_emit *out, const char *text)
{
  case_emit_bytes(out, (struct ap_slice){text, strlen(text)});
}

void case_emit_string(struct case_emit *out, const char *text)
{
  ap_json_write_cstr(&out->buf, text);
  flush_when_full(out);
}

void case_emit_compact(struct case_emit *out, struct ap_slice json, const char *otherwise)
{
  if (json.len)
    ap_json_compact(json, &out->buf);
  else
    ap_buf_add_str(&out->buf, otherwise);
  flush_when_full(out);
}

void case_emit_fmt(struct case_emit *out, const char *fmt, ...)
{
  char text[256];
  va_list args;
  va_start(args, fmt);
  int len = vsnprintf(text, sizeof(text), fmt, args);
  va_end(args);
  ap_require(len >= 0 && (size_t)len < sizeof(text));
  case_emit_text(out, text);
}

void case_emit_spooled(struct case_emit *out, struct store_spool *spool, uint64_t offset,
                       size_t len)
{
  while (len && !out->code) {
    size_t room = EMIT_BYTES > out->buf.len ? EMIT_BYTES - out->buf.len : 0;
    size_t part = len < room ? len : room;
    int code = store_spool_read(spool, offset, part, &out->buf);
    if (code)
      out->code = code;
    offset += part;
    len -= part;
    flush_when_full(out);
  }
}

static void new_line(struct case_emit *out)
{
  if (out->is_line)
    return;
  ap_buf_add_char(&out->buf, '\n');
  for (unsigned i = 0; i < out->depth; i++)
    ap_buf_add(&out->buf, "  ", 2);
}

void case_emit_open(struct case_emit *out, char bracket)
{
  ap_buf_add_char(&out->buf, bracket);
  out->depth++;
  ap_require(out->depth < CASE_EMIT_MAX_DEPTH);
  out->has_items[out->depth] = false;
}

void case_emit_close(struct case_emit *out, char bracket)
{
  bool has_items = out->has_items[out->depth];
  out->depth--;
  if (has_items)
    new_line(out);
  ap_buf_add_char(&out->buf, bracket);
  flush_when_full(out);
}

void case_emit_item(struct case_emit *out)
{
  flush_when_full(out);
  if (out->has_items[out->depth])
    ap_buf_add_char(&out->buf, ',');
  out->has_items[out->depth] = true;
  new_line(out);
}

void case_emit_key(struct case_emit *out, const char *name)
{
  case_emit_item(out);
  ap_json_write_cstr(&out->buf, name);
  ap_buf_add_str(&out->buf, out->is_line ? ":" : ": ");
}
