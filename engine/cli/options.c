// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/nearest.h"
#include "cli/options_private.h"

enum { LONG_BASE = 256, NAME_SHOWN = 64 };

struct parser {
  const struct cli_command *command;
  struct cli_args *args;
  struct cli_config *config;
  struct ap_error *err;
  char **argv;
  int at; /* of the word that is read, in argv */
  struct cli_entry entries[CLI_ENTRIES_MAX];
  size_t count;
  struct option longs[CLI_ENTRIES_MAX + 1];
  char shorts[2 * CLI_ENTRIES_MAX + 3];
  const struct cli_entry *bare_secret; /* the last one whose value itself was given */
};

static bool takes_key(const struct cli_command *command, const struct cli_key *key)
{
  if (!key->option)
    return false;
  return (command->groups & CLI_GROUP_SETTINGS) ||
         (key->is_offline && (command->groups & CLI_GROUP_CONFIG));
}

size_t cli_entries(const struct cli_command *command, struct cli_entry entries[CLI_ENTRIES_MAX])
{
  size_t count = 0;
  for (const struct cli_option *own = command->own; own && own->name; own++)
    entries[count++] = (struct cli_entry){own->name, own, NULL};
  for (const struct cli_option *common = cli_common_options; common->name; common++)
    if (command->groups & common->group)
      entries[count++] = (struct cli_entry){common->name, common, NULL};
  for (size_t i = 0; i < cli_key_count; i++)
    if (takes_key(command, &cli_keys[i]))
      entries[count++] = (struct cli_entry){cli_keys[i].option, NULL, &cli_keys[i]};
  ap_require(count <= CLI_ENTRIES_MAX);
  return count;
}

static bool takes_value(const struct cli_entry *entry)
{
  return entry->key ? entry->key->kind != CLI_FLAG : entry->option->value != NULL;
}

/* A '-' first: operands come in their place, whatever POSIXLY_CORRECT says. A ':' then: a missing
 * value is told apart. */
static void build_tables(struct parser *parser)
{
  size_t len = 0;
  parser->count = cli_entries(parser->command, parser->entries);
  parser->shorts[len++] = '-';
  parser->shorts[len++] = ':';
  for (size_t i = 0; i < parser->count; i++) {
    const struct cli_entry *entry = &parser->entries[i];
    parser->longs[i] = (struct option){
        .name = entry->name,
        .has_arg = takes_value(entry) ? required_argument : no_argument,
        .val = LONG_BASE + (int)i,
    };
    if (entry->option && entry->option->letter) {
      parser->shorts[len++] = entry->option->letter;
      if (takes_value(entry))
        parser->shorts[len++] = ':';
    }
  }
}

static const struct cli_entry *entry_of(const struct parser *parser, int code)
{
  if (code >= LONG_BASE)
    return &parser->entries[code - LONG_BASE];
  for (size_t i = 0; i < parser->count; i++)
    if (parser->entries[i].option && parser->entries[i].option->letter == code)
      return &parser->entries[i];
  return NULL;
}

static size_t name_len(const char *word)
{
  return strcspn(word, "=");
}

/* The entry whose name is exactly the option that word ("--name", "--name=value") has. */
static const struct cli_entry *named_entry(const struct parser *parser, const char *word)
{
  if (strncmp(word, "--", 2) != 0)
    return NULL;
  for (size_t i = 0; i < parser->count; i++)
    if (strlen(parser->entries[i].name) == name_len(word + 2) &&
        strncmp(parser->entries[i].name, word + 2, name_len(word + 2)) == 0)
      return &parser->entries[i];
  return NULL;
}

/* ---- what is wrong ---- */

/* What was meant: the only name that begins so, or one that is spelt nearly so. NULL: none. */
static const char *meant_name(const struct parser *parser, const char *name)
{
  const char *names[CLI_ENTRIES_MAX] = {0};
  const char *begins = NULL;
  size_t begin_count = 0;
  if (strlen(name) < 2)
    return NULL;
  for (size_t i = 0; i < parser->count; i++) {
    names[i] = parser->entries[i].name;
    if (strncmp(names[i], name, strlen(name)) == 0) {
      begins = names[i];
      begin_count++;
    }
  }
  return begin_count == 1 ? begins : ap_nearest(name, names, parser->count);
}

/* Whoever mistypes a name begins it right: linux-password is not proxy-password. */
static const char *near_of(const struct parser *parser, const char *name)
{
  const char *near = meant_name(parser, name);
  return near && *near == *name ? near : NULL;
}

/* Running something takes its parameters as options too. */
static bool may_be_param(const struct parser *parser, const char *word)
{
  const unsigned groups = CLI_GROUP_PARAMS | CLI_GROUP_ENTITIES;
  return (parser->command->groups & groups) == groups && strncmp(word, "--", 2) == 0 &&
         isalpha((unsigned char)word[2]);
}

/* Whoever has tried `run --simulate` tries it elsewhere. */
static int no_simulation(const struct parser *parser)
{
  static const struct {
    const char *command;
    const char *why;
  } reasons[] = {
      {"plan", "it sends nothing and needs no key"},
      {"quota", "a simulated run spends nothing of a key's quota"},
      {"resume", "a simulated run is not kept"},
      {"runs", "a simulated run is not kept"},
      {"report", "a simulated run is not kept"},
      {"cache", "a simulated run keeps nothing"},
  };
  const char *why = "run, action, ping and init do";
  for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
    if (strcmp(parser->command->name, reasons[i].command) == 0)
      why = reasons[i].why;
  return ap_fail(parser->err, AP_E_INVALID, "%s takes no --simulate: %s", parser->command->name,
                 why);
}

static int unknown_option(const struct parser *parser, char *word)
{
  bool is_long = strncmp(word, "--", 2) == 0;
  const char *dashes = is_long ? "--" : "-";
  const char *start = word + strlen(dashes);
  char name[NAME_SHOWN];
  (void)snprintf(name, sizeof(name), "%.*s", (int)name_len(start), start);
  if (is_long && strcmp(name, "simulate") == 0)
    return no_simulation(parser);
  if (may_be_param(parser, word))
    return cli_loose_add(parser->args, word, parser->at, near_of(parser, name), parser->err);
  const char *near = meant_name(parser, name);
  return ap_fail(parser->err, AP_E_INVALID, "unknown option %s%s%s%s%s", dashes, name,
                 near ? ": did you mean --" : "", near ? near : "", near ? "?" : "");
}

static int missing_value(const struct parser *parser, const struct cli_entry *entry)
{
  char buf[NAME_SHOWN];
  return ap_fail(parser->err, AP_E_INVALID, "--%s needs a value: --%s %s", entry->name, entry->name,
                 cli_entry_value(entry, buf, sizeof(buf)));
}

/* `word` is what getopt stopped at. */
static int refuse(const struct parser *parser, int code, char *word)
{
  const struct cli_entry *entry = optopt ? entry_of(parser, optopt) : NULL;
  if (code == ':' && entry)
    return missing_value(parser, entry);
  if (entry && named_entry(parser, word) == entry)
    return ap_fail(parser->err, AP_E_INVALID, "--%s takes no value", entry->name);
  if (strncmp(word, "--", 2) == 0 || !optopt)
    return unknown_option(parser, word);
  if (strlen(word) > 2 && word[1] == optopt)
    return unknown_option(parser, word); /* -format */
  char letter[] = {'-', (char)optopt, '\0'};
  return unknown_option(parser, letter);
}

/* ---- what is taken ---- */

static int take_setting(struct parser *parser, const struct cli_entry *entry, char *value)
{
  char origin[NAME_SHOWN];
  bool is_bare = value && entry->key->kind == CLI_SECRET && !ap_secret_is_source(value);
  (void)snprintf(origin, sizeof(origin), "--%s", entry->name);
  int rc = cli_key_set(entry->key, parser->config, value ? value : "true", CLI_FROM_OPTION, origin,
                       parser->err);
  if (is_bare) {
    explicit_bzero(value, strlen(value));
    parser->bare_secret = entry;
  }
  return rc;
}

static int take(struct parser *parser, const struct cli_entry *entry, char *value)
{
  if (entry->key)
    return take_setting(parser, entry, value);
  bool is_own = entry->option->group == 0;
  int rc = entry->option->take(is_own ? parser->args->own : parser->args, value, parser->err);
  if (rc != AP_OK)
    (void)ap_fail_context(parser->err, "--%s", entry->name);
  return rc;
}

/* An abbreviation is none: a new option could break it. What getopt took for its value goes back.
 */
static int refuse_abbreviation(struct parser *parser, char *word)
{
  if (optarg && optarg == parser->argv[optind - 1])
    optind--;
  return unknown_option(parser, word);
}

/* The option at argv[at] was read up to argv[optind]. */
static int take_option(struct parser *parser, int code)
{
  char *word = parser->argv[parser->at];
  if (code == '?' || code == ':')
    return refuse(parser, code, word);
  const struct cli_entry *entry = entry_of(parser, code);
  if (code >= LONG_BASE && named_entry(parser, word) != entry)
    return refuse_abbreviation(parser, word);
  bool is_next_word = takes_value(entry) && optarg == parser->argv[optind - 1];
  if (is_next_word && named_entry(parser, optarg))
    return missing_value(parser, entry);
  return take(parser, entry, optarg);
}

static void add_operand(struct cli_args *args, const char *word)
{
  args->operands.items[args->operands.count++] = word;
}

static int read_words(struct parser *parser, int argc)
{
  optind = 0; /* GNU: forget an earlier parse */
  opterr = 0;
  for (;;) {
    parser->at = optind ? optind : 1;
    int code = getopt_long(argc, parser->argv, parser->shorts, parser->longs, NULL);
    if (code == -1)
      break;
    if (code == 1) {
      add_operand(parser->args, optarg);
      continue;
    }
    int rc = take_option(parser, code);
    if (rc != AP_OK)
      return rc;
  }
  while (optind < argc)
    add_operand(parser->args, parser->argv[optind++]);
  cli_loose_settle(parser->args, parser->argv);
  return AP_OK;
}

static void set_log_level(const struct cli_args *args)
{
  static const enum ap_log_level levels[] = {AP_LOG_WARN, AP_LOG_INFO, AP_LOG_DEBUG};
  ap_log_set_level(args->quiet ? AP_LOG_ERROR : levels[args->verbose < 2 ? args->verbose : 2]);
}

/* One slot for each word and for each comma within one: no list is longer. */
static size_t count_room(int argc, char **argv)
{
  size_t room = (size_t)argc + 1;
  for (int i = 0; i < argc; i++)
    for (const char *comma = argv[i]; (comma = strchr(comma, ',')); comma++)
      room++;
  return room;
}

int cli_options_parse(const struct cli_command *command, int argc, char **argv,
                      struct cli_args *args, struct cli_config *config, struct ap_error *err)
{
  struct parser parser = {
      .command = command, .args = args, .config = config, .err = err, .argv = argv};
  ap_require(config || !(command->groups & (CLI_GROUP_CONFIG | CLI_GROUP_SETTINGS)));
  args->room = count_room(argc, argv);
  args->operands.items = calloc(args->room, sizeof(*args->operands.items));
  if (!args->operands.items)
    return ap_fail(err, AP_E_NO_MEMORY, "%s", ap_error_text(AP_E_NO_MEMORY));
  build_tables(&parser);
  int rc = read_words(&parser, argc);
  if (rc == AP_OK)
    set_log_level(args);
  if (parser.bare_secret)
    ap_log(AP_LOG_CLI, AP_LOG_WARN,
           "--%s: the secret itself was given: it showed in the process list, and the shell may "
           "have kept it; give file:PATH, env:NAME or credential:NAME",
           parser.bare_secret->name);
  return rc;
}

void cli_args_deinit(struct cli_args *args)
{
  free((void *)args->operands.items);
  free((void *)args->entities.items);
  free((void *)args->entity.items);
  free((void *)args->only.items);
  free((void *)args->skip.items);
  free(args->params);
  free(args->loose);
  free(args->loose_at);
  *args = (struct cli_args){0};
}
