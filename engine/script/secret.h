/* Secrets of a run, for the bindings that pass them on. A script holds handles: of a parameter of
 * type secret, of a name that the configuration has (`secret "NAME"`), or of a text with secrets in
 * it, which ".." makes ("Bearer " .. secret "NAME"). It can read none of them. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.h>

#include "base/secret.h"

struct script_run;

void script_secret_init(lua_State *L);

/* What the handle of a parameter at index stands for, valid until the run is freed; NULL when it is
 * none. Named secrets are for hosts that a manifest names: here they are none. */
const struct ap_secret *script_secret_at(lua_State *L, int index);

/* How a piece of text is added: as it is, percent-encoded. */
typedef void script_piece_fn(struct ap_buf *out, const char *text, size_t len);

/* Adds what the value at index stands for, piece by piece: a text or a number, a secret, or several
 * of them joined. allowed: index of a table whose keys are the names that may be used. Never
 * raises. AP_E_INVALID with why it cannot be sent.
 * @param has_secret  becomes true where there is one */
int script_secret_write(lua_State *L, int index, int allowed, script_piece_fn *add,
                        struct ap_buf *out, bool *has_secret, struct ap_error *err) AP_MUST_USE;

/* secret(NAME) of every script. */
int script_secret_function(lua_State *L);

int script_engine_secret(lua_State *L);           /* of `engine`: see bind_secret.c */
int script_engine_secrets(lua_State *L);          /* the same */
void script_secrets_free(struct script_run *run); /* when no connection is left that knows them */
