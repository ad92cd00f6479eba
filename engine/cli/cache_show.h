/* What `apogee cache` prints of entries of the store, as a table or as JSON (apogee.cache/1). */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/casefile.h"
#include "store/store.h"

struct cache_show {
  struct store_lifetimes lifetimes;
  bool as_json;
  bool with_entries;  /* each is shown */
  bool is_open;       /* JSON: its list of entries */
  size_t entry_count; /* of the indicator, or of all */
  size_t indicator_count;
  size_t reports, not_found, good;
  uint64_t bytes;
  int64_t oldest_ms, newest_ms;
};

void cache_show_begin(struct cache_show *show, struct store_lifetimes lifetimes, bool as_json,
                      bool with_entries);
/* What is added then is of this indicator. */
void cache_show_indicator(struct cache_show *show, const struct case_entity *entity);
void cache_show_add(struct cache_show *show, const struct store_entry *entries, size_t count);
void cache_show_end(struct cache_show *show);

/* Each key under which an answer about the indicator may be kept. */
void cache_keys_of(const struct case_entity *entity, void (*each)(void *arg, const char *key),
                   void *arg);
