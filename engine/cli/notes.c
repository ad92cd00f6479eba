// SPDX-License-Identifier: Apache-2.0
#include "cli/notes.h"

#include "base/log.h"
#include "casefile/input.h"
#include "cli/command.h"

static void say_notes(const struct casefile *cf, size_t most)
{
  size_t count = casefile_note_count(cf);
  size_t said = count < most ? count : most;
  size_t left = count - said + casefile_notes_left_out(cf);
  for (size_t i = 0; i < said; i++) {
    const struct case_note *note = casefile_note(cf, i);
    if (note->line)
      ap_log(AP_LOG_CASE, AP_LOG_WARN, "%s:%zu: %s", note->source, note->line, note->text);
    else
      ap_log(AP_LOG_CASE, AP_LOG_WARN, "%s: %s", note->source, note->text);
  }
  if (left)
    ap_log(AP_LOG_CASE, AP_LOG_WARN, "and %zu more notes%s", left,
           most < count ? ": `apogee entities` shows them" : "");
}

static int said(int exit_code, const struct ap_error *err)
{
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err->text);
  return exit_code;
}

int cli_read_entities(const struct cli_entities *given, struct casefile **out)
{
  struct ap_error err = {0};
  uint32_t most = given->most > UINT32_MAX ? UINT32_MAX : (uint32_t)given->most;
  if (casefile_new(most, out) != AP_OK) {
    (void)ap_fail(&err, AP_E_NO_MEMORY, "out of memory");
    return said(CLI_EXIT_LIMIT, &err);
  }
  casefile_set_tlp(*out, given->tlp);
  for (size_t i = 0; i < given->file_count; i++)
    if (case_input_read(*out, given->files[i], &err) != AP_OK)
      return said(err.code == AP_E_NO_MEMORY ? CLI_EXIT_LIMIT : CLI_EXIT_USAGE, &err);
  for (size_t i = 0; i < given->option_count; i++)
    if (case_input_option(*out, given->options[i], &err) != AP_OK) {
      (void)ap_fail_context(&err, "--entity");
      return said(err.code == AP_E_NO_MEMORY ? CLI_EXIT_LIMIT : CLI_EXIT_USAGE, &err);
    }
  say_notes(*out, given->most_notes);
  return CLI_EXIT_DONE;
}
