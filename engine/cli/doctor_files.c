/* The files that Apogee reads and writes, and who else may. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "cli/parts.h"

static const char area[] = "file";

static void look_at_config(struct doctor *doctor, const struct cli_config *config)
{
  if (config->file) /* one that others may write is refused when it is read */
    doctor_say(doctor, DOCTOR_GOOD, area, "configuration", "%s", config->file);
  else
    doctor_say(doctor, DOCTOR_WARN, area, "configuration",
               "there is none: every setting is the default's, the environment's or an option's");
}

static void look_at_key(struct doctor *doctor, const struct cli_config *config)
{
  const struct cli_secret *key = &config->virustotal.api_key;
  static const char file[] = "file:";
  struct stat st;
  if (key->bare)
    doctor_say(doctor, DOCTOR_BAD, area, "API key",
               "it was given itself: put it into a file of mode 0600 and say file:PATH");
  else if (!key->source)
    doctor_say(doctor, DOCTOR_BAD, area, "API key",
               "none is configured: set virustotal.api_key, or $APOGEE_VT_API_KEY");
  else if (strncmp(key->source, "env:", 4) == 0)
    doctor_say(doctor, DOCTOR_WARN, area, "API key",
               "%s: programs that are started beside it may see the environment; a file of mode "
               "0600 is better",
               key->source);
  else if (strncmp(key->source, file, strlen(file)) != 0)
    doctor_say(doctor, DOCTOR_GOOD, area, "API key", "%s", key->source);
  else if (lstat(key->source + strlen(file), &st) != 0)
    doctor_say(doctor, DOCTOR_BAD, area, "API key", "%s: %s", key->source, strerror(errno));
  else if (!S_ISREG(st.st_mode) || (st.st_mode & 077) || (st.st_uid != geteuid() && st.st_uid != 0))
    doctor_say(doctor, DOCTOR_BAD, area, "API key",
               "%s must be a regular file, yours, and closed to others (chmod 600)", key->source);
  else
    doctor_say(doctor, DOCTOR_GOOD, area, "API key", "%s, mode %04o", key->source,
               (unsigned)(st.st_mode & 07777));
}

static void look_at_state(struct doctor *doctor, const struct cli_config *config)
{
  struct stat st;
  const char *folder = config->state_dir;
  if (config->no_state)
    doctor_say(doctor, DOCTOR_WARN, area, "state", "there is none (--no-state)");
  else if (!folder)
    doctor_say(doctor, DOCTOR_BAD, area, "state", "%s", cli_no_state_folder);
  else if (stat(folder, &st) != 0 && errno == ENOENT)
    doctor_say(doctor, DOCTOR_GOOD, area, "state", "%s, made by the first run", folder);
  else if (stat(folder, &st) != 0)
    doctor_say(doctor, DOCTOR_BAD, area, "state", "%s: %s", folder, strerror(errno));
  else if (!S_ISDIR(st.st_mode) || access(folder, W_OK) != 0)
    doctor_say(doctor, DOCTOR_BAD, area, "state", "%s is no folder that can be written", folder);
  else if (st.st_mode & 077)
    doctor_say(doctor, DOCTOR_WARN, area, "state",
               "%s is open to others (mode %04o): chmod 700, for it names what you asked about",
               folder, (unsigned)(st.st_mode & 07777));
  else
    doctor_say(doctor, DOCTOR_GOOD, area, "state", "%s", folder);
}

static void look_at_actions(struct doctor *doctor, const struct cli_config *config)
{
  for (size_t i = 0; i < config->actions_path.count; i++) {
    const char *folder = config->actions_path.items[i];
    struct stat st;
    if (stat(folder, &st) != 0)
      doctor_say(doctor, DOCTOR_BAD, area, "actions", "%s: %s", folder, strerror(errno));
    else if (st.st_mode & 022)
      doctor_say(doctor, DOCTOR_WARN, area, "actions",
                 "%s can be written by others (mode %04o), who can add actions to yours", folder,
                 (unsigned)(st.st_mode & 07777));
    else
      doctor_say(doctor, DOCTOR_GOOD, area, "actions", "%s", folder);
  }
}

void doctor_files(struct doctor *doctor, const struct cli_config *config)
{
  look_at_config(doctor, config);
  look_at_key(doctor, config);
  look_at_state(doctor, config);
  look_at_actions(doctor, config);
}

void doctor_settings(struct doctor *doctor, const struct cli_config *config)
{
  static const char settings[] = "setting";
  const char *url = config->virustotal.url;
  if (config->virustotal.verify_ssl)
    doctor_say(doctor, DOCTOR_GOOD, settings, "TLS", "certificates are verified%s%s",
               config->virustotal.ca_file ? " with " : "",
               config->virustotal.ca_file ? config->virustotal.ca_file : "");
  else
    doctor_say(doctor, DOCTOR_BAD, settings, "TLS",
               "virustotal.verify_ssl is false: whoever is on the way can read the key");
  doctor_say(doctor, DOCTOR_GOOD, settings, "service", "%s", url);
  doctor_say(doctor, DOCTOR_GOOD, settings, "proxy", "%s",
             config->virustotal.proxy ? "as configured" : "none; the environment's is not used");
}
