/* What a request sets on its handle: a handle is used again, so whatever one sets, all set. */
// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "net/address.h"
#include "net/http_private.h"

/* ---- what arrives ---- */

/* As much as the server says will come, so that the buffer need not grow. */
static void make_room(struct net_http_call *call)
{
  enum { ROOM_MAX = 1024 * 1024 };
  curl_off_t size = -1;
  (void)curl_easy_getinfo(call->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
  if (size > 0 && size <= ROOM_MAX && (size_t)size <= call->body.max)
    (void)ap_buf_room(&call->body, (size_t)size);
}

static size_t body_arrived(char *data, size_t size, size_t count, void *arg)
{
  struct net_http_call *call = arg;
  if (call->body.len == 0)
    make_room(call);
  ap_buf_add(&call->body, data, size * count);
  return ap_buf_error(&call->body) ? 0 : size * count;
}

static size_t header_arrived(char *data, size_t size, size_t count, void *arg)
{
  struct net_http_call *call = arg;
  size_t len = size * count;
  call->header_bytes += len;
  call->is_head_too_large = call->header_bytes > NET_HTTP_HEAD_MAX_BYTES;
  if (call->is_head_too_large)
    return 0;
  if (!call->keeps_head)
    return len;
  if (len > 5 && memcmp(data, "HTTP/", 5) == 0) /* a proxy's, or a "continue", came before it */
    ap_buf_clear(&call->head);
  else
    ap_buf_add(&call->head, data, len);
  return ap_buf_error(&call->head) ? 0 : len;
}

/* ---- where to ---- */

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
  struct net_http_call *call = arg;
  (void)purpose;
  bool is_guarded = call->http->options.is_guarded && !call->may_be_private;
  if (is_guarded && !net_address_is_public(&address->addr)) {
    call->is_refused = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- options ---- */

/* What is the same for every request on a handle. Each option's return counts: an option that this
 * libcurl does not know must not leave a weaker default. */
bool net_http_request_prepare(const struct net_http *http, CURL *easy)
{
  const struct net_http_options *options = &http->options;
  const char *protocols = options->allow_plain ? "https,http" : "https";
  CURLcode rc = CURLE_OK;
#define SET(option, value) rc = rc ? rc : curl_easy_setopt(easy, option, value)
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_PROTOCOLS_STR, protocols);
  SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_UNRESTRICTED_AUTH, 0L);
  SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  SET(CURLOPT_HTTP09_ALLOWED, 0L);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(CURLOPT_SSL_VERIFYPEER, options->verify_tls ? 1L : 0L);
  SET(CURLOPT_SSL_VERIFYHOST, options->verify_tls ? 2L : 0L);
  if (http->ca_file)
    SET(CURLOPT_CAINFO, http->ca_file);
  SET(CURLOPT_PROXY, http->proxy ? http->proxy : "");
  if (http->proxy_user)
    SET(CURLOPT_PROXYUSERNAME, http->proxy_user);
  if (http->proxy && options->proxy_password)
    SET(CURLOPT_PROXYPASSWORD, ap_secret_bytes(options->proxy_password).ptr);
  SET(CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
  SET(CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS, 200L);
  SET(CURLOPT_MAXLIFETIME_CONN, 300L);
  SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
  SET(CURLOPT_LOW_SPEED_TIME, 60L);
  SET(CURLOPT_USERAGENT, "apogee/" APOGEE_VERSION);
  SET(CURLOPT_WRITEFUNCTION, body_arrived);
  SET(CURLOPT_HEADERFUNCTION, header_arrived);
  SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
#undef SET
  return rc == CURLE_OK;
}

/* libcurl copies the lines. */
static bool add_headers(struct net_http_call *call, const struct net_http_request *request)
{
  for (size_t i = 0; i < request->header_count; i++) {
    struct curl_slist *more = curl_slist_append(call->headers, request->headers[i]);
    if (!more)
      return false;
    call->headers = more;
  }
  return true;
}

/* A name beside what libcurl makes of the body: NULL takes one away that was set before. */
static const char *method_of(const struct net_http_request *request)
{
  const char *plain = request->form.ptr || request->upload ? "POST" : "GET";
  bool is_plain = !request->method || strcmp(request->method, plain) == 0;
  return is_plain || strcmp(request->method, "HEAD") == 0 ? NULL : request->method;
}

/* Whether a request waits to learn if it may go over a connection that another one is opening. TLS
 * tells at the handshake; plain HTTP not before the first answer, and then that it may not. */
static bool may_share(const struct net_http_request *request)
{
  return strncasecmp(request->url, "https:", 6) == 0;
}

bool net_http_request_set(struct net_http_call *call, const struct net_http_request *request)
{
  CURL *easy = call->easy;
  call->keeps_head = request->keeps_head;
  call->may_be_private = request->may_be_private || (call->http->proxy && !request->is_direct);
  ap_buf_init(&call->head, NET_HTTP_HEAD_MAX_BYTES);
  if (!add_headers(call, request))
    return false;
  CURLcode rc = curl_easy_setopt(easy, CURLOPT_URL, request->url);
#define SET(option, value) rc = rc ? rc : curl_easy_setopt(easy, option, value)
  SET(CURLOPT_WRITEDATA, call);
  SET(CURLOPT_HEADERDATA, call);
  SET(CURLOPT_PRIVATE, call);
  SET(CURLOPT_ERRORBUFFER, call->error);
  SET(CURLOPT_OPENSOCKETDATA, call);
  SET(CURLOPT_PIPEWAIT, may_share(request) ? 1L : 0L);
  SET(CURLOPT_NOPROXY, request->is_direct ? "*" : "");
  SET(CURLOPT_HTTPHEADER, call->headers);
  SET(CURLOPT_NOBODY, 0L);
  SET(CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
  SET(CURLOPT_FRESH_CONNECT, request->is_once ? 1L : 0L);
  if (request->upload) {
    if (!net_http_upload_begin(call, request))
      return false;
  } else if (request->form.ptr) {
    ap_buf_add(&call->form, request->form.ptr, request->form.len);
    if (ap_buf_error(&call->form))
      return false;
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->form.len);
    SET(CURLOPT_POSTFIELDS, call->form.ptr);
    SET(CURLOPT_POST, 1L);
  } else {
    SET(CURLOPT_HTTPGET, 1L);
    if (request->method && strcmp(request->method, "HEAD") == 0)
      SET(CURLOPT_NOBODY, 1L);
  }
  SET(CURLOPT_CUSTOMREQUEST, method_of(request));
#undef SET
  return rc == CURLE_OK;
}

/* Both may have held a key. */
void net_http_request_end(struct net_http_call *call)
{
  for (struct curl_slist *line = call->headers; line; line = line->next)
    explicit_bzero(line->data, strlen(line->data));
  curl_slist_free_all(call->headers);
  ap_buf_wipe(&call->form);
}
