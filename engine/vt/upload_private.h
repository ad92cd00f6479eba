/* What upload.c and upload_url.c share. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vt/client_private.h"

enum { VT_UPLOAD_ANSWER_BYTES = 64 * 1024 };

struct vt_upload;

struct vt_transfer {
  struct vt_batch *batch;   /* being journalled, or on the wire; NULL: none */
  bool is_file;             /* the batch sends the file, it does not ask for an upload URL */
  struct vt_upload *reader; /* whose source is being sent; NULL: none, or it was canceled */
  uint64_t size;            /* of the file on the wire; 0: no file is */
  uint64_t read_bytes;
  int source_error; /* AP_OK, or why the source could not be read */
  char *url;        /* an upload URL, good for one request; NULL: file/scan */
  uint32_t url_tries;
};

/* ---- upload.c ---- */

/* The answer of an upload's request came: frees the batch. What is judged is its item. */
struct vt_item *vt_transfer_off(struct vt_batch *batch);
void vt_upload_quota_spent(struct vt_item *item); /* an answer of 204 to it */

/* ---- upload_url.c ---- */

/* Asks for an upload URL: the item is then in line with it, or refused. */
int vt_upload_url_start(struct vt_batch *batch) AP_MUST_USE;
