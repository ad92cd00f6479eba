/* Notes about lines of the input. Inside the room only; casefile.h reads them. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/casefile.h"

/* Keeps a note, or counts it once CASE_NOTES_KEPT are there. Out of memory counts it, too. */
void casefile_add_note(struct casefile *cf, const char *source, size_t line, const char *fmt, ...)
    AP_PRINTF(4, 5);

/* A copy of text that lives as long as the case; NULL when out of memory. */
const char *casefile_keep(struct casefile *cf, const char *text);
