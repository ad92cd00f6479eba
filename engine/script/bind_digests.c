/* source:digests() of bind_files.c: all of a file is read before it is sent. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "net/feed.h"
#include "net/kept.h"
#include "script/files.h"
#include "script/host_private.h"

static const uint64_t KEPT_MAX_BYTES = UINT64_C(1)
                                       << 30; /* without a client, which has its limit */

struct digest_op {
  struct script_file *source;
  struct net_feed *feed; /* under way; NULL: none */
  struct net_keeping *keeping;
  struct net_source kept;
  struct ap_digests digests;
  int code;
  char *message;
};

static void digest_cancel(void *memory)
{
  struct digest_op *op = memory;
  net_feed_free(op->feed);
  if (op->keeping)
    net_keep_cancel(op->keeping);
  op->feed = NULL;
  op->keeping = NULL;
}

static void digest_release(void *memory)
{
  struct digest_op *op = memory;
  net_feed_free(op->feed); /* that did not begin */
  if (op->kept.kind)
    op->kept.kind->close(op->kept.self);
  free(op->message);
}

static const struct task_op_kind digest_kind = {"source:digests", digest_cancel, digest_release};

static void digest_ended(struct digest_op *op, int code, const char *text)
{
  op->code = code;
  if (code != AP_OK)
    op->message = strdup(text && *text ? text : ap_error_text(code));
  if (code != AP_OK && !op->message)
    script_out_of_memory();
  task_op_wake(op);
}

static void feed_more(void *arg)
{
  (void)arg;
}

static void feed_read(void *arg, const struct ap_digests *digests)
{
  struct digest_op *op = arg;
  op->digests = *digests;
  net_feed_free(op->feed);
  op->feed = NULL;
  digest_ended(op, AP_OK, NULL);
}

static void feed_failed(void *arg, int code, const char *text)
{
  struct digest_op *op = arg;
  digest_ended(op, code, text);
  net_feed_free(op->feed);
  op->feed = NULL;
}

static void kept(void *arg, int code, const char *text, const struct net_source *source,
                 const struct ap_digests *digests)
{
  struct digest_op *op = arg;
  op->keeping = NULL;
  if (code == AP_OK) {
    op->kept = *source;
    op->digests = *digests;
  }
  digest_ended(op, code, text);
}

static int push_digests(lua_State *L, const struct ap_digests *digests)
{
  lua_createtable(L, 0, 3);
  lua_pushstring(L, digests->md5);
  lua_setfield(L, -2, "md5");
  lua_pushstring(L, digests->sha1);
  lua_setfield(L, -2, "sha1");
  lua_pushstring(L, digests->sha256);
  lua_setfield(L, -2, "sha256");
  return 1;
}

static int digests_done(lua_State *L, int status, lua_KContext ctx)
{
  struct digest_op *op = (struct digest_op *)ctx;
  struct script_file *source = op->source;
  int code = task_op_code(op);
  (void)status;
  luaL_checkstack(L, 8, NULL);
  if (op->kept.kind) {
    source->bytes = op->kept;
    source->was_read = false;
    op->kept.kind = NULL;
  }
  if (code == AP_OK && op->code == AP_OK) {
    source->digests = op->digests;
    source->has_digests = true;
  }
  int count = 0;
  if (code != AP_OK)
    count = script_push_error(L, code, NULL);
  else if (op->code != AP_OK)
    count = script_push_error(L, op->code, op->message);
  task_op_end(op);
  return count ? count : push_digests(L, &source->digests);
}

static int begin_feed(struct digest_op *op, struct net_loop *loop)
{
  static const struct net_feed_events events = {feed_more, feed_read, feed_failed};
  int rc = net_feed_new(loop, &op->source->bytes, false, &events, op, &op->feed);
  return rc == AP_OK ? net_feed_start(op->feed) : rc;
}

/* What crosses a network does so once. */
static int begin_keeping(struct digest_op *op, const struct script_run *run, struct ap_error *err)
{
  const struct vt_client *client = run->options.client;
  uint64_t max_bytes = client ? vt_client_upload_max(client) : KEPT_MAX_BYTES;
  struct net_source bytes = op->source->bytes;
  op->source->bytes.kind = NULL;
  return net_keep(script_host_loop(run->host), &bytes, run->options.temporary, max_bytes, kept, op,
                  &op->keeping, err);
}

int script_file_digests(lua_State *L)
{
  struct ap_error err = {0};
  const struct script_file *known = script_file_own(L, 1);
  if (known->has_digests)
    return push_digests(L, &known->digests);
  struct script_file *source = script_file_check(L, 1);
  if (!source)
    return 3;
  const struct script_run *run = source->job->run;
  struct digest_op *op = task_op_begin(L, sizeof(*op), &digest_kind);
  op->source = source;
  source->was_read = true;
  int rc = source->connection ? begin_keeping(op, run, &err)
                              : begin_feed(op, script_host_loop(run->host));
  bool has_begun = source->connection ? rc == AP_PENDING : rc == AP_OK;
  if (has_begun)
    return task_op_wait(L, op, digests_done);
  task_op_end(op);
  return script_push_error(L, rc, *err.text ? err.text : NULL);
}
