/* Jobs: the tasks that run what scripts wrote, and the places they take among those alive. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <utlist.h>

#include "script/files.h"
#include "script/host_private.h"
#include "script/run_private.h"

struct script_job *script_job_new(struct script_run *run, struct script_step *of, uint32_t entity)
{
  struct script_job *job = calloc(1, sizeof(*job));
  if (!job)
    script_out_of_memory();
  job->run = run;
  job->of = of;
  job->entity = entity;
  job->serial = ++run->last_serial;
  case_finding_init(&job->finding);
  DL_APPEND(run->jobs, job);
  run->places_taken++;
  return job;
}

void script_job_free(struct script_job *job)
{
  while (job->sources)
    script_file_close(job->sources);
  script_connections_leave(job);
  if (!job->is_away)
    job->run->places_taken--;
  DL_DELETE(job->run->jobs, job);
  script_native(job->run->host, -(ptrdiff_t)job->finding_bytes);
  case_finding_deinit(&job->finding);
  free(job->unknown);
  free(job);
}

struct script_job *script_job_current(lua_State *L)
{
  struct task *task = task_current(L);
  return task ? task_data(task) : NULL;
}

void script_job_leave_place(struct script_job *job)
{
  if (job->is_away)
    return;
  job->is_away = true;
  job->run->places_taken--;
  job->run->wants_pump = true;
}

void script_job_take_place(struct script_job *job)
{
  if (!job->is_away)
    return;
  job->is_away = false;
  job->run->places_taken++;
}
