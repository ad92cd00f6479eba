/* What the files of the client share. An item is one thing to ask VirusTotal; asks wait for it. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <uthash.h>

#include "vt/client.h"

enum { VT_LIST_MAX = 25, VT_STRIKES_MAX = 3 };

enum vt_item_state { VT_ITEM_FRESH, VT_ITEM_QUEUED, VT_ITEM_SENT, VT_ITEM_RESTING };

struct vt_ask {
  struct vt_ask *prev, *next;
  struct vt_item *item;
  struct vt_ask_options options;
  vt_done_fn *done;
  void *arg;
};

struct vt_item {
  struct vt_item *prev, *next; /* in the list of its state */
  UT_hash_handle hh;           /* by key: call and resource */
  struct vt_client *client;
  enum vt_call call;
  enum vt_priority priority;
  enum vt_item_state state;
  bool is_alone; /* not in a list any more: a list with it went wrong */
  bool is_kept;  /* may be answered from the store */
  uint32_t tries;
  int64_t rest_until_ms;
  struct vt_ask *asks;
  size_t key_len;
  const char *resource; /* in key */
  char key[];
};

/* One request on the wire. */
struct vt_batch {
  struct vt_batch *prev, *next;
  struct vt_client *client;
  struct net_http_call *http_call;
  enum vt_call call;
  size_t count;
  struct vt_item *items[VT_LIST_MAX];
};

struct vt_client {
  struct net_loop *loop;
  struct net_http *http;
  struct store *store;
  struct vt_options options;
  char *url;
  struct net_timer *wake; /* quota returns, or an item has rested */
  struct vt_item *by_key; /* those that can be shared */
  struct vt_item *fresh;  /* not looked for in the store yet */
  struct vt_item *queue[VT_PRIORITY_COUNT];
  struct vt_item *resting;
  struct vt_batch *batches;
  struct vt_wait *waits;
  uint32_t in_flight;
  uint32_t strikes; /* answers of 204 in a row */
  bool waits_for_quota;
  int64_t quota_again_ms; /* when it waits: when some returns */
  bool is_answered;       /* some HTTP answer came */
  bool is_accepted;       /* some answer of 200 came: the key works */
  int ended;              /* AP_OK, or what every further ask gets */
  char ended_message[256];
};

/* client.c */
void vt_item_queue(struct vt_item *item); /* SENT or RESTING: back in line, at its front */
void vt_item_rest(struct vt_item *item, uint64_t ms); /* SENT: try again later */
void vt_item_finish(struct vt_item *item,
                    const struct vt_answer *answer); /* tells who asked; frees */
void vt_item_fail(struct vt_item *item, int code, const char *message);
void vt_client_end(struct vt_client *client, int code, const char *message);
bool vt_store_find(struct vt_item *item, struct ap_buf *raw, int *code, int64_t *fetched_ms);
/* A submission was taken: what was known of the same thing is old. */
void vt_store_forget(const struct vt_item *item);
void vt_store_keep(const struct vt_item *item, struct ap_slice body, int code);

/* await.c */
void vt_waits_end(struct vt_client *client, const char *why);

/* send.c */
void vt_send(struct vt_client *client, enum vt_call call, struct vt_item *const *items,
             size_t count);
void vt_batch_free(struct vt_batch *batch);
