/* Which process a row of the store belongs to, and whether that lives. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct holder {
  int64_t id; /* random: one for each store that is open */
  int64_t pid;
  int64_t born; /* when the process was started, in ticks since the machine was; 0: not known */
};

void holder_init(struct holder *me);
bool holder_lives(int64_t pid, int64_t born);
