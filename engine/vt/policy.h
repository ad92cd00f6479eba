/* The policy: what may leave this machine for VirusTotal. The configuration sets it, a playbook may
 * tighten it and nothing loosens it: of two values of a rule the stricter stays, lists grow. The
 * client judges every ask by it before anything of it is looked for, journalled or sent.
 *
 * The rules, by the names that the configuration and playbooks give them below `policy`:
 *
 *   lookup        allow, deny: reports and comments are asked for
 *   submit        allow, unknown-only, deny: URLs are submitted; URLs and files are scanned again.
 *                 unknown-only: what VirusTotal has just said not to know
 *   upload        the same for files
 *   private_urls  allow, deny: URLs that look as if they were for somebody's eyes only are
 *                 submitted (vt/private_url.h says which do, and internal names are such)
 *   internal_domains     names of the own network, with all below them: private
 *   never_send.domains   names, with all below them: neither looked up nor submitted, nor is a URL
 *                        that has one as a host
 *   never_send.networks  addresses and CIDR ranges, likewise
 *   never_send.paths     files and folders with all below them, as patterns of fnmatch(3): their
 *                        files are not uploaded
 *
 * And one rule that nobody changes: what is TLP:AMBER, TLP:AMBER+STRICT or TLP:RED never leaves in
 * any way, nor does what has a TLP that is none. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "vt/call.h"

struct vt_policy;

/* Room for the sentence of a denial. */
enum { VT_POLICY_WHY = 300 };

/* What is known of that which an ask is about. Strings are borrowed for the call, but for `tlp`,
 * which lives until the ask is over. Zeroed: nothing is. */
struct vt_about {
  const char *tlp;       /* the strictest of it: lower case without "tlp:"; NULL: none */
  const char *path;      /* of a file that is uploaded: as it was named; NULL: none */
  const char *real_path; /* and where it really lies; NULL: not known */
  bool is_remote;        /* these are paths of another machine */
  bool is_unknown;       /* VirusTotal has just said that it does not know it */
  bool is_own;           /* this run has submitted it: asking for the scan is part of that */
};

/* Everything is allowed but for the TLP. AP_E_NO_MEMORY. */
int vt_policy_new(struct vt_policy **out) AP_MUST_USE;
void vt_policy_free(struct vt_policy *policy); /* NULL is fine */

/* Tightens one rule by its name; of a list, adds one item. AP_E_INVALID: there is no such rule, or
 * that is no value of it: err has the reason, a part of a sentence ("must be allow or deny").
 * @param policy       NULL: only checks the value
 * @param of_playbook  for messages: it was a playbook that said so */
int vt_policy_tighten(struct vt_policy *policy, const char *rule, const char *value,
                      bool of_playbook, struct ap_error *err) AP_MUST_USE;

/* What the policy says of a rule where that is stricter than the value, which then changes nothing;
 * NULL where it is not, and of lists. */
const char *vt_policy_stricter(const struct vt_policy *policy, const char *rule, const char *value);

/* The names of the rules in order; NULL past the last. */
const char *vt_policy_rule(unsigned index);
bool vt_policy_rule_is_list(unsigned index);

/* AP_OK; or AP_E_DENIED, and why names the rule: "policy.never_send.domains: example.com". What
 * cannot be judged for want of memory is denied.
 * @param resource  what is asked for; of an upload nothing is looked at but `about` */
int vt_policy_judge(const struct vt_policy *policy, enum vt_call call, const char *resource,
                    const struct vt_about *about, char why[VT_POLICY_WHY]) AP_MUST_USE;
