/* What the files of the client share. An item is one thing to ask VirusTotal; asks wait for it.
 *
 *   item.c    items and their asks: their states, sharing, finishing, the line for quota
 *   turn.c    what goes out now
 *   send.c    one request of a list, from its items to what each of them becomes
 *   upload.c  submitting a file (upload_file.c: the request with it; upload_url.c: where it goes)
 *   doubt.c   a submission of which nobody knows whether it was taken
 *   keep.c    the store: fetched reports and the journal
 *   await.c   waiting for a scan
 *   client.c  birth, end, and what others may ask about the client */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/table.h"
#include "vt/client.h"

enum { VT_STRIKES_MAX = 3, VT_MINUTE_MS = 60000 };

enum vt_item_state {
  VT_ITEM_FRESH,   /* not looked for in the store yet */
  VT_ITEM_LOOKING, /* the store looks for it: a report, or an open submission */
  VT_ITEM_QUEUED,  /* in line for quota */
  VT_ITEM_SENT,    /* being journalled, on the wire, or being judged: in no list */
  VT_ITEM_RESTING, /* until a time: then in line again, or in doubt */
  VT_ITEM_DOUBTED  /* a report is asked for that tells whether the submission was taken */
};

struct vt_ask {
  struct vt_ask *prev, *next;
  struct vt_ask *hasty_prev, *hasty_next; /* among client->hasty, with stop_on_limit */
  struct vt_item *item;
  struct vt_ask_options options;
  vt_done_fn *done;
  void *arg;
};

struct vt_doubt;
struct vt_transfer;

struct vt_item {
  struct vt_item *prev, *next; /* in the list of its state */
  UT_hash_handle hh;           /* by key: call and resource */
  struct vt_client *client;
  enum vt_call call;
  enum vt_priority priority; /* the first of its asks' */
  enum vt_item_state state;
  bool is_alone;     /* not in a list any more: a list with it went wrong */
  bool is_kept;      /* may be answered from the store */
  bool was_resent;   /* a submission that was sent a second time */
  bool was_doubted;  /* and asked about */
  bool is_denied;    /* by the policy: `resource` is why, and nothing is sent */
  bool is_elsewhere; /* another process is submitting the same: it rests until that is known */
  uint32_t tries;
  int64_t rest_until_ms;
  int64_t place;                /* in line: lower goes first */
  uint64_t submission;          /* of the journal; 0: none is open */
  struct store_op *op;          /* what the store is asked; NULL: nothing */
  struct vt_batch *intending;   /* the request that waits for the journal; NULL: none does */
  struct vt_doubt *doubt;       /* NULL: none */
  struct vt_transfer *transfer; /* of an upload; NULL: none */
  struct vt_ask *asks;
  size_t key_len;
  const char *resource; /* in key; "": not known yet, so nobody can share it */
  char key[];
};

/* One request on the wire. */
struct vt_batch {
  struct vt_batch *prev, *next;
  struct vt_client *client;
  struct net_http_call *http_call;
  enum vt_call call;
  int64_t granted_ms; /* when its quota was */
  size_t intents;     /* of its items that the journal is yet to confirm */
  size_t count;
  struct vt_item *items[VT_LIST_MAX];
};

/* The line of one priority. Each call has its own lists, so that packing one never walks over
 * what waits for another; `place` tells whose turn it is. */
struct vt_line {
  struct vt_item *lists[VT_CALL_COUNT][2]; /* second: items that go alone */
  size_t count;
};

struct vt_client {
  struct net_loop *loop;
  struct net_http *http;
  struct store *store;
  struct vt_options options;
  char *url;
  struct net_timer *wake; /* quota returns, or an item has rested */
  int64_t wake_at_ms;     /* INT64_MAX: the timer does not run */
  struct vt_item *by_key; /* those that can be shared */
  struct vt_item *fresh;
  struct vt_item *looking;
  struct vt_line lines[VT_PRIORITY_COUNT];
  int64_t place_front, place_back;
  struct vt_item *resting;
  int64_t rest_soonest_ms; /* no item has rested before; INT64_MAX: none rests */
  struct vt_item *doubted;
  struct vt_batch *batches;
  struct vt_wait *waits;
  struct vt_ask *hasty; /* asks that end rather than wait for quota */
  size_t hasty_count;
  uint32_t in_flight;
  struct store_op *take; /* the ledger is asked for quota; NULL: it is not */
  uint32_t credit;       /* granted and not used yet: it lasts to the end of a turn */
  int64_t granted_ms;    /* the credit was */
  uint32_t strikes;      /* answers of 204 in a row, one for each minute of backing off */
  int64_t struck_until_ms;
  int64_t *poll_ms;  /* ring: when the last polls took quota, as many as half a minute has */
  uint32_t poll_max; /* 0: polls are not bounded */
  uint32_t poll_at;  /* the oldest */
  bool waits_for_quota;
  bool knows_quota; /* the ledger has answered: what was left then */
  uint32_t minute_left, day_left;
  int64_t quota_again_ms;  /* when it waits: when some returns */
  char quota_message[160]; /* and what a person reads of it */
  bool is_answered;        /* some HTTP answer came */
  bool is_accepted;        /* some answer of 200 came: the key works */
  bool comments_are_refused;
  int ended; /* AP_OK, or what every further ask gets */
  char ended_message[256];
  char refusal[16];      /* "HTTP 403"; "": the key was not refused */
  char unreachable[256]; /* why the last request had no answer; "": every one had */
};

/* ---- client.c ---- */

/* Every ask, now and later, ends with the code. */
void vt_client_end(struct vt_client *client, int code, const char *message);

/* AP_OK, or AP_E_DENIED and why. */
int vt_client_judge(const struct vt_client *client, enum vt_call call, const char *resource,
                    const struct vt_about *about, char why[VT_POLICY_WHY]);

/* ---- item.c ---- */

/* Finds an item that a new ask may share, or makes one. NULL: out of memory. */
struct vt_item *vt_item_obtain(struct vt_client *client, enum vt_call call, const char *resource,
                               const struct vt_ask_options *options);
/* Makes one whose resource, of up to max_bytes, is found out later. NULL: out of memory. */
struct vt_item *vt_item_blank(struct vt_client *client, enum vt_call call, size_t max_bytes,
                              const struct vt_ask_options *options);
/* Gives it its resource: NULL, and others may share it. Or the other item that has that already:
 * the blank one is to be dropped. */
struct vt_item *vt_item_name(struct vt_item *item, const char *resource);
/* Makes one that the policy denies, which fails in the next turn. NULL: out of memory. */
struct vt_item *vt_item_denied(struct vt_client *client, enum vt_call call, const char *why,
                               const struct vt_ask_options *options);
/* Takes ask, which is freed with free() when it is over. */
void vt_ask_attach(struct vt_ask *ask, struct vt_item *item, const struct vt_ask_options *options,
                   vt_done_fn *done, void *arg);
void vt_ask_move(struct vt_ask *ask, struct vt_item *item); /* to another, which it shares now */
void vt_ask_end(struct vt_ask *ask, int code, const char *message); /* others of its item wait on */
void vt_item_leave(struct vt_item *item);                           /* its list: now SENT */
void vt_item_line_up(struct vt_item *item);                         /* QUEUED, at the end */
void vt_item_queue(struct vt_item *item);                           /* back in line, at the front */
void vt_item_rest(struct vt_item *item, uint64_t ms);
void vt_item_finish(struct vt_item *item, const struct vt_answer *answer); /* frees */
void vt_item_fail(struct vt_item *item, int code, const char *message);
void vt_item_drop(struct vt_item *item); /* frees it and its asks; nobody is told */
struct vt_item *vt_line_first(const struct vt_line *line);
struct vt_item *vt_client_first(const struct vt_client *client); /* of all lines */

/* ---- keep.c ---- */

/* Looks for what is known of a fresh item: its report, or that the same was submitted already. Then
 * it is finished, or in line. */
void vt_store_look(struct vt_item *item);
/* A submission was taken: what was known of the same thing is old. */
void vt_store_forget(const struct vt_item *item);
void vt_store_keep(const struct vt_item *item, struct ap_slice body,
                   const struct vt_verdict *verdict);
/* Journals the intent of every item of a request, then launches it. */
void vt_journal_intend(struct vt_batch *batch);
void vt_intent_drop(struct vt_item *item); /* its request will not be sent */
/* Do nothing for a look-up. What ends without either stays open: nobody knows what became of it. */
void vt_journal_sent(struct vt_item *item, const char *scan_id);
void vt_journal_done(struct vt_item *item);
/* Ends an item that VirusTotal has not taken, in the journal too. */
void vt_item_refuse(struct vt_item *item, int code, const char *message);

/* ---- turn.c ---- */

void vt_quota_drop(struct vt_client *client); /* gives back what was granted and not used */
void vt_wake_set(struct vt_client *client);   /* something rests, or waits for quota */
void vt_woken(void *arg);

/* ---- await.c ---- */

int64_t vt_waits_next_ms(const struct vt_client *client); /* the next poll; 0: none is to come */

void vt_waits_hurry(struct vt_client *client); /* every wait polls in this turn */
void vt_waits_end(struct vt_client *client, const char *why);

/* ---- send.c ---- */

void vt_send(struct vt_client *client, enum vt_call call, struct vt_item *const *items,
             size_t count, int64_t granted_ms);
/* Counts as a job in flight until it is detached. NULL: out of memory. */
struct vt_batch *vt_batch_new(struct vt_client *client, enum vt_call call,
                              struct vt_item *const *items, size_t count);
void vt_batch_detach(struct vt_batch *batch); /* its answer came, or will not */
void vt_launch(struct vt_batch *batch);       /* everything it does is in the journal */
void vt_batch_abort(struct vt_batch *batch);  /* ends the request too; its items are SENT */
void vt_count_cost(const struct vt_batch *batch);
void vt_answer_item(struct vt_item *item, struct ap_slice body);
/* A request went wrong in a way that may be different the next time. */
void vt_item_failed(struct vt_item *item, int code, const char *message);
void vt_saw_status(struct vt_client *client, long status);
void vt_saw_failure(struct vt_client *client, const struct net_http_answer *answer);
void vt_quota_spent(struct vt_client *client); /* an answer of 204 */
/* A 403 to items of one request: is it the key, or this call alone? */
void vt_refused(struct vt_client *client, enum vt_call call, struct vt_item *const *items,
                size_t count, long status);

/* ---- doubt.c ---- */

/* Asks for the report of what was submitted, up to `asks` times, a poll_interval apart. Known or
 * queued: it was taken. Not known: it is sent once more, unless may_resend is false or it was
 * already; then it fails with code and message. */
void vt_doubt_begin(struct vt_item *item, unsigned asks, bool may_resend, int code,
                    const char *message);
/* The journal knows of a submission whose process ended before it knew what became of it: the same,
 * but a report that is older than the intent says nothing. */
void vt_doubt_lost(struct vt_item *item, int64_t intended_unix_ms);
void vt_doubt_ask(struct vt_item *item); /* it has rested */
void vt_doubt_free(struct vt_item *item);
void vt_doubt_set_cost(struct vt_item *item, struct case_cost *cost);

/* ---- upload.c ---- */

void vt_upload_check(struct vt_item *item); /* FRESH: to the line, or too large */
void vt_upload_send(struct vt_item *item, int64_t granted_ms);
void vt_upload_let_go(struct vt_batch *batch); /* the journal has it: its last block may go */
/* All of it was handed over in the last request: VirusTotal may have it. */
bool vt_upload_may_have_arrived(const struct vt_item *item);
/* What an upload's ask is told of its contents; NULL: not known. Lives until it is closed. */
const struct ap_digests *vt_upload_digests(const struct vt_ask *ask);
void vt_upload_close(struct vt_ask *ask);       /* its source; it is about to be freed */
void vt_transfer_end(struct vt_item *item);     /* its request is over, or ends unheard */
void vt_upload_break_off(struct vt_item *item); /* the same of one that sends; else nothing */
void vt_transfer_free(struct vt_item *item);
