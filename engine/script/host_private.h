/* What the files of the Lua host share: the host itself and its accounts of memory and time.
 *
 * A scope is the account that running code charges: a task's, or that of a file being read, which
 * charges what surrounds it too. Over its limit it is killed, and stays so: pcall and the like
 * raise again until the code that opened the scope is reached. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lauxlib.h>

#include "script/pool.h"
#include "script/task.h"

/* How many instructions pass between two looks at the account. */
enum { SCRIPT_QUANTUM = 10000 };

struct script_memory {
  size_t used;
  size_t max;
  struct script_pool pool; /* deinit it when the state is closed */
};

/* The lua_Alloc of every state; ends the process at the cap. ud is a struct script_memory. */
void *script_allocate(void *ud, void *ptr, size_t old_size, size_t new_size);

/* The lua_CFunction for lua_atpanic. */
int script_panic(lua_State *L);

__attribute__((noreturn)) void script_out_of_memory(void);

struct script_scope {
  struct script_scope *outer; /* pays too; may be NULL */
  struct task *task;          /* whose code runs; NULL: code that may not wait */
  uint64_t limit;
  uint64_t used;
  bool is_killed;
  char message[160]; /* of the kill */
};

/* Where the extra space of a lua_State points: whose it is. */
struct script_thread {
  struct script_host *host;
  struct task *task; /* NULL for the main state and for coroutines of scripts */
};

/* Functions of Lua's libraries that ours check the arguments for. */
struct script_originals {
  lua_CFunction concat, insert, move, remove, sort, unpack;
  lua_CFunction format, pack, rep;
  lua_CFunction find, match, gmatch, gsub, lower, upper, reverse;
  lua_CFunction utf8_len;
};

struct script_host {
  lua_State *L;
  struct net_loop *loop;
  struct script_limits limits;
  struct script_memory memory;
  struct script_thread thread;
  struct script_scope *scope; /* NULL between tasks */
  struct script_originals original;
  void (*idle)(void *arg);
  void *idle_arg;
  void *data;
  uint32_t log_lines;
  size_t collected_bytes; /* in use after the last collection that was asked for */

  struct task *tasks; /* alive */
  struct task *ready; /* of these, in the order in which they go on */
  struct task *spare; /* ended, with a coroutine to use again */
  uint32_t task_count;
  uint32_t ready_count;
  uint32_t spare_count;
};

/* The account to charge from here on; leave with the same L, which must be the running one. */
void script_scope_enter(struct script_host *host, struct script_scope *scope, uint64_t limit);
void script_scope_leave(lua_State *L, const struct script_scope *scope);

/* Collects what is garbage when much of the memory is taken: at the cap nothing can any more. */
void script_make_room(lua_State *L);

/* Memory of our own that a script made us keep; give it back with a negative number. Ends the
 * process at the cap, as Lua's does. */
void script_native(struct script_host *host, ptrdiff_t bytes);

/* Charges work on that many bytes of a text. [-0, +0, v] */
void script_charge_text(lua_State *L, size_t bytes);

/* Charges work that the count hook does not see. Raises when the account is empty. [-0, +0, v] */
void script_charge(lua_State *L, uint64_t instructions);
void script_watch(lua_State *L);               /* puts the count hook on a state */
void script_hook(lua_State *L, lua_Debug *ar); /* that hook */

bool script_is_killed(const struct script_host *host);
int script_raise_killed(lua_State *L); /* never returns */

/* For whoever has just caught an error: raises again when the code was killed, and ends the
 * operation that the error left behind. [-0, +0, v] */
void script_caught(lua_State *L);

/* The thread's owner; its task is NULL for a coroutine that a script made. */
struct script_thread *script_thread_of(lua_State *L);

/* What an engine's wait yields: passed up by the scripts' coroutines. */
void script_push_wait_mark(lua_State *L);
bool script_is_waiting(lua_State *co); /* it yielded that */

/* task.c for host.c and op.c */
void task_run_ready(struct script_host *host);
void task_kill_all(struct script_host *host);
void task_make_ready(struct task *task);

/* An operation: what task_op_begin gives out lies behind it. */
struct task_op;
bool task_op_is_woken(const struct task_op *op);

/* Ends the operation of a task that will not see its end: cancels what is still under way. */
void task_op_abandon(struct task_op *op);

struct task {
  struct script_thread thread; /* first: the extra space of co points here */
  struct task *prev, *next;    /* in host->tasks; spare ones use next only */
  struct task *ready_prev, *ready_next;
  lua_State *co;
  int co_ref;
  enum { TASK_SPARE, TASK_READY, TASK_RUNNING, TASK_WAITING } state;
  int start_values; /* the function and its arguments, until it starts; then 0 */
  bool has_failed;
  struct task_op *op;
  struct script_scope scope;
  task_ended_fn *ended;
  void *ended_arg;
  void *data;
  const char *label;
  const struct script_place *place;
};
