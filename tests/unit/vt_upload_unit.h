/* For tests of uploads: a world of vt_unit.h, and files that are made as they are read. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/digest.h"
#include "vt_unit.h"

/* A file of letters, whose last byte is an exclamation mark. */
struct letters {
  uint64_t size;
  uint64_t fails_at; /* 0: nowhere */
  uint64_t ends_at;  /* earlier than it said; 0: it does not */
  size_t piece;      /* bytes of a read; 0: as many as may be */
  uint64_t late_ms;  /* before each */
  bool keeps_end;    /* the end is not told before this is false, and letters_tell is called */
  bool is_other;     /* other letters, as after a change */
  bool changes;      /* to other letters, when it is rewound */
  /* what became of it */
  uint64_t at;
  unsigned reads;
  unsigned rewinds;
  bool is_closed;
  net_source_data_fn *got;
  void *arg;
  struct net_timer *timer;
};

static inline char letter_at(const struct letters *letters, uint64_t at)
{
  return at + 1 == letters->size ? '!' : (char)((letters->is_other ? 'A' : 'a') + (int)(at % 26));
}

static inline void letters_tell(void *arg)
{
  static char data[NET_SOURCE_READ_MAX];
  struct letters *letters = arg;
  uint64_t end = letters->ends_at ? letters->ends_at : letters->size;
  size_t len = letters->piece ? letters->piece : sizeof(data);
  if (!letters->got || (letters->at == end && letters->keeps_end))
    return;
  net_source_data_fn *got = letters->got;
  letters->got = NULL;
  if (letters->fails_at && letters->at >= letters->fails_at) {
    got(letters->arg, AP_E_IO, "the disk is broken", (struct ap_slice){0});
    return;
  }
  if (len > end - letters->at)
    len = (size_t)(end - letters->at);
  for (size_t i = 0; i < len; i++)
    data[i] = letter_at(letters, letters->at + i);
  letters->at += len;
  got(letters->arg, AP_OK, "", (struct ap_slice){data, len});
}

static inline int letters_read(void *self, net_source_data_fn *got, void *arg)
{
  struct letters *letters = self;
  assert_false(letters->is_closed);
  assert_null(letters->got);
  letters->reads++;
  letters->got = got;
  letters->arg = arg;
  net_timer_start(letters->timer, letters->late_ms);
  return AP_PENDING;
}

static inline void letters_cancel(void *self)
{
  struct letters *letters = self;
  letters->got = NULL;
  net_timer_stop(letters->timer);
}

static inline int letters_rewind(void *self)
{
  struct letters *letters = self;
  assert_null(letters->got);
  letters->at = 0;
  letters->is_other = letters->is_other || letters->changes;
  letters->rewinds++;
  return AP_OK;
}

static inline void letters_close(void *self)
{
  struct letters *letters = self;
  assert_false(letters->is_closed);
  letters->is_closed = true;
  letters->got = NULL;
  net_timer_free(letters->timer);
}

/* At its beginning; what became of it is forgotten. */
static inline struct net_source letters_source(struct world *world, struct letters *letters)
{
  static const struct net_source_kind kind = {letters_read, letters_cancel, letters_rewind,
                                              letters_close};
  letters->at = letters->reads = letters->rewinds = 0;
  letters->is_closed = false;
  letters->got = NULL;
  assert_int_equal(AP_OK, net_timer_new(world->loop, letters_tell, letters, &letters->timer));
  return (struct net_source){&kind, letters, letters->size};
}

static inline void digest_of(const struct letters *letters, char sha256[65])
{
  char *bytes = malloc(letters->size + 1);
  assert_non_null(bytes);
  for (uint64_t i = 0; i < letters->size; i++)
    bytes[i] = letter_at(letters, i);
  assert_int_equal(AP_OK, ap_sha256_hex(bytes, letters->size, sha256));
  free(bytes);
}

/* NULL for sha256: found on the way. */
static inline struct vt_upload *upload_as(struct world *world, struct letters *letters,
                                          const char *name, const char *sha256,
                                          const struct vt_ask_options *options)
{
  struct net_source source = letters_source(world, letters);
  struct vt_upload *upload = NULL;
  assert_int_equal(AP_PENDING, vt_upload(world->client, &source, name, sha256, options, hear,
                                         ear_new(world), &upload));
  return upload;
}

static inline struct vt_upload *upload(struct world *world, struct letters *letters)
{
  const struct vt_ask_options options = {.cost = &world->cost};
  return upload_as(world, letters, "/home/ana/sample.exe", NULL, &options);
}

/* The SHA-256 is known before. */
static inline struct vt_upload *upload_known(struct world *world, struct letters *letters)
{
  const struct vt_ask_options options = {.cost = &world->cost};
  char sha256[65];
  digest_of(letters, sha256);
  return upload_as(world, letters, "/home/ana/sample.exe", sha256, &options);
}

static inline void never(void *arg, const struct vt_answer *answer)
{
  (void)arg;
  fail_msg("a canceled upload was answered: %s", answer->message);
}

/* One that is to be canceled. */
static inline struct vt_upload *upload_unheard(struct world *world, struct letters *letters,
                                               const char *sha256)
{
  const struct vt_ask_options options = {.cost = &world->cost};
  struct net_source source = letters_source(world, letters);
  struct vt_upload *made = NULL;
  assert_int_equal(AP_PENDING,
                   vt_upload(world->client, &source, "a", sha256, &options, never, NULL, &made));
  return made;
}

/* Says that the journal has so many open submissions of a scan of the file, and ends them. */
static inline bool end_submission(struct world *world, const struct letters *letters)
{
  char scan_id[100];
  char sha256[65];
  digest_of(letters, sha256);
  int64_t now_s = ap_clock_unix_ms() / 1000;
  for (int64_t s = now_s; store_submission_open_count(world->store) && now_s - s < 100; s--) {
    (void)snprintf(scan_id, sizeof(scan_id), "%s-%lld", sha256, (long long)s);
    store_submission_scanned(world->store, scan_id);
  }
  return store_submission_open_count(world->store) == 0;
}
