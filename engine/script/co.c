/* The `coroutine` library of scripts. A coroutine of a script may call what waits: the engine's
 * yield, known by its mark, passes up through every resume to the scheduler, and what the wait was
 * for comes back down. Until then the mark stays on the coroutine's stack, and nobody else may
 * resume it. */
// SPDX-License-Identifier: Apache-2.0
#include "script/host_private.h"
#include "script/sandbox.h"
#include "script/watchdog.h"

static const char wait_mark;

enum way { BY_RESUME, BY_WRAP };

void script_push_wait_mark(lua_State *L)
{
  lua_pushlightuserdata(L, (void *)(uintptr_t)&wait_mark);
}

bool script_is_waiting(lua_State *co)
{
  return lua_status(co) == LUA_YIELD && lua_gettop(co) > 0 && lua_islightuserdata(co, -1) &&
         lua_touserdata(co, -1) == (const void *)&wait_mark;
}

/* ---- making one ---- */

static int body_done(lua_State *L, int status, lua_KContext ctx)
{
  (void)ctx;
  return status == LUA_OK || status == LUA_YIELD ? lua_gettop(L) : lua_error(L);
}

/* (function, arguments): what runs in it. The inner call closes the function's variables when it
 * raises, while it can still be watched and still wait. */
static int body(lua_State *L)
{
  int status = lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, 0, body_done);
  return body_done(L, status, 0);
}

static int co_create(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  script_charge(L, SCRIPT_QUANTUM); /* a new one counts from zero: many would never be counted */
  lua_State *co = lua_newthread(L);
  lua_pushcfunction(co, body);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

/* ---- what it is doing ---- */

enum co_state { RUNNING, SUSPENDED, NORMAL, DEAD };

static enum co_state state_of(lua_State *L, lua_State *co)
{
  lua_Debug ar;
  if (L == co)
    return RUNNING;
  if (lua_status(co) == LUA_YIELD)
    return script_is_waiting(co) ? NORMAL : SUSPENDED;
  if (lua_status(co) != LUA_OK)
    return DEAD;
  if (lua_getstack(co, 0, &ar))
    return NORMAL;
  return lua_gettop(co) ? SUSPENDED : DEAD;
}

static lua_State *check_coroutine(lua_State *L)
{
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co, 1, "coroutine");
  return co;
}

static int co_status(lua_State *L)
{
  static const char *const words[] = {"running", "suspended", "normal", "dead"};
  lua_pushstring(L, words[state_of(L, check_coroutine(L))]);
  return 1;
}

static bool is_main(lua_State *L)
{
  const struct script_thread *thread = script_thread_of(L);
  return thread->task || thread->host->L == L;
}

static int co_running(lua_State *L)
{
  (void)lua_pushthread(L);
  lua_pushboolean(L, is_main(L));
  return 2;
}

static int co_isyieldable(lua_State *L)
{
  lua_pushboolean(L, lua_isyieldable(L) && !is_main(L));
  return 1;
}

/* ---- resume and yield ---- */

/* The error value is on top of L. */
static int failed(lua_State *L, enum way way)
{
  if (way == BY_WRAP)
    return lua_error(L);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

static int waited(lua_State *L, int status, lua_KContext way);

/* Runs the coroutine, with arg_count arguments on its stack, until it yields to the script, ends or
 * raises. */
static int go_on(lua_State *L, lua_State *co, int arg_count, enum way way)
{
  int count = 0;
  lua_State *outer = script_watchdog_run(co);
  int status = lua_resume(co, L, arg_count, &count);
  (void)script_watchdog_run(outer);
  if (script_is_waiting(co)) {
    script_push_wait_mark(L);
    return lua_yieldk(L, 1, (lua_KContext)way, waited);
  }
  if (status != LUA_OK && status != LUA_YIELD) {
    script_caught(L);
    lua_xmove(co, L, 1);
    return failed(L, way);
  }
  if (!lua_checkstack(L, count + 1)) {
    lua_pop(co, count);
    lua_pushliteral(L, "too many results to resume");
    return failed(L, way);
  }
  if (way == BY_RESUME)
    lua_pushboolean(L, 1);
  lua_xmove(co, L, count);
  return count + (way == BY_RESUME);
}

static lua_State *resumed_by(lua_State *L, enum way way)
{
  return lua_tothread(L, way == BY_WRAP ? lua_upvalueindex(1) : 1);
}

static int waited(lua_State *L, int status, lua_KContext way)
{
  (void)status;
  lua_State *co = resumed_by(L, (enum way)way);
  lua_pop(co, 1); /* the mark */
  return go_on(L, co, 0, (enum way)way);
}

/* Moves the arg_count values on top of L over and runs the coroutine. */
static int resume(lua_State *L, lua_State *co, int arg_count, enum way way)
{
  static const char *const words[] = {"running", "suspended", "non-suspended", "dead"};
  enum co_state state = state_of(L, co);
  if (script_thread_of(co)->task || state != SUSPENDED) {
    bool is_task = state == SUSPENDED;
    lua_pushfstring(L, "cannot resume %s", is_task ? "a task" : words[state]);
    if (!is_task) {
      lua_pushliteral(L, " coroutine");
      lua_concat(L, 2);
    }
    return failed(L, way);
  }
  if (!lua_checkstack(co, arg_count + 1)) {
    lua_pushliteral(L, "too many arguments to resume");
    return failed(L, way);
  }
  bool is_first = lua_status(co) == LUA_OK; /* then the function of create is on its stack */
  lua_xmove(L, co, arg_count);
  return go_on(L, co, arg_count + is_first, way);
}

static int co_resume(lua_State *L)
{
  lua_State *co = check_coroutine(L);
  return resume(L, co, lua_gettop(L) - 1, BY_RESUME);
}

static int wrap_call(lua_State *L)
{
  return resume(L, resumed_by(L, BY_WRAP), lua_gettop(L), BY_WRAP);
}

static int co_wrap(lua_State *L)
{
  (void)co_create(L);
  lua_pushcclosure(L, wrap_call, 1);
  return 1;
}

static int co_yield (lua_State *L)
{
  if (is_main(L))
    return luaL_error(L, "attempt to yield from outside a coroutine");
  return lua_yield(L, lua_gettop(L));
}

/* No `close`: a long chain of coroutines that close each other overflows the C stack in 5.4.4. */
const luaL_Reg script_coroutine_functions[] = {
    {"create", co_create}, {"isyieldable", co_isyieldable},
    {"resume", co_resume}, {"running", co_running},
    {"status", co_status}, {"wrap", co_wrap},
    {"yield", co_yield },  {NULL, NULL},
};
