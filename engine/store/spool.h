/* A file that grows while a run goes on and is read back at its end. It has no name (O_TMPFILE, or
 * unlinked at once where the file system cannot do that), so that nothing is left behind, unless it
 * is kept: then it gets one, and what is added is with the system soon after the turn of the loop,
 * so that a process that is killed takes no more than that with it.
 *
 * Appending fills one of two buffers; a full one is written on libuv's pool while the other fills,
 * so the loop waits for a disk only when the disk is slower than what comes in. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

#include "base/buf.h"

struct net_loop;
struct store_spool;

/* @param loop    the loop whose pool writes; borrowed until close. NULL: writes at once
 * @param folder  where the file lies; made (0700) when it is missing */
int store_spool_open(struct net_loop *loop, const char *folder, struct store_spool **out,
                     struct ap_error *err) AP_MUST_USE;

/* Gives the file a name and keeps it; path's folder is there. It is held by this process until it
 * is closed. AP_E_IO: it stays without a name. */
int store_spool_keep(struct store_spool *spool, const char *path, struct ap_error *err) AP_MUST_USE;

/* Opens a file that was kept: to read it, or to go on behind its end, and then it is held.
 * AP_E_NOT_FOUND, AP_E_BUSY (another process holds it), AP_E_INVALID, AP_E_IO. */
int store_spool_reopen(struct net_loop *loop, const char *path, bool is_to_grow,
                       struct store_spool **out, struct ap_error *err) AP_MUST_USE;

/* Cuts the file off behind its first bytes; before anything is appended. */
int store_spool_cut(struct store_spool *spool, uint64_t size) AP_MUST_USE;

bool store_spool_is_held(const char *path); /* by a process, this one included */

/* Adds len bytes; offset is where they begin. AP_E_IO when this or an earlier write failed, with
 * the reason in store_spool_problem. */
int store_spool_append(struct store_spool *spool, const void *data, size_t len,
                       uint64_t *offset) AP_MUST_USE;

/* Adds len bytes from offset to out; what is still in a buffer is found there. */
int store_spool_read(struct store_spool *spool, uint64_t offset, size_t len,
                     struct ap_buf *out) AP_MUST_USE;

/* Waits until everything is with the system. */
int store_spool_flush(struct store_spool *spool) AP_MUST_USE;

/* Why a write failed ("No space left on device"); "" when none has. */
const char *store_spool_problem(const struct store_spool *spool);
uint64_t store_spool_size(const struct store_spool *spool);

/* Waits for what is on its way. With a loop the memory goes when the loop has told its last job:
 * let it turn (net_loop_drain) before it is freed. NULL is fine. */
void store_spool_close(struct store_spool *spool);
