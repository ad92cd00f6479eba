/* The Lua host: one lua_State per run, its limits, and the environments scripts run in.
 *
 * Scripts are text. Each script file gets an environment of its own, made from an allow list, with
 * its own copies of the apogee.* modules it requires: what one script does to them, no other sees.
 * Names with an effect (vt, files, ...) are put into an environment after its manifest was read and
 * only those that the manifest asks for.
 *
 * The engine's own Lua (apogee.run, apogee.manifest, ...) runs under the same allow list in one
 * environment, to which bind_engine.c adds `engine`. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/loop.h"

struct script_host;

struct script_limits {
  size_t memory_bytes;        /* of the Lua state; past it the process ends with exit 6 */
  uint64_t instructions;      /* of one task, all its coroutines together */
  uint64_t load_instructions; /* of reading one script file, and of one script_call */
  size_t source_bytes;        /* of one script file */
  uint32_t hang_ms; /* CPU time in one go: at half of it the script ends, at it the process does,
                     * with exit 6; 0: not watched */
};

/* 256 MiB, 100 million instructions a task, 5 million to read a file, 1 MiB of source, 30 s. */
void script_limits_init(struct script_limits *limits);

/* @param loop borrowed; the host registers its turn on it: ready tasks go on before each wait, and
 *             then `idle` (may be NULL) runs, which may make tasks ready again. */
int script_host_new(struct net_loop *loop, const struct script_limits *limits,
                    struct script_host **out, struct ap_error *err) AP_MUST_USE;
void script_host_on_idle(struct script_host *host, void (*idle)(void *arg), void *arg);
void script_host_free(struct script_host *host); /* ends the tasks that are left; NULL is fine */

lua_State *script_host_state(struct script_host *host);
struct script_host *script_host_of(lua_State *L);
struct net_loop *script_host_loop(struct script_host *host);
size_t script_host_memory(const struct script_host *host); /* bytes in use */

/* A pointer for whoever binds to the host (the run). */
void script_host_set_data(struct script_host *host, void *data);
void *script_host_data(const struct script_host *host);

/* ---- environments and source: none of these raise ---- */

/* Pushes a new environment table: the allow list, json, log and clock. `folder` is where its own
 * modules are required from (NULL: none). [-0, +1, m] */
void script_env_push(lua_State *L, const char *folder);

/* Loads and runs a text chunk in the environment at index env, under the load limits, and pushes
 * its one result. On failure pushes nothing and returns AP_E_INVALID with "FILE:LINE: what" in err;
 * for a file also AP_E_IO, AP_E_NOT_FOUND and AP_E_TOO_LARGE. [-0, +1 on success, m] */
int script_run_source(lua_State *L, int env, const char *chunk_name, struct ap_slice source,
                      struct ap_error *err) AP_MUST_USE;
int script_run_file(lua_State *L, int env, const char *path, struct ap_error *err) AP_MUST_USE;

/* Pushes a module by the name that the environment's own `require` takes, run in it once and
 * remembered there. [-0, +1 on success, m] */
int script_require(lua_State *L, int env, const char *name, struct ap_error *err) AP_MUST_USE;

/* Calls a function that may not wait (a `when`, a validation), protected and under the load limits:
 * lua_pcall for everything that is not a task. Called inside a task, the task pays too.
 * [-(1 + arg_count), +result_count on success, m] */
int script_call(lua_State *L, int arg_count, int result_count, struct ap_error *err) AP_MUST_USE;

/* The message of an error value that may be nil, a table, or raise in __tostring, with control
 * characters replaced; err->code becomes AP_E_INVALID. Pops the value. Never raises. */
void script_error_text(lua_State *L, struct ap_error *err);

/* Pushes the value as scripts see it: as `tostring`, but never with an address. [-0, +1, e] */
void script_push_text(lua_State *L, int index);

/* Pushes nil, message, code, and returns 3: what a binding returns when the world failed.
 * message may be NULL: the general sentence of the code. */
int script_push_error(lua_State *L, int code, const char *message);

const char *script_library(void); /* "Lua 5.4.4" */
