/* What reading the entities has to say, on standard error. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/casefile.h"

void cli_say_notes(const struct casefile *cf);
