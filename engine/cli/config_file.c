/* Reads the configuration file: a Lua table of settings, nested as their paths say. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nearest.h"
#include "cli/config_keys.h"
#include "cli/rules.h"
#include "net/web_host.h"
#include "script/data.h"

enum { NAMES_MAX = CLI_KEYS_MAX, PATH_TEXT = 256 };

struct config_file {
  struct cli_config *config;
  const char *path;
  size_t folder_len; /* of path, with the slash */
  struct ap_error *err;
};

static int refuse(const struct config_file *file, const char *name, const char *expects,
                  const struct ap_value *value, bool may_hold_secret)
{
  static const char *const kinds[] = {"nothing", "a boolean", "a number", "a number",
                                      "text",    "a list",    "a table"};
  if (value->kind == AP_VALUE_STRING && !may_hold_secret)
    return ap_fail(file->err, AP_E_INVALID, "%s: %s must be %s, not \"%.80s\"", file->path, name,
                   expects, value->text);
  if (value->kind == AP_VALUE_INT)
    return ap_fail(file->err, AP_E_INVALID, "%s: %s must be %s, not %" PRId64, file->path, name,
                   expects, value->integer);
  if (value->kind == AP_VALUE_STRING)
    return ap_fail(file->err, AP_E_INVALID, "%s: %s must be %s", file->path, name, expects);
  return ap_fail(file->err, AP_E_INVALID, "%s: %s must be %s, not %s", file->path, name, expects,
                 kinds[value->kind]);
}

static int no_memory(const struct config_file *file)
{
  return ap_fail(file->err, AP_E_NO_MEMORY, "%s: out of memory", file->path);
}

/* ---- names ---- */

/* The part of the path of a key at the level below `prefix` ("", "virustotal."); NULL: the key is
 * elsewhere. */
static const char *part_below(const struct cli_key *key, const char *prefix)
{
  size_t len = strlen(prefix);
  return strncmp(key->path, prefix, len) == 0 ? key->path + len : NULL;
}

static size_t part_len(const char *part)
{
  return strcspn(part, ".");
}

static bool is_known(const char *prefix, const char *name)
{
  if (!*prefix && strcmp(name, cli_secrets_key) == 0)
    return true;
  for (size_t i = 0; i < cli_key_count; i++) {
    const char *part = part_below(&cli_keys[i], prefix);
    if (part && part_len(part) == strlen(name) && strncmp(part, name, part_len(part)) == 0)
      return true;
  }
  return false;
}

/* The whole path of the key that was meant: near at this level, or of that name at another. */
static const char *meant_path(const char *prefix, const char *name, char *buf, size_t size)
{
  char parts[NAMES_MAX][32];
  const char *names[NAMES_MAX + 1] = {cli_secrets_key};
  size_t count = !*prefix;
  for (size_t i = 0; i < cli_key_count; i++) {
    const char *part = part_below(&cli_keys[i], prefix);
    if (!part)
      continue;
    (void)snprintf(parts[i], sizeof(parts[i]), "%.*s", (int)part_len(part), part);
    names[count] = parts[i];
    count++;
  }
  const char *near = ap_nearest(name, names, count);
  if (near) {
    (void)snprintf(buf, size, "%s%s", prefix, near);
    return buf;
  }
  for (size_t i = 0; i < cli_key_count; i++) {
    const char *dot = strrchr(cli_keys[i].path, '.');
    if (strcmp(dot ? dot + 1 : cli_keys[i].path, name) == 0)
      return cli_keys[i].path;
  }
  return NULL;
}

static int check_names(const struct config_file *file, const struct ap_value *table,
                       const char *prefix)
{
  for (size_t i = 0; table->kind == AP_VALUE_TABLE && i < table->len; i++) {
    const char *name = table->keys[i];
    char buf[PATH_TEXT];
    if (is_known(prefix, name))
      continue;
    const char *meant = meant_path(prefix, name, buf, sizeof(buf));
    return ap_fail(file->err, AP_E_INVALID, "%s: unknown key %s%.80s%s%s%s", file->path, prefix,
                   name, meant ? ": did you mean " : "", meant ? meant : "", meant ? "?" : "");
  }
  return AP_OK;
}

/* ---- values ---- */

/* The text that cli_key_parse takes for a scalar; NULL: it is of a wrong type. */
static const char *scalar_text(const struct cli_key *key, const struct ap_value *value, char *buf,
                               size_t size)
{
  bool is_number = key->kind == CLI_COUNT || key->kind == CLI_DURATION || key->kind == CLI_SIZE;
  bool is_bool = key->kind == CLI_BOOL || key->kind == CLI_FLAG;
  switch (value->kind) {
  case AP_VALUE_BOOL:
    return !is_bool ? NULL : value->boolean ? "true" : "false";
  case AP_VALUE_INT:
    if (!is_number)
      return NULL;
    (void)snprintf(buf, size, "%" PRId64, value->integer);
    return buf;
  case AP_VALUE_NUMBER: { /* 1.5 seconds, or 2.0 of anything */
    double number = key->kind == CLI_DURATION ? value->number * 1000 : value->number;
    if (!is_number || !(number >= 0 && number < 1e15) || number != floor(number))
      return NULL;
    (void)snprintf(buf, size, "%.0f%s", number, key->kind == CLI_DURATION ? "ms" : "");
    return buf;
  }
  case AP_VALUE_STRING:
    return is_bool || key->kind == CLI_COUNT || strlen(value->text) != value->len ? NULL
                                                                                  : value->text;
  case AP_VALUE_NONE:
  case AP_VALUE_LIST:
  case AP_VALUE_TABLE:
    return NULL;
  }
  return NULL;
}

/* A path of the file is relative to the file's folder. NULL when out of memory. */
static char *anchored(const struct config_file *file, const char *prefix, const char *path)
{
  struct ap_buf text = {0};
  ap_buf_add_str(&text, prefix);
  if (*path != '/')
    ap_buf_add(&text, file->path, file->folder_len);
  ap_buf_add_str(&text, path);
  if (ap_buf_error(&text))
    ap_buf_deinit(&text);
  return text.ptr;
}

static int anchor_text(const struct config_file *file, const struct cli_key *key,
                       struct cli_parsed *parsed)
{
  static const char source[] = "file:";
  size_t skip = 0;
  if (key->kind == CLI_SECRET && strncmp(parsed->text, source, strlen(source)) == 0)
    skip = strlen(source);
  else if (key->kind != CLI_PATH)
    return AP_OK;
  char *text = anchored(file, skip ? source : "", parsed->text + skip);
  if (!text)
    return no_memory(file);
  free(parsed->text);
  parsed->text = text;
  return AP_OK;
}

static int read_scalar(const struct config_file *file, const struct cli_key *key,
                       const struct ap_value *value, struct cli_parsed *parsed)
{
  char buf[64];
  char expects[PATH_TEXT];
  const char *text = scalar_text(key, value, buf, sizeof(buf));
  int rc = text ? cli_key_parse(key, text, parsed) : AP_E_INVALID;
  if (rc == AP_E_INVALID) {
    bool may_hold_secret = key->kind == CLI_SECRET || (text && strchr(text, '@'));
    cli_key_expects(key, expects, sizeof(expects));
    return refuse(file, key->path, expects, value, may_hold_secret);
  }
  return rc == AP_OK ? anchor_text(file, key, parsed) : no_memory(file);
}

/* As a URL has it: in lower case, and without a port. */
static bool is_host_name(const char *text)
{
  struct net_web_host host;
  return net_web_host_parse(text, &host, NULL) == AP_OK && !host.port &&
         strcmp(host.name, text) == 0;
}

/* One item as it is kept; NULL after saying why not. */
static char *read_item(const struct config_file *file, const struct cli_key *key,
                       const struct ap_value *item)
{
  char expects[PATH_TEXT];
  const char *text = ap_value_text(item, "");
  struct ap_error why = {0};
  cli_key_expects(key, expects, sizeof(expects));
  if (!*text || strlen(text) != item->len) {
    (void)refuse(file, key->path, expects, item, false);
    return NULL;
  }
  if (key->kind == CLI_HOSTS && !is_host_name(text)) {
    (void)refuse(file, key->path, expects, item, false);
    return NULL;
  }
  if (key->kind == CLI_ITEMS &&
      vt_policy_tighten(NULL, cli_rule_of(key), text, false, &why) != AP_OK) {
    (void)ap_fail(file->err, why.code, "%s: %s: \"%.80s\" %s", file->path, key->path, text,
                  why.text);
    return NULL;
  }
  char *kept = key->kind == CLI_PATHS ? anchored(file, "", text) : ap_memdup(text, strlen(text));
  if (!kept)
    (void)no_memory(file);
  return kept;
}

static int read_paths(const struct config_file *file, const struct cli_key *key,
                      const struct ap_value *value, struct cli_parsed *parsed)
{
  char expects[PATH_TEXT];
  bool is_one = value->kind == AP_VALUE_STRING;
  const struct ap_value *items = is_one ? value : value->items;
  size_t count = is_one ? 1 : value->len;
  cli_key_expects(key, expects, sizeof(expects));
  if (!is_one && value->kind != AP_VALUE_LIST)
    return refuse(file, key->path, expects, value, false);
  if (count == 0)
    return AP_OK;
  parsed->paths.items = calloc(count, sizeof(*parsed->paths.items));
  if (!parsed->paths.items)
    return no_memory(file);
  for (size_t i = 0; i < count; i++) {
    char *item = read_item(file, key, &items[i]);
    if (!item)
      return file->err->code;
    parsed->paths.items[parsed->paths.count++] = item;
  }
  return AP_OK;
}

/* The members of a tier that is a table. */
static const struct {
  const char *name;
  size_t offset;
  int64_t min;
  int64_t max;
} tier_counts[] = {
    {"per_minute", offsetof(struct cli_tier, per_minute), 0, UINT32_MAX},
    {"per_day", offsetof(struct cli_tier, per_day), 0, UINT32_MAX},
    {"per_month", offsetof(struct cli_tier, per_month), 0, UINT32_MAX},
    {"list", offsetof(struct cli_tier, list), 1, 25},
};
enum { TIER_COUNTS = sizeof(tier_counts) / sizeof(tier_counts[0]) };

static int check_tier_names(const struct config_file *file, const struct ap_value *value)
{
  const char *names[TIER_COUNTS + 1] = {"premium"};
  for (size_t i = 0; i < TIER_COUNTS; i++)
    names[i + 1] = tier_counts[i].name;
  for (size_t i = 0; i < value->len; i++) {
    bool known = false;
    for (size_t j = 0; j <= TIER_COUNTS; j++)
      known = known || strcmp(names[j], value->keys[i]) == 0;
    if (known)
      continue;
    const char *near = ap_nearest(value->keys[i], names, TIER_COUNTS + 1);
    return ap_fail(file->err, AP_E_INVALID, "%s: unknown key virustotal.tier.%.80s%s%s%s",
                   file->path, value->keys[i], near ? ": did you mean virustotal.tier." : "",
                   near ? near : "", near ? "?" : "");
  }
  return AP_OK;
}

static int read_tier_counts(const struct config_file *file, const struct ap_value *value,
                            struct cli_tier *tier)
{
  for (size_t i = 0; i < TIER_COUNTS; i++) {
    const struct ap_value *count = ap_value_get(value, tier_counts[i].name);
    char name[64];
    char expects[64];
    if (!count)
      continue;
    (void)snprintf(name, sizeof(name), "virustotal.tier.%s", tier_counts[i].name);
    (void)snprintf(expects, sizeof(expects), "a whole number from %" PRId64 " to %" PRId64,
                   tier_counts[i].min, tier_counts[i].max);
    if (count->kind != AP_VALUE_INT || count->integer < tier_counts[i].min ||
        count->integer > tier_counts[i].max)
      return refuse(file, name, expects, count, false);
    *(uint64_t *)(void *)((char *)tier + tier_counts[i].offset) = (uint64_t)count->integer;
  }
  return AP_OK;
}

/* What a table does not say is as on a public key, or a premium one where it says that. */
static int read_tier(const struct config_file *file, const struct cli_key *key,
                     const struct ap_value *value, struct cli_parsed *parsed)
{
  if (value->kind != AP_VALUE_TABLE)
    return read_scalar(file, key, value, parsed);
  int rc = check_tier_names(file, value);
  if (rc != AP_OK)
    return rc;
  const struct ap_value *premium = ap_value_get(value, "premium");
  if (premium && premium->kind != AP_VALUE_BOOL)
    return refuse(file, "virustotal.tier.premium", "true or false", premium, false);
  rc = cli_tier_parse(premium && premium->boolean ? "premium" : "public", &parsed->tier);
  return rc == AP_OK ? read_tier_counts(file, value, &parsed->tier) : rc;
}

static int read_key(const struct config_file *file, const struct cli_key *key,
                    const struct ap_value *value)
{
  struct cli_parsed parsed = {0};
  struct ap_buf origin = {0};
  int rc;
  if (key->kind == CLI_PATHS || key->kind == CLI_ITEMS || key->kind == CLI_HOSTS)
    rc = read_paths(file, key, value, &parsed);
  else if (key->kind == CLI_TIER)
    rc = read_tier(file, key, value, &parsed);
  else
    rc = read_scalar(file, key, value, &parsed);
  if (rc != AP_OK) {
    cli_parsed_deinit(&parsed);
    return rc;
  }
  ap_buf_add_fmt(&origin, "%s: %s", file->path, key->path);
  rc = cli_key_store(key, file->config, &parsed, CLI_FROM_FILE, ap_buf_cstr(&origin), file->err);
  ap_buf_deinit(&origin);
  return rc;
}

/* ---- the file ---- */

static int read_group(const struct config_file *file, const struct ap_value *group,
                      const char *name, size_t name_len)
{
  char prefix[64];
  (void)snprintf(prefix, sizeof(prefix), "%.*s.", (int)name_len, name);
  if (group->kind == AP_VALUE_TABLE)
    return check_names(file, group, prefix);
  if (group->kind == AP_VALUE_LIST && group->len == 0)
    return AP_OK;
  prefix[name_len] = '\0';
  return refuse(file, prefix, "a table, like { ... }", group, true);
}

/* The value of a key below a table that stands for the first `at` characters of its path. */
static int read_below(const struct config_file *file, const struct cli_key *key, size_t at,
                      const struct ap_value *table)
{
  char name[64];
  for (;;) {
    size_t len = part_len(key->path + at);
    (void)snprintf(name, sizeof(name), "%.*s", (int)len, key->path + at);
    const struct ap_value *value = ap_value_get(table, name);
    if (!value)
      return AP_OK;
    at += len;
    if (!key->path[at])
      return read_key(file, key, value);
    int rc = read_group(file, value, key->path, at);
    if (rc != AP_OK)
      return rc;
    table = value;
    at++;
  }
}

static int read_root(const struct config_file *file, const struct ap_value *root)
{
  if (root->kind == AP_VALUE_LIST && root->len)
    return ap_fail(file->err, AP_E_INVALID, "%s: it must return a table of names, not a list",
                   file->path);
  int rc = check_names(file, root, "");
  for (size_t i = 0; rc == AP_OK && i < cli_key_count; i++)
    rc = read_below(file, &cli_keys[i], 0, root);
  const struct ap_value *secrets = ap_value_get(root, cli_secrets_key);
  if (rc == AP_OK && secrets)
    rc = cli_config_read_secrets(file->config, file->path, secrets, file->err);
  return rc;
}

/* Who may write it may choose where the key is sent. */
static int check_owner(const char *path, struct ap_error *err)
{
  struct stat st;
  if (stat(path, &st) != 0)
    return ap_fail(err, errno == ENOENT || errno == ENOTDIR ? AP_E_NOT_FOUND : AP_E_IO, "%s: %s",
                   path, strerror(errno));
  if (st.st_mode & (S_IWGRP | S_IWOTH))
    return ap_fail(err, AP_E_INVALID, "%s: others may write it: run chmod go-w on it", path);
  if (st.st_uid != geteuid() && st.st_uid != 0)
    return ap_fail(err, AP_E_INVALID,
                   "%s: it belongs to another user, who may write it: run chown on it", path);
  return AP_OK;
}

int cli_config_read_table(struct cli_config *config, const char *path, const struct ap_value *root,
                          struct ap_error *err)
{
  const char *slash = strrchr(path, '/');
  const struct config_file file = {
      .config = config,
      .path = path,
      .folder_len = slash ? (size_t)(slash - path) + 1 : 0,
      .err = err,
  };
  return read_root(&file, root);
}

int cli_config_read_file(struct cli_config *config, const char *path, struct ap_error *err)
{
  struct ap_value root = {0};
  int rc = check_owner(path, err);
  if (rc == AP_OK)
    rc = script_data_read(path, &root, err);
  if (rc == AP_OK)
    rc = cli_config_read_table(config, path, &root, err);
  ap_value_deinit(&root);
  if (rc != AP_OK)
    return rc;
  free(config->file);
  config->file = ap_memdup(path, strlen(path));
  return config->file ? AP_OK : ap_fail(err, AP_E_NO_MEMORY, "%s: out of memory", path);
}
