// SPDX-License-Identifier: Apache-2.0
#include "casefile/notes.h"

#include <stdio.h>
#include <string.h>

#include "casefile/case_private.h"

enum { NOTE_MAX_BYTES = 512 };

void casefile_add_note(struct casefile *cf, const char *source, size_t line, const char *fmt, ...)
{
  char text[NOTE_MAX_BYTES];
  va_list args;
  va_start(args, fmt);
  int len = vsnprintf(text, sizeof(text), fmt, args);
  va_end(args);
  struct case_note note = {.source = source, .line = line};
  if (len >= 0 && casefile_note_count(cf) < CASE_NOTES_KEPT)
    note.text = case_arena_add(&cf->arena, text, strlen(text));
  if (note.text)
    ap_buf_add(&cf->notes, &note, sizeof(note));
  if (!note.text || ap_buf_error(&cf->notes))
    cf->notes_left_out++;
}

size_t casefile_note_count(const struct casefile *cf)
{
  return cf->notes.len / sizeof(struct case_note);
}

size_t casefile_notes_left_out(const struct casefile *cf)
{
  return cf->notes_left_out;
}

const struct case_note *casefile_note(const struct casefile *cf, size_t index)
{
  ap_require(index < casefile_note_count(cf));
  return (const struct case_note *)(const void *)cf->notes.ptr + index;
}
