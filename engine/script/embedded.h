/* The Lua modules that are part of the program (lua/apogee, lua/report and lua/kit, by their dotted
 * names).
 */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>

struct script_module {
  const char *name; /* "apogee.threshold"; NULL ends the table */
  const char *code; /* compiled by the build (engine/embed.c), or text */
  size_t len;
};

extern const struct script_module script_embedded[];
