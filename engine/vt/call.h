/* The calls of API v2 that the client makes, and what is particular to each. Facts: VirusTotal's
 * API v2 reference (file-report, file-scan, file-rescan, url-report, url-scan, domain-report,
 * ip-address-report, comments-get). */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

enum vt_call {
  VT_FILE_REPORT,
  VT_URL_REPORT,
  VT_DOMAIN_REPORT,
  VT_IP_REPORT,
  VT_COMMENTS,
  VT_FILE_RESCAN,
  VT_URL_SCAN,
  VT_FILE_SCAN, /* with vt_upload, not with vt_ask */
  VT_CALL_COUNT
};

/* Items of a list at most, on any key. */
enum { VT_LIST_MAX = 25 };

struct vt_call_info {
  const char *path;      /* "file/report" */
  const char *parameter; /* "resource" */
  char separator;        /* of a list; '\0': one item a request */
  bool is_post;          /* the key travels in the body */
  bool is_submission;    /* starts a scan: a 403 may be about this call alone */
  bool has_engines;      /* a finished report has `scans` */
};

const struct vt_call_info *vt_call_info(enum vt_call call);

/* The key under which the answer to a call is shared and kept: strlen(resource) + 2 bytes at out. A
 * hash is in lower case. */
void vt_call_key(enum vt_call call, const char *resource, char *out);

/* And back: false for what is no key. *resource points into key. */
bool vt_call_of_key(const char *key, enum vt_call *call, const char **resource);

/* md5, sha1 and sha256 */
enum { VT_HASHES = 3 };

/* What one answer of a call says. Slices point into the item. */
struct vt_verdict {
  int code;                          /* AP_OK, AP_E_NOT_FOUND, _QUEUED, _REJECTED or _BAD_ANSWER */
  struct ap_slice scan_id;           /* raw token; empty: none */
  struct ap_slice message;           /* verbose_msg, raw token; empty: none */
  struct ap_slice hashes[VT_HASHES]; /* of a finished report of a file, raw tokens; empty: none */
};

/* Reads one item (a checked JSON value). `response_code` decides, never `verbose_msg`, but for a
 * malformed hash, which file/report answers with code 0 and "Invalid resource". */
struct vt_verdict vt_call_read(enum vt_call call, struct ap_slice item);
