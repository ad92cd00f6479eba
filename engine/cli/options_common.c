/* The options that commands share. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "casefile/tlp.h"
#include "cli/lock.h"
#include "cli/options_private.h"

static int take_text(const char **into, const char *value, struct ap_error *err)
{
  if (!*value)
    return ap_fail(err, AP_E_INVALID, "the value is empty");
  *into = value;
  return AP_OK;
}

static int add_word(struct cli_words *words, const struct cli_args *args, const char *value,
                    struct ap_error *err)
{
  if (!*value)
    return ap_fail(err, AP_E_INVALID, "the value is empty");
  if (!words->items)
    words->items = calloc(args->room, sizeof(*words->items));
  if (!words->items)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  words->items[words->count++] = value;
  return AP_OK;
}

/* Cuts value at its commas. */
static int add_words(struct cli_words *words, const struct cli_args *args, char *value,
                     struct ap_error *err)
{
  char *rest = NULL;
  size_t before = words->count;
  for (char *word = strtok_r(value, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
    int rc = add_word(words, args, word, err);
    if (rc != AP_OK)
      return rc;
  }
  return words->count > before ? AP_OK : ap_fail(err, AP_E_INVALID, "the value is empty");
}

static int take_config(void *into, char *value, struct ap_error *err)
{
  return take_text(&((struct cli_args *)into)->config, value, err);
}

static int take_output(void *into, char *value, struct ap_error *err)
{
  return take_text(&((struct cli_args *)into)->output, value, err);
}

static int take_scenario(void *into, char *value, struct ap_error *err)
{
  return take_text(&((struct cli_args *)into)->scenario, value, err);
}

static int take_request_log(void *into, char *value, struct ap_error *err)
{
  return take_text(&((struct cli_args *)into)->request_log, value, err);
}

static int take_ask_services(void *into, char *value, struct ap_error *err)
{
  (void)value;
  (void)err;
  ((struct cli_args *)into)->ask_services = true;
  return AP_OK;
}

static int take_lock(void *into, char *value, struct ap_error *err)
{
  if (!lock_name_is_good(value))
    return ap_fail(err, AP_E_INVALID,
                   "a name has 1 to 64 letters, digits, -, _ and ., and begins with no .");
  ((struct cli_args *)into)->lock = value;
  return AP_OK;
}

static int take_metrics(void *into, char *value, struct ap_error *err)
{
  return take_text(&((struct cli_args *)into)->metrics, value, err);
}

static int take_format(void *into, char *value, struct ap_error *err)
{
  struct cli_args *args = into;
  for (enum run_format format = 0; format < RUN_FORMAT_COUNT; format++)
    if (strcmp(value, run_format_word(format)) == 0) {
      args->format = format;
      args->has_format = true;
      return AP_OK;
    }
  return ap_fail(err, AP_E_INVALID,
                 "it must be json, ndjson, table, csv, markdown or html, not \"%.40s\"", value);
}

static int take_param(void *into, char *value, struct ap_error *err)
{
  struct cli_args *args = into;
  char *equals = strchr(value, '=');
  if (!equals || equals == value)
    return ap_fail(err, AP_E_INVALID, "it must be NAME=VALUE, like threshold=5");
  if (!args->params)
    args->params = calloc(args->room, sizeof(*args->params));
  if (!args->params)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  *equals = '\0';
  args->params[args->param_count++] = (struct script_param){value, equals + 1};
  return AP_OK;
}

static int take_entities(void *into, char *value, struct ap_error *err)
{
  struct cli_args *args = into;
  for (size_t i = 0; strcmp(value, "-") == 0 && i < args->entities.count; i++)
    if (strcmp(args->entities.items[i], "-") == 0)
      return ap_fail(err, AP_E_INVALID, "- was given twice, and standard input can be read once");
  return add_word(&args->entities, args, value, err);
}

static int take_entity(void *into, char *value, struct ap_error *err)
{
  struct cli_args *args = into;
  return add_word(&args->entity, args, value, err);
}

static int take_tlp(void *into, char *value, struct ap_error *err)
{
  if (!case_tlp_is_known(value))
    return ap_fail(err, AP_E_INVALID,
                   "it must be clear, green, amber, amber+strict or red, not \"%.40s\"", value);
  return take_text(&((struct cli_args *)into)->tlp, value, err);
}

static int take_only(void *into, char *value, struct ap_error *err)
{
  struct cli_args *args = into;
  return add_words(&args->only, args, value, err);
}

static int take_skip(void *into, char *value, struct ap_error *err)
{
  struct cli_args *args = into;
  return add_words(&args->skip, args, value, err);
}

static int take_simulate(void *into, char *value, struct ap_error *err)
{
  (void)value;
  (void)err;
  ((struct cli_args *)into)->simulate = true;
  return AP_OK;
}

static int take_fail_on_risky(void *into, char *value, struct ap_error *err)
{
  (void)value;
  (void)err;
  ((struct cli_args *)into)->fail_on_risky = true;
  return AP_OK;
}

static int take_changed(void *into, char *value, struct ap_error *err)
{
  (void)value;
  (void)err;
  ((struct cli_args *)into)->is_compared = true;
  return AP_OK;
}

static int take_quiet(void *into, char *value, struct ap_error *err)
{
  (void)value;
  (void)err;
  ((struct cli_args *)into)->quiet = true;
  return AP_OK;
}

static int take_verbose(void *into, char *value, struct ap_error *err)
{
  (void)value;
  (void)err;
  ((struct cli_args *)into)->verbose++;
  return AP_OK;
}

static int take_log_format(void *into, char *value, struct ap_error *err)
{
  (void)into;
  bool is_json = strcmp(value, "json") == 0;
  if (!is_json && strcmp(value, "text") != 0)
    return ap_fail(err, AP_E_INVALID, "it must be text or json, not \"%.40s\"", value);
  ap_log_set_json(is_json);
  return AP_OK;
}

const struct cli_option cli_common_options[] = {
    {.name = "entities",
     .value = "FILE|-",
     .group = CLI_GROUP_ENTITIES,
     .doc = "read entities from a file or standard input; may be repeated",
     .take = take_entities},
    {.name = "entity",
     .value = "TYPE:VALUE",
     .group = CLI_GROUP_ENTITIES,
     .doc = "add one entity; without TYPE: it is inferred; may be repeated",
     .take = take_entity},
    {.name = "tlp",
     .value = "WORD",
     .group = CLI_GROUP_ENTITIES,
     .doc = "the TLP of what comes without a stricter one: amber and red never leave",
     .take = take_tlp},
    {.name = "param",
     .letter = 'p',
     .value = "NAME=VALUE",
     .group = CLI_GROUP_PARAMS,
     .doc = "a parameter; may be repeated",
     .take = take_param},
    {.name = "only",
     .value = "STEP,...",
     .group = CLI_GROUP_STEPS,
     .doc = "run these steps and tags only",
     .take = take_only},
    {.name = "skip",
     .value = "STEP,...",
     .group = CLI_GROUP_STEPS,
     .doc = "leave these steps and tags out",
     .take = take_skip},
    {.name = "format",
     .value = "json|ndjson|table|csv|markdown|html",
     .group = CLI_GROUP_RESULT,
     .doc = "of the result; table on a terminal, else json",
     .take = take_format},
    {.name = "output",
     .letter = 'o',
     .value = "FILE",
     .group = CLI_GROUP_RESULT,
     .doc = "write the result there, whole or not at all",
     .take = take_output},
    {.name = "simulate",
     .group = CLI_GROUP_SIMULATE,
     .doc = "ask a simulator of VirusTotal instead: no key, no network",
     .take = take_simulate},
    {.name = "scenario",
     .value = "FILE",
     .group = CLI_GROUP_SIMULATE,
     .doc = "answers and faults of the simulator and of other services (with --simulate)",
     .take = take_scenario},
    {.name = "ask-services",
     .group = CLI_GROUP_SIMULATE,
     .doc = "ask other services all the same (with --simulate)",
     .take = take_ask_services},
    {.name = "request-log",
     .value = "FILE",
     .group = CLI_GROUP_SIMULATE,
     .doc = "a JSON line per request, without keys and secrets (with --simulate)",
     .take = take_request_log},
    {.name = "fail-on-risky",
     .group = CLI_GROUP_RUN,
     .doc = "exit with 10, 11 or 12 when something is risky",
     .take = take_fail_on_risky},
    {.name = "lock",
     .value = "NAME",
     .group = CLI_GROUP_CRON,
     .doc = "exit with 5 while another run holds this lock, also with --no-state",
     .take = take_lock},
    {.name = "changed-since-last",
     .group = CLI_GROUP_COMPARE,
     .doc = "say what is new since the last run of this name; with --quiet print only that",
     .take = take_changed},
    {.name = "metrics",
     .value = "FILE",
     .group = CLI_GROUP_CRON,
     .doc = "write how the run ended there, for Prometheus' textfile collector",
     .take = take_metrics},
    {.name = "config",
     .value = "FILE",
     .group = CLI_GROUP_CONFIG,
     .doc = "the configuration file; else $APOGEE_CONFIG, "
            "$XDG_CONFIG_HOME/apogee/config.lua, /etc/apogee/config.lua",
     .take = take_config},
    {.name = "quiet",
     .letter = 'q',
     .group = CLI_GROUP_LOG,
     .doc = "say on standard error what went wrong only, and show no progress",
     .take = take_quiet},
    {.name = "verbose",
     .letter = 'v',
     .group = CLI_GROUP_LOG,
     .doc = "say more; twice: even more",
     .take = take_verbose},
    {.name = "log-format",
     .value = "text|json",
     .group = CLI_GROUP_LOG,
     .doc = "of what is said on standard error (default text)",
     .take = take_log_format},
    {0},
};
