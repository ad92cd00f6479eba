/* The memory that libssh2 works in: counted, capped, wiped when freed, and freed with the session
 * whatever libssh2 forgot. One thread at a time. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>

enum { NET_SSH_MEMORY_MAX = 24 * 1024 * 1024 };

struct net_ssh_block;

/* Zeroed: empty. */
struct net_ssh_memory {
  struct net_ssh_block *blocks;
  size_t bytes;
};

void *net_ssh_memory_new(struct net_ssh_memory *memory, size_t size); /* NULL: none, or the cap */
void *net_ssh_memory_resize(struct net_ssh_memory *memory, void *ptr, size_t size);
void net_ssh_memory_free(struct net_ssh_memory *memory, void *ptr); /* NULL is fine */
void net_ssh_memory_sweep(struct net_ssh_memory *memory);           /* frees all that is left */
