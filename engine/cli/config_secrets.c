/* The secrets that actions name: secrets = { NAME = "file:PATH" } in the configuration file. Only
 * where they are is read here: a secret is loaded when an action that runs needs it. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "cli/config_keys.h"

enum { SECRETS_MAX = 200, NAME_MAX_BYTES = 64 };

const char cli_secrets_key[] = "secrets";

static bool is_name(const char *text)
{
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  size_t len = strlen(text);
  return len > 0 && len <= NAME_MAX_BYTES && strchr(letters, *text) &&
         strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == len;
}

/* A path is relative to the folder of the file. NULL: out of memory. */
static char *anchored(const char *file, const char *source)
{
  static const char prefix[] = "file:";
  const char *path = source + strlen(prefix);
  const char *slash = strrchr(file, '/');
  if (strncmp(source, prefix, strlen(prefix)) != 0 || *path == '/' || !slash)
    return ap_memdup(source, strlen(source));
  struct ap_buf text = {0};
  ap_buf_add_fmt(&text, "%s%.*s%s", prefix, (int)(slash - file) + 1, file, path);
  if (ap_buf_error(&text))
    ap_buf_deinit(&text);
  return text.ptr;
}

static int read_one(struct cli_named_secret *secret, const char *file, const char *name,
                    const struct ap_value *value, struct ap_error *err)
{
  const char *source = ap_value_text(value, "");
  if (!is_name(name))
    return ap_fail(err, AP_E_INVALID, "%s: secrets: a name is letters, digits and _, not \"%.64s\"",
                   file, name);
  if (!ap_secret_is_source(source) || strlen(source) != value->len)
    return ap_fail(err, AP_E_INVALID,
                   "%s: secrets.%s must be file:PATH, env:NAME or credential:NAME and never the "
                   "secret itself",
                   file, name);
  secret->name = ap_memdup(name, strlen(name));
  secret->source = anchored(file, source);
  return secret->name && secret->source ? AP_OK
                                        : ap_fail(err, AP_E_NO_MEMORY, "%s: out of memory", file);
}

int cli_config_read_secrets(struct cli_config *config, const char *file,
                            const struct ap_value *table, struct ap_error *err)
{
  if (table->kind == AP_VALUE_LIST && table->len == 0)
    return AP_OK;
  if (table->kind != AP_VALUE_TABLE)
    return ap_fail(err, AP_E_INVALID,
                   "%s: secrets must be a table, like { abuseipdb_key = \"file:abuse.key\" }",
                   file);
  if (table->len > SECRETS_MAX)
    return ap_fail(err, AP_E_INVALID, "%s: secrets: more than %d", file, SECRETS_MAX);
  cli_config_clear_secrets(config);
  config->secrets = calloc(table->len, sizeof(*config->secrets));
  if (!config->secrets)
    return ap_fail(err, AP_E_NO_MEMORY, "%s: out of memory", file);
  int rc = AP_OK;
  for (size_t i = 0; rc == AP_OK && i < table->len; i++) {
    rc = read_one(&config->secrets[i], file, table->keys[i], &table->items[i], err);
    config->secret_count = i + 1;
  }
  return rc;
}

void cli_config_clear_secrets(struct cli_config *config)
{
  for (size_t i = 0; i < config->secret_count; i++) {
    free(config->secrets[i].name);
    free(config->secrets[i].source);
  }
  free(config->secrets);
  config->secrets = NULL;
  config->secret_count = 0;
}
