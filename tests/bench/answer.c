/* A template is the text between the places where an answer names its hash; writing a report is a
 * handful of copies, so that the server costs little beside the client that is measured. */
// SPDX-License-Identifier: Apache-2.0
#include "answer.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { ENGINES = 60, DETECTING = 45, SHA256_CHARS = 64, PLACES_MAX = 8 };

/* text[i] comes before the first len[i] characters of the hash. */
struct template
{
  char text[ANSWER_REPORT_BYTES];
  size_t text_len;
  size_t place_at[PLACES_MAX];  /* in text */
  size_t place_len[PLACES_MAX]; /* how much of the hash goes there */
  size_t places;
};

static struct template clean;
static struct template malicious;

static void add(struct template *template, const char *text)
{
  size_t len = strlen(text);
  memcpy(template->text + template->text_len, text, len);
  template->text_len += len;
}

static void add_hash(struct template *template, size_t len)
{
  template->place_at[template->places] = template->text_len;
  template->place_len[template->places++] = len;
}

static void add_engine(struct template *template, int number, bool is_detecting)
{
  char text[192];
  (void)snprintf(text, sizeof(text),
                 "%s\"Engine %02d\": {\"detected\": %s, \"version\": \"5.%d.1.%d\", "
                 "\"result\": %s, \"update\": \"201805%02d\"}",
                 number ? ", " : "", number + 1, is_detecting ? "true" : "false", number,
                 number * 7, is_detecting ? "\"Trojan.Win32.Bench.a\"" : "null", number % 30 + 1);
  add(template, text);
}

static void make(struct template *template, int detecting)
{
  char counts[96];
  add(template, "{\"scans\": {");
  for (int i = 0; i < ENGINES; i++)
    add_engine(template, i, i < detecting);
  add(template, "}, \"scan_id\": \"");
  add_hash(template, SHA256_CHARS);
  add(template, "-1526860800\", \"sha1\": \"");
  add_hash(template, 40);
  add(template, "\", \"resource\": \"");
  add_hash(template, SHA256_CHARS);
  add(template, "\", \"response_code\": 1, \"scan_date\": \"2018-05-21 00:00:00\", "
                "\"permalink\": \"https://www.virustotal.com/file/");
  add_hash(template, SHA256_CHARS);
  (void)snprintf(counts, sizeof(counts),
                 "/analysis/1526860800/\", \"verbose_msg\": \"Scan finished, information "
                 "embedded\", ");
  add(template, counts);
  (void)snprintf(counts, sizeof(counts), "\"total\": %d, \"positives\": %d, \"sha256\": \"",
                 ENGINES, detecting);
  add(template, counts);
  add_hash(template, SHA256_CHARS);
  add(template, "\", \"md5\": \"");
  add_hash(template, 32);
  add(template, "\"}");
}

void answer_init(void)
{
  make(&clean, 0);
  make(&malicious, DETECTING);
}

static char *copy(char *out, const char *from, size_t len)
{
  memcpy(out, from, len);
  return out + len;
}

static char *write_report(char *out, const char *hash)
{
  bool is_malicious = *hash >= '0' && *hash <= '3'; /* a quarter */
  const struct template *template = is_malicious ? &malicious : &clean;
  size_t at = 0;
  for (size_t i = 0; i < template->places; i++) {
    out = copy(out, template->text + at, template->place_at[i] - at);
    out = copy(out, hash, template->place_len[i]);
    at = template->place_at[i];
  }
  return copy(out, template->text + at, template->text_len - at);
}

static char *write_body(char *out, const char *resource, size_t items)
{
  if (items > 1)
    *out++ = '[';
  for (size_t i = 0; i < items; i++) {
    if (i)
      out = copy(out, ", ", 2);
    out = write_report(out, resource + i * (SHA256_CHARS + 3));
  }
  if (items > 1)
    *out++ = ']';
  return out;
}

/* How many hashes "HASH%2CHASH" has; 0 when it is anything else. */
static size_t count_items(const char *resource, size_t len)
{
  size_t items = (len + 3) / (SHA256_CHARS + 3);
  if (items == 0 || items > ANSWER_LIST_MAX || len + 3 != items * (SHA256_CHARS + 3))
    return 0;
  for (size_t i = 1; i < items; i++)
    if (memcmp(resource + i * (SHA256_CHARS + 3) - 3, "%2C", 3) != 0)
      return 0;
  return items;
}

void answer_write(const char *form, size_t len, struct answer *answer)
{
  static const char key[] = "apikey=";
  static const char field[] = "&resource=";
  const char *resource = memmem(form, len, field, sizeof(field) - 1);
  answer->items = 0;
  if (resource && len > sizeof(key) && memcmp(form, key, sizeof(key) - 1) == 0) {
    resource += sizeof(field) - 1;
    answer->items = count_items(resource, len - (size_t)(resource - form));
  }
  if (answer->items == 0) {
    answer->len = (size_t)snprintf(answer->bytes, ANSWER_HEADER_BYTES,
                                   "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    return;
  }
  /* The body goes behind the longest header, then the header in front of it. */
  char *body = answer->bytes + ANSWER_HEADER_BYTES;
  size_t body_len = (size_t)(write_body(body, resource, answer->items) - body);
  int header_len = snprintf(answer->bytes, ANSWER_HEADER_BYTES,
                            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                            "Content-Length: %zu\r\n\r\n",
                            body_len);
  memmove(answer->bytes + header_len, body, body_len);
  answer->len = (size_t)header_len + body_len;
}
