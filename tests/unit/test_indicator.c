// SPDX-License-Identifier: Apache-2.0
#include "casefile/indicator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define MD5 "44d88612fea8a8f36de82e1278abb02f"
#define SHA1 "3395856ce81f2b7382dee72602f798b642f14140"
#define SHA256 "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"

static void test_cleans_what_people_write(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"evil.com", "evil.com"},
      {"  evil.com\t", "evil.com"},
      {"evil.com,", "evil.com"},
      {"evil.com;", "evil.com"},
      {"evil.com.", "evil.com"},
      {"\"evil.com\",", "evil.com"},
      {"'evil.com'", "evil.com"},
      {"`evil.com`", "evil.com"},
      {"``evil.com``", "evil.com"},
      {"<http://evil.com/>", "http://evil.com/"},
      {"(evil.com)", "evil.com"},
      {"{evil.com}", "evil.com"},
      {"[(<evil.com>)],", "evil.com"},
      {"\xe2\x80\x9c"
       "evil.com"
       "\xe2\x80\x9d",
       "evil.com"},
      {"\xef\xbb\xbf"
       "evil.com",
       "evil.com"},
      {"\xe2\x80\x8b"
       "evil.com"
       "\xe2\x80\x8b",
       "evil.com"},
      {"\xc2\xa0"
       "evil.com"
       "\xc2\xa0",
       "evil.com"},
      {"evil[.]com", "evil.com"},
      {"evil(.)com", "evil.com"},
      {"evil{.}com", "evil.com"},
      {"evil[dot]com", "evil.com"},
      {"evil(DOT)com", "evil.com"},
      {"evil dot com", "evil.com"},
      {"www[.]evil[.]com[.]", "www.evil.com"},
      {"hxxp://evil[.]com/a", "http://evil.com/a"},
      {"hXXps://evil[.]com/A", "https://evil.com/A"},
      {"HXXP://EVIL[.]COM/A", "HTTP://EVIL.COM/A"},
      {"hxxp[:]//evil.com", "http://evil.com"},
      {"hxxps[://]evil.com/x", "https://evil.com/x"},
      {"fxp://evil.com/a", "ftp://evil.com/a"},
      {"hxxp://evil[.]com/index[.]php", "http://evil.com/index.php"},
      {"http://evil.com/a(dot)b?x=[at]", "http://evil.com/a(dot)b?x=[at]"},
      {"https://en.wikipedia.org/wiki/Worm_(computing)",
       "https://en.wikipedia.org/wiki/Worm_(computing)"},
      {"ana[at]example[.]com", "ana@example.com"},
      {"ana(at)example.com", "ana@example.com"},
      {"ana[@]example.com", "ana@example.com"},
      {"ana (at) example (dot) com", "ana@example.com"},
      {"ana [AT] mail [dot] example [.] com", "ana@mail.example.com"},
      {"2001[:]db8[:][:]1", "2001:db8::1"},
      {"[2001:db8::1]", "2001:db8::1"},
      {"[2001:db8::1]:443", "[2001:db8::1]:443"},
      {"1[.]2[.]3[.]4", "1.2.3.4"},
      {"EXAMPLE\\ana", "EXAMPLE\\ana"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_buf out = {0};
    struct ap_error err = {0};
    assert_int_equal(case_indicator_clean(cases[i][0], strlen(cases[i][0]), &out, &err), AP_OK);
    assert_string_equal(ap_buf_cstr(&out), cases[i][1]);
    ap_buf_deinit(&out);
  }
}

static void test_cleaning_refuses_with_the_reason(void **state)
{
  (void)state;
  char *large = test_malloc(CASE_INDICATOR_MAX_BYTES + 2);
  memset(large, 'a', CASE_INDICATOR_MAX_BYTES + 1);
  large[CASE_INDICATOR_MAX_BYTES + 1] = '\0';
  const struct {
    const char *text;
    const char *reason;
  } cases[] = {
      {"", "empty"},
      {" \t ", "empty"},
      {"[.]", "empty"},
      {"\"\"", "empty"},
      {"...", "empty"},
      {large, "longer than"},
      {"evil\xff.com", "UTF-8"},
      {"evil\x01.com", "control"},
      {"evil\x7f.com", "control"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_buf out = {0};
    struct ap_error err = {0};
    int code = case_indicator_clean(cases[i].text, strlen(cases[i].text), &out, &err);
    assert_int_equal(code, AP_E_INVALID);
    assert_non_null(strstr(err.text, cases[i].reason));
    ap_buf_deinit(&out);
  }
  test_free(large);
}

static void test_infers_types(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    enum case_type type;
  } cases[] = {
      {MD5, CASE_TYPE_FILEHASH},
      {SHA1, CASE_TYPE_FILEHASH},
      {SHA256, CASE_TYPE_FILEHASH},
      {"44D88612FEA8A8F36DE82E1278ABB02F", CASE_TYPE_FILEHASH},
      {"1.2.3.4", CASE_TYPE_IP_ADDRESS},
      {"2001:db8::1", CASE_TYPE_IP_ADDRESS},
      {"::ffff:1.2.3.4", CASE_TYPE_IP_ADDRESS},
      {"http://evil.com", CASE_TYPE_URL},
      {"HTTP://EVIL.COM/A", CASE_TYPE_URL},
      {"http://1.2.3.4:8080/a?b#c", CASE_TYPE_URL},
      {"http://[2001:db8::1]:80/", CASE_TYPE_URL},
      {"ftp://user:pw@evil.com/x", CASE_TYPE_URL},
      {"http://evil.com./x", CASE_TYPE_URL},
      {"http://intranet/", CASE_TYPE_URL},
      {"http://b\xc3\xbc"
       "cher.example/",
       CASE_TYPE_URL},
      {"ana@example.com", CASE_TYPE_USER},
      {"EXAMPLE\\ana", CASE_TYPE_USER},
      {"evil.com", CASE_TYPE_HOSTNAME},
      {"_dmarc.evil.com", CASE_TYPE_HOSTNAME},
      {"xn--bcher-kva.example", CASE_TYPE_HOSTNAME},
      {"b\xc3\xbc"
       "cher.example",
       CASE_TYPE_HOSTNAME},
      {"invoice.pdf", CASE_TYPE_HOSTNAME}, /* a file is never guessed */
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    enum case_type type = CASE_TYPE_COUNT;
    assert_true(case_indicator_infer(cases[i].text, strlen(cases[i].text), &type));
    assert_int_equal(type, cases[i].type);
  }
}

static void test_explains_what_is_no_indicator(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"word", "no dot"},           {"two words", "blanks"},
      {"1.2.3.0/24", "network"},    {"2001:db8::/32", "network"},
      {"fe80::1%eth0", "zone"},     {"1.2.3.4.5", "number"},
      {"1.2.3.256", "number"},      {"evil..com", "empty label"},
      {".evil.com", "empty label"}, {"-evil.com", "hyphen"},
      {"*.evil.com", "character"},  {"evil\xe2\x80\x8b.com", "character"},
      {"http://", "no host"},       {"http://evil.com:abc/", "port"},
      {"evil.com/path", "scheme"},  {"44d88612fea8a8f36de82e1278abb0", "this has 30"},
      {"ana@host", "name@host"},    {"C:\\Windows\\x.exe", "name@host"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_buf out = {0};
    struct case_indicator found;
    struct ap_error err = {0};
    struct ap_slice text = {cases[i][0], strlen(cases[i][0])};
    assert_int_equal(case_indicator_read(text, NULL, &out, &found, &err), AP_E_INVALID);
    if (!strstr(err.text, cases[i][1]))
      fail_msg("%s: %s", cases[i][0], err.text);
    ap_buf_deinit(&out);
  }
}

static void test_limits_of_host_names_hold(void **state)
{
  (void)state;
  char name[300];
  enum case_type type;
  (void)snprintf(name, sizeof(name), "%063d.com", 0);
  assert_true(case_indicator_infer(name, strlen(name), &type));
  (void)snprintf(name, sizeof(name), "%064d.com", 0);
  assert_false(case_indicator_infer(name, strlen(name), &type));
  (void)snprintf(name, sizeof(name), "%063d.%063d.%063d.%057d.com", 0, 0, 0, 0);
  assert_int_equal(strlen(name), 253);
  assert_true(case_indicator_infer(name, strlen(name), &type));
  (void)snprintf(name, sizeof(name), "%063d.%063d.%063d.%058d.com", 0, 0, 0, 0);
  assert_false(case_indicator_infer(name, strlen(name), &type));
}

static void test_reads_with_a_said_type(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *clean; /* NULL: refused */
    enum case_type said;
    enum case_type type;
  } cases[] = {
      {"SRV01", "SRV01", CASE_TYPE_HOSTNAME, CASE_TYPE_HOSTNAME},
      {"1.2.3.4", "1.2.3.4", CASE_TYPE_HOSTNAME, CASE_TYPE_IP_ADDRESS},
      {"http://evil.com/", "http://evil.com/", CASE_TYPE_HOSTNAME, CASE_TYPE_URL},
      {"evil.com:443", "evil.com", CASE_TYPE_HOSTNAME, CASE_TYPE_HOSTNAME},
      {"ana", "ana", CASE_TYPE_USER, CASE_TYPE_USER},
      {"ANA LOPEZ", "ANA LOPEZ", CASE_TYPE_USER, CASE_TYPE_USER},
      {"evil.com/a b", "evil.com/a b", CASE_TYPE_URL, CASE_TYPE_URL},
      {"evil.com", "evil.com", CASE_TYPE_URL, CASE_TYPE_URL},
      {"word", NULL, CASE_TYPE_URL, CASE_TYPE_URL},
      {"evil.com", "evil.com", CASE_TYPE_FILEHASH, CASE_TYPE_HOSTNAME},
      {"xyz", NULL, CASE_TYPE_FILEHASH, CASE_TYPE_FILEHASH},
      {"10.0.0.0/8", NULL, CASE_TYPE_IP_ADDRESS, CASE_TYPE_IP_ADDRESS},
      {" C:\\a(1)[.]exe, ", "C:\\a(1)[.]exe,", CASE_TYPE_FILE, CASE_TYPE_FILE},
      {"", NULL, CASE_TYPE_FILE, CASE_TYPE_FILE},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_buf out = {0};
    struct case_indicator found = {0};
    struct ap_error err = {0};
    struct ap_slice text = {cases[i].text, strlen(cases[i].text)};
    int code = case_indicator_read(text, &cases[i].said, &out, &found, &err);
    assert_int_equal(code, cases[i].clean ? AP_OK : AP_E_INVALID);
    if (cases[i].clean) {
      assert_string_equal(ap_buf_cstr(&out), cases[i].clean);
      assert_int_equal(found.type, cases[i].type);
      assert_int_equal(found.retyped, cases[i].type != cases[i].said);
    }
    ap_buf_deinit(&out);
  }
}

static void test_an_address_with_a_port_is_the_address(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *clean;
    enum case_type type;
  } cases[] = {
      {"1.2.3.4:8080", "1.2.3.4", CASE_TYPE_IP_ADDRESS},
      {"[2001:db8::1]:443", "2001:db8::1", CASE_TYPE_IP_ADDRESS},
      {"evil[.]com:80", "evil.com", CASE_TYPE_HOSTNAME},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_buf out = {0};
    struct case_indicator found = {0};
    struct ap_slice text = {cases[i].text, strlen(cases[i].text)};
    assert_int_equal(case_indicator_read(text, NULL, &out, &found, NULL), AP_OK);
    assert_string_equal(ap_buf_cstr(&out), cases[i].clean);
    assert_int_equal(found.type, cases[i].type);
    assert_true(found.port_removed);
    ap_buf_deinit(&out);
  }
}

static void test_a_hash_with_the_name_of_its_file_is_the_hash(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *clean; /* NULL: it is no indicator */
  } cases[] = {
      {MD5 "  mail.eml", MD5},
      {SHA1 " *setup.exe", SHA1},
      {SHA256 "  a name with blanks.doc", SHA256},
      {"\t" SHA256 "\tname", SHA256},
      {"\\" MD5 "  back\\\\slash", MD5},
      {MD5 "  latin1-\xe9.txt", MD5},
      {MD5 "  -", MD5},
      {MD5 " " SHA1, NULL},
      {MD5 "  " MD5 "  name", NULL},
      {"44d8  name", NULL},
      {"evil.com  name", NULL},
  };
  const enum case_type said = CASE_TYPE_FILEHASH;
  const enum case_type other = CASE_TYPE_HOSTNAME;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_buf out = {0};
    struct case_indicator found = {0};
    struct ap_error err = {0};
    struct ap_slice text = {cases[i].text, strlen(cases[i].text)};
    int code = case_indicator_read(text, NULL, &out, &found, &err);
    assert_int_equal(code, cases[i].clean ? AP_OK : AP_E_INVALID);
    if (cases[i].clean) {
      assert_string_equal(ap_buf_cstr(&out), cases[i].clean);
      assert_int_equal(found.type, CASE_TYPE_FILEHASH);
      assert_true(found.name_removed);
      ap_buf_clear(&out);
      assert_int_equal(case_indicator_read(text, &said, &out, &found, &err), AP_OK);
      ap_buf_clear(&out);
      assert_int_equal(case_indicator_read(text, &other, &out, &found, &err), AP_E_INVALID);
    }
    ap_buf_deinit(&out);
  }
}

static void test_spellings_of_one_indicator_share_a_key(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    enum case_type type;
    const char *key;
  } cases[] = {
      {"44D88612FEA8A8F36DE82E1278ABB02F", CASE_TYPE_FILEHASH, MD5},
      {"EVIL.com", CASE_TYPE_HOSTNAME, "evil.com"},
      {"Ana@Example.COM", CASE_TYPE_USER, "ana@example.com"},
      {"2001:DB8:0:0:0:0:0:1", CASE_TYPE_IP_ADDRESS, "2001:db8::1"},
      {"1.2.3.4", CASE_TYPE_IP_ADDRESS, "1.2.3.4"},
      {"HTTP://EVIL.com/A?B#C", CASE_TYPE_URL, "http://evil.com/A?B#C"},
      {"http://User:Pw@EVIL.com:80/A", CASE_TYPE_URL, "http://User:Pw@evil.com:80/A"},
      {"http://[2001:DB8::1]/A", CASE_TYPE_URL, "http://[2001:db8::1]/A"},
      {"EVIL.com/A", CASE_TYPE_URL, "evil.com/A"},
      {"C:\\A.exe", CASE_TYPE_FILE, "C:\\A.exe"},
      {"b\xc3\xbc"
       "cher.Example",
       CASE_TYPE_HOSTNAME, "xn--bcher-kva.example"},
      {"B\xc3\x9c"
       "CHER.example",
       CASE_TYPE_HOSTNAME, "xn--bcher-kva.example"},
      {"XN--BCHER-KVA.example", CASE_TYPE_HOSTNAME, "xn--bcher-kva.example"},
      {"\xc3\x9c@b\xc3\xbc"
       "cher.example",
       CASE_TYPE_USER, "\xc3\x9c@xn--bcher-kva.example"},
      {"CORP\\b\xc3\xbc"
       "cher",
       CASE_TYPE_USER,
       "corp\\b\xc3\xbc"
       "cher"},
      {"HTTP://b\xc3\xbc"
       "cher.example:80/\xc3\xbc",
       CASE_TYPE_URL, "http://xn--bcher-kva.example:80/\xc3\xbc"},
      {"http://\xc3\xbc@b\xc3\xbc"
       "cher.example/",
       CASE_TYPE_URL, "http://\xc3\xbc@xn--bcher-kva.example/"},
      /* no spelling in ASCII: U+FFFD may not stand in a name */
      {"A\xef\xbf\xbd.example", CASE_TYPE_HOSTNAME, "a\xef\xbf\xbd.example"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_buf key = {0};
    case_indicator_key(cases[i].text, strlen(cases[i].text), cases[i].type, &key);
    assert_string_equal(ap_buf_cstr(&key), cases[i].key);
    ap_buf_deinit(&key);
  }
}

static void test_knows_what_lies_inside(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    enum case_type type;
    bool is_internal;
  } cases[] = {
      {"10.1.2.3", CASE_TYPE_IP_ADDRESS, true},
      {"172.16.0.1", CASE_TYPE_IP_ADDRESS, true},
      {"172.32.0.1", CASE_TYPE_IP_ADDRESS, false},
      {"192.168.1.1", CASE_TYPE_IP_ADDRESS, true},
      {"192.169.1.1", CASE_TYPE_IP_ADDRESS, false},
      {"127.0.0.1", CASE_TYPE_IP_ADDRESS, true},
      {"169.254.1.1", CASE_TYPE_IP_ADDRESS, true},
      {"100.64.0.1", CASE_TYPE_IP_ADDRESS, true},
      {"100.128.0.1", CASE_TYPE_IP_ADDRESS, false},
      {"0.0.0.0", CASE_TYPE_IP_ADDRESS, true},
      {"8.8.8.8", CASE_TYPE_IP_ADDRESS, false},
      {"::1", CASE_TYPE_IP_ADDRESS, true},
      {"::", CASE_TYPE_IP_ADDRESS, true},
      {"fe80::1", CASE_TYPE_IP_ADDRESS, true},
      {"fd00::1", CASE_TYPE_IP_ADDRESS, true},
      {"::ffff:10.0.0.1", CASE_TYPE_IP_ADDRESS, true},
      {"2001:4860:4860::8888", CASE_TYPE_IP_ADDRESS, false},
      {"srv01", CASE_TYPE_HOSTNAME, true},
      {"srv01.LAN", CASE_TYPE_HOSTNAME, true},
      {"a.corp.internal", CASE_TYPE_HOSTNAME, true},
      {"printer.local", CASE_TYPE_HOSTNAME, true},
      {"x.home.arpa", CASE_TYPE_HOSTNAME, true},
      {"localhost", CASE_TYPE_HOSTNAME, true},
      {"evillocal", CASE_TYPE_HOSTNAME, true},
      {"evil.notlocal", CASE_TYPE_HOSTNAME, false},
      {"http://intranet/x", CASE_TYPE_URL, true},
      {"http://user@10.0.0.1:8080/", CASE_TYPE_URL, true},
      {"http://[::1]/", CASE_TYPE_URL, true},
      {"http://localhost./", CASE_TYPE_URL, true},
      {"http://10.0.0.1@evil.com/", CASE_TYPE_URL, false},
      {"http://evil.com/10.0.0.1", CASE_TYPE_URL, false},
      {MD5, CASE_TYPE_FILEHASH, false},
      {"ana@printer.local", CASE_TYPE_USER, false},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    bool is = case_indicator_is_internal(cases[i].text, strlen(cases[i].text), cases[i].type);
    if (is != cases[i].is_internal)
      fail_msg("%s", cases[i].text);
  }
}

static void test_any_bytes_are_read_without_harm(void **state)
{
  (void)state;
  static const char alphabet[] = "[](){}<>.:/@\\\"'`,; dotathxp1aA-_%#?\xc3\xbc\xff\x01";
  unsigned seed = 20261124;
  for (int i = 0; i < 50000; i++) {
    char text[40];
    size_t len = (size_t)rand_r(&seed) % sizeof(text);
    for (size_t at = 0; at < len; at++)
      text[at] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
    struct ap_slice slice = {ap_memdup(text, len), len};
    enum case_type said = (enum case_type)(rand_r(&seed) % (CASE_TYPE_COUNT + 1));
    struct ap_buf out = {0};
    struct ap_buf key = {0};
    struct case_indicator found;
    struct ap_error err = {0};
    int code =
        case_indicator_read(slice, said == CASE_TYPE_COUNT ? NULL : &said, &out, &found, &err);
    if (code == AP_OK) {
      case_indicator_key(out.ptr, out.len, found.type, &key);
      (void)case_indicator_is_internal(out.ptr, out.len, found.type);
      assert_true(key.len > 0);
    } else {
      assert_int_equal(code, AP_E_INVALID);
      assert_true(err.text[0] != '\0');
    }
    ap_buf_deinit(&out);
    ap_buf_deinit(&key);
    free((void *)(uintptr_t)slice.ptr);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cleans_what_people_write),
      cmocka_unit_test(test_cleaning_refuses_with_the_reason),
      cmocka_unit_test(test_infers_types),
      cmocka_unit_test(test_explains_what_is_no_indicator),
      cmocka_unit_test(test_limits_of_host_names_hold),
      cmocka_unit_test(test_reads_with_a_said_type),
      cmocka_unit_test(test_an_address_with_a_port_is_the_address),
      cmocka_unit_test(test_a_hash_with_the_name_of_its_file_is_the_hash),
      cmocka_unit_test(test_spellings_of_one_indicator_share_a_key),
      cmocka_unit_test(test_knows_what_lies_inside),
      cmocka_unit_test(test_any_bytes_are_read_without_harm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
