/* Options that a command does not have: `--threshold 5` may be a parameter of the action or
 * playbook that is named, which only its manifest knows. They are kept aside for the scripts. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "cli/options_private.h"

int cli_loose_add(struct cli_args *args, char *word, int at, const char *near, struct ap_error *err)
{
  if (!args->loose)
    args->loose = calloc(args->room, sizeof(*args->loose));
  if (!args->loose_at)
    args->loose_at = calloc(args->room, sizeof(*args->loose_at));
  if (!args->loose || !args->loose_at)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  char *equals = strchr(word, '=');
  if (equals)
    *equals = '\0';
  args->loose_at[args->loose_count] = at;
  args->loose[args->loose_count++] =
      (struct script_option){.name = word + 2, .value = equals ? equals + 1 : NULL, .near = near};
  return AP_OK;
}

static bool is_operand(const struct cli_words *operands, const char *word)
{
  for (size_t i = 0; i < operands->count; i++)
    if (operands->items[i] == word)
      return true;
  return false;
}

static void remove_operand(struct cli_words *operands, const char *word)
{
  size_t kept = 0;
  for (size_t i = 0; i < operands->count; i++)
    if (operands->items[i] != word)
      operands->items[kept++] = operands->items[i];
  operands->count = kept;
}

static bool is_number(const char *word)
{
  return word[strspn(word, "0123456789.,+-")] == '\0';
}

/* The operand behind a loose option; NULL: there is none. */
static const char *value_behind(const struct cli_args *args, char *const *argv, size_t loose)
{
  const char *next = args->loose[loose].value ? NULL : argv[args->loose_at[loose] + 1];
  return next && is_operand(&args->operands, next) ? next : NULL;
}

/* What is to run stands by itself. Where no operand does, it is the first that can be a name: of
 * `apogee action --deep my_action` my_action. */
static const char *find_target(const struct cli_args *args, char *const *argv)
{
  const char *first = NULL;
  size_t behind_count = 0;
  for (size_t i = 0; i < args->loose_count; i++) {
    const char *next = value_behind(args, argv, i);
    behind_count += next != NULL;
    if (next && !first && !is_number(next))
      first = next;
  }
  return behind_count == args->operands.count ? first : NULL;
}

void cli_loose_settle(struct cli_args *args, char *const *argv)
{
  const char *target = find_target(args, argv);
  for (size_t i = 0; i < args->loose_count; i++) {
    const char *next = value_behind(args, argv, i);
    if (!next || next == target)
      continue;
    args->loose[i].value = next;
    args->loose[i].is_apart = true;
    remove_operand(&args->operands, next);
  }
}

size_t cli_taken_names(const char *names[CLI_ENTRIES_MAX])
{
  struct cli_entry entries[CLI_ENTRIES_MAX];
  size_t count = cli_entries(&cli_commands[0], entries); /* run takes what action takes, and more */
  for (size_t i = 0; i < count; i++)
    names[i] = entries[i].name;
  return count;
}
