/* Requests to the simulator, and its answers. libmicrohttpd is played by the target, which keeps
 * its promises and no more: names end in NUL, a value comes in pieces, and the last one may come
 * when the body is over. The input's lines: method, path, type of the body, arguments of the query
 * as NAME=VALUE, an empty one, and then the pieces of the body, NAME or NAME;FILE and =VALUE. */
// SPDX-License-Identifier: Apache-2.0
#include <microhttpd.h>
#include <stdlib.h>

#include "base/json.h"
#include "fuzz.h"
#include "sim/sim_internal.h"

struct MHD_Connection {
  struct fuzz_input query;
  const char *type;
};

struct MHD_PostProcessor {
  MHD_PostDataIterator take;
  void *arg;
  struct ap_buf last; /* kept back until the end */
};

static struct MHD_PostProcessor post;

struct pair {
  char *name;
  char *filename;
  struct ap_slice value;
};

static struct pair read_pair(struct ap_slice line)
{
  const char *equals = line.len ? memchr(line.ptr, '=', line.len) : NULL;
  struct ap_slice name = {line.ptr, equals ? (size_t)(equals - line.ptr) : line.len};
  const char *semicolon = name.len ? memchr(name.ptr, ';', name.len) : NULL;
  struct pair pair = {0};
  if (semicolon) {
    size_t len = (size_t)(semicolon - name.ptr);
    pair.filename = fuzz_string((struct ap_slice){semicolon + 1, name.len - len - 1});
    name.len = len;
  }
  pair.name = fuzz_string(name);
  if (equals)
    pair.value = (struct ap_slice){equals + 1, (size_t)(line.ptr + line.len - equals - 1)};
  return pair;
}

static void free_pair(struct pair *pair)
{
  free(pair->name);
  free(pair->filename);
}

int MHD_get_connection_values_n(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                MHD_KeyValueIteratorN iterator, void *arg)
{
  int count = 0;
  while (connection->query.left) {
    struct ap_slice line = fuzz_line(&connection->query);
    if (!line.len)
      break;
    struct pair pair = read_pair(line);
    char *value = fuzz_string(pair.value);
    (void)iterator(arg, kind, pair.name, strlen(pair.name), pair.value.ptr ? value : NULL,
                   strlen(value));
    free(value);
    free_pair(&pair);
    count++;
  }
  return count;
}

const char *MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                        const char *key)
{
  (void)kind;
  if (strcmp(key, MHD_HTTP_HEADER_CONTENT_TYPE) == 0)
    return *connection->type ? connection->type : NULL;
  return NULL;
}

struct MHD_PostProcessor *MHD_create_post_processor(struct MHD_Connection *connection, size_t size,
                                                    MHD_PostDataIterator take, void *arg)
{
  (void)connection;
  (void)size;
  post = (struct MHD_PostProcessor){.take = take, .arg = arg};
  return &post;
}

static enum MHD_Result give(const struct pair *pair)
{
  size_t half = pair->value.len / 2;
  size_t rest = pair->value.len - half;
  struct ap_slice value = pair->value.ptr ? pair->value : (struct ap_slice){"", 0};
  enum MHD_Result result = post.take(post.arg, MHD_POSTDATA_KIND, pair->name, pair->filename, NULL,
                                     NULL, value.ptr, 0, half);
  if (result == MHD_YES && half)
    result = post.take(post.arg, MHD_POSTDATA_KIND, pair->name, pair->filename, NULL, NULL,
                       value.ptr + half, half, rest);
  return result;
}

static enum MHD_Result give_line(struct ap_slice line)
{
  struct pair pair = read_pair(line);
  enum MHD_Result result = give(&pair);
  free_pair(&pair);
  return result;
}

enum MHD_Result MHD_post_process(struct MHD_PostProcessor *processor, const char *data, size_t len)
{
  enum MHD_Result result = processor->last.len ? give_line(ap_slice_of(&processor->last)) : MHD_YES;
  ap_buf_clear(&processor->last);
  ap_buf_add(&processor->last, data, len);
  return result;
}

enum MHD_Result MHD_destroy_post_processor(struct MHD_PostProcessor *processor)
{
  enum MHD_Result result = processor->last.len ? give_line(ap_slice_of(&processor->last)) : MHD_YES;
  ap_buf_deinit(&processor->last);
  return result;
}

static void open_sim(struct sim *sim)
{
  static const struct sim_limits usual = {SIM_TIER_PREMIUM, 0, 0, 0};
  struct ap_error err;
  *sim = (struct sim){.midnight_s = 1767225600, .origin = "http://127.0.0.1:1"};
  sim_options_init(&sim->options);
  sim->options.premium = true;
  sim->options.upload_max = SIM_UPLOAD_MAX;
  sim->options.upload_url_max = SIM_UPLOAD_URL_MAX;
  ap_require(pthread_mutex_init(&sim->lock, NULL) == 0);
  sim->counts = calloc(sim_endpoint_count(), sizeof(*sim->counts));
  ap_require(sim->counts && sim_quota_new(&usual, &sim->quota) == AP_OK);
  ap_require(sim_life_new(&sim->life) == AP_OK && sim_comments_new(&sim->comments) == AP_OK);
  ap_require(sim_scenario_new(NULL, &sim->options, sim->quota, &sim->scenario, &err) == AP_OK);
}

static void close_sim(struct sim *sim)
{
  sim_comments_free(sim->comments);
  sim_scenario_free(sim->scenario);
  sim_life_free(sim->life);
  sim_quota_free(sim->quota);
  free(sim->counts);
  (void)pthread_mutex_destroy(&sim->lock);
}

static void answer(struct sim *sim, struct sim_request *request)
{
  struct sim_reply reply = {0};
  sim_request_finish(request);
  ap_require(request->item_count <= SIM_ITEMS_MAX);
  sim_answer(sim, request, &reply);
  if (reply.status == 200 && reply.body.len)
    ap_require(ap_json_check(ap_slice_of(&reply.body), AP_JSON_MAX_DEPTH, SIZE_MAX, NULL) == AP_OK);
  ap_buf_deinit(&reply.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = fuzz_input(data, size);
  struct sim sim;
  char *method = fuzz_string(fuzz_line(&input));
  char *path = fuzz_string(fuzz_line(&input));
  char *type = fuzz_string(fuzz_line(&input));
  struct MHD_Connection connection = {input, type};
  bool goes_on = true;
  open_sim(&sim);
  struct sim_request *request = sim_request_new(&sim, &connection, path, method);
  ap_require(request);
  input = connection.query;
  while (goes_on && input.left) {
    struct ap_slice line = fuzz_line(&input);
    goes_on = sim_request_feed(request, line.ptr, line.len);
  }
  answer(&sim, request);
  sim_request_free(request);
  close_sim(&sim);
  free(method);
  free(path);
  free(type);
  return 0;
}
