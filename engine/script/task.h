/* Tasks: coroutines that wait for the world. One place resumes them, once a turn of the loop.
 *
 * A binding that has to wait begins an operation, starts the work below, and yields with a
 * continuation; the callback of the work fills the operation and wakes it. Callbacks never touch a
 * lua_State (style B5), and the lines after a yield never run (B6):
 *
 *   static int clock_sleep(lua_State *L)
 *   {
 *     uint64_t wait_ms = ...;
 *     struct sleep_op *op = task_op_begin(L, sizeof(*op), &sleep_kind);
 *     net_timer_start(op->timer, wait_ms);
 *     return task_op_wait(L, op, sleep_done);
 *   }
 *   static int sleep_done(lua_State *L, int status, lua_KContext ctx)
 *   {
 *     struct sleep_op *op = (struct sleep_op *)ctx;
 *     ... push results ...
 *     task_op_end(op);
 *     return n;
 *   }
 *
 * Scripts may call bindings inside coroutines of their own: the yield passes up through them. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "script/host.h"
#include "script/watchdog.h"

struct task;

/* How a task ended. `co` has the results (or the error value) on top of its stack; nothing of it
 * may be kept. It runs in a protected call: what it raises is logged as a bug. It may start tasks.
 * @param rc AP_OK; AP_E_INVALID: it raised (error value on top); AP_E_CANCELED: it was ended */
typedef void task_ended_fn(void *arg, int rc, lua_State *co, int result_count);

/* Starts a task: the function and its arg_count arguments are on top of L's stack and are popped.
 * It first runs in the next turn. `ended` runs exactly once, on the loop thread, from the scheduler
 * or task_kill; the task is gone when it does. [-(1 + arg_count), +0, m] */
struct task *task_start(lua_State *L, int arg_count, task_ended_fn *ended, void *arg);

/* The task that is running now; NULL outside of any, and while a file is read or script_call runs.
 */
struct task *task_current(lua_State *L);

/* A pointer that the starter may hang on a task (a step's context). */
void task_set_data(struct task *task, void *data);
void *task_data(const struct task *task);

/* Who this is, for the watchdog's last words ("scan_hash on 44d88612..."). Borrowed until the task
 * has ended; NULL for none.
 * @param place  the entity whose task it is, borrowed as long; NULL: of none */
void task_set_label(struct task *task, const char *label, const struct script_place *place);

/* How many instructions it may take, instead of limits.instructions; before it first runs. */
void task_set_limit(struct task *task, uint64_t instructions);

/* Ends a task that is not running: cancels what it waits for, runs its __close variables under the
 * kill flag, calls ended with AP_E_CANCELED. */
void task_kill(struct task *task);

/* Wakes a waiting operation early with a code: its cancel hook runs, then its continuation sees
 * task_op_code() == code. A task that does not wait is left alone. */
void task_interrupt(struct task *task, int code);

bool task_is_waiting(const struct task *task);
uint32_t task_count(const struct script_host *host);       /* alive */
uint32_t task_ready_count(const struct script_host *host); /* would run now */

/* ---- operations ---- */

struct task_op_kind {
  const char *name; /* "vt.file_report", for messages */

  /* Stops the work: it must not call back any more. Also runs for work that was not started, when
   * the binding raised before. NULL: the work cannot be stopped; its operation then outlives the
   * wait until it is woken, which must come. */
  void (*cancel)(void *op);

  /* Frees what hangs on it, exactly once; may be NULL. */
  void (*release)(void *op);
};

/* Begins an operation of the running task and returns its zeroed memory (freed by the host after
 * release). Raises when called outside a task ("clock.sleep works in an action's run only"), where
 * a yield cannot pass (a callback of table.sort), and while another one is under way ("busy").
 * [-0, +0, e] */
void *task_op_begin(lua_State *L, size_t size, const struct task_op_kind *kind);

/* Waits: use as `return task_op_wait(...)`. Also right when the operation was woken already.
 * The continuation finds the binding's arguments where they were. [-?, +?, e] */
int task_op_wait(lua_State *L, void *op, lua_KFunction done);

/* From a callback on the loop thread: the task goes on in this turn. Once per operation; a second
 * time is logged and does nothing, as long as the operation lives. */
void task_op_wake(void *op);

/* AP_OK, or the code given to task_interrupt. */
int task_op_code(const void *op);

/* Releases and frees the operation; also when it never waited. NULL is fine. */
void task_op_end(void *op);
