/* A simulator of the VirusTotal API v2: what --simulate talks to, and what tests and authors of
 * actions use. It runs on threads of its own and answers real HTTP on the loopback interface.
 *
 * Nobody needs a key: any text of 64 hex characters works as one, and the options say what it may
 * do. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/value.h"

struct sim;

#define SIM_UPLOAD_URL_MOST (UINT64_C(1) << 30)

struct sim_options {
  uint16_t port;       /* 0: any free one */
  bool tls;            /* HTTPS with a certificate made at start */
  bool premium;        /* the key may rescan, read comments, ask for upload URLs; lists of 25 */
  uint32_t per_minute; /* quotas of each key; 0 is no limit */
  uint32_t per_day;
  uint32_t per_month;
  uint64_t latency_ms;     /* wall time added to each answer */
  uint64_t scan_ms;        /* how long a submission stays queued, on ap_clock */
  uint64_t upload_max;     /* bytes of a whole file/scan request; 0: 32 MiB */
  uint64_t upload_url_max; /* of one to an upload URL, SIM_UPLOAD_URL_MOST at most; 0: 200 MiB */
  const char *request_log; /* file: one JSON object a line per request, without keys; NULL: none */
  const struct ap_value *scenario; /* borrowed while the simulator runs; NULL: none */
};

/* Fills in the defaults: public quotas (4, 500, 15,500), 30 s of scanning, 32 MiB and 200 MiB. */
void sim_options_init(struct sim_options *options);

/* Starts listening on 127.0.0.1. Checks the scenario first: an error names the field. */
int sim_start(const struct sim_options *options, struct sim **out,
              struct ap_error *err) AP_MUST_USE;

const char *sim_url(const struct sim *sim); /* "http://127.0.0.1:40123/vtapi/v2" */
const char *
sim_ca_pem(const struct sim *sim); /* the certificate to trust, as PEM; NULL without TLS */

/* How many requests came for an endpoint ("file/report"), refused ones too; NULL counts them all.
 * Uploads to a URL that file/scan/upload_url gave are counted as "_ah/upload". Any thread. */
uint64_t sim_request_count(struct sim *sim, const char *endpoint);

/* Ends every connection, also those that are being delayed, and frees. NULL is fine. */
void sim_stop(struct sim *sim);
