/* Where the files that come with the program are: beside it, as installed and as built. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

enum { CLI_PATH_MAX = 4096 };

struct cli_folders {
  char actions[CLI_PATH_MAX];   /* PREFIX/share/apogee/actions */
  char playbooks[CLI_PATH_MAX]; /* PREFIX/share/apogee/playbooks */
};

/* Finds them from where the program lies (PREFIX/bin). AP_E_IO, AP_E_TOO_LARGE. */
int cli_folders_find(struct cli_folders *folders, struct ap_error *err) AP_MUST_USE;
