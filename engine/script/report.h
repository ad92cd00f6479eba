/* Answers as scripts get them: a table that reads as the decoded answer, while the bytes stay with
 * it, so that the result embeds what VirusTotal sent and not what Lua made of it.
 *
 * Small members are decoded at once. A large one (`scans`, `detected_urls`, ...) is decoded when a
 * script reads it first, by report.name, pairs or json.encode; next and rawget do not see it
 * before. Most actions never look into it. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.h>

#include "base/buf.h"

void script_report_init(lua_State *L);

/* Pushes the report made from an answer: a checked JSON value. `serial` tells whose it is. Pays for
 * the decoding out of the running task's account. [-0, +1, e] */
void script_report_push(lua_State *L, struct ap_slice answer, uint64_t serial);

/* The bytes of the report at index, which keeps them, and whose it is; ptr NULL when the value is
 * no report. [-0, +0, -] */
struct ap_slice script_report_bytes(lua_State *L, int index, uint64_t *serial);

/* The bytes of a member of the report at index; ptr NULL when there is none. [-0, +0, -] */
struct ap_slice script_report_member(lua_State *L, int index, const char *name);

/* Decodes what of the table at index was not decoded yet; nothing for other tables. [-0, +0, m] */
void script_report_complete(lua_State *L, int index);
