/* The table of settings: what a key of the configuration is called, holds, defaults to and means.
 * It drives the configuration file, the environment, the command line, help and `show config`. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/value.h"
#include "cli/config.h"

/* What a value is, and the member of struct cli_config that holds it. */
enum cli_kind {
  CLI_URL,      /* char *: https, or http on loopback */
  CLI_PROXY,    /* char *: a URL without a password */
  CLI_PATH,     /* char * */
  CLI_PATHS,    /* struct cli_paths; as text separated by colons */
  CLI_HOSTS,    /* struct cli_paths: names of hosts; in the file only */
  CLI_SECRET,   /* struct cli_secret */
  CLI_BOOL,     /* bool: true or false */
  CLI_FLAG,     /* bool: as an option without a value, which means true */
  CLI_COUNT,    /* uint64_t */
  CLI_DURATION, /* uint64_t: milliseconds */
  CLI_SIZE,     /* uint64_t: bytes */
  CLI_WORD,     /* unsigned: index in words */
  CLI_TIER,     /* struct cli_tier */
  CLI_ITEMS     /* struct cli_paths: the values of a rule of the policy; in the file only */
};

struct cli_key {
  const char *path;   /* in the file: "virustotal.timeout" */
  const char *option; /* "timeout"; NULL: none */
  const char *env;    /* NULL: none */
  enum cli_kind kind;
  size_t offset;
  const char *fallback; /* the default, as text; NULL: nothing */
  uint64_t min;         /* COUNT, DURATION, SIZE */
  uint64_t max;
  const char *const *words; /* WORD: NULL-terminated */
  bool is_offline;          /* also for commands that only read scripts */
  const char *value;        /* in help: "DURATION"; NULL: as the kind says */
  const char *example;      /* for messages; as it is written in the file */
  const char *doc;
};

extern const struct cli_key cli_keys[];
extern const size_t cli_key_count;

/* A value that was understood but not stored yet. Zeroed: none. */
struct cli_parsed {
  uint64_t number; /* COUNT, DURATION, SIZE, WORD; BOOL and FLAG: 0 or 1 */
  char *text;      /* URL, PROXY, PATH, the source of a SECRET */
  struct ap_secret *bare;
  struct cli_paths paths;
  struct cli_tier tier;
};
void cli_parsed_deinit(struct cli_parsed *parsed);

/* Understands text as the key's value. AP_E_INVALID: it is none; what is one is said by
 * cli_key_expects. A secret must be a source here. */
int cli_key_parse(const struct cli_key *key, const char *text, struct cli_parsed *out) AP_MUST_USE;

/* Stores a parsed value, which is taken, unless a stronger origin has set the key. origin is
 * copied. */
int cli_key_store(const struct cli_key *key, struct cli_config *config, struct cli_parsed *parsed,
                  enum cli_origin_kind kind, const char *origin, struct ap_error *err) AP_MUST_USE;

/* Frees what the key holds: it is as if it never was. */
void cli_key_clear(const struct cli_key *key, struct cli_config *config);

/* Sets a key from text: of an option or the environment. A secret that is no source is taken as it
 * is from an option, and refused elsewhere. err names origin. */
int cli_key_set(const struct cli_key *key, struct cli_config *config, const char *text,
                enum cli_origin_kind kind, const char *origin, struct ap_error *err) AP_MUST_USE;

/* "a duration from 1ms to 1h, like \"60s\"". */
void cli_key_expects(const struct cli_key *key, char *buf, size_t size);

/* The value as text, as it could be written in the file. */
void cli_key_format(const struct cli_key *key, const struct cli_config *config, struct ap_buf *out);

void *cli_key_field(const struct cli_key *key, struct cli_config *config);

/* The tier of a key by its name ("public", "premium"): AP_E_INVALID. */
int cli_tier_parse(const char *name, struct cli_tier *tier) AP_MUST_USE;

/* Reads the table `secrets` of the configuration file: names and sources. file: for messages, and
 * its folder is what paths begin at. */
extern const char cli_secrets_key[];
int cli_config_read_secrets(struct cli_config *config, const char *file,
                            const struct ap_value *table, struct ap_error *err) AP_MUST_USE;
void cli_config_clear_secrets(struct cli_config *config);

/* What the file at path returned, into config; nothing is read from path. */
int cli_config_read_table(struct cli_config *config, const char *path, const struct ap_value *root,
                          struct ap_error *err) AP_MUST_USE;

/* Reads the configuration file into config; AP_E_NOT_FOUND when there is none of that name. */
int cli_config_read_file(struct cli_config *config, const char *path,
                         struct ap_error *err) AP_MUST_USE;
