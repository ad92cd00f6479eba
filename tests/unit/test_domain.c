// SPDX-License-Identifier: Apache-2.0
#include "casefile/domain.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

struct domain_case {
  enum case_type type;
  const char *text;
  const char *expected; /* the domain, or a part of the reason */
};

static void expect_domain(const struct domain_case *it, bool exact_host)
{
  struct ap_buf out = {0};
  struct ap_error err = {0};
  int code = case_domain_of(it->text, strlen(it->text), it->type, exact_host, &out, &err);
  if (code)
    print_error("%s: %s\n", it->text, err.text);
  assert_int_equal(code, AP_OK);
  assert_string_equal(ap_buf_cstr(&out), it->expected);
  ap_buf_deinit(&out);
}

static void expect_refusal(const struct domain_case *it, bool exact_host)
{
  struct ap_buf out = {0};
  struct ap_error err = {0};
  int code = case_domain_of(it->text, strlen(it->text), it->type, exact_host, &out, &err);
  if (!code)
    print_error("%s: %s\n", it->text, ap_buf_cstr(&out));
  assert_int_equal(code, AP_E_INVALID);
  if (!strstr(err.text, it->expected))
    print_error("%s: \"%s\" is not in \"%s\"\n", it->text, it->expected, err.text);
  assert_non_null(strstr(err.text, it->expected));
  assert_int_equal(out.len, 0);
  ap_buf_deinit(&out);
}

static void test_registrable_domain_of_a_host(void **state)
{
  (void)state;
  static const struct domain_case cases[] = {
      {CASE_TYPE_HOSTNAME, "example.com", "example.com"},
      {CASE_TYPE_HOSTNAME, "a.b.c.example.com", "example.com"},
      {CASE_TYPE_HOSTNAME, "WWW.Example.COM", "example.com"},
      {CASE_TYPE_HOSTNAME, "www.example.com.", "example.com"},
      {CASE_TYPE_HOSTNAME, "www.example.com:8443", "example.com"},
      {CASE_TYPE_HOSTNAME, "www.example.com.:8443", "example.com"},
      {CASE_TYPE_HOSTNAME, "www.example.com:", "example.com"},
      {CASE_TYPE_HOSTNAME, "www.example.co.uk", "example.co.uk"},
      {CASE_TYPE_HOSTNAME, "_dmarc.example.com", "example.com"},
      {CASE_TYPE_HOSTNAME, "r3---sn-x.example.com", "example.com"},
      /* the private section */
      {CASE_TYPE_HOSTNAME, "www.someone.github.io", "someone.github.io"},
      {CASE_TYPE_HOSTNAME, "a.b.blogspot.com", "b.blogspot.com"},
      /* *.ck and !www.ck, *.kawasaki.jp and !city.kawasaki.jp */
      {CASE_TYPE_HOSTNAME, "a.b.co.ck", "b.co.ck"},
      {CASE_TYPE_HOSTNAME, "www.ck", "www.ck"},
      {CASE_TYPE_HOSTNAME, "a.www.ck", "www.ck"},
      {CASE_TYPE_HOSTNAME, "a.b.c.kawasaki.jp", "b.c.kawasaki.jp"},
      {CASE_TYPE_HOSTNAME, "a.city.kawasaki.jp", "city.kawasaki.jp"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    expect_domain(&cases[i], false);
}

static void test_names_of_other_scripts_have_one_form(void **state)
{
  (void)state;
  static const struct domain_case cases[] = {
      {CASE_TYPE_HOSTNAME,
       "www.b\xc3\xbc"
       "cher.de",
       "xn--bcher-kva.de"},
      {CASE_TYPE_HOSTNAME,
       "www.B\xc3\x9c"
       "CHER.DE",
       "xn--bcher-kva.de"},
      {CASE_TYPE_HOSTNAME,
       "bu\xcc\x88"
       "cher.de", /* two code points */
       "xn--bcher-kva.de"},
      {CASE_TYPE_HOSTNAME, "www.XN--BCHER-KVA.de", "xn--bcher-kva.de"},
      {CASE_TYPE_HOSTNAME,
       "a_b.b\xc3\xbc"
       "cher.de.:80",
       "xn--bcher-kva.de"},
      {CASE_TYPE_HOSTNAME,
       "stra\xc3\x9f"
       "e.de",
       "xn--strae-oqa.de"},
      /* a suffix of another script, written both ways */
      {CASE_TYPE_HOSTNAME, "www.a.\xe5\x85\xac\xe5\x8f\xb8.cn", "a.xn--55qx5d.cn"},
      {CASE_TYPE_HOSTNAME, "www.a.xn--55qx5d.cn", "a.xn--55qx5d.cn"},
      {CASE_TYPE_HOSTNAME, "www.a.\xd1\x80\xd1\x84", "a.xn--p1ai"},
      /* an ideographic full stop is a dot */
      {CASE_TYPE_HOSTNAME,
       "www.example\xe3\x80\x82"
       "com\xe3\x80\x82",
       "example.com"},
      {CASE_TYPE_URL,
       "http://b\xc3\xbc"
       "cher.de/",
       "xn--bcher-kva.de"},
      {CASE_TYPE_USER,
       "ana@b\xc3\xbc"
       "cher.de",
       "xn--bcher-kva.de"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    expect_domain(&cases[i], false);
}

static void test_domain_of_a_url_is_of_its_host(void **state)
{
  (void)state;
  static const struct domain_case cases[] = {
      {CASE_TYPE_URL, "http://www.example.com/", "example.com"},
      {CASE_TYPE_URL, "HTTPS://WWW.EXAMPLE.COM:8443/A?b#c", "example.com"},
      {CASE_TYPE_URL, "www.example.com/a", "example.com"},
      {CASE_TYPE_URL, "http://www.example.com./", "example.com"},
      {CASE_TYPE_URL, "http://example.com/login@evil.org", "example.com"},
      {CASE_TYPE_URL, "http://example.com?to=@evil.org", "example.com"},
      {CASE_TYPE_URL, "http://example.com#@evil.org", "example.com"},
      {CASE_TYPE_URL, "http://evil.org\\@example.com/", "evil.org"},
      {CASE_TYPE_URL, "http://ana:secret@www.evil.org/", "evil.org"},
      {CASE_TYPE_URL, "http://example.com@www.evil.org:80/@x", "evil.org"},
      {CASE_TYPE_URL, "http://a@b@www.evil.org/", "evil.org"},
      {CASE_TYPE_URL, "ftp://files.example.co.uk/a", "example.co.uk"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    expect_domain(&cases[i], false);
}

static void test_domain_of_a_user_is_behind_the_last_at(void **state)
{
  (void)state;
  static const struct domain_case cases[] = {
      {CASE_TYPE_USER, "ana@mail.example.com", "example.com"},
      {CASE_TYPE_USER, "ANA@MAIL.EXAMPLE.COM.", "example.com"},
      {CASE_TYPE_USER, "\"a@example.org\"@mail.example.com", "example.com"},
      {CASE_TYPE_USER, "EXAMPLE\\ana@example.com", "example.com"},
      {CASE_TYPE_USER, "@example.com", "example.com"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    expect_domain(&cases[i], false);
}

/* These are refused, whether the host itself is wanted or its domain. */
static void test_refuses_with_the_reason(void **state)
{
  (void)state;
  static const struct domain_case cases[] = {
      {CASE_TYPE_USER, "ana", "a user without a domain"},
      {CASE_TYPE_USER, "EXAMPLE\\ana", "a user without a domain"},
      {CASE_TYPE_USER, "ana@", "a user without a domain"},
      {CASE_TYPE_USER, "", "a user without a domain"},
      {CASE_TYPE_USER, "ana@EXAMPLE", "a name of one label"},
      {CASE_TYPE_USER, "ana@192.0.2.1", "an IP address, not a host name"},
      {CASE_TYPE_USER, "ana@[2001:db8::1]", "an IP address, not a host name"},
      {CASE_TYPE_USER, "ana@corp.internal", "under no listed public suffix"},
      {CASE_TYPE_HOSTNAME, "192.0.2.1", "an IP address, not a host name"},
      {CASE_TYPE_HOSTNAME, "192.0.2.1:80", "an IP address, not a host name"},
      {CASE_TYPE_HOSTNAME, "192.0.2.1.", "an IP address, not a host name"},
      {CASE_TYPE_HOSTNAME, "[2001:db8::1]", "an IP address, not a host name"},
      {CASE_TYPE_HOSTNAME, "[2001:db8::1]:443", "an IP address, not a host name"},
      {CASE_TYPE_HOSTNAME, "2001:db8::1", "an IP address, not a host name"},
      {CASE_TYPE_HOSTNAME, "\xef\xbc\x91.2.3.4", "an IP address, not a host name"},
      {CASE_TYPE_IP_ADDRESS, "192.0.2.1", "an IP address, not a host name"},
      {CASE_TYPE_URL, "http://192.0.2.1:8080/a", "an IP address, not a host name"},
      {CASE_TYPE_URL, "http://ana@[2001:db8::1]:8080/a", "an IP address, not a host name"},
      {CASE_TYPE_HOSTNAME, "srv01", "a name of one label"},
      {CASE_TYPE_HOSTNAME, "srv01.", "a name of one label"},
      {CASE_TYPE_HOSTNAME, "com", "a name of one label"},
      {CASE_TYPE_URL, "http://intranet/a", "a name of one label"},
      {CASE_TYPE_URL, "http://2130706433/", "a name of one label"},
      {CASE_TYPE_HOSTNAME, "srv01.corp.internal", "under no listed public suffix"},
      {CASE_TYPE_HOSTNAME, "printer.local", "under no listed public suffix"},
      {CASE_TYPE_URL, "https://git.corp.lan/", "under no listed public suffix"},
      {CASE_TYPE_HOSTNAME, "nas.home.arpa", "inside of networks only"},
      {CASE_TYPE_HOSTNAME, "", "not a host name: it is empty"},
      {CASE_TYPE_HOSTNAME, ".", "not a host name"},
      {CASE_TYPE_HOSTNAME, "www..example.com", "not a host name: it has an empty label"},
      {CASE_TYPE_HOSTNAME, "www.example.com..", "not a host name: it has an empty label"},
      {CASE_TYPE_HOSTNAME, "*.example.com", "not a host name: it has a character"},
      {CASE_TYPE_HOSTNAME, "example.com/a", "not a host name: it has a character"},
      {CASE_TYPE_HOSTNAME, "ana@example.com", "not a host name: it has a character"},
      {CASE_TYPE_HOSTNAME, "example.com:http", "not a host name: it has a character"},
      {CASE_TYPE_HOSTNAME, "\xff.example.com", "not a host name: "},
      {CASE_TYPE_HOSTNAME, "\xe2\x98\x95.com", "not a host name: "},
      {CASE_TYPE_URL, "http:///a", "not a host name: it is empty"},
      {CASE_TYPE_URL, "http://ex%61mple.com/", "not a host name: it has a character"},
      {CASE_TYPE_FILEHASH, "44d88612fea8a8f36de82e1278abb02f", "neither a host name nor"},
      {CASE_TYPE_FILE, "example.com", "neither a host name nor"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    expect_refusal(&cases[i], false);
    expect_refusal(&cases[i], true);
  }
}

static void test_refuses_a_public_suffix(void **state)
{
  (void)state;
  static const struct domain_case cases[] = {
      {CASE_TYPE_HOSTNAME, "co.uk", "a public suffix itself"},
      {CASE_TYPE_HOSTNAME, "GITHUB.IO.", "a public suffix itself"},
      {CASE_TYPE_HOSTNAME, "anything.ck", "a public suffix itself"},
      {CASE_TYPE_URL, "http://\xe5\x85\xac\xe5\x8f\xb8.cn/", "a public suffix itself"},
      {CASE_TYPE_USER, "ana@co.uk", "a public suffix itself"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    expect_refusal(&cases[i], false);
}

static void test_exact_host_is_the_host_as_it_is(void **state)
{
  (void)state;
  static const struct domain_case cases[] = {
      {CASE_TYPE_HOSTNAME, "A.b.Example.com.:8443", "a.b.example.com"},
      {CASE_TYPE_HOSTNAME,
       "www.b\xc3\xbc"
       "cher.de",
       "www.xn--bcher-kva.de"},
      {CASE_TYPE_HOSTNAME, "github.io", "github.io"},
      {CASE_TYPE_URL, "http://ana@A.b.Example.com:80/@evil.org", "a.b.example.com"},
      {CASE_TYPE_USER, "ana@Mail.Example.com", "mail.example.com"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    expect_domain(&cases[i], true);
}

static void test_nul_does_not_end_a_text(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    size_t len;
    enum case_type type;
  } cases[] = {
      {"example.com\0.evil.org", 21, CASE_TYPE_HOSTNAME},
      {"http://example.com\0.evil.org/", 29, CASE_TYPE_URL},
      {"ana@b\xc3\xbc.de\0.evil.org", 20, CASE_TYPE_USER},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_buf out = {0};
    struct ap_error err = {0};
    assert_int_equal(case_domain_of(cases[i].text, cases[i].len, cases[i].type, false, &out, &err),
                     AP_E_INVALID);
    assert_string_equal(err.text, "not a host name: it has a NUL character");
    ap_buf_deinit(&out);
  }
}

static void test_text_without_a_nul_behind_is_read_to_its_end_only(void **state)
{
  (void)state;
  char text[] = {'a', '.', 'e', 'x', '.', 'c', 'o', 'm', 'x', 'y'};
  struct ap_buf out = {0};
  ap_buf_add_str(&out, "domain: ");
  assert_int_equal(case_domain_of(text, 8, CASE_TYPE_HOSTNAME, false, &out, NULL), AP_OK);
  assert_string_equal(ap_buf_cstr(&out), "domain: ex.com");
  ap_buf_deinit(&out);
}

static void test_names_that_are_too_long_are_refused(void **state)
{
  (void)state;
  char label[128];
  char name[512];
  snprintf(label, sizeof(label), "%064d.example.com", 0);
  snprintf(name, sizeof(name), "%060d.%060d.%060d.%060d.example.com", 0, 0, 0, 0);
  const struct domain_case cases[] = {
      {CASE_TYPE_HOSTNAME, label, "more than 63 characters"},
      {CASE_TYPE_HOSTNAME, name, "more than 253 characters"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    expect_refusal(&cases[i], false);
}

static void test_full_buffer_is_no_domain(void **state)
{
  (void)state;
  struct ap_buf out = {.max = 4};
  struct ap_error err = {0};
  assert_int_equal(case_domain_of("example.com", 11, CASE_TYPE_HOSTNAME, false, &out, &err),
                   AP_E_TOO_LARGE);
  ap_buf_deinit(&out);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_registrable_domain_of_a_host),
      cmocka_unit_test(test_names_of_other_scripts_have_one_form),
      cmocka_unit_test(test_domain_of_a_url_is_of_its_host),
      cmocka_unit_test(test_domain_of_a_user_is_behind_the_last_at),
      cmocka_unit_test(test_refuses_with_the_reason),
      cmocka_unit_test(test_refuses_a_public_suffix),
      cmocka_unit_test(test_exact_host_is_the_host_as_it_is),
      cmocka_unit_test(test_nul_does_not_end_a_text),
      cmocka_unit_test(test_text_without_a_nul_behind_is_read_to_its_end_only),
      cmocka_unit_test(test_names_that_are_too_long_are_refused),
      cmocka_unit_test(test_full_buffer_is_no_domain),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
