// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_internal.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sim/sim_canonical.h"

#define ARG_MAX (1024U * 1024)        /* of one argument */
#define FILENAME_MAX_BYTES 1024U      /* longer names are cut */
#define POST_BUFFER (64U * 1024)      /* pieces in which a body is handed on */
#define DRAIN_MAX SIM_UPLOAD_URL_MOST /* of a body that is too large, before giving up on it */

static const char *const arg_names[SIM_ARG_COUNT] = {
#define X(name, word) [SIM_ARG_##name] = word,
    SIM_ARG_MAP(X)
#undef X
};

static enum sim_arg find_arg(const char *name)
{
  int arg = 0;
  while (arg < SIM_ARG_COUNT && strcmp(arg_names[arg], name) != 0)
    arg++;
  return (enum sim_arg)arg;
}

/* An argument that is given twice counts as the first time says. Returns where further pieces go.
 */
static struct ap_buf *begin_arg(struct sim_request *request, const char *name)
{
  enum sim_arg arg = find_arg(name);
  if (arg == SIM_ARG_COUNT || request->has_arg[arg])
    return NULL;
  request->has_arg[arg] = true;
  return &request->args[arg];
}

static enum MHD_Result take_query_arg(void *cls, enum MHD_ValueKind kind, const char *name,
                                      size_t name_len, const char *value, size_t len)
{
  struct ap_buf *arg = begin_arg(cls, name);
  (void)kind;
  (void)name_len;
  if (arg && value)
    ap_buf_add(arg, value, len);
  return MHD_YES;
}

/* ---- the body ---- */

static void take_file_piece(struct sim_request *request, const char *filename, const char *data,
                            uint64_t off, size_t len)
{
  if (off == 0) {
    if (request->has_file || ap_hasher_new(&request->hasher)) {
      request->is_malformed = true;
      return;
    }
    request->has_file = true;
    size_t name_len = strnlen(filename, FILENAME_MAX_BYTES);
    ap_buf_add(&request->filename, filename, name_len);
  }
  if (request->hasher && ap_hasher_add(request->hasher, data, len))
    request->is_malformed = true;
}

static enum MHD_Result take_piece(void *cls, enum MHD_ValueKind kind, const char *name,
                                  const char *filename, const char *content_type,
                                  const char *encoding, const char *data, uint64_t off, size_t len)
{
  struct sim_request *request = cls;
  (void)kind;
  (void)content_type;
  (void)encoding;
  if (!name)
    return MHD_YES;
  if (strcmp(name, "file") == 0) {
    if (filename)
      take_file_piece(request, filename, data, off, len);
    return request->is_malformed ? MHD_NO : MHD_YES;
  }
  if (off == 0)
    request->growing = begin_arg(request, name);
  if (request->growing)
    ap_buf_add(request->growing, data, len);
  return MHD_YES;
}

bool sim_request_feed(struct sim_request *request, const char *data, size_t len)
{
  request->bytes_in += len;
  if (request->bytes_in > request->bytes_max)
    request->is_too_large = true;
  if (request->post && !request->is_too_large && !request->is_malformed &&
      MHD_post_process(request->post, data, len) != MHD_YES)
    request->is_malformed = true;
  return request->bytes_in <= DRAIN_MAX;
}

/* ---- reading what stands before the body ---- */

static enum sim_method read_method(const char *method)
{
  if (strcmp(method, MHD_HTTP_METHOD_GET) == 0)
    return SIM_GET;
  return strcmp(method, MHD_HTTP_METHOD_POST) == 0 ? SIM_POST : SIM_OTHER_METHOD;
}

static void copy_cut(char *out, size_t size, const char *text)
{
  size_t len = strnlen(text, size - 1);
  memcpy(out, text, len);
  out[len] = '\0';
}

static void read_path(struct sim_request *request, const char *path)
{
  static const char api[] = "/vtapi/v2/";
  static const char upload[] = "/_ah/upload/";
  copy_cut(request->path, sizeof(request->path), path);
  if (strncmp(path, api, strlen(api)) == 0)
    request->endpoint = sim_endpoint_find(path + strlen(api));
  if (strncmp(path, upload, strlen(upload)) == 0) {
    request->endpoint = sim_endpoint_find("_ah/upload");
    copy_cut(request->upload_token, sizeof(request->upload_token), path + strlen(upload));
  }
}

static bool has_type(const char *header, const char *type)
{
  size_t len = strlen(type);
  return header && strncasecmp(header, type, len) == 0 &&
         (header[len] == '\0' || header[len] == ';' || header[len] == ' ');
}

static void begin_body(struct sim_request *request, struct MHD_Connection *connection)
{
  const char *type =
      MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
  if (has_type(type, MHD_HTTP_POST_ENCODING_FORM_URLENCODED))
    request->body = SIM_BODY_FORM;
  else if (has_type(type, MHD_HTTP_POST_ENCODING_MULTIPART_FORMDATA))
    request->body = SIM_BODY_MULTIPART;
  else if (type)
    request->body = SIM_BODY_OTHER;
  if (request->body != SIM_BODY_FORM && request->body != SIM_BODY_MULTIPART)
    return;
  request->post = MHD_create_post_processor(connection, POST_BUFFER, take_piece, request);
  if (!request->post)
    request->is_malformed = true;
}

static uint64_t body_limit(const struct sim *sim, const struct sim_endpoint *endpoint)
{
  if (!endpoint || !endpoint->is_upload)
    return SIM_BODY_MAX;
  return endpoint->is_premium ? sim->options.upload_url_max : sim->options.upload_max;
}

/* A client that waits for leave to send is told at once; others are let finish, since many read
 * the answer only then. */
static void judge_length(struct sim_request *request, struct MHD_Connection *connection)
{
  const char *length =
      MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
  const char *expect =
      MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT);
  uint64_t announced = length ? strtoull(length, NULL, 10) : 0;
  if (announced > request->bytes_max && (expect || announced > DRAIN_MAX))
    request->is_too_large = true;
}

struct sim_request *sim_request_new(const struct sim *sim, struct MHD_Connection *connection,
                                    const char *path, const char *method)
{
  struct sim_request *request = calloc(1, sizeof(*request));
  if (!request)
    return NULL;
  for (int i = 0; i < SIM_ARG_COUNT; i++)
    ap_buf_init(&request->args[i], ARG_MAX);
  request->arrived_ms = ap_clock_ms();
  request->method = read_method(method);
  copy_cut(request->method_text, sizeof(request->method_text), method);
  read_path(request, path);
  request->bytes_max = body_limit(sim, request->endpoint);
  (void)MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, take_query_arg, request);
  judge_length(request, connection);
  if (request->method == SIM_POST)
    begin_body(request, connection);
  return request;
}

/* ---- behind the body ---- */

static void add_item(struct sim_request *request, struct ap_slice item)
{
  item = sim_trim(item);
  if (item.len && request->item_count < SIM_ITEMS_MAX)
    request->items[request->item_count++] = item;
}

static void split_items(struct sim_request *request)
{
  const struct sim_endpoint *endpoint = request->endpoint;
  struct ap_slice rest = sim_request_arg(request, endpoint->subject);
  while (endpoint->separator && rest.len) {
    const char *end = memchr(rest.ptr, endpoint->separator, rest.len);
    size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
    add_item(request, (struct ap_slice){rest.ptr, len});
    size_t step = end ? len + 1 : len;
    rest.ptr += step;
    rest.len -= step;
  }
  add_item(request, rest);
}

/* The post processor keeps the last value back until it is destroyed. */
static void end_body(struct sim_request *request)
{
  if (request->post && MHD_destroy_post_processor(request->post) != MHD_YES)
    request->is_malformed = true;
  request->post = NULL;
}

void sim_request_finish(struct sim_request *request)
{
  end_body(request);
  if (request->has_file && ap_hasher_finish(request->hasher, &request->digests))
    request->is_malformed = true;
  for (int i = 0; i < SIM_ARG_COUNT; i++)
    if (ap_buf_error(&request->args[i]))
      request->is_malformed = true;
  if (request->endpoint && request->endpoint->subject != SIM_ARG_COUNT)
    split_items(request);
}

void sim_request_free(struct sim_request *request)
{
  if (!request)
    return;
  end_body(request);
  ap_hasher_free(request->hasher);
  ap_buf_wipe(&request->args[SIM_ARG_APIKEY]);
  for (int i = 0; i < SIM_ARG_COUNT; i++)
    ap_buf_deinit(&request->args[i]);
  ap_buf_deinit(&request->filename);
  free(request);
}

struct ap_slice sim_request_arg(const struct sim_request *request, enum sim_arg arg)
{
  return (struct ap_slice){ap_buf_cstr(&request->args[arg]), request->args[arg].len};
}

bool sim_request_has_flag(const struct sim_request *request, enum sim_arg arg)
{
  struct ap_slice value = sim_request_arg(request, arg);
  return ap_slice_is(value, "1") || ap_slice_is(value, "true");
}
