/* Accounts of instructions. Lua calls the count hook every SCRIPT_QUANTUM instructions of each
 * coroutine; all coroutines charge the one scope that runs. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "script/host_private.h"
#include "script/watchdog.h"

void script_watch(lua_State *L)
{
  lua_sethook(L, script_hook, LUA_MASKCOUNT, SCRIPT_QUANTUM);
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
static void kill_scope(lua_State *L, struct script_scope *scope, bool is_overdue)
{
  enum { LEVELS = 8 };
  lua_Debug ar = {.currentline = 0};
  bool is_found = false;
  for (int level = 0; !is_found && level < LEVELS && lua_getstack(L, level, &ar); level++)
    is_found = lua_getinfo(L, "Sl", &ar) && ar.currentline > 0;
  const char *file = is_found ? ar.short_src : "?";
  int line = is_found ? ar.currentline : 0;
  scope->is_killed = true;
  if (is_overdue)
    (void)snprintf(scope->message, sizeof(scope->message), "%s:%d: held the engine for too long",
                   file, line);
  else
    (void)snprintf(scope->message, sizeof(scope->message),
                   "%s:%d: ran for more than %llu instructions without an end", file, line,
                   (unsigned long long)scope->limit);
}

/* Ends the innermost account and the script's task around it, which could begin the same again: a
 * file that a playbook's step requires. The engine's own Lua goes on; its tasks have no label. */
static void end_overdue(lua_State *L)
{
  struct script_scope *inner = script_host_of(L)->scope;
  for (struct script_scope *scope = inner; scope; scope = scope->outer)
    if (!scope->is_killed && (scope == inner || (scope->task && scope->task->label)))
      kill_scope(L, scope, true);
  script_watchdog_begin_anew();
}

void script_hook(lua_State *L, lua_Debug *ar)
{
  uint64_t passed = (uint64_t)lua_gethookcount(L);
  (void)ar;
  if (script_watchdog_is_due())
    end_overdue(L);
  else if (passed != SCRIPT_QUANTUM && !script_is_killed(script_host_of(L)))
    script_watch(L); /* the watchdog was late: the go is another one */
  script_make_room(L);
  script_charge(L, passed);
}

int script_raise_killed(lua_State *L)
{
  struct script_scope *scope = script_host_of(L)->scope;
  while (scope->outer && !scope->is_killed)
    scope = scope->outer;
  lua_sethook(L, script_hook, LUA_MASKCOUNT, 1); /* not one instruction more */
  lua_pushstring(L, scope->message);
  return lua_error(L);
}

void script_charge(lua_State *L, uint64_t instructions)
{
  struct script_host *host = script_host_of(L);
  for (struct script_scope *scope = host->scope; scope; scope = scope->outer) {
    scope->used += instructions;
    if (scope->used > scope->limit && !scope->is_killed)
      kill_scope(L, scope, false);
  }
  if (script_is_killed(host))
    (void)script_raise_killed(L);
}

void script_charge_text(lua_State *L, size_t bytes)
{
  enum { BYTES_PER_INSTRUCTION = 64, LONG = 1024 };
  if (bytes < LONG)
    return;
  script_make_room(L);
  script_charge(L, bytes / BYTES_PER_INSTRUCTION);
}

void script_caught(lua_State *L)
{
  struct task *task = task_current(L);
  if (script_is_killed(script_host_of(L)))
    (void)script_raise_killed(L);
  if (task && task->op)
    task_op_abandon(task->op);
}
