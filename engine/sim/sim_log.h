/* The request log: what came and what was answered, one JSON object a line. It never holds a key,
 * only the first eight characters of its SHA-256. Not thread-safe: under the simulator's lock. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

struct sim;
struct sim_log;
struct sim_request;

/* Appends to a file, which is made for its owner only. */
int sim_log_open(const char *path, struct sim_log **out, struct ap_error *err) AP_MUST_USE;
void sim_log_close(struct sim_log *log); /* NULL is fine */

/* @param key_id  SHA-256 of the key, NULL when it was not accepted
 * @param status  0 when the connection is closed without an answer. */
void sim_log_write(struct sim_log *log, const struct sim *sim, const struct sim_request *request,
                   const char *key_id, unsigned status);
