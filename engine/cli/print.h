/* Texts of others on standard output. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

/* Prints a text; what could steer a terminal is replaced by ?. */
void cli_print_text(const char *text);

/* Prints words of ours, broken at 100 columns, and a newline: the first line goes on where `indent`
 * columns are written, the others begin with as many blanks. */
void cli_print_words(FILE *to, const char *words, size_t indent);

/* Takes the value of --format table|json into a bool that says whether it is json. */
int cli_take_as_json(bool *as_json, const char *value, struct ap_error *err);
