/* The journal of what is sent once, as tasks see it. One that waits for another of its key begins
 * when that one has ended. */
// SPDX-License-Identifier: Apache-2.0
#include "script/once.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "script/host_private.h"
#include "script/run_private.h"

struct script_once {
  struct script_once *prev, *next; /* in run->onces */
  struct script_run *run;
  enum { ONCE_WAITING, ONCE_ASKING, ONCE_SENDING, ONCE_OVER } state;
  struct store_op *asked;
  void (*told)(void *arg, const struct script_once_answer *answer); /* NULL: nobody waits */
  void *arg;
  char name[]; /* the action, a space and the key */
};

static void ask(struct script_once *once);

static void forget(struct script_once *once)
{
  struct script_run *run = once->run;
  struct script_once *next = once->state == ONCE_WAITING ? NULL : run->onces;
  DL_DELETE(run->onces, once);
  if (next == once)
    next = run->onces;
  while (next && (next->state != ONCE_WAITING || strcmp(next->name, once->name) != 0))
    next = next->next;
  if (next)
    ask(next);
  free(once);
}

static void tell(struct script_once *once, const struct script_once_answer *answer)
{
  once->state = answer->state == SCRIPT_ONCE_NEW ? ONCE_SENDING : ONCE_OVER;
  once->told(once->arg, answer);
}

static void answered(void *arg, int code, const struct store_once *found)
{
  struct script_once *once = arg;
  struct script_once_answer answer = {.state = SCRIPT_ONCE_FAILED};
  once->asked = NULL;
  if (code == AP_OK) {
    answer.state = found->state == STORE_ONCE_NEW    ? SCRIPT_ONCE_NEW
                   : found->state == STORE_ONCE_SENT ? SCRIPT_ONCE_SENT
                                                     : SCRIPT_ONCE_DOUBT;
    answer.status = found->status;
    answer.body = found->body;
  }
  if (once->told) {
    tell(once, &answer);
    return;
  }
  if (answer.state == SCRIPT_ONCE_NEW)
    store_once_undo(once->run->options.store, once->run->options.id, once->name);
  forget(once);
}

static void ask(struct script_once *once)
{
  const struct script_run_options *options = &once->run->options;
  once->state = ONCE_ASKING;
  if (store_once_intend(options->store, options->id, once->name, answered, once, &once->asked) !=
      AP_PENDING)
    script_out_of_memory();
}

struct script_once *script_once_begin(struct script_run *run, const char *action, const char *key,
                                      void (*told)(void *arg, const struct script_once_answer *),
                                      void *arg)
{
  struct script_once *other;
  size_t size = strlen(action) + strlen(key) + 2;
  struct script_once *once = calloc(1, sizeof(*once) + size);
  if (!once)
    script_out_of_memory();
  once->run = run;
  once->told = told;
  once->arg = arg;
  (void)snprintf(once->name, size, "%s %s", action, key);
  bool is_alone = true;
  DL_FOREACH(run->onces, other)
  is_alone = is_alone && strcmp(other->name, once->name) != 0;
  DL_APPEND(run->onces, once);
  if (is_alone)
    ask(once);
  return once;
}

void script_once_sent(struct script_once *once, long status, struct ap_slice body)
{
  const struct script_run_options *options = &once->run->options;
  if (body.len > SCRIPT_ONCE_BODY_MAX)
    body.len = 0;
  store_once_sent(options->store, options->id, once->name, status, body);
  once->state = ONCE_OVER;
}

void script_once_undo(struct script_once *once)
{
  store_once_undo(once->run->options.store, once->run->options.id, once->name);
  once->state = ONCE_OVER;
}

/* One that asks the journal stays until that answers: what it wrote there is taken back. */
void script_once_end(struct script_once *once)
{
  once->told = NULL;
  if (once->state != ONCE_ASKING)
    forget(once);
}

void script_onces_free(struct script_run *run)
{
  while (run->onces) {
    struct script_once *once = run->onces;
    if (once->asked)
      store_cancel(once->asked);
    DL_DELETE(run->onces, once);
    free(once);
  }
}
