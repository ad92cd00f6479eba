// SPDX-License-Identifier: Apache-2.0
#include "vt/policy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "casefile/indicator.h"
#include "casefile/tlp.h"
#include "vt/policy_private.h"
#include "vt/private_url.h"

/* From loose to strict. */
enum word { ALLOW, UNKNOWN_ONLY, DENY };

enum rule {
  LOOKUP,
  SUBMIT,
  UPLOAD,
  PRIVATE_URLS,
  WORDS, /* so many */
  INTERNAL_DOMAINS = WORDS,
  DOMAINS,
  NETWORKS,
  PATHS,
  RULES
};

static const struct {
  const char *name;
  bool has_unknown_only;
  int (*read)(const char *value, struct vt_policy_item **out, struct ap_error *err);
} rules[RULES] = {
    [LOOKUP] = {.name = "lookup"},
    [SUBMIT] = {.name = "submit", .has_unknown_only = true},
    [UPLOAD] = {.name = "upload", .has_unknown_only = true},
    [PRIVATE_URLS] = {.name = "private_urls"},
    [INTERNAL_DOMAINS] = {.name = "internal_domains", .read = vt_policy_read_domain},
    [DOMAINS] = {.name = "never_send.domains", .read = vt_policy_read_domain},
    [NETWORKS] = {.name = "never_send.networks", .read = vt_policy_read_network},
    [PATHS] = {.name = "never_send.paths", .read = vt_policy_read_path},
};

struct vt_policy {
  enum word words[WORDS];
  bool of_playbook[WORDS]; /* a playbook said the word */
  struct vt_policy_item *lists[RULES - WORDS];
};

int vt_policy_new(struct vt_policy **out)
{
  *out = calloc(1, sizeof(**out));
  return *out ? AP_OK : AP_E_NO_MEMORY;
}

void vt_policy_free(struct vt_policy *policy)
{
  if (!policy)
    return;
  for (size_t i = 0; i < RULES - WORDS; i++)
    while (policy->lists[i]) {
      struct vt_policy_item *item = policy->lists[i];
      policy->lists[i] = item->next;
      free(item);
    }
  free(policy);
}

const char *vt_policy_rule(unsigned index)
{
  return index < RULES ? rules[index].name : NULL;
}

bool vt_policy_rule_is_list(unsigned index)
{
  return index < RULES && rules[index].read;
}

/* ---- tightening ---- */

struct vt_policy_item *vt_policy_item_new(const char *text, const char *shown)
{
  size_t len = strlen(text) + 1;
  size_t shown_len = strlen(shown) + 1;
  struct vt_policy_item *item = calloc(1, sizeof(*item) + len + shown_len);
  if (!item)
    return NULL;
  memcpy(item->text, text, len);
  memcpy(item->text + len, shown, shown_len);
  item->shown = item->text + len;
  return item;
}

static int add_item(struct vt_policy *policy, enum rule rule, const char *value, bool of_playbook,
                    struct ap_error *err)
{
  struct vt_policy_item *item = NULL;
  int rc = rules[rule].read(value, &item, err);
  if (rc != AP_OK)
    return rc;
  if (!policy) {
    free(item);
    return AP_OK;
  }
  struct vt_policy_item **at = &policy->lists[rule - WORDS];
  while (*at)
    at = &(*at)->next;
  item->next = rule == PATHS ? vt_policy_real_path(item) : NULL;
  *at = item;
  for (; item; item = item->next)
    item->of_playbook = of_playbook;
  return AP_OK;
}

static const char *const words[] = {"allow", "unknown-only", "deny"}; /* enum word */

static int read_word(enum rule rule, const char *value, enum word *word, struct ap_error *err)
{
  for (int i = ALLOW; i <= DENY; i++)
    if (strcmp(value, words[i]) == 0 && (i != UNKNOWN_ONLY || rules[rule].has_unknown_only)) {
      *word = (enum word)i;
      return AP_OK;
    }
  return ap_fail(err, AP_E_INVALID, "must be allow%s or deny",
                 rules[rule].has_unknown_only ? ", unknown-only" : "");
}

static int set_word(struct vt_policy *policy, enum rule rule, const char *value, bool of_playbook,
                    struct ap_error *err)
{
  enum word word = ALLOW;
  int rc = read_word(rule, value, &word, err);
  if (rc != AP_OK || !policy || word <= policy->words[rule])
    return rc;
  policy->words[rule] = word;
  policy->of_playbook[rule] = of_playbook;
  return AP_OK;
}

int vt_policy_tighten(struct vt_policy *policy, const char *rule, const char *value,
                      bool of_playbook, struct ap_error *err)
{
  for (int i = 0; i < RULES; i++)
    if (strcmp(rule, rules[i].name) == 0)
      return rules[i].read ? add_item(policy, (enum rule)i, value, of_playbook, err)
                           : set_word(policy, (enum rule)i, value, of_playbook, err);
  return ap_fail(err, AP_E_INVALID, "is no rule of the policy");
}

const char *vt_policy_stricter(const struct vt_policy *policy, const char *rule, const char *value)
{
  enum word word = ALLOW;
  for (int i = 0; i < WORDS; i++)
    if (strcmp(rule, rules[i].name) == 0 && read_word((enum rule)i, value, &word, NULL) == AP_OK)
      return word < policy->words[i] ? words[policy->words[i]] : NULL;
  return NULL;
}

/* ---- judging ---- */

/* One ask, and where its denial is told. */
struct question {
  const struct vt_policy *policy;
  enum vt_call call;
  const char *resource;
  const struct vt_about *about;
  char *why;
};

static int deny(const struct question *question, enum rule rule, bool of_playbook, const char *what)
{
  (void)snprintf(question->why, VT_POLICY_WHY, "policy.%s: %.200s%s", rules[rule].name, what,
                 of_playbook ? " (of the playbook)" : "");
  return AP_E_DENIED;
}

static int deny_item(const struct question *question, enum rule rule,
                     const struct vt_policy_item *item)
{
  return deny(question, rule, item->of_playbook, item->shown);
}

static int judge_tlp(const struct question *question)
{
  char shown[32];
  size_t len = 0;
  const char *tlp = question->about->tlp;
  if (!tlp || case_tlp_may_leave(tlp))
    return AP_OK;
  for (; tlp[len] && len + 1 < sizeof(shown); len++)
    shown[len] = (char)toupper((unsigned char)tlp[len]);
  shown[len] = '\0';
  (void)snprintf(question->why, VT_POLICY_WHY, "policy: TLP:%s never leaves this machine", shown);
  return AP_E_DENIED;
}

/* A digest, or the id of a scan, which begins with one. */
static bool names_no_host(const char *resource)
{
  enum { SHORTEST = 32 };
  size_t len = strspn(resource, "0123456789abcdefABCDEF-");
  return len >= SHORTEST && !resource[len];
}

static int judge_host(void *arg, const char *host)
{
  const struct question *question = arg;
  struct vt_policy_item *const *lists = question->policy->lists;
  const struct vt_policy_item *item = vt_policy_find_domain(lists[DOMAINS - WORDS], host);
  if (item)
    return deny_item(question, DOMAINS, item);
  item = vt_policy_find_network(lists[NETWORKS - WORDS], host);
  return item ? deny_item(question, NETWORKS, item) : AP_OK;
}

static int judge_hosts(struct question *question)
{
  struct vt_policy_item *const *lists = question->policy->lists;
  bool has_list = lists[DOMAINS - WORDS] || lists[NETWORKS - WORDS];
  if (!has_list || names_no_host(question->resource))
    return AP_OK;
  return vt_policy_hosts(question->resource, judge_host, question);
}

static int judge_paths(const struct question *question)
{
  const struct vt_about *about = question->about;
  const struct vt_policy_item *list = question->policy->lists[PATHS - WORDS];
  if (!list)
    return AP_OK;
  const struct vt_policy_item *item = about->path ? vt_policy_find_path(list, about->path) : NULL;
  if (!item && about->real_path)
    item = vt_policy_find_path(list, about->real_path);
  if (item)
    return deny_item(question, PATHS, item);
  bool is_vague = about->is_remote ? !about->path || *about->path != '/' : !about->real_path;
  if (is_vague)
    return deny(question, PATHS, list->of_playbook, "where the file lies is not known");
  return AP_OK;
}

static enum rule rule_of(enum vt_call call)
{
  switch (call) {
  case VT_FILE_SCAN:
    return UPLOAD;
  case VT_FILE_RESCAN:
  case VT_URL_SCAN:
    return SUBMIT;
  case VT_FILE_REPORT:
  case VT_URL_REPORT:
  case VT_DOMAIN_REPORT:
  case VT_IP_REPORT:
  case VT_COMMENTS:
  case VT_CALL_COUNT:
    break;
  }
  return LOOKUP;
}

static int judge_word(const struct question *question)
{
  enum rule rule = rule_of(question->call);
  enum word word = question->policy->words[rule];
  bool of_playbook = question->policy->of_playbook[rule];
  if (word == ALLOW || (rule == LOOKUP && question->about->is_own))
    return AP_OK;
  if (word == DENY)
    return deny(question, rule, of_playbook, "deny");
  if (question->about->is_unknown)
    return AP_OK;
  return deny(question, rule, of_playbook, "unknown-only, and VirusTotal may know it");
}

static bool is_internal(const char *host)
{
  return vt_policy_is_below(host, "corp") ||
         case_indicator_is_internal(host, strlen(host), CASE_TYPE_HOSTNAME);
}

static int judge_internal(void *arg, const char *host)
{
  const struct question *question = arg;
  const struct vt_policy *policy = question->policy;
  const struct vt_policy_item *item =
      vt_policy_find_domain(policy->lists[INTERNAL_DOMAINS - WORDS], host);
  bool of_playbook = policy->of_playbook[PRIVATE_URLS];
  char what[VT_POLICY_WHY];
  if (!item && !is_internal(host))
    return AP_OK;
  (void)snprintf(what, sizeof(what), "it names an internal host, %.120s", host);
  return deny(question, PRIVATE_URLS, of_playbook, what);
}

static int judge_private(struct question *question)
{
  const struct vt_policy *policy = question->policy;
  if (question->call != VT_URL_SCAN || policy->words[PRIVATE_URLS] == ALLOW)
    return AP_OK;
  const char *why = vt_private_url(question->resource);
  if (why)
    return deny(question, PRIVATE_URLS, policy->of_playbook[PRIVATE_URLS], why);
  return vt_policy_hosts(question->resource, judge_internal, question);
}

int vt_policy_judge(const struct vt_policy *policy, enum vt_call call, const char *resource,
                    const struct vt_about *about, char why[VT_POLICY_WHY])
{
  struct question question = {policy, call, resource, about, why};
  bool is_upload = call == VT_FILE_SCAN;
  (void)snprintf(why, VT_POLICY_WHY, "policy: it could not be judged");
  int rc = judge_tlp(&question);
  if (rc == AP_OK)
    rc = is_upload ? judge_paths(&question) : judge_hosts(&question);
  if (rc == AP_OK)
    rc = judge_word(&question);
  if (rc == AP_OK && !is_upload)
    rc = judge_private(&question);
  return rc == AP_OK ? AP_OK : AP_E_DENIED;
}
