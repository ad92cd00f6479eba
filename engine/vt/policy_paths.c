/* Files and folders that are never sent. */
// SPDX-License-Identifier: Apache-2.0
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "vt/policy_private.h"

/* Where the last part of a path that ends at `len` begins, with its slash. */
static size_t part_start(const struct ap_buf *path)
{
  size_t len = path->len;
  while (len && path->ptr[len - 1] != '/')
    len--;
  return len ? len - 1 : 0;
}

/* Adds an absolute path without empty parts, "." and "..": "/srv/hr"; "/" is "". */
static void add_plain(struct ap_buf *out, const char *path)
{
  while (*path) {
    path += strspn(path, "/");
    size_t len = strcspn(path, "/");
    bool is_up = len == 2 && memcmp(path, "..", 2) == 0;
    bool is_here = len == 1 && *path == '.';
    if (is_up) {
      out->len = part_start(out);
    } else if (len && !is_here) {
      ap_buf_add_char(out, '/');
      ap_buf_add(out, path, len);
    }
    path += len;
  }
}

int vt_policy_read_path(const char *value, struct vt_policy_item **out, struct ap_error *err)
{
  struct ap_buf plain = {0};
  if (*value != '/')
    return ap_fail(err, AP_E_INVALID, "must be a path that begins with /");
  if (strlen(value) >= PATH_MAX)
    return ap_fail(err, AP_E_INVALID, "is longer than a path can be");
  add_plain(&plain, value);
  ap_buf_add_char(&plain, '\0');
  *out = ap_buf_error(&plain) ? NULL : vt_policy_item_new(plain.ptr, value);
  ap_buf_deinit(&plain);
  return *out ? AP_OK : ap_fail(err, AP_E_NO_MEMORY, "out of memory");
}

/* What is a pattern in a path is a character of it here. */
struct vt_policy_item *vt_policy_real_path(const struct vt_policy_item *path)
{
  struct ap_buf escaped = {0};
  struct vt_policy_item *item = NULL;
  char *real = realpath(path->text, NULL);
  for (const char *at = real; at && *at; at++) {
    if (strchr("*?[\\", *at))
      ap_buf_add_char(&escaped, '\\');
    ap_buf_add_char(&escaped, *at);
  }
  bool is_there = real && strcmp(real, path->text) == 0;
  if (real && !is_there && !ap_buf_error(&escaped))
    item = vt_policy_item_new(ap_buf_cstr(&escaped), path->shown);
  free(real);
  ap_buf_deinit(&escaped);
  return item;
}

static bool has_item(const struct vt_policy_item *item, const char *path)
{
  return !*item->text || fnmatch(item->text, path, FNM_PATHNAME | FNM_LEADING_DIR) == 0;
}

const struct vt_policy_item *vt_policy_find_path(const struct vt_policy_item *list,
                                                 const char *path)
{
  struct ap_buf plain = {0};
  if (*path != '/')
    return NULL;
  add_plain(&plain, path);
  ap_buf_add_char(&plain, '\0');
  const struct vt_policy_item *item = list;
  /* Without memory to look at it, the first one stands for all. */
  while (item && !ap_buf_error(&plain) && !has_item(item, plain.ptr))
    item = item->next;
  ap_buf_deinit(&plain);
  return item;
}
