/* What the files of the simulator share: the simulator, a request, and the reply to it.
 *
 * A request is read by sim_request.c while it streams in, judged by sim_endpoint.c in the order of
 * checks of the service (key, rights, size, quota, arguments), and answered item by item by
 * sim_file.c, sim_url.c, sim_host.c and sim_comment.c. Start reading at sim_endpoint.c.
 *
 *   item      one resource of a list request ("file/report" of two hashes has two items)
 *   step      what a scenario wants for one call, instead of or on top of the normal answer
 *   derived   computed from the indicator alone, so that every run gives the same answer */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>

#include "base/digest.h"
#include "sim/sim.h"
#include "sim/sim_comment.h"
#include "sim/sim_life.h"
#include "sim/sim_log.h"
#include "sim/sim_quota.h"
#include "sim/sim_scenario.h"
#include "sim/sim_tls.h"

#define SIM_BODY_MAX (1024U * 1024U)            /* a request that uploads nothing */
#define SIM_UPLOAD_MAX (32U * 1024 * 1024)      /* a whole file/scan request */
#define SIM_UPLOAD_URL_MAX (200U * 1024 * 1024) /* a request to an upload URL */
#define SIM_ITEMS_MAX 100                       /* items of a list that are looked at and logged */

/* X(NAME, word). The parameters that are read; others are ignored, as the service does. */
#define SIM_ARG_MAP(X)                                                                             \
  X(APIKEY, "apikey")                                                                              \
  X(RESOURCE, "resource")                                                                          \
  X(URL, "url")                                                                                    \
  X(DOMAIN, "domain")                                                                              \
  X(IP, "ip")                                                                                      \
  X(COMMENT, "comment")                                                                            \
  X(BEFORE, "before")                                                                              \
  X(DATE, "date")                                                                                  \
  X(ALLINFO, "allinfo")                                                                            \
  X(SCAN, "scan")

enum sim_arg {
#define X(name, word) SIM_ARG_##name,
  SIM_ARG_MAP(X)
#undef X
      SIM_ARG_COUNT
};

enum sim_method { SIM_GET = 1, SIM_POST = 2, SIM_OTHER_METHOD = 4 };

enum sim_body { SIM_BODY_NONE, SIM_BODY_FORM, SIM_BODY_MULTIPART, SIM_BODY_OTHER };

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_PostProcessor;
struct sim_endpoint;

struct sim_request {
  const struct sim_endpoint *endpoint; /* NULL: unknown path */
  enum sim_method method;
  char method_text[16];
  char path[128];        /* as asked, cut to fit; for the log */
  char upload_token[40]; /* the last part of an upload URL */
  uint64_t arrived_ms;   /* on ap_clock */
  uint64_t bytes_in;     /* of the body */
  uint64_t bytes_max;    /* of the body */
  enum sim_body body;    /* as its content type says */
  bool is_too_large;     /* what follows is thrown away */
  bool is_malformed;
  bool has_file;
  bool has_arg[SIM_ARG_COUNT];
  struct ap_buf args[SIM_ARG_COUNT];
  struct ap_buf *growing; /* the argument that pieces of a body go on for; NULL: none */
  struct ap_buf filename;
  struct ap_hasher *hasher;
  struct ap_digests digests; /* of the uploaded file, when has_file */
  struct MHD_PostProcessor *post;
  struct ap_slice items[SIM_ITEMS_MAX]; /* of the endpoint's subject; point into args */
  size_t item_count;
};

struct sim_reply {
  unsigned status; /* 0: the connection is closed without an answer */
  struct ap_buf body;
  const char *content_type; /* NULL: JSON for a body, otherwise text/html */
  uint64_t delay_ms;        /* wall time */
  enum sim_cut cut;
};

/* One request while it is answered; under the lock. */
struct sim_call {
  struct sim *sim;
  const struct sim_request *request;
  struct sim_key *key;         /* NULL: refused */
  const struct sim_step *step; /* of the item being answered; NULL: the normal answer */
  unsigned status;             /* 200, unless an answer function says otherwise */
};

struct sim {
  struct sim_options options; /* with what the scenario says on top */
  pthread_mutex_t lock;       /* for everything below that changes */
  pthread_cond_t stop;        /* on CLOCK_MONOTONIC */
  bool is_stopping;
  struct MHD_Daemon *daemon;
  struct sim_tls tls;
  char origin[48]; /* "http://127.0.0.1:40123" */
  char url[64];
  uint64_t start_ms;  /* on ap_clock */
  int64_t midnight_s; /* UTC, of the day it started: what derived dates count back from */
  uint64_t total_count;
  uint64_t *counts; /* one per endpoint */
  struct sim_life *life;
  struct sim_quota *quota;
  struct sim_scenario *scenario;
  struct sim_comments *comments;
  struct sim_log *log;
};

/* ---- sim_request.c ---- */

/* Reads method, path, query and headers. NULL when out of memory. */
struct sim_request *sim_request_new(const struct sim *sim, struct MHD_Connection *connection,
                                    const char *path, const char *method);
void sim_request_free(struct sim_request *request); /* NULL is fine */

/* Takes a piece of the body; memory stays bounded whatever comes. False: it is endless, give up. */
bool sim_request_feed(struct sim_request *request, const char *data, size_t len);

/* After the last piece, once: splits the list of items and finishes the digests of an upload. */
void sim_request_finish(struct sim_request *request);

/* "" when it was not given. */
struct ap_slice sim_request_arg(const struct sim_request *request, enum sim_arg arg);
bool sim_request_has_flag(const struct sim_request *request, enum sim_arg arg); /* "1", "true" */

/* ---- sim_endpoint.c ---- */

typedef void sim_answer_fn(struct sim_call *call, struct ap_slice item, struct ap_buf *out);

struct sim_endpoint {
  const char *name;
  unsigned methods;     /* of enum sim_method */
  enum sim_arg subject; /* the argument that holds the items; SIM_ARG_COUNT: none */
  char separator;       /* between items; 0: one item */
  uint8_t public_max;   /* items answered; the rest is cut without a word */
  uint8_t premium_max;
  bool is_premium; /* refused to a public key */
  bool is_upload;
  bool wants_form; /* refused when its body is no urlencoded form */
  bool wants_comment;
  sim_answer_fn *answer;
};

size_t sim_endpoint_count(void);
const struct sim_endpoint *sim_endpoint_at(size_t index);
size_t sim_endpoint_index(const struct sim_endpoint *endpoint);

/* Finds "file/report"; NULL when there is none. */
const struct sim_endpoint *sim_endpoint_find(const char *name);

/* Judges and answers. Takes the lock; never waits. reply is zeroed by the caller, who frees its
 * body. */
void sim_answer(struct sim *sim, struct sim_request *request, struct sim_reply *reply);

/* The text a scenario wants as verbose_msg, otherwise the usual one. */
const char *sim_call_says(const struct sim_call *call, const char *usual);
/* The scenario wants this item found, whatever is derived for it. */
bool sim_call_is_forced(const struct sim_call *call);
bool sim_call_has_allinfo(const struct sim_call *call);

/* ---- the answers ---- */

#define SIM_QUEUED_TEXT "Scan request successfully queued, come back later for the report"

sim_answer_fn sim_file_report, sim_file_scan, sim_file_rescan, sim_file_rescan_delete,
    sim_file_upload_url, sim_file_upload;
sim_answer_fn sim_url_report, sim_url_scan;
sim_answer_fn sim_domain_report, sim_ip_report;
sim_answer_fn sim_comments_get, sim_comments_put;

/* Whether an upload of these bytes would be new, and so free of charge. */
bool sim_file_is_new(struct sim *sim, const struct ap_digests *digests);

/* The id of what a comment is about; false when text is no resource at all. *is_known says
 * whether there is a report of it. */
bool sim_file_identify(struct sim *sim, struct ap_slice text, char id[65], bool *is_known);
bool sim_url_identify(struct sim *sim, struct ap_slice text, char id[65], bool *is_known);
