/* What the policy (vt/policy.h) is to know of an ask, and the part of `engine` that is about it:
 * tightening it for a playbook, and what a plan tells of it. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "casefile/tlp.h"
#include "net/file.h"
#include "script/files.h"
#include "script/host_private.h"
#include "script/run_private.h"
#include "vt/policy.h"

/* ---- what is known of an ask ---- */

/* Of the entity at work, and of those that are what is asked for. */
static const char *tlp_of(const struct script_job *job, const char *tlp, const char *text)
{
  struct casefile *cf = job->run->options.cf;
  if (job->entity != SCRIPT_NO_ENTITY)
    tlp = case_tlp_stricter(tlp, casefile_entity(cf, job->entity)->tlp);
  return *text ? case_tlp_stricter(tlp, casefile_tlp_of(cf, text)) : tlp;
}

/* The last look-up of the job said that VirusTotal does not know it. */
static bool is_unknown(const struct script_job *job, enum vt_call report, const char *resource)
{
  enum vt_call call;
  const char *unknown;
  return job->unknown && vt_call_of_key(job->unknown, &call, &unknown) && call == report &&
         strcmp(unknown, resource) == 0;
}

struct vt_about script_about(const struct script_job *job, enum vt_call call, const char *resource)
{
  return (struct vt_about){
      .tlp = tlp_of(job, NULL, resource),
      .is_unknown = call == VT_URL_SCAN && is_unknown(job, VT_URL_REPORT, resource),
      .is_own = job->has_submitted,
  };
}

struct vt_about script_about_file(const struct script_job *job, const struct script_file *source)
{
  const char *sha256 = source->has_digests ? source->digests.sha256 : "";
  const char *tlp = tlp_of(job, NULL, source->name);
  if (source->has_digests) {
    tlp = tlp_of(job, tlp, source->digests.md5);
    tlp = tlp_of(job, tlp, source->digests.sha1);
  }
  return (struct vt_about){
      .tlp = tlp_of(job, tlp, sha256),
      .path = source->name,
      .real_path = net_file_path(&source->bytes),
      .is_remote = source->connection != NULL,
      .is_unknown = is_unknown(job, VT_FILE_REPORT, sha256),
  };
}

/* ---- the engine's own ---- */

/* rules() -> { { name =, is_list = boolean }, ... } */
static int engine_rules(lua_State *L)
{
  const char *name;
  lua_newtable(L);
  for (unsigned i = 0; (name = vt_policy_rule(i)); i++) {
    lua_createtable(L, 0, 2);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "name");
    lua_pushboolean(L, vt_policy_rule_is_list(i));
    lua_setfield(L, -2, "is_list");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* tighten(rule, value[, dry]) -> true | nil, why that is no value of the rule; dry: nothing is set,
 * and behind true comes what is in force where that is stricter. The policy is that of a playbook.
 */
static int engine_tighten(lua_State *L)
{
  struct ap_error err = {0};
  const char *rule = luaL_checkstring(L, 1);
  const char *value = luaL_checkstring(L, 2);
  struct vt_policy *policy = lua_toboolean(L, 3) ? NULL : script_run_of(L)->options.policy;
  int rc = vt_policy_tighten(policy, rule, value, true, &err);
  if (rc == AP_E_NO_MEMORY)
    script_out_of_memory();
  if (rc != AP_OK) {
    lua_pushnil(L);
    lua_pushstring(L, err.text);
    return 2;
  }
  const struct vt_policy *in_force = script_run_of(L)->options.policy;
  lua_pushboolean(L, 1);
  lua_pushstring(L, !policy && in_force ? vt_policy_stricter(in_force, rule, value) : NULL);
  return 2;
}

static int push_judged(lua_State *L, enum vt_call call, const char *resource,
                       const struct vt_about *about)
{
  const struct vt_policy *policy = script_run_of(L)->options.policy;
  char why[VT_POLICY_WHY];
  bool is_denied = policy && vt_policy_judge(policy, call, resource, about, why) != AP_OK;
  lua_pushstring(L, is_denied ? why : NULL);
  return 1;
}

/* denies(call, resource, { is_unknown =, is_own = }) -> the rule that the running job would be
 * denied by | nil. Of "file_scan" the resource is a source. */
static int engine_denies(lua_State *L)
{
  static const char *const words[VT_CALL_COUNT + 1] = {
      "file_report", "url_report",  "domain_report", "ip_report",
      "comments",    "file_rescan", "url_scan",      "file_scan"}; /* enum vt_call */
  const struct script_job *job = script_job_current(L);
  enum vt_call call = (enum vt_call)luaL_checkoption(L, 1, NULL, words);
  struct vt_about about;
  if (!job)
    return luaL_error(L, "a bug: only a job is denied");
  luaL_checktype(L, 3, LUA_TTABLE);
  bool is_file = call == VT_FILE_SCAN;
  const char *resource = is_file ? "" : luaL_checkstring(L, 2);
  about =
      is_file ? script_about_file(job, script_file_own(L, 2)) : script_about(job, call, resource);
  lua_getfield(L, 3, "is_unknown");
  about.is_unknown = lua_toboolean(L, -1);
  lua_getfield(L, 3, "is_own");
  about.is_own = lua_toboolean(L, -1);
  return push_judged(L, call, resource, &about);
}

const luaL_Reg script_policy_functions[] = {
    {"denies", engine_denies},
    {"rules", engine_rules},
    {"tighten", engine_tighten},
    {NULL, NULL},
};
