/* Text of a server, and our own words, made fit for a message. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Copies text, cut to size - 1 bytes: what is not UTF-8, control characters and those that change
 * the direction of text or have no width become "?". */
void net_ssh_clean(char *out, size_t size, const char *text, size_t len);

/* True when word stands in a list with commas. */
bool net_ssh_list_has(const char *list, const char *word);
