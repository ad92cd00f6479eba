/* What a task waits for at VirusTotal: the operation behind the functions of `vt`, from its
 * beginning to what the script gets. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lauxlib.h>

#include "base/digest.h"
#include "script/files.h"
#include "script/run_private.h"
#include "vt/await.h"
#include "vt/upload.h"

struct vt_op {
  struct script_host *host; /* counts the answer */
  struct vt_ask *ask;       /* under way; NULL: none */
  struct vt_wait *wait;
  struct vt_upload *upload;
  struct script_file *source; /* what is uploaded; NULL: none */
  bool has_digests;           /* of what was uploaded */
  struct ap_digests digests;
  struct script_job *job;
  bool is_receipt; /* a submission: it gives a receipt, not a report */
  bool is_comments;
  char *key; /* of a look-up that says whether it may be submitted (vt/call.h); NULL: of another */
  int code;
  struct ap_buf body;
  char *message; /* of a failure; NULL: none */
  char *scan_id; /* NULL: none */
};

/* The hooks of a kind of operation. */
void script_vt_cancel(void *memory);
void script_vt_release(void *memory);

/* The running job; raises, with the function's name, where there is none. [-0, +0, e] */
struct script_job *script_vt_job(lua_State *L, const char *name);
/* Raises when the options at `arg` have another key than these. @param known  ends with NULL */
void script_vt_check_options(lua_State *L, int arg, const char *const *known);

struct vt_op *script_vt_begin(lua_State *L, struct script_job *job,
                              const struct task_op_kind *kind);

/* Use as `return script_vt_wait(...)`, with what beginning the work gave: waits when it is
 * AP_PENDING; what could not even be begun is told as what went wrong on the way. */
int script_vt_wait(lua_State *L, struct vt_op *op, int rc);

/* The vt_done_fn of all of them; arg is the operation. */
void script_vt_answered(void *arg, const struct vt_answer *answer);

/* Pushes the field of the options at `arg`, nil where there are none; its type. [-0, +1, e] */
int script_vt_option(lua_State *L, int arg, const char *name);

int script_vt_file_scan(lua_State *L); /* vt.file_scan, in bind_upload.c */
