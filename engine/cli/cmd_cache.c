/* cache: how much is kept of what was fetched, what is known of an indicator, and purging. */
// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/cache_show.h"
#include "cli/command.h"
#include "cli/look.h"
#include "cli/notes.h"
#include "cli/parts.h"
#include "cli/print.h"

struct options {
  bool as_json;
  bool list;
  bool purge;
  bool has_age;
  uint64_t older_than_ms;
};

static int take_format(void *into, char *value, struct ap_error *err)
{
  return cli_take_as_json(&((struct options *)into)->as_json, value, err);
}

static int take_list(void *into, char *value, struct ap_error *err)
{
  (void)value;
  (void)err;
  ((struct options *)into)->list = true;
  return AP_OK;
}

static int take_purge(void *into, char *value, struct ap_error *err)
{
  (void)value;
  (void)err;
  ((struct options *)into)->purge = true;
  return AP_OK;
}

static int take_older_than(void *into, char *value, struct ap_error *err)
{
  struct options *options = into;
  options->has_age = true;
  if (ap_duration_parse(value, &options->older_than_ms) == AP_OK)
    return AP_OK;
  return ap_fail(err, AP_E_INVALID, "it must be a duration, like 7d, not \"%.40s\"", value);
}

const struct cli_option cli_cache_options[] = {
    {.name = "format", .value = "table|json", .doc = "(default table)", .take = take_format},
    {.name = "list", .doc = "list every answer that is kept", .take = take_list},
    {.name = "purge", .doc = "remove answers: those named, or all", .take = take_purge},
    {.name = "older-than",
     .value = "DURATION",
     .doc = "with --purge: only those that were fetched longer ago",
     .take = take_older_than},
    {0},
};

/* A look at the cache under way. */
struct cache {
  struct cli_look look; /* first */
  const struct options *options;
  struct cache_show show;
  size_t purged;
};

static void told_entries(void *arg, int code, const struct store_entry *entries, size_t count)
{
  struct cache *cache = arg;
  if (code == AP_OK)
    cache_show_add(&cache->show, entries, count);
  cli_look_told(&cache->look, code);
}

static void told_count(void *arg, int code, size_t count)
{
  struct cache *cache = arg;
  cache->purged += count;
  cli_look_told(&cache->look, code);
}

/* All there is (key NULL) or one answer is shown, or removed. */
static int ask(struct cache *cache, const char *key)
{
  const struct options *options = cache->options;
  int64_t before_ms = ap_clock_unix_ms() - (int64_t)options->older_than_ms;
  if (!options->purge)
    return cli_look_wait(&cache->look,
                         store_report_entries(cache->look.store, key, told_entries, cache, NULL));
  if (!options->has_age)
    before_ms = INT64_MAX;
  return cli_look_wait(
      &cache->look, store_report_purge(cache->look.store, key, before_ms, told_count, cache, NULL));
}

struct asking {
  struct cache *cache;
  int exit_code;
};

static void ask_key(void *arg, const char *key)
{
  struct asking *asking = arg;
  if (asking->exit_code == CLI_EXIT_DONE)
    asking->exit_code = ask(asking->cache, key);
}

static int ask_each(struct cache *cache, struct casefile *cf)
{
  struct asking asking = {cache, CLI_EXIT_DONE};
  for (uint32_t i = 0; i < casefile_count(cf) && asking.exit_code == CLI_EXIT_DONE; i++) {
    const struct case_entity *entity = casefile_entity(cf, i);
    if (!cache->options->purge)
      cache_show_indicator(&cache->show, entity);
    cache_keys_of(entity, ask_key, &asking);
  }
  return asking.exit_code;
}

static int print_purged(const struct cache *cache)
{
  if (cache->options->as_json)
    (void)printf("{\"schema\": \"apogee.cache/1\", \"purged\": %zu}\n", cache->purged);
  else
    (void)printf("%zu %s removed.\n", cache->purged,
                 cache->purged == 1 ? "answer was" : "answers were");
  return CLI_EXIT_DONE;
}

static int look_at(struct cache *cache, struct casefile *cf, const struct cli_config *config)
{
  int exit_code = cli_look_open(&cache->look, config, false);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = cf ? ask_each(cache, cf) : ask(cache, NULL);
  if (exit_code == CLI_EXIT_DONE && cache->options->purge)
    exit_code = print_purged(cache);
  else if (exit_code == CLI_EXIT_DONE)
    cache_show_end(&cache->show);
  cli_look_close(&cache->look);
  return exit_code;
}

static int check(const struct cli_command *command, const struct options *options, bool is_named)
{
  if (options->has_age && !options->purge)
    return cli_wrong_usage(command->name, "--older-than goes with --purge");
  if (options->list && (options->purge || is_named))
    return cli_wrong_usage(command->name, "--list lists everything: it goes alone");
  return CLI_EXIT_DONE;
}

static int read_indicators(const struct cli_args *args, const struct cli_config *config,
                           struct casefile **cf)
{
  const struct cli_entities given = {
      .options = args->operands.items,
      .option_count = args->operands.count,
      .most = config->limits.entities,
      .most_notes = SIZE_MAX,
  };
  return args->operands.count ? cli_read_entities(&given, cf) : CLI_EXIT_DONE;
}

int cli_cache(const struct cli_command *command, int argc, char **argv)
{
  struct options options = {0};
  struct cli_args args = {.own = &options};
  struct cli_config config;
  struct casefile *cf = NULL;
  int exit_code = cli_prepare(command, argc, argv, &args, &config);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = check(command, &options, args.operands.count);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = read_indicators(&args, &config, &cf);
  if (exit_code == CLI_EXIT_DONE) {
    struct cache cache = {.options = &options};
    cache_show_begin(&cache.show, cli_lifetimes_of(&config), options.as_json,
                     options.list || cf != NULL);
    exit_code = look_at(&cache, cf, &config);
  }
  casefile_free(cf);
  cli_args_deinit(&args);
  cli_config_deinit(&config);
  return exit_code;
}
