// SPDX-License-Identifier: Apache-2.0
#include "cli/cache_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/units.h"
#include "casefile/domain.h"
#include "cli/print.h"
#include "vt/call.h"

/* ---- where to look ---- */

static void each_key(enum vt_call call, const char *resource,
                     void (*each)(void *arg, const char *key), void *arg)
{
  char *key = malloc(strlen(resource) + 2);
  if (!key)
    return;
  vt_call_key(call, resource, key);
  each(arg, key);
  free(key);
}

/* The registrable domain and, where it is another, the host itself. */
static void domain_keys(const struct case_entity *entity, void (*each)(void *arg, const char *key),
                        void *arg)
{
  struct ap_buf domain = {0};
  struct ap_buf host = {0};
  const char *text = entity->identifier;
  if (case_domain_of(text, strlen(text), entity->type, false, &domain, NULL) == AP_OK)
    each_key(VT_DOMAIN_REPORT, ap_buf_cstr(&domain), each, arg);
  if (case_domain_of(text, strlen(text), entity->type, true, &host, NULL) == AP_OK &&
      strcmp(ap_buf_cstr(&domain), ap_buf_cstr(&host)) != 0)
    each_key(VT_DOMAIN_REPORT, ap_buf_cstr(&host), each, arg);
  ap_buf_deinit(&domain);
  ap_buf_deinit(&host);
}

void cache_keys_of(const struct case_entity *entity, void (*each)(void *arg, const char *key),
                   void *arg)
{
  switch (entity->type) {
  case CASE_TYPE_FILEHASH:
    each_key(VT_FILE_REPORT, entity->identifier, each, arg);
    return;
  case CASE_TYPE_IP_ADDRESS:
    each_key(VT_IP_REPORT, entity->identifier, each, arg);
    return;
  case CASE_TYPE_URL:
    each_key(VT_URL_REPORT, entity->identifier, each, arg);
    if (entity->original_identifier)
      each_key(VT_URL_REPORT, entity->original_identifier, each, arg);
    domain_keys(entity, each, arg);
    return;
  case CASE_TYPE_HOSTNAME:
  case CASE_TYPE_USER:
    domain_keys(entity, each, arg);
    return;
  case CASE_TYPE_FILE:
  case CASE_TYPE_COUNT:
    return;
  }
}

/* ---- one entry ---- */

static const char *word_of(const char *key)
{
  static const char *const words[VT_CALL_COUNT] = {[VT_FILE_REPORT] = "file",
                                                   [VT_URL_REPORT] = "url",
                                                   [VT_DOMAIN_REPORT] = "domain",
                                                   [VT_IP_REPORT] = "ip"};
  enum vt_call call;
  const char *resource;
  return vt_call_of_key(key, &call, &resource) && words[call] ? words[call] : "other";
}

static const char *next_key(const char *key)
{
  return key + strlen(key) + 1;
}

static int64_t good_until(const struct cache_show *show, const struct store_entry *entry)
{
  uint64_t lifetime_ms =
      entry->code == AP_OK ? show->lifetimes.report_ms : show->lifetimes.not_found_ms;
  return entry->fetched_unix_ms + (int64_t)lifetime_ms;
}

static void print_entry(const struct cache_show *show, const struct store_entry *entry)
{
  char fetched[AP_CLOCK_TEXT];
  char until[AP_CLOCK_TEXT];
  char size[AP_UNITS_TEXT];
  int64_t until_ms = good_until(show, entry);
  const char *key = entry->keys;
  ap_clock_format_utc(entry->fetched_unix_ms, fetched);
  ap_clock_format_utc(until_ms, until);
  ap_size_format(entry->bytes, size);
  (void)printf("%-6s %-9s %8s  %s  %s %s  ", word_of(key), entry->code == AP_OK ? "report" : "none",
               size, fetched, until_ms > ap_clock_unix_ms() ? "until" : "ended", until);
  for (size_t i = 0; i < entry->key_count; i++, key = next_key(key)) {
    (void)fputs(i ? " " : "", stdout);
    cli_print_text(key + 1);
  }
  (void)putchar('\n');
}

static void add_time(struct ap_buf *out, const char *name, int64_t unix_ms)
{
  char when[AP_CLOCK_TEXT];
  ap_clock_format_utc(unix_ms, when);
  ap_buf_add_fmt(out, ", \"%s\": \"%s\"", name, when);
}

static void print_entry_json(const struct cache_show *show, const struct store_entry *entry)
{
  struct ap_buf out = {0};
  const char *key = entry->keys;
  int64_t until_ms = good_until(show, entry);
  ap_buf_add_fmt(&out, "{\"kind\": \"%s\", \"outcome\": \"%s\", \"keys\": [", word_of(key),
                 entry->code == AP_OK ? "reported" : "not_found");
  for (size_t i = 0; i < entry->key_count; i++, key = next_key(key)) {
    ap_buf_add_str(&out, i ? ", " : "");
    ap_json_write_cstr(&out, key + 1);
  }
  ap_buf_add_fmt(&out, "], \"bytes\": %" PRIu64, entry->bytes);
  add_time(&out, "fetched", entry->fetched_unix_ms);
  add_time(&out, "good_until", until_ms);
  ap_buf_add_fmt(&out, ", \"is_good\": %s}", until_ms > ap_clock_unix_ms() ? "true" : "false");
  (void)printf("%s\n    %s", show->entry_count ? "," : "", ap_buf_cstr(&out));
  ap_buf_deinit(&out);
}

/* ---- all of them ---- */

void cache_show_begin(struct cache_show *show, struct store_lifetimes lifetimes, bool as_json,
                      bool with_entries)
{
  *show =
      (struct cache_show){.lifetimes = lifetimes, .as_json = as_json, .with_entries = with_entries};
}

/* The list of an indicator, or of all, begins or ends. */
static void open_list(struct cache_show *show)
{
  if (show->as_json && !show->is_open)
    (void)fputs(show->indicator_count ? ""
                                      : "{\n  \"schema\": \"apogee.cache/1\",\n  \"entries\": [",
                stdout);
  show->is_open = true;
}

static void close_indicator(const struct cache_show *show)
{
  if (!show->indicator_count)
    return;
  if (show->as_json)
    (void)fputs(show->entry_count ? "\n  ]}" : "]}", stdout);
  else if (!show->entry_count)
    (void)puts("  nothing is kept of it");
}

void cache_show_indicator(struct cache_show *show, const struct case_entity *entity)
{
  struct ap_buf text = {0};
  close_indicator(show);
  if (!show->as_json) {
    (void)fputs(show->indicator_count ? "\n" : "", stdout);
    cli_print_text(entity->identifier);
    (void)putchar('\n');
  } else {
    ap_json_write_cstr(&text, entity->identifier);
    (void)fputs(show->indicator_count
                    ? ",\n  "
                    : "{\n  \"schema\": \"apogee.cache/1\",\n  \"indicators\": [\n  ",
                stdout);
    (void)printf("{\"indicator\": %s, \"type\": \"%s\", \"entries\": [", ap_buf_cstr(&text),
                 entity->type < CASE_TYPE_COUNT ? case_type_word(entity->type) : "none");
    ap_buf_deinit(&text);
  }
  show->indicator_count++;
  show->entry_count = 0;
}

static void count(struct cache_show *show, const struct store_entry *entry)
{
  show->reports += entry->code == AP_OK;
  show->not_found += entry->code != AP_OK;
  show->good += good_until(show, entry) > ap_clock_unix_ms();
  show->bytes += entry->bytes;
  if (!show->oldest_ms || entry->fetched_unix_ms < show->oldest_ms)
    show->oldest_ms = entry->fetched_unix_ms;
  if (entry->fetched_unix_ms > show->newest_ms)
    show->newest_ms = entry->fetched_unix_ms;
}

void cache_show_add(struct cache_show *show, const struct store_entry *entries, size_t entry_count)
{
  for (size_t i = 0; i < entry_count; i++) {
    count(show, &entries[i]);
    if (show->with_entries && show->as_json) {
      open_list(show);
      print_entry_json(show, &entries[i]);
    } else if (show->with_entries) {
      (void)fputs(show->indicator_count ? "  " : "", stdout);
      print_entry(show, &entries[i]);
    }
    show->entry_count++;
  }
}

static void print_sum_json(const struct cache_show *show)
{
  struct ap_buf out = {0};
  ap_buf_add_fmt(&out, "  \"reports\": %zu, \"not_found\": %zu, \"good\": %zu, \"bytes\": %" PRIu64,
                 show->reports, show->not_found, show->good, show->bytes);
  if (show->newest_ms) {
    add_time(&out, "oldest", show->oldest_ms);
    add_time(&out, "newest", show->newest_ms);
  } else {
    ap_buf_add_str(&out, ", \"oldest\": null, \"newest\": null");
  }
  (void)printf("%s\n}\n", ap_buf_cstr(&out));
  ap_buf_deinit(&out);
}

static void print_sum(const struct cache_show *show)
{
  char size[AP_UNITS_TEXT];
  char oldest[AP_CLOCK_TEXT];
  char newest[AP_CLOCK_TEXT];
  ap_size_format(show->bytes, size);
  (void)printf(
      "%s%zu reports and %zu times \"not found\" are kept (%s); %zu of them are good now.\n",
      show->with_entries && show->entry_count ? "\n" : "", show->reports, show->not_found, size,
      show->good);
  if (!show->newest_ms)
    return;
  ap_clock_format_utc(show->oldest_ms, oldest);
  ap_clock_format_utc(show->newest_ms, newest);
  (void)printf("The oldest was fetched at %s, the newest at %s.\n", oldest, newest);
}

void cache_show_end(struct cache_show *show)
{
  close_indicator(show);
  if (!show->as_json) {
    if (!show->indicator_count)
      print_sum(show);
    return;
  }
  if (show->indicator_count) {
    (void)puts("\n  ]\n}");
    return;
  }
  if (show->with_entries) {
    open_list(show);
    (void)puts(show->entry_count ? "\n  ]," : "],");
  } else {
    (void)fputs("{\n  \"schema\": \"apogee.cache/1\",\n", stdout);
  }
  print_sum_json(show);
}
