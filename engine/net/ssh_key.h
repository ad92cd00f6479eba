/* The private key file of a login: read with care, and refused with a reason where libssh2 would
 * only say that it failed. For the pool: it reads a disk, and a passphrase costs much arithmetic.
 */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

/* Reads a private key: a regular file of this user or root, closed to others, not a link. The
 * caller wipes out. */
int net_ssh_key_read(const char *path, struct ap_buf *out, struct ap_error *err) AP_MUST_USE;

/* What cannot work is refused: RSA and DSA keys, keys of hardware tokens, an encrypted key without
 * its passphrase, a public key. A wrong passphrase shows here for PEM files only.
 * @param passphrase  NULL: none */
int net_ssh_key_check(const struct ap_buf *key, const char *passphrase,
                      struct ap_error *err) AP_MUST_USE;

/* Why an RSA key is no use, and what to do: the end of a sentence. */
extern const char net_ssh_rsa_reason[];
