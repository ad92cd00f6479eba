/* The VirusTotal client: look-ups and submissions on API v2, paced by the quota.
 *
 * What waits for the same call at the same moment goes out as one list; two that ask for the same
 * thing share one request; what was fetched is not fetched again within its lifetime. Requests wait
 * for quota in the order of enum vt_priority. The key is in bodies and GET queries only, never in a
 * log or an error. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/digest.h"
#include "base/secret.h"
#include "casefile/record.h"
#include "net/http.h"
#include "store/store.h"
#include "vt/call.h"
#include "vt/policy.h"

struct vt_client;
struct vt_ask;

/* First to last in line for quota. */
enum vt_priority { VT_POLL, VT_LOOKUP, VT_RESCAN, VT_COMMENT, VT_PRIORITY_COUNT };

/* Whose comments are asked for, where the key may. */
enum vt_comments { VT_COMMENTS_ALL, VT_COMMENTS_RISKY, VT_COMMENTS_NONE };

/* Durations are on ap_clock, but for timeout_ms. */
struct vt_options {
  const char *url;             /* "https://www.virustotal.com/vtapi/v2"; copied */
  const struct ap_secret *key; /* borrowed as long as the client lives */
  struct store_limits limits;
  uint32_t list;             /* items of a list: 4 on a public key, 25 on a premium one */
  uint32_t jobs;             /* requests in flight */
  uint32_t retries;          /* after the first try, of a look-up */
  uint64_t retry_delay_ms;   /* before the first retry; it doubles, with full jitter */
  uint64_t poll_interval_ms; /* before the first poll of a scan */
  uint64_t timeout_ms;       /* of one request, wall time; an upload gets more by its size */
  uint64_t max_wait_ms;      /* quota that returns later is not waited for */
  bool stop_on_limit;        /* --on-limit stop: do not wait for quota at all */
  const char *minute_note; /* logged once, when a minute's quota is waited for; borrowed, or NULL */
  uint64_t report_lifetime_ms;
  uint64_t not_found_lifetime_ms;
  uint64_t upload_max_bytes; /* of a file */
  enum vt_comments comments;
  bool has_comments;              /* the key's tier has them */
  const struct vt_policy *policy; /* borrowed as long as the client lives; NULL: all is allowed */
};

/* Fills in the defaults of a public key. */
void vt_options_init(struct vt_options *options);

struct vt_ask_options {
  enum vt_priority priority;
  bool no_cache;
  bool has_report;        /* a refused submission leaves the report in hand */
  bool stop_on_limit;     /* ends with AP_E_LIMITED rather than wait for quota */
  struct case_cost *cost; /* added to; NULL: nobody counts. Lives until done */
  struct vt_about about;  /* what the policy is to know of it */
};

/* What came of an ask. Everything is borrowed for the callback.
 *
 * A first VT_URL_SCAN (has_report is false) that is not answered as it should asks for the report
 * of the URL: when there is one, it was taken, and that report is the receipt: AP_OK, body and
 * scan_id are those of the report. When there is none, it is sent once more. */
struct vt_answer {
  int code;             /* AP_OK, or why there is no finished report or receipt */
  const char *message;  /* for people; "" when code is AP_OK */
  struct ap_slice body; /* the item as it came; also for AP_E_QUEUED, NOT_FOUND and REJECTED */
  const char *scan_id;  /* to wait for; "" when the answer has none */
  int64_t fetched_unix_ms;
  bool is_cached;
  const struct ap_digests *digests; /* of an upload: of what was read; NULL: not known */
};

typedef void vt_done_fn(void *arg, const struct vt_answer *answer);

/* What a file may have that is submitted, in bytes. */
uint64_t vt_client_upload_max(const struct vt_client *client);

/* http and store are borrowed as long as the client lives. AP_E_INVALID: the URL is neither https
 * nor http on loopback. */
int vt_client_new(struct net_loop *loop, struct net_http *http, struct store *store,
                  const struct vt_options *options, struct vt_client **out,
                  struct ap_error *err) AP_MUST_USE;
void vt_client_free(struct vt_client *client); /* drops what is asked; NULL is fine */

/* Asks for one thing; any call but VT_FILE_SCAN. What the policy denies ends with AP_E_DENIED and
 * the rule, and nothing of it is looked for, journalled or sent. AP_PENDING, and done runs exactly
 * once, later, on the loop thread; or an error now. Nothing is sent before vt_client_turn.
 * `resource` is copied, and must not hold the separator of the call's lists; hashes are sent in
 * lower case.
 * @param out  for vt_ask_cancel; may be NULL */
int vt_ask(struct vt_client *client, enum vt_call call, const char *resource,
           const struct vt_ask_options *options, vt_done_fn *done, void *arg,
           struct vt_ask **out) AP_MUST_USE;

/* Forgets an ask; its done does not run. A request that is on its way goes on for who shares it. */
void vt_ask_cancel(struct vt_ask *ask);

/* Packs and sends what can go now: call when no task can run further in this turn of the loop. */
void vt_client_turn(struct vt_client *client);

/* Ends all that waits, now and later, with a code: AP_E_DEADLINE or AP_E_CANCELED; what waited for
 * quota at the deadline is AP_E_LIMITED, and a submission whose answer was still awaited is
 * AP_E_QUEUED: it may have arrived. */
void vt_client_stop(struct vt_client *client, int code);

bool vt_client_is_refused(const struct vt_client *client);   /* the key was refused */
bool vt_client_was_answered(const struct vt_client *client); /* any request ever was */

/* Why the key was refused: "HTTP 403". NULL when it was not. Lives until the next turn. */
const char *vt_client_refusal(const struct vt_client *client);

/* Why the last request had no answer, when none ever had one; else NULL. Lives as long. */
const char *vt_client_unreachable(const struct vt_client *client);

enum vt_waiting_for { VT_WAITS_NOT, VT_WAITS_QUOTA, VT_WAITS_SCAN, VT_WAITS_RETRY };

/* What nothing goes on without, and the quota as it was when some was last asked for. */
struct vt_standing {
  enum vt_waiting_for waiting_for;
  int64_t until_unix_ms; /* quota returns, a scan is asked for, or something is tried again; or 0 */
  bool knows_quota;      /* some was asked for: the counts below hold */
  uint32_t minute_left;  /* UINT32_MAX: no limit */
  uint32_t day_left;     /* the same, but for the reserve */
};

/* From memory, but for a walk over the scans that are waited for when nothing else is. */
void vt_client_standing(const struct vt_client *client, struct vt_standing *standing);

/* Whether comments are to be asked for: the key has them, they are wanted for this, and VirusTotal
 * has not refused them before. After such a refusal an ask for comments ends with AP_E_FORBIDDEN
 * without a request. */
bool vt_comments_are_wanted(const struct vt_client *client, bool is_risky);
