/* The rules of the policy: what each denies, in every spelling, and that nothing loosens one. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "unit.h"
#include "vt/policy.h"

#define SHA256 "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"

struct setting {
  const char *rule;
  const char *value;
};

static struct vt_policy *make(const struct setting *settings)
{
  struct vt_policy *policy = NULL;
  struct ap_error err = {0};
  assert_int_equal(AP_OK, vt_policy_new(&policy));
  for (; settings->rule; settings++)
    if (vt_policy_tighten(policy, settings->rule, settings->value, false, &err) != AP_OK)
      fail_msg("%s = %s: %s", settings->rule, settings->value, err.text);
  return policy;
}

/* What a policy says of one ask: "" when it may go. */
static const char *judge(const struct vt_policy *policy, enum vt_call call, const char *resource,
                         const struct vt_about *about)
{
  static char why[VT_POLICY_WHY];
  static const struct vt_about nothing;
  int rc = vt_policy_judge(policy, call, resource, about ? about : &nothing, why);
  if (rc == AP_OK)
    return "";
  assert_int_equal(AP_E_DENIED, rc);
  return why;
}

static void expect(const char *wanted, const char *said, const char *of)
{
  if (strcmp(wanted, said) != 0)
    fail_msg("%s: \"%s\", not \"%s\"", of, said, wanted);
}

/* ---- words ---- */

static void test_words_bind_the_calls_that_they_are_for(void **state)
{
  static const struct {
    struct setting setting;
    enum vt_call call;
    struct vt_about about;
    const char *why;
  } cases[] = {
      {{"lookup", "deny"}, VT_FILE_REPORT, {0}, "policy.lookup: deny"},
      {{"lookup", "deny"}, VT_DOMAIN_REPORT, {0}, "policy.lookup: deny"},
      {{"lookup", "deny"}, VT_COMMENTS, {0}, "policy.lookup: deny"},
      {{"lookup", "deny"}, VT_FILE_REPORT, {.is_own = true}, ""},
      {{"lookup", "deny"}, VT_URL_SCAN, {0}, ""},
      {{"submit", "deny"}, VT_URL_SCAN, {.is_unknown = true}, "policy.submit: deny"},
      {{"submit", "deny"}, VT_FILE_RESCAN, {0}, "policy.submit: deny"},
      {{"submit", "deny"}, VT_URL_REPORT, {0}, ""},
      {{"submit", "deny"}, VT_FILE_SCAN, {0}, ""},
      {{"submit", "unknown-only"}, VT_URL_SCAN, {.is_unknown = true}, ""},
      {{"submit", "unknown-only"},
       VT_URL_SCAN,
       {0},
       "policy.submit: unknown-only, and VirusTotal may know it"},
      {{"submit", "unknown-only"},
       VT_FILE_RESCAN,
       {0},
       "policy.submit: unknown-only, and VirusTotal may know it"},
      {{"upload", "unknown-only"}, VT_FILE_SCAN, {.is_unknown = true}, ""},
      {{"upload", "unknown-only"},
       VT_FILE_SCAN,
       {0},
       "policy.upload: unknown-only, and VirusTotal may know it"},
      {{"upload", "deny"}, VT_FILE_SCAN, {.is_unknown = true}, "policy.upload: deny"},
      {{"upload", "deny"}, VT_FILE_RESCAN, {0}, ""},
      {{"upload", "deny"}, VT_FILE_REPORT, {0}, ""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    const struct setting settings[] = {cases[i].setting, {0}};
    struct vt_policy *policy = make(settings);
    expect(cases[i].why, judge(policy, cases[i].call, SHA256, &cases[i].about),
           cases[i].setting.rule);
    vt_policy_free(policy);
  }
}

static void test_the_stricter_of_two_stays_and_a_playbook_is_named(void **state)
{
  static const char *const words[] = {"allow", "unknown-only", "deny"};
  struct ap_error err = {0};
  (void)state;
  for (size_t a = 0; a < COUNT_OF(words); a++)
    for (size_t b = 0; b < COUNT_OF(words); b++) {
      struct vt_policy *policy = make((const struct setting[]){{"submit", words[a]}, {0}});
      assert_int_equal(AP_OK, vt_policy_tighten(policy, "submit", words[b], true, &err));
      const char *why = judge(policy, VT_URL_SCAN, "http://a.example/", NULL);
      size_t stricter = a > b ? a : b;
      if (stricter == 0)
        assert_string_equal("", why);
      else
        assert_ptr_equal(why + strlen("policy.submit: "), strstr(why, words[stricter]));
      assert_int_equal(b > a, strstr(why, " (of the playbook)") != NULL);
      vt_policy_free(policy);
    }
}

static void test_what_would_loosen_is_told(void **state)
{
  struct vt_policy *policy = make(
      (const struct setting[]){{"upload", "unknown-only"}, {"never_send.domains", "a.test"}, {0}});
  (void)state;
  assert_string_equal("unknown-only", vt_policy_stricter(policy, "upload", "allow"));
  assert_null(vt_policy_stricter(policy, "upload", "unknown-only"));
  assert_null(vt_policy_stricter(policy, "upload", "deny"));
  assert_null(vt_policy_stricter(policy, "submit", "allow"));
  assert_null(vt_policy_stricter(policy, "never_send.domains", "allow"));
  assert_null(vt_policy_stricter(policy, "upload", "never"));
  vt_policy_free(policy);
}

static void test_lists_grow(void **state)
{
  struct ap_error err = {0};
  struct vt_policy *policy = make((const struct setting[]){{"never_send.domains", "a.test"}, {0}});
  (void)state;
  assert_int_equal(AP_OK, vt_policy_tighten(policy, "never_send.domains", "b.test", true, &err));
  expect("policy.never_send.domains: a.test", judge(policy, VT_DOMAIN_REPORT, "a.test", NULL), "a");
  expect("policy.never_send.domains: b.test (of the playbook)",
         judge(policy, VT_DOMAIN_REPORT, "b.test", NULL), "b");
  vt_policy_free(policy);
}

static void test_values_that_are_none_are_refused(void **state)
{
  static const struct {
    const char *rule, *value, *says;
  } cases[] = {
      {"lookup", "unknown-only", "must be allow or deny"},
      {"lookup", "", "must be allow or deny"},
      {"submit", "never", "must be allow, unknown-only or deny"},
      {"upload", "Deny", "must be allow, unknown-only or deny"},
      {"private_urls", "unknown-only", "must be allow or deny"},
      {"never_send", "x", "is no rule of the policy"},
      {"never_send.domains", "", "must be a domain, like example.com"},
      {"never_send.domains", "a b", "must be a domain, like example.com"},
      {"never_send.domains", "https://example.com/", "must be a domain, like example.com"},
      {"never_send.domains", "10.0.0.1", "must be a domain, not an address"},
      {"never_send.networks", "example.com", "must be an address or a range"},
      {"never_send.networks", "10.0.0.0/33", "0 to 32"},
      {"never_send.networks", "10.0.0.0/", "0 to 32"},
      {"never_send.networks", "10.0.0.0/8x", "0 to 32"},
      {"never_send.networks", "2001:db8::/129", "0 to 128"},
      {"never_send.paths", "srv/hr", "must be a path that begins with /"},
      {"internal_domains", "*.", "must be a domain, like example.com"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_error err = {0};
    int rc = vt_policy_tighten(NULL, cases[i].rule, cases[i].value, false, &err);
    if (rc != AP_E_INVALID || !strstr(err.text, cases[i].says))
      fail_msg("%s = \"%s\": %s", cases[i].rule, cases[i].value, err.text);
  }
}

/* ---- the TLP ---- */

static void test_amber_and_red_never_leave(void **state)
{
  static const struct {
    const char *tlp, *why;
  } cases[] = {
      {NULL, ""},
      {"clear", ""},
      {"white", ""},
      {"green", ""},
      {"amber", "policy: TLP:AMBER never leaves this machine"},
      {"amber+strict", "policy: TLP:AMBER+STRICT never leaves this machine"},
      {"red", "policy: TLP:RED never leaves this machine"},
      {"purple", "policy: TLP:PURPLE never leaves this machine"},
  };
  struct vt_policy *policy = make((const struct setting[]){{0}});
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    for (enum vt_call call = VT_FILE_REPORT; call < VT_CALL_COUNT; call++) {
      const struct vt_about about = {.tlp = cases[i].tlp, .is_own = true, .is_unknown = true};
      expect(cases[i].why, judge(policy, call, "a.example", &about), "a TLP");
    }
  vt_policy_free(policy);
}

/* ---- domains and networks ---- */

static void test_domains_are_found_in_every_spelling(void **state)
{
  static const struct {
    enum vt_call call;
    const char *resource;
    const char *rule; /* NULL: it may go */
  } cases[] = {
      {VT_DOMAIN_REPORT, "example.com", "example.com"},
      {VT_DOMAIN_REPORT, "www.EXAMPLE.com.", "example.com"},
      {VT_DOMAIN_REPORT, "notexample.com", NULL},
      {VT_DOMAIN_REPORT, "example.com.evil.test", NULL},
      {VT_DOMAIN_REPORT, "xn--bcher-kva.example", "bücher.example"},
      {VT_DOMAIN_REPORT, "BÜCHER.example", "bücher.example"},
      {VT_URL_REPORT, "http://example.com/", "example.com"},
      {VT_URL_REPORT, "HTTPS://User:pw@Sub.Example.com:8443/x?y#z", "example.com"},
      {VT_URL_SCAN, "http://ex%61mple.com/", "example.com"},
      {VT_URL_SCAN, "http://ex%2561mple.com/", "example.com"},
      {VT_URL_SCAN, "http://evil.test/?u=http://example.com/a", "example.com"},
      {VT_URL_SCAN, "http://evil.test/?u=https%3A%2F%2Fwww.example.com%2Fa&x=1", "example.com"},
      {VT_URL_SCAN, "http://evil.test/?u=http://example.com&x=1", "example.com"},
      {VT_URL_SCAN, "http://evil.test/http:/example.com", NULL},
      {VT_URL_SCAN, "http://evil.test\\@example.com/", NULL},
      {VT_URL_SCAN, "http://example.com\\@evil.test/", "example.com"},
      {VT_URL_SCAN, "example.com/a", "example.com"},
      {VT_URL_SCAN, "ftp://x.wild.test/", "*.wild.test"},
      {VT_COMMENTS, "http://example.com/", "example.com"},
      {VT_COMMENTS, SHA256, NULL},
      {VT_FILE_REPORT, SHA256 "-1234567890", NULL},
      {VT_FILE_REPORT, "http://example.com/", "example.com"},
  };
  struct vt_policy *policy = make((const struct setting[]){{"never_send.domains", "Example.com."},
                                                           {"never_send.domains", "bücher.example"},
                                                           {"never_send.domains", "*.wild.test"},
                                                           {0}});
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char why[VT_POLICY_WHY] = "";
    const char *rule = cases[i].rule;
    if (rule)
      (void)snprintf(why, sizeof(why), "policy.never_send.domains: %s",
                     strcmp(rule, "example.com") == 0 ? "Example.com." : rule);
    expect(why, judge(policy, cases[i].call, cases[i].resource, NULL), cases[i].resource);
  }
  vt_policy_free(policy);
}

static void test_networks_are_found_in_every_spelling(void **state)
{
  static const struct {
    enum vt_call call;
    const char *resource;
    const char *network; /* NULL: it may go */
  } cases[] = {
      {VT_IP_REPORT, "198.51.100.7", "198.51.100.0/24"},
      {VT_IP_REPORT, "198.51.101.7", NULL},
      {VT_IP_REPORT, "203.0.113.9", "203.0.113.9"},
      {VT_IP_REPORT, "203.0.113.8", NULL},
      {VT_IP_REPORT, "192.0.2.127", NULL},
      {VT_IP_REPORT, "192.0.2.128", "192.0.2.128/25"},
      {VT_IP_REPORT, "2001:db8::1", "2001:db8::/33"},
      {VT_IP_REPORT, "2001:db8:8000::1", NULL},
      {VT_IP_REPORT, "::ffff:198.51.100.7", "198.51.100.0/24"},
      {VT_URL_REPORT, "http://198.51.100.7:8080/", "198.51.100.0/24"},
      {VT_URL_REPORT, "http://3325256711/", "198.51.100.0/24"},
      {VT_URL_REPORT, "http://0xc6336407/", "198.51.100.0/24"},
      {VT_URL_REPORT, "http://0306.063.0144.07/", "198.51.100.0/24"},
      {VT_URL_REPORT, "http://198.51.25607/", "198.51.100.0/24"},
      {VT_URL_REPORT, "http://[2001:db8::1]/", "2001:db8::/33"},
      {VT_URL_REPORT, "http://[::ffff:c633:6407]/", "198.51.100.0/24"},
      {VT_URL_REPORT, "http://evil.test/198.51.100.7", NULL},
      {VT_URL_REPORT, "http://evil.test/?u=http://198.51.100.7", "198.51.100.0/24"},
  };
  struct vt_policy *policy =
      make((const struct setting[]){{"never_send.networks", "198.51.100.0/24"},
                                    {"never_send.networks", "203.0.113.9"},
                                    {"never_send.networks", "192.0.2.128/25"},
                                    {"never_send.networks", "2001:db8::/33"},
                                    {0}});
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char why[VT_POLICY_WHY] = "";
    if (cases[i].network)
      (void)snprintf(why, sizeof(why), "policy.never_send.networks: %s", cases[i].network);
    expect(why, judge(policy, cases[i].call, cases[i].resource, NULL), cases[i].resource);
  }
  vt_policy_free(policy);
}

static void test_a_url_with_hosts_without_end_is_denied(void **state)
{
  static const char start[] = "http://a.test/?";
  char url[1024];
  size_t len = sizeof(start) - 1;
  struct vt_policy *policy = make((const struct setting[]){{"never_send.domains", "b.test"}, {0}});
  (void)state;
  memcpy(url, start, sizeof(start));
  for (int i = 0; i < 100; i++)
    len += (size_t)snprintf(url + len, sizeof(url) - len, "x://");
  expect("policy: it could not be judged", judge(policy, VT_URL_REPORT, url, NULL), "a long URL");
  vt_policy_free(policy);
}

/* ---- paths ---- */

static void test_paths_hold_what_is_below_them(void **state)
{
  static const struct {
    const char *path, *real_path;
    bool is_remote;
    const char *what; /* NULL: it may go */
  } cases[] = {
      {"/srv/hr/a.doc", "/srv/hr/a.doc", false, "/srv/hr/"},
      {"/srv/hr", "/srv/hr", false, "/srv/hr/"},
      {"/srv/hrx/a.doc", "/srv/hrx/a.doc", false, NULL},
      {"/srv/x/../hr//./a.doc", "/srv/hr/a.doc", false, "/srv/hr/"},
      {"/tmp/link", "/srv/hr/a.doc", false, "/srv/hr/"},
      {"a.doc", "/srv/hr/a.doc", false, "/srv/hr/"},
      {"a.doc", "/srv/a.doc", false, NULL},
      {"a.doc", NULL, false, "where the file lies is not known"},
      {"/home/ana/private/x/y", "/home/ana/private/x/y", false, "/home/*/private"},
      {"/home/ana/b/private/x", "/home/ana/b/private/x", false, NULL},
      {"/srv/hr/a.doc", NULL, true, "/srv/hr/"},
      {"/srv/b/../hr/a.doc", NULL, true, "/srv/hr/"},
      {"/srv/a.doc", NULL, true, NULL},
      {"a.doc", NULL, true, "where the file lies is not known"},
  };
  struct vt_policy *policy = make((const struct setting[]){
      {"never_send.paths", "/srv/hr/"}, {"never_send.paths", "/home/*/private"}, {0}});
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    const struct vt_about about = {
        .path = cases[i].path, .real_path = cases[i].real_path, .is_remote = cases[i].is_remote};
    char why[VT_POLICY_WHY] = "";
    if (cases[i].what)
      (void)snprintf(why, sizeof(why), "policy.never_send.paths: %s", cases[i].what);
    expect(why, judge(policy, VT_FILE_SCAN, "", &about), cases[i].path);
    expect("", judge(policy, VT_FILE_REPORT, SHA256, &about), "a look-up of its digest");
  }
  vt_policy_free(policy);
}

static void test_a_path_that_is_a_link_stands_for_where_it_leads(void **state)
{
  struct folder folder;
  char link[300];
  char target[300];
  char inside[320];
  (void)state;
  folder_make(&folder);
  (void)snprintf(link, sizeof(link), "%s/link", folder.path);
  (void)snprintf(target, sizeof(target), "%s/[real]", folder.path);
  (void)snprintf(inside, sizeof(inside), "%s/a.doc", target);
  assert_int_equal(0, mkdir(target, 0700));
  assert_int_equal(0, symlink(target, link));
  struct vt_policy *policy = make((const struct setting[]){{"never_send.paths", link}, {0}});
  const struct vt_about about = {.path = inside, .real_path = inside};
  const char *why = judge(policy, VT_FILE_SCAN, "", &about);
  assert_non_null(strstr(why, "policy.never_send.paths: "));
  assert_non_null(strstr(why, link));
  vt_policy_free(policy);
  assert_int_equal(0, unlink(link));
  assert_int_equal(0, rmdir(target));
  folder_remove(&folder);
}

static void test_the_root_holds_everything(void **state)
{
  struct vt_policy *policy = make((const struct setting[]){{"never_send.paths", "/"}, {0}});
  const struct vt_about about = {.path = "/a", .real_path = "/a"};
  (void)state;
  expect("policy.never_send.paths: /", judge(policy, VT_FILE_SCAN, "", &about), "/a");
  vt_policy_free(policy);
}

/* ---- private URLs ---- */

static void test_private_urls_are_not_submitted(void **state)
{
  static const char user[] = "it has a user name";
  static const char mail[] = "it has an e-mail address";
  static const char token[] = "it has a parameter that looks like a credential";
  static const char jwt[] = "it has a JSON Web Token";
  static const char random[] = "it has a long random part";
  static const char internal[] = "it names an internal host";
  static const struct {
    const char *url;
    const char *why; /* NULL: it may go */
  } cases[] = {
      {"http://evil.test/", NULL},
      {"https://evil.test/wp-content/uploads/2024/03/invoice.pdf?id=1234&page=2#top", NULL},
      {"https://medium.test/@ana/how-to-make-your-own-cat-food-2024-edition", NULL},
      {"https://cdn.test/npm/pkg@1.2.3/dist/app.js", NULL},
      {"https://evil.test/?key=&token=", NULL},
      {"https://evil.test/?monkey=1&passage=2&design=3&tickets=4", NULL},
      {"http://ana@evil.test/", user},
      {"http://ana:pw@evil.test/x", user},
      {"http://%61na%40evil.test/x", user},
      {"http://evil.test/?to=ana@example.com", mail},
      {"http://evil.test/unsubscribe/ana.b%40example.com", mail},
      {"http://evil.test/#ana+x@mail.example.com", mail},
      {"http://evil.test/?to=ana%2540example.com", mail},
      {"http://evil.test/?access_token=abc", token},
      {"http://evil.test/?a=1&API-Key=abc", token},
      {"http://evil.test/x;jsessionid=1A2B", token},
      {"http://evil.test/#id_token=x", token},
      {"http://evil.test/?X-Amz-Signature=0", token},
      {"http://evil.test/?reset_password_code=9", token},
      {"http://evil.test/?sid=9", token},
      {"http://evil.test/?%73id=9", token},
      {"http://evil.test/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.x", jwt},
      {"http://evil.test/s/4f9d2c7b8a1e6f3d5c0b9a8e", random},
      {"http://evil.test/d/6ba7b810-9dad-11d1-80b4-00c04fd430c8/view", random},
      {"http://evil.test/4f9d2c7b8a1e6f3d5c0b9a8", NULL}, /* 23 */
      {"http://intranet/", internal},
      {"http://wiki.corp/", internal},
      {"http://printer.local/", internal},
      {"http://a.internal/", internal},
      {"http://nas.lan/", internal},
      {"http://10.1.2.3/", internal},
      {"http://[fd00::1]/", internal},
      {"http://www.own.example/", internal},
      {"http://evil.test/?next=http://intranet/a", internal},
      {"http://owner.example/", NULL},
  };
  struct vt_policy *policy = make(
      (const struct setting[]){{"private_urls", "deny"}, {"internal_domains", "own.example"}, {0}});
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char start[VT_POLICY_WHY] = "";
    const char *why = judge(policy, VT_URL_SCAN, cases[i].url, NULL);
    if (cases[i].why)
      (void)snprintf(start, sizeof(start), "policy.private_urls: %s", cases[i].why);
    if (strncmp(why, start, strlen(start)) != 0 || (!cases[i].why && *why))
      fail_msg("%s: \"%s\"", cases[i].url, why);
    expect("", judge(policy, VT_URL_REPORT, cases[i].url, NULL), cases[i].url);
  }
  vt_policy_free(policy);
}

static void test_private_urls_may_be_allowed(void **state)
{
  struct vt_policy *policy = make((const struct setting[]){{"private_urls", "allow"}, {0}});
  (void)state;
  expect("", judge(policy, VT_URL_SCAN, "http://ana:pw@intranet/?token=1", NULL), "a private URL");
  vt_policy_free(policy);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_words_bind_the_calls_that_they_are_for),
      cmocka_unit_test(test_the_stricter_of_two_stays_and_a_playbook_is_named),
      cmocka_unit_test(test_what_would_loosen_is_told),
      cmocka_unit_test(test_lists_grow),
      cmocka_unit_test(test_values_that_are_none_are_refused),
      cmocka_unit_test(test_amber_and_red_never_leave),
      cmocka_unit_test(test_domains_are_found_in_every_spelling),
      cmocka_unit_test(test_networks_are_found_in_every_spelling),
      cmocka_unit_test(test_a_url_with_hosts_without_end_is_denied),
      cmocka_unit_test(test_paths_hold_what_is_below_them),
      cmocka_unit_test(test_a_path_that_is_a_link_stands_for_where_it_leads),
      cmocka_unit_test(test_the_root_holds_everything),
      cmocka_unit_test(test_private_urls_are_not_submitted),
      cmocka_unit_test(test_private_urls_may_be_allowed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
