/* The values of settings: understood from text, and stored. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "cli/config_keys.h"
#include "net/http.h"

static const struct {
  const char *name;
  struct cli_tier tier;
} tiers[] = {
    {"public", {.per_minute = 4, .per_day = 500, .per_month = 15500, .list = 4}},
    {"premium", {.list = 25, .premium = true}}, /* the quota is by licence: VirusTotal counts */
};
enum { TIER_COUNT = sizeof(tiers) / sizeof(tiers[0]) };

int cli_tier_parse(const char *name, struct cli_tier *tier)
{
  for (size_t i = 0; i < TIER_COUNT; i++)
    if (strcmp(name, tiers[i].name) == 0) {
      *tier = tiers[i].tier;
      return AP_OK;
    }
  return AP_E_INVALID;
}

void *cli_key_field(const struct cli_key *key, struct cli_config *config)
{
  return (char *)config + key->offset;
}

static void free_paths(struct cli_paths *paths)
{
  for (size_t i = 0; i < paths->count; i++)
    free(paths->items[i]);
  free((void *)paths->items);
  *paths = (struct cli_paths){0};
}

void cli_parsed_deinit(struct cli_parsed *parsed)
{
  free(parsed->text);
  ap_secret_free(parsed->bare);
  free_paths(&parsed->paths);
  *parsed = (struct cli_parsed){0};
}

/* ---- from text ---- */

static bool is_plain_word(const char *text)
{
  if (!*text)
    return false;
  for (; *text; text++)
    if ((unsigned char)*text <= ' ' || *text == 0x7f)
      return false;
  return true;
}

static bool is_url(const char *text)
{
  return is_plain_word(text) && !strpbrk(text, "@?#") && net_http_url_is_allowed(text);
}

static bool is_proxy(const char *text)
{
  static const char *const schemes[] = {"http", "https", "socks5", "socks5h", "socks4", "socks4a"};
  if (!is_plain_word(text))
    return false;
  const char *host = text;
  const char *colon = strstr(text, "://");
  if (colon) {
    bool known = false;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
      known = known || (strlen(schemes[i]) == (size_t)(colon - text) &&
                        strncmp(text, schemes[i], (size_t)(colon - text)) == 0);
    if (!known)
      return false;
    host = colon + 3;
  }
  const char *at = strrchr(host, '@');
  if (at && memchr(host, ':', (size_t)(at - host)))
    return false; /* a password */
  return at ? at[1] != '\0' : *host != '\0';
}

static int copy_text(const char *text, struct cli_parsed *out)
{
  out->text = ap_memdup(text, strlen(text));
  return out->text ? AP_OK : AP_E_NO_MEMORY;
}

static int in_range(const struct cli_key *key, int rc, const struct cli_parsed *out)
{
  if (rc != AP_OK)
    return rc;
  return out->number >= key->min && out->number <= key->max ? AP_OK : AP_E_INVALID;
}

static int parse_bool(const char *text, struct cli_parsed *out)
{
  out->number = strcmp(text, "true") == 0;
  return out->number || strcmp(text, "false") == 0 ? AP_OK : AP_E_INVALID;
}

static int parse_word(const struct cli_key *key, const char *text, struct cli_parsed *out)
{
  for (unsigned i = 0; key->words[i]; i++)
    if (strcmp(text, key->words[i]) == 0) {
      out->number = i;
      return AP_OK;
    }
  return AP_E_INVALID;
}

/* Folders separated by colons; nothing between two colons is left out. */
static int parse_paths(const char *text, struct cli_parsed *out)
{
  size_t most = 1;
  for (const char *at = text; (at = strchr(at, ':')); at++)
    most++;
  out->paths.items = calloc(most, sizeof(*out->paths.items));
  if (!out->paths.items)
    return AP_E_NO_MEMORY;
  while (*text) {
    size_t len = strcspn(text, ":");
    if (len) {
      char *copy = ap_memdup(text, len);
      if (!copy) {
        free_paths(&out->paths);
        return AP_E_NO_MEMORY;
      }
      out->paths.items[out->paths.count++] = copy;
    }
    text += len + (text[len] == ':');
  }
  return AP_OK;
}

int cli_key_parse(const struct cli_key *key, const char *text, struct cli_parsed *out)
{
  switch (key->kind) {
  case CLI_URL:
    return is_url(text) ? copy_text(text, out) : AP_E_INVALID;
  case CLI_PROXY:
    return is_proxy(text) ? copy_text(text, out) : AP_E_INVALID;
  case CLI_PATH:
    return *text ? copy_text(text, out) : AP_E_INVALID;
  case CLI_PATHS:
    return parse_paths(text, out);
  case CLI_ITEMS:
  case CLI_HOSTS:
    return AP_E_INVALID; /* no option and no variable is one */
  case CLI_SECRET:
    return ap_secret_is_source(text) ? copy_text(text, out) : AP_E_INVALID;
  case CLI_BOOL:
  case CLI_FLAG:
    return parse_bool(text, out);
  case CLI_COUNT:
    return in_range(key, ap_count_parse(text, &out->number), out);
  case CLI_DURATION:
    return in_range(key, ap_duration_parse(text, &out->number), out);
  case CLI_SIZE:
    return in_range(key, ap_size_parse(text, &out->number), out);
  case CLI_WORD:
    return parse_word(key, text, out);
  case CLI_TIER:
    return cli_tier_parse(text, &out->tier);
  }
  return AP_E_INTERNAL;
}

/* ---- into the configuration ---- */

static void store_value(const struct cli_key *key, void *field, struct cli_parsed *parsed)
{
  switch (key->kind) {
  case CLI_URL:
  case CLI_PROXY:
  case CLI_PATH:
    free(*(char **)field);
    *(char **)field = parsed->text;
    parsed->text = NULL;
    break;
  case CLI_PATHS:
  case CLI_ITEMS:
  case CLI_HOSTS:
    free_paths(field);
    *(struct cli_paths *)field = parsed->paths;
    parsed->paths = (struct cli_paths){0};
    break;
  case CLI_SECRET:
    free(((struct cli_secret *)field)->source);
    ap_secret_free(((struct cli_secret *)field)->bare);
    *(struct cli_secret *)field = (struct cli_secret){parsed->text, parsed->bare};
    parsed->text = NULL;
    parsed->bare = NULL;
    break;
  case CLI_BOOL:
  case CLI_FLAG:
    *(bool *)field = parsed->number;
    break;
  case CLI_COUNT:
  case CLI_DURATION:
  case CLI_SIZE:
    *(uint64_t *)field = parsed->number;
    break;
  case CLI_WORD:
    *(unsigned *)field = (unsigned)parsed->number;
    break;
  case CLI_TIER:
    *(struct cli_tier *)field = parsed->tier;
    break;
  }
}

int cli_key_store(const struct cli_key *key, struct cli_config *config, struct cli_parsed *parsed,
                  enum cli_origin_kind kind, const char *origin, struct ap_error *err)
{
  struct cli_origin *from = &config->origins[key - cli_keys];
  if (kind >= from->kind) {
    char *text = origin ? ap_memdup(origin, strlen(origin)) : NULL;
    if (origin && !text) {
      cli_parsed_deinit(parsed);
      return ap_fail(err, AP_E_NO_MEMORY, "%s: out of memory", origin);
    }
    free(from->text);
    *from = (struct cli_origin){kind, text};
    store_value(key, cli_key_field(key, config), parsed);
  }
  cli_parsed_deinit(parsed);
  return AP_OK;
}

void cli_key_clear(const struct cli_key *key, struct cli_config *config)
{
  struct cli_origin *from = &config->origins[key - cli_keys];
  struct cli_parsed nothing = {0};
  store_value(key, cli_key_field(key, config), &nothing);
  free(from->text);
  *from = (struct cli_origin){0};
}

static int refuse_text(const struct cli_key *key, const char *text, const char *origin,
                       struct ap_error *err)
{
  char expects[256];
  cli_key_expects(key, expects, sizeof(expects));
  bool may_hold_secret = key->kind == CLI_SECRET || strchr(text, '@');
  if (may_hold_secret)
    return ap_fail(err, AP_E_INVALID, "%s: it must be %s", origin, expects);
  return ap_fail(err, AP_E_INVALID, "%s: it must be %s, not \"%.80s\"", origin, expects, text);
}

/* Of the environment: the source is the variable. Of an option: the value itself. */
static int read_bare_secret(const struct cli_key *key, const char *text, enum cli_origin_kind kind,
                            struct cli_parsed *parsed, struct ap_error *err)
{
  if (kind == CLI_FROM_OPTION)
    return ap_secret_new(key->path, text, strlen(text), &parsed->bare, err);
  struct ap_buf source = {0};
  ap_buf_add_fmt(&source, "env:%s", key->env);
  parsed->text = source.ptr;
  return source.ptr ? AP_OK : ap_fail(err, AP_E_NO_MEMORY, "%s: out of memory", key->env);
}

int cli_key_set(const struct cli_key *key, struct cli_config *config, const char *text,
                enum cli_origin_kind kind, const char *origin, struct ap_error *err)
{
  struct cli_parsed parsed = {0};
  int rc;
  if (key->kind == CLI_SECRET && (kind == CLI_FROM_ENVIRONMENT || !ap_secret_is_source(text)))
    rc = read_bare_secret(key, text, kind, &parsed, err);
  else if ((rc = cli_key_parse(key, text, &parsed)) == AP_E_INVALID)
    (void)refuse_text(key, text, origin, err);
  else if (rc != AP_OK)
    (void)ap_fail(err, rc, "%s: %s", origin, ap_error_text(rc));
  if (rc == AP_OK)
    return cli_key_store(key, config, &parsed, kind, origin, err);
  cli_parsed_deinit(&parsed);
  return rc;
}
