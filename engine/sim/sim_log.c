// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "sim/sim_internal.h"
#include "sim/sim_write.h"

struct sim_log {
  int fd;
  uint64_t count;
  struct ap_buf object;
  struct ap_buf line; /* the object without blanks */
};

int sim_log_open(const char *path, struct sim_log **out, struct ap_error *err)
{
  struct sim_log *log = calloc(1, sizeof(*log));
  if (!log)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log->fd < 0) {
    free(log);
    return ap_fail(err, AP_E_IO, "the request log %s cannot be opened: %s", path, strerror(errno));
  }
  *out = log;
  return AP_OK;
}

void sim_log_close(struct sim_log *log)
{
  if (!log)
    return;
  (void)close(log->fd);
  ap_buf_deinit(&log->object);
  ap_buf_deinit(&log->line);
  free(log);
}

static void add_resources(struct ap_buf *line, const struct sim_request *request)
{
  sim_write_open(line, "resources", '[');
  for (size_t i = 0; i < request->item_count; i++)
    sim_write_slice(line, NULL, request->items[i]);
  sim_write_close(line, ']');
}

static void add_upload(struct ap_buf *line, const struct sim_request *request)
{
  if (!request->has_file)
    return;
  sim_write_text(line, "filename", ap_buf_cstr(&request->filename));
  sim_write_text(line, "sha256", request->digests.sha256);
}

static void put_line(struct sim_log *log)
{
  size_t done = 0;
  while (done < log->line.len) {
    ssize_t put = write(log->fd, log->line.ptr + done, log->line.len - done);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0) {
      ap_log(AP_LOG_SIM, AP_LOG_WARN, "the request log cannot be written: %s", strerror(errno));
      return;
    }
    done += (size_t)put;
  }
}

void sim_log_write(struct sim_log *log, const struct sim *sim, const struct sim_request *request,
                   const char *key_id, unsigned status)
{
  struct ap_buf *object = &log->object;
  char key[9] = "";
  if (key_id)
    memcpy(key, key_id, 8);
  ap_buf_clear(object);
  ap_buf_clear(&log->line);
  sim_write_open(object, NULL, '{');
  sim_write_int(object, "n", (int64_t)++log->count);
  sim_write_int(object, "t_ms", (int64_t)(request->arrived_ms - sim->start_ms));
  sim_write_text(object, "method", request->method_text);
  sim_write_text(object, "endpoint", request->endpoint ? request->endpoint->name : request->path);
  add_resources(object, request);
  sim_write_int(object, "status", status);
  sim_write_int(object, "bytes_in", (int64_t)request->bytes_in);
  sim_write_text(object, "key", key_id ? key : NULL);
  add_upload(object, request);
  sim_write_close(object, '}');
  ap_json_compact(ap_slice_of(object), &log->line);
  ap_buf_add_char(&log->line, '\n');
  if (ap_buf_error(object) == AP_OK && ap_buf_error(&log->line) == AP_OK)
    put_line(log);
}
