/* Accounts of instructions. Lua calls the count hook every SCRIPT_QUANTUM instructions of each
 * coroutine; all coroutines charge the one scope that runs. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "script/host_private.h"

static void quantum_passed(lua_State *L, lua_Debug *ar)
{
  (void)ar;
  script_charge(L, SCRIPT_QUANTUM);
}

void script_watch(lua_State *L)
{
  lua_sethook(L, quantum_passed, LUA_MASKCOUNT, SCRIPT_QUANTUM);
}

void script_scope_enter(struct script_host *host, struct script_scope *scope, uint64_t limit)
{
  *scope = (struct script_scope){.outer = host->scope, .limit = limit};
  host->scope = scope;
}

void script_scope_leave(lua_State *L, const struct script_scope *scope)
{
  script_host_of(L)->scope = scope->outer;
  if (scope->is_killed)
    script_watch(L);
}

bool script_is_killed(const struct script_host *host)
{
  for (const struct script_scope *scope = host->scope; scope; scope = scope->outer)
    if (scope->is_killed)
      return true;
  return false;
}

/* Says where the code is: the innermost function that has lines. */
static void kill_scope(lua_State *L, struct script_scope *scope)
{
  enum { LEVELS = 8 };
  lua_Debug ar = {.currentline = 0};
  bool is_found = false;
  for (int level = 0; !is_found && level < LEVELS && lua_getstack(L, level, &ar); level++)
    is_found = lua_getinfo(L, "Sl", &ar) && ar.currentline > 0;
  scope->is_killed = true;
  (void)snprintf(scope->message, sizeof(scope->message),
                 "%s:%d: ran for more than %llu instructions without an end",
                 is_found ? ar.short_src : "?", is_found ? ar.currentline : 0,
                 (unsigned long long)scope->limit);
}

int script_raise_killed(lua_State *L)
{
  struct script_scope *scope = script_host_of(L)->scope;
  while (scope->outer && !scope->is_killed)
    scope = scope->outer;
  lua_sethook(L, quantum_passed, LUA_MASKCOUNT, 1); /* not one instruction more */
  lua_pushstring(L, scope->message);
  return lua_error(L);
}

void script_charge(lua_State *L, uint64_t instructions)
{
  struct script_host *host = script_host_of(L);
  for (struct script_scope *scope = host->scope; scope; scope = scope->outer) {
    scope->used += instructions;
    if (scope->used > scope->limit && !scope->is_killed)
      kill_scope(L, scope);
  }
  if (script_is_killed(host))
    (void)script_raise_killed(L);
}

void script_caught(lua_State *L)
{
  struct task *task = task_current(L);
  if (script_is_killed(script_host_of(L)))
    (void)script_raise_killed(L);
  if (task && task->op)
    task_op_abandon(task->op);
}
