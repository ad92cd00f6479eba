/* The engines of a report: who detects, and what each said. Read from the answer's bytes, so that a
 * report of seventy engines need not become hundreds of tables. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

struct vt_engines {
  size_t total;       /* engines that gave a verdict, detecting or not */
  size_t detecting;   /* those whose `detected` is true */
  struct ap_buf rows; /* a JSON array: [name, detected, result, version, update] each, those that
                         detect first, each half by name, bytewise; what is no text is "" */
};

/* Reads the member `scans` of a report (checked JSON; ptr NULL: it has none) and calls `name` for
 * each engine that detects, in order; the text is borrowed for the call. AP_E_NOT_FOUND: there are
 * no scans. The caller deinits engines->rows. */
int vt_engines_read(struct ap_slice scans, struct vt_engines *engines,
                    void (*name)(void *arg, struct ap_slice text), void *arg) AP_MUST_USE;
