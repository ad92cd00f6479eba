/* Two halves take turns: one fills on the loop thread while the other is written on the pool.
 *
 * The half that is on its way changes hands under the lock: IDLE -> QUEUED (loop thread) -> WRITING
 * (whoever comes first) -> IDLE. When the loop thread needs it back before the pool has begun, it
 * writes it itself, so that it never waits for other work on the pool. */
// SPDX-License-Identifier: Apache-2.0
#include "store/spool.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "net/loop.h"
#include "store/spool_io.h"

enum { HALF_BYTES = 256 * 1024 };

enum half_state { HALF_IDLE, HALF_QUEUED, HALF_WRITING };

struct half {
  char *data;
  size_t len;
  uint64_t offset; /* of its first byte in the file */
};

struct store_spool {
  const struct store_spool_io *io;
  struct net_loop *loop;
  int fd;
  struct half halves[2];
  int filling;    /* which half takes what comes; the other is idle or on its way */
  unsigned jobs;  /* on the pool, or done and not told yet */
  bool is_closed; /* freed when the last job is told */
  bool is_kept;   /* it has a name: what is added goes on its way at the end of the turn */
  bool has_turn;  /* the timer runs */
  struct net_timer *turn;
  pthread_mutex_t lock;
  pthread_cond_t is_idle;
  enum half_state state; /* of the half that does not fill; under the lock, as what follows */
  int error;             /* errno of the first write that failed */
  char problem[128];
};

/* ---- opening ---- */

static void turn_ended(void *arg);

static void free_spool(struct store_spool *spool)
{
  net_timer_free(spool->turn);
  if (spool->fd >= 0)
    (void)close(spool->fd);
  free(spool->halves[0].data);
  free(spool->halves[1].data);
  (void)pthread_cond_destroy(&spool->is_idle);
  (void)pthread_mutex_destroy(&spool->lock);
  free(spool);
}

int store_spool_open(struct net_loop *loop, const char *folder, struct store_spool **out,
                     struct ap_error *err)
{
  return store_spool_open_with(&store_spool_system, loop, folder, out, err);
}

/* fd is the spool's from now on, also when this fails. */
static int new_spool(const struct store_spool_io *io, struct net_loop *loop, int fd,
                     struct store_spool **out, struct ap_error *err)
{
  struct store_spool *spool = calloc(1, sizeof(*spool));
  if (!spool) {
    (void)close(fd);
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  }
  spool->io = io;
  spool->loop = loop;
  spool->fd = fd;
  (void)pthread_mutex_init(&spool->lock, NULL);
  (void)pthread_cond_init(&spool->is_idle, NULL);
  spool->halves[0].data = malloc(HALF_BYTES);
  spool->halves[1].data = malloc(HALF_BYTES);
  bool has_turn = !loop || net_timer_new(loop, turn_ended, spool, &spool->turn) == AP_OK;
  if (!has_turn || !spool->halves[0].data || !spool->halves[1].data) {
    free_spool(spool);
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  }
  *out = spool;
  return AP_OK;
}

int store_spool_open_with(const struct store_spool_io *io, struct net_loop *loop,
                          const char *folder, struct store_spool **out, struct ap_error *err)
{
  int fd = spool_file_open(io, folder);
  if (fd < 0)
    return ap_fail(err, AP_E_IO, "%s: %s", folder, strerror(errno));
  return new_spool(io, loop, fd, out, err);
}

/* Everything before is in the file. */
static void begin_at(struct store_spool *spool, uint64_t size)
{
  spool->halves[0].offset = size;
  spool->halves[1].offset = size;
}

int store_spool_reopen(struct net_loop *loop, const char *path, bool is_to_grow,
                       struct store_spool **out, struct ap_error *err)
{
  int fd = -1;
  uint64_t size = 0;
  int rc = spool_file_reopen(path, is_to_grow, &fd, &size, err);
  if (rc == AP_OK)
    rc = new_spool(&store_spool_system, loop, fd, out, err);
  if (rc != AP_OK)
    return rc;
  begin_at(*out, size);
  (*out)->is_kept = is_to_grow;
  return AP_OK;
}

int store_spool_keep(struct store_spool *spool, const char *path, struct ap_error *err)
{
  int rc = spool_file_name(spool->fd, path, err);
  spool->is_kept = rc == AP_OK;
  return rc;
}

int store_spool_cut(struct store_spool *spool, uint64_t size)
{
  ap_require(spool->halves[0].len == 0 && spool->halves[1].len == 0);
  ap_require(size <= store_spool_size(spool));
  if (ftruncate(spool->fd, (off_t)size) != 0)
    return AP_E_IO;
  begin_at(spool, size);
  return AP_OK;
}

/* ---- writing a half, on either thread ---- */

static int write_half(const struct store_spool *spool, const struct half *half)
{
  size_t done = 0;
  ap_failpoint("before_write");
  while (done < half->len) {
    ssize_t wrote = spool->io->pwrite(spool->fd, half->data + done, half->len - done,
                                      (off_t)(half->offset + done));
    if (wrote < 0 && errno != EINTR)
      return errno;
    if (wrote == 0)
      return ENOSPC;
    if (wrote > 0)
      done += (size_t)wrote;
  }
  ap_failpoint("after_write");
  return 0;
}

static void keep_error(struct store_spool *spool, int error)
{
  if (spool->error || !error)
    return;
  char text[sizeof(spool->problem)];
  spool->error = error;
  (void)snprintf(spool->problem, sizeof(spool->problem), "%s",
                 strerror_r(error, text, sizeof(text)));
}

/* Writes the half that is queued, unless the other thread has taken it. */
static void write_queued(struct store_spool *spool)
{
  (void)pthread_mutex_lock(&spool->lock);
  if (spool->state != HALF_QUEUED) {
    (void)pthread_mutex_unlock(&spool->lock);
    return;
  }
  spool->state = HALF_WRITING;
  const struct half *half = &spool->halves[!spool->filling];
  (void)pthread_mutex_unlock(&spool->lock);
  int error = write_half(spool, half);
  (void)pthread_mutex_lock(&spool->lock);
  keep_error(spool, error);
  spool->state = HALF_IDLE;
  (void)pthread_cond_broadcast(&spool->is_idle);
  (void)pthread_mutex_unlock(&spool->lock);
}

static void job_work(void *arg)
{
  write_queued(arg);
}

static void wait_for_turn(struct store_spool *spool);

static void job_done(void *arg)
{
  struct store_spool *spool = arg;
  if (--spool->jobs > 0)
    return;
  if (spool->is_closed)
    free_spool(spool);
  else
    wait_for_turn(spool);
}

/* ---- the loop thread ---- */

static int error_of(struct store_spool *spool)
{
  (void)pthread_mutex_lock(&spool->lock);
  int error = spool->error;
  (void)pthread_mutex_unlock(&spool->lock);
  return error ? AP_E_IO : AP_OK;
}

/* Waits until the half that does not fill is written. */
static int settle(struct store_spool *spool)
{
  write_queued(spool);
  (void)pthread_mutex_lock(&spool->lock);
  while (spool->state == HALF_WRITING)
    (void)pthread_cond_wait(&spool->is_idle, &spool->lock);
  (void)pthread_mutex_unlock(&spool->lock);
  return error_of(spool);
}

/* Sends the half that fills on its way; the other one, which must be settled, takes its turn. After
 * a failure nothing moves: what is in the halves can still be read. */
static void turn_over(struct store_spool *spool)
{
  struct half *full = &spool->halves[spool->filling];
  struct half *empty = &spool->halves[!spool->filling];
  empty->offset = full->offset + full->len;
  empty->len = 0;
  (void)pthread_mutex_lock(&spool->lock);
  spool->filling = !spool->filling;
  spool->state = HALF_QUEUED;
  (void)pthread_mutex_unlock(&spool->lock);
  if (spool->loop && net_loop_work(spool->loop, job_work, job_done, spool) == AP_PENDING)
    spool->jobs++;
  else
    write_queued(spool);
}

/* One write at a time is on the pool; what comes meanwhile is the next. */
static void wait_for_turn(struct store_spool *spool)
{
  if (!spool->is_kept || spool->has_turn || spool->jobs || !spool->turn ||
      spool->halves[spool->filling].len == 0)
    return;
  spool->has_turn = true;
  net_timer_start(spool->turn, 0);
}

static void turn_ended(void *arg)
{
  struct store_spool *spool = arg;
  spool->has_turn = false;
  if (spool->jobs == 0 && spool->halves[spool->filling].len && settle(spool) == AP_OK)
    turn_over(spool);
}

int store_spool_append(struct store_spool *spool, const void *data, size_t len, uint64_t *offset)
{
  const char *from = data;
  int code = error_of(spool);
  uint64_t begin = store_spool_size(spool);
  while (len && !code) {
    struct half *half = &spool->halves[spool->filling];
    size_t part = HALF_BYTES - half->len < len ? HALF_BYTES - half->len : len;
    memcpy(half->data + half->len, from, part);
    half->len += part;
    from += part;
    len -= part;
    if (half->len < HALF_BYTES)
      break;
    code = settle(spool);
    if (!code)
      turn_over(spool);
  }
  if (!code)
    *offset = begin;
  wait_for_turn(spool);
  return code;
}

int store_spool_flush(struct store_spool *spool)
{
  int code = settle(spool);
  if (code || spool->halves[spool->filling].len == 0)
    return code;
  turn_over(spool);
  return settle(spool);
}

/* ---- reading ---- */

static int read_file(const struct store_spool *spool, uint64_t offset, char *to, size_t len)
{
  while (len) {
    ssize_t got = spool->io->pread(spool->fd, to, len, (off_t)offset);
    if (got == 0 || (got < 0 && errno != EINTR))
      return AP_E_IO;
    if (got > 0) {
      to += got;
      len -= (size_t)got;
      offset += (uint64_t)got;
    }
  }
  return AP_OK;
}

/* Copies what of [offset, offset + len) lies in a half; returns how much of the range is before it.
 */
static size_t read_half(const struct half *half, uint64_t offset, char *to, size_t len)
{
  if (offset + len <= half->offset)
    return len;
  size_t before = offset < half->offset ? (size_t)(half->offset - offset) : 0;
  memcpy(to + before, half->data + (offset + before - half->offset), len - before);
  return before;
}

int store_spool_read(struct store_spool *spool, uint64_t offset, size_t len, struct ap_buf *out)
{
  uint64_t size = store_spool_size(spool);
  if (offset > size || len > size - offset)
    return AP_E_INVALID;
  if (len == 0)
    return AP_OK;
  char *room = ap_buf_room(out, len);
  if (!room)
    return ap_buf_error(out);
  size_t left = read_half(&spool->halves[spool->filling], offset, room, len);
  if (left)
    left = read_half(&spool->halves[!spool->filling], offset, room, left);
  int code = left ? read_file(spool, offset, room, left) : AP_OK;
  if (code)
    *room = '\0';
  else
    out->len += len;
  return code;
}

const char *store_spool_problem(const struct store_spool *spool)
{
  return spool->problem;
}

uint64_t store_spool_size(const struct store_spool *spool)
{
  const struct half *half = &spool->halves[spool->filling];
  return half->offset + half->len;
}

void store_spool_close(struct store_spool *spool)
{
  if (!spool)
    return;
  (void)(spool->is_kept ? store_spool_flush(spool) : settle(spool));
  spool->is_closed = true;
  if (spool->jobs == 0)
    free_spool(spool);
}
