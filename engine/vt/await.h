/* Waiting for a scan: polls by scan id, spaced, until it is done or the run ends. A scan that waits
 * costs a timer. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vt/client.h"

struct vt_wait;

/* Waits for the report of a scan. The first poll comes one poll_interval after the call; the waits
 * between polls grow by half, up to a minute. AP_PENDING, and done runs exactly once, later:
 *   AP_OK              the finished report
 *   AP_E_QUEUED        not finished when the run ended, the quota was spent, or three polls in a
 *                      row failed; the message says which
 *   AP_E_NOT_FOUND     VirusTotal no longer knows the scan
 *   AP_E_REJECTED      VirusTotal's -1
 *   AP_E_UNAUTHORIZED  the key was refused
 *   AP_E_DENIED        the policy denies it, at once; the submission stays open
 * With the first, third and fourth the submission is over in the journal too.
 * @param call     VT_FILE_REPORT or VT_URL_REPORT
 * @param scan_id  copied; or the hash or URL that was submitted, where that gave no id
 * @param about    what the policy is to know of it; is_own: this run has submitted it
 * @param cost     what polls cost is added; NULL: nobody counts. Lives until done */
int vt_await(struct vt_client *client, enum vt_call call, const char *scan_id,
             const struct vt_about *about, struct case_cost *cost, vt_done_fn *done, void *arg,
             struct vt_wait **out) AP_MUST_USE;

/* Forgets a wait; its done does not run. */
void vt_wait_cancel(struct vt_wait *wait);
