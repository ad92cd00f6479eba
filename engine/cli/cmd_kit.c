/* new and test: for those who write actions and playbooks. Both are Lua of the program (lua/kit) in
 * a state that may do what its user may. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/paths.h"
#include "net/web_host.h"
#include "script/trusted.h"

struct kit {
  const char *filter;
  const char *format;
  const char *http;
  bool is_recording;
};

static int take_filter(void *into, char *value, struct ap_error *err)
{
  if (!*value)
    return ap_fail(err, AP_E_INVALID, "the value is empty");
  ((struct kit *)into)->filter = value;
  return AP_OK;
}

static int take_format(void *into, char *value, struct ap_error *err)
{
  static const char *const words[] = {"text", "tap", "junit"};
  for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
    if (strcmp(words[i], value) == 0) {
      ((struct kit *)into)->format = words[i];
      return AP_OK;
    }
  return ap_fail(err, AP_E_INVALID, "it must be text, tap or junit, not \"%.40s\"", value);
}

static int take_record(void *into, char *value, struct ap_error *err)
{
  (void)value;
  (void)err;
  ((struct kit *)into)->is_recording = true;
  return AP_OK;
}

const struct cli_option cli_test_options[] = {
    {.name = "filter",
     .value = "TEXT",
     .doc = "run only the specs whose names hold this pattern of Lua",
     .take = take_filter},
    {.name = "format",
     .value = "text|tap|junit",
     .doc = "of what is printed: for people (default), or for a CI",
     .take = take_format},
    {.name = "record",
     .doc = "ask real services once, and write cassettes of what they answer, without secrets",
     .take = take_record},
    {0},
};

static int take_http(void *into, char *value, struct ap_error *err)
{
  struct net_web_host host;
  int rc = net_web_host_parse(value, &host, err);
  ((struct kit *)into)->http = value;
  return rc;
}

const struct cli_option cli_new_options[] = {
    {.name = "http",
     .value = "HOST",
     .doc = "of an action: it asks this service instead of VirusTotal",
     .take = take_http},
    {0},
};

static int start(const char *module, const struct kit *kit, const struct cli_args *args)
{
  struct ap_error err = {0};
  char engine[CLI_PATH_MAX];
  const char *options[8];
  size_t count = 0;
  ssize_t len = readlink("/proc/self/exe", engine, sizeof(engine) - 1);
  if (len < 0) {
    ap_log(AP_LOG_CLI, AP_LOG_ERROR, "/proc/self/exe: %s", strerror(errno));
    return CLI_EXIT_USAGE;
  }
  engine[len] = '\0';
  if (kit->filter) {
    options[count++] = "filter";
    options[count++] = kit->filter;
  }
  if (kit->format) {
    options[count++] = "format";
    options[count++] = kit->format;
  }
  if (kit->http) {
    options[count++] = "http";
    options[count++] = kit->http;
  }
  if (kit->is_recording) {
    options[count++] = "record";
    options[count++] = NULL;
  }
  const struct script_trusted trusted = {
      .module = module,
      .engine = engine,
      .words = args->operands.items,
      .word_count = args->operands.count,
      .options = options,
      .option_count = count / 2,
  };
  int exit_code = CLI_EXIT_USAGE;
  int rc = script_trusted_run(&trusted, &exit_code, &err);
  if (rc != AP_OK || *err.text)
    ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err.text);
  return exit_code;
}

/* @param wants_two  what is wrong when there are not two operands; NULL: any number will do */
static int kit_command(const struct cli_command *command, int argc, char **argv, const char *module,
                       const char *wants_two)
{
  struct kit kit = {0};
  struct ap_error err = {0};
  struct cli_args args = {.own = &kit};
  int exit_code = CLI_EXIT_DONE;
  if (cli_options_parse(command, argc, argv, &args, NULL, &err) != AP_OK)
    exit_code = cli_wrong_usage(command->name, "%s", err.text);
  else if (wants_two && args.operands.count != 2)
    exit_code = cli_wrong_usage(command->name, "%s", wants_two);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = start(module, &kit, &args);
  cli_args_deinit(&args);
  return exit_code;
}

int cli_test(const struct cli_command *command, int argc, char **argv)
{
  return kit_command(command, argc, argv, "kit.test", NULL);
}

int cli_new(const struct cli_command *command, int argc, char **argv)
{
  return kit_command(command, argc, argv, "kit.new",
                     "say what to write: new action NAME, or new playbook NAME");
}
