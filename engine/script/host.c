// SPDX-License-Identifier: Apache-2.0
#include "script/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "script/host_private.h"
#include "script/json.h"
#include "script/sandbox.h"
#include "script/watchdog.h"

enum { EXIT_LIMIT = 6 };

/* The heap may grow to so much of what was in use before it is collected again. A task leaves
 * little behind, and collecting walks over all that the engine itself keeps. */
enum { GC_PAUSE_PERCENT = 400 };

void script_limits_init(struct script_limits *limits)
{
  *limits = (struct script_limits){
      .memory_bytes = (size_t)256 << 20,
      .instructions = 100000000,
      .load_instructions = 5000000,
      .source_bytes = (size_t)1 << 20,
      .hang_ms = 30000,
  };
}

/* ---- memory ---- */

static void say(const char *text)
{
  if (write(STDERR_FILENO, text, strlen(text)) < 0)
    _exit(EXIT_LIMIT);
}

/* Only write(2): this runs in the middle of an allocation. */
__attribute__((noreturn)) static void exit_saying(const char *text)
{
  script_blame();
  ap_log_take_line_off();
  say(text);
  script_watchdog_write_label();
  say("\n");
  _exit(EXIT_LIMIT);
}

void script_out_of_memory(void)
{
  exit_saying("apogee: out of memory");
}

__attribute__((noreturn)) static void exit_at_cap(size_t max)
{
  char text[128];
  (void)snprintf(text, sizeof(text),
                 "apogee: scripts need more than %zu MiB of memory; the run ends here", max >> 20);
  exit_saying(text);
}

/* NULL is never returned: a collection in the middle of an allocation is where Lua 5.4.4 breaks. */
void *script_allocate(void *ud, void *ptr, size_t old_size, size_t new_size)
{
  struct script_memory *memory = ud;
  size_t old = ptr ? old_size : 0; /* without a block, old_size says what kind of object it is */
  memory->used = memory->used - old + new_size;
  if (memory->used > memory->max && new_size > old)
    exit_at_cap(memory->max);
  void *block = script_pool_resize(&memory->pool, ptr, old, new_size);
  if (!block && new_size)
    script_out_of_memory();
  return block;
}

void script_native(struct script_host *host, ptrdiff_t bytes)
{
  struct script_memory *memory = &host->memory;
  memory->used += (size_t)bytes;
  if (bytes > 0 && memory->used > memory->max)
    exit_at_cap(memory->max);
}

void script_make_room(lua_State *L)
{
  struct script_host *host = script_host_of(L);
  size_t max = host->memory.max;
  if (host->memory.used < max / 2 || host->memory.used < host->collected_bytes + max / 8)
    return;
  (void)lua_gc(L, LUA_GCCOLLECT);
  host->collected_bytes = host->memory.used;
}

int script_panic(lua_State *L)
{
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "no message";
  ap_log(AP_LOG_SCRIPT, AP_LOG_ERROR, "a bug: an error outside of any protected call: %s", text);
  _exit(EXIT_LIMIT);
}

/* ---- the host ---- */

/* Tasks that keep each other ready must not keep timers, signals and sockets from their turn. */
static void host_turn(void *arg)
{
  static const uint64_t slice_ns = 10000000;
  struct script_host *host = arg;
  uint64_t begun_ns = uv_hrtime();
  do {
    task_run_ready(host);
    if (host->idle)
      host->idle(host->idle_arg);
  } while (host->ready && uv_hrtime() - begun_ns < slice_ns);
  if (host->ready)
    net_loop_again(host->loop);
}

static void no_turn(void *arg)
{
  (void)arg;
}

static int set_up(lua_State *L)
{
  script_sandbox_init(L);
  script_require_init(L);
  script_json_init(L);
  return 0;
}

int script_host_new(struct net_loop *loop, const struct script_limits *limits,
                    struct script_host **out, struct ap_error *err)
{
  struct script_host *host = calloc(1, sizeof(*host));
  if (!host)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  host->loop = loop;
  host->limits = *limits;
  host->memory.max = limits->memory_bytes;
  host->thread.host = host;
  host->L = lua_newstate(script_allocate, &host->memory);
  if (!host->L) {
    free(host);
    return ap_fail(err, AP_E_INTERNAL, "Lua did not start");
  }
  *(struct script_thread **)lua_getextraspace(host->L) = &host->thread;
  (void)lua_gc(host->L, LUA_GCINC, GC_PAUSE_PERCENT, 0, 0);
  (void)lua_atpanic(host->L, script_panic);
  lua_pushcfunction(host->L, set_up);
  if (lua_pcall(host->L, 0, 0, 0) != LUA_OK) {
    script_error_text(host->L, err);
    script_host_free(host);
    return AP_E_INVALID;
  }
  script_watch(host->L); /* coroutines made from here on inherit it */
  int rc = script_watchdog_start(limits->hang_ms, err);
  if (rc != AP_OK) {
    script_host_free(host);
    return rc;
  }
  net_loop_on_turn(loop, host_turn, host);
  *out = host;
  return AP_OK;
}

void script_host_on_idle(struct script_host *host, void (*idle)(void *arg), void *arg)
{
  host->idle = idle;
  host->idle_arg = arg;
}

void script_host_free(struct script_host *host)
{
  if (!host)
    return;
  task_kill_all(host);
  lua_close(host->L);
  script_pool_deinit(&host->memory.pool);
  script_watchdog_stop();
  net_loop_on_turn(host->loop, no_turn, NULL);
  free(host);
}

lua_State *script_host_state(struct script_host *host)
{
  return host->L;
}

struct script_thread *script_thread_of(lua_State *L)
{
  return *(struct script_thread **)lua_getextraspace(L);
}

struct script_host *script_host_of(lua_State *L)
{
  return script_thread_of(L)->host;
}

struct net_loop *script_host_loop(struct script_host *host)
{
  return host->loop;
}

size_t script_host_memory(const struct script_host *host)
{
  return host->memory.used;
}

void script_host_set_data(struct script_host *host, void *data)
{
  host->data = data;
}

void *script_host_data(const struct script_host *host)
{
  return host->data;
}

void script_env_push(lua_State *L, const char *folder)
{
  luaL_checkstack(L, 8, "a new environment");
  script_sandbox_push(L);
  script_require_add(L, folder);
}

const char *script_library(void)
{
  return LUA_RELEASE;
}
