// SPDX-License-Identifier: Apache-2.0
#include "casefile/json_list.h"

int case_json_list_add(struct ap_buf *list, struct ap_buf *item)
{
  size_t before = list->len;
  int code = ap_buf_error(item);
  if (!code) {
    if (before)
      ap_buf_add_char(list, ',');
    ap_buf_add(list, item->ptr, item->len);
    code = ap_buf_error(list);
  }
  if (code && list->ptr) {
    list->len = before;
    list->ptr[before] = '\0';
  }
  list->error = AP_OK;
  ap_buf_deinit(item);
  return code;
}
