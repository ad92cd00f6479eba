/* Answers as scripts get them: a plain table, while the bytes stay here, so that the result embeds
 * what VirusTotal sent and not what Lua made of it. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <utlist.h>

#include "script/host_private.h"
#include "script/json.h"
#include "script/run_private.h"

void script_report_push(lua_State *L, struct script_job *job, struct ap_buf *raw)
{
  enum { BYTES_PER_INSTRUCTION = 4 };
  struct script_report *report = calloc(1, sizeof(*report));
  if (!report)
    script_out_of_memory();
  report->raw = *raw;
  *raw = (struct ap_buf){0};
  report->table_ref = LUA_NOREF;
  LL_PREPEND(job->reports, report); /* before anything can raise: the job frees it */
  script_charge(L, report->raw.len / BYTES_PER_INSTRUCTION);
  script_json_push(L, ap_slice_of(&report->raw));
  lua_pushvalue(L, -1);
  report->table_ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

const struct ap_buf *script_report_raw(lua_State *L, int index, const struct script_job *job)
{
  index = lua_absindex(L, index);
  for (const struct script_report *report = job->reports; report; report = report->next) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, report->table_ref);
    bool is_it = lua_istable(L, -1) && lua_rawequal(L, index, -1);
    lua_pop(L, 1);
    if (is_it)
      return &report->raw;
  }
  return NULL;
}

void script_reports_free(lua_State *L, struct script_job *job)
{
  struct script_report *report;
  struct script_report *next;
  LL_FOREACH_SAFE(job->reports, report, next)
  {
    luaL_unref(L, LUA_REGISTRYINDEX, report->table_ref);
    ap_buf_deinit(&report->raw);
    free(report);
  }
  job->reports = NULL;
}
