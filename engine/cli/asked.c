// SPDX-License-Identifier: Apache-2.0
#include "cli/asked.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "casefile/restore.h"
#include "cli/kept.h"

/* ---- writing ---- */

static void add_list(struct ap_buf *out, const char *before, const char *const *words, size_t count)
{
  ap_buf_add_str(out, before);
  for (size_t i = 0; i < count; i++) {
    if (i)
      ap_buf_add_char(out, ',');
    ap_json_write_cstr(out, words[i]);
  }
  ap_buf_add_char(out, ']');
}

const char *cli_asked_target(const char *target, char path[PATH_MAX])
{
  bool is_file = target && (strchr(target, '/') || strstr(target, ".lua"));
  return is_file && realpath(target, path) ? path : target;
}

int cli_asked_write(const struct script_request *request, const char *started, const char *since,
                    struct ap_slice given, struct ap_buf *out)
{
  char folder[PATH_MAX];
  char path[PATH_MAX];
  ap_buf_add_str(out, "{\"command\":");
  ap_json_write_cstr(out, request->command);
  ap_buf_add_str(out, ",\"target\":");
  ap_json_write_cstr(out, cli_asked_target(request->target, path));
  ap_buf_add_str(out, ",\"started\":");
  ap_json_write_cstr(out, started);
  ap_buf_add_str(out, ",\"folder\":");
  ap_json_write_cstr(out, getcwd(folder, sizeof(folder)));
  if (since) {
    ap_buf_add_str(out, ",\"since\":");
    ap_json_write_cstr(out, since);
  }
  add_list(out, ",\"only\":[", request->only, request->only_count);
  add_list(out, ",\"skip\":[", request->skip, request->skip_count);
  if (request->tlp) {
    ap_buf_add_str(out, ",\"tlp\":");
    ap_json_write_cstr(out, request->tlp);
  }
  ap_buf_add_fmt(out,
                 ",\"fail_on_risky\":%s,\"given\":", request->fail_on_risky ? "true" : "false");
  ap_buf_add(out, given.ptr, given.len);
  ap_buf_add_char(out, '}');
  return ap_buf_error(out);
}

/* ---- reading ---- */

/* NULL where it is no text. */
static char *read_text(struct cli_asked *asked, struct ap_slice value)
{
  struct ap_buf text = {0};
  if (!value.ptr || ap_json_kind(value) != AP_JSON_STRING)
    return NULL;
  ap_json_read_string(value, &text);
  ap_buf_add(&text, "", 1);
  if (ap_buf_error(&text)) {
    asked->strings.error = ap_buf_error(&text);
    ap_buf_deinit(&text);
    return NULL;
  }
  ap_buf_add(&asked->strings, &text.ptr, sizeof(char *));
  return text.ptr;
}

static void *keep_list(struct cli_asked *asked, void *list)
{
  if (list)
    ap_buf_add(&asked->lists, &list, sizeof(void *));
  else
    asked->lists.error = AP_E_NO_MEMORY;
  return list;
}

static size_t count_items(struct ap_slice list)
{
  size_t count = 0;
  struct ap_json_walk walk = ap_json_walk(list);
  while (ap_json_next(&walk))
    count++;
  return count;
}

static char **read_words(struct cli_asked *asked, struct ap_slice list, size_t *count)
{
  *count = 0;
  if (!list.ptr)
    return NULL;
  char **words = keep_list(asked, calloc(count_items(list) + 1, sizeof(char *)));
  struct ap_json_walk walk = ap_json_walk(list);
  while (words && ap_json_next(&walk)) {
    words[*count] = read_text(asked, walk.value);
    *count += words[*count] != NULL;
  }
  return words;
}

/* A list of pairs. */
static void read_params(struct cli_asked *asked, struct ap_slice list)
{
  size_t count = list.ptr ? count_items(list) : 0;
  struct script_param *params = keep_list(asked, calloc(count + 1, sizeof(*params)));
  asked->script.params = params;
  if (!params || !list.ptr)
    return;
  struct ap_json_walk walk = ap_json_walk(list);
  while (ap_json_next(&walk)) {
    size_t words = 0;
    char **pair = read_words(asked, walk.value, &words);
    if (words == 2)
      params[asked->script.param_count++] = (struct script_param){pair[0], pair[1]};
  }
}

enum { COMMAND, TARGET, STARTED, FOLDER, ONLY, SKIP, FAIL_ON_RISKY, GIVEN, TLP, SINCE, MEMBERS };
static const char *const members[MEMBERS] = {"command", "target", "started",       "folder",
                                             "only",    "skip",   "fail_on_risky", "given",
                                             "tlp",     "since"};

int cli_asked_read(struct ap_slice json, struct cli_asked *asked)
{
  static const char *const of_given[] = {"name", "params", "withheld"};
  struct ap_slice values[MEMBERS];
  struct ap_slice given[3] = {{0}};
  *asked = (struct cli_asked){0};
  ap_json_get_many(json, members, MEMBERS, values);
  if (values[GIVEN].ptr)
    ap_json_get_many(values[GIVEN], of_given, 3, given);
  struct script_request *script = &asked->script;
  script->command = read_text(asked, values[COMMAND]);
  script->target = read_text(asked, values[TARGET]);
  asked->started = read_text(asked, values[STARTED]);
  asked->folder = read_text(asked, values[FOLDER]);
  asked->since = read_text(asked, values[SINCE]);
  script->only = (const char *const *)read_words(asked, values[ONLY], &script->only_count);
  script->skip = (const char *const *)read_words(asked, values[SKIP], &script->skip_count);
  script->tlp = read_text(asked, values[TLP]);
  script->fail_on_risky = values[FAIL_ON_RISKY].ptr && ap_slice_is(values[FAIL_ON_RISKY], "true");
  asked->name = read_text(asked, given[0]);
  read_params(asked, given[1]);
  asked->withheld = read_words(asked, given[2], &asked->withheld_count);
  int rc = ap_buf_error(&asked->strings);
  if (rc == AP_OK)
    rc = ap_buf_error(&asked->lists);
  if (rc == AP_OK && (!script->command || !script->target || !asked->started))
    rc = AP_E_INVALID;
  return rc;
}

int cli_asked_add_param(struct cli_asked *asked, const struct script_param *param)
{
  size_t count = asked->script.param_count + 1;
  struct script_param *params = keep_list(asked, calloc(count, sizeof(*params)));
  if (!params || ap_buf_error(&asked->lists))
    return AP_E_NO_MEMORY;
  if (count > 1)
    memcpy(params, asked->script.params, (count - 1) * sizeof(*params));
  params[count - 1] = *param;
  asked->script.params = params;
  asked->script.param_count = count;
  return AP_OK;
}

static void free_all(struct ap_buf *list)
{
  void **items = (void **)(void *)list->ptr;
  for (size_t i = 0; i < list->len / sizeof(void *); i++)
    free(items[i]);
  ap_buf_deinit(list);
}

void cli_asked_deinit(struct cli_asked *asked)
{
  free_all(&asked->strings);
  free_all(&asked->lists);
}

/* ---- the end ---- */

int cli_ended_read(struct ap_slice json, struct cli_ended *ended)
{
  static const char *const keys[] = {"status", "finished", "exit",  "score",  "checked", "of",
                                     "risky",  "requests", "quota", "params", "tags",    "changes"};
  struct ap_slice values[sizeof(keys) / sizeof(keys[0])];
  int64_t numbers[7] = {0};
  *ended = (struct cli_ended){0};
  if (json.len == 0)
    return AP_OK;
  ap_json_get_many(json, keys, sizeof(keys) / sizeof(keys[0]), values);
  for (size_t i = 0; i < 7; i++)
    if (values[i + 2].ptr)
      (void)ap_json_read_int(values[i + 2], &numbers[i]);
  if (values[0].ptr && ap_json_kind(values[0]) == AP_JSON_STRING)
    ap_json_read_string(values[0], &ended->status);
  if (values[1].ptr && ap_json_kind(values[1]) == AP_JSON_STRING)
    ap_json_read_string(values[1], &ended->finished);
  ended->has_ended = true;
  ended->exit_code = (int)numbers[0];
  ended->score = numbers[1];
  ended->checked = (uint64_t)numbers[2];
  ended->of = (uint64_t)numbers[3];
  ended->risky = (uint64_t)numbers[4];
  ended->requests = (uint64_t)numbers[5];
  ended->quota = (uint64_t)numbers[6];
  ended->params = values[9];
  ended->tags = values[10];
  ended->changes = values[11];
  return ap_buf_error(&ended->status) ? ap_buf_error(&ended->status)
                                      : ap_buf_error(&ended->finished);
}

void cli_ended_deinit(struct cli_ended *ended)
{
  ap_buf_deinit(&ended->loaded);
  ap_buf_deinit(&ended->status);
  ap_buf_deinit(&ended->finished);
}

/* ---- from a record that is kept ---- */

static int open_kept(const struct cli_config *config, const char *id, struct store_spool **out,
                     struct ap_error *err)
{
  struct ap_buf path = {0};
  cli_kept_path(config, id, &path);
  int rc = store_spool_reopen(NULL, ap_buf_cstr(&path), false, out, err);
  ap_buf_deinit(&path);
  return rc;
}

int cli_asked_load(const struct cli_config *config, const char *id, struct cli_asked *asked,
                   struct ap_error *err)
{
  struct store_spool *spool = NULL;
  struct ap_buf json = {0};
  *asked = (struct cli_asked){0};
  int rc = open_kept(config, id, &spool, err);
  if (rc != AP_OK)
    return rc;
  rc = case_restore_request(spool, &json);
  store_spool_close(spool);
  if (rc == AP_OK)
    rc = cli_asked_read(ap_slice_of(&json), asked);
  ap_buf_deinit(&json);
  return rc == AP_OK ? AP_OK : ap_fail(err, rc, "the run %s: its record cannot be read", id);
}

int cli_ended_load(const struct cli_config *config, const char *id, struct cli_ended *ended,
                   uint64_t *findings, struct ap_error *err)
{
  struct store_spool *spool = NULL;
  struct ap_buf json = {0};
  *ended = (struct cli_ended){0};
  int rc = open_kept(config, id, &spool, err);
  if (rc != AP_OK)
    return rc;
  rc = case_restore_end(spool, &json, findings);
  store_spool_close(spool);
  if (rc == AP_OK)
    rc = cli_ended_read(ap_slice_of(&json), ended);
  ended->loaded = json;
  return rc == AP_OK ? AP_OK : ap_fail(err, rc, "the run %s: its record cannot be read", id);
}

bool cli_ended_is_whole(const struct cli_ended *ended)
{
  const char *status = ap_buf_cstr(&ended->status);
  return ended->has_ended && strcmp(status, "in_progress") != 0 &&
         strcmp(status, "timed_out") != 0 && strcmp(status, "interrupted") != 0;
}
