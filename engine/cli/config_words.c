/* Settings in words: what a value must be, and what it is. */
// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>

#include "base/units.h"
#include "cli/config_keys.h"

static void join_words(const struct cli_key *key, char *buf, size_t size)
{
  size_t len = 0;
  *buf = '\0';
  for (size_t i = 0; key->words[i] && len < size; i++)
    len += (size_t)snprintf(buf + len, size - len, "%s%s",
                            i == 0              ? ""
                            : key->words[i + 1] ? ", "
                                                : " or ",
                            key->words[i]);
}

void cli_key_expects(const struct cli_key *key, char *buf, size_t size)
{
  char low[AP_UNITS_TEXT];
  char high[AP_UNITS_TEXT];
  switch (key->kind) {
  case CLI_URL:
    (void)snprintf(buf, size, "an https URL (http on loopback only), like %s", key->example);
    break;
  case CLI_PROXY:
    (void)snprintf(buf, size,
                   "the URL of a proxy without a password (that is virustotal.proxy_password), "
                   "like %s",
                   key->example);
    break;
  case CLI_PATH:
    (void)snprintf(buf, size, "a path, like %s", key->example);
    break;
  case CLI_PATHS:
    (void)snprintf(buf, size, "a list of folders, like %s", key->example);
    break;
  case CLI_ITEMS:
    (void)snprintf(buf, size, "a list, like %s", key->example);
    break;
  case CLI_HOSTS:
    (void)snprintf(buf, size, "a list of hosts without ports, in lower case, like %s",
                   key->example);
    break;
  case CLI_SECRET:
    (void)snprintf(buf, size,
                   "file:PATH, env:NAME or credential:NAME and never the secret itself, like %s",
                   key->example);
    break;
  case CLI_BOOL:
  case CLI_FLAG:
    (void)snprintf(buf, size, "true or false");
    break;
  case CLI_COUNT:
    (void)snprintf(buf, size, "a whole number from %" PRIu64 " to %" PRIu64 ", like %s", key->min,
                   key->max, key->example);
    break;
  case CLI_DURATION:
    ap_duration_format(key->min, low);
    ap_duration_format(key->max, high);
    (void)snprintf(buf, size, "a duration from %s to %s, like %s", low, high, key->example);
    break;
  case CLI_SIZE:
    ap_size_format(key->min, low);
    ap_size_format(key->max, high);
    (void)snprintf(buf, size, "a size from %s to %s, like %s", low, high, key->example);
    break;
  case CLI_WORD:
    join_words(key, buf, size);
    break;
  case CLI_TIER:
    (void)snprintf(buf, size, "public, premium or a table like %s", key->example);
    break;
  }
}

static void add_quoted(struct ap_buf *out, const char *text)
{
  ap_buf_add_char(out, '"');
  for (; *text; text++) {
    if (*text == '"' || *text == '\\')
      ap_buf_add_char(out, '\\');
    if ((unsigned char)*text < ' ' || *text == 0x7f)
      ap_buf_add_fmt(out, "\\%03u", (unsigned)(unsigned char)*text);
    else
      ap_buf_add_char(out, *text);
  }
  ap_buf_add_char(out, '"');
}

static void add_paths(struct ap_buf *out, const struct cli_paths *paths)
{
  ap_buf_add_char(out, '{');
  for (size_t i = 0; i < paths->count; i++) {
    ap_buf_add_str(out, i ? ", " : " ");
    add_quoted(out, paths->items[i]);
  }
  ap_buf_add_str(out, paths->count ? " }" : "}");
}

static void add_tier(struct ap_buf *out, const struct cli_tier *tier)
{
  ap_buf_add_fmt(out,
                 "{ per_minute = %" PRIu64 ", per_day = %" PRIu64 ", per_month = %" PRIu64
                 ", list = %" PRIu64 ", premium = %s }",
                 tier->per_minute, tier->per_day, tier->per_month, tier->list,
                 tier->premium ? "true" : "false");
}

static void add_secret(struct ap_buf *out, const struct cli_secret *secret)
{
  ap_buf_add_str(out, secret->bare || secret->source ? "\"***\"" : "nil");
}

void cli_key_format(const struct cli_key *key, const struct cli_config *config, struct ap_buf *out)
{
  const void *field = (const char *)config + key->offset;
  char text[AP_UNITS_TEXT];
  switch (key->kind) {
  case CLI_URL:
  case CLI_PROXY:
  case CLI_PATH:
    if (*(char *const *)field)
      add_quoted(out, *(char *const *)field);
    else
      ap_buf_add_str(out, "nil");
    break;
  case CLI_PATHS:
  case CLI_ITEMS:
  case CLI_HOSTS:
    add_paths(out, field);
    break;
  case CLI_SECRET:
    add_secret(out, field);
    break;
  case CLI_BOOL:
  case CLI_FLAG:
    ap_buf_add_str(out, *(const bool *)field ? "true" : "false");
    break;
  case CLI_COUNT:
    ap_buf_add_fmt(out, "%" PRIu64, *(const uint64_t *)field);
    break;
  case CLI_DURATION:
    ap_duration_format(*(const uint64_t *)field, text);
    if (*(const uint64_t *)field == CLI_NOT_GIVEN)
      ap_buf_add_str(out, "nil");
    else
      add_quoted(out, text);
    break;
  case CLI_SIZE:
    ap_size_format(*(const uint64_t *)field, text);
    add_quoted(out, text);
    break;
  case CLI_WORD:
    add_quoted(out, key->words[*(const unsigned *)field]);
    break;
  case CLI_TIER:
    add_tier(out, field);
    break;
  }
}
