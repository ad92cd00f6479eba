// SPDX-License-Identifier: Apache-2.0
#include "vt/split.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"

/* What an item says of whom it is. */
enum { RESOURCE, SCAN_ID, URL, NAME_COUNT };
static const char *const names[NAME_COUNT] = {"resource", "scan_id", "url"};

static bool is_text(struct ap_slice token, const char *text, bool fold_case)
{
  if (!token.ptr || ap_json_kind(token) != AP_JSON_STRING)
    return false;
  struct ap_buf plain = {0};
  ap_json_read_string(token, &plain);
  ap_buf_must(&plain);
  const char *said = ap_buf_cstr(&plain);
  bool same = fold_case ? strcasecmp(said, text) == 0 : strcmp(said, text) == 0;
  ap_buf_deinit(&plain);
  return same;
}

/* Hashes come back in another case, and a scan id may be what was asked. */
static bool answers(enum vt_call call, const struct ap_slice *said, const char *asked)
{
  bool is_file = call == VT_FILE_REPORT || call == VT_FILE_RESCAN;
  return is_text(said[RESOURCE], asked, is_file) || is_text(said[SCAN_ID], asked, false) ||
         (!is_file && is_text(said[URL], asked, false));
}

/* Gives the item to the first of those that asked for it and have none. False: nobody did. */
static bool give(enum vt_call call, struct ap_slice item, const struct ap_slice *said,
                 const char *const *asked, size_t count, struct ap_slice *items)
{
  for (size_t i = 0; i < count; i++)
    if (!items[i].ptr && answers(call, said, asked[i])) {
      items[i] = item;
      return true;
    }
  return false;
}

/* Items that name nobody ("Invalid URL") are kept by their place: the order of the list tells whose
 * they are, when all came back. */
static void match_list(enum vt_call call, struct ap_slice array, const char *const *asked,
                       size_t count, struct ap_slice *items)
{
  struct ap_slice nameless[VT_LIST_MAX] = {0};
  struct ap_slice said[NAME_COUNT];
  size_t place = 0;
  struct ap_json_walk walk = ap_json_walk(array);
  struct ap_json_walk item;
  for (; ap_json_next_inner(&walk, &item); place++) {
    ap_json_read_many(&item, names, NAME_COUNT, said);
    ap_json_leave_inner(&walk, &item);
    bool is_given = give(call, walk.value, said, asked, count, items);
    if (!is_given && place < count && !said[RESOURCE].ptr && !said[URL].ptr)
      nameless[place] = walk.value;
  }
  for (size_t i = 0; place == count && i < count; i++)
    if (!items[i].ptr)
      items[i] = nameless[i];
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
    else {
      struct ap_slice said[NAME_COUNT];
      ap_json_get_many(body, names, NAME_COUNT, said);
      (void)give(call, body, said, asked, count, items);
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
