// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/table.h"

enum { SEEN_MAX = 65536, SUBMITTED_MAX = 100000, TOKENS_MAX = 1000, TOKEN_MS = 3600 * 1000 };

struct entry {
  struct sim_subject subject; /* first, so that a subject is its entry */
  bool is_submitted;
  struct entry *prev;
  struct entry *next;
  UT_hash_handle by_sha256;
  UT_hash_handle by_sha1;
  UT_hash_handle by_md5;
};

/* Entries in the order in which they are forgotten. */
struct queue {
  struct entry *first;
  size_t count;
};

struct token {
  char text[SIM_TOKEN_TEXT];
  char key_id[65];
  uint64_t until_ms;
  UT_hash_handle hh;
};

struct sim_life {
  struct entry *files_by_sha256;
  struct entry *files_by_sha1;
  struct entry *files_by_md5;
  struct entry *urls;
  struct queue seen;
  struct queue submitted;
  struct token *tokens;
};

int sim_life_new(struct sim_life **out)
{
  *out = calloc(1, sizeof(**out));
  return *out ? AP_OK : AP_E_NO_MEMORY;
}

static struct entry *entry_of(struct sim_subject *subject)
{
  return (struct entry *)subject;
}

/* ---- queues ---- */

static struct queue *queue_of(struct sim_life *life, const struct entry *entry)
{
  return entry->is_submitted ? &life->submitted : &life->seen;
}

static void queue_add(struct queue *queue, struct entry *entry)
{
  DL_APPEND(queue->first, entry);
  queue->count++;
}

static void queue_drop(struct queue *queue, struct entry *entry)
{
  ap_require(queue->first);
  DL_DELETE(queue->first, entry);
  queue->count--;
}

static void unindex_aliases(struct sim_life *life, struct entry *entry)
{
  TABLE_REMOVE(by_sha1, life->files_by_sha1, entry);
  TABLE_REMOVE(by_md5, life->files_by_md5, entry);
}

static void forget(struct sim_life *life, struct entry *entry)
{
  queue_drop(queue_of(life, entry), entry);
  if (entry->subject.url) {
    TABLE_REMOVE(by_sha256, life->urls, entry);
  } else {
    TABLE_REMOVE(by_sha256, life->files_by_sha256, entry);
    unindex_aliases(life, entry);
  }
  free(entry->subject.url);
  free(entry);
}

static void keep_bounded(struct sim_life *life)
{
  if (life->seen.first && life->seen.count > SEEN_MAX)
    forget(life, life->seen.first);
  if (life->submitted.first && life->submitted.count > SUBMITTED_MAX)
    forget(life, life->submitted.first);
}

void sim_life_free(struct sim_life *life)
{
  if (!life)
    return;
  while (life->seen.first)
    forget(life, life->seen.first);
  while (life->submitted.first)
    forget(life, life->submitted.first);
  while (life->tokens) {
    struct token *token = life->tokens;
    TABLE_REMOVE(hh, life->tokens, token);
    free(token);
  }
  free(life);
}

/* ---- finding and remembering ---- */

struct sim_subject *sim_life_find_file(struct sim_life *life, const char *digest)
{
  struct entry *entry = NULL;
  size_t len = strlen(digest);
  if (len == 64)
    HASH_FIND(by_sha256, life->files_by_sha256, digest, 64, entry);
  else if (len == 40)
    HASH_FIND(by_sha1, life->files_by_sha1, digest, 40, entry);
  else if (len == 32)
    HASH_FIND(by_md5, life->files_by_md5, digest, 32, entry);
  return entry ? &entry->subject : NULL;
}

struct sim_subject *sim_life_find_url(struct sim_life *life, const char *sha256)
{
  struct entry *entry = NULL;
  HASH_FIND(by_sha256, life->urls, sha256, 64, entry);
  return entry ? &entry->subject : NULL;
}

static struct entry *new_entry(struct sim_life *life)
{
  struct entry *entry = calloc(1, sizeof(*entry));
  if (!entry)
    return NULL;
  queue_add(&life->seen, entry);
  return entry;
}

static void index_aliases(struct sim_life *life, struct entry *entry)
{
  HASH_ADD(by_sha1, life->files_by_sha1, subject.digests.sha1, 40, entry);
  HASH_ADD(by_md5, life->files_by_md5, subject.digests.md5, 32, entry);
}

struct sim_subject *sim_life_remember_file(struct sim_life *life, const struct ap_digests *digests)
{
  struct sim_subject *known = sim_life_find_file(life, digests->sha256);
  if (known && memcmp(&known->digests, digests, sizeof(*digests)) == 0)
    return known;
  if (known) {
    unindex_aliases(life, entry_of(known));
    known->digests = *digests;
    index_aliases(life, entry_of(known));
    return known;
  }
  struct entry *entry = new_entry(life);
  if (!entry)
    return NULL;
  entry->subject.digests = *digests;
  HASH_ADD(by_sha256, life->files_by_sha256, subject.digests.sha256, 64, entry);
  index_aliases(life, entry);
  keep_bounded(life);
  return &entry->subject;
}

struct sim_subject *sim_life_remember_url(struct sim_life *life, const char *sha256,
                                          const char *url)
{
  struct sim_subject *known = sim_life_find_url(life, sha256);
  if (known)
    return known;
  char *copy = ap_memdup(url, strlen(url));
  struct entry *entry = copy ? new_entry(life) : NULL;
  if (!entry) {
    free(copy);
    return NULL;
  }
  entry->subject.url = copy;
  memcpy(entry->subject.digests.sha256, sha256, 65);
  HASH_ADD(by_sha256, life->urls, subject.digests.sha256, 64, entry);
  keep_bounded(life);
  return &entry->subject;
}

/* ---- submissions ---- */

bool sim_scans_are_queued(const struct sim_scans *scans)
{
  return scans->last_s && ap_clock_ms() < scans->due_ms;
}

int64_t sim_scans_finished_s(const struct sim_scans *scans)
{
  return sim_scans_are_queued(scans) ? scans->done_s : scans->last_s;
}

bool sim_scans_cancel(struct sim_scans *scans)
{
  if (!sim_scans_are_queued(scans))
    return false;
  *scans = (struct sim_scans){.last_s = scans->done_s, .done_s = scans->done_s};
  return true;
}

void sim_life_submit(struct sim_life *life, struct sim_subject *subject, uint64_t scan_ms)
{
  struct entry *entry = entry_of(subject);
  struct sim_scans *scans = &subject->scans;
  scans->done_s = sim_scans_finished_s(scans);
  scans->last_s = ap_clock_unix_ms() / 1000;
  scans->due_ms = ap_clock_ms() + scan_ms;
  queue_drop(queue_of(life, entry), entry);
  entry->is_submitted = true;
  queue_add(&life->submitted, entry);
  keep_bounded(life);
}

/* ---- upload URLs ---- */

int sim_life_give_token(struct sim_life *life, const char *key_id, char token[SIM_TOKEN_TEXT])
{
  unsigned char raw[(SIM_TOKEN_TEXT - 1) / 2];
  struct token *made = calloc(1, sizeof(*made));
  if (!made)
    return AP_E_NO_MEMORY;
  ap_random_bytes(raw, sizeof(raw));
  for (size_t i = 0; i < sizeof(raw); i++)
    (void)snprintf(made->text + 2 * i, 3, "%02x", raw[i]);
  memcpy(made->key_id, key_id, sizeof(made->key_id));
  made->until_ms = ap_clock_ms() + TOKEN_MS;
  HASH_ADD(hh, life->tokens, text, SIM_TOKEN_TEXT - 1, made);
  memcpy(token, made->text, SIM_TOKEN_TEXT);
  if (HASH_COUNT(life->tokens) > TOKENS_MAX) {
    struct token *oldest = life->tokens;
    TABLE_REMOVE(hh, life->tokens, oldest);
    free(oldest);
  }
  return AP_OK;
}

bool sim_life_take_token(struct sim_life *life, const char *token, const char *key_id)
{
  struct token *found = NULL;
  HASH_FIND_STR(life->tokens, token, found);
  if (!found || strcmp(found->key_id, key_id) != 0)
    return false;
  bool is_fresh = ap_clock_ms() < found->until_ms;
  TABLE_REMOVE(hh, life->tokens, found);
  free(found);
  return is_fresh;
}
