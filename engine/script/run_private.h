/* What the files of a run share: the run, its jobs (tasks that scripts wrote), its steps under way.
 */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lauxlib.h>

#include "script/run.h"
#include "script/task.h"

enum { SCRIPT_NO_ENTITY = UINT32_MAX };

/* What a manifest asks for in `needs`, as bits. */
enum script_capability {
  SCRIPT_MAY_VT = 1,
  SCRIPT_MAY_FILES = 2,
  SCRIPT_MAY_SFTP = 4,
  SCRIPT_MAY_HTTP = 8
};

/* Of the engine's own Lua, which reads every action there is: what a user grants to an entity does
 * not bind it. */
#define SCRIPT_OWN_INSTRUCTIONS UINT64_C(1000000000)

/* One task of an action or a playbook. */
struct script_job {
  struct script_job *prev, *next; /* in run->jobs */
  struct script_run *run;
  struct task *task;
  struct script_step *of; /* NULL: not of an entity */
  uint64_t serial;        /* no two jobs of a run have the same */
  uint32_t entity;        /* or SCRIPT_NO_ENTITY */
  struct case_cost *cost; /* what its requests add to; NULL: nobody counts */
  const char *provider;   /* NULL: none */
  unsigned granted;       /* enum script_capability: what its action's manifest asked for */
  bool is_away;           /* it waits for a scan, and gave its place to another */
  bool has_submitted;     /* something of it is at VirusTotal */
  char *unknown;          /* key (vt/call.h) of what VirusTotal last said not to know; NULL: none */
  int64_t cached_unix_ms; /* when its last report was fetched, by a look-up before; 0: just now */
  struct script_file *sources;       /* open */
  struct script_handle *connections; /* that it may use */
  struct case_finding finding;
  size_t finding_bytes; /* of it, counted as memory of the scripts */
  char label[128];
  struct script_place place;
};

/* A step under way: entities that wait for their turn. */
struct script_step {
  struct script_step *prev, *next; /* in run->under_way */
  struct script_run *run;
  void *op; /* of the caller, who waits; NULL: it was killed */
  uint32_t number;
  uint32_t cursor; /* the first entity that was not looked at */
  uint32_t alive;  /* jobs */
  int function_ref;
  int ctx_ref;
  unsigned granted; /* to its action */
  const char *action;
  const char *provider;
};

/* A function that the engine's Lua has called in a task of its own. */
struct script_call {
  struct script_call *prev, *next; /* in run->calls */
  struct script_run *run;
  struct task *task;
  struct script_job *job; /* NULL: the function is of the engine itself */
  void *op;               /* of the caller, who waits; NULL: it was killed */
  lua_Integer index;      /* of its result */
};

/* What the engine's Lua said of a step. */
struct script_step_words {
  char *name;
  char *action;
  char *title;
  char *provider;
};

struct script_run {
  struct script_host *host;
  struct script_run_options options;
  struct script_job *jobs;
  struct script_step *under_way;
  struct script_call *calls;
  struct script_secret *secrets;
  uint32_t secret_names;
  struct script_connection *connections;
  struct script_once *onces;       /* what is sent once, under way */
  struct source_opening *openings; /* tasks that wait until a file is closed */
  uint32_t sources_open;
  struct task *main; /* apogee.main; NULL: not begun, or over */
  bool wants_pump;   /* entities may begin, or a step is through */
  bool is_closing;
  uint32_t places_taken; /* by jobs that are not away */
  uint64_t last_serial;
  bool saw_findings; /* a script read what steps find out: for plans */
  int stopped;       /* AP_OK, AP_E_DEADLINE or AP_E_CANCELED */
  int broken;        /* AP_OK, or why the record cannot be written */
  struct net_timer *grace;
  struct script_step_words *steps;
  uint32_t step_count;
  struct script_end end;
  struct ap_buf message, playbook, params, status, tags;
};

/* The run that a state belongs to. */
struct script_run *script_run_of(lua_State *L);

/* jobs.c: a job is made with its task's function and arguments on top of L's stack. */
struct script_job *script_job_new(struct script_run *run, struct script_step *of, uint32_t entity);
void script_job_free(struct script_job *job);        /* closes its files and connections */
struct script_job *script_job_current(lua_State *L); /* NULL: the task that runs is none */
/* The job that runs and may do this; raises when it may not, however it came by the function. */
struct script_job *script_job_check(lua_State *L, enum script_capability what, const char *name);
void script_job_leave_place(struct script_job *job); /* it will wait for a scan */
void script_job_take_place(struct script_job *job);

/* steps.c */
int script_run_entities(lua_State *L);
/* Begins entities where there is room; from the loop's turn, outside of tasks. */
void script_steps_pump(struct script_run *run);

/* call.c */
int script_engine_call(lua_State *L);
int script_engine_call_granted(lua_State *L);
int script_engine_all(lua_State *L);
int script_engine_run_case(lua_State *L);

/* bind_entity.c, bind_set.c */
void script_entity_init(lua_State *L);
void script_entity_push(lua_State *L, uint32_t index, uint64_t serial);
void script_set_init(lua_State *L);
int script_engine_set_of(lua_State *L);
struct script_set {
  uint32_t count;
  uint32_t index[];
};
struct script_set *script_set_check(lua_State *L, int arg);
struct script_set *script_set_push(lua_State *L, uint32_t max); /* room for max, count 0 */

/* grant.c: what the action with this environment was granted; 0 where the value is none. */
unsigned script_granted(lua_State *L, int env);
int script_engine_grant(lua_State *L);

/* bind_vt.c, bind_engine.c, bind_record.c */
void script_vt_push_module(lua_State *L);
void script_engine_push(lua_State *L);
extern const luaL_Reg script_record_functions[];
extern const luaL_Reg script_plan_functions[]; /* bind_plan.c */

/* bind_policy.c: what the policy is to know of what a job asks for or, of a file, submits. */
struct script_file;
struct vt_about script_about(const struct script_job *job, enum vt_call call, const char *resource);
struct vt_about script_about_file(const struct script_job *job, const struct script_file *source);
extern const luaL_Reg script_policy_functions[];
