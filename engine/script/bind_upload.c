/* vt.file_scan: a file of this machine or another goes to VirusTotal. See bind_vt.c for what it
 * gives, and bind_files.c for sources. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "script/host_private.h"
#include "script/vt_op.h"

static const struct task_op_kind scan_kind = {"vt.file_scan", script_vt_cancel, script_vt_release};

/* The name that is sent; the last part of the path without one. */
static const char *name_of(lua_State *L, const struct script_file *source)
{
  size_t len;
  if (script_vt_option(L, 2, "name") == LUA_TNIL)
    return source->name;
  const char *name = luaL_checklstring(L, -1, &len);
  luaL_argcheck(L, len > 0 && strlen(name) == len, 2, "name is empty, or has a NUL character");
  return name;
}

/* vt.file_scan(source[, { name =, report = }]) */
int script_vt_file_scan(lua_State *L)
{
  static const char *const known[] = {"name", "report", NULL};
  struct vt_ask_options options = {.priority = VT_RESCAN};
  struct script_job *job = script_vt_job(L, scan_kind.name);
  lua_settop(L, 2);
  script_vt_check_options(L, 2, known);
  struct script_file *source = script_file_check(L, 1);
  if (!source)
    return 3;
  const char *name = name_of(L, source); /* stays on the stack */
  options.has_report = script_vt_option(L, 2, "report") != LUA_TNIL;
  options.cost = job->cost;
  options.about = script_about_file(job, source);
  struct vt_op *op = script_vt_begin(L, job, &scan_kind);
  struct net_source bytes = source->bytes;
  op->is_receipt = true;
  op->source = source;
  source->bytes.kind = NULL; /* the upload's from here on */
  int rc = vt_upload(job->run->options.client, &bytes, name,
                     source->has_digests ? source->digests.sha256 : NULL, &options,
                     script_vt_answered, op, &op->upload);
  return script_vt_wait(L, op, rc);
}
