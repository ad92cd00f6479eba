// SPDX-License-Identifier: Apache-2.0
#include "cli/previous.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "casefile/changes.h"
#include "cli/asked.h"

static bool is_of(const struct cli_config *config, const char *id, const char *command,
                  const char *name)
{
  struct ap_error err = {0};
  struct cli_asked asked = {0};
  bool is_it = cli_asked_load(config, id, &asked, &err) == AP_OK && asked.name &&
               strcmp(asked.name, name) == 0 && strcmp(asked.script.command, command) == 0;
  cli_asked_deinit(&asked);
  return is_it;
}

static bool is_worth_it(const struct cli_config *config, const char *id)
{
  struct ap_error err = {0};
  struct cli_ended ended;
  uint64_t findings;
  bool is_it = cli_ended_load(config, id, &ended, &findings, &err) == AP_OK &&
               cli_ended_is_whole(&ended) && ended.checked > 0;
  cli_ended_deinit(&ended);
  return is_it;
}

void cli_previous_find(const struct cli_config *config, const char *command, const char *name,
                       char id[CLI_RUN_ID_BYTES])
{
  struct ap_error err = {0};
  struct cli_kept *list;
  size_t count;
  *id = '\0';
  if (cli_kept_list(config, &list, &count, &err) != AP_OK)
    return;
  for (size_t i = 0; i < count && !*id; i++)
    if (is_of(config, list[i].id, command, name) && is_worth_it(config, list[i].id))
      memcpy(id, list[i].id, CLI_RUN_ID_BYTES);
  free(list);
}

/* The earlier run as it is read. */
struct earlier {
  struct cli_asked asked;
  struct cli_ended ended;
  struct store_spool *spool;
  struct case_restored *restored;
};

static int load(const struct cli_config *config, const char *id, struct earlier *earlier,
                struct ap_error *err)
{
  struct ap_buf path = {0};
  uint64_t findings;
  cli_kept_path(config, id, &path);
  int rc = store_spool_reopen(NULL, ap_buf_cstr(&path), false, &earlier->spool, err);
  ap_buf_deinit(&path);
  if (rc == AP_OK)
    rc = cli_asked_load(config, id, &earlier->asked, err);
  if (rc == AP_OK)
    rc = cli_ended_load(config, id, &earlier->ended, &findings, err);
  if (rc == AP_OK)
    rc = case_restore(earlier->spool, false, 0, &earlier->restored, err);
  return rc;
}

static void unload(struct earlier *earlier)
{
  case_restored_free(earlier->restored);
  store_spool_close(earlier->spool);
  cli_asked_deinit(&earlier->asked);
  cli_ended_deinit(&earlier->ended);
}

int cli_previous_compare(const struct cli_config *config, const char *id, bool is_whole_run,
                         struct case_record *record)
{
  struct ap_error err = {0};
  struct earlier earlier = {0};
  if (!*id)
    return case_record_compare(record, NULL, is_whole_run);
  int rc = load(config, id, &earlier, &err);
  if (rc == AP_OK) {
    const struct case_before before = {.restored = earlier.restored,
                                       .spool = earlier.spool,
                                       .run = id,
                                       .started = earlier.asked.started,
                                       .finished = ap_buf_cstr(&earlier.ended.finished)};
    rc = case_record_compare(record, &before, is_whole_run);
  } else {
    ap_log(AP_LOG_CLI, AP_LOG_WARN, "nothing is compared: the run %s cannot be read: %s", id,
           err.text);
    rc = case_record_compare(record, NULL, is_whole_run);
  }
  unload(&earlier);
  return rc;
}
