// SPDX-License-Identifier: Apache-2.0
#include "base/failpoint.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *wanted; /* "NAME:N" or "NAME"; NULL: none */
static size_t wanted_len;  /* of the name */
static atomic_long left;   /* until it is the Nth time */

void ap_failpoint_init(void)
{
  wanted = getenv("APOGEE_FAILPOINT");
  if (!wanted)
    return;
  wanted_len = strcspn(wanted, ":");
  long count = wanted[wanted_len] ? strtol(wanted + wanted_len + 1, NULL, 10) : 1;
  atomic_store(&left, count);
}

void ap_failpoint(const char *name)
{
  if (!wanted || strlen(name) != wanted_len || strncmp(name, wanted, wanted_len) != 0)
    return;
  if (atomic_fetch_sub(&left, 1) == 1)
    (void)kill(getpid(), SIGKILL);
}
