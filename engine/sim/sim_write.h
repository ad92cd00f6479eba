/* Writing JSON with the spacing of the service (", " and ": "). A comma is put by itself: whether
 * one is due shows in the last byte. `key` is plain text, or NULL inside an array. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

void sim_write_open(struct ap_buf *out, const char *key, char bracket);     /* '{' or '[' */
void sim_write_close(struct ap_buf *out, char bracket);                     /* '}' or ']' */
void sim_write_text(struct ap_buf *out, const char *key, const char *text); /* NULL: null */
void sim_write_slice(struct ap_buf *out, const char *key, struct ap_slice text);
void sim_write_int(struct ap_buf *out, const char *key, int64_t number);
void sim_write_bool(struct ap_buf *out, const char *key, bool value);
void sim_write_raw(struct ap_buf *out, const char *key, struct ap_slice json); /* as it is */

#define SIM_DATE_TEXT 20
/* "2023-11-14 22:13:20" */
void sim_format_date(int64_t unix_s, char text[SIM_DATE_TEXT]);
/* "20231114221320"; the first eight are the day. */
void sim_format_stamp(int64_t unix_s, char text[SIM_DATE_TEXT]);

void sim_write_date(struct ap_buf *out, const char *key, int64_t unix_s);
/* "<sha256>-<unix seconds>" */
void sim_write_scan_id(struct ap_buf *out, const char *key, const char *sha256, int64_t unix_s);
/* kind 'f' or 'u' */
void sim_write_permalink(struct ap_buf *out, char kind, const char *sha256, int64_t unix_s);
