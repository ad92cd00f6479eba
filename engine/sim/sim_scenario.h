/* What a test or an author of actions wants to happen: answers and faults by request, and keys with
 * their own limits. docs/simulator.md shows the table that is read here.
 *
 * Every scripted answer is a row of steps; a request that it matches takes one. The last step goes
 * on for ever, unless it says how many times: then the normal answer follows. Not thread-safe:
 * under the simulator's lock. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/value.h"

#define SIM_LIST_MAX 25 /* items that one request is answered for */

enum sim_cut { SIM_CUT_NONE, SIM_CUT_BEFORE, SIM_CUT_HEADERS, SIM_CUT_MIDDLE };

enum sim_step_kind {
  SIM_STEP_PASS,   /* the normal answer */
  SIM_STEP_STATUS, /* an HTTP status for the whole request; no work is done, nothing is charged */
  SIM_STEP_BODY,   /* these bytes for the item */
  SIM_STEP_CODE,   /* the item's answer with this response_code */
  SIM_STEP_DROP,   /* the item is left out of the answer to a list */
};

struct sim_step {
  enum sim_step_kind kind;
  unsigned status;
  int code;
  char *body;
  size_t body_len;
  char *content_type; /* NULL: the usual one */
  char *verbose_msg;  /* NULL: the usual one */
  uint64_t times;     /* 0: not said */
  /* What happens to the whole answer on its way, whatever its kind. */
  uint64_t delay_ms;
  enum sim_cut cut;
  bool is_garbage;
  bool is_truncated;
};

/* What is to happen to one request. The steps are valid while the simulator runs. */
struct sim_plan {
  const struct sim_step *whole;               /* instead of any work; NULL: none */
  const struct sim_step *items[SIM_LIST_MAX]; /* NULL: the normal answer */
  uint64_t delay_ms;
  enum sim_cut cut;
  bool is_garbage;
  bool is_truncated;
};

struct sim_endpoint;
struct sim_options;
struct sim_quota;
struct sim_scenario;

/* Reads value (NULL is an empty scenario): puts its keys into quota and its scan_ms and latency_ms
 * into options. An error names the field and, where it can, the name that was meant. */
int sim_scenario_new(const struct ap_value *value, struct sim_options *options,
                     struct sim_quota *quota, struct sim_scenario **out,
                     struct ap_error *err) AP_MUST_USE;
void sim_scenario_free(struct sim_scenario *scenario); /* NULL is fine */

/* Takes the next steps for a request of `count` items, at most SIM_LIST_MAX; one without items is
 * asked for as one empty item. A step for the whole request leaves the steps of other items
 * untaken.
 * @param alias  another name of the only item, the file name of an upload; may be empty. */
void sim_scenario_plan(struct sim_scenario *scenario, const struct sim_endpoint *endpoint,
                       const struct ap_slice *items, size_t count, struct ap_slice alias,
                       struct sim_plan *plan);
