/* The store for commands that look at it: quota and cache. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/config.h"
#include "net/loop.h"
#include "store/store.h"

struct cli_look {
  struct net_loop *loop;
  struct ap_secret *key; /* NULL: nobody's */
  struct store *store;
  int code; /* of the last answer */
};

/* Opens the store in state_dir. The exit code of a failure, said already; CLI_EXIT_DONE.
 * @param with_key  the ledger is that of the configured key; there must be one */
int cli_look_open(struct cli_look *look, const struct cli_config *config,
                  bool with_key) AP_MUST_USE;
void cli_look_close(struct cli_look *look);

/* Waits for the answer to a call that returned rc, whose done calls cli_look_told. The exit code of
 * a failure, said already; CLI_EXIT_DONE. */
int cli_look_wait(struct cli_look *look, int rc) AP_MUST_USE;
void cli_look_told(struct cli_look *look, int code);
