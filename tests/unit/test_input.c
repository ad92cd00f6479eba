// SPDX-License-Identifier: Apache-2.0
#include "casefile/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#define TEXT(literal) literal, sizeof(literal) - 1
#define MD5 "44d88612fea8a8f36de82e1278abb02f"

static struct casefile *new_case(void)
{
  struct casefile *cf = NULL;
  assert_int_equal(casefile_new(0, &cf), AP_OK);
  return cf;
}

static struct casefile *parse(const char *text)
{
  struct casefile *cf = new_case();
  struct ap_error err = {0};
  if (case_input_parse(cf, "in.txt", (struct ap_slice){text, strlen(text)}, &err))
    fail_msg("%s", err.text);
  return cf;
}

/* What a case holds, in short: "hostname evil.com, !two words". */
static void describe(struct casefile *cf, char *out, size_t size)
{
  size_t len = 0;
  out[0] = '\0';
  for (uint32_t i = 0; i < casefile_count(cf) && len < size; i++) {
    const struct case_entity *entity = casefile_entity(cf, i);
    len += (size_t)snprintf(out + len, size - len, "%s%s%s %s", i ? ", " : "",
                            entity->malformed ? "!" : "", case_type_word(entity->type),
                            entity->identifier);
  }
}

static void check_reads(const char *text, const char *expected)
{
  char seen[1024];
  struct casefile *cf = parse(text);
  describe(cf, seen, sizeof(seen));
  assert_string_equal(seen, expected);
  casefile_free(cf);
}

static void test_formats_are_told_apart_by_content(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *expected;
  } cases[] = {
      {"", ""},
      {"\xef\xbb\xbf", ""},
      {"\n\n# only a comment\n", ""},
      {"evil.com", "hostname evil.com"},
      {"\xef\xbb\xbf"
       "evil.com\r\n1.2.3.4\r\n",
       "hostname evil.com, ip_address 1.2.3.4"},
      {"# list\n\n  evil.com # seen twice\nhttp://evil.com/#top\n#b.com\n",
       "hostname evil.com, url http://evil.com/#top"},
      {"[evil.com]\n[2001:db8::1]\n{b.com}\n",
       "hostname evil.com, ip_address 2001:db8::1, hostname b.com"},
      {"two words\nevil.com\n", "!unknown two words, hostname evil.com"},
      {"[\"evil.com\",\n \"hxxp://b[.]com/\"]", "hostname evil.com, url http://b.com/"},
      {"[]", ""},
      {"[\n]\n", ""},
      {"[{\"identifier\":\"SRV01\",\"type\":\"HOSTNAME\"},7,\"x.com\"]",
       "hostname SRV01, !unknown 7, hostname x.com"},
      {"{\"identifier\":\"evil.com\"}\n\n{\"value\":\"" MD5 "\",\"type\":\"FILEHASH\"}\r\n",
       "hostname evil.com, filehash " MD5},
      {"{\"identifier\":\"a.com\"}\n{\"identif\n{\"ioc\":\"b.com\"}\n",
       "hostname a.com, !unknown {\"identif, hostname b.com"},
      {"{\n \"identifier\": \"a.com\"\n}", "hostname a.com"},
      {"{\"entities\":[{\"identifier\":\"EVIL.COM\",\"entity_type\":\"DOMAIN\"},"
       "{\"identifier\":\"ANA\",\"EntityType\":\"USERUNIQNAME\"}]}",
       "hostname EVIL.COM, user ANA"},
      {"{\n\"name\":\"case\",\n\"entities\":\n[]}", ""},
      {"{\"identifier\":\"svchost.exe\",\"type\":\"PROCESS\"}", "!unknown svchost.exe"},
      {"{\"name\":\"x\"}", "!unknown {\"name\":\"x\"}"},
      {"{}", "!unknown {}"},
      {"Indicator,Type\nevil.com,hostname\n\"1.2.3.4\",\r\n\"a\"\"b\",file\n",
       "hostname evil.com, ip_address 1.2.3.4, file a\"b"},
      {"type;ioc\nurl;http://evil.com/a,b\n", "url http://evil.com/a,b"},
      {"type\tvalue\nurl\thttp://evil.com/\n", "url http://evil.com/"},
      {"ioc\nevil.com\n", "hostname evil.com"},
      {"note,ioc\n\"two\nlines\",evil.com\nx,b.com", "hostname evil.com, hostname b.com"},
      {"ioc,type\nevil.com,hostname,more\nb.com,hostname,\n",
       "!unknown evil.com,hostname,more, hostname b.com"},
      {"note,ioc\na\"\"b,evil.com\n", "hostname evil.com"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    check_reads(cases[i].text, cases[i].expected);
}

static void test_a_secops_case_brings_everything_it_knows(void **state)
{
  (void)state;
  struct casefile *cf = parse(
      "{\"entities\":[{\"identifier\":\"HTTP://EVIL.COM/A\",\"type\":\"DestinationURL\","
      "\"is_internal\":false,\"is_suspicious\":true,\"tlp\":\"TLP:AMBER\",\"risk\": [1, 2],"
      "\"additional_properties\":{\"OriginalIdentifier\":\"http://evil.com/a\", \"k\": null}},"
      "{\"identifier\":\"HTTP://EVIL.COM/B\",\"original_identifier\":\"http://evil.com/b\"},"
      "{\"identifier\":\"b.com\",\"is_internal\":\"maybe\"}]}");
  const struct case_entity *entity = casefile_entity(cf, 0);
  assert_int_equal(entity->type, CASE_TYPE_URL);
  assert_string_equal(entity->original_identifier, "http://evil.com/a");
  assert_true(entity->suspicious);
  assert_false(entity->internal);
  assert_string_equal(entity->tlp, "amber");
  assert_string_equal(entity->properties, "{\"risk\":[1,2],\"OriginalIdentifier\":"
                                          "\"http://evil.com/a\",\"k\":null}");
  assert_string_equal(casefile_entity(cf, 1)->original_identifier, "http://evil.com/b");
  assert_int_equal(casefile_note_count(cf), 1);
  assert_non_null(strstr(casefile_note(cf, 0)->text, "internal"));
  casefile_free(cf);
}

static void test_csv_columns_become_flags_and_properties(void **state)
{
  (void)state;
  struct casefile *cf = parse("\"value\",\"is internal\",suspicious,TLP,\"the, note\",empty\n"
                              "evil.com,yes,1,red,\"a \"\"b\"\"\",\n");
  const struct case_entity *entity = casefile_entity(cf, 0);
  assert_true(entity->internal && entity->suspicious);
  assert_string_equal(entity->tlp, "red");
  assert_string_equal(entity->properties, "{\"the, note\":\"a \\\"b\\\"\"}");
  casefile_free(cf);
}

static void test_notes_name_the_line(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    size_t line;
  } cases[] = {
      {"# c\nevil.com\n\nEVIL.com\n", 4},
      {"[\n\"evil.com\",\n\n\"EVIL.com\"\n]", 4},
      {"{\"ioc\":\"evil.com\"}\n{\"ioc\":\"EVIL.com\"}", 2},
      {"{\"a\":1,\n\"entities\":[\"evil.com\",\n\"EVIL.com\"]}", 3},
      {"note,ioc\n\"x\ny\",evil.com\n\"z\n\",EVIL.com", 4},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct casefile *cf = parse(cases[i].text);
    assert_int_equal(casefile_note_count(cf), 1);
    assert_string_equal(casefile_note(cf, 0)->source, "in.txt");
    assert_int_equal(casefile_note(cf, 0)->line, cases[i].line);
    casefile_free(cf);
  }
}

static void test_what_is_broken_as_a_whole_is_refused_with_the_line(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    size_t len;
    const char *message;
  } cases[] = {
      {TEXT("evil.com\nb\0c\n"), "in.txt:2: binary"},
      {TEXT("\xff\xfe"
            "e\0v\0"),
       "in.txt:1: binary"},
      {TEXT("[\"a.com\",\n\"b.com\"\n\"c.com\"]"), "in.txt:3: not valid JSON"},
      {TEXT("{\"identifier\": \"a.c"), "in.txt:1: not valid JSON"},
      {TEXT("{\"entities\":7}"), "no list"},
      {TEXT("ioc,note\na.com,x\nb.com,\"y\nc.com,z\n"), "in.txt:3: a quote"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct casefile *cf = new_case();
    struct ap_error err = {0};
    struct ap_slice text = {cases[i].text, cases[i].len};
    assert_int_equal(case_input_parse(cf, "in.txt", text, &err), AP_E_INVALID);
    assert_int_equal(err.code, AP_E_INVALID);
    if (!strstr(err.text, cases[i].message))
      fail_msg("%s, not %s", err.text, cases[i].message);
    casefile_free(cf);
  }
}

static void test_too_many_entities_are_refused_with_the_line(void **state)
{
  (void)state;
  struct casefile *cf = NULL;
  struct ap_error err = {0};
  struct ap_slice text = {"a.com\nb.com\n", 12};
  assert_int_equal(casefile_new(1, &cf), AP_OK);
  assert_int_equal(case_input_parse(cf, "in.txt", text, &err), AP_E_TOO_LARGE);
  assert_non_null(strstr(err.text, "in.txt:2: "));
  casefile_free(cf);
}

static void test_every_prefix_of_an_ndjson_file_is_read_or_refused(void **state)
{
  (void)state;
  static const char text[] = "{\"identifier\":\"evil.com\",\"type\":\"DOMAIN\",\"p\":\"\\u00fc\"}\n"
                             "{\"identifier\":\"1.2.3.4\",\"additional_properties\":{\"a\":[1]}}\n"
                             "{\"identifier\":\"" MD5 "\"}\n";
  size_t first_line = strcspn(text, "\n");
  for (size_t len = 0; len < sizeof(text); len++) {
    struct casefile *cf = new_case();
    struct ap_error err = {0};
    char *copy = ap_memdup(text, len);
    int code = case_input_parse(cf, "in.txt", (struct ap_slice){copy, len}, &err);
    assert_int_equal(code, len == 0 || len >= first_line ? AP_OK : AP_E_INVALID);
    if (len >= first_line)
      assert_string_equal(casefile_entity(cf, 0)->identifier, "evil.com");
    free(copy);
    casefile_free(cf);
  }
}

static void test_random_bytes_do_no_harm(void **state)
{
  (void)state;
  static const char alphabet[] = "{}[]\",:;#\n\r\t ioc,value\nentities.com1\\u00\xc3\xbc\xff";
  unsigned seed = 1;
  for (int i = 0; i < 30000; i++) {
    static const char *const heads[] = {"", "{\"ioc\":", "[\"", "ioc,type\n", "{\"entities\":["};
    char text[120];
    const char *head = heads[i % (int)COUNT_OF(heads)];
    size_t len = strlen(head);
    memcpy(text, head, len);
    for (size_t more = (size_t)rand_r(&seed) % 80; more; more--)
      text[len++] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
    char *copy = ap_memdup(text, len);
    struct casefile *cf = new_case();
    struct ap_error err = {0};
    int code = case_input_parse(cf, "in.txt", (struct ap_slice){copy, len}, &err);
    assert_true(code == AP_OK || (code == AP_E_INVALID && err.text[0]));
    casefile_free(cf);
    free(copy);
  }
}

/* ---- files ---- */

static void write_file(char *path, size_t size, void (*fill)(FILE *file))
{
  (void)snprintf(path, size, "/tmp/apogee-input-XXXXXX");
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  FILE *file = fdopen(fd, "w");
  fill(file);
  assert_int_equal(fclose(file), 0);
}

static void fill_hosts(FILE *file)
{
  for (int i = 0; i < 100000; i++)
    (void)fprintf(file, "host-%d[.]example.com,\r\n", i);
}

static void test_a_large_file_streams_through(void **state)
{
  (void)state;
  char path[64];
  write_file(path, sizeof(path), fill_hosts);
  struct casefile *cf = new_case();
  assert_int_equal(case_input_read(cf, path, NULL), AP_OK);
  assert_int_equal(casefile_count(cf), 100000);
  assert_string_equal(casefile_entity(cf, 99999)->identifier, "host-99999.example.com");
  casefile_free(cf);
  (void)unlink(path);
}

static void fill_long_line(FILE *file)
{
  (void)fprintf(file, "a.com\n");
  for (int i = 0; i < 3 * 1024 * 1024; i++)
    (void)fputc('x', file);
  (void)fprintf(file, "\nb.com\n");
}

static void test_an_endless_line_is_one_malformed_entity(void **state)
{
  (void)state;
  char path[64];
  char seen[1024];
  write_file(path, sizeof(path), fill_long_line);
  struct casefile *cf = new_case();
  assert_int_equal(case_input_read(cf, path, NULL), AP_OK);
  assert_int_equal(casefile_count(cf), 3);
  assert_non_null(strstr(casefile_entity(cf, 1)->malformed, "longer"));
  describe(cf, seen, sizeof(seen));
  assert_non_null(strstr(seen, "hostname b.com"));
  casefile_free(cf);
  (void)unlink(path);
}

static void fill_one_line_array(FILE *file)
{
  (void)fputc('[', file);
  for (int i = 0; i < 100000; i++)
    (void)fprintf(file, "%s\"host-%d.example.com\"", i ? "," : "", i);
  (void)fputs("]", file);
}

static void test_an_array_in_one_long_line_is_read(void **state)
{
  (void)state;
  char path[64];
  write_file(path, sizeof(path), fill_one_line_array);
  struct casefile *cf = new_case();
  assert_int_equal(case_input_read(cf, path, NULL), AP_OK);
  assert_int_equal(casefile_count(cf), 100000);
  casefile_free(cf);
  (void)unlink(path);
}

static void test_a_missing_file_and_a_folder_are_said(void **state)
{
  (void)state;
  struct casefile *cf = new_case();
  struct ap_error err = {0};
  assert_int_equal(case_input_read(cf, "/nowhere/hosts.txt", &err), AP_E_IO);
  assert_non_null(strstr(err.text, "/nowhere/hosts.txt cannot be read: No such file"));
  assert_int_equal(case_input_read(cf, "/tmp", &err), AP_E_IO);
  assert_non_null(strstr(err.text, "/tmp cannot be read: it is a folder"));
  casefile_free(cf);
}

/* ---- --entity ---- */

static void test_an_option_takes_a_type_or_infers_it(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    enum case_type type;
    const char *identifier;
  } cases[] = {
      {"hostname:SRV01", CASE_TYPE_HOSTNAME, "SRV01"},
      {"url:http://evil.com/", CASE_TYPE_URL, "http://evil.com/"},
      {"http://b.com/", CASE_TYPE_URL, "http://b.com/"},
      {"file:a.exe", CASE_TYPE_FILE, "a.exe"},
      {"ip:2001:db8::1", CASE_TYPE_IP_ADDRESS, "2001:db8::1"},
      {"2001:db8::2", CASE_TYPE_IP_ADDRESS, "2001:db8::2"},
      {"IP Address:1.2.3.4", CASE_TYPE_IP_ADDRESS, "1.2.3.4"},
  };
  struct casefile *cf = new_case();
  for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
    assert_int_equal(case_input_option(cf, cases[i].text, NULL), AP_OK);
    assert_int_equal(casefile_entity(cf, i)->type, cases[i].type);
    assert_string_equal(casefile_entity(cf, i)->identifier, cases[i].identifier);
  }
  casefile_free(cf);
}

static void test_an_option_that_is_no_indicator_is_refused(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"word", "no dot"},
      {"hostnam:SRV01", "did you mean \"hostname\"?"},
      {"filehash:xyz", "hex"},
      {"hostname:", "empty"},
      {"file:///etc/passwd", "no host"},
  };
  struct casefile *cf = new_case();
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_error err = {0};
    assert_int_equal(case_input_option(cf, cases[i][0], &err), AP_E_INVALID);
    if (!strstr(err.text, cases[i][1]))
      fail_msg("%s", err.text);
  }
  assert_int_equal(casefile_count(cf), 0);
  casefile_free(cf);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_formats_are_told_apart_by_content),
      cmocka_unit_test(test_a_secops_case_brings_everything_it_knows),
      cmocka_unit_test(test_csv_columns_become_flags_and_properties),
      cmocka_unit_test(test_notes_name_the_line),
      cmocka_unit_test(test_what_is_broken_as_a_whole_is_refused_with_the_line),
      cmocka_unit_test(test_too_many_entities_are_refused_with_the_line),
      cmocka_unit_test(test_every_prefix_of_an_ndjson_file_is_read_or_refused),
      cmocka_unit_test(test_random_bytes_do_no_harm),
      cmocka_unit_test(test_a_large_file_streams_through),
      cmocka_unit_test(test_an_endless_line_is_one_malformed_entity),
      cmocka_unit_test(test_an_array_in_one_long_line_is_read),
      cmocka_unit_test(test_a_missing_file_and_a_folder_are_said),
      cmocka_unit_test(test_an_option_takes_a_type_or_infers_it),
      cmocka_unit_test(test_an_option_that_is_no_indicator_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
