/* Secrets of a run, for the bindings that pass them on. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.h>

#include "base/secret.h"

struct script_run;

void script_secret_init(lua_State *L);

/* What the handle at index stands for, valid until the run is freed; NULL when it is none. */
const struct ap_secret *script_secret_at(lua_State *L, int index);

int script_engine_secret(lua_State *L);           /* of `engine`: see bind_secret.c */
void script_secrets_free(struct script_run *run); /* when no connection is left that knows them */
