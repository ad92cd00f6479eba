// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/command.h"
#include "cli/notes.h"
#include "cli/print.h"

struct entities {
  bool as_json;
};

static int take_format(void *into, char *value, struct ap_error *err)
{
  return cli_take_as_json(&((struct entities *)into)->as_json, value, err);
}

const struct cli_option cli_entities_options[] = {
    {.name = "format", .value = "table|json", .doc = "(default table)", .take = take_format},
    {0},
};

/* Files may be named with --entities too, as for a run. */
static int read_all(const struct cli_command *command, const struct cli_args *args,
                    const struct cli_config *config, struct casefile **cf)
{
  struct cli_entities given = {
      .files = args->operands.items,
      .file_count = args->operands.count,
      .options = args->entity.items,
      .option_count = args->entity.count,
      .tlp = args->tlp,
      .most = config->limits.entities,
      .most_notes = SIZE_MAX,
  };
  if (given.file_count && args->entities.count)
    return cli_wrong_usage(command->name, "name the files with --entities or without, not both");
  if (args->entities.count) {
    given.files = args->entities.items;
    given.file_count = args->entities.count;
  }
  if (given.option_count == 0 && given.file_count == 0)
    return cli_wrong_usage(command->name, "no entities file was given (- is standard input)");
  return cli_read_entities(&given, cf);
}

/* ---- as a table ---- */

/* "  (" before the first remark, "; " before others; once there is one, close with ")". */
static void print_remark(bool *has_one, const char *label, const char *text)
{
  (void)fputs(*has_one ? "; " : "  (", stdout);
  (void)fputs(label, stdout);
  cli_print_text(text);
  *has_one = true;
}

struct alias_print {
  bool *has_one;
  bool is_next; /* not the first alias */
};

static void print_alias(void *arg, const char *alias)
{
  struct alias_print *print = arg;
  if (print->is_next) {
    (void)fputs(", ", stdout);
    cli_print_text(alias);
  } else {
    print_remark(print->has_one, "also ", alias);
  }
  print->is_next = true;
}

static void print_row(const struct casefile *cf, uint32_t index, const struct case_entity *entity)
{
  bool has_one = false;
  struct alias_print aliases = {.has_one = &has_one};
  (void)printf("%-10s  ", case_type_word(entity->type));
  cli_print_text(entity->identifier);
  if (entity->malformed)
    print_remark(&has_one, "skipped: ", entity->malformed);
  if (entity->internal)
    print_remark(&has_one, "", "internal");
  if (entity->suspicious)
    print_remark(&has_one, "", "suspicious");
  if (entity->original_identifier)
    print_remark(&has_one, "first written ", entity->original_identifier);
  casefile_aliases(cf, index, print_alias, &aliases);
  (void)fputs(has_one ? ")\n" : "\n", stdout);
}

/* ---- as JSON ---- */

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
  ap_buf_add_str(&line, ",\"properties\":");
  ap_buf_add_str(&line, entity->properties ? entity->properties : "{}");
  ap_buf_add_str(&line, ",\"source\":");
  ap_json_write_cstr(&line, entity->source);
  if (entity->line)
    ap_buf_add_fmt(&line, ",\"line\":%zu}", entity->line);
  else
    ap_buf_add_str(&line, ",\"line\":null}");
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

int cli_entities(const struct cli_command *command, int argc, char **argv)
{
  struct entities entities = {0};
  struct cli_args args = {.own = &entities};
  struct cli_config config;
  struct casefile *cf = NULL;
  int exit_code = cli_prepare(command, argc, argv, &args, &config);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = read_all(command, &args, &config, &cf);
  if (exit_code == CLI_EXIT_DONE && entities.as_json)
    print_json(cf);
  for (uint32_t i = 0; exit_code == CLI_EXIT_DONE && !entities.as_json && i < casefile_count(cf);
       i++)
    print_row(cf, i, casefile_entity(cf, i));
  cli_args_deinit(&args);
  cli_config_deinit(&config);
  casefile_free(cf);
  return exit_code;
}
