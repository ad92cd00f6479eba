/* Error codes: one list gives the enum, the text and the short word that scripts compare. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* X(NAME, word, text). The words are part of the Lua API: add, never rename. */
#define AP_ERROR_MAP(X)                                                                            \
  X(INVALID, "invalid", "invalid argument")                                                        \
  X(NO_MEMORY, "no_memory", "out of memory")                                                       \
  X(IO, "io", "reading or writing failed")                                                         \
  X(LIMITED, "limited", "the quota of the key is spent")                                           \
  X(FORBIDDEN, "forbidden", "the key may not do this")                                             \
  X(UNAUTHORIZED, "unauthorized", "the key was refused")                                           \
  X(NOT_FOUND, "not_found", "VirusTotal does not know it")                                         \
  X(QUEUED, "queued", "still queued for analysis")                                                 \
  X(REJECTED, "rejected", "VirusTotal did not accept the request")                                 \
  X(TIMEOUT, "timeout", "no answer in time")                                                       \
  X(NETWORK, "network", "the connection failed")                                                   \
  X(TLS, "tls", "the TLS connection failed")                                                       \
  X(SERVER, "server", "the server failed")                                                         \
  X(TOO_LARGE, "too_large", "larger than the limit")                                               \
  X(DENIED, "denied", "the policy does not allow it")                                              \
  X(BAD_ANSWER, "bad_answer", "the answer could not be read")                                      \
  X(DEADLINE, "deadline", "the deadline of the run was reached")                                   \
  X(CANCELED, "canceled", "the run is ending")                                                     \
  X(IN_DOUBT, "in_doubt", "it may have been sent before, and is not sent again")                   \
  X(BUSY, "busy", "another call on it is under way")                                               \
  X(CLOSED, "closed", "it is closed")                                                              \
  X(INTERNAL, "internal", "a bug in the engine")

enum ap_error_index {
#define X(name, word, text) AP_INDEX_##name,
  AP_ERROR_MAP(X)
#undef X
      AP_ERROR_COUNT
};

enum ap_code {
  AP_OK = 0,
  AP_PENDING = 1, /* begun; the callback runs exactly once, later, on the loop thread */
#define X(name, word, text) AP_E_##name = -1 - AP_INDEX_##name,
  AP_ERROR_MAP(X)
#undef X
};

#define AP_MUST_USE __attribute__((warn_unused_result))
#define AP_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* An error with the sentence a person reads. Plain values; nothing to free. */
struct ap_error {
  int code;
  char text[480];
};

/* The short word of a code ("limited"); "ok" for 0, "internal" for an unknown number. */
const char *ap_error_word(int code);

/* The general sentence of a code, without a full stop. */
const char *ap_error_text(int code);

/* Fills err (may be NULL) and returns code, so that `return ap_fail(err, AP_E_IO, "...")` reads
 * well. */
int ap_fail(struct ap_error *err, int code, const char *fmt, ...) AP_PRINTF(3, 4);

/* Puts "context: " before the text that is already in err; keeps the code. Returns err->code, or
 * AP_E_INTERNAL when err is NULL. */
int ap_fail_context(struct ap_error *err, const char *fmt, ...) AP_PRINTF(2, 3);

/* A broken promise of our own code: always ends the process, in release builds too. */
#define ap_require(cond) ((cond) ? (void)0 : ap_require_failed(#cond, __FILE__, __LINE__))
__attribute__((noreturn)) void ap_require_failed(const char *what, const char *file, int line);
