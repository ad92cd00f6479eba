/* Where a file goes that is too large for file/scan: VirusTotal gives a URL for it, good for one
 * upload. It comes from an answer, so it is looked at before anything is sent there. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/json.h"
#include "vt/explain.h"
#include "vt/upload_private.h"

/* VirusTotal's own samples say http: that is never what is meant. NULL: it is not to be trusted,
 * or out of memory. The caller frees. */
static char *usable_url(const struct vt_client *client, struct ap_slice token)
{
  struct ap_buf said = {0};
  struct ap_buf url = {0};
  ap_json_read_string(token, &said);
  const char *text = ap_buf_cstr(&said);
  bool is_secure = strncasecmp(client->url, "https:", 6) == 0;
  if (is_secure && strncasecmp(text, "http:", 5) == 0)
    ap_buf_add_fmt(&url, "https:%s", text + 5);
  else
    ap_buf_add_str(&url, text);
  text = ap_buf_cstr(&url);
  bool is_good =
      strlen(text) == url.len && !ap_buf_error(&said) && !ap_buf_error(&url) &&
      (net_http_same_origin(text, client->url) ||
       (strncasecmp(text, "https:", 6) == 0 && net_http_host_is_below(text, "virustotal.com")));
  char *copy = is_good ? ap_memdup(text, url.len) : NULL;
  ap_buf_deinit(&said);
  ap_buf_deinit(&url);
  return copy;
}

static void take_url(struct vt_item *item, const struct net_http_answer *answer)
{
  struct ap_slice body = answer->body;
  struct ap_error err = {0};
  struct ap_slice token = {0};
  struct vt_transfer *transfer = item->transfer;
  bool is_there = ap_json_check(body, AP_JSON_MAX_DEPTH, VT_UPLOAD_ANSWER_BYTES, &err) == AP_OK &&
                  ap_json_kind(body) == AP_JSON_OBJECT && ap_json_get(body, "upload_url", &token) &&
                  ap_json_kind(token) == AP_JSON_STRING;
  transfer->url = is_there ? usable_url(item->client, token) : NULL;
  if (transfer->url) {
    transfer->url_tries = 0;
    vt_item_queue(item);
    return;
  }
  (void)ap_fail(&err, AP_E_BAD_ANSWER, "%s",
                is_there ? "the upload URL in VirusTotal's answer is not one of VirusTotal's"
                         : "VirusTotal's answer has no upload URL");
  vt_explain_body(answer, &err);
  vt_item_refuse(item, err.code, err.text);
}

/* Nothing was submitted yet: it is tried again as a look-up is. */
static void retry_url(struct vt_item *item, int code, const char *message)
{
  const struct vt_options *options = &item->client->options;
  uint32_t tries = ++item->transfer->url_tries;
  if (tries > options->retries)
    vt_item_refuse(item, code, message);
  else
    vt_item_rest(item,
                 ap_random_below((options->retry_delay_ms << (tries > 16 ? 16 : tries - 1)) + 1));
}

static void take_url_status(struct vt_item *item, const struct net_http_answer *answer)
{
  char message[VT_EXPLAIN_TEXT];
  int code = vt_explain_status(answer->status, message);
  vt_saw_status(item->client, answer->status);
  if (answer->status == 200)
    take_url(item, answer);
  else if (answer->status == 204 || answer->status == 429)
    vt_upload_quota_spent(item);
  else if (answer->status == 403 || answer->status == 401)
    vt_item_refuse(item, AP_E_FORBIDDEN,
                   "the key may not upload more than 32 MiB at once (HTTP 403)");
  else if (answer->status >= 500)
    retry_url(item, AP_E_SERVER, message);
  else
    vt_item_refuse(item, code, message);
}

static void url_came(void *arg, const struct net_http_answer *answer)
{
  struct vt_item *item = vt_transfer_off(arg);
  if (answer->code == AP_OK) {
    take_url_status(item, answer);
    return;
  }
  vt_saw_failure(item->client, answer);
  retry_url(item, answer->code, answer->error);
}

int vt_upload_url_start(struct vt_batch *batch)
{
  const struct vt_client *client = batch->client;
  struct ap_slice key = ap_secret_bytes(client->options.key);
  struct ap_buf url = {0};
  ap_buf_add_fmt(&url, "%s/file/scan/upload_url?apikey=", client->url);
  net_http_escape(&url, key.ptr, key.len);
  const struct net_http_request request = {.url = ap_buf_cstr(&url),
                                           .timeout_ms = client->options.timeout_ms,
                                           .max_answer_bytes = VT_UPLOAD_ANSWER_BYTES};
  int rc = ap_buf_error(&url);
  if (rc == AP_OK)
    rc = net_http_start(client->http, &request, url_came, batch, &batch->http_call);
  ap_buf_wipe(&url);
  return rc;
}
