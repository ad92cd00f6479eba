/* The entities of a step, each in a task of its own, as many at a time as there are places. Steps
 * that run at the same time take turns. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "script/host_private.h"
#include "script/report.h"
#include "script/run_private.h"

/* ---- the caller, who waits ---- */

struct entities_op {
  struct script_step *step;
};

static void free_step(struct script_step *step)
{
  lua_State *L = script_host_state(step->run->host);
  luaL_unref(L, LUA_REGISTRYINDEX, step->function_ref);
  luaL_unref(L, LUA_REGISTRYINDEX, step->ctx_ref);
  free(step);
}

/* The caller was killed: nothing more begins, and the last job takes the step along. */
static void entities_cancel(void *memory)
{
  struct entities_op *op = memory;
  struct script_step *step = op->step;
  op->step = NULL;
  if (!step)
    return;
  step->op = NULL;
  DL_DELETE(step->run->under_way, step);
  if (step->alive == 0)
    free_step(step);
}

static const struct task_op_kind entities_kind = {"engine.run_entities", entities_cancel, NULL};

static int entities_done(lua_State *L, int status, lua_KContext ctx)
{
  (void)status;
  task_op_end((void *)ctx);
  lua_pushboolean(L, 1);
  return 1;
}

/* ---- one entity ---- */

static void put(struct script_run *run, uint32_t step, uint32_t entity,
                const struct case_finding *finding)
{
  if (run->is_closing)
    return;
  int code = case_record_put(run->options.record, step, entity, finding);
  if (code == AP_OK) {
    run->options.put(run->options.arg, step, entity);
  } else if (run->broken == AP_OK) {
    run->broken = code;
    run->options.broke(run->options.arg, code);
  }
}

static void say(struct case_finding *finding, enum case_outcome outcome, const char *reason)
{
  finding->outcome = outcome;
  ap_buf_clear(&finding->reason);
  ap_buf_add_str(&finding->reason, reason);
}

static void read_reason(lua_State *co, int outcome, struct case_finding *finding)
{
  enum { REASON_MAX = 4096 };
  size_t len;
  lua_pushliteral(co, "reason");
  if (lua_rawget(co, outcome) == LUA_TSTRING) {
    const char *text = lua_tolstring(co, -1, &len);
    ap_buf_add(&finding->reason, text, len < REASON_MAX ? len : REASON_MAX);
  }
  lua_pop(co, 1);
}

/* The bytes of a report that this very job has asked for; another's is none. */
static void read_report(lua_State *co, int outcome, struct script_job *job)
{
  uint64_t serial;
  lua_pushliteral(co, "report");
  (void)lua_rawget(co, outcome);
  struct ap_slice bytes = script_report_bytes(co, -1, &serial);
  if (bytes.ptr && serial == job->serial)
    job->finding.answer = bytes; /* the outcome keeps it until the task is over */
  else if (bytes.ptr)
    say(&job->finding, CASE_OUTCOME_FAILED,
        "the report that its run returned was asked for by another entity's run");
  lua_pop(co, 1);
}

/* What `run` returned: one of ctx's outcomes. */
static void read_outcome(lua_State *co, int result_count, struct script_job *job)
{
  enum case_outcome outcome;
  bool is_known = false;
  if (result_count >= 1 && lua_istable(co, -result_count)) {
    int at = lua_absindex(co, -result_count);
    lua_pushliteral(co, "outcome");
    is_known =
        lua_rawget(co, at) == LUA_TSTRING && case_outcome_parse(lua_tostring(co, -1), &outcome);
    lua_pop(co, 1);
    if (is_known) {
      job->finding.outcome = outcome;
      read_reason(co, at, &job->finding);
      read_report(co, at, job);
      return;
    }
  }
  say(&job->finding, CASE_OUTCOME_FAILED,
      "the action's run must return an outcome, as return ctx.reported(report) does");
}

/* How old the answer is, when it was not fetched for this job. */
static void read_age(struct script_job *job)
{
  struct case_finding *finding = &job->finding;
  bool has_answer = finding->answer.len || finding->outcome == CASE_OUTCOME_NOT_FOUND;
  if (!has_answer || !job->cached_unix_ms)
    return;
  int64_t age_ms = ap_clock_unix_ms() - job->cached_unix_ms;
  finding->age_s = age_ms > 0 ? age_ms / 1000 : 0;
}

static void read_end(struct script_job *job, int rc, lua_State *co, int result_count)
{
  struct ap_error err = {0};
  if (rc == AP_OK) {
    read_outcome(co, result_count, job);
    read_age(job);
  } else if (rc == AP_E_CANCELED) {
    say(&job->finding, job->has_submitted ? CASE_OUTCOME_PENDING : CASE_OUTCOME_NOT_ASKED,
        job->has_submitted ? "the run ended while the scan was waited for"
                           : "the run ended before its answer");
  } else {
    lua_pushvalue(co, -1);
    script_error_text(co, &err);
    say(&job->finding, CASE_OUTCOME_FAILED, err.text);
  }
}

static void finish_step(struct script_step *step)
{
  void *op = step->op;
  ((struct entities_op *)op)->step = NULL;
  DL_DELETE(step->run->under_way, step);
  free_step(step);
  task_op_wake(op);
}

static void entity_ended(void *arg, int rc, lua_State *co, int result_count)
{
  struct script_job *job = arg;
  struct script_step *step = job->of;
  struct script_run *run = job->run;
  read_end(job, rc, co, result_count);
  put(run, step->number, job->entity, &job->finding);
  script_job_free(job);
  step->alive--;
  if (!step->op && step->alive == 0)
    free_step(step);
  run->wants_pump = true;
}

/* ---- beginning them ---- */

static void start_entity(struct script_step *step, uint32_t entity)
{
  struct script_run *run = step->run;
  lua_State *L = script_host_state(run->host);
  struct script_job *job = script_job_new(run, step, entity);
  if (!lua_checkstack(L, 8))
    script_out_of_memory();
  job->cost = case_record_cost(run->options.record, step->number);
  job->provider = step->provider;
  job->granted = step->granted;
  (void)snprintf(job->label, sizeof(job->label), "%s on %s", step->action,
                 casefile_entity(run->options.cf, entity)->identifier);
  step->alive++;
  lua_rawgeti(L, LUA_REGISTRYINDEX, step->function_ref);
  lua_rawgeti(L, LUA_REGISTRYINDEX, step->ctx_ref);
  script_entity_push(L, entity, job->serial);
  job->task = task_start(L, 2, entity_ended, job);
  task_set_data(job->task, job);
  job->place = (struct script_place){
      .step = run->steps[step->number].name,
      .type = case_type_word(casefile_entity(run->options.cf, entity)->type),
      .identifier = casefile_entity(run->options.cf, entity)->identifier,
  };
  task_set_label(job->task, job->label, &job->place);
}

static void skip_malformed(const struct script_step *step, uint32_t entity, const char *why)
{
  struct case_finding finding;
  case_finding_init(&finding);
  say(&finding, CASE_OUTCOME_SKIPPED, why);
  put(step->run, step->number, entity, &finding);
  case_finding_deinit(&finding);
}

/* Begins the next entity of a step. False when there is none. */
static bool start_next(struct script_step *step)
{
  const struct script_run_options *options = &step->run->options;
  uint32_t count = casefile_count(options->cf);
  while (step->cursor < count) {
    uint32_t entity = step->cursor++;
    struct case_step_entity known = case_record_entity(options->record, step->number, entity);
    const char *malformed = casefile_entity(options->cf, entity)->malformed;
    if (!known.in_step || known.is_done)
      continue;
    if (!malformed) {
      start_entity(step, entity);
      return true;
    }
    skip_malformed(step, entity, malformed);
  }
  return false;
}

static bool may_begin(const struct script_run *run)
{
  return run->stopped == AP_OK && run->broken == AP_OK;
}

/* Those that wait for a scan have given their places back, but keep their reports: half of what
 * scripts may use is for them, the rest for what goes on. What is garbage does not count. */
static bool has_memory(struct script_run *run)
{
  size_t max = run->host->limits.memory_bytes / 2;
  if (script_host_memory(run->host) < max)
    return true;
  if (run->jobs) {
    script_make_room(script_host_state(run->host));
    return script_host_memory(run->host) < max;
  }
  (void)lua_gc(script_host_state(run->host), LUA_GCCOLLECT); /* nobody will give any back */
  return true;
}

static void begin_entities(struct script_run *run)
{
  struct script_step *step = run->under_way;
  while (step && may_begin(run) && run->places_taken < run->options.tasks_max && has_memory(run)) {
    if (!start_next(step)) {
      step = step->next;
      continue;
    }
    DL_DELETE(run->under_way, step); /* to the end of the line */
    DL_APPEND(run->under_way, step);
    step = run->under_way;
  }
}

void script_steps_pump(struct script_run *run)
{
  struct script_step *step;
  struct script_step *next;
  uint32_t count = run->options.cf ? casefile_count(run->options.cf) : 0;
  begin_entities(run);
  DL_FOREACH_SAFE(run->under_way, step, next)
  if (step->alive == 0 && (step->cursor == count || !may_begin(run)))
    finish_step(step);
}

/* ---- engine.run_entities(step, env, run, ctx) ---- */

int script_run_entities(lua_State *L)
{
  struct script_run *run = script_run_of(L);
  lua_Integer number = luaL_checkinteger(L, 1);
  luaL_argcheck(L, number >= 1 && number <= run->step_count, 1, "no such step");
  luaL_checktype(L, 3, LUA_TFUNCTION);
  luaL_checktype(L, 4, LUA_TTABLE);
  struct entities_op *op = task_op_begin(L, sizeof(*op), &entities_kind);
  struct script_step *step = calloc(1, sizeof(*step));
  if (!step)
    script_out_of_memory();
  const struct script_step_words *words = &run->steps[number - 1];
  *step = (struct script_step){
      .run = run,
      .op = op,
      .number = (uint32_t)(number - 1),
      .action = words->action ? words->action : words->name,
      .provider = words->provider,
      .granted = script_granted(L, 2),
  };
  lua_settop(L, 4);
  step->ctx_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  step->function_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  op->step = step;
  DL_APPEND(run->under_way, step);
  run->wants_pump = true;
  run->options.step_began(run->options.arg, step->number);
  return task_op_wait(L, op, entities_done);
}
