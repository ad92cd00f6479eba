/* JSON for Lua: decoding by lua-cjson with integers as integers, writing by our own rules. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.h>

#include "base/json.h"

#define SCRIPT_JSON_MAX_VALUES 200000
#define SCRIPT_JSON_MAX_BYTES (8 << 20)         /* that json.decode takes */
#define SCRIPT_JSON_MAX_WRITTEN_BYTES (1 << 20) /* that a value may become */

/* Sets up lua-cjson in the state; once. [-0, +0, m] */
void script_json_init(lua_State *L);

/* Pushes the decoded value of checked text (ap_json_check). A number without a fraction becomes an
 * integer, up to 2^53 (larger ones have lost digits: their text is what counts); a null member of
 * an object is absent; a null in an array is json.null. Raises on text that was not checked.
 * [-0, +1, e] */
void script_json_push(lua_State *L, struct ap_slice text);

/* Pushes json.null, a light userdata; asks for it. */
void script_json_push_null(lua_State *L);
bool script_json_is_null(lua_State *L, int index);

/* Writes the value at index: a table with keys 1..n (n >= 1) as an array, an empty one as [], other
 * tables as an object with keys sorted bytewise; json.object{} marks an empty object. Metamethods
 * are not called. NaN, infinities, functions, mixed keys, cycles, depth over 64 and more than 1 MiB
 * are refused: returns AP_E_INVALID with why, and out keeps what was written until then.
 * [-0, +0, m] */
int script_json_write(lua_State *L, int index, struct ap_buf *out,
                      struct ap_error *err) AP_MUST_USE;

/* Writes the userdata on top of the stack, a value of its own; neither pops it nor raises. */
typedef int script_json_other_fn(void *arg, lua_State *L, struct ap_buf *out, struct ap_error *err);

/* The same, where some userdata may be written: those that `other` takes. */
int script_json_write_with(lua_State *L, int index, script_json_other_fn *other, void *arg,
                           struct ap_buf *out, struct ap_error *err) AP_MUST_USE;

/* Pushes what json.decode gives for text. [-0, +(1|3), e] */
int script_json_decode(lua_State *L, struct ap_slice text);

/* JSON that the engine has written, for scripts to hand on where a value is written as JSON; they
 * cannot look into it. Pushes it, copies text. [-0, +1, m] */
void script_json_text_push(lua_State *L, struct ap_slice text);
/* ptr NULL when the value at index is none. */
struct ap_slice script_json_text(lua_State *L, int index);

/* Pushes the `json` module given to scripts: decode(text) -> value | nil, message, "bad_answer" or
 * "too_large"; encode(value) -> text | raises; null; object(t), array(t) mark t and return it.
 * [-0, +1, m] */
void script_json_push_module(lua_State *L);

/* What a table was marked as. */
enum script_json_mark { SCRIPT_JSON_PLAIN, SCRIPT_JSON_ARRAY, SCRIPT_JSON_OBJECT };
enum script_json_mark script_json_mark_of(lua_State *L, int index);
