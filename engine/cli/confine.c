/* Numbers and layout are the kernel's, Documentation/userspace-api/landlock.rst: the headers that
 * we are built with may be older than the kernel that we run on. */
// SPDX-License-Identifier: Apache-2.0
#include "cli/confine.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Since version 1 (Linux 5.13), all that changes a file or a folder, or runs one. */
#define CHANGES_1                                                                                  \
  (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                                 \
   LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |   \
   LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |     \
   LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define CHANGE_REFER (1ULL << 13)    /* since version 2: to move between folders */
#define CHANGE_TRUNCATE (1ULL << 14) /* since version 3 */
#define BIND_TCP (1ULL << 0)         /* since version 4 */
#define SCOPES (3ULL)                /* since version 6: abstract sockets, signals to others */

/* What is needed in a folder of ours: files, folders, and moving them. */
#define OF_A_FOLDER                                                                                \
  (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                                 \
   LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |    \
   CHANGE_REFER | CHANGE_TRUNCATE)

struct ruleset {
  uint64_t files;
  uint64_t network;
  uint64_t scoped;
};

int confine_version(void)
{
  enum { ASK_FOR_VERSION = 1 };
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_FOR_VERSION);
  return version > 0 ? (int)version : 0;
}

/* The kernel refuses what it does not know, and a longer struct than its own only where it is not
 * 0. */
static struct ruleset ruleset_of(int version, bool may_serve)
{
  struct ruleset all = {.files = CHANGES_1 | LANDLOCK_ACCESS_FS_EXECUTE};
  if (version >= 2)
    all.files |= CHANGE_REFER;
  if (version >= 3)
    all.files |= CHANGE_TRUNCATE;
  if (version >= 4 && !may_serve)
    all.network = BIND_TCP;
  if (version >= 6)
    all.scoped = SCOPES;
  return all;
}

static bool allow(int ruleset, const char *folder, uint64_t accesses)
{
  struct landlock_path_beneath_attr beneath = {.allowed_access = accesses};
  beneath.parent_fd = open(folder, O_PATH | O_CLOEXEC);
  if (beneath.parent_fd < 0)
    return true; /* not there: nothing is written below it */
  long rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
  (void)close(beneath.parent_fd);
  return rc == 0;
}

int confine(const char *const *folders, size_t count, bool may_serve)
{
  int version = confine_version();
  if (version == 0)
    return 0;
  const struct ruleset all = ruleset_of(version, may_serve);
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
  if (ruleset < 0)
    return 0;
  bool is_made =
      allow(ruleset, "/dev", (LANDLOCK_ACCESS_FS_WRITE_FILE | CHANGE_TRUNCATE) & all.files);
  for (size_t i = 0; i < count && is_made; i++)
    if (folders[i])
      is_made = allow(ruleset, folders[i], OF_A_FOLDER & all.files);
  bool holds = is_made && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
  (void)close(ruleset);
  return holds ? version : 0;
}
