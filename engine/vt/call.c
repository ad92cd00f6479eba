// SPDX-License-Identifier: Apache-2.0
#include "vt/call.h"

#include <string.h>

#include "base/json.h"

static const struct vt_call_info calls[VT_CALL_COUNT] = {
    [VT_FILE_REPORT] = {"file/report", "resource", ',', true, false, true},
    [VT_URL_REPORT] = {"url/report", "resource", '\n', true, false, true},
    [VT_DOMAIN_REPORT] = {"domain/report", "domain", '\0', false, false, false},
    [VT_IP_REPORT] = {"ip-address/report", "ip", '\0', false, false, false},
    [VT_COMMENTS] = {"comments/get", "resource", '\0', false, false, false},
    [VT_FILE_RESCAN] = {"file/rescan", "resource", ',', true, true, false},
    [VT_URL_SCAN] = {"url/scan", "url", '\n', true, true, false},
    [VT_FILE_SCAN] = {"file/scan", "file", '\0', true, true, false},
};

const struct vt_call_info *vt_call_info(enum vt_call call)
{
  ap_require(call < VT_CALL_COUNT);
  return &calls[call];
}

static struct ap_slice text_member(struct ap_slice item, const char *key)
{
  struct ap_slice value;
  if (ap_json_get(item, key, &value) && ap_json_kind(value) == AP_JSON_STRING)
    return value;
  return (struct ap_slice){0};
}

static bool is_invalid_resource(struct ap_slice message)
{
  static const char start[] = "\"Invalid resource";
  return message.len >= sizeof(start) - 1 && memcmp(message.ptr, start, sizeof(start) - 1) == 0;
}

static bool is_finished(enum vt_call call, struct ap_slice item)
{
  struct ap_slice scans;
  return !calls[call].has_engines ||
         (ap_json_get(item, "scans", &scans) && ap_json_kind(scans) == AP_JSON_OBJECT);
}

struct vt_verdict vt_call_read(enum vt_call call, struct ap_slice item)
{
  struct vt_verdict verdict = {.code = AP_E_BAD_ANSWER};
  struct ap_slice code_value;
  int64_t code;
  if (ap_json_kind(item) != AP_JSON_OBJECT || !ap_json_get(item, "response_code", &code_value) ||
      !ap_json_read_int(code_value, &code))
    return verdict;
  verdict.scan_id = text_member(item, "scan_id");
  verdict.message = text_member(item, "verbose_msg");
  bool is_report = !calls[call].is_submission;
  if (code == 1)
    verdict.code = is_finished(call, item) ? AP_OK : AP_E_QUEUED;
  else if (code == -2)
    verdict.code = AP_E_QUEUED;
  else if (code == 0 && is_report && !is_invalid_resource(verdict.message))
    verdict.code = AP_E_NOT_FOUND;
  else if (code == 0 || code == -1)
    verdict.code = AP_E_REJECTED;
  return verdict;
}
