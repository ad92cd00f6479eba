// SPDX-License-Identifier: Apache-2.0
#include "casefile/casefile.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static struct casefile *new_case(uint32_t max)
{
  struct casefile *cf = NULL;
  assert_int_equal(casefile_new(max, &cf), AP_OK);
  return cf;
}

static struct ap_slice slice(const char *text)
{
  return (struct ap_slice){text, strlen(text)};
}

static uint32_t add_input(struct casefile *cf, const struct case_entity_input *input)
{
  uint32_t index = UINT32_MAX;
  struct ap_error err = {0};
  assert_int_equal(casefile_add(cf, input, &index, &err), AP_OK);
  return index;
}

static uint32_t add(struct casefile *cf, const char *text)
{
  return add_input(
      cf, &(struct case_entity_input){.identifier = slice(text), .source = "test", .line = 7});
}

static uint32_t add_typed(struct casefile *cf, const char *text, enum case_type type)
{
  return add_input(
      cf,
      &(struct case_entity_input){
          .identifier = slice(text), .source = "test", .line = 7, .has_type = true, .type = type});
}

struct gathered {
  char text[4096];
  size_t count;
};

static void gather(void *arg, const char *alias)
{
  struct gathered *all = arg;
  size_t len = strlen(all->text);
  (void)snprintf(all->text + len, sizeof(all->text) - len, "%s|", alias);
  all->count++;
}

static struct gathered aliases_of(const struct casefile *cf, uint32_t index)
{
  struct gathered all = {0};
  casefile_aliases(cf, index, gather, &all);
  return all;
}

static void test_keeps_the_cleaned_spelling_and_its_type(void **state)
{
  (void)state;
  struct casefile *cf = new_case(0);
  struct case_entity *entity = casefile_entity(cf, add(cf, "hxxp://Evil[.]com/A"));
  assert_string_equal(entity->identifier, "http://Evil.com/A");
  assert_int_equal(entity->type, CASE_TYPE_URL);
  assert_null(entity->original_identifier);
  assert_null(entity->malformed);
  assert_false(entity->internal || entity->suspicious || entity->enriched);
  assert_true(casefile_entity(cf, add(cf, "192.168.0.1"))->internal);
  assert_int_equal(casefile_note_count(cf), 0);
  casefile_free(cf);
}

static void test_merges_spellings_and_keeps_them_as_aliases(void **state)
{
  (void)state;
  struct casefile *cf = new_case(0);
  uint32_t first = add(cf, "evil.com");
  assert_int_equal(add(cf, "EVIL.com"), first);
  assert_int_equal(add(cf, "Evil.Com"), first);
  assert_int_equal(add(cf, "EVIL.com"), first);
  assert_int_equal(add(cf, "evil[.]com"), first);
  assert_int_equal(casefile_count(cf), 1);
  assert_string_equal(aliases_of(cf, first).text, "EVIL.com|Evil.Com|");
  assert_int_equal(casefile_note_count(cf), 4);
  const struct case_note *note = casefile_note(cf, 0);
  assert_string_equal(note->source, "test");
  assert_int_equal(note->line, 7);
  assert_non_null(strstr(note->text, "merged"));
  casefile_free(cf);
}

static void test_one_text_of_two_types_is_two_entities(void **state)
{
  (void)state;
  struct casefile *cf = new_case(0);
  uint32_t host = add(cf, "invoice.pdf");
  assert_int_not_equal(host, add_typed(cf, "invoice.pdf", CASE_TYPE_FILE));
  assert_int_equal(casefile_count(cf), 2);
  casefile_free(cf);
}

static void test_merging_ors_flags_and_takes_what_was_missing(void **state)
{
  (void)state;
  struct casefile *cf = new_case(0);
  uint32_t index = add(cf, "evil.com");
  (void)add_input(cf, &(struct case_entity_input){.identifier = slice("EVIL.COM"),
                                                  .suspicious = true,
                                                  .has_internal = true,
                                                  .internal = true,
                                                  .properties = slice("{\"a\":1}"),
                                                  .tlp = slice("TLP:Green")});
  (void)add_input(cf, &(struct case_entity_input){.identifier = slice("evil.com"),
                                                  .properties = slice("{\"b\":2}"),
                                                  .tlp = slice("RED")});
  (void)add_input(
      cf, &(struct case_entity_input){.identifier = slice("evil.com"), .tlp = slice("clear")});
  struct case_entity *entity = casefile_entity(cf, index);
  assert_true(entity->suspicious);
  assert_true(entity->internal);
  assert_string_equal(entity->properties, "{\"a\":1}");
  assert_string_equal(entity->tlp, "red");
  casefile_free(cf);
}

static void test_a_url_is_known_by_its_original(void **state)
{
  (void)state;
  struct casefile *cf = new_case(0);
  struct case_entity_input input = {.identifier = slice("HTTP://EVIL.COM/ABC"),
                                    .original = slice("http://evil.com/aBc")};
  uint32_t index = add_input(cf, &input);
  struct case_entity *entity = casefile_entity(cf, index);
  assert_string_equal(entity->identifier, "HTTP://EVIL.COM/ABC");
  assert_string_equal(entity->original_identifier, "http://evil.com/aBc");
  input.original = slice("http://evil.com/abC");
  assert_int_not_equal(add_input(cf, &input), index);
  assert_int_equal(add(cf, "http://evil.com/aBc"), index);
  assert_int_equal(aliases_of(cf, index).count, 0);
  casefile_free(cf);
}

static void test_an_original_of_no_use_is_dropped_and_said(void **state)
{
  (void)state;
  struct casefile *cf = new_case(0);
  struct case_entity_input input = {
      .identifier = slice("http://evil.com/"), .original = slice("two words"), .source = "test"};
  struct case_entity *entity = casefile_entity(cf, add_input(cf, &input));
  assert_null(entity->original_identifier);
  assert_int_equal(casefile_note_count(cf), 1);
  assert_non_null(strstr(casefile_note(cf, 0)->text, "original"));
  casefile_free(cf);
}

static void test_said_types_and_ports_are_noted_when_they_go(void **state)
{
  (void)state;
  struct casefile *cf = new_case(0);
  struct case_entity *entity = casefile_entity(cf, add_typed(cf, "1.2.3.4", CASE_TYPE_HOSTNAME));
  assert_int_equal(entity->type, CASE_TYPE_IP_ADDRESS);
  assert_non_null(strstr(casefile_note(cf, 0)->text, "retyped"));
  (void)add(cf, "5.6.7.8:80");
  assert_non_null(strstr(casefile_note(cf, 1)->text, "port"));
  casefile_free(cf);
}

static void test_what_is_malformed_is_kept_with_the_reason(void **state)
{
  (void)state;
  struct casefile *cf = new_case(0);
  struct case_entity *entity = casefile_entity(cf, add(cf, "two words"));
  assert_string_equal(entity->identifier, "two words");
  assert_int_equal(entity->type, CASE_TYPE_COUNT);
  assert_non_null(strstr(entity->malformed, "blanks"));
  assert_non_null(strstr(casefile_note(cf, 0)->text, "skipped: two words: no indicator"));
  assert_string_equal(entity->source, "test");
  assert_int_equal(entity->line, 7);
  entity = casefile_entity(cf, add_typed(cf, "zzz", CASE_TYPE_FILEHASH));
  assert_int_equal(entity->type, CASE_TYPE_FILEHASH);
  assert_non_null(strstr(entity->malformed, "hex"));
  struct case_entity_input input = {.identifier = slice("evil.com"), .problem = "torn"};
  assert_string_equal(casefile_entity(cf, add_input(cf, &input))->malformed, "torn");
  assert_null(casefile_entity(cf, add(cf, "evil.com"))->malformed);
  char large[20000];
  memset(large, 'x', sizeof(large) - 1);
  large[sizeof(large) - 1] = '\0';
  assert_true(strlen(casefile_entity(cf, add(cf, large))->identifier) < 300);
  assert_int_equal(casefile_count(cf), 5);
  casefile_free(cf);
}

static void test_the_limit_refuses_new_entities_not_merges(void **state)
{
  (void)state;
  struct casefile *cf = new_case(2);
  struct ap_error err = {0};
  uint32_t index = 99;
  (void)add(cf, "a.com");
  (void)add(cf, "b.com");
  struct case_entity_input input = {.identifier = slice("c.com")};
  assert_int_equal(casefile_add(cf, &input, &index, &err), AP_E_TOO_LARGE);
  assert_int_equal(index, 99);
  assert_int_equal(add(cf, "B.com"), 1);
  assert_int_equal(casefile_count(cf), 2);
  casefile_free(cf);
}

static void test_notes_and_aliases_are_bounded(void **state)
{
  (void)state;
  struct casefile *cf = new_case(0);
  char text[] = "abcdefghijklmnop.com";
  uint32_t first = add(cf, text);
  for (unsigned i = 1; i <= CASE_NOTES_KEPT + 5; i++) {
    for (unsigned bit = 0; bit < 16; bit++)
      text[bit] = (char)((i >> bit & 1 ? 'A' : 'a') + (int)bit);
    assert_int_equal(add(cf, text), first);
  }
  assert_int_equal(casefile_note_count(cf), CASE_NOTES_KEPT);
  assert_int_equal(casefile_notes_left_out(cf), 5);
  assert_int_equal(aliases_of(cf, first).count, CASE_ALIASES_KEPT);
  casefile_free(cf);
}

static size_t bytes_in_use(void)
{
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

static void add_many(struct casefile *cf, unsigned count)
{
  char text[80];
  for (unsigned i = 0; i < count; i++) {
    if (i % 2)
      (void)snprintf(text, sizeof(text), "host-%u.Example-%u.com", i, i % 977);
    else
      (void)snprintf(text, sizeof(text), "%032X%032x", i, i * 2654435761U);
    (void)add(cf, text);
  }
}

static void test_many_entities_fit_in_little_memory(void **state)
{
  (void)state;
  const char *wanted = getenv("APOGEE_TEST_ENTITIES");
  unsigned count = wanted ? (unsigned)strtoul(wanted, NULL, 10) : 100000;
  size_t before = bytes_in_use();
  struct casefile *cf = new_case(0);
  add_many(cf, count);
  size_t used = bytes_in_use() - before;
  add_many(cf, count);
  assert_int_equal(casefile_count(cf), count);
#ifndef __SANITIZE_ADDRESS__
  print_message("%u entities: %zu KiB, %zu bytes each\n", count, used / 1024, used / count);
  assert_true(used / count < 262);
#else
  (void)used;
#endif
  casefile_free(cf);
}

static void test_a_tlp_of_all_is_the_least_of_each(void **state)
{
  struct casefile *cf = new_case(0);
  (void)state;
  uint32_t before = add(cf, "before.com");
  casefile_set_tlp(cf, "TLP:Amber");
  uint32_t plain = add(cf, "plain.com");
  uint32_t looser = add_input(
      cf, &(struct case_entity_input){.identifier = slice("green.com"), .tlp = slice("green")});
  uint32_t stricter = add_input(
      cf, &(struct case_entity_input){.identifier = slice("red.com"), .tlp = slice("red")});
  assert_null(casefile_entity(cf, before)->tlp);
  assert_string_equal("amber", casefile_entity(cf, plain)->tlp);
  assert_string_equal("amber", casefile_entity(cf, looser)->tlp);
  assert_string_equal("red", casefile_entity(cf, stricter)->tlp);
  casefile_free(cf);
}

static void test_the_tlp_of_a_text_is_that_of_the_entities_that_it_names(void **state)
{
  struct casefile *cf = new_case(0);
  (void)state;
  assert_null(casefile_tlp_of(cf, "evil.com"));
  (void)add_input(
      cf, &(struct case_entity_input){.identifier = slice("Evil.com"), .tlp = slice("amber")});
  (void)add_input(cf, &(struct case_entity_input){.identifier = slice("http://evil.com/A"),
                                                  .tlp = slice("red")});
  (void)add_input(
      cf, &(struct case_entity_input){.identifier = slice("2001:DB8::0:1"), .tlp = slice("green")});
  (void)add(cf, "none.com");
  assert_string_equal("amber", casefile_tlp_of(cf, "EVIL.COM"));
  assert_string_equal("red", casefile_tlp_of(cf, "HTTP://EVIL.com/A"));
  assert_null(casefile_tlp_of(cf, "http://evil.com/a"));
  assert_string_equal("green", casefile_tlp_of(cf, "2001:db8::1"));
  assert_null(casefile_tlp_of(cf, "none.com"));
  casefile_free(cf);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_keeps_the_cleaned_spelling_and_its_type),
      cmocka_unit_test(test_merges_spellings_and_keeps_them_as_aliases),
      cmocka_unit_test(test_one_text_of_two_types_is_two_entities),
      cmocka_unit_test(test_merging_ors_flags_and_takes_what_was_missing),
      cmocka_unit_test(test_a_url_is_known_by_its_original),
      cmocka_unit_test(test_an_original_of_no_use_is_dropped_and_said),
      cmocka_unit_test(test_said_types_and_ports_are_noted_when_they_go),
      cmocka_unit_test(test_what_is_malformed_is_kept_with_the_reason),
      cmocka_unit_test(test_the_limit_refuses_new_entities_not_merges),
      cmocka_unit_test(test_notes_and_aliases_are_bounded),
      cmocka_unit_test(test_a_tlp_of_all_is_the_least_of_each),
      cmocka_unit_test(test_the_tlp_of_a_text_is_that_of_the_entities_that_it_names),
      cmocka_unit_test(test_many_entities_fit_in_little_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
