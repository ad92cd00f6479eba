// SPDX-License-Identifier: Apache-2.0
#include "vt/split.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"

static bool member_is(struct ap_slice item, const char *key, const char *text, bool fold_case)
{
  struct ap_slice token;
  if (!ap_json_get(item, key, &token) || ap_json_kind(token) != AP_JSON_STRING)
    return false;
  struct ap_buf plain = {0};
  ap_json_read_string(token, &plain);
  const char *said = ap_buf_cstr(&plain);
  bool same = fold_case ? strcasecmp(said, text) == 0 : strcmp(said, text) == 0;
  ap_buf_deinit(&plain);
  return same;
}

/* Hashes come back in another case, and a scan id may be what was asked. */
static bool answers(enum vt_call call, struct ap_slice item, const char *asked)
{
  bool is_file = call == VT_FILE_REPORT || call == VT_FILE_RESCAN;
  return member_is(item, "resource", asked, is_file) || member_is(item, "scan_id", asked, false) ||
         (!is_file && member_is(item, "url", asked, false));
}

static bool has_name(struct ap_slice item)
{
  struct ap_slice value;
  return ap_json_get(item, "resource", &value) || ap_json_get(item, "url", &value);
}

static size_t count_items(struct ap_slice array)
{
  size_t count = 0;
  struct ap_json_walk walk = ap_json_walk(array);
  while (ap_json_next(&walk))
    count++;
  return count;
}

static void match_list(enum vt_call call, struct ap_slice array, const char *const *asked,
                       size_t count, struct ap_slice *items)
{
  bool is_whole = count_items(array) == count;
  size_t place = 0;
  struct ap_json_walk walk = ap_json_walk(array);
  for (; ap_json_next(&walk); place++) {
    bool found = false;
    for (size_t i = 0; i < count && !found; i++)
      if (!items[i].ptr && answers(call, walk.value, asked[i])) {
        items[i] = walk.value;
        found = true;
      }
    /* "Invalid URL" names nothing: the order of the list tells whose it is, when all came back. */
    if (!found && is_whole && !items[place].ptr && !has_name(walk.value))
      items[place] = walk.value;
  }
}

int vt_split(enum vt_call call, struct ap_slice body, const char *const *asked, size_t count,
             struct ap_slice *items, struct ap_error *err)
{
  int rc = ap_json_check(body, AP_JSON_MAX_DEPTH, VT_ITEM_MAX_VALUES * count, err);
  if (rc != AP_OK)
    return rc;
  for (size_t i = 0; i < count; i++)
    items[i] = (struct ap_slice){0};
  body = ap_json_trim(body);
  enum ap_json_kind kind = ap_json_kind(body);
  if (kind == AP_JSON_OBJECT) {
    if (count == 1)
      items[0] = body;
    else
      for (size_t i = 0; i < count; i++)
        if (answers(call, body, asked[i])) {
          items[i] = body;
          break;
        }
    return AP_OK;
  }
  if (kind != AP_JSON_ARRAY)
    return ap_fail(err, AP_E_BAD_ANSWER, "neither an object nor a list");
  struct ap_json_walk walk = ap_json_walk(body);
  if (count == 1 && ap_json_next(&walk))
    items[0] = walk.value;
  else if (count > 1)
    match_list(call, body, asked, count, items);
  return AP_OK;
}
