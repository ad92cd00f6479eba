// SPDX-License-Identifier: Apache-2.0
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "casefile/input.h"
#include "cli/command.h"

enum { ENTITIES_MAX = 1000000 };

static const struct option long_options[] = {
    {"entity", required_argument, NULL, 'e'},
    {"format", required_argument, NULL, 'f'},
    {0},
};

static int read_all(struct casefile *cf, int argc, char **argv, bool *as_json)
{
  struct ap_error err = {0};
  int given = 0;
  int option;
  optind = 1;
  opterr = 0;
  while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
    if (option == 'e') {
      if (case_input_option(cf, optarg, &err) != AP_OK)
        return cli_wrong_usage(argv[0], "--entity: %s", err.text);
      given++;
    } else if (option == 'f' && strcmp(optarg, "json") == 0) {
      *as_json = true;
    } else if (option == 'f' && strcmp(optarg, "table") == 0) {
      *as_json = false;
    } else if (option == 'f') {
      return cli_wrong_usage(argv[0], "--format %s: it is table or json", optarg);
    } else {
      return cli_wrong_usage(argv[0], "%s: an unknown option, or its value is missing",
                             argv[optind - 1]);
    }
  }
  if (given == 0 && optind == argc)
    return cli_wrong_usage(argv[0], "no entities file was given (- is standard input)");
  for (int i = optind; i < argc; i++)
    if (case_input_read(cf, argv[i], &err) != AP_OK) {
      ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err.text);
      return CLI_EXIT_USAGE;
    }
  return CLI_EXIT_DONE;
}

static void say_notes(const struct casefile *cf)
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

static void print_row(const struct case_entity *entity)
{
  (void)printf("%-10s  %s", case_type_word(entity->type), entity->identifier);
  if (entity->malformed)
    (void)printf("  (skipped: %s)", entity->malformed);
  else if (entity->internal)
    (void)printf("  (internal)");
  (void)putchar('\n');
}

static void add_alias(void *arg, const char *alias)
{
  struct ap_buf *list = arg;
  if (list->len)
    ap_buf_add_char(list, ',');
  ap_json_write_cstr(list, alias);
}

static void print_object(const struct casefile *cf, uint32_t index,
                         const struct case_entity *entity)
{
  struct ap_buf line = {0};
  struct ap_buf aliases = {0};
  casefile_aliases(cf, index, add_alias, &aliases);
  ap_buf_add_str(&line, "{\"identifier\":");
  ap_json_write_cstr(&line, entity->identifier);
  ap_buf_add_str(&line, ",\"type\":");
  ap_json_write_cstr(&line, entity->type == CASE_TYPE_COUNT ? NULL : case_type_word(entity->type));
  if (entity->original_identifier) {
    ap_buf_add_str(&line, ",\"original_identifier\":");
    ap_json_write_cstr(&line, entity->original_identifier);
  }
  ap_buf_add_fmt(&line, ",\"internal\":%s,\"suspicious\":%s,\"aliases\":[%s],\"malformed\":",
                 entity->internal ? "true" : "false", entity->suspicious ? "true" : "false",
                 ap_buf_cstr(&aliases));
  ap_json_write_cstr(&line, entity->malformed);
  ap_buf_add_str(&line, "}");
  (void)fputs(ap_buf_cstr(&line), stdout);
  ap_buf_deinit(&aliases);
  ap_buf_deinit(&line);
}

static void print_json(struct casefile *cf)
{
  (void)fputs("[", stdout);
  for (uint32_t i = 0; i < casefile_count(cf); i++) {
    (void)fputs(i ? ",\n " : "", stdout);
    print_object(cf, i, casefile_entity(cf, i));
  }
  (void)fputs("]\n", stdout);
}

int cli_entities(int argc, char **argv)
{
  struct casefile *cf = NULL;
  bool as_json = false;
  if (casefile_new(ENTITIES_MAX, &cf) != AP_OK) {
    ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", ap_error_text(AP_E_NO_MEMORY));
    return CLI_EXIT_USAGE;
  }
  int exit_code = read_all(cf, argc, argv, &as_json);
  if (exit_code == CLI_EXIT_DONE) {
    say_notes(cf);
    if (as_json)
      print_json(cf);
    else
      for (uint32_t i = 0; i < casefile_count(cf); i++)
        print_row(casefile_entity(cf, i));
  }
  casefile_free(cf);
  return exit_code;
}
