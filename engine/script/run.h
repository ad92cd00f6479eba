/* One run as scripts see it: the case, the record and the client behind the names that the engine's
 * own Lua (apogee.main) and the actions are given.
 *
 * A run is one task of ours (apogee.main) that starts others: one for each entity of a step, as
 * many at a time as there is room, and one for each function of a playbook. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "casefile/record.h"
#include "net/web.h"
#include "script/host.h"
#include "vt/client.h"

struct script_run;

/* A parameter as it was typed: --param NAME=VALUE. */
struct script_param {
  const char *name;
  const char *value;
};

/* An option that the program does not have: maybe a parameter. */
struct script_option {
  const char *name;  /* "rescan-after-days" */
  const char *value; /* NULL: none followed */
  bool is_apart;     /* it was the next word */
  const char *near;  /* an option that the program has, and is spelt nearly so; NULL: none */
};

/* What a plan stands on. Borrowed as long as the run lives. */
struct script_plan {
  struct store *store; /* what is cached, and the ledger */
  struct store_lifetimes lifetimes;
  struct store_limits limits;
  uint32_t list;             /* items of a list */
  bool has_key;              /* the ledger is a key's */
  enum vt_comments comments; /* none where the key has none */
};

/* What a command asks for. Borrowed until script_run_start returns. */
struct script_request {
  const char *command;        /* run, action, plan, list, show or check */
  const char *target;         /* playbook or action; NULL: none */
  const char *const *targets; /* of check */
  size_t target_count;
  const struct script_param *params; /* in order */
  size_t param_count;
  const struct script_option *options; /* in order */
  size_t option_count;
  const char *const *taken; /* names that no parameter can be given as: options of the program */
  size_t taken_count;
  const char *const *only;
  size_t only_count;
  const char *const *skip;
  size_t skip_count;
  const char *tlp; /* of every entity that has no stricter one; NULL: none */
  bool fail_on_risky;
  bool as_json; /* of a plan or a list: how it is printed */
};

/* How it ended. Belongs to the run. */
struct script_end {
  int exit_code;        /* of the process */
  const char *message;  /* for standard error; NULL: none */
  bool is_whole;        /* a playbook went through; the fields below are of it */
  const char *playbook; /* its name */
  struct ap_slice params;
  const char *status;
  struct ap_slice tags;
  int64_t score;
};

/* What a run says while it goes on. */
enum script_said {
  SCRIPT_SAID_NOTE,    /* nothing is wrong, but somebody may want to know */
  SCRIPT_SAID_WARNING, /* a step did not go as it should */
  SCRIPT_SAID_ERROR    /* it failed */
};

/* What a run stands on and tells of. Borrowed as long as the run lives. */
struct script_run_options {
  struct casefile *cf;            /* NULL: nothing is run (list, show, check) */
  const struct script_plan *plan; /* NULL: this is none */
  struct case_record *record;
  struct vt_policy *policy; /* of the configuration, for the client and a plan; NULL: of a report */
  struct vt_client *client; /* NULL: there is none */
  const char *no_client;    /* and why: what an action that needs it is told */
  struct net_web *web;      /* for the module `http`; NULL: there is none */
  struct store *store;      /* with web: the journal of what it sends once */
  const char *id;           /* and of which run */
  const struct script_param *secrets; /* of the configuration: names and sources */
  size_t secret_count;
  uint32_t tasks_max;    /* of entities, alive; those that wait for a scan are not counted */
  int64_t began_unix_s;  /* of a run that goes on: when it began; 0: it begins */
  const char *packaged;  /* folder of the packaged actions */
  const char *playbooks; /* folder of the packaged playbooks */
  const char *const *action_folders; /* of others */
  size_t action_folder_count;
  const char *temporary; /* folder for what must be kept on the way; nothing there has a name */

  void *arg;
  /* Everything is right, and the run begins. given: a JSON object for `apogee resume`: "name" of
   * what runs, "params" as typed but for secrets given in plain, whose names are in "withheld". */
  void (*begun)(void *arg, struct ap_slice given);
  void (*ended)(void *arg);                               /* the run is over */
  void (*put)(void *arg, uint32_t step, uint32_t entity); /* the record took an entity */
  void (*step_began)(void *arg, uint32_t step);           /* its entities are chosen and begin */
  void (*step_ended)(void *arg, uint32_t step);           /* the record took its end */
  void (*print)(void *arg, const char *text, size_t len); /* what a command prints */
  void (*say)(void *arg, enum script_said what, const char *text); /* for standard error */
  void (*hide)(void *arg, const char *text); /* a secret, wherever it was typed */
  void (*broke)(void *arg, int code);        /* the record cannot be written */
};

/* Where a run is; for a progress line. The counts are of all steps that have begun. */
struct script_progress {
  const char *step; /* the step that began last and goes on; NULL: none */
  uint64_t done;    /* entities, once for each step that they are in */
  uint64_t of;
  uint64_t risky;
  uint64_t requests;
};

int script_run_new(struct script_host *host, const struct script_run_options *options,
                   struct script_run **out, struct ap_error *err) AP_MUST_USE;
void script_run_free(struct script_run *run); /* before the host; NULL is fine */

/* Begins; `ended` is called in a later turn of the loop, once. */
int script_run_start(struct script_run *run, const struct script_request *request,
                     struct ap_error *err) AP_MUST_USE;
const struct script_end *script_run_end(const struct script_run *run);

/* Instead of beginning: the run is one that was, whose record was rebuilt; for renders.
 * @param end  what it points to is borrowed as long as the run lives */
void script_run_recall(struct script_run *run, const struct script_end *end);

/* Begins no further entity and ends what waits, with AP_E_DEADLINE or AP_E_CANCELED; what does not
 * end by itself within script_run_grace_ms is killed. The client is stopped too. */
void script_run_stop(struct script_run *run, int code);

void script_run_progress(const struct script_run *run, struct script_progress *progress);
