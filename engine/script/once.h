/* What is sent once in a run, however often the run is cut off and goes on: journalled in the store
 * before it is sent, and its answer after. Two tasks that send the same wait for each other. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"

enum {
  SCRIPT_ONCE_KEY_MAX = 200,        /* bytes */
  SCRIPT_ONCE_BODY_MAX = 64 * 1024, /* of an answer that is kept; a longer one is kept without */
};

struct script_run;
struct script_once;

enum script_once_state {
  SCRIPT_ONCE_NEW,    /* it may be sent, and then script_once_sent or script_once_undo is called */
  SCRIPT_ONCE_SENT,   /* it was, and this was the answer */
  SCRIPT_ONCE_DOUBT,  /* it may have been: the run was cut off while it was under way */
  SCRIPT_ONCE_FAILED, /* the journal cannot be read or written */
};

struct script_once_answer {
  enum script_once_state state;
  long status;          /* SCRIPT_ONCE_SENT */
  struct ap_slice body; /* the same; valid during the callback */
};

/* Asks the journal, once another task with the same key is through; told runs exactly once, later.
 * @param key  two parts: the action, and what the action calls it. Both are copied */
struct script_once *script_once_begin(struct script_run *run, const char *action, const char *key,
                                      void (*told)(void *arg, const struct script_once_answer *),
                                      void *arg);

/* After SCRIPT_ONCE_NEW, one of these. */
void script_once_sent(struct script_once *once, long status, struct ap_slice body);
void script_once_undo(struct script_once *once); /* nothing of it left */

/* Whoever asked waits no more: told does not run. What may have been sent stays in doubt.
 * Frees, at last. */
void script_once_end(struct script_once *once);

void script_onces_free(struct script_run *run); /* before the store */
