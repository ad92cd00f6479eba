/* What the tests of the simulator share: starting one, asking it, reading its answers. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.h"
#include "base/digest.h"
#include "sim/sim_data.h"
#include "sim_client.h"

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER_KEY "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define Q "?apikey=" KEY
#define FORM "application/x-www-form-urlencoded"
#define MULTIPART "multipart/form-data; boundary=XX"
#define EICAR_MD5 "44d88612fea8a8f36de82e1278abb02f"
#define EICAR_SHA1 "3395856ce81f2b7382dee72602f798b642f14140"
#define EICAR_SHA256 "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
#define EMPTY_MD5 "d41d8cd98f00b204e9800998ecf8427e"
#define NO_BODY ((struct ap_slice){"", 0})

/* ---- starting, asking, reading ---- */

static inline void use_clock(const char *setting)
{
  if (setting)
    assert_int_equal(setenv("APOGEE_CLOCK", setting, 1), 0);
  else
    assert_int_equal(unsetenv("APOGEE_CLOCK"), 0);
  assert_int_equal(ap_clock_init(NULL), AP_OK);
}

static inline int reset_clock(void **state)
{
  (void)state;
  use_clock(NULL);
  return 0;
}

static inline struct sim *start_with(const struct sim_options *options)
{
  struct sim *sim = NULL;
  struct ap_error err = {0};
  if (sim_start(options, &sim, &err))
    fail_msg("%s", err.text);
  return sim;
}

/* Without quotas, so that a test may ask as often as it likes. */
static inline struct sim_options free_options(bool premium)
{
  struct sim_options options;
  sim_options_init(&options);
  options.premium = premium;
  options.per_minute = options.per_day = options.per_month = 0;
  return options;
}

static inline struct sim *start(bool premium)
{
  struct sim_options options = free_options(premium);
  return start_with(&options);
}

static inline struct sim *start_scenario(const char *json)
{
  struct sim_options options = free_options(false);
  struct ap_value scenario;
  scenario_parse(json, &scenario);
  options.scenario = &scenario;
  struct sim *sim = start_with(&options);
  ap_value_deinit(&scenario); /* what is needed later was copied */
  return sim;
}

static inline struct answer get(const struct sim *sim, const char *path)
{
  return client_ask(sim, "GET", path, NULL, NO_BODY);
}

static inline struct answer post(const struct sim *sim, const char *path, const char *form)
{
  return client_ask(sim, "POST", path, FORM, (struct ap_slice){form, strlen(form)});
}

static inline int status_of(struct answer answer)
{
  int status = answer.status;
  answer_free(&answer);
  return status;
}

static inline int64_t int_in(struct ap_slice object, const char *key)
{
  struct ap_slice value;
  int64_t number = 0;
  if (!ap_json_get(object, key, &value) || !ap_json_read_int(value, &number))
    fail_msg("no whole number %s in %.*s", key, (int)object.len, object.ptr);
  return number;
}

static inline bool has(struct ap_slice object, const char *key)
{
  struct ap_slice value;
  return ap_json_get(object, key, &value);
}

/* Valid until the next call of another text. */
static inline const char *text_in(struct ap_slice object, const char *key)
{
  static char texts[4][512];
  static unsigned turn;
  char *text = texts[turn++ % COUNT_OF(texts)];
  struct ap_slice value;
  struct ap_buf read = {0};
  if (!ap_json_get(object, key, &value))
    fail_msg("no %s in %.*s", key, (int)object.len, object.ptr);
  ap_json_read_string(value, &read);
  (void)snprintf(text, sizeof(texts[0]), "%s", ap_buf_cstr(&read));
  ap_buf_deinit(&read);
  return text;
}

static inline size_t members(struct ap_slice container)
{
  size_t count = 0;
  struct ap_json_walk walk = ap_json_walk(container);
  while (ap_json_next(&walk))
    count++;
  return count;
}

static inline void assert_json(const struct answer *answer)
{
  struct ap_error err = {0};
  assert_int_equal(answer->status, 200);
  assert_true(answer->is_whole);
  if (ap_json_check(answer->body, 64, 100000, &err))
    fail_msg("%s in %.*s", err.text, (int)answer->body.len, answer->body.ptr);
}

/* Asks, wants one JSON object, and gives its response_code. */
static inline int64_t code_of(struct answer answer)
{
  assert_json(&answer);
  int64_t code = int_in(answer.body, "response_code");
  answer_free(&answer);
  return code;
}

static inline int64_t file_code(const struct sim *sim, const char *resource)
{
  char form[256];
  (void)snprintf(form, sizeof(form), "apikey=" KEY "&resource=%s", resource);
  return code_of(post(sim, "file/report", form));
}

/* ---- uploads ---- */

static inline void add_part(struct ap_buf *out, const char *name, const char *filename,
                            const char *content, size_t len)
{
  ap_buf_add_fmt(out, "--XX\r\nContent-Disposition: form-data; name=\"%s\"", name);
  if (filename)
    ap_buf_add_fmt(out, "; filename=\"%s\"\r\nContent-Type: application/octet-stream", filename);
  ap_buf_add_str(out, "\r\n\r\n");
  ap_buf_add(out, content, len);
  ap_buf_add_str(out, "\r\n");
}

static inline struct answer upload_to(const struct sim *sim, const char *path, const char *content,
                                      size_t len)
{
  struct ap_buf body = {0};
  add_part(&body, "apikey", NULL, KEY, 64);
  add_part(&body, "file", "sample.bin", content, len);
  ap_buf_add_str(&body, "--XX--\r\n");
  struct answer answer = client_ask(sim, "POST", path, MULTIPART, ap_slice_of(&body));
  ap_buf_deinit(&body);
  return answer;
}

static inline struct answer upload(const struct sim *sim, const char *content)
{
  return upload_to(sim, "file/scan", content, strlen(content));
}

/* A content that the simulator has, or has not, known all along. */
static inline void find_content(bool is_known, char content[32])
{
  for (unsigned i = 0; i < 10000; i++) {
    char sha256[65];
    struct sim_facts facts;
    (void)snprintf(content, 32, "content %u", i);
    assert_int_equal(ap_sha256_hex(content, strlen(content), sha256), AP_OK);
    sim_file_facts(sha256, 0, &facts);
    if (facts.is_known == is_known)
      return;
  }
  fail_msg("nothing of that kind");
}

static inline int ask_eicar(const struct sim *sim, const char *key, const char *list)
{
  char form[512];
  (void)snprintf(form, sizeof(form), "apikey=%s&resource=%s", key, list);
  return status_of(post(sim, "file/report", form));
}

static inline void assert_counts_agree(struct ap_slice report)
{
  struct ap_slice scans;
  struct ap_slice detected;
  int64_t positives = 0;
  assert_true(ap_json_get(report, "scans", &scans));
  struct ap_json_walk walk = ap_json_walk(scans);
  while (ap_json_next(&walk)) {
    assert_true(ap_json_get(walk.value, "detected", &detected));
    positives += ap_slice_is(detected, "true");
  }
  assert_int_equal(int_in(report, "total"), members(scans));
  assert_int_equal(int_in(report, "positives"), positives);
}

#define SIM_TEST(name) cmocka_unit_test_teardown(name, reset_clock)
