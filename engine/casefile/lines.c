// SPDX-License-Identifier: Apache-2.0
#include "casefile/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 * 1024 };

void case_lines_of_file(struct case_lines *lines, int fd)
{
  *lines = (struct case_lines){.fd = fd};
}

void case_lines_of_memory(struct case_lines *lines, struct ap_slice text)
{
  *lines = (struct case_lines){.fd = -1, .all = text, .is_eof = true};
}

void case_lines_deinit(struct case_lines *lines)
{
  ap_buf_deinit(&lines->held);
}

static struct ap_slice window(const struct case_lines *lines)
{
  return lines->fd < 0 ? lines->all : ap_slice_of(&lines->held);
}

/* What lies before the next line goes: the room is for what comes. */
static void drop_used(struct case_lines *lines)
{
  if (lines->at == 0)
    return;
  lines->held.len -= lines->at;
  memmove(lines->held.ptr, lines->held.ptr + lines->at, lines->held.len);
  lines->at = 0;
}

static int read_chunk(struct case_lines *lines, struct ap_error *err)
{
  char *room = ap_buf_room(&lines->held, CHUNK_BYTES);
  if (!room)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  ssize_t got;
  do {
    got = read(lines->fd, room, CHUNK_BYTES);
  } while (got < 0 && errno == EINTR);
  if (got < 0)
    return ap_fail(err, AP_E_IO, "%s", strerror(errno));
  lines->held.len += (size_t)got;
  lines->is_eof = got == 0;
  return AP_OK;
}

static int check_text(struct ap_slice text, struct ap_error *err)
{
  if (text.len && memchr(text.ptr, '\0', text.len))
    return ap_fail(err, AP_E_INVALID,
                   "binary, or UTF-16: it has a NUL byte; save it as text in UTF-8");
  return AP_OK;
}

/* Finds the end of the line at lines->at, up to which *newline is set (NULL: none within the limit
 * or before the end). */
static int find_newline(struct case_lines *lines, const char **newline, struct ap_error *err)
{
  size_t seen = 0;
  for (;;) {
    struct ap_slice all = window(lines);
    size_t left = all.len - lines->at;
    *newline = left > seen ? memchr(all.ptr + lines->at + seen, '\n', left - seen) : NULL;
    if (*newline || left > CASE_LINE_MAX_BYTES || lines->is_eof)
      return AP_OK;
    seen = left;
    drop_used(lines);
    int code = read_chunk(lines, err);
    if (code)
      return code;
  }
}

static int skip_cut_line(struct case_lines *lines, struct ap_error *err)
{
  const char *newline = NULL;
  while (lines->skip_rest) {
    int code = find_newline(lines, &newline, err);
    if (code)
      return code;
    struct ap_slice all = window(lines);
    const char *from = all.ptr + lines->at;
    size_t len = newline ? (size_t)(newline - from) + 1 : all.len - lines->at;
    code = check_text((struct ap_slice){from, len}, err);
    if (code)
      return code;
    lines->skip_rest = !newline && !lines->is_eof;
    lines->at += len;
  }
  return AP_OK;
}

static void skip_bom(struct case_lines *lines)
{
  struct ap_slice all = window(lines);
  if (lines->number == 1 && all.len >= 3 && memcmp(all.ptr, "\xef\xbb\xbf", 3) == 0)
    lines->at = 3;
}

int case_lines_next(struct case_lines *lines, struct case_line *line, bool *has,
                    struct ap_error *err)
{
  int code = skip_cut_line(lines, err);
  if (code)
    return code;
  const char *newline;
  code = find_newline(lines, &newline, err);
  if (code)
    return code;
  *has = window(lines).len > lines->at;
  if (!*has)
    return AP_OK;
  lines->number++;
  skip_bom(lines);
  lines->line_at = lines->at;
  const char *from = window(lines).ptr + lines->at;
  size_t len = newline ? (size_t)(newline - from) : window(lines).len - lines->at;
  lines->skip_rest = len > CASE_LINE_MAX_BYTES;
  if (lines->skip_rest)
    len = CASE_LINE_MAX_BYTES;
  lines->at += len + (newline && !lines->skip_rest ? 1 : 0);
  *line = (struct case_line){.text = {from, len}, .is_cut = lines->skip_rest};
  if (!line->is_cut && len && from[len - 1] == '\r')
    line->text.len--;
  return check_text(line->text, err);
}

int case_lines_rest(struct case_lines *lines, size_t max, struct ap_slice *rest,
                    struct ap_error *err)
{
  while (!lines->is_eof) {
    if (window(lines).len - lines->line_at > max)
      break;
    int code = read_chunk(lines, err);
    if (code)
      return code;
  }
  struct ap_slice all = window(lines);
  *rest = (struct ap_slice){all.ptr + lines->line_at, all.len - lines->line_at};
  lines->at = all.len;
  lines->skip_rest = false;
  if (rest->len > max)
    return ap_fail(
        err, AP_E_TOO_LARGE,
        "larger than %zu MiB, which JSON may not be: give a line for each entity instead (NDJSON, "
        "CSV, text)",
        max >> 20);
  return check_text(*rest, err);
}
