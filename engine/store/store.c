/* The queue before a store. What is asked in one turn of the loop is applied together: a timer of
 * no time ends the turn. One batch at a time is on the pool; what comes meanwhile is the next.
 * Writes that can be lost wait a moment for others, and for the next write that cannot. */
// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/store_private.h"

enum { KEEP_DAYS = 30, PATIENCE_MS = 10000 };

enum batch_state { BATCH_QUEUED, BATCH_RUNNING, BATCH_DONE };

/* Changes hands under the lock: whoever comes first, the pool or a loop thread that cannot wait for
 * the pool, applies it. */
struct store_batch {
  struct store *store; /* NULL: it was freed */
  struct store_op *ops;
  pthread_mutex_t lock;
  pthread_cond_t is_done;
  enum batch_state state;
};

void store_options_init(struct store_options *options)
{
  *options = (struct store_options){
      .service = "",
      .spender = "",
      .keep_reports_ms = (uint64_t)KEEP_DAYS * STORE_DAY_MS,
      .keep_runs_ms = (uint64_t)KEEP_DAYS * STORE_DAY_MS,
      .keep_bytes = UINT64_C(2) << 30,
      .patience_ms = PATIENCE_MS,
  };
}

const char *store_problem(const struct store *store)
{
  return store->problem;
}

/* ---- telling ---- */

void store_op_free(struct store_op *op)
{
  ap_buf_deinit(&op->found);
  free(op->bytes);
  ap_buf_deinit(&op->rows);
  ap_buf_deinit(&op->pending);
  free(op);
}

static void call_report(struct store_op *op)
{
  const struct store_report report = {
      .raw = ap_slice_of(&op->found), .code = op->report_code, .fetched_unix_ms = op->at_ms};
  op->done.report(op->arg, op->code, op->code == AP_OK ? &report : NULL);
}

static void call_submission(struct store_op *op)
{
  op->submission.waited_for = ap_buf_cstr(&op->found);
  op->done.submission(op->arg, op->code, op->code == AP_OK ? &op->submission : NULL);
}

static void call_done(struct store_op *op)
{
  switch (op->kind) {
  case STORE_OP_REPORT_GET:
    call_report(op);
    return;
  case STORE_OP_TAKE:
    op->done.grant(op->arg, op->code, op->code == AP_OK ? &op->grant : NULL);
    return;
  case STORE_OP_FIND:
  case STORE_OP_INTEND:
    call_submission(op);
    return;
  case STORE_OP_ONCE:
    op->once.body = ap_slice_of(&op->found);
    op->done.once(op->arg, op->code, op->code == AP_OK ? &op->once : NULL);
    return;
  case STORE_OP_USAGE:
  case STORE_OP_ENTRIES:
  case STORE_OP_PURGE:
    store_look_tell(op);
    return;
  case STORE_OP_REPORT_PUT:
  case STORE_OP_REPORT_FORGET:
  case STORE_OP_COUNT:
  case STORE_OP_RETURN:
  case STORE_OP_SPEND_MINUTE:
  case STORE_OP_SPEND_DAY:
  case STORE_OP_SENT:
  case STORE_OP_DONE:
  case STORE_OP_SCANNED:
  case STORE_OP_ONCE_SENT:
  case STORE_OP_ONCE_UNDO:
    return;
  }
}

/* ---- what is canceled ---- */

/* What was found is an intent that was canceled on its way: it is none, or this one's from now. */
static void correct(struct store_op *op)
{
  if (!op->canceled_intent || op->code != AP_OK || op->submission.id != op->canceled_intent)
    return;
  if (op->kind == STORE_OP_INTEND)
    op->submission.state = STORE_NEW;
  else
    op->code = AP_E_NOT_FOUND;
  op->canceled_intent = 0;
}

/* Whoever of ops asks for the same may find the intent of op. True: it is left to one of them. */
static bool leave_intent(struct store_op *ops, const struct store_op *op)
{
  struct store_op *other;
  DL_FOREACH(ops, other)
  {
    bool is_intent = other->kind == STORE_OP_INTEND;
    if (other->is_canceled || (!is_intent && other->kind != STORE_OP_FIND) ||
        other->submission_kind != op->submission_kind || strcmp(other->keys[0], op->keys[0]) != 0)
      continue;
    other->canceled_intent = op->submission.id;
    if (is_intent)
      return true;
  }
  return false;
}

static bool is_left(struct store *store, const struct store_op *op)
{
  return leave_intent(store->told, op) || (store->batch && leave_intent(store->batch->ops, op)) ||
         leave_intent(store->queue, op);
}

/* Nobody waits any more for what was taken. */
static void give_back(struct store_op *op)
{
  correct(op);
  if (op->code != AP_OK)
    return;
  if (op->kind == STORE_OP_TAKE && op->grant.granted)
    store_quota_return(op->store, op->grant.at_unix_ms, op->grant.granted);
  else if (op->kind == STORE_OP_INTEND && op->submission.state == STORE_NEW &&
           !is_left(op->store, op))
    store_submission_done(op->store, op->submission.id);
  else if (op->kind == STORE_OP_ONCE && op->once.state == STORE_ONCE_NEW)
    store_once_undo(op->store, op->keys[0], op->keys[1]);
}

/* A callback may ask anew and cancel others that are yet to be told. */
static void tell(struct store *store)
{
  store->is_telling = true;
  while (store->told) {
    struct store_op *op = store->told;
    DL_DELETE(store->told, op);
    correct(op);
    if (op->is_canceled)
      give_back(op);
    else if (op->done.report)
      call_done(op);
    store_op_free(op);
  }
  store->is_telling = false;
}

/* Failures that nobody else is told of, and the sentence for those that are. */
void store_take_failure(struct store *store)
{
  if (!*store->failure)
    return;
  if (strcmp(store->failure, store->problem) != 0) {
    memcpy(store->problem, store->failure, sizeof(store->problem));
    ap_log(AP_LOG_STORE, AP_LOG_WARN, "%s", store->problem);
  }
  store->failure[0] = '\0';
}

static void take_marks(struct store *store, const struct store_op *op)
{
  bool tells = op->kind == STORE_OP_TAKE || op->kind == STORE_OP_COUNT;
  if (!tells || op->code != AP_OK || !op->grant.window)
    return;
  if (strcmp(op->grant.window, "minute") == 0)
    store->marks.minute_until_ms = op->grant.again_unix_ms;
  else
    store->marks.day = ap_clock_unix_ms() / STORE_DAY_MS;
}

static void take_applied(struct store *store, struct store_op *ops)
{
  store_take_failure(store);
  for (struct store_op *op = ops; op; op = op->next)
    take_marks(store, op);
  DL_CONCAT(store->told, ops);
}

/* ---- applying ---- */

void store_start_turn(struct store *store)
{
  if (store->has_turn || (store->batch && !store->told))
    return;
  store->has_turn = true;
  net_timer_start(store->turn, 0);
}

/* Everything that waits is applied next. */
void store_hurry(struct store *store)
{
  store->is_writing = store->is_writing || store->lazy;
}

/* Some of the lazy ones: a look-up that comes now does not wait long. */
static struct store_op *take_lazy(struct store *store, size_t most_bytes)
{
  struct store_op *ops = NULL;
  size_t bytes = 0;
  while (store->lazy && bytes <= most_bytes) {
    struct store_op *op = store->lazy;
    bytes += op->bytes_len;
    store_lazy_count(store, op, -1);
    DL_DELETE(store->lazy, op);
    DL_APPEND(ops, op);
    store->lazy_count--;
  }
  store->lazy_bytes -= bytes;
  store->is_their_turn = false;
  store->is_due = store->lazy != NULL;
  return ops;
}

/* Look-ups alone go before lazy writes, or take turns with them where they are many; other writes
 * go after them, as they were asked for. */
static struct store_op *take_queue(struct store *store)
{
  struct store_op *ops = NULL;
  if (store->is_writing)
    ops = take_lazy(store, SIZE_MAX);
  else if (store->is_due && (!store->queue || store->is_their_turn))
    return take_lazy(store, STORE_LAZY_BYTES);
  store->is_their_turn = true;
  DL_CONCAT(ops, store->queue);
  store->queue = NULL;
  store->is_writing = false;
  return ops;
}

static bool has_work(const struct store *store)
{
  return store->queue || (store->lazy && (store->is_due || store->is_writing));
}

static void apply_batch(struct store_batch *batch)
{
  batch->store->backend->apply(batch->store, batch->ops);
  (void)pthread_mutex_lock(&batch->lock);
  batch->state = BATCH_DONE;
  (void)pthread_cond_signal(&batch->is_done);
  (void)pthread_mutex_unlock(&batch->lock);
}

static bool begin_batch(struct store_batch *batch)
{
  (void)pthread_mutex_lock(&batch->lock);
  bool is_mine = batch->state == BATCH_QUEUED;
  if (is_mine)
    batch->state = BATCH_RUNNING;
  (void)pthread_mutex_unlock(&batch->lock);
  return is_mine;
}

static void batch_work(void *arg)
{
  if (begin_batch(arg))
    apply_batch(arg);
}

static void free_batch(struct store_batch *batch)
{
  (void)pthread_cond_destroy(&batch->is_done);
  (void)pthread_mutex_destroy(&batch->lock);
  free(batch);
}

static void batch_told(void *arg)
{
  struct store_batch *batch = arg;
  struct store *store = batch->store;
  struct store_op *ops = batch->ops;
  bool was_taken = !store || store->batch != batch;
  free_batch(batch);
  if (was_taken)
    return;
  store->batch = NULL;
  take_applied(store, ops);
  tell(store);
  if (has_work(store))
    store_start_turn(store);
}

static void apply_here(struct store *store)
{
  struct store_op *ops = take_queue(store);
  if (!ops)
    return;
  store->backend->apply(store, ops);
  take_applied(store, ops);
}

static bool send_batch(struct store *store)
{
  struct store_batch *batch = calloc(1, sizeof(*batch));
  if (!batch)
    return false;
  batch->store = store;
  batch->ops = take_queue(store);
  (void)pthread_mutex_init(&batch->lock, NULL);
  (void)pthread_cond_init(&batch->is_done, NULL);
  if (net_loop_work(store->loop, batch_work, batch_told, batch) != AP_PENDING) {
    store->queue = batch->ops;
    store->is_writing = true;
    free_batch(batch);
    return false;
  }
  store->batch = batch;
  return true;
}

static void turn_ended(void *arg)
{
  struct store *store = arg;
  store->has_turn = false;
  tell(store);
  if (store->batch || !has_work(store))
    return;
  if (store->backend->is_slow && send_batch(store))
    return;
  apply_here(store);
  tell(store);
}

void store_moment_over(void *arg)
{
  struct store *store = arg;
  store->is_due = store->lazy != NULL;
  if (store->is_due)
    store_start_turn(store);
}

/* The loop thread has to have it done. */
static void settle_batch(struct store *store)
{
  struct store_batch *batch = store->batch;
  if (!batch)
    return;
  if (begin_batch(batch))
    apply_batch(batch);
  (void)pthread_mutex_lock(&batch->lock);
  while (batch->state != BATCH_DONE)
    (void)pthread_cond_wait(&batch->is_done, &batch->lock);
  (void)pthread_mutex_unlock(&batch->lock);
  store->batch = NULL;
  batch->store = NULL; /* the loop still has to tell of it */
  take_applied(store, batch->ops);
  batch->ops = NULL;
}

void store_settle(struct store *store)
{
  settle_batch(store);
  store_hurry(store);
  apply_here(store);
  if (store->told)
    store_start_turn(store);
}

size_t store_submission_open_count(struct store *store)
{
  store_settle(store);
  return store->backend->open_count(store);
}

/* ---- birth and death ---- */

int store_init(struct store *store, struct net_loop *loop, const struct store_backend *backend)
{
  store->backend = backend;
  store->loop = loop;
  store->marks.day = -1;
  int rc = net_timer_new(loop, store_moment_over, store, &store->moment);
  if (rc == AP_OK)
    rc = net_timer_new(loop, turn_ended, store, &store->turn);
  if (rc != AP_OK) {
    net_timer_free(store->moment);
    store->moment = NULL;
  }
  return rc;
}

void store_free(struct store *store)
{
  if (!store)
    return;
  ap_require(!store->is_telling);
  do {
    settle_batch(store);
    store_hurry(store);
    apply_here(store);
    while (store->told) {
      struct store_op *op = store->told;
      DL_DELETE(store->told, op);
      if (op->done.report)
        give_back(op);
      store_op_free(op);
    }
  } while (store->queue || store->lazy);
  net_timer_free(store->turn);
  net_timer_free(store->moment);
  store->backend->free(store);
}

void store_cancel(struct store_op *op)
{
  op->is_canceled = true;
}
