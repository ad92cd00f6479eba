// SPDX-License-Identifier: Apache-2.0
#include "casefile/host.h"

#include <idn2.h>
#include <stdlib.h>

#include "casefile/parts.h"

static bool is_ascii(struct ap_slice text)
{
  for (size_t i = 0; i < text.len; i++)
    if ((unsigned char)text.ptr[i] > 0x7f)
      return false;
  return true;
}

/* Only names that need it go through IDNA: it refuses names that are in use, such as r3---sn.x. */
static int add_idna(struct ap_slice host, struct ap_buf *out, struct ap_error *err)
{
  char *text = ap_memdup(host.ptr, host.len);
  if (!text)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  uint8_t *ascii = NULL;
  int result = idn2_lookup_u8((const uint8_t *)text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  free(text);
  if (result == IDN2_MALLOC)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  if (result != IDN2_OK)
    return ap_fail(err, AP_E_INVALID, "not a host name: %s", idn2_strerror(result));
  ap_buf_add_str(out, (const char *)ascii);
  idn2_free(ascii);
  return AP_OK;
}

int case_host_ascii(struct ap_slice host, struct ap_buf *out, struct ap_error *err)
{
  int code = AP_OK;
  if (is_ascii(host))
    case_add_lower(out, host);
  else
    code = add_idna(host, out, err);
  if (code == AP_OK && ap_buf_error(out))
    code = ap_fail(err, ap_buf_error(out), "a host name: %s", ap_error_text(ap_buf_error(out)));
  return code;
}
