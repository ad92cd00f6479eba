/* The key and the self-signed certificate of one HTTPS simulator, made at start. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

struct sim_tls {
  char *key_pem;
  char *cert_pem;
};

/* EC P-256, valid for ten days of the wall clock, for 127.0.0.1, ::1 and localhost. */
int sim_tls_init(struct sim_tls *tls, struct ap_error *err) AP_MUST_USE;
void sim_tls_deinit(struct sim_tls *tls); /* wipes the key; a zeroed struct is fine */
