/* The pieces of JSON that are made once, when an entity is put, and copied afterwards. */
// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "casefile/record_private.h"

/* `before` is what stands before the value: ,"name": */
static void add_text(struct ap_buf *out, const char *before, const char *text)
{
  ap_buf_add_str(out, before);
  ap_json_write_cstr(out, text);
}

static void add_flag(struct ap_buf *out, const char *before, bool flag)
{
  ap_buf_add_str(out, before);
  ap_buf_add_str(out, flag ? "true" : "false");
}

/* Text of a finding; empty is null. */
static void add_found(struct ap_buf *out, const char *before, const struct ap_buf *text)
{
  add_text(out, before, text->len ? text->ptr : NULL);
}

struct alias_list {
  struct ap_buf *out;
  bool has_any;
};

static void add_alias(void *arg, const char *alias)
{
  struct alias_list *list = arg;
  ap_buf_add_str(list->out, list->has_any ? "," : ",\"aliases\":[");
  ap_json_write_cstr(list->out, alias);
  list->has_any = true;
}

void case_record_aliases(const struct case_record *record, uint32_t entity, struct ap_buf *out)
{
  struct alias_list list = {.out = out};
  casefile_aliases(record->cf, entity, add_alias, &list);
  if (list.has_any)
    ap_buf_add_char(out, ']');
}

static void add_enrichment(const struct case_step *step, const struct case_finding *finding,
                           struct ap_buf *out)
{
  ap_buf_add_str(out, ",\"enrichment\":{");
  if (finding->field_count) {
    const char *provider = step->provider ? step->provider : step->action;
    ap_json_write_cstr(out, provider ? provider : step->name);
    ap_buf_add_char(out, ':');
    case_finding_write_fields(finding, out);
  }
  ap_buf_add_char(out, '}');
}

static void add_verdict(const struct case_finding *finding, struct ap_buf *out)
{
  if (finding->detections < 0)
    return;
  ap_buf_add_str(out, ",\"verdict\":{\"risky\":");
  ap_buf_add_str(out, finding->risky ? "true" : "false");
  ap_buf_add_fmt(out, ",\"detections\":%lld,\"total\":", (long long)finding->detections);
  if (finding->total < 0)
    ap_buf_add_str(out, "null");
  else
    ap_buf_add_fmt(out, "%lld", (long long)finding->total);
  if (finding->threshold >= 0)
    ap_buf_add_fmt(out, ",\"threshold\":%lld", (long long)finding->threshold);
  ap_buf_add_char(out, '}');
}

static void add_object(const struct case_record *record, const struct case_step *step,
                       uint32_t index, const struct case_finding *finding, struct ap_buf *out)
{
  const struct case_entity *entity = casefile_entity(record->cf, index);
  add_text(out, "{\"identifier\":", entity->identifier);
  add_text(out, ",\"type\":", entity->type < CASE_TYPE_COUNT ? case_type_word(entity->type) : NULL);
  if (entity->original_identifier)
    add_text(out, ",\"original_identifier\":", entity->original_identifier);
  add_text(out, ",\"outcome\":", case_outcome_word(finding->outcome));
  add_found(out, ",\"reason\":", &finding->reason);
  add_flag(out, ",\"suspicious\":", entity->suspicious || finding->suspicious);
  add_flag(out, ",\"enriched\":", entity->enriched || finding->field_count);
  add_enrichment(step, finding, out);
  add_found(out, ",\"link\":", &finding->link);
  if (finding->age_s >= 0)
    ap_buf_add_fmt(out, ",\"age\":%lld", (long long)finding->age_s);
  if (entity->internal)
    add_flag(out, ",\"internal\":", true);
  case_record_aliases(record, index, out);
  add_verdict(finding, out);
  ap_buf_add_char(out, '}');
}

void case_record_object(const struct case_record *record, const struct case_step *step,
                        uint32_t entity, const struct case_finding *finding, struct ap_buf *out)
{
  if (finding) {
    add_object(record, step, entity, finding, out);
    return;
  }
  struct case_finding none;
  case_finding_init(&none);
  none.outcome = CASE_OUTCOME_NOT_ASKED;
  ap_buf_add_str(&none.reason, "the run ended before anything was known of it");
  add_object(record, step, entity, &none, out);
  case_finding_deinit(&none);
}
