/* Comments that were put while the simulator runs. Bounded: beyond a thousand the oldest go. Not
 * thread-safe: under the simulator's lock. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

struct sim_comments;

int sim_comments_new(struct sim_comments **out) AP_MUST_USE;
void sim_comments_free(struct sim_comments *comments); /* NULL is fine */
