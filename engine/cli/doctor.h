/* What `apogee doctor` looks at, a function an area. Each says what it found, a line a thing. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "cli/config.h"

enum doctor_grade { DOCTOR_GOOD, DOCTOR_WARN, DOCTOR_BAD, DOCTOR_GRADE_COUNT };

struct doctor {
  bool as_json;
  unsigned counts[DOCTOR_GRADE_COUNT];
};

/* Says one thing: its area ("process"), what was looked at, and what it is or what to do. */
void doctor_say(struct doctor *doctor, enum doctor_grade grade, const char *area, const char *what,
                const char *fmt, ...) AP_PRINTF(5, 6);

void doctor_process(struct doctor *doctor);   /* what protects this process */
void doctor_libraries(struct doctor *doctor); /* versions, and those below the safe floor */
void doctor_files(struct doctor *doctor, const struct cli_config *config);
void doctor_settings(struct doctor *doctor, const struct cli_config *config);
