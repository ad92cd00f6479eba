/* quota: what of the key's quota is used and left, who spent it, and what is pending. The ledger is
 * asked, nobody else. */
// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/look.h"
#include "cli/parts.h"
#include "cli/print.h"

struct quota {
  struct cli_look look; /* first */
  const struct cli_config *config;
  bool as_json;
};

static int take_format(void *into, char *value, struct ap_error *err)
{
  return cli_take_as_json(into, value, err);
}

const struct cli_option cli_quota_options[] = {
    {.name = "format", .value = "table|json", .doc = "(default table)", .take = take_format},
    {0},
};

static const char *kind_word(enum store_submission_kind kind)
{
  switch (kind) {
  case STORE_UPLOAD:
    return "upload";
  case STORE_URL_SCAN:
    return "url_scan";
  case STORE_RESCAN:
    return "rescan";
  }
  return "";
}

/* ---- as a table ---- */

static void print_window(const char *name, const struct store_window *window, uint64_t limit)
{
  char when[AP_CLOCK_TEXT];
  char wait[AP_UNITS_TEXT];
  char numbers[2][24] = {"no limit", "-"};
  int64_t wait_s = (window->again_unix_ms - ap_clock_unix_ms() + 999) / 1000;
  if (limit) {
    (void)snprintf(numbers[0], sizeof(numbers[0]), "%" PRIu64, limit);
    (void)snprintf(numbers[1], sizeof(numbers[1]), "%" PRIu32, window->left);
  }
  (void)printf("%-7s %9" PRIu32 " %9s %9s", name, window->used, numbers[0], numbers[1]);
  if (limit && window->again_unix_ms && wait_s > 0) {
    ap_clock_format_utc(window->again_unix_ms, when);
    ap_duration_format((uint64_t)wait_s * 1000, wait);
    (void)printf("   %s (in %s)", when, wait);
  }
  (void)putchar('\n');
}

static void print_windows(const struct quota *quota, const struct store_usage *usage)
{
  const struct cli_tier *tier = &quota->config->virustotal.tier;
  (void)printf("The quota of this key at %s (%s", quota->config->virustotal.url,
               tier->premium ? "a premium key" : "a public key");
  (void)printf(", lists of %" PRIu64 ")\n\n", tier->list);
  (void)printf("%-7s %9s %9s %9s   %s\n", "WINDOW", "USED", "LIMIT", "LEFT", "RETURNS");
  if (tier->per_minute)
    print_window("minute", &usage->minute, tier->per_minute);
  print_window("day", &usage->day, tier->per_day);
  print_window("month", &usage->month, tier->per_month);
  if (usage->day_is_marked)
    (void)puts("\nVirusTotal said that the quota is spent: the day counts as spent.");
  if (quota->config->reserve)
    (void)printf("\nRuns leave the last %" PRIu64 " of the day for others (reserve).\n",
                 quota->config->reserve);
}

static void print_spenders(const struct store_usage *usage)
{
  if (!usage->spender_count) {
    (void)puts("\nNobody has spent any this month.");
    return;
  }
  (void)printf("\n%9s %11s   %s\n", "TODAY", "THIS MONTH", "SPENT BY");
  for (size_t i = 0; i < usage->spender_count; i++) {
    const struct store_spender *spender = &usage->spenders[i];
    (void)printf("%9" PRIu64 " %11" PRIu64 "   ", spender->today, spender->this_month);
    cli_print_text(spender->name);
    (void)putchar('\n');
  }
}

static void print_pending(const struct store_usage *usage)
{
  char since[AP_CLOCK_TEXT];
  if (!usage->pending_count) {
    (void)puts("\nNo submission is pending.");
    return;
  }
  (void)printf("\n%-20s  %-8s  %s\n", "PENDING SINCE", "KIND", "WHAT");
  for (size_t i = 0; i < usage->pending_count; i++) {
    const struct store_pending *pending = &usage->pending[i];
    ap_clock_format_utc(pending->intended_unix_ms, since);
    (void)printf("%-20s  %-8s  ", since, kind_word(pending->kind));
    cli_print_text(pending->resource);
    (void)puts(pending->waited_for ? "" : " (not known to be sent)");
  }
}

/* ---- as JSON ---- */

static void add_time(struct ap_buf *out, const char *name, int64_t unix_ms)
{
  char when[AP_CLOCK_TEXT];
  if (unix_ms)
    ap_clock_format_utc(unix_ms, when);
  ap_buf_add_fmt(out, "\"%s\": ", name);
  ap_json_write_cstr(out, unix_ms ? when : NULL);
}

static void add_number(struct ap_buf *out, const char *name, uint64_t number, bool is_known)
{
  ap_buf_add_fmt(out, "\"%s\": ", name);
  if (is_known)
    ap_buf_add_fmt(out, "%" PRIu64, number);
  else
    ap_buf_add_str(out, "null");
  ap_buf_add_str(out, ", ");
}

static void add_window(struct ap_buf *out, const char *name, const struct store_window *window,
                       uint64_t limit, bool is_counted)
{
  ap_buf_add_fmt(out, "  \"%s\": {", name);
  add_number(out, "used", window->used, is_counted);
  add_number(out, "limit", limit, limit);
  add_number(out, "left", window->left, limit);
  add_time(out, "returns", limit ? window->again_unix_ms : 0);
  ap_buf_add_str(out, "},\n");
}

static void add_spenders(struct ap_buf *out, const struct store_usage *usage)
{
  ap_buf_add_str(out, "  \"spent_by\": [");
  for (size_t i = 0; i < usage->spender_count; i++) {
    ap_buf_add_str(out, i ? ",\n    {\"name\": " : "\n    {\"name\": ");
    ap_json_write_cstr(out, usage->spenders[i].name);
    ap_buf_add_fmt(out, ", \"today\": %" PRIu64 ", \"this_month\": %" PRIu64 "}",
                   usage->spenders[i].today, usage->spenders[i].this_month);
  }
  ap_buf_add_str(out, usage->spender_count ? "\n  ],\n" : "],\n");
}

static void add_pending(struct ap_buf *out, const struct store_usage *usage)
{
  ap_buf_add_str(out, "  \"pending\": [");
  for (size_t i = 0; i < usage->pending_count; i++) {
    const struct store_pending *pending = &usage->pending[i];
    ap_buf_add_fmt(out, "%s\n    {\"kind\": \"%s\", \"resource\": ", i ? "," : "",
                   kind_word(pending->kind));
    ap_json_write_cstr(out, pending->resource);
    ap_buf_add_str(out, ", \"waited_for\": ");
    ap_json_write_cstr(out, pending->waited_for);
    ap_buf_add_str(out, ", ");
    add_time(out, "since", pending->intended_unix_ms);
    ap_buf_add_char(out, '}');
  }
  ap_buf_add_str(out, usage->pending_count ? "\n  ]\n" : "]\n");
}

static void print_json(const struct quota *quota, const struct store_usage *usage)
{
  const struct cli_tier *tier = &quota->config->virustotal.tier;
  struct ap_buf out = {0};
  ap_buf_add_str(&out, "{\n  \"schema\": \"apogee.quota/1\",\n  ");
  add_time(&out, "at", ap_clock_unix_ms());
  ap_buf_add_str(&out, ",\n  \"service\": ");
  ap_json_write_cstr(&out, quota->config->virustotal.url);
  ap_buf_add_fmt(&out, ",\n  \"premium\": %s, \"list\": %" PRIu64 ", \"reserve\": %" PRIu64 ",\n",
                 tier->premium ? "true" : "false", tier->list, quota->config->reserve);
  add_window(&out, "minute", &usage->minute, tier->per_minute, tier->per_minute);
  add_window(&out, "day", &usage->day, tier->per_day, true);
  add_window(&out, "month", &usage->month, tier->per_month, true);
  ap_buf_add_fmt(&out, "  \"day_is_marked\": %s,\n", usage->day_is_marked ? "true" : "false");
  add_spenders(&out, usage);
  add_pending(&out, usage);
  ap_buf_add_str(&out, "}\n");
  (void)fputs(ap_buf_cstr(&out), stdout);
  ap_buf_deinit(&out);
}

/* ---- from begin to end ---- */

static void told(void *arg, int code, const struct store_usage *usage)
{
  struct quota *quota = arg;
  if (usage && quota->as_json)
    print_json(quota, usage);
  if (usage && !quota->as_json) {
    print_windows(quota, usage);
    print_spenders(usage);
    print_pending(usage);
  }
  cli_look_told(&quota->look, code);
}

static int show(const struct cli_config *config, bool as_json)
{
  struct quota quota = {.config = config, .as_json = as_json};
  const struct store_limits limits = cli_limits_of(config);
  int exit_code = cli_look_open(&quota.look, config, true);
  if (exit_code == CLI_EXIT_DONE)
    exit_code =
        cli_look_wait(&quota.look, store_usage_get(quota.look.store, &limits, told, &quota, NULL));
  cli_look_close(&quota.look);
  return exit_code;
}

int cli_quota(const struct cli_command *command, int argc, char **argv)
{
  bool as_json = false;
  struct cli_args args = {.own = &as_json};
  struct cli_config config;
  int exit_code = cli_prepare(command, argc, argv, &args, &config);
  if (exit_code == CLI_EXIT_DONE && args.operands.count)
    exit_code = cli_wrong_usage(command->name, "\"%.80s\" is one too many", args.operands.items[0]);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = show(&config, as_json);
  cli_args_deinit(&args);
  cli_config_deinit(&config);
  return exit_code;
}
