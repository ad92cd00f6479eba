// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/table.h"
#include "sim/sim_canonical.h"
#include "sim/sim_internal.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BODY_FILE_MAX (8U * 1024 * 1024)
#define WAIT_MAX_MS (24 * 3600 * 1000)

struct script {
  char *key; /* "<endpoint> <resource>", normalised */
  struct sim_step *steps;
  size_t count;
  size_t at; /* count: used up */
  uint64_t used;
  uint64_t turn; /* the request that last took a step */
  UT_hash_handle hh;
};

struct fault {
  const struct sim_endpoint *endpoint; /* NULL: any */
  uint64_t every;
  uint64_t seen;
  struct sim_step step;
};

struct sim_scenario {
  struct script *scripts;
  struct fault *faults;
  size_t fault_count;
  uint64_t turn;
};

/* Where in the scenario a value stands, for messages. */
struct place {
  char text[200];
};

static struct place place_of(const char *fmt, ...) AP_PRINTF(1, 2);
static struct place place_of(const char *fmt, ...)
{
  struct place place;
  va_list args;
  va_start(args, fmt);
  (void)vsnprintf(place.text, sizeof(place.text), fmt, args);
  va_end(args);
  return place;
}

/* ---- plain fields ---- */

static int check_fields(const struct ap_value *table, const char *where, const char *const *names,
                        size_t count, struct ap_error *err)
{
  if (table->kind != AP_VALUE_TABLE && !(table->kind == AP_VALUE_LIST && table->len == 0))
    return ap_fail(err, AP_E_INVALID, "%s: wants a table", where);
  for (size_t i = 0; table->kind == AP_VALUE_TABLE && i < table->len; i++) {
    const char *key = table->keys[i];
    size_t at = 0;
    while (at < count && strcmp(names[at], key) != 0)
      at++;
    if (at < count)
      continue;
    const char *meant = ap_nearest(key, names, count);
    return ap_fail(err, AP_E_INVALID, "%s: unknown field \"%.60s\"%s%s%s", where, key,
                   meant ? ", did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
  }
  return AP_OK;
}

/* Leaves *out alone when the field is not there; so do the readers below. */
static int read_number(const struct ap_value *table, const char *where, const char *name,
                       int64_t min, int64_t max, int64_t *out, struct ap_error *err)
{
  const struct ap_value *value = ap_value_get(table, name);
  if (!value)
    return AP_OK;
  if (value->kind != AP_VALUE_INT || value->integer < min || value->integer > max)
    return ap_fail(err, AP_E_INVALID, "%s: %s is a whole number from %lld to %lld", where, name,
                   (long long)min, (long long)max);
  *out = value->integer;
  return AP_OK;
}

static int read_flag(const struct ap_value *table, const char *where, const char *name, bool *out,
                     struct ap_error *err)
{
  const struct ap_value *value = ap_value_get(table, name);
  if (!value)
    return AP_OK;
  if (value->kind != AP_VALUE_BOOL)
    return ap_fail(err, AP_E_INVALID, "%s: %s is true or false", where, name);
  *out = value->boolean;
  return AP_OK;
}

static int copy_text(const struct ap_value *table, const char *where, const char *name, char **out,
                     size_t *len, struct ap_error *err)
{
  const struct ap_value *value = ap_value_get(table, name);
  if (!value)
    return AP_OK;
  if (value->kind != AP_VALUE_STRING)
    return ap_fail(err, AP_E_INVALID, "%s: %s is a text", where, name);
  *out = ap_memdup(value->text, value->len);
  if (len)
    *len = value->len;
  return *out ? AP_OK : ap_fail(err, AP_E_NO_MEMORY, "%s: out of memory", where);
}

/* The index of a word; `count` with an error when it is none of them. */
static int read_word(const char *word, const char *where, const char *name,
                     const char *const *words, size_t count, size_t *index, struct ap_error *err)
{
  for (*index = 0; *index < count; (*index)++)
    if (strcmp(words[*index], word) == 0)
      return AP_OK;
  const char *meant = ap_nearest(word, words, count);
  return ap_fail(err, AP_E_INVALID, "%s: unknown %s \"%.60s\"%s%s%s", where, name, word,
                 meant ? ", did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
}

/* ---- steps ---- */

static void free_step(struct sim_step *step)
{
  free(step->body);
  free(step->content_type);
  free(step->verbose_msg);
}

static int load_body(const char *path, const char *where, struct sim_step *step,
                     struct ap_error *err)
{
  struct ap_buf bytes;
  ap_buf_init(&bytes, BODY_FILE_MAX);
  FILE *file = fopen(path, "rbe");
  size_t got = 1;
  while (file && got > 0) {
    char *room = ap_buf_room(&bytes, 65536);
    got = room ? fread(room, 1, 65536, file) : 0;
    bytes.len += got;
  }
  bool good = file && !ferror(file) && ap_buf_error(&bytes) == AP_OK;
  if (file)
    (void)fclose(file);
  step->body = good ? ap_memdup(bytes.ptr, bytes.len) : NULL;
  step->body_len = bytes.len;
  ap_buf_deinit(&bytes);
  if (step->body)
    return AP_OK;
  return ap_fail(err, AP_E_IO, "%s: file \"%.200s\" cannot be read, or is larger than 8 MiB", where,
                 path);
}

static int read_cut(const struct ap_value *table, const char *where, struct sim_step *step,
                    struct ap_error *err)
{
  static const char *const words[] = {"before", "headers", "middle"};
  static const enum sim_cut cuts[] = {SIM_CUT_BEFORE, SIM_CUT_HEADERS, SIM_CUT_MIDDLE};
  const struct ap_value *value = ap_value_get(table, "cut");
  size_t index = 0;
  if (!value)
    return AP_OK;
  int rc = read_word(ap_value_text(value, ""), where, "cut", words, COUNT_OF(words), &index, err);
  if (rc == AP_OK)
    step->cut = cuts[index];
  return rc;
}

static int read_wire(const struct ap_value *table, const char *where, struct sim_step *step,
                     struct ap_error *err)
{
  int64_t delay_ms = 0;
  int rc = read_number(table, where, "delay_ms", 0, WAIT_MAX_MS, &delay_ms, err);
  if (rc == AP_OK)
    rc = read_cut(table, where, step, err);
  if (rc == AP_OK)
    rc = read_flag(table, where, "garbage", &step->is_garbage, err);
  if (rc == AP_OK)
    rc = read_flag(table, where, "truncated", &step->is_truncated, err);
  step->delay_ms = (uint64_t)delay_ms;
  return rc;
}

/* The fields that say what the answer is: at most one of them. */
static int check_one_answer(const struct ap_value *table, const char *where, struct ap_error *err)
{
  static const char *const names[] = {"body", "file", "code", "queued", "drop", "pass"};
  const char *first = NULL;
  bool has_status = ap_value_get(table, "status") != NULL;
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    if (!ap_value_get(table, names[i]))
      continue;
    if (first)
      return ap_fail(err, AP_E_INVALID, "%s: %s and %s exclude each other", where, first, names[i]);
    if (has_status && i >= 2)
      return ap_fail(err, AP_E_INVALID, "%s: status and %s exclude each other", where, names[i]);
    first = names[i];
  }
  return AP_OK;
}

static int read_code(const struct ap_value *table, const char *where, struct sim_step *step,
                     struct ap_error *err)
{
  int64_t code = 0;
  int64_t queued = 0;
  int rc = read_number(table, where, "code", -2, 1, &code, err);
  if (rc == AP_OK)
    rc = read_number(table, where, "queued", 1, UINT32_MAX, &queued, err);
  if (rc)
    return rc;
  if (queued && step->times)
    return ap_fail(err, AP_E_INVALID, "%s: queued and times exclude each other", where);
  if (queued)
    step->times = (uint64_t)queued;
  if (queued || ap_value_get(table, "code"))
    step->kind = SIM_STEP_CODE;
  step->code = queued ? -2 : (int)code;
  return AP_OK;
}

static int read_answer(const struct ap_value *table, const char *where, struct sim_step *step,
                       struct ap_error *err)
{
  int64_t status = 0;
  bool is_dropped = false;
  bool is_passed = false;
  const char *path = ap_value_text(ap_value_get(table, "file"), NULL);
  int rc = read_number(table, where, "status", 200, 599, &status, err);
  if (rc == AP_OK)
    rc = copy_text(table, where, "body", &step->body, &step->body_len, err);
  if (rc == AP_OK && !path && ap_value_get(table, "file"))
    rc = ap_fail(err, AP_E_INVALID, "%s: file is a path", where);
  if (rc == AP_OK && path)
    rc = load_body(path, where, step, err);
  if (rc == AP_OK)
    rc = read_flag(table, where, "drop", &is_dropped, err);
  if (rc == AP_OK)
    rc = read_flag(table, where, "pass", &is_passed, err);
  step->status = (unsigned)status;
  if (status && status != 200)
    step->kind = SIM_STEP_STATUS;
  else if (step->body)
    step->kind = SIM_STEP_BODY;
  else if (is_dropped)
    step->kind = SIM_STEP_DROP;
  return rc;
}

static const char *const step_fields[] = {
    "status", "body", "content_type", "delay_ms",    "cut",  "garbage", "truncated", "queued",
    "code",   "file", "drop",         "verbose_msg", "pass", "times",   "endpoint",  "every"};
enum { FAULT_FIELDS = COUNT_OF(step_fields), STEP_FIELDS = FAULT_FIELDS - 2 };

static int read_step(const struct ap_value *value, const char *where, size_t field_count,
                     struct sim_step *step, struct ap_error *err)
{
  int64_t times = 0;
  if (value->kind == AP_VALUE_STRING) {
    step->kind = SIM_STEP_BODY;
    step->body_len = value->len;
    step->body = ap_memdup(value->text, value->len);
    return step->body ? AP_OK : ap_fail(err, AP_E_NO_MEMORY, "%s: out of memory", where);
  }
  int rc = check_fields(value, where, step_fields, field_count, err);
  if (rc == AP_OK)
    rc = check_one_answer(value, where, err);
  if (rc == AP_OK)
    rc = read_number(value, where, "times", 1, UINT32_MAX, &times, err);
  step->times = (uint64_t)times;
  if (rc == AP_OK)
    rc = read_answer(value, where, step, err);
  if (rc == AP_OK)
    rc = read_code(value, where, step, err);
  if (rc == AP_OK)
    rc = copy_text(value, where, "content_type", &step->content_type, NULL, err);
  if (rc == AP_OK)
    rc = copy_text(value, where, "verbose_msg", &step->verbose_msg, NULL, err);
  if (rc == AP_OK)
    rc = read_wire(value, where, step, err);
  return rc;
}

/* ---- keys of scripts ---- */

static bool is_hash_or_scan_id(struct ap_slice text)
{
  for (size_t i = 0; i < text.len; i++)
    if (text.ptr[i] != '-' && !sim_is_hex((struct ap_slice){text.ptr + i, 1}))
      return false;
  return true;
}

/* So that a script is found however its resource is written: hashes in lower case, URLs canonical.
 */
static void add_key(struct ap_buf *out, const char *endpoint, struct ap_slice resource)
{
  ap_buf_add_str(out, endpoint);
  ap_buf_add_char(out, ' ');
  if (is_hash_or_scan_id(resource)) {
    sim_add_lower(out, resource);
    return;
  }
  size_t start = out->len;
  bool is_url = strncmp(endpoint, "url/", 4) == 0;
  if (is_url && sim_canonical_url(resource, out) == AP_OK)
    return;
  out->len = start;
  ap_buf_add(out, resource.ptr, resource.len);
}

static int read_endpoint(const char *name, const char *where, const struct sim_endpoint **out,
                         struct ap_error *err)
{
  if (strcmp(name, "*") == 0) {
    *out = NULL;
    return AP_OK;
  }
  const char *names[32];
  size_t count = 0;
  size_t index = 0;
  for (; count < sim_endpoint_count() && count < COUNT_OF(names); count++)
    names[count] = sim_endpoint_at(count)->name;
  int rc = read_word(name, where, "endpoint", names, count, &index, err);
  if (rc == AP_OK)
    *out = sim_endpoint_at(index);
  return rc;
}

static int normalise_key(const char *text, char **out, struct ap_error *err)
{
  struct place where = place_of("scenario: answers[\"%.120s\"]", text);
  char name[64];
  const struct sim_endpoint *endpoint = NULL;
  size_t len = strcspn(text, " ");
  if (text[len] == '\0' || text[len + 1] == '\0')
    return ap_fail(err, AP_E_INVALID, "%s: write \"<endpoint> <resource>\", with * for any",
                   where.text);
  (void)snprintf(name, sizeof(name), "%.*s", (int)(len < 60 ? len : 60), text);
  int rc = read_endpoint(name, where.text, &endpoint, err);
  if (rc)
    return rc;
  struct ap_buf key = {0};
  const char *resource = text + len + 1;
  add_key(&key, name, (struct ap_slice){resource, strlen(resource)});
  *out = ap_buf_error(&key) ? NULL : ap_memdup(key.ptr, key.len);
  ap_buf_deinit(&key);
  return *out ? AP_OK : ap_fail(err, AP_E_NO_MEMORY, "%s: out of memory", where.text);
}

/* ---- sections of the scenario ---- */

static void free_script(struct script *script)
{
  for (size_t i = 0; i < script->count; i++)
    free_step(&script->steps[i]);
  free(script->steps);
  free(script->key);
  free(script);
}

static int read_steps(const struct ap_value *list, const char *key, struct script *script,
                      struct ap_error *err)
{
  if (list->kind != AP_VALUE_LIST || list->len == 0)
    return ap_fail(err, AP_E_INVALID, "scenario: answers[\"%.120s\"]: wants a list of steps", key);
  script->steps = calloc(list->len, sizeof(*script->steps));
  if (!script->steps)
    return ap_fail(err, AP_E_NO_MEMORY, "scenario: out of memory");
  script->count = list->len;
  for (size_t i = 0; i < list->len; i++) {
    struct place where = place_of("scenario: answers[\"%.120s\"][%zu]", key, i + 1);
    int rc = read_step(&list->items[i], where.text, STEP_FIELDS, &script->steps[i], err);
    if (rc)
      return rc;
  }
  return AP_OK;
}

static int read_script(struct sim_scenario *scenario, const char *key, const struct ap_value *list,
                       struct ap_error *err)
{
  struct script *other = NULL;
  struct script *script = calloc(1, sizeof(*script));
  if (!script)
    return ap_fail(err, AP_E_NO_MEMORY, "scenario: out of memory");
  int rc = normalise_key(key, &script->key, err);
  if (rc == AP_OK)
    rc = read_steps(list, key, script, err);
  if (rc == AP_OK) {
    ap_require(script->key);
    HASH_FIND_STR(scenario->scripts, script->key, other);
  }
  if (other)
    rc = ap_fail(err, AP_E_INVALID, "scenario: answers[\"%.120s\"]: the same resource stands twice",
                 key);
  if (rc) {
    free_script(script);
    return rc;
  }
  HASH_ADD_KEYPTR(hh, scenario->scripts, script->key, strlen(script->key), script);
  return AP_OK;
}

static int read_answers(struct sim_scenario *scenario, const struct ap_value *answers,
                        struct ap_error *err)
{
  if (!answers || (answers->kind == AP_VALUE_LIST && answers->len == 0))
    return AP_OK;
  if (answers->kind != AP_VALUE_TABLE)
    return ap_fail(err, AP_E_INVALID, "scenario: answers: wants a table");
  for (size_t i = 0; i < answers->len; i++) {
    int rc = read_script(scenario, answers->keys[i], &answers->items[i], err);
    if (rc)
      return rc;
  }
  return AP_OK;
}

static int read_fault(const struct ap_value *value, const char *where, struct fault *fault,
                      struct ap_error *err)
{
  int64_t every = 1;
  if (value->kind != AP_VALUE_TABLE)
    return ap_fail(err, AP_E_INVALID, "%s: wants a table", where);
  int rc = read_step(value, where, FAULT_FIELDS, &fault->step, err);
  const char *endpoint = ap_value_text(ap_value_get(value, "endpoint"), "*");
  if (rc == AP_OK)
    rc = read_endpoint(endpoint, where, &fault->endpoint, err);
  if (rc == AP_OK)
    rc = read_number(value, where, "every", 1, UINT32_MAX, &every, err);
  fault->every = (uint64_t)every;
  return rc;
}

static int read_faults(struct sim_scenario *scenario, const struct ap_value *faults,
                       struct ap_error *err)
{
  if (!faults)
    return AP_OK;
  if (faults->kind != AP_VALUE_LIST)
    return ap_fail(err, AP_E_INVALID, "scenario: faults: wants a list");
  scenario->faults = calloc(faults->len + 1, sizeof(*scenario->faults));
  if (!scenario->faults)
    return ap_fail(err, AP_E_NO_MEMORY, "scenario: out of memory");
  scenario->fault_count = faults->len;
  for (size_t i = 0; i < faults->len; i++) {
    struct place where = place_of("scenario: faults[%zu]", i + 1);
    int rc = read_fault(&faults->items[i], where.text, &scenario->faults[i], err);
    if (rc)
      return rc;
  }
  return AP_OK;
}

static int read_limit(const struct ap_value *table, const char *where, const char *name,
                      uint32_t *limit, struct ap_error *err)
{
  int64_t number = *limit;
  int rc = read_number(table, where, name, 0, UINT32_MAX, &number, err);
  *limit = (uint32_t)number;
  return rc;
}

static int read_key(const struct ap_value *value, const char *where, struct sim_limits *limits,
                    struct ap_error *err)
{
  static const char *const fields[] = {"tier", "per_minute", "per_day", "per_month"};
  static const char *const tiers[] = {"public", "premium", "refused"};
  int rc = check_fields(value, where, fields, COUNT_OF(fields), err);
  const struct ap_value *tier = ap_value_get(value, "tier");
  size_t index = 0;
  if (rc == AP_OK && tier) {
    rc = read_word(ap_value_text(tier, ""), where, "tier", tiers, COUNT_OF(tiers), &index, err);
    limits->tier = (enum sim_tier)index;
  }
  if (rc == AP_OK)
    rc = read_limit(value, where, "per_minute", &limits->per_minute, err);
  if (rc == AP_OK)
    rc = read_limit(value, where, "per_day", &limits->per_day, err);
  if (rc == AP_OK)
    rc = read_limit(value, where, "per_month", &limits->per_month, err);
  return rc;
}

/* Messages show the start of a key only: somebody may put a real one here. */
static int read_keys(const struct ap_value *keys, const struct sim_options *options,
                     struct sim_quota *quota, struct ap_error *err)
{
  if (keys && keys->kind != AP_VALUE_TABLE && keys->len)
    return ap_fail(err, AP_E_INVALID, "scenario: keys: wants a table");
  for (size_t i = 0; keys && i < keys->len; i++) {
    struct ap_slice key = {keys->keys[i], strlen(keys->keys[i])};
    struct place where = place_of("scenario: keys[\"%.4s...\"]", keys->keys[i]);
    struct sim_limits limits = {options->premium ? SIM_TIER_PREMIUM : SIM_TIER_PUBLIC,
                                options->per_minute, options->per_day, options->per_month};
    if (!sim_quota_is_key(key))
      return ap_fail(err, AP_E_INVALID, "%s: a key is 64 lower-case hex characters", where.text);
    int rc = read_key(&keys->items[i], where.text, &limits, err);
    if (rc == AP_OK && sim_quota_add(quota, key, &limits))
      rc = ap_fail(err, AP_E_NO_MEMORY, "scenario: out of memory");
    if (rc)
      return rc;
  }
  return AP_OK;
}

static int read_all(struct sim_scenario *scenario, const struct ap_value *value,
                    struct sim_options *options, struct sim_quota *quota, struct ap_error *err)
{
  static const char *const fields[] = {"keys",    "answers",    "faults",
                                       "scan_ms", "latency_ms", "http"}; /* of services: not ours */
  int64_t scan_ms = (int64_t)options->scan_ms;
  int64_t latency_ms = (int64_t)options->latency_ms;
  int rc = check_fields(value, "scenario", fields, COUNT_OF(fields), err);
  if (rc == AP_OK)
    rc = read_number(value, "scenario", "scan_ms", 0, INT32_MAX, &scan_ms, err);
  if (rc == AP_OK)
    rc = read_number(value, "scenario", "latency_ms", 0, WAIT_MAX_MS, &latency_ms, err);
  if (rc == AP_OK)
    rc = read_keys(ap_value_get(value, "keys"), options, quota, err);
  if (rc == AP_OK)
    rc = read_answers(scenario, ap_value_get(value, "answers"), err);
  if (rc == AP_OK)
    rc = read_faults(scenario, ap_value_get(value, "faults"), err);
  options->scan_ms = (uint64_t)scan_ms;
  options->latency_ms = (uint64_t)latency_ms;
  return rc;
}

int sim_scenario_new(const struct ap_value *value, struct sim_options *options,
                     struct sim_quota *quota, struct sim_scenario **out, struct ap_error *err)
{
  struct sim_scenario *scenario = calloc(1, sizeof(*scenario));
  if (!scenario)
    return ap_fail(err, AP_E_NO_MEMORY, "scenario: out of memory");
  int rc = value ? read_all(scenario, value, options, quota, err) : AP_OK;
  if (rc) {
    sim_scenario_free(scenario);
    return rc;
  }
  *out = scenario;
  return AP_OK;
}

void sim_scenario_free(struct sim_scenario *scenario)
{
  if (!scenario)
    return;
  while (scenario->scripts) {
    struct script *script = scenario->scripts;
    TABLE_REMOVE(hh, scenario->scripts, script);
    free_script(script);
  }
  for (size_t i = 0; i < scenario->fault_count; i++)
    free_step(&scenario->faults[i].step);
  free(scenario->faults);
  free(scenario);
}

/* ---- planning ---- */

static struct script *find_key(struct sim_scenario *scenario, const char *endpoint,
                               struct ap_slice resource)
{
  struct ap_buf key = {0};
  struct script *script = NULL;
  add_key(&key, endpoint, resource);
  if (ap_buf_error(&key) == AP_OK)
    HASH_FIND(hh, scenario->scripts, key.ptr, key.len, script);
  ap_buf_deinit(&key);
  return script;
}

static struct script *find_script(struct sim_scenario *scenario, const char *endpoint,
                                  struct ap_slice item, struct ap_slice alias)
{
  static const struct ap_slice any = {"*", 1};
  if (!scenario->scripts)
    return NULL;
  struct script *script = find_key(scenario, endpoint, item);
  if (!script && alias.len)
    script = find_key(scenario, endpoint, alias);
  if (!script)
    script = find_key(scenario, endpoint, any);
  return script ? script : find_key(scenario, "*", any);
}

static const struct sim_step *current_step(const struct script *script)
{
  return script && script->at < script->count ? &script->steps[script->at] : NULL;
}

/* Once per request, however many of its items the script matches. */
static void advance(struct sim_scenario *scenario, struct script *script)
{
  const struct sim_step *step = current_step(script);
  if (!step || script->turn == scenario->turn)
    return;
  script->turn = scenario->turn;
  bool is_last = script->at + 1 == script->count;
  if (step->times ? ++script->used < step->times : is_last)
    return;
  script->used = 0;
  script->at++;
}

static void add_damage(struct sim_plan *plan, const struct sim_step *step)
{
  if (step->delay_ms > plan->delay_ms)
    plan->delay_ms = step->delay_ms;
  if (step->cut)
    plan->cut = step->cut;
  plan->is_garbage |= step->is_garbage;
  plan->is_truncated |= step->is_truncated;
}

/* A step of a fault that is about items goes to all of them. */
static void plan_faults(struct sim_scenario *scenario, const struct sim_endpoint *endpoint,
                        size_t count, struct sim_plan *plan)
{
  for (size_t i = 0; i < scenario->fault_count; i++) {
    struct fault *fault = &scenario->faults[i];
    const struct sim_step *step = &fault->step;
    if ((fault->endpoint && fault->endpoint != endpoint) || ++fault->seen % fault->every)
      continue;
    add_damage(plan, step);
    if (step->kind == SIM_STEP_STATUS || step->kind == SIM_STEP_BODY)
      plan->whole = step;
    for (size_t at = 0; step->kind != SIM_STEP_PASS && at < count; at++)
      plan->items[at] = step;
  }
}

void sim_scenario_plan(struct sim_scenario *scenario, const struct sim_endpoint *endpoint,
                       const struct ap_slice *items, size_t count, struct ap_slice alias,
                       struct sim_plan *plan)
{
  struct script *scripts[SIM_LIST_MAX] = {0};
  *plan = (struct sim_plan){0};
  scenario->turn++;
  plan_faults(scenario, endpoint, count, plan);
  if (plan->whole || (count && plan->items[0]))
    return;
  for (size_t i = 0; i < count; i++) {
    scripts[i] = find_script(scenario, endpoint->name, items[i], alias);
    const struct sim_step *step = current_step(scripts[i]);
    if (step && step->kind == SIM_STEP_STATUS) {
      plan->whole = step;
      add_damage(plan, step);
      advance(scenario, scripts[i]);
      return;
    }
    if (step)
      plan->items[i] = step;
  }
  for (size_t i = 0; i < count; i++) {
    const struct sim_step *step = scripts[i] ? plan->items[i] : NULL;
    if (step)
      add_damage(plan, step);
    advance(scenario, scripts[i]);
  }
}
