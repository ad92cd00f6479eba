/* The configuration: every setting with its value and where it came from.
 *
 * Settings come from the defaults, the configuration file, the environment and the command line,
 * each stronger than the one before. One table (config_keys.h) says all there is to know about a
 * key. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/secret.h"

/* How many keys there may be at most; the table is checked against it. */
#define CLI_KEYS_MAX 52

/* A duration that nobody gave, where there is no default. */
#define CLI_NOT_GIVEN UINT64_MAX

/* What the key may do; 0 is no limit. */
struct cli_tier {
  uint64_t per_minute;
  uint64_t per_day;
  uint64_t per_month;
  uint64_t list; /* items of a list request: 1 to 25 */
  bool premium;
};

enum cli_comments { CLI_COMMENTS_ALL, CLI_COMMENTS_RISKY, CLI_COMMENTS_NONE };
enum cli_on_limit { CLI_LIMIT_WAIT, CLI_LIMIT_STOP };

struct cli_paths { /* or a list of other texts */
  char **items;
  size_t count;
};

/* A secret by its source; `bare` when somebody gave the value itself on the command line. */
struct cli_secret {
  char *source; /* "env:NAME", "file:PATH", "credential:NAME"; NULL: not given, or bare */
  struct ap_secret *bare;
};

/* A secret that actions name, and where it is. */
struct cli_named_secret {
  char *name;
  char *source;
};

/* From the weakest to the strongest. */
enum cli_origin_kind { CLI_FROM_DEFAULT, CLI_FROM_FILE, CLI_FROM_ENVIRONMENT, CLI_FROM_OPTION };

struct cli_origin {
  enum cli_origin_kind kind;
  char *text; /* "/etc/apogee/config.lua: jobs", "APOGEE_VT_URL", "--jobs"; NULL: the default */
};

/* Durations are milliseconds, sizes bytes. Text that was not given is NULL. Everything belongs to
 * the config. */
struct cli_config {
  struct {
    char *url;
    struct cli_secret api_key; /* cli_config_api_key loads it */
    bool verify_ssl;
    char *ca_file;
    char *proxy;
    struct cli_secret proxy_password; /* cli_config_proxy_password loads it */
    struct cli_tier tier;
    uint64_t timeout_ms;
    uint64_t retries;
    uint64_t retry_delay_ms;
    uint64_t upload_max_bytes;
    uint64_t poll_interval_ms;
    unsigned comments; /* enum cli_comments */
  } virustotal;
  uint64_t jobs;
  uint64_t deadline_ms; /* 0: none */
  unsigned on_limit;    /* enum cli_on_limit */
  uint64_t max_wait_ms;
  uint64_t reserve;              /* of the day's quota: left for others */
  char *state_dir;               /* NULL: neither said nor is there a home */
  struct cli_paths actions_path; /* folders, in order */
  bool no_cache;
  bool no_state; /* nothing outlives the run, and nobody else knows of it */
  struct {
    uint64_t report_ms;
    uint64_t not_found_ms;
    uint64_t max_age_ms; /* instead of both; CLI_NOT_GIVEN */
  } cache;
  struct {
    struct cli_paths private_hosts; /* names whose addresses may be private */
  } http;
  struct {
    uint64_t runs_ms;
    uint64_t reports_ms;
    uint64_t max_bytes;
  } keep;
  struct {
    uint64_t entities;
    uint64_t instructions; /* of one task */
    uint64_t memory_bytes; /* of the Lua state */
    uint64_t hang_ms;      /* CPU time of a script in one go */
  } limits;
  struct { /* vt/policy.h says what the rules mean; words are indices in the key's */
    unsigned lookup;
    unsigned submit;
    unsigned upload;
    unsigned private_urls;
    struct cli_paths internal_domains;
    struct {
      struct cli_paths domains;
      struct cli_paths networks;
      struct cli_paths paths;
    } never_send;
  } policy;

  struct cli_named_secret *secrets; /* of the file alone */
  size_t secret_count;
  char *file;                              /* the configuration file that was read; NULL: none */
  struct cli_origin origins[CLI_KEYS_MAX]; /* index: as cli_keys */
};

/* The defaults. AP_E_NO_MEMORY. */
int cli_config_init(struct cli_config *config, struct ap_error *err) AP_MUST_USE;
void cli_config_deinit(struct cli_config *config);

/* Reads the environment and the file, and works out what follows from them. What the command line
 * has set stays.
 * @param file  --config; NULL: $APOGEE_CONFIG, or the first there is of
 *              $XDG_CONFIG_HOME/apogee/config.lua and /etc/apogee/config.lua */
int cli_config_load(struct cli_config *config, const char *file, struct ap_error *err) AP_MUST_USE;

/* The environment and what follows from it, for a command that makes the file. */
int cli_config_environment(struct cli_config *config, struct ap_error *err) AP_MUST_USE;

/* The API key. Call once: a source in the environment is overwritten. AP_E_INVALID with what to do
 * when none was given. */
int cli_config_api_key(const struct cli_config *config, struct ap_secret **out,
                       struct ap_error *err) AP_MUST_USE;

/* The same for the proxy's password; *out is NULL when none was given. */
int cli_config_proxy_password(const struct cli_config *config, struct ap_secret **out,
                              struct ap_error *err) AP_MUST_USE;

/* Whether nobody has set the key of this path ("virustotal.tier"). */
bool cli_config_is_default(const struct cli_config *config, const char *path);

/* Every key with its value and where it came from; secrets are shown by their source. */
void cli_config_print(const struct cli_config *config, FILE *to);
