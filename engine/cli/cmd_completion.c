/* completion: the script that a shell sources, and the words that it asks for. Everything is made
 * from the table of commands and options, and from the manifests. */
// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/kept.h"
#include "cli/options_private.h"

enum { MOST_RUNS = 20 };

/* Where nothing is printed, the shell completes files. */
static const char bash_script[] =
    "# Completion of apogee for bash. Made by `apogee completion bash`.\n"
    "_apogee() {\n"
    "  local word\n"
    "  COMPREPLY=()\n"
    "  while IFS= read -r word; do\n"
    "    COMPREPLY+=(\"$word\")\n"
    "  done < <(\"${COMP_WORDS[0]}\" completion words -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" "
    "2>/dev/null)\n"
    "}\n"
    "complete -o default -F _apogee apogee\n";

/* What was typed: the words behind the program's name, the last of which is completed. */
struct typed {
  const struct cli_command *command;
  struct cli_entry entries[CLI_ENTRIES_MAX];
  size_t entry_count;
  const char *const *words;
  size_t count;
  const char *current;
};

static void offer(const struct typed *typed, const char *word, size_t len)
{
  if (strncmp(word, typed->current, strlen(typed->current)) == 0 && len >= strlen(typed->current))
    (void)printf("%.*s\n", (int)len, word);
}

static void offer_word(const struct typed *typed, const char *word)
{
  offer(typed, word, strlen(word));
}

/* ---- options ---- */

static const struct cli_entry *find_entry(const struct typed *typed, const char *word)
{
  for (size_t i = 0; i < typed->entry_count; i++) {
    const struct cli_entry *entry = &typed->entries[i];
    const char letter[] = {'-', entry->option ? entry->option->letter : '\0', '\0'};
    if ((strncmp(word, "--", 2) == 0 && strcmp(word + 2, entry->name) == 0) ||
        (letter[1] && strcmp(word, letter) == 0))
      return entry;
  }
  return NULL;
}

static void offer_options(const struct typed *typed)
{
  char option[64];
  for (size_t i = 0; i < typed->entry_count; i++) {
    (void)snprintf(option, sizeof(option), "--%s", typed->entries[i].name);
    offer_word(typed, option);
  }
  offer_word(typed, "--help");
}

/* The words of "wait|stop", but not of "FILE|-". */
static void offer_values(const struct typed *typed, const char *value)
{
  for (const char *word = value; islower((unsigned char)*word);) {
    size_t len = strcspn(word, "|");
    if (value[strspn(value, "abcdefghijklmnopqrstuvwxyz_|-")] == '\0' && strchr(value, '|'))
      offer(typed, word, len);
    word += len + (word[len] == '|');
  }
}

/* ---- operands ---- */

/* The first word that is neither an option nor the value of one; NULL: there is none yet. */
static const char *find_operand(const struct typed *typed)
{
  char buf[64];
  for (size_t i = 1; i + 1 < typed->count; i++) {
    const struct cli_entry *entry = find_entry(typed, typed->words[i]);
    if (entry)
      i += cli_entry_value(entry, buf, sizeof(buf)) != NULL;
    else if (*typed->words[i] != '-')
      return typed->words[i];
  }
  return NULL;
}

/* Scripts print "kind word" lines. */
static void offer_lines(const struct typed *typed, const char *kinds, char *text)
{
  char *rest = NULL;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    const char *blank = strchr(line, ' ');
    if (blank && strchr(kinds, *line))
      offer_word(typed, blank + 1);
  }
}

/* What the scripts know: names of actions and playbooks, or the options of a target's parameters.
 * Kinds are the first letters of the lines that are wanted. */
static void offer_of_scripts(const struct typed *typed, const char *target, const char *kinds)
{
  const char *taken[CLI_ENTRIES_MAX];
  struct cli_config config;
  struct ap_error err = {0};
  char *text = NULL;
  size_t size = 0;
  const struct run_request request = {
      .script = {.command = "complete",
                 .target = target,
                 .taken = taken,
                 .taken_count = cli_taken_names(taken)},
      .format = RUN_FORMAT_TABLE,
      .quiet = true,
      .capture = open_memstream(&text, &size),
  };
  if (!request.capture)
    return;
  if (cli_config_init(&config, &err) == AP_OK && cli_config_load(&config, NULL, &err) == AP_OK)
    (void)run_main(&request, &config);
  cli_config_deinit(&config);
  if (fclose(request.capture) == 0 && text)
    offer_lines(typed, kinds, text);
  free(text);
}

static void offer_runs(const struct typed *typed)
{
  struct cli_config config;
  struct ap_error err = {0};
  struct cli_kept *list = NULL;
  size_t count = 0;
  offer_word(typed, "last");
  if (cli_config_init(&config, &err) == AP_OK && cli_config_load(&config, NULL, &err) == AP_OK &&
      cli_kept_list(&config, &list, &count, &err) == AP_OK)
    for (size_t i = 0; i < count && i < MOST_RUNS; i++)
      offer_word(typed, list[i].id);
  free(list);
  cli_config_deinit(&config);
}

static void offer_commands(const struct typed *typed)
{
  for (const struct cli_command *command = cli_commands; command->name; command++)
    offer_word(typed, command->name);
}

static void offer_kinds(const struct typed *typed)
{
  offer_word(typed, "action");
  offer_word(typed, "playbook");
}

static void offer_operands(const struct typed *typed)
{
  static const struct {
    const char *command;
    const char *kinds;
  } of_scripts[] = {{"action", "a"}, {"run", "p"}, {"plan", "ap"}, {"show", "ap"}};
  const char *name = typed->command->name;
  for (size_t i = 0; i < sizeof(of_scripts) / sizeof(of_scripts[0]); i++)
    if (strcmp(name, of_scripts[i].command) == 0)
      offer_of_scripts(typed, NULL, of_scripts[i].kinds);
  if (strcmp(name, "show") == 0)
    offer_word(typed, "config");
  else if (strcmp(name, "help") == 0)
    offer_commands(typed);
  else if (strcmp(name, "completion") == 0)
    offer_word(typed, "bash");
  else if (strcmp(name, "new") == 0)
    offer_kinds(typed);
  else if (strcmp(name, "report") == 0 || strcmp(name, "resume") == 0)
    offer_runs(typed);
}

/* ---- the command ---- */

static void complete(struct typed *typed)
{
  const unsigned runs = CLI_GROUP_PARAMS | CLI_GROUP_ENTITIES;
  char buf[64];
  typed->entry_count = cli_entries(typed->command, typed->entries);
  const struct cli_entry *before = find_entry(typed, typed->words[typed->count - 2]);
  const char *value = before ? cli_entry_value(before, buf, sizeof(buf)) : NULL;
  const char *operand = find_operand(typed);
  if (value) {
    offer_values(typed, value);
  } else if (*typed->current == '-') {
    offer_options(typed);
    if (operand && (typed->command->groups & runs) == runs)
      offer_of_scripts(typed, operand, "o");
  } else if (!operand) {
    offer_operands(typed);
  }
}

static int print_words(const struct cli_words *words)
{
  if (words->count < 2)
    return CLI_EXIT_DONE;
  struct typed typed = {.words = words->items + 1,
                        .count = words->count - 1,
                        .current = words->items[words->count - 1]};
  if (typed.count == 1) {
    offer_commands(&typed);
    offer_word(&typed, "--help");
    offer_word(&typed, "--version");
    offer_word(&typed, "--explain-exit");
    return CLI_EXIT_DONE;
  }
  typed.command = cli_find_command(typed.words[0]);
  if (typed.command)
    complete(&typed);
  return CLI_EXIT_DONE;
}

int cli_completion(const struct cli_command *command, int argc, char **argv)
{
  struct cli_args args = {0};
  struct ap_error err = {0};
  int exit_code = CLI_EXIT_DONE;
  if (cli_options_parse(command, argc, argv, &args, NULL, &err) != AP_OK)
    exit_code = cli_wrong_usage(command->name, "%s", err.text);
  else if (args.operands.count && strcmp(args.operands.items[0], "words") == 0)
    exit_code = print_words(&args.operands);
  else if (args.operands.count == 1 && strcmp(args.operands.items[0], "bash") == 0)
    (void)fputs(bash_script, stdout);
  else
    exit_code = cli_wrong_usage(command->name, "which shell? There is bash");
  cli_args_deinit(&args);
  return exit_code;
}
