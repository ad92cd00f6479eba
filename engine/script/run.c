// SPDX-License-Identifier: Apache-2.0
#include "script/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "script/files.h"
#include "script/host_private.h"
#include "script/once.h"
#include "script/report.h"
#include "script/run_private.h"
#include "script/secret.h"

enum { GRACE_MS = 3000, EXIT_LIMIT = 6 };

struct script_run *script_run_of(lua_State *L)
{
  return script_host_data(script_host_of(L));
}

/* ---- the loop's turn ---- */

/* Everything that could run has: entities may begin, and when none does, requests are packed. */
static void idle(void *arg)
{
  struct script_run *run = arg;
  if (run->wants_pump) {
    run->wants_pump = false;
    script_steps_pump(run);
  }
  if (!task_ready_count(run->host) && run->options.client)
    vt_client_turn(run->options.client);
}

/* ---- ending ---- */

static void kill_jobs(struct script_run *run)
{
  while (run->jobs)
    task_kill(run->jobs->task);
}

static void grace_is_over(void *arg)
{
  struct script_run *run = arg;
  if (run->jobs)
    ap_log(AP_LOG_SCRIPT, AP_LOG_WARN, "the run is ending, and a script did not: it is ended");
  kill_jobs(run);
  run->wants_pump = true;
}

void script_run_stop(struct script_run *run, int code)
{
  if (run->stopped != AP_OK)
    return;
  run->stopped = code;
  run->wants_pump = true;
  if (run->options.client)
    vt_client_stop(run->options.client, code);
  for (struct script_job *job = run->jobs; job; job = job->next)
    task_interrupt(job->task, code);
  net_timer_start(run->grace, GRACE_MS);
}

/* The text that apogee.main returned or raised. */
static void keep_message(struct script_run *run, const char *text)
{
  ap_buf_clear(&run->message);
  ap_buf_add_str(&run->message, text);
  run->end.message = ap_buf_cstr(&run->message);
}

static void main_ended(void *arg, int rc, lua_State *co, int result_count)
{
  struct script_run *run = arg;
  struct ap_error err = {0};
  run->main = NULL;
  if (rc == AP_OK && result_count >= 1 && lua_isinteger(co, -result_count)) {
    run->end.exit_code = (int)lua_tointeger(co, -result_count);
    if (result_count >= 2 && lua_type(co, 1 - result_count) == LUA_TSTRING)
      keep_message(run, lua_tostring(co, 1 - result_count));
  } else {
    run->end.exit_code = EXIT_LIMIT; /* it was ended, or it raised: what there is, is in pieces */
    if (rc == AP_E_INVALID) {
      lua_pushvalue(co, -1);
      script_error_text(co, &err);
      keep_message(run, err.text);
    }
  }
  if (!run->is_closing)
    run->options.ended(run->options.arg);
}

/* ---- beginning ---- */

static void push_list(lua_State *L, const char *const *words, size_t count)
{
  luaL_checkstack(L, 4, "arguments");
  lua_newtable(L);
  for (size_t i = 0; i < count; i++) {
    lua_pushstring(L, words[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void push_params(lua_State *L, const struct script_request *request)
{
  lua_newtable(L);
  for (size_t i = 0; i < request->param_count; i++) {
    const char *pair[] = {request->params[i].name, request->params[i].value};
    push_list(L, pair, 2);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void set_text(lua_State *L, const char *name, const char *text)
{
  lua_pushstring(L, text); /* nil for NULL */
  lua_setfield(L, -2, name);
}

static void push_options(lua_State *L, const struct script_request *request)
{
  luaL_checkstack(L, 4, "options");
  lua_newtable(L);
  for (size_t i = 0; i < request->option_count; i++) {
    const struct script_option *option = &request->options[i];
    lua_newtable(L);
    set_text(L, "name", option->name);
    set_text(L, "value", option->value);
    set_text(L, "near", option->near);
    lua_pushboolean(L, option->is_apart);
    lua_setfield(L, -2, "is_apart");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void push_request(lua_State *L, const struct script_request *request)
{
  lua_newtable(L);
  set_text(L, "command", request->command);
  set_text(L, "target", request->target);
  push_list(L, request->targets, request->target_count);
  lua_setfield(L, -2, "targets");
  push_params(L, request);
  lua_setfield(L, -2, "params");
  push_options(L, request);
  lua_setfield(L, -2, "options");
  push_list(L, request->taken, request->taken_count);
  lua_setfield(L, -2, "taken");
  push_list(L, request->only, request->only_count);
  lua_setfield(L, -2, "only");
  push_list(L, request->skip, request->skip_count);
  lua_setfield(L, -2, "skip");
  lua_pushboolean(L, request->fail_on_risky);
  lua_setfield(L, -2, "fail_on_risky");
  lua_pushboolean(L, request->as_json);
  lua_setfield(L, -2, "as_json");
}

int script_run_start(struct script_run *run, const struct script_request *request,
                     struct ap_error *err)
{
  lua_State *L = script_host_state(run->host);
  script_env_push(L, NULL);
  int env = lua_gettop(L);
  int rc = script_require(L, env, "apogee.main", err);
  if (rc != AP_OK) {
    lua_settop(L, env - 1);
    return rc;
  }
  lua_getfield(L, -1, "run");
  script_engine_push(L);
  push_request(L, request);
  run->main = task_start(L, 2, main_ended, run);
  task_set_limit(run->main, SCRIPT_OWN_INSTRUCTIONS);
  lua_settop(L, env - 1);
  return AP_OK;
}

static int set_up(lua_State *L)
{
  script_entity_init(L);
  script_set_init(L);
  script_report_init(L);
  script_secret_init(L);
  script_file_init(L);
  script_sftp_init(L);
  return 0;
}

int script_run_new(struct script_host *host, const struct script_run_options *options,
                   struct script_run **out, struct ap_error *err)
{
  lua_State *L = script_host_state(host);
  struct script_run *run = calloc(1, sizeof(*run));
  if (!run)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  run->host = host;
  run->options = *options;
  if (net_timer_new(script_host_loop(host), grace_is_over, run, &run->grace) != AP_OK) {
    free(run);
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  }
  lua_pushcfunction(L, set_up);
  if (script_call(L, 0, 0, err) != AP_OK) {
    net_timer_free(run->grace);
    free(run);
    return err->code;
  }
  script_host_set_data(host, run);
  script_host_on_idle(host, idle, run);
  *out = run;
  return AP_OK;
}

static void no_idle(void *arg)
{
  (void)arg;
}

void script_run_free(struct script_run *run)
{
  if (!run)
    return;
  run->is_closing = true;
  kill_jobs(run);
  while (run->calls)
    task_kill(run->calls->task);
  if (run->main)
    task_kill(run->main);
  script_onces_free(run);
  script_connections_drop(run, true);
  script_secrets_free(run);
  script_host_on_idle(run->host, no_idle, NULL);
  for (uint32_t i = 0; i < run->step_count; i++) {
    free(run->steps[i].name);
    free(run->steps[i].action);
    free(run->steps[i].title);
    free(run->steps[i].provider);
  }
  free(run->steps);
  ap_buf_deinit(&run->message);
  ap_buf_deinit(&run->playbook);
  ap_buf_deinit(&run->params);
  ap_buf_deinit(&run->status);
  ap_buf_deinit(&run->tags);
  net_timer_free(run->grace);
  free(run);
}

void script_run_recall(struct script_run *run, const struct script_end *end)
{
  run->end = *end;
}

const struct script_end *script_run_end(const struct script_run *run)
{
  return &run->end;
}

void script_run_progress(const struct script_run *run, struct script_progress *progress)
{
  *progress = (struct script_progress){0};
  for (uint32_t i = 0; i < run->step_count; i++) {
    struct case_step_counts counts = case_record_counts(run->options.record, i);
    progress->done += counts.done;
    progress->of += counts.of;
    progress->risky += counts.risky;
    progress->requests += case_record_cost(run->options.record, i)->requests;
  }
  if (!run->under_way)
    return;
  const struct script_step *step = run->under_way;
  for (const struct script_step *other = step; other; other = other->next)
    if (other->number > step->number)
      step = other;
  progress->step = run->steps[step->number].name;
}
