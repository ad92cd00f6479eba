/* Submitting a file. It streams from its source with bounded memory, and its last block stays here
 * until the journal knows its SHA-256: a crash before that has submitted nothing. What was sent to
 * VirusTotal is never blindly sent again. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/source.h"
#include "vt/client.h"

struct vt_upload;

/* Submits a file. AP_PENDING, and done runs exactly once, later, on the loop thread; or an error
 * now. It waits for quota as a submission does (VT_RESCAN, whatever the options say), and reads
 * nothing before that.
 *   AP_OK            a receipt: wait for scan_id, or for the SHA-256 where it is ""
 *   AP_E_INVALID     the file has no bytes
 *   AP_E_DENIED      the policy denies it: nothing was read
 *   AP_E_TOO_LARGE   over upload_max_bytes, or VirusTotal says so
 *   AP_E_FORBIDDEN, _UNAUTHORIZED, _REJECTED, _LIMITED   VirusTotal did not take it
 *   AP_E_BAD_ANSWER   it was answered, and not as VirusTotal does
 *   another code     of the source, with its sentence (AP_E_IO: also when what was read is not what
 *                    was expected), or why no answer came; the message says when the file may have
 *                    arrived all the same
 * The answer has the digests of what was read as soon as they were known, whatever the code.
 * After an answer that is none, or none at all, VirusTotal is asked for the SHA-256: what it knows
 * is the receipt, as with a first VT_URL_SCAN. Two uploads of the same contents at the same time
 * are one, and one that is under way elsewhere is waited for: where that shows when the file is
 * read, the request is broken off, with nothing submitted. Each upload gets the answer.
 * @param source  at its beginning; taken, on failure now too: it is closed when the upload is over.
 *                It is read again from its beginning when the file is to be sent once more
 * @param name    only its last part is sent; copied
 * @param sha256  expected of the contents, lower-case hex; copied. NULL: found on the way
 * @param out     for vt_upload_cancel; may be NULL */
int vt_upload(struct vt_client *client, const struct net_source *source, const char *name,
              const char *sha256, const struct vt_ask_options *options, vt_done_fn *done, void *arg,
              struct vt_upload **out) AP_MUST_USE;

/* Forgets an upload; its done does not run, and its source is closed. An upload that shares it goes
 * on with its own source. One that is all read goes on too, so that its scan id comes into the
 * journal. */
void vt_upload_cancel(struct vt_upload *upload);
