/* Hosts that a manifest names, the URLs that lead to them, and addresses of the open Internet. */
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>

#include "net/address.h"
#include "net/http.h"
#include "net/web.h"
#include "unit.h"

static void test_a_host_is_read(void **state)
{
  static const struct {
    const char *text, *name;
    unsigned port;
    bool is_loopback;
  } cases[] = {
      {"api.example.com", "api.example.com", 0, false},
      {"API.Example.COM", "api.example.com", 0, false},
      {"api.example.com:8443", "api.example.com", 8443, false},
      {"127.0.0.1:8080", "127.0.0.1", 8080, true},
      {"localhost", "localhost", 0, true},
      {"[::1]:9", "[::1]", 9, true},
      {"[2001:db8::1]", "[2001:db8::1]", 0, false},
      {"127.example.com", "127.example.com", 0, false},
      {"127.0.0.1.example.com", "127.0.0.1.example.com", 0, false},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct net_web_host host;
    struct ap_error err = {0};
    if (net_web_host_parse(cases[i].text, &host, &err) != AP_OK)
      fail_msg("%s: %s", cases[i].text, err.text);
    assert_string_equal(cases[i].name, host.name);
    assert_int_equal(cases[i].port, host.port);
    assert_int_equal(cases[i].is_loopback, host.is_loopback);
  }
}

static void test_what_is_no_host_is_refused(void **state)
{
  static const char *const texts[] = {"",
                                      "https://a.example",
                                      "a.example/",
                                      "a.example/x",
                                      "user@a.example",
                                      "a.example?x",
                                      "a b",
                                      "*.example.com",
                                      "a.example:0x",
                                      "a.example:",
                                      "a.example:99999",
                                      "a.example#x",
                                      "a\nb",
                                      "b\xc3\xbc.example",
                                      "a\\b",
                                      "%61.example:%31"};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    struct net_web_host host;
    struct ap_error err = {0};
    if (net_web_host_parse(texts[i], &host, &err) != AP_E_INVALID)
      fail_msg("\"%s\" is a host: %s", texts[i], host.name);
    assert_true(strstr(err.text, "write host or host:port") != NULL);
  }
}

static bool leads_to(const char *url, const char *named)
{
  struct net_web_host host;
  struct net_web_target target;
  struct ap_error err = {0};
  assert_int_equal(AP_OK, net_web_host_parse(named, &host, &err));
  return net_web_target_parse(url, &target, &err) == AP_OK && net_web_host_is(&host, &target);
}

static void test_a_url_leads_to_its_host_alone(void **state)
{
  (void)state;
  assert_true(leads_to("https://api.example.com/x?y", "api.example.com"));
  assert_true(leads_to("https://API.example.com:443/", "api.example.com"));
  assert_true(leads_to("HTTPS://api.example.com", "api.example.com:443"));
  assert_true(leads_to("https://api.example.com:8443/", "api.example.com:8443"));
  assert_true(leads_to("http://127.0.0.1:80/", "127.0.0.1"));
  assert_true(leads_to("http://localhost:81/", "localhost:81"));
  assert_true(leads_to("https://[::1]:81/", "[::1]:81"));
  assert_false(leads_to("http://api.example.com/", "api.example.com"));
  assert_false(leads_to("https://api.example.com:8443/", "api.example.com"));
  assert_false(leads_to("https://api.example.com/", "api.example.com:8443"));
  assert_false(leads_to("https://x.api.example.com/", "api.example.com"));
  assert_false(leads_to("https://api.example.com.evil.example/", "api.example.com"));
  assert_false(leads_to("https://api.example.com./", "api.example.com"));
  assert_false(leads_to("https://api.example.com@evil.example/", "api.example.com"));
  assert_false(leads_to("https://evil.example/api.example.com", "api.example.com"));
  assert_false(leads_to("https://evil.example\\@api.example.com/", "api.example.com"));
  assert_false(leads_to("https://user:pw@api.example.com/", "api.example.com"));
  assert_false(leads_to("ftp://api.example.com/", "api.example.com"));
  assert_false(leads_to("file:///etc/passwd", "api.example.com"));
  assert_false(leads_to("//api.example.com/", "api.example.com"));
  assert_false(leads_to("https://api.example.com/a b", "api.example.com"));
  assert_false(leads_to("https://api.example.com/\r\nX: y", "api.example.com"));
  assert_false(leads_to("http://127.1.example.com/", "127.1.example.com"));
}

static void test_a_redirect_is_resolved(void **state)
{
  static const struct {
    const char *url, *location, *whole;
  } cases[] = {
      {"https://a.example/x/y?q", "z", "https://a.example/x/z"},
      {"https://a.example/x/y?q", "/z", "https://a.example/z"},
      {"https://a.example/x", "//b.example/z", "https://b.example/z"},
      {"https://a.example/x", "http://b.example/", "http://b.example/"},
      {"https://a.example/x", "/z#part", "https://a.example/z"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char *whole = net_web_resolve(cases[i].url, cases[i].location);
    assert_string_equal(cases[i].whole, whole);
    curl_free(whole);
  }
  assert_null(net_web_resolve("https://a.example/", "https://[broken"));
}

static bool is_public(int family, const char *text)
{
  struct sockaddr_storage storage = {.ss_family = (sa_family_t)family};
  void *at = family == AF_INET ? (void *)&((struct sockaddr_in *)&storage)->sin_addr
                               : (void *)&((struct sockaddr_in6 *)&storage)->sin6_addr;
  assert_int_equal(1, inet_pton(family, text, at));
  return net_address_is_public((struct sockaddr *)&storage);
}

static void test_addresses_of_the_open_internet(void **state)
{
  static const char *const open_v4[] = {
      "1.1.1.1",    "9.255.255.255", "11.0.0.0",    "100.63.0.1", "100.128.0.1",     "172.15.0.1",
      "172.32.0.1", "192.167.0.1",   "169.253.0.1", "198.17.0.1", "223.255.255.255", "192.0.1.1"};
  static const char *const closed_v4[] = {
      "0.0.0.0",         "10.1.2.3",       "100.64.0.1",     "127.0.0.1",   "127.255.0.1",
      "169.254.169.254", "172.16.0.1",     "172.31.255.255", "192.0.0.8",   "192.0.2.1",
      "192.168.1.1",     "198.18.0.1",     "198.51.100.1",   "203.0.113.1", "224.0.0.1",
      "240.0.0.1",       "255.255.255.255"};
  static const char *const open_v6[] = {"2606:4700::1", "2a00::1", "::ffff:1.1.1.1",
                                        "64:ff9b::1.1.1.1", "2002:101:101::1"};
  static const char *const closed_v6[] = {"::",
                                          "::1",
                                          "fe80::1",
                                          "fc00::1",
                                          "fd12::1",
                                          "ff02::1",
                                          "2001:db8::1",
                                          "2001::1",
                                          "::ffff:10.0.0.1",
                                          "64:ff9b::127.0.0.1",
                                          "2002:a00:1::1",
                                          "::10.0.0.1",
                                          "::ffff:169.254.169.254"};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(open_v4); i++)
    if (!is_public(AF_INET, open_v4[i]))
      fail_msg("%s", open_v4[i]);
  for (size_t i = 0; i < COUNT_OF(closed_v4); i++)
    if (is_public(AF_INET, closed_v4[i]))
      fail_msg("%s", closed_v4[i]);
  for (size_t i = 0; i < COUNT_OF(open_v6); i++)
    if (!is_public(AF_INET6, open_v6[i]))
      fail_msg("%s", open_v6[i]);
  for (size_t i = 0; i < COUNT_OF(closed_v6); i++)
    if (is_public(AF_INET6, closed_v6[i]))
      fail_msg("%s", closed_v6[i]);
  assert_false(net_address_is_public(&(struct sockaddr){.sa_family = AF_UNIX}));
}

static void test_a_name_that_begins_like_loopback_is_none(void **state)
{
  (void)state;
  assert_true(net_http_url_is_allowed("http://127.0.0.1:8080/x"));
  assert_true(net_http_url_is_allowed("http://127.9.9.9/x"));
  assert_true(net_http_url_is_allowed("http://[::1]/x"));
  assert_false(net_http_url_is_allowed("http://127.evil.example/x"));
  assert_false(net_http_url_is_allowed("http://127.0.0.1.evil.example/x"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_host_is_read),
      cmocka_unit_test(test_what_is_no_host_is_refused),
      cmocka_unit_test(test_a_url_leads_to_its_host_alone),
      cmocka_unit_test(test_a_redirect_is_resolved),
      cmocka_unit_test(test_addresses_of_the_open_internet),
      cmocka_unit_test(test_a_name_that_begins_like_loopback_is_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
