/* Answers that a scenario gives in place of services. */
// SPDX-License-Identifier: Apache-2.0
#include "net/web_answers.h"

#include <string.h>

#include "base/secret.h"
#include "script/data.h"
#include "unit.h"

struct given {
  struct ap_value value;
  struct net_web_answers *answers;
};

static int read_rows(const char *text, struct given *given, struct ap_error *err)
{
  *given = (struct given){0};
  if (script_data_parse("rows", (struct ap_slice){text, strlen(text)}, &given->value, err) != AP_OK)
    fail_msg("%s", err->text);
  return net_web_answers_new(&given->value, &given->answers, err);
}

static void setup(const char *text, struct given *given)
{
  struct ap_error err = {0};
  if (read_rows(text, given, &err) != AP_OK)
    fail_msg("%s", err.text);
}

static void teardown(struct given *given)
{
  net_web_answers_free(given->answers);
  ap_value_deinit(&given->value);
}

/* The body of the answer; NULL when there is none, and err says why. */
static const char *take(struct given *given, const char *method, const char *url, const char *body,
                        struct ap_error *err)
{
  const struct net_web_asked asked = {
      .method = method, .url = url, .body = {body, body ? strlen(body) : 0}};
  struct net_web_given answer;
  err->text[0] = '\0';
  int rc = net_web_answers_take(given->answers, &asked, &answer, err);
  if (rc == AP_OK)
    return answer.body.ptr ? answer.body.ptr : "";
  assert_int_equal(AP_E_DENIED, rc);
  return NULL;
}

static void test_a_row_is_for_its_url_method_and_body(void **state)
{
  struct given given;
  struct ap_error err;
  (void)state;
  setup("return {"
        "{ url = 'https://a.example/q?x=1', body = 'exact' }, { url = 'https://a.example/q', body "
        "= 'any' },"
        "{ url = 'https://a.example/p', method = 'POST', sent = 'one', body = 'of one' },"
        "{ url = 'https://a.example/p', method = 'POST', body = 'of all' } }",
        &given);
  assert_string_equal("exact", take(&given, "GET", "https://a.example/q?x=1", NULL, &err));
  assert_string_equal("any", take(&given, "GET", "https://a.example/q?x=2", NULL, &err));
  assert_string_equal("any", take(&given, "PUT", "https://a.example/q", "b", &err));
  assert_string_equal("of one", take(&given, "POST", "https://a.example/p", "one", &err));
  assert_string_equal("of all", take(&given, "POST", "https://a.example/p", "two", &err));
  assert_null(take(&given, "GET", "https://a.example/p", "one", &err));
  assert_null(take(&given, "GET", "https://a.example/qq", NULL, &err));
  teardown(&given);
}

static void test_rows_for_one_request_answer_in_order_and_the_last_stays(void **state)
{
  struct given given;
  struct ap_error err;
  (void)state;
  setup("return { { url = 'https://a.example/', body = '1' }, { url = 'https://a.example/', body = "
        "'2' } }",
        &given);
  static const char *const bodies[] = {"1", "2", "2"};
  for (size_t i = 0; i < COUNT_OF(bodies); i++)
    assert_string_equal(bodies[i], take(&given, "GET", "https://a.example/", NULL, &err));
  teardown(&given);
}

static void test_what_no_row_is_for_names_the_nearest(void **state)
{
  struct given given;
  struct ap_error err;
  (void)state;
  setup("return { { url = 'https://b.example/' }, { url = 'https://a.example/check', method = "
        "'POST', "
        "sent = 'x' } }",
        &given);
  assert_null(take(&given, "GET", "https://a.example/chek", NULL, &err));
  assert_string_equal("no answer is given for GET https://a.example/chek; the nearest is POST "
                      "https://a.example/check",
                      err.text);
  assert_null(take(&given, "POST", "https://a.example/check", "y", &err));
  assert_string_equal("no answer is given for POST https://a.example/check; the nearest is POST "
                      "https://a.example/check with another body",
                      err.text);
  teardown(&given);
  setup("return {}", &given);
  assert_null(take(&given, "GET", "https://a.example/", NULL, &err));
  assert_non_null(strstr(err.text, "nor for any other request"));
  teardown(&given);
}

static void test_a_json_value_becomes_text(void **state)
{
  struct given given;
  struct ap_error err;
  (void)state;
  setup("return { { url = 'https://a.example/', json = { list = { 1, 2.5, 0.1, 'a\"b', true, {} }, "
        "n = "
        "54 }, headers = { ['Retry-After'] = '7' }, status = 429, delay_ms = 5 } }",
        &given);
  const struct net_web_asked asked = {.method = "GET", .url = "https://a.example/"};
  struct net_web_given answer;
  assert_int_equal(AP_OK, net_web_answers_take(given.answers, &asked, &answer, &err));
  assert_string_equal("{\"list\":[1,2.5,0.1,\"a\\\"b\",true,[]],\"n\":54}", answer.body.ptr);
  assert_string_equal("Retry-After: 7\r\nContent-Type: application/json\r\n", answer.head.ptr);
  assert_int_equal(429, answer.status);
  assert_int_equal(7, answer.retry_after_s);
  assert_int_equal(5, answer.delay_ms);
  teardown(&given);
}

static void test_what_is_wrong_with_a_row_is_said(void **state)
{
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"return { x = 1 }", "must be a list"},
      {"return { 'https://a.example/' }", "http[1] must be a table"},
      {"return { {} , 5 }", "http[1] must be a table"},
      {"return { { body = '' } }", "http[1].url is missing"},
      {"return { { url = 'https://a/', stat = 1 } }",
       "unknown field \"stat\"; did you mean \"status\"?"},
      {"return { { url = 'https://a/' }, { url = 5 } }", "http[2].url must be a text"},
      {"return { { url = 'https://a/', status = 1000 } }", "http[1].status must be a whole number"},
      {"return { { url = 'https://a/', status = 99 } }", "http[1].status is from 100 to 599"},
      {"return { { url = 'https://a/', fails = 'never' } }", "must be timeout, network"},
      {"return { { url = 'https://a/', body = {} } }", "http[1].body must be a text"},
      {"return { { url = 'https://a/', body = '', json = {} } }", "one of them"},
      {"return { { url = 'https://a/', json = { a = { 1 / 0 } } } }", "http[1].json has a number"},
      {"return { { url = 'https://a/', json = 0 / 0 } }", "http[1].json has a number"},
      {"return { { url = 'https://a/', headers = { a = 'b\\r\\nc' } } }", "a line of text each"},
      {"return { { url = 'https://a/', headers = { 'a: b' } } }", "a table of names and values"},
      {"return { { url = 'https://a/', delay_ms = -1 } }",
       "http[1].delay_ms must be a whole number"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct given given;
    struct ap_error err = {0};
    if (read_rows(cases[i].text, &given, &err) != AP_E_INVALID)
      fail_msg("%s was taken", cases[i].text);
    if (!strstr(err.text, cases[i].message))
      fail_msg("%s: %s", cases[i].text, err.text);
    ap_value_deinit(&given.value);
  }
}

static void test_secrets_are_masked_in_one_length(void **state)
{
  struct ap_secret *secret = NULL;
  struct ap_error err = {0};
  struct ap_buf out = {0};
  (void)state;
  assert_int_equal(AP_OK, ap_secret_new("name", "canary-4711", 11, &secret, &err));
  static const char text[] = "a canary-4711 b ** c canary-471 *** canary-4711";
  net_web_mask(&out, text, strlen(text));
  assert_string_equal("a *** b ** c canary-471 *** ***", ap_buf_cstr(&out));
  ap_buf_clear(&out);
  net_web_mask(&out, "", 0);
  assert_string_equal("", ap_buf_cstr(&out));
  ap_buf_deinit(&out);
  ap_secret_free(secret);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_row_is_for_its_url_method_and_body),
      cmocka_unit_test(test_rows_for_one_request_answer_in_order_and_the_last_stays),
      cmocka_unit_test(test_what_no_row_is_for_names_the_nearest),
      cmocka_unit_test(test_a_json_value_becomes_text),
      cmocka_unit_test(test_what_is_wrong_with_a_row_is_said),
      cmocka_unit_test(test_secrets_are_masked_in_one_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
