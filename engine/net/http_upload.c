/* A multipart body that streams. libcurl asks for its bytes; when there are none yet, the transfer
 * pauses until net_http_go_on. libcurl's own deadlines would count such a pause as the server's
 * fault, so an upload has its own. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "net/http_private.h"

enum {
  BUFFER_BYTES = 512 * 1024, /* that libcurl fills and sends */
  QUIET_MS = 60000,          /* without a byte sent; as long as LOW_SPEED_TIME of other requests */
  LOOK_MIN_MS = 20,
  LOOK_MAX_MS = 1000
};

struct net_http_streaming {
  curl_mime *mime;
  struct net_http_upload source;
  uint64_t read_bytes;
  int error;       /* of the source */
  bool is_waiting; /* for the source */
  uv_timer_t *watch;
  uint64_t timeout_ms;
  uint64_t looked_ms;
  uint64_t spent_ms; /* that were not the source's */
  uint64_t quiet_ms; /* and in which nothing was sent */
  curl_off_t sent_bytes;
};

/* ---- patience ---- */

static uint64_t now_ms(void)
{
  return uv_hrtime() / 1000000;
}

/* Counts the time since the last look, unless it was the source's. */
static void count_time(struct net_http_streaming *upload)
{
  uint64_t now = now_ms();
  if (!upload->is_waiting) {
    upload->spent_ms += now - upload->looked_ms;
    upload->quiet_ms += now - upload->looked_ms;
  }
  upload->looked_ms = now;
}

static curl_off_t bytes_sent(const struct net_http_call *call)
{
  curl_off_t sent = 0;
  (void)curl_easy_getinfo(call->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  return sent;
}

/* The server refuses it, which libcurl tells when it goes on: bytes that are yet to come are none
 * of its business any more. */
static void look_for_refusal(struct net_http_call *call)
{
  long status = 0;
  (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 300)
    net_http_go_on(call);
}

static void look(uv_timer_t *timer)
{
  struct net_http_call *call = timer->data;
  struct net_http_streaming *upload = call->upload;
  count_time(upload);
  curl_off_t sent = bytes_sent(call);
  if (sent != upload->sent_bytes)
    upload->quiet_ms = 0;
  upload->sent_bytes = sent;
  if (upload->is_waiting) {
    look_for_refusal(call);
    return;
  }
  if (upload->spent_ms >= upload->timeout_ms)
    (void)snprintf(call->error, sizeof(call->error), "the upload was not done within %llu ms",
                   (unsigned long long)upload->timeout_ms);
  else if (upload->quiet_ms >= QUIET_MS)
    (void)snprintf(call->error, sizeof(call->error), "the server took nothing for %d s",
                   QUIET_MS / 1000);
  else
    return;
  net_http_finish(call, CURLE_OPERATION_TIMEDOUT);
}

static bool start_watch(struct net_http_call *call)
{
  struct net_http_streaming *upload = call->upload;
  uint64_t look_ms = upload->timeout_ms / 8;
  look_ms = look_ms < LOOK_MIN_MS ? LOOK_MIN_MS : look_ms > LOOK_MAX_MS ? LOOK_MAX_MS : look_ms;
  upload->watch = calloc(1, sizeof(*upload->watch));
  if (!upload->watch)
    return false;
  (void)uv_timer_init(net_loop_uv(call->http->loop), upload->watch);
  upload->watch->data = call;
  upload->looked_ms = now_ms();
  (void)uv_timer_start(upload->watch, look, look_ms, look_ms);
  return true;
}

static void watch_closed(uv_handle_t *handle)
{
  free(handle);
}

/* ---- the body ---- */

static size_t bytes_wanted(char *data, size_t size, size_t count, void *arg)
{
  struct net_http_streaming *upload = ((struct net_http_call *)arg)->upload;
  int64_t got = upload->source.read(upload->source.arg, data, size * count);
  if (got == NET_HTTP_LATER) {
    count_time(upload);
    upload->is_waiting = true;
    return CURL_READFUNC_PAUSE;
  }
  if (got < 0) {
    upload->error = (int)got;
    return CURL_READFUNC_ABORT;
  }
  upload->read_bytes += (uint64_t)got;
  return (size_t)got;
}

void net_http_go_on(struct net_http_call *call)
{
  struct net_http_streaming *upload = call->upload;
  if (!upload || !upload->is_waiting)
    return;
  count_time(upload);
  upload->is_waiting = false;
  upload->quiet_ms = 0;
  /* While bytes that were read before the pause are yet to be sent, libcurl does not know that it
   * pauses, and going on would do nothing: so it is paused first. An end that is coming comes. */
  (void)curl_easy_pause(call->easy, CURLPAUSE_SEND);
  (void)curl_easy_pause(call->easy, CURLPAUSE_CONT);
}

static CURLcode add_parts(struct net_http_call *call, const struct net_http_upload *source)
{
  curl_mime *mime = call->upload->mime;
  CURLcode rc = CURLE_OK;
  if (source->key.ptr) {
    curl_mimepart *key = curl_mime_addpart(mime);
    rc = curl_mime_name(key, "apikey");
    rc = rc ? rc : curl_mime_data(key, source->key.ptr, source->key.len);
  }
  curl_mimepart *file = curl_mime_addpart(mime);
  rc = rc ? rc : curl_mime_name(file, "file");
  rc = rc ? rc : curl_mime_filename(file, source->file_name);
  rc = rc ? rc : curl_mime_type(file, "application/octet-stream");
  curl_off_t size = (curl_off_t)source->size;
  return rc ? rc : curl_mime_data_cb(file, size, bytes_wanted, NULL, NULL, call);
}

bool net_http_upload_begin(struct net_http_call *call, const struct net_http_request *request)
{
  struct net_http_streaming *upload = calloc(1, sizeof(*upload));
  if (!upload)
    return false;
  call->upload = upload;
  upload->source = *request->upload;
  upload->timeout_ms = request->timeout_ms;
  upload->mime = curl_mime_init(call->easy);
  if (!upload->mime || add_parts(call, request->upload) || !start_watch(call))
    return false;
  CURLcode rc = curl_easy_setopt(call->easy, CURLOPT_MIMEPOST, upload->mime);
  rc = rc ? rc : curl_easy_setopt(call->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_BYTES);
  rc = rc ? rc : curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, 0L);
  rc = rc ? rc : curl_easy_setopt(call->easy, CURLOPT_LOW_SPEED_TIME, 0L);
  return rc == CURLE_OK;
}

/* ---- its end ---- */

int net_http_upload_error(const struct net_http_call *call)
{
  return call->upload ? call->upload->error : AP_OK;
}

void net_http_upload_count(const struct net_http_call *call, struct net_http_answer *answer)
{
  answer->bytes_sent = (uint64_t)bytes_sent(call);
  answer->sent_whole = call->upload->read_bytes == call->upload->source.size;
}

void net_http_upload_end(struct net_http_call *call)
{
  if (!call->upload || !call->upload->watch)
    return;
  uv_close((uv_handle_t *)call->upload->watch, watch_closed);
  call->upload->watch = NULL;
}

void net_http_upload_free(struct net_http_call *call)
{
  if (call->upload)
    curl_mime_free(call->upload->mime);
  free(call->upload);
  call->upload = NULL;
}
