/* Operations: what a task waits for. The task owns it, so whatever a script raises or however it is
 * ended, the work below is canceled and the memory is freed once. */
// SPDX-License-Identifier: Apache-2.0
#include <stdalign.h>
#include <stdlib.h>

#include "base/log.h"
#include "script/host_private.h"

struct task_op {
  const struct task_op_kind *kind;
  struct task *task; /* NULL: ended while its work, which cannot be canceled, went on */
  int code;
  bool is_waiting; /* the task has yielded for it */
  bool is_woken;
  bool is_loose; /* interrupted, and its work still calls back */
};

enum {
  HEAD_BYTES = (sizeof(struct task_op) + alignof(max_align_t) - 1) / alignof(max_align_t) *
               alignof(max_align_t)
};

static void *memory_of(struct task_op *op)
{
  return (char *)op + HEAD_BYTES;
}

static struct task_op *head_of(void *memory)
{
  return (struct task_op *)(void *)((char *)memory - HEAD_BYTES);
}

static void op_free(struct task_op *op)
{
  if (op->kind->release)
    op->kind->release(memory_of(op));
  free(op);
}

void *task_op_begin(lua_State *L, size_t size, const struct task_op_kind *kind)
{
  struct task *task = task_current(L);
  if (script_is_killed(script_host_of(L)))
    (void)script_raise_killed(L);
  if (!task) {
    luaL_error(L, "%s works in an action's run only", kind->name);
    return NULL;
  }
  if (!lua_isyieldable(L))
    luaL_error(L,
               "%s cannot wait here: inside a callback, an iterator or a metamethod that Lua's "
               "own functions call",
               kind->name);
  if (task->op)
    luaL_error(L, "busy: %s was begun while %s is under way", kind->name, task->op->kind->name);
  struct task_op *op = calloc(1, HEAD_BYTES + size);
  if (!op)
    script_out_of_memory();
  op->kind = kind;
  op->task = task;
  task->op = op;
  return memory_of(op);
}

int task_op_wait(lua_State *L, void *op, lua_KFunction done)
{
  head_of(op)->is_waiting = true;
  script_push_wait_mark(L);
  return lua_yieldk(L, 1, (lua_KContext)op, done);
}

void task_op_wake(void *op)
{
  struct task_op *self = head_of(op);
  if (self->is_loose && !self->task) {
    op_free(self);
    return;
  }
  if (self->is_loose) {
    self->is_loose = false;
    return;
  }
  if (self->is_woken) {
    ap_log(AP_LOG_SCRIPT, AP_LOG_WARN, "a bug: %s was woken twice", self->kind->name);
    return;
  }
  self->is_woken = true;
  if (self->task->state == TASK_WAITING)
    task_make_ready(self->task);
}

bool task_op_is_woken(const struct task_op *op)
{
  return op->is_woken;
}

int task_op_code(const void *op)
{
  return ((const struct task_op *)(const void *)((const char *)op - HEAD_BYTES))->code;
}

/* Stops the work of an operation that was not woken. */
static void op_stop(struct task_op *op)
{
  if (op->kind->cancel)
    op->kind->cancel(memory_of(op));
  else
    op->is_loose = op->is_waiting; /* before the wait nothing that cannot be stopped has begun */
  op->is_woken = true;
}

void task_interrupt(struct task *task, int code)
{
  if (task->state != TASK_WAITING || task->op->is_woken)
    return;
  task->op->code = code;
  op_stop(task->op);
  task_make_ready(task);
}

void task_op_end(void *op)
{
  if (!op)
    return;
  struct task_op *self = head_of(op);
  self->task->op = NULL;
  self->task = NULL;
  if (!self->is_loose)
    op_free(self);
}

void task_op_abandon(struct task_op *op)
{
  if (!op->is_woken)
    op_stop(op);
  task_op_end(memory_of(op));
}
