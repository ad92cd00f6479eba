/* Versions of what was loaded. A floor is the first version without a hole that concerns us, and is
 * named beside it. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "cli/doctor.h"
#include "net/libraries.h"
#include "script/host.h"
#include "store/store.h"

static const char area[] = "library";

/* The version of an installed Debian package; false where there is no such list or package. */
static bool package_version(const char *package, char *version, size_t size)
{
  FILE *list = fopen("/var/lib/dpkg/status", "re");
  char line[512];
  char wanted[128];
  bool is_in_it = false;
  bool is_found = false;
  if (!list)
    return false;
  (void)snprintf(wanted, sizeof(wanted), "Package: %s\n", package);
  while (!is_found && fgets(line, sizeof(line), list)) {
    if (strncmp(line, "Package: ", 9) == 0)
      is_in_it = strcmp(line, wanted) == 0;
    if (is_in_it && strncmp(line, "Version: ", 9) == 0) {
      line[strcspn(line, "\n")] = '\0';
      (void)snprintf(version, size, "%.100s", line + 9);
      is_found = true;
    }
  }
  (void)fclose(list);
  return is_found;
}

/* Debian 12 mended its 1.10.0-3 as +deb12u1. */
static void look_at_ssh(struct doctor *doctor)
{
  static const char mended[] = "1.10.0-3+deb12u";
  char version[128] = "";
  bool is_packaged = package_version("libssh2-1", version, sizeof(version));
  if (net_ssh_library_is_safe())
    doctor_say(doctor, DOCTOR_GOOD, area, "libssh2", "%s", net_ssh_library());
  else if (is_packaged && strncmp(version, mended, strlen(mended)) == 0)
    doctor_say(doctor, DOCTOR_GOOD, area, "libssh2", "%s, mended by Debian in %s",
               net_ssh_library(), version);
  else
    doctor_say(doctor, DOCTOR_BAD, area, "libssh2",
               "%s%s%s is open to CVE-2023-48795 (who is on the way can cut messages off): upgrade "
               "to 1.11.1, or on Debian 12 to 1.10.0-3+deb12u1",
               net_ssh_library(), is_packaged ? ", package " : "", version);
}

static void look_at_sqlite(struct doctor *doctor)
{
  bool logs_ahead = false;
  const char *version = store_library(&logs_ahead);
  doctor_say(doctor, DOCTOR_GOOD, area, "SQLite", "%s; the state keeps a %s", version,
             logs_ahead ? "write-ahead log"
                        : "rollback journal, for this version's write-ahead log "
                          "can lose pages");
}

void doctor_libraries(struct doctor *doctor)
{
  doctor_say(doctor, DOCTOR_GOOD, area, "libcurl", "%s", net_http_library());
  look_at_ssh(doctor);
  look_at_sqlite(doctor);
  doctor_say(doctor, DOCTOR_GOOD, area, "Lua", "%s, built in", script_library());
}
