// SPDX-License-Identifier: Apache-2.0
#include "cli/kept.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/spool.h"

enum { TIME_LEN = sizeof("20261124T041152Z") - 1 };

static const char suffix[] = ".run";

static const char *folder_of(const struct cli_config *config, struct ap_buf *out)
{
  ap_buf_add_fmt(out, "%s/runs", config->state_dir ? config->state_dir : "");
  return ap_buf_cstr(out);
}

void cli_kept_path(const struct cli_config *config, const char *id, struct ap_buf *out)
{
  (void)folder_of(config, out);
  ap_buf_add_fmt(out, "/%s%s", id, suffix);
}

void cli_kept_blame_path(const struct cli_config *config, const char *id, struct ap_buf *out)
{
  (void)folder_of(config, out);
  ap_buf_add_fmt(out, "/%s.blamed", id);
}

int cli_kept_prepare(const struct cli_config *config, struct ap_error *err)
{
  struct ap_buf folder = {0};
  int rc = AP_OK;
  if (mkdir(folder_of(config, &folder), 0700) != 0 && errno != EEXIST)
    rc = ap_fail(err, AP_E_IO, "%s: %s", ap_buf_cstr(&folder), strerror(errno));
  ap_buf_deinit(&folder);
  return rc;
}

/* An id is made of what name_run in run.c writes: nothing of it can leave the folder. */
static bool is_id(const char *text, size_t len)
{
  return len > 0 && len < CLI_RUN_ID_BYTES && strspn(text, "0123456789abcdefTZ-") >= len;
}

static bool read_name(const char *name, char id[CLI_RUN_ID_BYTES])
{
  size_t len = strlen(name);
  size_t end = strlen(suffix);
  if (len <= end || strcmp(name + len - end, suffix) != 0 || !is_id(name, len - end))
    return false;
  memcpy(id, name, len - end);
  id[len - end] = '\0';
  return true;
}

/* Ids begin with the second in which the run began; of those that began together the one that was
 * written to last is the newest. */
static int newest_first(const void *left, const void *right)
{
  const struct cli_kept *a = left;
  const struct cli_kept *b = right;
  int order = strncmp(b->id, a->id, TIME_LEN);
  if (order == 0)
    order = (a->changed_s < b->changed_s) - (a->changed_s > b->changed_s);
  if (order == 0)
    order = (a->changed_ns < b->changed_ns) - (a->changed_ns > b->changed_ns);
  return order ? order : strcmp(b->id, a->id);
}

static int read_folder(DIR *folder, struct ap_buf *found)
{
  struct dirent *entry;
  struct stat st;
  while ((entry = readdir(folder))) {
    struct cli_kept kept = {0};
    if (!read_name(entry->d_name, kept.id) ||
        fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(st.st_mode))
      continue;
    kept.changed_s = st.st_mtime;
    kept.changed_ns = st.st_mtim.tv_nsec;
    kept.bytes = (uint64_t)st.st_size;
    ap_buf_add(found, &kept, sizeof(kept));
  }
  return ap_buf_error(found);
}

int cli_kept_list(const struct cli_config *config, struct cli_kept **list, size_t *count,
                  struct ap_error *err)
{
  struct ap_buf path = {0};
  struct ap_buf found = {0};
  *list = NULL;
  *count = 0;
  DIR *folder = opendir(folder_of(config, &path));
  int error = errno;
  int rc = AP_OK;
  if (folder)
    rc = read_folder(folder, &found);
  else if (error != ENOENT)
    rc = ap_fail(err, AP_E_IO, "%s: %s", ap_buf_cstr(&path), strerror(error));
  if (folder)
    (void)closedir(folder);
  ap_buf_deinit(&path);
  if (rc != AP_OK) {
    ap_buf_deinit(&found);
    return rc == AP_E_NO_MEMORY ? ap_fail(err, rc, "out of memory") : rc;
  }
  *count = found.len / sizeof(struct cli_kept);
  *list = (struct cli_kept *)(void *)found.ptr;
  if (*count)
    qsort(*list, *count, sizeof(struct cli_kept), newest_first);
  return AP_OK;
}

static int find_newest(const struct cli_config *config, char id[CLI_RUN_ID_BYTES],
                       struct ap_error *err)
{
  struct cli_kept *list;
  size_t count;
  int rc = cli_kept_list(config, &list, &count, err);
  if (rc != AP_OK)
    return rc;
  if (count)
    memcpy(id, list[0].id, CLI_RUN_ID_BYTES);
  free(list);
  return count ? AP_OK
               : ap_fail(err, AP_E_NOT_FOUND,
                         "no run is kept below %s (runs with --simulate never are)",
                         config->state_dir ? config->state_dir : "the state folder");
}

int cli_kept_find(const struct cli_config *config, const char *word, char id[CLI_RUN_ID_BYTES],
                  struct ap_error *err)
{
  struct ap_buf path = {0};
  struct stat st;
  if (!word || strcmp(word, "last") == 0)
    return find_newest(config, id, err);
  int rc = AP_E_NOT_FOUND;
  if (is_id(word, strlen(word))) {
    cli_kept_path(config, word, &path);
    rc = lstat(ap_buf_cstr(&path), &st) == 0 ? AP_OK : AP_E_NOT_FOUND;
    ap_buf_deinit(&path);
  }
  if (rc != AP_OK)
    return ap_fail(err, rc, "no run \"%.60s\" is kept; `apogee runs` lists those that are", word);
  memcpy(id, word, strlen(word) + 1);
  return AP_OK;
}

static void remove_run(const struct cli_config *config, const char *id)
{
  struct ap_buf path = {0};
  cli_kept_path(config, id, &path);
  (void)unlink(ap_buf_cstr(&path));
  ap_buf_clear(&path);
  cli_kept_blame_path(config, id, &path);
  (void)unlink(ap_buf_cstr(&path));
  ap_buf_deinit(&path);
}

static bool is_under_way(const struct cli_config *config, const char *id)
{
  struct ap_buf path = {0};
  cli_kept_path(config, id, &path);
  bool is_held = store_spool_is_held(ap_buf_cstr(&path));
  ap_buf_deinit(&path);
  return is_held;
}

void cli_kept_tidy(const struct cli_config *config)
{
  struct ap_error err;
  struct cli_kept *list;
  size_t count;
  uint64_t bytes = 0;
  int64_t oldest_s = (ap_clock_unix_ms() - (int64_t)config->keep.runs_ms) / 1000;
  if (cli_kept_list(config, &list, &count, &err) != AP_OK)
    return;
  for (size_t i = 0; i < count; i++) {
    bytes += list[i].bytes;
    bool is_too_old = config->keep.runs_ms && list[i].changed_s < oldest_s;
    bool is_too_much = config->keep.max_bytes && bytes > config->keep.max_bytes;
    if ((is_too_old || is_too_much) && !is_under_way(config, list[i].id))
      remove_run(config, list[i].id);
  }
  free(list);
}
