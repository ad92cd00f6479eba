/* Secrets: where they come from, how they are kept, and the redactor that sits under every sink.
 *
 * A secret lives in locked memory that core files leave out, prints as its name, and is known to
 * the redactor from the moment it exists until it is freed. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

#define AP_SECRET_MAX_BYTES 4096

struct ap_secret;

/* Copies len bytes; the caller wipes its own copy. Refuses NUL, CR, LF and an empty value.
 * @param name  what it is called in messages ("virustotal.api_key") */
int ap_secret_new(const char *name, const char *bytes, size_t len, struct ap_secret **out,
                  struct ap_error *err) AP_MUST_USE;

/* Reads a secret from where the configuration says: `env:NAME`, `file:PATH`, `credential:NAME` (a
 * file below $CREDENTIALS_DIRECTORY). A file must be regular, belong to this user or root and be
 * closed to others (a credential: its group may read it); one newline at the end is dropped. An
 * environment variable is overwritten in place. Anything else is refused: AP_E_INVALID. The message
 * names the source, never the value. */
int ap_secret_load(const char *name, const char *source, struct ap_secret **out,
                   struct ap_error *err) AP_MUST_USE;

/* True when text has the form of a source above. */
bool ap_secret_is_source(const char *text);

/* The bytes, valid until the secret is freed: copy them nowhere but into what is sent. */
struct ap_slice ap_secret_bytes(const struct ap_secret *secret);
const char *ap_secret_name(const struct ap_secret *secret);

/* Wipes and frees. NULL is fine. */
void ap_secret_free(struct ap_secret *secret);

/* Replaces every known secret of 4 bytes or more in text by asterisks, in place. Any thread. */
void ap_redact(char *text, size_t len);
