// SPDX-License-Identifier: Apache-2.0
#include "sim/sim.h"

#include <curl/curl.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "sim_unit.h"

/* ---- who may ask what ---- */

static void test_paths_methods_keys_and_rights(void **state)
{
  (void)state;
  static const struct {
    const char *method;
    const char *path;
    bool premium;
    int status;
  } cases[] = {
      {"GET", "/", false, 404},
      {"GET", "/vtapi/v2", false, 404},
      {"GET", "file/reports" Q, false, 404},
      {"GET", "file/report", false, 403},
      {"GET", "file/report?apikey=&resource=x", false, 403},
      {"GET", "file/report?apikey=" KEY "0&resource=x", false, 403},
      {"GET", "file/report?apikey=0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
       false, 403},
      {"GET", "file/report" Q, false, 400},
      {"GET", "file/report" Q "&resource=", false, 400},
      {"GET", "file/report" Q "&resource=" EICAR_MD5, false, 200},
      {"POST", "file/report" Q "&resource=" EICAR_MD5, false, 200},
      {"PUT", "file/report" Q "&resource=" EICAR_MD5, false, 405},
      {"GET", "url/scan" Q "&url=http://example.com/", false, 405},
      {"POST", "url/scan" Q "&url=http://example.com/", false, 200},
      {"POST", "domain/report" Q "&domain=example.com", false, 405},
      {"GET", "domain/report" Q, false, 400},
      {"GET", "domain/report" Q "&domain=example.com", false, 200},
      {"GET", "ip-address/report" Q, false, 400},
      {"GET", "ip-address/report" Q "&ip=8.8.8.8", false, 200},
      {"POST", "file/rescan" Q "&resource=" EICAR_MD5, false, 403},
      {"POST", "file/rescan" Q, true, 400},
      {"POST", "file/rescan" Q "&resource=" EICAR_MD5, true, 200},
      {"POST", "file/rescan/delete" Q "&resource=" EICAR_MD5, false, 403},
      {"POST", "file/rescan/delete" Q "&resource=" EICAR_MD5, true, 200},
      {"GET", "file/scan/upload_url" Q, false, 403},
      {"GET", "file/scan/upload_url" Q, true, 200},
      {"POST", "/_ah/upload/00" Q, false, 403},
      {"GET", "comments/get" Q "&resource=" EICAR_MD5, false, 403},
      {"GET", "comments/get" Q, true, 400},
      {"GET", "comments/get" Q "&resource=" EICAR_MD5, true, 200},
      {"POST", "comments/put" Q "&resource=" EICAR_MD5, false, 400},
      {"POST", "comments/put" Q "&resource=" EICAR_MD5 "&comment=x", false, 200},
      {"POST", "file/scan" Q, false, 400},
      {"POST", "file/scan", false, 403},
  };
  struct sim *sims[] = {start(false), start(true)};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct answer answer =
        client_ask(sims[cases[i].premium], cases[i].method, cases[i].path, NULL, NO_BODY);
    if (answer.status != cases[i].status)
      fail_msg("%s %s gave %d, not %d", cases[i].method, cases[i].path, answer.status,
               cases[i].status);
    if (answer.status != 200)
      assert_int_equal(answer.body.len, 0);
    answer_free(&answer);
  }
  sim_stop(sims[0]);
  sim_stop(sims[1]);
}

static void test_a_refused_key_gets_an_empty_page(void **state)
{
  (void)state;
  struct sim *sim = start(false);
  struct answer answer = get(sim, "file/report?apikey=wrong");
  assert_int_equal(answer.status, 403);
  assert_int_equal(answer.body.len, 0);
  assert_non_null(strstr(answer.text.ptr, "Content-Type: text/html; charset=utf-8\r\n"));
  assert_non_null(strstr(answer.text.ptr, "Content-Length: 0\r\n"));
  answer_free(&answer);
  sim_stop(sim);
}

static void test_url_scan_wants_a_urlencoded_form(void **state)
{
  (void)state;
  static const struct {
    const char *type;
    const char *body;
    int status;
  } cases[] = {
      {FORM, "apikey=" KEY "&url=example.com", 200},
      {FORM "; charset=utf-8", "apikey=" KEY "&url=example.com", 200},
      {"APPLICATION/X-WWW-FORM-URLENCODED", "apikey=" KEY "&url=example.com", 200},
      {"application/json", "{}", 403},
      {MULTIPART, "--XX--\r\n", 403},
  };
  struct sim *sim = start(false);
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_slice body = {cases[i].body, strlen(cases[i].body)};
    const char *path = cases[i].status == 200 ? "url/scan" : "url/scan" Q "&url=example.com";
    assert_int_equal(status_of(client_ask(sim, "POST", path, cases[i].type, body)),
                     cases[i].status);
  }
  sim_stop(sim);
}

static void test_arguments_come_in_query_form_or_multipart(void **state)
{
  (void)state;
  static const struct {
    const char *path;
    const char *type;
    const char *body;
  } cases[] = {
      {"file/report" Q "&resource=" EICAR_MD5, NULL, ""},
      {"file/report", FORM, "apikey=" KEY "&resource=" EICAR_MD5},
      {"file/report", FORM,
       "resource=%34"
       "4d88612fea8a8f36de82e1278abb02f&apikey=" KEY},
      {"file/report" Q, FORM, "resource=+" EICAR_MD5 "+"},
      {"file/report" Q, FORM, "resource=" EICAR_MD5 "&resource=0000"},
      {"file/report", MULTIPART,
       "--XX\r\nContent-Disposition: form-data; name=\"apikey\"\r\n\r\n" KEY "\r\n"
       "--XX\r\nContent-Disposition: form-data; name=\"resource\"\r\n\r\n" EICAR_MD5
       "\r\n--XX--\r\n"},
  };
  struct sim *sim = start(false);
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_slice body = {cases[i].body, strlen(cases[i].body)};
    struct answer answer = client_ask(sim, "POST", cases[i].path, cases[i].type, body);
    assert_json(&answer);
    assert_string_equal(text_in(answer.body, "resource"), EICAR_MD5);
    answer_free(&answer);
  }
  sim_stop(sim);
}

/* ---- quotas ---- */

static void test_each_item_is_charged_and_a_list_too_long_is_refused_whole(void **state)
{
  (void)state;
  struct sim_options options;
  sim_options_init(&options);
  struct sim *sim = start_with(&options);
  static const struct {
    const char *list;
    int status;
  } cases[] = {
      {EICAR_MD5 "," EMPTY_MD5 "," EICAR_SHA1, 200}, /* three of four used */
      {EICAR_MD5 "," EMPTY_MD5, 204},
      {EICAR_MD5, 200},
      {EICAR_MD5, 204},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    assert_int_equal(ask_eicar(sim, KEY, cases[i].list), cases[i].status);
  assert_int_equal(ask_eicar(sim, OTHER_KEY, EICAR_MD5), 200);
  sim_stop(sim);
}

static void test_an_upload_of_a_new_file_is_free(void **state)
{
  (void)state;
  char known[32];
  char fresh[32];
  find_content(true, known);
  find_content(false, fresh);
  struct sim_options options;
  sim_options_init(&options);
  options.per_minute = 1;
  struct sim *sim = start_with(&options);
  assert_int_equal(status_of(upload(sim, fresh)), 200);
  assert_int_equal(status_of(upload(sim, known)), 200);
  assert_int_equal(status_of(upload(sim, known)), 204);
  assert_int_equal(status_of(upload(sim, fresh)), 204); /* known by now */
  sim_stop(sim);
}

static void test_the_minute_slides_on(void **state)
{
  (void)state;
  use_clock("200");
  struct sim_options options;
  sim_options_init(&options);
  options.per_minute = 1;
  struct sim *sim = start_with(&options);
  uint64_t first_ms = ap_clock_ms();
  assert_int_equal(ask_eicar(sim, KEY, EICAR_MD5), 200);
  unsigned refused = 0;
  while (ask_eicar(sim, KEY, EICAR_MD5) == 204)
    refused++;
  assert_true(refused > 0);
  assert_true(ap_clock_ms() - first_ms >= 60000);
  assert_true(refused < 100000);
  sim_stop(sim);
}

/* Makes the clock show at_s, give or take a few minutes, and run on a hundred times as fast. */
static void use_clock_at(int64_t at_s)
{
  char setting[64];
  (void)snprintf(setting, sizeof(setting), "100@%lld",
                 (long long)((100 * (int64_t)time(NULL) - at_s) / 99));
  use_clock(setting);
}

static void test_days_and_months_begin_at_midnight_utc(void **state)
{
  (void)state;
  static const struct {
    const char *at;
    int day_status; /* of a key that has one request a day */
    int month_status;
  } cases[] = {
      {"2026-11-24 00:30:00", 200, 200}, {"2026-11-24 23:30:00", 204, 204},
      {"2026-11-25 00:30:00", 200, 204}, {"2026-11-30 23:30:00", 200, 204},
      {"2026-12-01 00:30:00", 200, 200}, {"2026-12-01 23:30:00", 204, 204},
      {"2027-12-01 23:30:00", 200, 200},
  };
  struct sim *sim = start_scenario("{\"keys\": {\"" KEY "\": {\"per_day\": 1}, \"" OTHER_KEY
                                   "\": {\"per_month\": 1}}}");
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    int64_t at_s = 0;
    assert_int_equal(ap_clock_parse_utc(cases[i].at, strlen(cases[i].at), &at_s), AP_OK);
    use_clock_at(at_s);
    assert_int_equal(ask_eicar(sim, KEY, EICAR_MD5), cases[i].day_status);
    assert_int_equal(ask_eicar(sim, OTHER_KEY, EICAR_MD5), cases[i].month_status);
  }
  sim_stop(sim);
}

/* ---- lists ---- */

static void add_repeated(struct ap_buf *form, const char *item, const char *separator, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    if (i)
      ap_buf_add_str(form, separator);
    ap_buf_add_str(form, item);
  }
}

static void test_lists_are_cut_without_a_word(void **state)
{
  (void)state;
  static const struct {
    const char *path;
    const char *arg;
    const char *item;
    const char *separator;
    bool premium;
    size_t sent;
    size_t answered; /* 1: an object */
  } cases[] = {
      {"file/report", "resource", EICAR_MD5, ",", false, 1, 1},
      {"file/report", "resource", EICAR_MD5, ",", false, 2, 2},
      {"file/report", "resource", EICAR_MD5, ",", false, 10, 4},
      {"file/report", "resource", EICAR_MD5, ", ", true, 30, 25},
      {"file/report", "resource", "", ",", false, 3, 0},
      {"file/report", "resource", EICAR_MD5 ",", "", false, 1, 1},
      {"file/report", "resource", EICAR_MD5, "%0A", false, 2, 1},
      {"url/report", "resource", "http://example.com/a,b", "%0A", false, 1, 1},
      {"url/report", "resource", "http://example.com/a,b", "%0A", false, 9, 4},
      {"url/report", "resource", "http://example.com/", "%0D%0A", true, 200, 25},
      {"url/scan", "url", "http://example.com/", "%0A", false, 50, 25},
      {"file/rescan", "resource", EICAR_MD5, ",", true, 50, 25},
  };
  struct sim *sims[] = {start(false), start(true)};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_buf form = {0};
    ap_buf_add_fmt(&form, "apikey=" KEY "&%s=", cases[i].arg);
    add_repeated(&form, cases[i].item, cases[i].separator, cases[i].sent);
    struct answer answer = post(sims[cases[i].premium], cases[i].path, form.ptr);
    assert_json(&answer);
    bool is_list = ap_json_kind(answer.body) == AP_JSON_ARRAY;
    assert_int_equal(is_list ? members(answer.body) : 1, cases[i].answered);
    assert_int_equal(is_list, cases[i].answered != 1);
    answer_free(&answer);
    ap_buf_deinit(&form);
  }
  sim_stop(sims[0]);
  sim_stop(sims[1]);
}

static void test_a_list_is_answered_in_its_order_and_may_mix_kinds(void **state)
{
  (void)state;
  static const char *const resources[] = {EMPTY_MD5, "nonsense", EICAR_SHA1, EICAR_SHA256};
  static const int64_t codes[] = {1, 0, 1, 1};
  struct sim *sim = start(false);
  struct answer answer =
      post(sim, "file/report",
           "apikey=" KEY "&resource=" EMPTY_MD5 ", nonsense ," EICAR_SHA1 "," EICAR_SHA256);
  assert_json(&answer);
  struct ap_json_walk walk = ap_json_walk(answer.body);
  for (size_t i = 0; i < COUNT_OF(resources); i++) {
    assert_true(ap_json_next(&walk));
    assert_string_equal(text_in(walk.value, "resource"), resources[i]);
    assert_int_equal(int_in(walk.value, "response_code"), codes[i]);
  }
  answer_free(&answer);
  sim_stop(sim);
}

/* ---- sizes ---- */

static void test_a_request_over_the_size_limit_is_413(void **state)
{
  (void)state;
  struct sim_options options = free_options(false);
  options.upload_max = 4096;
  struct sim *sim = start_with(&options);
  char content[8192];
  memset(content, 'x', sizeof(content));
  assert_int_equal(status_of(upload_to(sim, "file/scan", content, 3000)), 200);
  assert_int_equal(status_of(upload_to(sim, "file/scan", content, 4096)), 413);
  struct ap_buf form = {0};
  ap_buf_add_str(&form, "apikey=" KEY "&resource=");
  while (form.len < 1024 * 1024 + 10)
    ap_buf_add_str(&form, EICAR_MD5 ",");
  assert_int_equal(status_of(post(sim, "file/report", form.ptr)), 413);
  form.ptr[1000000] = '\0';
  assert_int_equal(status_of(post(sim, "file/report", form.ptr)), 200);
  ap_buf_deinit(&form);
  sim_stop(sim);
}

static void test_an_upload_url_has_a_limit_of_its_own(void **state)
{
  (void)state;
  struct sim_options options = free_options(true);
  options.upload_max = 4096;
  options.upload_url_max = 8192;
  struct sim *sim = start_with(&options);
  char content[16384];
  memset(content, 'x', sizeof(content));
  /* The size is judged first, then whether the URL was given. */
  assert_int_equal(status_of(upload_to(sim, "/_ah/upload/00", content, 8192)), 413);
  assert_int_equal(status_of(upload_to(sim, "/_ah/upload/00", content, 7000)), 404);
  sim_stop(sim);
}

static void test_who_waits_for_leave_to_send_is_told_at_once(void **state)
{
  (void)state;
  struct sim *sim = start(false);
  static const char head[] = "POST /vtapi/v2/file/scan HTTP/1.1\r\nHost: x\r\n"
                             "Content-Type: " MULTIPART "\r\n"
                             "Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n";
  struct answer answer = client_exchange(sim, head, strlen(head));
  assert_int_equal(answer.status, 413);
  answer_free(&answer);
  sim_stop(sim);
}

/* ---- the log ---- */

static void test_the_log_has_a_line_a_request_and_never_a_key(void **state)
{
  (void)state;
  char path[] = "/tmp/apogee-sim-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  struct sim_options options = free_options(false);
  options.request_log = path;
  struct sim *sim = start_with(&options);
  assert_int_equal(ask_eicar(sim, KEY, EICAR_MD5 ", " EMPTY_MD5), 200);
  assert_int_equal(status_of(get(sim, "file/report?apikey=wrong")), 403);
  assert_int_equal(status_of(upload(sim, "hello world\n")), 200);
  assert_int_equal(sim_request_count(sim, NULL), 3);
  assert_int_equal(sim_request_count(sim, "file/report"), 2);
  assert_int_equal(sim_request_count(sim, "file/scan"), 1);
  assert_int_equal(sim_request_count(sim, "no/such"), 0);
  sim_stop(sim);
  char text[4096] = "";
  assert_true(read(fd, text, sizeof(text) - 1) > 0);
  (void)close(fd);
  (void)unlink(path);
  char key_id[65];
  assert_int_equal(ap_sha256_hex(KEY, 64, key_id), AP_OK);
  assert_null(strstr(text, KEY));
  assert_null(strstr(text, "wrong"));
  struct ap_slice lines[3];
  char *at = text;
  for (size_t i = 0; i < COUNT_OF(lines); i++) {
    lines[i] = (struct ap_slice){at, strcspn(at, "\n")};
    assert_int_equal(ap_json_check(lines[i], 8, 100, NULL), AP_OK);
    assert_int_equal(int_in(lines[i], "n"), i + 1);
    at += lines[i].len + 1;
  }
  assert_int_equal(*at, '\0');
  struct ap_slice resources;
  assert_true(ap_json_get(lines[0], "resources", &resources));
  assert_true(ap_slice_is(resources, "[\"" EICAR_MD5 "\",\"" EMPTY_MD5 "\"]"));
  assert_string_equal(text_in(lines[0], "method"), "POST");
  assert_string_equal(text_in(lines[0], "endpoint"), "file/report");
  assert_memory_equal(text_in(lines[0], "key"), key_id, 8);
  assert_int_equal(int_in(lines[1], "status"), 403);
  assert_string_equal(text_in(lines[2], "filename"), "sample.bin");
  assert_memory_equal(text_in(lines[2], "sha256"), "a948904f2f0f479b", 16);
}

/* ---- connections ---- */

static void test_a_connection_serves_one_request_after_another(void **state)
{
  (void)state;
  struct sim *sim = start(false);
  static const char requests[] =
      "GET /vtapi/v2/file/report" Q "&resource=x HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /vtapi/v2/file/report" Q "&resource=y HTTP/1.1\r\nHost: a\r\n"
      "Connection: close\r\n\r\n";
  struct answer answer = client_exchange(sim, requests, strlen(requests));
  const char *first = strstr(answer.text.ptr, "\"resource\": \"x\"");
  assert_non_null(first);
  assert_non_null(strstr(first, "\"resource\": \"y\""));
  answer_free(&answer);
  sim_stop(sim);
}

struct asker {
  pthread_t thread;
  const struct sim *sim;
  unsigned good;
};

static void *ask_often(void *arg)
{
  struct asker *asker = arg;
  for (unsigned i = 0; i < 10; i++) {
    char path[200];
    (void)snprintf(path, sizeof(path), "ip-address/report" Q "&ip=192.0.2.%u", i);
    asker->good += status_of(get(asker->sim, path)) == 200;
  }
  return NULL;
}

static void test_sixty_four_clients_at_once_are_served(void **state)
{
  (void)state;
  struct asker askers[64];
  struct sim *sim = start(false);
  for (size_t i = 0; i < COUNT_OF(askers); i++) {
    askers[i] = (struct asker){.sim = sim};
    assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_often, &askers[i]), 0);
  }
  for (size_t i = 0; i < COUNT_OF(askers); i++) {
    assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
    assert_int_equal(askers[i].good, 10);
  }
  assert_int_equal(sim_request_count(sim, NULL), 640);
  sim_stop(sim);
}

static void test_stopping_ends_a_delayed_answer_at_once(void **state)
{
  (void)state;
  struct sim *sim = start_scenario("{\"answers\": {\"file/report *\": [{\"delay_ms\": 600000}]}}");
  static const char request[] =
      "GET /vtapi/v2/file/report" Q "&resource=x HTTP/1.1\r\nHost: a\r\n\r\n";
  int fd = client_connect(sim_port(sim));
  assert_true(client_send(fd, request, strlen(request)));
  uint64_t start_ms = ap_clock_ms();
  while (sim_request_count(sim, NULL) == 0 && ap_clock_ms() - start_ms < 20000)
    (void)sched_yield();
  assert_int_equal(sim_request_count(sim, NULL), 1);
  sim_stop(sim);
  assert_true(ap_clock_ms() - start_ms < 20000);
  struct answer answer = client_read(fd);
  assert_int_equal(answer.status, 0);
  answer_free(&answer);
  (void)close(fd);
}

static void test_latency_is_added_to_each_answer(void **state)
{
  (void)state;
  struct sim_options options = free_options(false);
  options.latency_ms = 40;
  struct sim *sim = start_with(&options);
  uint64_t start_ms = ap_clock_ms();
  assert_int_equal(ask_eicar(sim, KEY, EICAR_MD5), 200);
  assert_true(ap_clock_ms() - start_ms >= 39);
  sim_stop(sim);
}

static void test_hostile_requests_do_no_harm(void **state)
{
  (void)state;
#define POST_HEAD "POST /vtapi/v2/file/scan" Q " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
  static const char *const requests[] = {
      "\r\n\r\n\r\n",
      "GARBAGE\r\n\r\n",
      "GET /vtapi/v2/file/report HTTP/9.9\r\n\r\n",
      "GET /vtapi/v2/file/report?%%%=%zz&apikey=%00%ff&&&==&resource=%4 HTTP/1.1\r\nHost: x\r\n"
      "Connection: close\r\n\r\n",
      "GET /vtapi/v2/url/report" Q "&resource=%00%01%02%0a%0a%0a%ff%fe HTTP/1.1\r\nHost: x\r\n"
      "Connection: close\r\n\r\n",
      "GET /vtapi/v2/domain/report" Q "&domain=%ff.%fe.%c0%80 HTTP/1.1\r\nHost: x\r\n"
      "Connection: close\r\n\r\n",
      "GET /vtapi/v2/ip-address/report" Q "&ip=8.8.8.8%00.9 HTTP/1.1\r\nHost: x\r\n"
      "Connection: close\r\n\r\n",
      "GET /_ah/upload/../../../../etc/passwd" Q
      " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
      POST_HEAD "Content-Type: multipart/form-data\r\nContent-Length: 3\r\n\r\nabc",
      POST_HEAD "Content-Type: multipart/form-data; boundary=\r\nContent-Length: 3\r\n\r\nabc",
      POST_HEAD "Content-Type: " MULTIPART "\r\nContent-Length: 9\r\n\r\n--XX\r\n\r\n\r",
      POST_HEAD
      "Content-Type: " MULTIPART "\r\nContent-Length: 80\r\n\r\n"
      "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\r\n\r\n--XX--\r\n"
      "padpadpad",
      POST_HEAD "Content-Type: " MULTIPART
                "\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n0\r\n\r\n",
      POST_HEAD "Content-Type: " FORM "\r\nContent-Length: -5\r\n\r\n",
      POST_HEAD "Content-Type: " FORM "\r\nContent-Length: 99999999999999999999999\r\n\r\n",
      POST_HEAD "Content-Type: " FORM "\r\nContent-Length: 4000000000\r\n\r\nx",
  };
  struct sim *sim = start(true);
  for (size_t i = 0; i < COUNT_OF(requests); i++) {
    int fd = client_connect(sim_port(sim));
    (void)client_send(fd, requests[i], strlen(requests[i]));
    (void)shutdown(fd, SHUT_WR);
    struct answer answer = client_read(fd);
    assert_true(answer.status != 500);
    if (answer.status == 200)
      assert_json(&answer);
    answer_free(&answer);
    (void)close(fd);
    assert_int_equal(ask_eicar(sim, KEY, EICAR_MD5), 200);
  }
  sim_stop(sim);
}

static void test_thousands_of_arguments_and_long_urls_are_taken(void **state)
{
  (void)state;
  struct sim *sim = start(true);
  struct ap_buf text = {0};
  ap_buf_add_str(&text, "apikey=" KEY);
  for (unsigned i = 0; i < 20000; i++)
    ap_buf_add_fmt(&text, "&a%u=%u", i, i);
  ap_buf_add_str(&text, "&resource=" EICAR_MD5);
  assert_int_equal(code_of(post(sim, "file/report", text.ptr)), 1);
  ap_buf_clear(&text);
  ap_buf_add_str(&text, "url/report" Q "&resource=");
  for (unsigned i = 0; i < 25; i++) {
    ap_buf_add_fmt(&text, "http://example.com/%u?", i);
    for (unsigned k = 0; k < 1500; k++)
      ap_buf_add_char(&text, 'x');
    ap_buf_add_str(&text, "%0A");
  }
  struct answer answer = get(sim, text.ptr);
  assert_json(&answer);
  assert_int_equal(members(answer.body), 25);
  answer_free(&answer);
  ap_buf_deinit(&text);
  sim_stop(sim);
}

static void test_a_port_in_use_is_an_error(void **state)
{
  (void)state;
  struct sim *sim = start(false);
  struct sim *second = NULL;
  struct ap_error err = {0};
  struct sim_options options = free_options(false);
  options.port = (uint16_t)sim_port(sim);
  assert_int_equal(sim_start(&options, &second, &err), AP_E_NETWORK);
  assert_non_null(strstr(err.text, "Address already in use"));
  sim_stop(sim);
  sim_stop(NULL);
}

/* ---- TLS ---- */

static size_t ignore_body(char *data, size_t size, size_t count, void *arg)
{
  (void)data;
  (void)arg;
  return size * count;
}

static CURLcode curl_status(const char *url, const char *ca_pem, long *status)
{
  CURL *curl = curl_easy_init();
  assert_non_null(curl);
  if (ca_pem) {
    struct curl_blob blob = {.data = NULL, .len = strlen(ca_pem), .flags = CURL_BLOB_COPY};
    char *copy = ap_memdup(ca_pem, blob.len);
    blob.data = copy;
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob), CURLE_OK);
    free(copy);
  }
  (void)curl_easy_setopt(curl, CURLOPT_URL, url);
  (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
  (void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore_body);
  CURLcode rc = curl_easy_perform(curl);
  (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
  curl_easy_cleanup(curl);
  return rc;
}

static void test_https_is_trusted_with_its_certificate_only(void **state)
{
  (void)state;
  struct sim_options options = free_options(false);
  options.tls = true;
  struct sim *sim = start_with(&options);
  long status = 0;
  char url[256];
  assert_memory_equal(sim_url(sim), "https://127.0.0.1:", 18);
  (void)snprintf(url, sizeof(url), "%s/file/report" Q "&resource=" EICAR_MD5, sim_url(sim));
  assert_int_equal(curl_status(url, sim_ca_pem(sim), &status), CURLE_OK);
  assert_int_equal(status, 200);
  (void)snprintf(url, sizeof(url), "https://localhost:%d/vtapi/v2/none", sim_port(sim));
  assert_int_equal(curl_status(url, sim_ca_pem(sim), &status), CURLE_OK);
  assert_int_equal(status, 404);
  assert_int_equal(curl_status(sim_url(sim), NULL, &status), CURLE_PEER_FAILED_VERIFICATION);
  sim_stop(sim);
  struct sim *plain = start(false);
  assert_null(sim_ca_pem(plain));
  sim_stop(plain);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      SIM_TEST(test_paths_methods_keys_and_rights),
      SIM_TEST(test_a_refused_key_gets_an_empty_page),
      SIM_TEST(test_url_scan_wants_a_urlencoded_form),
      SIM_TEST(test_arguments_come_in_query_form_or_multipart),
      SIM_TEST(test_each_item_is_charged_and_a_list_too_long_is_refused_whole),
      SIM_TEST(test_an_upload_of_a_new_file_is_free),
      SIM_TEST(test_the_minute_slides_on),
      SIM_TEST(test_days_and_months_begin_at_midnight_utc),
      SIM_TEST(test_lists_are_cut_without_a_word),
      SIM_TEST(test_a_list_is_answered_in_its_order_and_may_mix_kinds),
      SIM_TEST(test_a_request_over_the_size_limit_is_413),
      SIM_TEST(test_an_upload_url_has_a_limit_of_its_own),
      SIM_TEST(test_who_waits_for_leave_to_send_is_told_at_once),
      SIM_TEST(test_the_log_has_a_line_a_request_and_never_a_key),
      SIM_TEST(test_a_connection_serves_one_request_after_another),
      SIM_TEST(test_sixty_four_clients_at_once_are_served),
      SIM_TEST(test_stopping_ends_a_delayed_answer_at_once),
      SIM_TEST(test_latency_is_added_to_each_answer),
      SIM_TEST(test_hostile_requests_do_no_harm),
      SIM_TEST(test_thousands_of_arguments_and_long_urls_are_taken),
      SIM_TEST(test_a_port_in_use_is_an_error),
      SIM_TEST(test_https_is_trusted_with_its_certificate_only),
  };
  if (curl_global_init(CURL_GLOBAL_DEFAULT))
    return 1;
  int failed = cmocka_run_group_tests(tests, reset_clock, NULL);
  curl_global_cleanup();
  return failed;
}
