// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_internal.h"

#include <string.h>

#include "sim/sim_write.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { ANY = SIM_GET | SIM_POST };

static const struct sim_endpoint endpoints[] = {
    {.name = "file/report",
     .methods = ANY,
     .subject = SIM_ARG_RESOURCE,
     .separator = ',',
     .public_max = 4,
     .premium_max = 25,
     .answer = sim_file_report},
    {.name = "file/scan",
     .methods = SIM_POST,
     .subject = SIM_ARG_COUNT,
     .is_upload = true,
     .answer = sim_file_scan},
    {.name = "file/scan/upload_url",
     .methods = SIM_GET,
     .subject = SIM_ARG_COUNT,
     .is_premium = true,
     .answer = sim_file_upload_url},
    {.name = "_ah/upload",
     .methods = SIM_POST,
     .subject = SIM_ARG_COUNT,
     .is_premium = true,
     .is_upload = true,
     .answer = sim_file_upload},
    {.name = "file/rescan",
     .methods = SIM_POST,
     .subject = SIM_ARG_RESOURCE,
     .separator = ',',
     .premium_max = 25,
     .is_premium = true,
     .answer = sim_file_rescan},
    {.name = "file/rescan/delete",
     .methods = SIM_POST,
     .subject = SIM_ARG_RESOURCE,
     .is_premium = true,
     .answer = sim_file_rescan_delete},
    {.name = "url/report",
     .methods = ANY,
     .subject = SIM_ARG_RESOURCE,
     .separator = '\n',
     .public_max = 4,
     .premium_max = 25,
     .answer = sim_url_report},
    {.name = "url/scan",
     .methods = SIM_POST,
     .subject = SIM_ARG_URL,
     .separator = '\n',
     .public_max = 25,
     .premium_max = 25,
     .wants_form = true,
     .answer = sim_url_scan},
    {.name = "domain/report",
     .methods = SIM_GET,
     .subject = SIM_ARG_DOMAIN,
     .answer = sim_domain_report},
    {.name = "ip-address/report",
     .methods = SIM_GET,
     .subject = SIM_ARG_IP,
     .answer = sim_ip_report},
    {.name = "comments/get",
     .methods = SIM_GET,
     .subject = SIM_ARG_RESOURCE,
     .is_premium = true,
     .answer = sim_comments_get},
    {.name = "comments/put",
     .methods = SIM_POST,
     .subject = SIM_ARG_RESOURCE,
     .wants_comment = true,
     .answer = sim_comments_put},
};

size_t sim_endpoint_count(void)
{
  return COUNT_OF(endpoints);
}

const struct sim_endpoint *sim_endpoint_at(size_t index)
{
  return &endpoints[index];
}

size_t sim_endpoint_index(const struct sim_endpoint *endpoint)
{
  return (size_t)(endpoint - endpoints);
}

const struct sim_endpoint *sim_endpoint_find(const char *name)
{
  for (size_t i = 0; i < COUNT_OF(endpoints); i++)
    if (strcmp(endpoints[i].name, name) == 0)
      return &endpoints[i];
  return NULL;
}

const char *sim_call_says(const struct sim_call *call, const char *usual)
{
  return call->step && call->step->verbose_msg ? call->step->verbose_msg : usual;
}

bool sim_call_is_forced(const struct sim_call *call)
{
  return call->step && call->step->kind == SIM_STEP_CODE && call->step->code == 1;
}

bool sim_call_has_allinfo(const struct sim_call *call)
{
  return sim_key_is_premium(call->key) && sim_request_has_flag(call->request, SIM_ARG_ALLINFO);
}

/* ---- judging ---- */

/* Items that are answered, and charged. One without a subject counts as one item. */
static size_t answered_count(const struct sim_call *call)
{
  const struct sim_endpoint *endpoint = call->request->endpoint;
  size_t count = call->request->item_count;
  size_t max = sim_key_is_premium(call->key) ? endpoint->premium_max : endpoint->public_max;
  if (!endpoint->separator)
    return 1;
  return count < max ? count : max;
}

static unsigned refuse_before_quota(const struct sim_call *call)
{
  const struct sim_request *request = call->request;
  const struct sim_endpoint *endpoint = request->endpoint;
  if (!call->key) /* the key may stand in the part that was not read */
    return request->is_too_large && !request->has_arg[SIM_ARG_APIKEY] ? 413 : 403;
  if (endpoint->is_premium && !sim_key_is_premium(call->key))
    return 403;
  if (endpoint->wants_form &&
      (request->body == SIM_BODY_MULTIPART || request->body == SIM_BODY_OTHER))
    return 403;
  return request->is_too_large ? 413 : 0;
}

static bool has_arguments(const struct sim_request *request)
{
  const struct sim_endpoint *endpoint = request->endpoint;
  if (request->is_malformed || (endpoint->is_upload && !request->has_file))
    return false;
  if (endpoint->wants_comment && request->args[SIM_ARG_COMMENT].len == 0)
    return false;
  if (endpoint->subject == SIM_ARG_COUNT)
    return true;
  return endpoint->separator ? request->args[endpoint->subject].len > 0 : request->item_count > 0;
}

/* What is charged: the items, but nothing for a file that was never seen. */
static uint32_t cost_of(const struct sim_call *call)
{
  const struct sim_request *request = call->request;
  size_t count = answered_count(call);
  bool is_upload = request->endpoint->is_upload && request->has_file;
  if (is_upload && sim_file_is_new(call->sim, &request->digests))
    return 0;
  return count ? (uint32_t)count : 1;
}

/* ---- answering ---- */

static void answer_code(const struct sim_call *call, struct ap_slice item, struct ap_buf *out)
{
  static const char *const texts[] = {
      "Your resource is queued for analysis", "Invalid resource, check what you are submitting",
      "The requested resource is not among the finished, queued or pending scans"};
  int code = call->step->code;
  enum sim_arg subject = call->request->endpoint->subject;
  bool has_resource = code != -1 && (subject == SIM_ARG_RESOURCE || subject == SIM_ARG_URL);
  sim_write_open(out, NULL, '{');
  sim_write_int(out, "response_code", code);
  if (has_resource)
    sim_write_slice(out, "resource", item);
  if (code == -2 && has_resource)
    sim_write_slice(out, "scan_id", item);
  sim_write_text(out, "verbose_msg", sim_call_says(call, texts[code + 2]));
  sim_write_close(out, '}');
}

static void answer_item(struct sim_call *call, struct ap_slice item, struct ap_buf *out)
{
  const struct sim_step *step = call->step;
  if (step && step->kind == SIM_STEP_BODY)
    sim_write_raw(out, NULL, (struct ap_slice){step->body, step->body_len});
  else if (step && step->kind == SIM_STEP_CODE && step->code != 1)
    answer_code(call, item, out);
  else
    call->request->endpoint->answer(call, item, out);
}

static bool is_dropped(const struct sim_step *step)
{
  return step && step->kind == SIM_STEP_DROP;
}

static void answer_list(struct sim_call *call, size_t count, const struct sim_plan *plan,
                        struct ap_buf *out)
{
  sim_write_open(out, NULL, '[');
  for (size_t i = 0; i < count; i++) {
    call->step = plan->items[i];
    if (!is_dropped(call->step))
      answer_item(call, call->request->items[i], out);
  }
  sim_write_close(out, ']');
}

static void answer_work(struct sim_call *call, const struct sim_plan *plan, struct sim_reply *reply)
{
  const struct sim_request *request = call->request;
  size_t count = answered_count(call);
  reply->status = 200;
  if (count != 1) {
    answer_list(call, count, plan, &reply->body);
    return;
  }
  struct ap_slice item = request->item_count ? request->items[0] : (struct ap_slice){"", 0};
  call->step = plan->items[0];
  call->status = 200;
  if (is_dropped(call->step)) {
    ap_buf_add_str(&reply->body, "[]");
    return;
  }
  answer_item(call, item, &reply->body);
  reply->status = call->status;
  reply->content_type = call->step ? call->step->content_type : NULL;
}

static void damage(const struct sim_plan *plan, struct sim_reply *reply)
{
  static const char garbage[] = "\x1f\x8b<<\xff\xfe{]not JSON, not anything\x80\xc3\x28[}>>";
  reply->delay_ms += plan->delay_ms;
  reply->cut = plan->cut;
  if (plan->is_garbage) {
    ap_buf_clear(&reply->body);
    ap_buf_add_str(&reply->body, garbage);
  }
  if (plan->is_truncated)
    reply->body.len /= 2;
  if (reply->cut == SIM_CUT_BEFORE)
    reply->status = 0;
}

static void make_plan(const struct sim_call *call, struct sim_plan *plan)
{
  const struct sim_request *request = call->request;
  struct ap_slice upload = {request->digests.sha256, 64};
  struct ap_slice none = {"", 0};
  const struct ap_slice *items = request->item_count ? request->items : &none;
  struct ap_slice alias = none;
  if (request->endpoint->is_upload) {
    items = &upload;
    alias = ap_slice_of(&request->filename);
  }
  size_t count = answered_count(call);
  sim_scenario_plan(call->sim->scenario, request->endpoint, items, count ? count : 1, alias, plan);
}

/* Quota comes first, so that a refused request takes no step; a status that is asked for costs
 * nothing. */
static void answer_planned(struct sim_call *call, struct sim_reply *reply)
{
  struct sim_plan plan;
  uint32_t cost = cost_of(call);
  if (!sim_key_charge(call->key, cost)) {
    reply->status = 204;
    return;
  }
  make_plan(call, &plan);
  if (plan.whole) {
    sim_key_refund(call->key, cost);
    reply->status = plan.whole->status ? plan.whole->status : 200;
    reply->content_type = plan.whole->content_type;
    ap_buf_add(&reply->body, plan.whole->body, plan.whole->body_len);
  } else if (!has_arguments(call->request)) {
    reply->status = 400;
  } else {
    answer_work(call, &plan, reply);
  }
  damage(&plan, reply);
}

static void judge(struct sim_call *call, struct sim_reply *reply)
{
  const struct sim_endpoint *endpoint = call->request->endpoint;
  if (!endpoint)
    reply->status = 404;
  else if (!(endpoint->methods & (unsigned)call->request->method))
    reply->status = 405;
  else
    reply->status = refuse_before_quota(call);
  if (!reply->status)
    answer_planned(call, reply);
}

void sim_answer(struct sim *sim, struct sim_request *request, struct sim_reply *reply)
{
  (void)pthread_mutex_lock(&sim->lock);
  struct sim_call call = {.sim = sim, .request = request, .status = 200};
  call.key = sim_quota_find(sim->quota, sim_request_arg(request, SIM_ARG_APIKEY));
  judge(&call, reply);
  if (ap_buf_error(&reply->body)) {
    ap_buf_deinit(&reply->body);
    reply->status = 500;
  }
  sim->total_count++;
  if (request->endpoint)
    sim->counts[sim_endpoint_index(request->endpoint)]++;
  if (sim->log)
    sim_log_write(sim->log, sim, request, call.key ? sim_key_id(call.key) : NULL, reply->status);
  (void)pthread_mutex_unlock(&sim->lock);
}
