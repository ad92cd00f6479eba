// SPDX-License-Identifier: Apache-2.0
#include "cli/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/config_keys.h"

/* A variable that is set and not empty; else NULL. */
static const char *environment(const char *name)
{
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

int cli_config_init(struct cli_config *config, struct ap_error *err)
{
  *config = (struct cli_config){0};
  for (size_t i = 0; i < cli_key_count; i++) {
    struct cli_parsed parsed = {0};
    if (!cli_keys[i].fallback && cli_keys[i].kind == CLI_DURATION)
      *(uint64_t *)cli_key_field(&cli_keys[i], config) = CLI_NOT_GIVEN;
    if (!cli_keys[i].fallback)
      continue;
    int rc = cli_key_parse(&cli_keys[i], cli_keys[i].fallback, &parsed);
    ap_require(rc == AP_OK || rc == AP_E_NO_MEMORY);
    if (rc == AP_OK)
      rc = cli_key_store(&cli_keys[i], config, &parsed, CLI_FROM_DEFAULT, NULL, err);
    if (rc != AP_OK) {
      cli_config_deinit(config);
      return ap_fail(err, rc, "%s", ap_error_text(rc));
    }
  }
  return AP_OK;
}

void cli_config_deinit(struct cli_config *config)
{
  for (size_t i = 0; i < cli_key_count; i++)
    cli_key_clear(&cli_keys[i], config);
  cli_config_clear_secrets(config);
  free(config->file);
  *config = (struct cli_config){0};
}

/* Sets a key, unless somebody has, for a reason that is said as its origin. Takes parsed. */
static int set_default(struct cli_config *config, const void *field, struct cli_parsed *parsed,
                       const char *why, struct ap_error *err)
{
  size_t i = 0;
  while (cli_key_field(&cli_keys[i], config) != field)
    i++;
  return cli_key_store(&cli_keys[i], config, parsed, CLI_FROM_DEFAULT, why, err);
}

/* ---- the environment ---- */

static int read_environment(struct cli_config *config, struct ap_error *err)
{
  for (size_t i = 0; i < cli_key_count; i++) {
    const char *name = cli_keys[i].env;
    const char *value = name ? environment(name) : NULL;
    if (!value)
      continue;
    int rc = cli_key_set(&cli_keys[i], config, value, CLI_FROM_ENVIRONMENT, name, err);
    if (rc != AP_OK)
      return rc;
  }
  return AP_OK;
}

/* Adds $VARIABLE or ~/BELOW and then /apogee and `rest`. Relative folders are no folders: the XDG
 * specification says so. False when there is neither. */
static bool add_xdg(struct ap_buf *out, const char *variable, const char *below, const char *rest)
{
  const char *base = environment(variable);
  const char *home = environment("HOME");
  if (base && *base == '/')
    ap_buf_add_fmt(out, "%s/apogee%s", base, rest);
  else if (home && *home == '/')
    ap_buf_add_fmt(out, "%s/%s/apogee%s", home, below, rest);
  else
    return false;
  return true;
}

static int set_state_dir(struct cli_config *config, struct ap_error *err)
{
  const char *folders = environment("STATE_DIRECTORY");
  const char *why = folders ? "STATE_DIRECTORY" : "default";
  struct ap_buf path = {0};
  if (config->state_dir)
    return AP_OK;
  if (folders) /* systemd separates several by colons */
    ap_buf_add(&path, folders, strcspn(folders, ":"));
  else if (!add_xdg(&path, "XDG_STATE_HOME", ".local/state", ""))
    return AP_OK;
  if (ap_buf_error(&path)) {
    ap_buf_deinit(&path);
    return ap_fail(err, AP_E_NO_MEMORY, "state_dir: out of memory");
  }
  return set_default(config, &config->state_dir, &(struct cli_parsed){.text = path.ptr}, why, err);
}

/* ---- the file ---- */

static int read_named(struct cli_config *config, const char *path, const char *how,
                      struct ap_error *err)
{
  int rc = cli_config_read_file(config, path, err);
  if (rc == AP_E_NOT_FOUND)
    return ap_fail_context(err, "%s names a configuration file that is not there", how);
  return rc;
}

/* One that is not there, or in a folder that is closed to this user, is none. */
static int read_searched(struct cli_config *config, const char *path, struct ap_error *err)
{
  if (access(path, F_OK) != 0)
    return AP_OK;
  int rc = cli_config_read_file(config, path, err);
  return rc == AP_E_NOT_FOUND ? AP_OK : rc;
}

static int read_file(struct cli_config *config, const char *file, struct ap_error *err)
{
  const char *named = environment("APOGEE_CONFIG");
  if (file)
    return read_named(config, file, "--config", err);
  if (named)
    return read_named(config, named, "APOGEE_CONFIG", err);
  struct ap_buf path = {0};
  int rc = AP_OK;
  if (add_xdg(&path, "XDG_CONFIG_HOME", ".config", "/config.lua"))
    rc = ap_buf_error(&path) ? ap_fail(err, AP_E_NO_MEMORY, "out of memory")
                             : read_searched(config, ap_buf_cstr(&path), err);
  ap_buf_deinit(&path);
  if (rc != AP_OK || config->file)
    return rc;
  return read_searched(config, "/etc/apogee/config.lua", err);
}

/* A public key has four requests a minute: polling often would take them from look-ups. */
static int set_poll_interval(struct cli_config *config, struct ap_error *err)
{
  enum { PUBLIC_MS = 60000 };
  if (config->virustotal.tier.premium)
    return AP_OK;
  return set_default(config, &config->virustotal.poll_interval_ms,
                     &(struct cli_parsed){.number = PUBLIC_MS}, "default of a public key", err);
}

/* What is left for others cannot be all there is. */
static int check_reserve(const struct cli_config *config, struct ap_error *err)
{
  uint64_t per_day = config->virustotal.tier.per_day;
  if (!per_day || config->reserve < per_day)
    return AP_OK;
  return ap_fail(err, AP_E_INVALID,
                 "reserve is %llu, and the quota of a day %llu: nothing would be asked",
                 (unsigned long long)config->reserve, (unsigned long long)per_day);
}

int cli_config_environment(struct cli_config *config, struct ap_error *err)
{
  int rc = read_environment(config, err);
  return rc == AP_OK ? set_state_dir(config, err) : rc;
}

int cli_config_load(struct cli_config *config, const char *file, struct ap_error *err)
{
  int rc = read_environment(config, err);
  if (rc == AP_OK)
    rc = read_file(config, file, err);
  if (rc == AP_OK)
    rc = set_state_dir(config, err);
  if (rc == AP_OK)
    rc = set_poll_interval(config, err);
  return rc == AP_OK ? check_reserve(config, err) : rc;
}

/* ---- secrets ---- */

static int load_secret(const struct cli_secret *secret, const char *name, struct ap_secret **out,
                       struct ap_error *err)
{
  if (!secret->bare)
    return ap_secret_load(name, secret->source, out, err);
  struct ap_slice bytes = ap_secret_bytes(secret->bare);
  return ap_secret_new(name, bytes.ptr, bytes.len, out, err);
}

int cli_config_api_key(const struct cli_config *config, struct ap_secret **out,
                       struct ap_error *err)
{
  const struct cli_secret *key = &config->virustotal.api_key;
  if (!key->source && !key->bare)
    return ap_fail(err, AP_E_INVALID,
                   "there is no API key: set APOGEE_VT_API_KEY, or virustotal.api_key = "
                   "\"file:PATH\" in the configuration file");
  return load_secret(key, "virustotal.api_key", out, err);
}

int cli_config_proxy_password(const struct cli_config *config, struct ap_secret **out,
                              struct ap_error *err)
{
  const struct cli_secret *password = &config->virustotal.proxy_password;
  if (!password->source && !password->bare) {
    *out = NULL;
    return AP_OK;
  }
  return load_secret(password, "virustotal.proxy_password", out, err);
}

/* ---- for people ---- */

/* Where a secret is kept may be shown, and is what one looks for. */
static void add_source(const struct cli_config *config, const struct cli_key *key,
                       struct ap_buf *out)
{
  const void *field = (const char *)config + key->offset;
  const struct cli_secret *secret = key->kind == CLI_SECRET ? field : NULL;
  if (secret && secret->source)
    ap_buf_add_fmt(out, "%s, by ", secret->source);
}

bool cli_config_is_default(const struct cli_config *config, const char *path)
{
  size_t i = 0;
  while (strcmp(cli_keys[i].path, path) != 0)
    i++;
  return config->origins[i].kind == CLI_FROM_DEFAULT;
}

void cli_config_print(const struct cli_config *config, FILE *to)
{
  (void)fprintf(to, "# configuration file: %s\n", config->file ? config->file : "none");
  for (size_t i = 0; i < cli_key_count; i++) {
    struct ap_buf line = {0};
    const struct cli_origin *origin = &config->origins[i];
    ap_buf_add_fmt(&line, "%s = ", cli_keys[i].path);
    cli_key_format(&cli_keys[i], config, &line);
    ap_buf_add_str(&line, "  # ");
    add_source(config, &cli_keys[i], &line);
    ap_buf_add_str(&line, origin->text ? origin->text : "default");
    (void)fprintf(to, "%s\n", ap_buf_cstr(&line));
    ap_buf_deinit(&line);
  }
  for (size_t i = 0; i < config->secret_count; i++)
    (void)fprintf(to, "secrets.%s = \"***\"  # %s, by %s: secrets\n", config->secrets[i].name,
                  config->secrets[i].source, config->file ? config->file : "");
}
