/* Durations and sizes as people write them: "500ms", "1h30m", "200MB", "32MiB". */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Numbers with the units d, h, m, s and ms, each once and the greater first ("2d", "1h30m"); a
 * plain number is seconds. AP_E_INVALID: anything else, or more than INT64_MAX milliseconds. */
int ap_duration_parse(const char *text, uint64_t *ms) AP_MUST_USE;

/* A number with kB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024) or B, in any
 * case; a plain number is bytes. AP_E_INVALID: anything else, or more than INT64_MAX bytes. */
int ap_size_parse(const char *text, uint64_t *bytes) AP_MUST_USE;

/* The shortest text that reads back as the same. buf takes AP_UNITS_TEXT bytes. */
#define AP_UNITS_TEXT 48
void ap_duration_format(uint64_t ms, char *buf);
void ap_size_format(uint64_t bytes, char *buf);

/* A whole number without a sign: AP_E_INVALID for anything else. */
int ap_count_parse(const char *text, uint64_t *count) AP_MUST_USE;
