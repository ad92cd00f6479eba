/* Spelling help: which known name a mistyped one was meant to be. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>

/* The name of `names` with the smallest edit distance (swaps count one, case does not count) to
 * `word`; NULL when none is near (more than a third of the letters differ). */
const char *ap_nearest(const char *word, const char *const *names, size_t count);
