/* What protects the process: asked of the kernel, not of what we once told it. */
// SPDX-License-Identifier: Apache-2.0
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/confine.h"
#include "cli/doctor.h"

static const char area[] = "process";

static void say_if(struct doctor *doctor, bool is_good, const char *what, const char *good,
                   const char *bad)
{
  doctor_say(doctor, is_good ? DOCTOR_GOOD : DOCTOR_BAD, area, what, "%s", is_good ? good : bad);
}

static bool writes_no_core(void)
{
  struct rlimit limit;
  return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0;
}

static bool makes_private_files(void)
{
  const mode_t mask = umask(077);
  (void)umask(mask);
  return (mask & 077) == 077;
}

static void look_at_landlock(struct doctor *doctor)
{
  enum { MAKES_ALL = 3 }; /* from then on truncating is seen too */
  int version = confine_version();
  if (version == 0)
    doctor_say(doctor, DOCTOR_WARN, area, "Landlock",
               "this kernel has none (Linux 5.13 or later, lsm=landlock): files outside of the "
               "state folder are guarded by their permissions only");
  else
    doctor_say(doctor, version < MAKES_ALL ? DOCTOR_WARN : DOCTOR_GOOD, area, "Landlock",
               "version %d: a run writes to its own folders only and starts no program", version);
}

void doctor_process(struct doctor *doctor)
{
  if (geteuid() == 0)
    doctor_say(doctor, DOCTOR_WARN, area, "user",
               "this is root, and nothing here needs it: use a user of its own");
  else
    doctor_say(doctor, DOCTOR_GOOD, area, "user", "not root");
  say_if(doctor, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "privileges", "none can be gained",
         "the kernel did not take no_new_privs");
  say_if(doctor, prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0, "memory",
         "closed to other processes of this user", "other processes of this user can read it");
  say_if(doctor, writes_no_core(), "core files", "none is written",
         "a core file may be written, with the key in it");
  say_if(doctor, makes_private_files(), "new files", "for their owner only",
         "others can read them");
  look_at_landlock(doctor);
}
