// SPDX-License-Identifier: Apache-2.0
#include "cli/notes.h"

#include "base/log.h"

void cli_say_notes(const struct casefile *cf)
{
  for (size_t i = 0; i < casefile_note_count(cf); i++) {
    const struct case_note *note = casefile_note(cf, i);
    if (note->line)
      ap_log(AP_LOG_CASE, AP_LOG_WARN, "%s:%zu: %s", note->source, note->line, note->text);
    else
      ap_log(AP_LOG_CASE, AP_LOG_WARN, "%s: %s", note->source, note->text);
  }
  if (casefile_notes_left_out(cf))
    ap_log(AP_LOG_CASE, AP_LOG_WARN, "and %zu more notes", casefile_notes_left_out(cf));
}
