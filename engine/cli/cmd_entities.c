// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "casefile/input.h"
#include "cli/command.h"
#include "cli/notes.h"

enum { ENTITIES_MAX = 1000000 };

struct entities {
  struct casefile *cf;
  bool as_json;
  size_t given; /* with --entity */
};

static int take_entity(void *into, char *value, struct ap_error *err)
{
  struct entities *entities = into;
  int rc = case_input_option(entities->cf, value, err);
  entities->given += rc == AP_OK;
  return rc;
}

static int take_format(void *into, char *value, struct ap_error *err)
{
  struct entities *entities = into;
  entities->as_json = strcmp(value, "json") == 0;
  if (!entities->as_json && strcmp(value, "table") != 0)
    return ap_fail(err, AP_E_INVALID, "it must be table or json, not \"%.40s\"", value);
  return AP_OK;
}

const struct cli_option cli_entities_options[] = {
    {.name = "entity",
     .value = "TYPE:VALUE",
     .doc = "add one entity; without TYPE: it is inferred",
     .take = take_entity},
    {.name = "format", .value = "table|json", .doc = "(default table)", .take = take_format},
    {0},
};

static int read_all(const struct cli_command *command, int argc, char **argv,
                    struct entities *entities, struct cli_args *args)
{
  struct ap_error err = {0};
  if (cli_options_parse(command, argc, argv, args, NULL, &err) != AP_OK)
    return cli_wrong_usage(command->name, "%s", err.text);
  if (entities->given == 0 && args->operands.count == 0)
    return cli_wrong_usage(command->name, "no entities file was given (- is standard input)");
  for (size_t i = 0; i < args->operands.count; i++)
    if (case_input_read(entities->cf, args->operands.items[i], &err) != AP_OK) {
      ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err.text);
      return CLI_EXIT_USAGE;
    }
  return CLI_EXIT_DONE;
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

static void print_all(const struct entities *entities)
{
  cli_say_notes(entities->cf);
  if (entities->as_json) {
    print_json(entities->cf);
    return;
  }
  for (uint32_t i = 0; i < casefile_count(entities->cf); i++)
    print_row(casefile_entity(entities->cf, i));
}

int cli_entities(const struct cli_command *command, int argc, char **argv)
{
  struct entities entities = {0};
  struct cli_args args = {.own = &entities};
  if (casefile_new(ENTITIES_MAX, &entities.cf) != AP_OK) {
    ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", ap_error_text(AP_E_NO_MEMORY));
    return CLI_EXIT_LIMIT;
  }
  int exit_code = read_all(command, argc, argv, &entities, &args);
  if (exit_code == CLI_EXIT_DONE)
    print_all(&entities);
  cli_args_deinit(&args);
  casefile_free(entities.cf);
  return exit_code;
}
