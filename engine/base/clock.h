/* Every clock of the program. Tests and the simulator run it faster than the wall.
 *
 * APOGEE_CLOCK=SCALE[@ORIGIN] in the environment makes time run SCALE times as fast (1 to 100000),
 * counted from ORIGIN (seconds since 1970, default: when the process started). Processes that are
 * given the same ORIGIN agree on the time. With SCALE+START the process begins at START. Meant for
 * tests and rehearsals; said in the log when set. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Reads APOGEE_CLOCK. Call once, before any thread. Fails on a value it cannot read. */
int ap_clock_init(struct ap_error *err) AP_MUST_USE;

/* Milliseconds on a clock that never jumps (it runs on while the machine sleeps), scaled. */
uint64_t ap_clock_ms(void);

/* Milliseconds since 1970 UTC, scaled. */
int64_t ap_clock_unix_ms(void);

/* How long a wait of `ms` is on the wall clock: what to give to a timer. At least 1 for ms > 0. */
uint64_t ap_clock_real_wait_ms(uint64_t ms);

/* How many times as fast as the wall clock time runs; 1 normally. */
double ap_clock_scale(void);

/* "2026-11-24T04:11:52Z". buf takes AP_CLOCK_TEXT bytes. */
#define AP_CLOCK_TEXT 32
void ap_clock_format_utc(int64_t unix_ms, char *buf);

/* Reads a UTC time as VirusTotal and people write it: "2019-02-05 15:41:52", the same with T and Z,
 * "20190205", "20190205154152". Returns AP_OK and seconds since 1970, or AP_E_INVALID. */
int ap_clock_parse_utc(const char *text, size_t len, int64_t *unix_s) AP_MUST_USE;
