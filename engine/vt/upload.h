/* Submitting a file. It streams from its source with bounded memory, and what was sent to
 * VirusTotal is never blindly sent again. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vt/client.h"

struct vt_upload;

/* The bytes of one file. */
struct vt_source {
  const char *name; /* only its last part is sent; borrowed until vt_upload returns */
  uint64_t size;
  /* Fills data with up to len bytes: returns how many, 0 at the end, a negative AP_E_ code on
   * failure. A source that finds that it is no longer what was hashed fails before its last
   * bytes: nothing was submitted then. */
  int64_t (*read)(void *arg, char *data, size_t len);
  int (*rewind)(void *arg); /* to the first byte; NULL: it can be sent once only */
  void *arg;                /* borrowed until done runs or the upload is canceled */
};

/* Submits a file. AP_PENDING, and done runs exactly once, later, on the loop thread; or an error
 * now. It waits for quota as a submission does (VT_RESCAN, whatever the options say).
 *   AP_OK            a receipt: wait for scan_id, or for sha256 where it is ""
 *   AP_E_TOO_LARGE   over upload_max_bytes, or VirusTotal says so
 *   AP_E_FORBIDDEN, _UNAUTHORIZED, _REJECTED, _LIMITED   VirusTotal did not take it
 *   another code     of the source, or why no answer came; the message says when the file may have
 *                    arrived all the same
 * After an answer that is none, or none at all, VirusTotal is asked for the SHA-256: what it knows
 * is the receipt, as with a first VT_URL_SCAN. Two uploads of the same contents at the same time
 * are one; each gets the answer.
 * @param sha256  of the contents, lower-case hex; copied
 * @param out     for vt_upload_cancel; may be NULL */
int vt_upload(struct vt_client *client, const struct vt_source *source, const char *sha256,
              const struct vt_ask_options *options, vt_done_fn *done, void *arg,
              struct vt_upload **out) AP_MUST_USE;

/* Forgets an upload; its done does not run, and its source is not read any more. An upload that
 * shares it goes on with its own source. One that is all read goes on too, so that its scan id
 * comes into the journal. */
void vt_upload_cancel(struct vt_upload *upload);
