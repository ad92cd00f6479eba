/* Allocations that fail, for a program that the linker leads through fail.c. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

/* From now on the allocations of a kind fail, the `at`-th and all that follow; NULL: none. */
void torture_fail(const char *word, uint64_t at);
