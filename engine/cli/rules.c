// SPDX-License-Identifier: Apache-2.0
#include "cli/rules.h"

#include <string.h>

static const char group[] = "policy.";

const char *cli_rule_of(const struct cli_key *key)
{
  return key->path + strlen(group);
}

static int add(const struct cli_key *key, const struct cli_config *config, struct vt_policy *policy,
               struct ap_error *err)
{
  const void *field = (const char *)config + key->offset;
  const char *rule = cli_rule_of(key);
  int rc = AP_OK;
  if (key->kind == CLI_WORD)
    return vt_policy_tighten(policy, rule, key->words[*(const unsigned *)field], false, err);
  const struct cli_paths *items = field;
  for (size_t i = 0; rc == AP_OK && i < items->count; i++)
    rc = vt_policy_tighten(policy, rule, items->items[i], false, err);
  return rc;
}

int cli_rules_new(const struct cli_config *config, struct vt_policy **out, struct ap_error *err)
{
  int rc = vt_policy_new(out);
  if (rc != AP_OK)
    return ap_fail(err, rc, "out of memory");
  for (size_t i = 0; rc == AP_OK && i < cli_key_count; i++)
    if (strncmp(cli_keys[i].path, group, strlen(group)) == 0)
      rc = add(&cli_keys[i], config, *out, err);
  return rc;
}
