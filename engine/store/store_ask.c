/* What a store is asked for: reports, quota, submissions. Each call is an op for the queue. */
// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "store/store_private.h"

enum { QUEUED_REPORTS_MAX = 16 << 20 /* a disk that is slower than the network drops reports */ };

int store_report_get(struct store *store, const char *key, const struct store_lifetimes *lifetimes,
                     store_report_fn *done, void *arg, struct store_op **op)
{
  struct store_op *get = store_op_new(store, STORE_OP_REPORT_GET, key);
  if (!get)
    return AP_E_NO_MEMORY;
  get->lifetimes = *lifetimes;
  get->done.report = done;
  return store_op_ask(get, arg, op);
}

void store_report_put(struct store *store, const char *const *keys, size_t key_count,
                      struct ap_slice raw, int code)
{
  ap_require(key_count >= 1);
  struct store_op *op = NULL;
  if (store->lazy_bytes + raw.len <= QUEUED_REPORTS_MAX)
    op = store_op_new_keyed(store, STORE_OP_REPORT_PUT, keys, key_count);
  if (!op)
    return;
  op->bytes = ap_memdup(raw.ptr, raw.len);
  if (!op->bytes) {
    store_op_free(op);
    return;
  }
  op->bytes_len = raw.len;
  op->report_code = code;
  op->at_ms = ap_clock_unix_ms();
  store_op_send_lazily(op);
}

void store_report_forget(struct store *store, const char *key)
{
  store_op_send(store, store_op_new(store, STORE_OP_REPORT_FORGET, key));
}

/* Where nothing is limited nothing can be exceeded: it is granted at once and counted later. */
static bool is_granted_at_once(const struct store *store, const struct store_limits *limits,
                               int64_t now_ms)
{
  return !limits->per_minute && !limits->per_day && !limits->per_month &&
         store->marks.minute_until_ms <= now_ms && store->marks.day != now_ms / STORE_DAY_MS;
}

static int grant_at_once(struct store_op *take, int64_t now_ms)
{
  struct store *store = take->store;
  struct store_op *counted = store_op_new(store, STORE_OP_COUNT, NULL);
  if (!counted) {
    store_op_free(take);
    return AP_E_NO_MEMORY;
  }
  counted->count = take->count;
  counted->at_ms = now_ms;
  take->grant = (struct store_grant){.granted = take->count,
                                     .at_unix_ms = now_ms,
                                     .minute_left = UINT32_MAX,
                                     .day_left = UINT32_MAX};
  store_op_tell(take);
  store_op_send_lazily(counted);
  return AP_PENDING;
}

int store_quota_take(struct store *store, const struct store_limits *limits, uint32_t want,
                     store_grant_fn *done, void *arg, struct store_op **op)
{
  int64_t now_ms = ap_clock_unix_ms();
  struct store_op *take = store_op_new(store, STORE_OP_TAKE, NULL);
  if (!take)
    return AP_E_NO_MEMORY;
  take->limits = *limits;
  take->count = want;
  take->done.grant = done;
  if (!is_granted_at_once(store, limits, now_ms))
    return store_op_ask(take, arg, op);
  take->arg = arg;
  int rc = grant_at_once(take, now_ms);
  if (rc == AP_PENDING && op)
    *op = take;
  return rc;
}

void store_quota_return(struct store *store, int64_t at_unix_ms, uint32_t count)
{
  struct store_op *op = store_op_new(store, STORE_OP_RETURN, NULL);
  if (op) {
    op->at_ms = at_unix_ms;
    op->count = count;
  }
  store_op_send(store, op);
}

void store_quota_spend_minute(struct store *store)
{
  struct store_op *op = store_op_new(store, STORE_OP_SPEND_MINUTE, NULL);
  store->marks.minute_until_ms = ap_clock_unix_ms() + STORE_MINUTE_MS;
  if (op)
    op->at_ms = store->marks.minute_until_ms;
  store_op_send(store, op);
}

void store_quota_spend_day(struct store *store)
{
  struct store_op *op = store_op_new(store, STORE_OP_SPEND_DAY, NULL);
  store->marks.day = ap_clock_unix_ms() / STORE_DAY_MS;
  if (op)
    op->at_ms = store->marks.day;
  store_op_send(store, op);
}

static int ask_journal(struct store *store, enum store_op_kind what,
                       enum store_submission_kind kind, const char *resource,
                       store_submission_fn *done, void *arg, struct store_op **op)
{
  struct store_op *asked = store_op_new(store, what, resource);
  if (!asked)
    return AP_E_NO_MEMORY;
  asked->submission_kind = kind;
  asked->done.submission = done;
  return store_op_ask(asked, arg, op);
}

int store_submission_find(struct store *store, enum store_submission_kind kind,
                          const char *resource, store_submission_fn *done, void *arg,
                          struct store_op **op)
{
  return ask_journal(store, STORE_OP_FIND, kind, resource, done, arg, op);
}

int store_submission_intend(struct store *store, enum store_submission_kind kind,
                            const char *resource, store_submission_fn *done, void *arg,
                            struct store_op **op)
{
  return ask_journal(store, STORE_OP_INTEND, kind, resource, done, arg, op);
}

static void write_journal(struct store *store, enum store_op_kind what, uint64_t id,
                          const char *text)
{
  struct store_op *op = store_op_new(store, what, text);
  if (op)
    op->id = id;
  store_op_send(store, op);
}

void store_submission_sent(struct store *store, uint64_t id, const char *scan_id)
{
  write_journal(store, STORE_OP_SENT, id, scan_id);
}

void store_submission_done(struct store *store, uint64_t id)
{
  write_journal(store, STORE_OP_DONE, id, NULL);
}

void store_submission_scanned(struct store *store, const char *waited_for)
{
  write_journal(store, STORE_OP_SCANNED, 0, waited_for);
}

static struct store_op *new_once(struct store *store, enum store_op_kind what, const char *run,
                                 const char *name)
{
  const char *keys[] = {run, name};
  return store_op_new_keyed(store, what, keys, 2);
}

int store_once_intend(struct store *store, const char *run, const char *name, store_once_fn *done,
                      void *arg, struct store_op **op)
{
  struct store_op *asked = new_once(store, STORE_OP_ONCE, run, name);
  if (!asked)
    return AP_E_NO_MEMORY;
  asked->done.once = done;
  return store_op_ask(asked, arg, op);
}

void store_once_sent(struct store *store, const char *run, const char *name, long status,
                     struct ap_slice body)
{
  struct store_op *op = new_once(store, STORE_OP_ONCE_SENT, run, name);
  if (op) {
    op->status = status;
    op->bytes = body.len ? ap_memdup(body.ptr, body.len) : NULL;
    op->bytes_len = op->bytes ? body.len : 0;
  }
  store_op_send(store, op);
}

void store_once_undo(struct store *store, const char *run, const char *name)
{
  store_op_send(store, new_once(store, STORE_OP_ONCE_UNDO, run, name));
}
