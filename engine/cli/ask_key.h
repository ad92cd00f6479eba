/* Asks for a secret: on a terminal without showing it, else it is a line of standard input. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/secret.h"

/* @param name    of the secret, for messages
 * @param prompt  on standard error, when there is a terminal
 * AP_E_INVALID: nothing was given, or it cannot be a key; AP_E_NO_MEMORY. */
int cli_ask_secret(const char *name, const char *prompt, struct ap_secret **out,
                   struct ap_error *err) AP_MUST_USE;
