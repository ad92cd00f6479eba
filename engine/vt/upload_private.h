/* What the files of uploads share.
 *
 *   upload.c       asking, canceling, and what is known of the contents
 *   upload_file.c  the request with the file, from its source to what the answer means
 *   upload_url.c   where a large file goes */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/feed.h"
#include "vt/client_private.h"
#include "vt/upload.h"

enum { VT_UPLOAD_ANSWER_BYTES = 64 * 1024 };

struct vt_upload {
  struct vt_ask ask; /* first: the ask is freed as what it is in */
  struct net_source source;
  bool was_read;
  bool has_digests;
  struct ap_digests digests; /* of what was read */
  char name[];
};

struct vt_transfer {
  struct vt_batch *batch;   /* on the wire; NULL: none */
  bool is_file;             /* the batch sends the file, it does not ask for an upload URL */
  struct vt_upload *reader; /* whose source is, or was, sent; NULL: none, or it is gone */
  struct net_feed *feed;    /* from that source; NULL: none, or all was taken */
  uint64_t size;            /* of the file on the wire; 0: no file is */
  uint64_t read_bytes;      /* of it, handed over */
  int source_error;         /* AP_OK, or why the source could not be read */
  bool has_digests;
  struct ap_digests digests; /* of what the item stands for */
  char *url;                 /* an upload URL, good for one request; NULL: file/scan */
  uint32_t url_tries;
};

/* ---- upload.c ---- */

struct vt_upload *vt_upload_first(const struct vt_item *item);
bool vt_upload_is_only(const struct vt_upload *upload); /* nobody shares its item */
/* The request of an upload is over, or broken off: frees the batch. What is judged is its item. */
struct vt_item *vt_transfer_off(struct vt_batch *batch);
void vt_upload_quota_spent(struct vt_item *item); /* an answer of 204 to it */

/* ---- upload_file.c ---- */

/* Starts the request with the file; where it cannot, it frees the batch and judges its item. */
void vt_upload_file_start(struct vt_batch *batch);

/* ---- upload_url.c ---- */

/* Asks for an upload URL: the item is then in line with it, or refused. */
int vt_upload_url_start(struct vt_batch *batch) AP_MUST_USE;
