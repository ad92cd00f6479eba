/* Hash first: reads a whole source, digests it, and gives back a source of the same bytes, so that
 * what was read once over a network need not be read again. Up to NET_KEPT_IN_MEMORY bytes stay in
 * memory; more go to a temporary file without a name, for its owner alone, that is gone when it is
 * closed, or when the process ends. A local file needs none of this: it is digested by a feed
 * (is_kept false), and read twice. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/digest.h"
#include "net/loop.h"
#include "net/source.h"

#define NET_KEPT_IN_MEMORY (4 * 1024 * 1024)

struct net_keeping;

/* code is AP_OK: kept is at its beginning and the callee's to close, digests are those of its bytes
 * and valid during the callback. Or an error with its sentence, and both are NULL: the source's
 * own, or AP_E_IO (the temporary file). */
typedef void net_kept_fn(void *arg, int code, const char *text, const struct net_source *kept,
                         const struct ap_digests *digests);

/* AP_PENDING, and done runs exactly once, later, on the loop thread; or an error now, before
 * anything was read: AP_E_TOO_LARGE, AP_E_NO_MEMORY, or why the source cannot be read.
 * @param source     at its beginning; taken, on failure too: it is closed when all of it was read,
 *                   or will not be
 * @param folder     of the temporary file; copied
 * @param max_bytes  a larger source is AP_E_TOO_LARGE
 * @param out        for net_keep_cancel; may be NULL */
int net_keep(struct net_loop *loop, const struct net_source *source, const char *folder,
             uint64_t max_bytes, net_kept_fn *done, void *arg, struct net_keeping **out,
             struct ap_error *err) AP_MUST_USE;

/* Its done does not run, and nothing of it stays. */
void net_keep_cancel(struct net_keeping *keeping);
