/* Options in words: made from the same tables that are parsed. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/buf.h"
#include "cli/options_private.h"
#include "cli/print.h"

enum { LABEL_WIDTH = 26 };

static const char *join_words(const struct cli_key *key, char *buf, size_t size)
{
  size_t len = 0;
  for (size_t i = 0; key->words[i] && len < size; i++)
    len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? "|" : "", key->words[i]);
  return buf;
}

const char *cli_entry_value(const struct cli_entry *entry, char *buf, size_t size)
{
  if (!entry->key)
    return entry->option->value;
  if (entry->key->value)
    return entry->key->value;
  switch (entry->key->kind) {
  case CLI_URL:
  case CLI_PROXY:
    return "URL";
  case CLI_PATH:
    return "FILE";
  case CLI_PATHS:
  case CLI_HOSTS:
    return "DIR:...";
  case CLI_ITEMS:
    return "LIST";
  case CLI_SECRET:
    return "SOURCE";
  case CLI_BOOL:
    return "true|false";
  case CLI_FLAG:
    return NULL;
  case CLI_COUNT:
    return "N";
  case CLI_DURATION:
    return "DURATION";
  case CLI_SIZE:
    return "SIZE";
  case CLI_WORD:
    return join_words(entry->key, buf, size);
  case CLI_TIER:
    return "public|premium";
  }
  return NULL;
}

static void print_entry(FILE *to, const struct cli_entry *entry)
{
  char buf[64];
  char label[128];
  struct ap_buf doc = {0};
  const char *value = cli_entry_value(entry, buf, sizeof(buf));
  char letter[] = "-x, ";
  letter[1] = entry->key ? '\0' : entry->option->letter;
  (void)snprintf(label, sizeof(label), "  %s--%s%s%s", letter[1] ? letter : "", entry->name,
                 value ? " " : "", value ? value : "");
  bool has_room = strlen(label) < LABEL_WIDTH - 1;
  (void)fprintf(to, "%s%s%*s", label, has_room ? "" : "\n",
                has_room ? LABEL_WIDTH - (int)strlen(label) : LABEL_WIDTH, "");
  ap_buf_add_str(&doc, entry->key ? entry->key->doc : entry->option->doc);
  if (entry->key && entry->key->fallback && entry->key->kind != CLI_FLAG)
    ap_buf_add_fmt(&doc, " (default %s)", entry->key->fallback);
  if (entry->key && entry->key->env)
    ap_buf_add_fmt(&doc, " [%s]", entry->key->env);
  cli_print_words(to, ap_buf_cstr(&doc), LABEL_WIDTH);
  ap_buf_deinit(&doc);
}

void cli_options_help(const struct cli_command *command, FILE *to)
{
  struct cli_entry entries[CLI_ENTRIES_MAX];
  size_t count = cli_entries(command, entries);
  bool had_key = false;
  if (count == 0)
    return;
  (void)fputs("\nOptions:\n", to);
  for (size_t i = 0; i < count; i++) {
    if (entries[i].key && !had_key)
      (void)fputs("\nSettings; the configuration file has them too:\n", to);
    had_key = had_key || entries[i].key;
    print_entry(to, &entries[i]);
  }
  if (had_key)
    (void)fputs("\nA DURATION is 500ms, 20s, 5m, 1h30m or 2d; a SIZE 200MB or 32MiB.\n", to);
}
