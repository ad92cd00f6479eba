/* Bytes in memory as a source. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/loop.h"
#include "net/source.h"

/* @param bytes  allocated; taken on success, and freed when it is closed */
int net_memory_source(struct net_loop *loop, char *bytes, size_t size,
                      struct net_source *out) AP_MUST_USE;
