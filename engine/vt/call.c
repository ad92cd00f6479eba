// SPDX-License-Identifier: Apache-2.0
#include "vt/call.h"

#include <ctype.h>
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

void vt_call_key(enum vt_call call, const char *resource, char *out)
{
  size_t len = strlen(resource);
  bool is_file = call == VT_FILE_REPORT || call == VT_FILE_RESCAN;
  bool is_hash = is_file && strspn(resource, "0123456789abcdefABCDEF") == len;
  out[0] = (char)('a' + (int)call);
  for (size_t i = 0; i < len; i++)
    out[i + 1] = is_hash ? (char)tolower((unsigned char)resource[i]) : resource[i];
  out[len + 1] = '\0';
}

bool vt_call_of_key(const char *key, enum vt_call *call, const char **resource)
{
  if (key[0] < 'a' || key[0] >= 'a' + VT_CALL_COUNT)
    return false;
  *call = (enum vt_call)(key[0] - 'a');
  *resource = key + 1;
  return true;
}

static struct ap_slice text_or_none(struct ap_slice value)
{
  return value.ptr && ap_json_kind(value) == AP_JSON_STRING ? value : (struct ap_slice){0};
}

static bool is_invalid_resource(struct ap_slice message)
{
  static const char start[] = "\"Invalid resource";
  return message.len >= sizeof(start) - 1 && memcmp(message.ptr, start, sizeof(start) - 1) == 0;
}

struct vt_verdict vt_call_read(enum vt_call call, struct ap_slice item)
{
  enum { CODE, SCAN_ID, MESSAGE, SCANS, HASHES, KEY_COUNT = HASHES + VT_HASHES };
  static const char *const keys[KEY_COUNT] = {"response_code", "scan_id", "verbose_msg", "scans",
                                              "md5",           "sha1",    "sha256"};
  struct vt_verdict verdict = {.code = AP_E_BAD_ANSWER};
  struct ap_slice values[KEY_COUNT];
  int64_t code;
  ap_json_get_many(item, keys, KEY_COUNT, values);
  if (!values[CODE].ptr || !ap_json_read_int(values[CODE], &code))
    return verdict;
  verdict.scan_id = text_or_none(values[SCAN_ID]);
  verdict.message = text_or_none(values[MESSAGE]);
  bool is_report = !calls[call].is_submission;
  bool is_finished = !calls[call].has_engines ||
                     (values[SCANS].ptr && ap_json_kind(values[SCANS]) == AP_JSON_OBJECT);
  if (code == 1)
    verdict.code = is_finished ? AP_OK : AP_E_QUEUED;
  else if (code == -2)
    verdict.code = AP_E_QUEUED;
  else if (code == 0 && is_report && !is_invalid_resource(verdict.message))
    verdict.code = AP_E_NOT_FOUND;
  else if (code == 0 || code == -1)
    verdict.code = AP_E_REJECTED;
  for (size_t i = 0; call == VT_FILE_REPORT && verdict.code == AP_OK && i < VT_HASHES; i++)
    verdict.hashes[i] = text_or_none(values[HASHES + i]);
  return verdict;
}
