/* MD5, SHA-1 and SHA-256 in one pass, and random bytes. Stands on OpenSSL's EVP. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

/* Lower-case hex with a NUL, as VirusTotal writes them. */
struct ap_digests {
  char md5[33];
  char sha1[41];
  char sha256[65];
};

struct ap_hasher;

int ap_hasher_new(struct ap_hasher **out) AP_MUST_USE;
int ap_hasher_add(struct ap_hasher *hasher, const void *data, size_t len) AP_MUST_USE;
int ap_hasher_finish(struct ap_hasher *hasher, struct ap_digests *out) AP_MUST_USE;
void ap_hasher_free(struct ap_hasher *hasher); /* NULL is fine */

/* SHA-256 of one piece, as 64 hex characters and a NUL. */
int ap_sha256_hex(const void *data, size_t len, char out[65]) AP_MUST_USE;

/* The same as 44 characters of base64 and a NUL. */
int ap_sha256_base64(const void *data, size_t len, char out[45]) AP_MUST_USE;

/* HMAC-SHA256 of a message. */
int ap_hmac_sha256(struct ap_slice key, struct ap_slice message, unsigned char out[32]) AP_MUST_USE;

/* Fills with random bytes that an attacker cannot guess; ends the process when there are none. */
void ap_random_bytes(void *out, size_t len);

/* A number from 0 up to, not including, limit; limit 0 gives 0. For jitter. */
uint64_t ap_random_below(uint64_t limit);
