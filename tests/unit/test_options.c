// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/options_private.h"
#include "unit.h"

enum { WORDS_MAX = 24 };

/* argv in memory of its own, as main has it. */
struct fixture {
  struct cli_args args;
  struct cli_config config;
  struct ap_error err;
  char *argv[WORDS_MAX + 1];
  int argc;
  int stderr_copy;
  FILE *said;
};

static int set_up(void **state)
{
  struct fixture *fixture = calloc(1, sizeof(*fixture));
  assert_non_null(fixture);
  assert_int_equal(unsetenv("POSIXLY_CORRECT"), 0);
  assert_int_equal(cli_config_init(&fixture->config, &fixture->err), AP_OK);
  *state = fixture;
  return 0;
}

static void forget(struct fixture *fixture)
{
  cli_args_deinit(&fixture->args);
  for (int i = 0; i < fixture->argc; i++)
    free(fixture->argv[i]);
  fixture->argc = 0;
}

static int tear_down(void **state)
{
  struct fixture *fixture = *state;
  forget(fixture);
  cli_config_deinit(&fixture->config);
  ap_log_set_level(AP_LOG_WARN);
  ap_log_set_json(false);
  free(fixture);
  return 0;
}

static const struct cli_command *command_of(const char *name)
{
  const struct cli_command *command = cli_commands;
  while (command->name && strcmp(command->name, name) != 0)
    command++;
  assert_non_null(command->name);
  return command;
}

/* Parses a command line that is written with blanks between the words. */
static int parse(struct fixture *fixture, const char *line)
{
  forget(fixture);
  char *words = ap_memdup(line, strlen(line));
  char *rest = NULL;
  assert_non_null(words);
  for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
    assert_true(fixture->argc < WORDS_MAX);
    fixture->argv[fixture->argc++] = ap_memdup(word, strlen(word));
  }
  fixture->argv[fixture->argc] = NULL;
  free(words);
  return cli_options_parse(command_of(fixture->argv[0]), fixture->argc, fixture->argv,
                           &fixture->args, &fixture->config, &fixture->err);
}

static void assert_words(const struct cli_words *words, const char *wanted)
{
  struct ap_buf text = {0};
  for (size_t i = 0; i < words->count; i++)
    ap_buf_add_fmt(&text, "%s%s", i ? " " : "", words->items[i]);
  assert_string_equal(ap_buf_cstr(&text), wanted);
  ap_buf_deinit(&text);
}

/* ---- what is taken ---- */

static void test_every_option_of_a_run_is_taken(void **state)
{
  struct fixture *fixture = *state;
  const struct cli_args *args = &fixture->args;
  assert_int_equal(parse(fixture, "run triage --entities a.txt --entities - --entity url:x "
                                  "--param threshold=5 -p note=a=b --only urls,hashes --only x "
                                  "--skip=mark --format ndjson --output out.json --simulate"),
                   AP_OK);
  assert_words(&args->operands, "triage");
  assert_words(&args->entities, "a.txt -");
  assert_words(&args->entity, "url:x");
  assert_int_equal(args->param_count, 2);
  assert_string_equal(args->params[0].name, "threshold");
  assert_string_equal(args->params[0].value, "5");
  assert_string_equal(args->params[1].name, "note");
  assert_string_equal(args->params[1].value, "a=b");
  assert_words(&args->only, "urls hashes x");
  assert_words(&args->skip, "mark");
  assert_true(args->has_format);
  assert_int_equal(args->format, RUN_FORMAT_NDJSON);
  assert_string_equal(args->output, "out.json");
  assert_true(args->simulate);
  assert_false(args->fail_on_risky);
  assert_int_equal(parse(fixture, "run --scenario s.lua --fail-on-risky --config c.lua -q -o x t"),
                   AP_OK);
  assert_string_equal(args->scenario, "s.lua");
  assert_true(args->fail_on_risky);
  assert_string_equal(args->config, "c.lua");
  assert_string_equal(args->output, "x");
  assert_true(args->quiet);
  assert_false(args->has_format);
}

static void test_settings_go_to_the_configuration(void **state)
{
  struct fixture *fixture = *state;
  const struct cli_config *config = &fixture->config;
  assert_int_equal(parse(fixture, "run t --jobs 5 --deadline=10m --on-limit stop --no-cache "
                                  "--poll-interval 1s --tier premium --verify-ssl false "
                                  "--upload-max 32MiB --actions-path a:/b --api-key env:KEY"),
                   AP_OK);
  assert_int_equal(config->jobs, 5);
  assert_int_equal(config->deadline_ms, 600000);
  assert_int_equal(config->on_limit, CLI_LIMIT_STOP);
  assert_true(config->no_cache);
  assert_int_equal(config->virustotal.poll_interval_ms, 1000);
  assert_true(config->virustotal.tier.premium);
  assert_false(config->virustotal.verify_ssl);
  assert_int_equal(config->virustotal.upload_max_bytes, 33554432);
  assert_int_equal(config->actions_path.count, 2);
  assert_string_equal(config->virustotal.api_key.source, "env:KEY");
}

static void test_options_may_follow_operands_and_end_at_two_dashes(void **state)
{
  struct fixture *fixture = *state;
  assert_int_equal(parse(fixture, "check a.lua -v b.lua -- --jobs -v"), AP_OK);
  assert_words(&fixture->args.operands, "a.lua b.lua --jobs -v");
  assert_int_equal(fixture->args.verbose, 1);
  assert_int_equal(setenv("POSIXLY_CORRECT", "1", 1), 0);
  assert_int_equal(parse(fixture, "run triage --simulate"), AP_OK);
  assert_true(fixture->args.simulate);
  assert_words(&fixture->args.operands, "triage");
  assert_int_equal(parse(fixture, "run -"), AP_OK);
  assert_words(&fixture->args.operands, "-");
}

static void test_the_log_is_as_talkative_as_asked(void **state)
{
  struct fixture *fixture = *state;
  static const struct {
    const char *line;
    enum ap_log_level level;
  } cases[] = {{"list -q", AP_LOG_ERROR},
               {"list", AP_LOG_WARN},
               {"list -v", AP_LOG_INFO},
               {"list -vv", AP_LOG_DEBUG},
               {"list -v --verbose -v", AP_LOG_DEBUG},
               {"list -vq", AP_LOG_ERROR}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    assert_int_equal(parse(fixture, cases[i].line), AP_OK);
    assert_true(ap_log_wants(cases[i].level));
    if (cases[i].level < AP_LOG_DEBUG && ap_log_wants(cases[i].level + 1))
      fail_msg("%s says too much", cases[i].line);
  }
}

static void test_a_list_may_have_more_items_than_there_are_words(void **state)
{
  struct fixture *fixture = *state;
  assert_int_equal(parse(fixture, "run t --only a,b,c,d,e,f,,g,h,i,j --skip ,x"), AP_OK);
  assert_words(&fixture->args.only, "a b c d e f g h i j");
  assert_words(&fixture->args.skip, "x");
}

/* ---- what is wrong ---- */

static void test_what_is_wrong_is_said_in_a_sentence(void **state)
{
  struct fixture *fixture = *state;
  static const struct {
    const char *line;
    const char *says;
  } cases[] = {
      {"runs --frmat json", "unknown option --frmat: did you mean --format?"},
      {"runs --frmat=json", "unknown option --frmat: did you mean --format?"},
      {"runs --form json", "unknown option --form: did you mean --format?"},
      {"resume --threshold 5", "unknown option --threshold"},
      {"plan t --simulate", "plan takes no --simulate: it sends nothing and needs no key"},
      {"quota --simulate", "quota takes no --simulate: a simulated run spends nothing"},
      {"report --simulate", "report takes no --simulate: a simulated run is not kept"},
      {"doctor --simulate", "doctor takes no --simulate: run, action, ping and init do"},
      {"run t --format", "--format needs a value: --format json|ndjson|table|csv|markdown|html"},
      {"run t --jobs", "--jobs needs a value: --jobs N"},
      {"run t --on-limit", "--on-limit needs a value: --on-limit wait|stop"},
      {"run t -p", "--param needs a value: --param NAME=VALUE"},
      {"run t --entities --format json", "--entities needs a value: --entities FILE|-"},
      {"run t --simulate=yes", "--simulate takes no value"},
      {"run t --no-cache=yes", "--no-cache takes no value"},
      {"run t --format xml",
       "--format: it must be json, ndjson, table, csv, markdown or html, not \"xml\""},
      {"run t --log-format xml", "--log-format: it must be text or json, not \"xml\""},
      {"run t --param threshold", "--param: it must be NAME=VALUE, like threshold=5"},
      {"run t --param =5", "--param: it must be NAME=VALUE"},
      {"run t --entities - --entities -", "standard input can be read once"},
      {"run t --only ,", "--only: the value is empty"},
      {"run t --output=", "--output: the value is empty"},
      {"run t --jobs many", "--jobs: it must be a whole number from 1 to 1024, like 32, not "
                            "\"many\""},
      {"run t --jobs 0", "--jobs: it must be a whole number from 1 to 1024"},
      {"run t --deadline tomorrow", "--deadline: it must be a duration from 0s to 3650d, like "
                                    "\"10m\", not \"tomorrow\""},
      {"run t --on-limit go", "--on-limit: it must be wait or stop, not \"go\""},
      {"run t --verify-ssl no", "--verify-ssl: it must be true or false, not \"no\""},
      {"run t -z", "unknown option -z"},
      {"run t -vz", "unknown option -z"},
      {"run t -format json", "unknown option -format: did you mean --format?"},
      {"list --threshold 5", "unknown option --threshold"},
      {"list --jobs 5", "unknown option --jobs"},
      {"ping --entity url:x", "unknown option --entity"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    int rc = parse(fixture, cases[i].line);
    if (rc != AP_E_INVALID || !strstr(fixture->err.text, cases[i].says) ||
        strstr(fixture->err.text, "hunter2"))
      fail_msg("%s\n  gave %d \"%s\"", cases[i].line, rc, fixture->err.text);
  }
}

/* What a command does not have may be a parameter of what it runs. */
static void test_unknown_options_are_kept_aside(void **state)
{
  struct fixture *fixture = *state;
  static const struct {
    const char *line;
    const char *target; /* NULL: none */
    size_t operand_count;
    const char *name;
    const char *value; /* of the first; NULL: none */
    bool is_apart;
    const char *near;
  } cases[] = {
      {"run t --threshold 5", "t", 1, "threshold", "5", true, NULL},
      {"run t --threshold=5", "t", 1, "threshold", "5", false, NULL},
      {"run t --threshold=", "t", 1, "threshold", "", false, NULL},
      {"run --threshold 5 t", "t", 1, "threshold", "5", true, NULL},
      {"run --deep t", "t", 1, "deep", NULL, false, NULL},
      {"run --deep t --threshold 5", "t", 1, "deep", NULL, false, NULL},
      {"run t --deep --simulate", "t", 1, "deep", NULL, false, NULL},
      {"run t --deep x y", "t", 2, "deep", "x", true, NULL},
      {"run --threshold 5", NULL, 0, "threshold", "5", true, NULL},
      {"run t --threshold", "t", 1, "threshold", NULL, false, NULL},
      {"run t --threshold -- 5", "t", 2, "threshold", NULL, false, NULL},
      {"run t --frmat json", "t", 1, "frmat", "json", true, "format"},
      {"run t --form json", "t", 1, "form", "json", true, "format"},
      {"run t --form=json", "t", 1, "form", "json", false, "format"},
      {"run t --sim x", "t", 1, "sim", "x", true, "simulate"},
      {"action a --linux-password hunter2", "a", 1, "linux-password", "hunter2", true, NULL},
      {"plan a --threshold 5", "a", 1, "threshold", "5", true, NULL},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    const struct cli_args *args = &fixture->args;
    if (parse(fixture, cases[i].line) != AP_OK || args->loose_count == 0)
      fail_msg("%s: %s", cases[i].line, fixture->err.text);
    assert_int_equal(cases[i].operand_count, args->operands.count);
    if (cases[i].target)
      assert_string_equal(cases[i].target, args->operands.items[0]);
    assert_string_equal(cases[i].name, args->loose[0].name);
    assert_int_equal(cases[i].is_apart, args->loose[0].is_apart);
    assert_int_equal(cases[i].value == NULL, args->loose[0].value == NULL);
    if (cases[i].value)
      assert_string_equal(cases[i].value, args->loose[0].value);
    assert_int_equal(cases[i].near == NULL, args->loose[0].near == NULL);
    if (cases[i].near)
      assert_string_equal(cases[i].near, args->loose[0].near);
  }
}

/* ---- secrets ---- */

static void capture_begin(struct fixture *fixture)
{
  fixture->said = tmpfile();
  assert_non_null(fixture->said);
  fixture->stderr_copy = dup(STDERR_FILENO);
  assert_true(dup2(fileno(fixture->said), STDERR_FILENO) >= 0);
}

static void capture_end(struct fixture *fixture, char *text, size_t size)
{
  (void)dup2(fixture->stderr_copy, STDERR_FILENO);
  (void)close(fixture->stderr_copy);
  rewind(fixture->said);
  text[fread(text, 1, size - 1, fixture->said)] = '\0';
  (void)fclose(fixture->said);
}

static void test_a_bare_secret_is_warned_of_and_overwritten(void **state)
{
  struct fixture *fixture = *state;
  static const char *const lines[] = {"run t --api-key hunter2hunter2",
                                      "run t --api-key=hunter2hunter2",
                                      "run t --proxy-password hunter2hunter2"};
  for (size_t i = 0; i < COUNT_OF(lines); i++) {
    char said[512];
    capture_begin(fixture);
    int rc = parse(fixture, lines[i]);
    capture_end(fixture, said, sizeof(said));
    assert_int_equal(rc, AP_OK);
    assert_non_null(strstr(said, "process list"));
    assert_null(strstr(said, "hunter2"));
    for (int at = 0; at < fixture->argc; at++)
      assert_null(strstr(fixture->argv[at], "hunter2"));
  }
  assert_non_null(fixture->config.virustotal.api_key.bare);
  assert_non_null(fixture->config.virustotal.proxy_password.bare);
}

static void test_a_source_is_not_warned_of(void **state)
{
  struct fixture *fixture = *state;
  char said[512];
  capture_begin(fixture);
  int rc = parse(fixture, "ping --api-key file:/etc/apogee/vt.key");
  capture_end(fixture, said, sizeof(said));
  assert_int_equal(rc, AP_OK);
  assert_string_equal(said, "");
  assert_string_equal(fixture->argv[2], "file:/etc/apogee/vt.key");
}

/* ---- the tables ---- */

static void test_no_command_has_an_option_twice(void **state)
{
  (void)state;
  for (const struct cli_command *command = cli_commands; command->name; command++) {
    struct cli_entry entries[CLI_ENTRIES_MAX];
    size_t count = cli_entries(command, entries);
    for (size_t i = 0; i < count; i++)
      for (size_t j = 0; j < i; j++) {
        char a = entries[i].option ? entries[i].option->letter : '\0';
        char b = entries[j].option ? entries[j].option->letter : '\0';
        if (strcmp(entries[i].name, entries[j].name) == 0 || (a && a == b))
          fail_msg("%s has --%s and --%s", command->name, entries[i].name, entries[j].name);
      }
  }
}

static void test_help_names_every_option_and_fits_a_page(void **state)
{
  (void)state;
  for (const struct cli_command *command = cli_commands; command->name; command++) {
    struct cli_entry entries[CLI_ENTRIES_MAX];
    size_t count = cli_entries(command, entries);
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    assert_non_null(to);
    cli_options_help(command, to);
    assert_int_equal(fclose(to), 0);
    for (size_t i = 0; i < count; i++) {
      char option[64];
      (void)snprintf(option, sizeof(option), "--%s", entries[i].name);
      if (!strstr(text, option))
        fail_msg("%s --help does not name %s", command->name, option);
    }
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
      if (strlen(line) > 100 || line[strlen(line) - 1] == ' ')
        fail_msg("%s --help: \"%s\"", command->name, line);
    free(text);
  }
}

static void test_commands_come_in_their_order(void **state)
{
  (void)state;
  static const char *const names[] = {"run",    "action",   "plan",     "resume",     "runs",
                                      "report", "list",     "show",     "check",      "new",
                                      "test",   "ping",     "entities", "quota",      "cache",
                                      "doctor", "simulate", "init",     "completion", "help"};
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    assert_string_equal(cli_commands[i].name, names[i]);
    assert_true(strncmp(cli_commands[i].help, "Examples:\n", strlen("Examples:\n")) == 0);
  }
  assert_null(cli_commands[COUNT_OF(names)].name);
}

#define WITH_ARGV(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_ARGV(test_every_option_of_a_run_is_taken),
      WITH_ARGV(test_settings_go_to_the_configuration),
      WITH_ARGV(test_options_may_follow_operands_and_end_at_two_dashes),
      WITH_ARGV(test_the_log_is_as_talkative_as_asked),
      WITH_ARGV(test_a_list_may_have_more_items_than_there_are_words),
      WITH_ARGV(test_what_is_wrong_is_said_in_a_sentence),
      WITH_ARGV(test_unknown_options_are_kept_aside),
      WITH_ARGV(test_a_bare_secret_is_warned_of_and_overwritten),
      WITH_ARGV(test_a_source_is_not_warned_of),
      cmocka_unit_test(test_no_command_has_an_option_twice),
      cmocka_unit_test(test_help_names_every_option_and_fits_a_page),
      cmocka_unit_test(test_commands_come_in_their_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
