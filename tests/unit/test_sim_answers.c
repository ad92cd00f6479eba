// SPDX-License-Identifier: Apache-2.0
#include <sched.h>

#include "sim/sim_canonical.h"
#include "sim_unit.h"

/* ---- file reports ---- */

static void test_eicar_is_found_by_each_of_its_digests(void **state)
{
  (void)state;
  static const char *const resources[] = {EICAR_MD5, EICAR_SHA1, EICAR_SHA256,
                                          "44D88612FEA8A8F36DE82E1278ABB02F"};
  struct sim *sim = start(false);
  for (size_t i = 0; i < COUNT_OF(resources); i++) {
    char path[256];
    (void)snprintf(path, sizeof(path), "file/report" Q "&resource=%s", resources[i]);
    struct answer answer = get(sim, path);
    assert_json(&answer);
    assert_string_equal(text_in(answer.body, "resource"), resources[i]);
    assert_string_equal(text_in(answer.body, "md5"), EICAR_MD5);
    assert_string_equal(text_in(answer.body, "sha1"), EICAR_SHA1);
    assert_string_equal(text_in(answer.body, "sha256"), EICAR_SHA256);
    assert_string_equal(text_in(answer.body, "verbose_msg"), "Scan finished, information embedded");
    assert_int_equal(int_in(answer.body, "positives"), 63);
    assert_counts_agree(answer.body);
    answer_free(&answer);
  }
  sim_stop(sim);
}

static void test_scan_id_date_and_permalink_tell_the_same_time(void **state)
{
  (void)state;
  struct sim *sim = start(false);
  struct answer answer = get(sim, "file/report" Q "&resource=" EICAR_MD5);
  assert_json(&answer);
  const char *date = text_in(answer.body, "scan_date");
  int64_t date_s = 0;
  assert_int_equal(ap_clock_parse_utc(date, strlen(date), &date_s), AP_OK);
  char text[300];
  (void)snprintf(text, sizeof(text), EICAR_SHA256 "-%lld", (long long)date_s);
  assert_string_equal(text_in(answer.body, "scan_id"), text);
  (void)snprintf(text, sizeof(text),
                 "https://www.virustotal.com/gui/file/" EICAR_SHA256 "/detection/f-" EICAR_SHA256
                 "-%lld",
                 (long long)date_s);
  assert_string_equal(text_in(answer.body, "permalink"), text);
  int64_t age_s = ap_clock_unix_ms() / 1000 - date_s;
  assert_in_range(age_s, 86400, 402 * 86400);
  assert_int_equal(file_code(sim, text_in(answer.body, "scan_id")), 1);
  answer_free(&answer);
  sim_stop(sim);
}

static void test_a_hash_gives_the_same_answer_in_every_simulator(void **state)
{
  (void)state;
  struct sim *first = start(false);
  struct sim *second = start(false);
  for (unsigned i = 0; i < 20; i++) {
    char path[256];
    (void)snprintf(path, sizeof(path), "file/report" Q "&resource=%064x", i);
    struct answer a = get(first, path);
    struct answer b = get(second, path);
    assert_json(&a);
    assert_int_equal(a.body.len, b.body.len);
    assert_memory_equal(a.body.ptr, b.body.ptr, a.body.len);
    if (int_in(a.body, "response_code") == 1)
      assert_counts_agree(a.body);
    answer_free(&a);
    answer_free(&b);
  }
  sim_stop(first);
  sim_stop(second);
}

static void test_the_three_digests_of_a_file_agree_whichever_is_asked(void **state)
{
  (void)state;
  static const char *const keys[] = {"md5", "sha1", "sha256"};
  struct sim *sim = start(false);
  unsigned known = 0;
  for (unsigned i = 0; i < 12; i++) {
    char path[256];
    (void)snprintf(path, sizeof(path), "file/report" Q "&resource=%0*x",
                   i % 3 == 0   ? 32
                   : i % 3 == 1 ? 40
                                : 64,
                   i + 1000);
    struct answer first = get(sim, path);
    assert_json(&first);
    for (size_t k = 0; k < COUNT_OF(keys) && int_in(first.body, "response_code") == 1; k++) {
      known++;
      (void)snprintf(path, sizeof(path), "file/report" Q "&resource=%s",
                     text_in(first.body, keys[k]));
      struct answer again = get(sim, path);
      for (size_t j = 0; j < COUNT_OF(keys); j++)
        assert_string_equal(text_in(again.body, keys[j]), text_in(first.body, keys[j]));
      assert_int_equal(int_in(again.body, "positives"), int_in(first.body, "positives"));
      answer_free(&again);
    }
    answer_free(&first);
  }
  assert_true(known > 0);
  sim_stop(sim);
}

static void test_a_tenth_is_unknown_and_a_quarter_malicious(void **state)
{
  (void)state;
  unsigned unknown = 0;
  unsigned malicious = 0;
  for (unsigned i = 0; i < 2000; i++) {
    char sha256[65];
    struct sim_facts facts;
    (void)snprintf(sha256, sizeof(sha256), "%064x", i);
    sim_file_facts(sha256, 1700000000, &facts);
    assert_in_range(facts.total, 55, 70);
    assert_true(facts.positives <= facts.total && facts.positives <= 60);
    unknown += !facts.is_known;
    malicious += facts.is_known && facts.positives >= 3;
  }
  assert_in_range(unknown, 150, 250);
  assert_in_range(malicious, 420, 580);
}

static void test_what_is_no_file_is_told_in_the_right_words(void **state)
{
  (void)state;
  static const struct {
    const char *resource;
    const char *words;
  } cases[] = {
      {"nonsense", "Invalid resource, check what you are submitting"},
      {"44d88612fea8a8f36de82e1278abb02", "Invalid resource, check what you are submitting"},
      {EICAR_SHA256 "-", "Invalid resource, check what you are submitting"},
      {EICAR_SHA256 "-0", "Invalid resource, check what you are submitting"},
      {EICAR_SHA256 "-12x", "Invalid resource, check what you are submitting"},
      {EICAR_SHA256 "-9999999999999",
       "The requested resource is not among the finished, queued or pending scans"},
  };
  struct sim *sim = start(false);
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char path[300];
    (void)snprintf(path, sizeof(path), "file/report" Q "&resource=%s", cases[i].resource);
    struct answer answer = get(sim, path);
    assert_json(&answer);
    assert_int_equal(members(answer.body), 3);
    assert_int_equal(int_in(answer.body, "response_code"), 0);
    assert_string_equal(text_in(answer.body, "resource"), cases[i].resource);
    assert_string_equal(text_in(answer.body, "verbose_msg"), cases[i].words);
    answer_free(&answer);
  }
  sim_stop(sim);
}

static void test_allinfo_is_for_premium_keys_and_ignored_for_others(void **state)
{
  (void)state;
  for (int premium = 0; premium < 2; premium++) {
    struct sim *sim = start(premium);
    struct answer answer = get(sim, "file/report" Q "&allinfo=1&resource=" EICAR_MD5);
    assert_json(&answer);
    assert_int_equal(has(answer.body, "additional_info"), premium);
    answer_free(&answer);
    sim_stop(sim);
  }
}

/* ---- URLs, domains, addresses, comments ---- */

static void test_urls_are_made_canonical(void **state)
{
  (void)state;
  static const struct {
    const char *sent;
    const char *canonical; /* NULL: invalid */
  } cases[] = {
      {"http://www.google.com", "http://www.google.com/"},
      {"www.yahoo.com", "http://www.yahoo.com/"},
      {"https://www.virustotal.com/gui/home/upload", "https://www.virustotal.com/gui/home/upload"},
      {"HTTP://WWW.Example.COM/Path?Q=A", "http://www.example.com/Path?Q=A"},
      {"http://example.com:80", "http://example.com/"},
      {"https://example.com:443/x", "https://example.com/x"},
      {"http://example.com:443/x", "http://example.com:443/x"},
      {"http://example.com:/x", "http://example.com/x"},
      {"http://example.com/#top", "http://example.com/"},
      {"http://example.com#top", "http://example.com/"},
      {"http://example.com?q=1#top", "http://example.com/?q=1"},
      {"example.com/go?to=https://other.example/",
       "http://example.com/go?to=https://other.example/"},
      {"http://user:pass@Example.com/", "http://user:pass@example.com/"},
      {"http://192.0.2.1:8080/a", "http://192.0.2.1:8080/a"},
      {"http://[2001:DB8::1]:80/a", "http://[2001:db8::1]/a"},
      {"  http://example.com/  ", "http://example.com/"},
      {"http://\xc3\xb1.example/", "http://\xc3\xb1.example/"},
      {"gogles", NULL},
      {"http://gogles/", NULL},
      {"", NULL},
      {"http://", NULL},
      {"http:///path", NULL},
      {"http://example..com/", NULL},
      {"http://exa mple.com/", NULL},
      {"http://example.com/a b", NULL},
      {"http://1.2.3.4.5/", NULL},
      {"http://[::1/", NULL},
      {"gopher://example.com/", NULL},
      {"http://example.com:1234567/", NULL},
      {"javascript://example.com/", NULL},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_buf out = {0};
    int rc = sim_canonical_url((struct ap_slice){cases[i].sent, strlen(cases[i].sent)}, &out);
    if (cases[i].canonical ? rc != AP_OK || strcmp(ap_buf_cstr(&out), cases[i].canonical) != 0
                           : rc != AP_E_INVALID)
      fail_msg("%s became %d %s", cases[i].sent, rc, ap_buf_cstr(&out));
    ap_buf_deinit(&out);
  }
}

static void test_a_url_report_echoes_what_was_sent_and_names_the_canonical_url(void **state)
{
  (void)state;
  struct sim *sim = start(false);
  struct answer answer = get(sim, "url/report" Q "&resource=http://www.virustotal.com");
  assert_json(&answer);
  assert_string_equal(text_in(answer.body, "resource"), "http://www.virustotal.com");
  assert_string_equal(text_in(answer.body, "url"), "http://www.virustotal.com/");
  assert_string_equal(text_in(answer.body, "verbose_msg"),
                      "Scan finished, scan information embedded in this object");
  assert_memory_equal(text_in(answer.body, "scan_id"),
                      "1db0ad7dbcec0676710ea0eaacd35d5e471d3e11944d53bcbd31f0cbd11bce31-", 65);
  assert_true(has(answer.body, "filescan_id"));
  assert_int_equal(int_in(answer.body, "positives"), 0);
  assert_counts_agree(answer.body);
  answer_free(&answer);
  sim_stop(sim);
}

static void find_url(bool is_known, char url[64])
{
  for (unsigned i = 0; i < 10000; i++) {
    char sha256[65];
    struct sim_facts facts;
    (void)snprintf(url, 64, "http://host%u.example/", i);
    assert_int_equal(ap_sha256_hex(url, strlen(url), sha256), AP_OK);
    sim_url_facts(sha256, url, 0, &facts);
    if (facts.is_known == is_known)
      return;
  }
  fail_msg("nothing of that kind");
}

static void test_an_unknown_url_is_scanned_only_when_asked_to(void **state)
{
  (void)state;
  char url[64];
  char form[256];
  find_url(false, url);
  struct sim *sim = start(false);
  (void)snprintf(form, sizeof(form), "apikey=" KEY "&resource=%s", url);
  assert_int_equal(code_of(post(sim, "url/report", form)), 0);
  (void)snprintf(form, sizeof(form), "apikey=" KEY "&scan=1&resource=%s", url);
  struct answer answer = post(sim, "url/report", form);
  assert_json(&answer);
  assert_int_equal(int_in(answer.body, "response_code"), 1);
  assert_false(has(answer.body, "positives"));
  assert_false(has(answer.body, "scans"));
  (void)snprintf(form, sizeof(form), "apikey=" KEY "&resource=%s", text_in(answer.body, "scan_id"));
  assert_int_equal(code_of(post(sim, "url/report", form)), -2);
  answer_free(&answer);
  answer = post(sim, "url/report", "apikey=" KEY "&scan=1&resource=gogles");
  assert_json(&answer);
  assert_int_equal(members(answer.body), 2);
  assert_int_equal(int_in(answer.body, "response_code"), -1);
  answer_free(&answer);
  sim_stop(sim);
}

static void test_domains_and_addresses_are_found_missing_or_invalid(void **state)
{
  (void)state;
  static const struct {
    const char *path;
    int64_t code;
    const char *words;
  } cases[] = {
      {"domain/report" Q "&domain=example.com", 1, "Domain found in dataset"},
      {"domain/report" Q "&domain=EXAMPLE.com", 1, "Domain found in dataset"},
      {"domain/report" Q "&domain=http://example.com/", -1, "Invalid domain"},
      {"domain/report" Q "&domain=localhost", -1, "Invalid domain"},
      {"domain/report" Q "&domain=8.8.8.8", -1, "Invalid domain"},
      {"domain/report" Q "&domain=a..b", -1, "Invalid domain"},
      {"ip-address/report" Q "&ip=8.8.8.8", 1, "IP address in dataset"},
      {"ip-address/report" Q "&ip=192.0.2.7", 1, "IP address in dataset"},
      {"ip-address/report" Q "&ip=10.0.0.1", 0, "Missing IP address"},
      {"ip-address/report" Q "&ip=192.168.1.1", 0, "Missing IP address"},
      {"ip-address/report" Q "&ip=2001:db8::1", -1, "Invalid IP address"},
      {"ip-address/report" Q "&ip=1.2.3", -1, "Invalid IP address"},
      {"ip-address/report" Q "&ip=256.1.1.1", -1, "Invalid IP address"},
  };
  struct sim *sim = start(false);
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct answer answer = get(sim, cases[i].path);
    assert_json(&answer);
    assert_int_equal(int_in(answer.body, "response_code"), cases[i].code);
    assert_string_equal(text_in(answer.body, "verbose_msg"), cases[i].words);
    if (cases[i].code != 1)
      assert_int_equal(members(answer.body), 2);
    answer_free(&answer);
  }
  sim_stop(sim);
}

static void test_every_kind_of_field_is_there_for_one_host_and_absent_for_another(void **state)
{
  (void)state;
  static const char *const fields[] = {"categories",
                                       "subdomains",
                                       "domain_siblings",
                                       "pcaps",
                                       "detected_urls",
                                       "undetected_urls",
                                       "detected_downloaded_samples",
                                       "undetected_downloaded_samples",
                                       "detected_communicating_samples",
                                       "undetected_communicating_samples",
                                       "detected_referrer_samples",
                                       "undetected_referrer_samples",
                                       "whois",
                                       "whois_timestamp",
                                       "dns_records",
                                       "dns_records_date",
                                       "Webutation domain info",
                                       "WOT domain info",
                                       "Alexa rank",
                                       "Alexa domain info",
                                       "BitDefender domain info",
                                       "Dr.Web category"};
  unsigned seen[COUNT_OF(fields)] = {0};
  unsigned found = 0;
  struct sim *sim = start(false);
  for (unsigned i = 0; i < 150; i++) {
    char path[200];
    (void)snprintf(path, sizeof(path), "domain/report" Q "&domain=d%u.example.org", i);
    struct answer answer = get(sim, path);
    assert_json(&answer);
    bool is_found = int_in(answer.body, "response_code") == 1;
    found += is_found;
    for (size_t f = 0; is_found && f < COUNT_OF(fields); f++)
      seen[f] += has(answer.body, fields[f]);
    answer_free(&answer);
  }
  assert_in_range(found, 110, 149);
  for (size_t f = 0; f < COUNT_OF(fields); f++)
    if (seen[f] == 0 || seen[f] == found)
      fail_msg("%s: in %u of %u", fields[f], seen[f], found);
  sim_stop(sim);
}

static void test_an_asn_is_a_number_here_and_a_text_there(void **state)
{
  (void)state;
  unsigned kinds[2] = {0};
  struct sim *sim = start(false);
  for (unsigned i = 0; i < 40; i++) {
    char path[200];
    struct ap_slice asn;
    (void)snprintf(path, sizeof(path), "ip-address/report" Q "&ip=192.0.2.%u", i);
    struct answer answer = get(sim, path);
    assert_json(&answer);
    assert_true(ap_json_get(answer.body, "asn", &asn));
    kinds[ap_json_kind(asn) == AP_JSON_STRING]++;
    answer_free(&answer);
  }
  assert_true(kinds[0] && kinds[1]);
  sim_stop(sim);
}

static void test_a_comment_is_posted_once_and_read_back(void **state)
{
  (void)state;
  static const struct {
    const char *resource;
    const char *words;
    int64_t code;
  } cases[] = {
      {EICAR_MD5, "Your comment was successfully posted", 1},
      {EICAR_SHA256, "Duplicate comment", 0},
      {"http://example.com", "Your comment was successfully posted", 1},
      {"nonsense", "Invalid resource", 0},
  };
  struct sim *sim = start(true);
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char form[300];
    (void)snprintf(form, sizeof(form), "apikey=" KEY "&comment=seen%%20%%23here&resource=%s",
                   cases[i].resource);
    struct answer answer = post(sim, "comments/put", form);
    assert_json(&answer);
    assert_string_equal(text_in(answer.body, "verbose_msg"), cases[i].words);
    assert_int_equal(int_in(answer.body, "response_code"), cases[i].code);
    answer_free(&answer);
  }
  struct answer answer = get(sim, "comments/get" Q "&resource=" EICAR_SHA1);
  assert_json(&answer);
  struct ap_slice comments;
  assert_true(ap_json_get(answer.body, "comments", &comments));
  struct ap_json_walk walk = ap_json_walk(comments);
  assert_true(ap_json_next(&walk));
  assert_string_equal(text_in(walk.value, "comment"), "seen #here");
  assert_int_equal(strlen(text_in(walk.value, "date")), 14);
  answer_free(&answer);
  sim_stop(sim);
}

static void test_comments_are_paged_by_the_oldest_date(void **state)
{
  (void)state;
  struct sim *sim = start(true);
  size_t pages = 0;
  for (unsigned i = 0; i < 60 && pages == 0; i++) {
    char path[256];
    char before[32] = "";
    struct ap_slice comments = {0};
    (void)snprintf(path, sizeof(path), "comments/get" Q "&resource=%064x", i);
    struct answer answer = get(sim, path);
    bool is_full = ap_json_get(answer.body, "comments", &comments) && members(comments) == 25;
    struct ap_json_walk walk = ap_json_walk(comments);
    while (is_full && ap_json_next(&walk))
      (void)snprintf(before, sizeof(before), "%s", text_in(walk.value, "date"));
    answer_free(&answer);
    if (!is_full)
      continue;
    size_t len = strlen(path);
    (void)snprintf(path + len, sizeof(path) - len, "&before=%s", before);
    answer = get(sim, path);
    assert_true(ap_json_get(answer.body, "comments", &comments));
    pages = members(comments);
    walk = ap_json_walk(comments);
    while (ap_json_next(&walk))
      assert_true(strcmp(text_in(walk.value, "date"), before) < 0);
    answer_free(&answer);
  }
  assert_in_range(pages, 1, 25);
  sim_stop(sim);
}

/* ---- life of a submission ---- */

/* Time runs as on the wall until here, so that nothing is due before, however slow the machine. */
static void wait_until_due(uint64_t ms)
{
  use_clock("100000");
  uint64_t start_ms = ap_clock_ms();
  while (ap_clock_ms() < start_ms + ms)
    (void)sched_yield();
}

static void test_a_new_file_is_queued_and_then_reported(void **state)
{
  (void)state;
  char content[32];
  char scan_id[128];
  char sha256[65];
  find_content(false, content);
  struct sim_options options = free_options(false);
  options.scan_ms = 600000;
  struct sim *sim = start_with(&options);
  assert_int_equal(ap_sha256_hex(content, strlen(content), sha256), AP_OK);
  assert_int_equal(file_code(sim, sha256), 0);
  struct answer answer = upload(sim, content);
  assert_json(&answer);
  assert_string_equal(text_in(answer.body, "sha256"), sha256);
  assert_string_equal(text_in(answer.body, "resource"), sha256);
  assert_string_equal(text_in(answer.body, "verbose_msg"),
                      "Scan request successfully queued, come back later for the report");
  assert_false(has(answer.body, "positives"));
  (void)snprintf(scan_id, sizeof(scan_id), "%s", text_in(answer.body, "scan_id"));
  answer_free(&answer);
  char form[256];
  (void)snprintf(form, sizeof(form), "apikey=" KEY "&resource=%s", scan_id);
  answer = post(sim, "file/report", form);
  assert_json(&answer);
  assert_int_equal(members(answer.body), 4);
  assert_int_equal(int_in(answer.body, "response_code"), -2);
  assert_string_equal(text_in(answer.body, "resource"), scan_id);
  assert_string_equal(text_in(answer.body, "scan_id"), sha256);
  assert_string_equal(text_in(answer.body, "verbose_msg"), "Your resource is queued for analysis");
  answer_free(&answer);
  assert_int_equal(file_code(sim, sha256), -2);
  wait_until_due(600000);
  answer = post(sim, "file/report", form);
  assert_json(&answer);
  assert_int_equal(int_in(answer.body, "response_code"), 1);
  assert_string_equal(text_in(answer.body, "scan_id"), scan_id);
  assert_counts_agree(answer.body);
  answer_free(&answer);
  assert_int_equal(file_code(sim, sha256), 1);
  sim_stop(sim);
}

static void test_a_rescan_keeps_the_old_report_until_it_is_done(void **state)
{
  (void)state;
  struct sim_options options = free_options(true);
  options.scan_ms = 600000;
  struct sim *sim = start_with(&options);
  char old_id[128];
  char new_id[128];
  struct answer answer = get(sim, "file/report" Q "&resource=" EICAR_MD5);
  (void)snprintf(old_id, sizeof(old_id), "%s", text_in(answer.body, "scan_id"));
  answer_free(&answer);
  answer = post(sim, "file/rescan", "apikey=" KEY "&resource=" EICAR_MD5);
  assert_json(&answer);
  assert_int_equal(int_in(answer.body, "response_code"), 1);
  assert_string_equal(text_in(answer.body, "sha256"), EICAR_SHA256);
  assert_false(has(answer.body, "verbose_msg"));
  (void)snprintf(new_id, sizeof(new_id), "%s", text_in(answer.body, "scan_id"));
  answer_free(&answer);
  assert_int_equal(file_code(sim, new_id), -2);
  assert_int_equal(file_code(sim, old_id), 1);
  answer = get(sim, "file/report" Q "&resource=" EICAR_MD5);
  assert_string_equal(text_in(answer.body, "scan_id"), old_id);
  answer_free(&answer);
  wait_until_due(600000);
  assert_int_equal(file_code(sim, new_id), 1);
  answer = get(sim, "file/report" Q "&resource=" EICAR_MD5);
  assert_string_equal(text_in(answer.body, "scan_id"), new_id);
  answer_free(&answer);
  sim_stop(sim);
}

static void test_a_rescan_can_be_taken_back_and_unknown_files_have_none(void **state)
{
  (void)state;
  char content[32];
  char form[256];
  char sha256[65];
  find_content(false, content);
  assert_int_equal(ap_sha256_hex(content, strlen(content), sha256), AP_OK);
  struct sim *sim = start(true);
  (void)snprintf(form, sizeof(form), "apikey=" KEY "&resource=%s", sha256);
  struct answer answer = post(sim, "file/rescan", form);
  assert_json(&answer);
  assert_int_equal(members(answer.body), 2);
  assert_int_equal(int_in(answer.body, "response_code"), 0);
  answer_free(&answer);
  assert_int_equal(code_of(post(sim, "file/rescan/delete", form)), -1);
  const char *eicar = "apikey=" KEY "&resource=" EICAR_MD5;
  assert_int_equal(code_of(post(sim, "file/rescan", eicar)), 1);
  assert_int_equal(code_of(post(sim, "file/rescan/delete", eicar)), 1);
  assert_int_equal(code_of(post(sim, "file/rescan/delete", eicar)), -1);
  sim_stop(sim);
}

static void test_a_scan_id_of_an_earlier_simulator_is_judged_by_its_time(void **state)
{
  (void)state;
  struct sim_options options = free_options(false);
  options.scan_ms = 3600000;
  struct sim *sim = start_with(&options);
  char id[128];
  long long now_s = ap_clock_unix_ms() / 1000;
  (void)snprintf(id, sizeof(id), "%064d-%lld", 7, now_s - 60);
  assert_int_equal(file_code(sim, id), -2);
  (void)snprintf(id, sizeof(id), "%064d-%lld", 7, now_s - 7200);
  assert_int_equal(file_code(sim, id), 1);
  sim_stop(sim);
}

static void test_url_scan_reuses_an_analysis_of_the_last_ten_minutes(void **state)
{
  (void)state;
  struct sim *sim = start(false);
  const char *form = "apikey=" KEY "&url=http://example.com/";
  char first[128];
  char again[128];
  int64_t start_ms = ap_clock_unix_ms(); /* the clock that the simulator reads for it */
  struct answer answer = post(sim, "url/scan", form);
  (void)snprintf(first, sizeof(first), "%s", text_in(answer.body, "scan_id"));
  answer_free(&answer);
  unsigned same = 0;
  do {
    answer = post(sim, "url/scan", form);
    (void)snprintf(again, sizeof(again), "%s", text_in(answer.body, "scan_id"));
    answer_free(&answer);
    if (same++ == 0)
      use_clock("2000"); /* the first of them came in time on the slowest machine */
  } while (strcmp(first, again) == 0 && ap_clock_unix_ms() - start_ms < 3600000);
  assert_string_not_equal(first, again);
  assert_true(same > 1);
  assert_true(ap_clock_unix_ms() - start_ms >= 599000);
  sim_stop(sim);
}

static void test_an_upload_url_works_once_and_for_its_key(void **state)
{
  (void)state;
  struct sim *sim = start(true);
  struct answer answer = get(sim, "file/scan/upload_url?apikey=" OTHER_KEY);
  assert_json(&answer);
  const char *origin_end = strstr(sim_url(sim), "/vtapi/v2");
  size_t origin_len = (size_t)(origin_end - sim_url(sim));
  const char *url = text_in(answer.body, "upload_url");
  assert_memory_equal(url, sim_url(sim), origin_len);
  assert_int_equal(status_of(upload_to(sim, url + origin_len, "x", 1)), 404);
  answer_free(&answer);
  answer = get(sim, "file/scan/upload_url" Q);
  const char *path = text_in(answer.body, "upload_url") + origin_len;
  assert_int_equal(code_of(upload_to(sim, path, "x", 1)), 1);
  assert_int_equal(status_of(upload_to(sim, path, "x", 1)), 404);
  assert_int_equal(sim_request_count(sim, "_ah/upload"), 3);
  answer_free(&answer);
  sim_stop(sim);
}

static void test_digests_are_of_the_bytes_whatever_they_are(void **state)
{
  (void)state;
  enum { SIZE = 3 * 1024 * 1024 + 17 };
  struct sim *sim = start(false);
  struct ap_hasher *hasher = NULL;
  struct ap_digests digests;
  char *bytes = malloc(SIZE);
  assert_non_null(bytes);
  for (size_t i = 0; i < SIZE; i++)
    bytes[i] = (char)(i * 31 >> (i % 5));
  memcpy(bytes + 100, "\r\n--X\r\n--", 9); /* nearly a boundary */
  assert_int_equal(ap_hasher_new(&hasher), AP_OK);
  assert_int_equal(ap_hasher_add(hasher, bytes, SIZE), AP_OK);
  assert_int_equal(ap_hasher_finish(hasher, &digests), AP_OK);
  ap_hasher_free(hasher);
  struct answer answer = upload_to(sim, "file/scan", bytes, SIZE);
  assert_json(&answer);
  assert_string_equal(text_in(answer.body, "md5"), digests.md5);
  assert_string_equal(text_in(answer.body, "sha1"), digests.sha1);
  assert_string_equal(text_in(answer.body, "sha256"), digests.sha256);
  answer_free(&answer);
  answer = upload_to(sim, "file/scan", "", 0);
  assert_json(&answer);
  assert_string_equal(text_in(answer.body, "md5"), EMPTY_MD5);
  answer_free(&answer);
  free(bytes);
  sim_stop(sim);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      SIM_TEST(test_eicar_is_found_by_each_of_its_digests),
      SIM_TEST(test_scan_id_date_and_permalink_tell_the_same_time),
      SIM_TEST(test_a_hash_gives_the_same_answer_in_every_simulator),
      SIM_TEST(test_the_three_digests_of_a_file_agree_whichever_is_asked),
      SIM_TEST(test_a_tenth_is_unknown_and_a_quarter_malicious),
      SIM_TEST(test_what_is_no_file_is_told_in_the_right_words),
      SIM_TEST(test_allinfo_is_for_premium_keys_and_ignored_for_others),
      SIM_TEST(test_urls_are_made_canonical),
      SIM_TEST(test_a_url_report_echoes_what_was_sent_and_names_the_canonical_url),
      SIM_TEST(test_an_unknown_url_is_scanned_only_when_asked_to),
      SIM_TEST(test_domains_and_addresses_are_found_missing_or_invalid),
      SIM_TEST(test_every_kind_of_field_is_there_for_one_host_and_absent_for_another),
      SIM_TEST(test_an_asn_is_a_number_here_and_a_text_there),
      SIM_TEST(test_a_comment_is_posted_once_and_read_back),
      SIM_TEST(test_comments_are_paged_by_the_oldest_date),
      SIM_TEST(test_a_new_file_is_queued_and_then_reported),
      SIM_TEST(test_a_rescan_keeps_the_old_report_until_it_is_done),
      SIM_TEST(test_a_rescan_can_be_taken_back_and_unknown_files_have_none),
      SIM_TEST(test_a_scan_id_of_an_earlier_simulator_is_judged_by_its_time),
      SIM_TEST(test_url_scan_reuses_an_analysis_of_the_last_ten_minutes),
      SIM_TEST(test_an_upload_url_works_once_and_for_its_key),
      SIM_TEST(test_digests_are_of_the_bytes_whatever_they_are),
  };
  return cmocka_run_group_tests(tests, reset_clock, NULL);
}
