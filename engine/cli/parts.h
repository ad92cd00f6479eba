/* What a run stands on, made from the configuration: loop, case, record, simulator, key, client.
 * Parts are made in order and freed in reverse; what was not made is NULL. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/restore.h"
#include "cli/run.h"
#include "script/run.h"
#include "sim/sim.h"

/* Why the state folder is not known. */
extern const char cli_no_state_folder[];

struct cli_parts {
  struct net_loop *loop;
  struct casefile *cf;
  const char *folder; /* where the spool lies */
  struct store_spool *spool;
  struct case_restored *restored; /* of a run that goes on, or is shown; NULL: a new one */
  struct case_record *record;
  struct sim *sim;
  struct ap_value scenario;
  struct ap_secret *key;
  struct ap_secret *proxy_password;
  struct net_http *http;
  struct store *store;
  struct vt_policy *policy;
  struct vt_client *client;
  struct net_web *web;
  struct script_param *secrets; /* of the configuration, for the scripts */
  char no_client[512];          /* why there is none */
  struct script_plan plan;
  struct script_host *host;
};

/* The loop and the Lua host: what every command needs. Returns the exit code of a failure, said
 * already; CLI_EXIT_DONE otherwise. */
int cli_parts_base(struct cli_parts *parts, const struct cli_config *config);

/* What the configuration says of what may leave; the functions below have it already. */
int cli_parts_policy(struct cli_parts *parts, const struct cli_config *config);

/* The entities, the record and the client. A key that is not there is none of its failures. */
int cli_parts_case(struct cli_parts *parts, const struct run_request *request,
                   const struct cli_config *config);

/* Only the loop and a client that finds whether the key has comments, whatever its tier is. */
int cli_parts_client(struct cli_parts *parts, const struct run_request *request,
                     struct cli_config *config);

/* Of a run that is shown again: its entities and its record, as they were. */
int cli_parts_report(struct cli_parts *parts, const struct run_request *request,
                     const struct cli_config *config);

/* Instead of it for a plan: entities, the store, a record that nobody reads. Nothing is sent. */
int cli_parts_plan(struct cli_parts *parts, const struct run_request *request,
                   const struct cli_config *config);

/* What the key may take, as the store wants to know it. */
struct store_limits cli_limits_of(const struct cli_config *config);

/* How long what was fetched is good: reports, and not found. */
struct store_lifetimes cli_lifetimes_of(const struct cli_config *config);

void cli_parts_free(struct cli_parts *parts);

const char *cli_temporary_folder(void); /* $TMPDIR, else /tmp */
