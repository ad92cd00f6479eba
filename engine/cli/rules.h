/* The policy of the configuration, as the client knows it. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/config_keys.h"
#include "vt/policy.h"

/* The rule that a key of the policy sets: the end of its path. */
const char *cli_rule_of(const struct cli_key *key);

/* AP_E_NO_MEMORY; the caller frees *out with vt_policy_free, also then. */
int cli_rules_new(const struct cli_config *config, struct vt_policy **out,
                  struct ap_error *err) AP_MUST_USE;
