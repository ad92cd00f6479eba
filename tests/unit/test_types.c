// SPDX-License-Identifier: Apache-2.0
#include "casefile/types.h"

#include "unit.h"

static void test_reads_every_name_of_a_type_in_any_case(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    enum case_type type;
  } cases[] = {
      {"filehash", CASE_TYPE_FILEHASH},  {"FILEHASH", CASE_TYPE_FILEHASH},
      {"Hash", CASE_TYPE_FILEHASH},      {"ip_address", CASE_TYPE_IP_ADDRESS},
      {"ADDRESS", CASE_TYPE_IP_ADDRESS}, {"IP Address", CASE_TYPE_IP_ADDRESS},
      {"IP", CASE_TYPE_IP_ADDRESS},      {"url", CASE_TYPE_URL},
      {"destinationurl", CASE_TYPE_URL}, {"HOSTNAME", CASE_TYPE_HOSTNAME},
      {"Domain", CASE_TYPE_HOSTNAME},    {"USERUNIQNAME", CASE_TYPE_USER},
      {"user", CASE_TYPE_USER},          {"FILENAME", CASE_TYPE_FILE},
      {"file", CASE_TYPE_FILE},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    enum case_type type = CASE_TYPE_COUNT;
    assert_true(case_type_parse(cases[i].text, &type));
    assert_int_equal(type, cases[i].type);
  }
}

static void test_refuses_unknown_types_and_leaves_the_answer_alone(void **state)
{
  (void)state;
  static const char *const cases[] = {"", "process", "filehas", "filehash ", "ip_addresses"};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    enum case_type type = CASE_TYPE_USER;
    assert_false(case_type_parse(cases[i], &type));
    assert_int_equal(type, CASE_TYPE_USER);
  }
}

static void test_words_are_read_back(void **state)
{
  (void)state;
  for (unsigned i = 0; i < CASE_TYPE_COUNT; i++) {
    enum case_type type;
    assert_true(case_type_parse(case_type_word((enum case_type)i), &type));
    assert_int_equal(type, i);
  }
  for (unsigned i = 0; i < CASE_OUTCOME_COUNT; i++) {
    enum case_outcome outcome;
    assert_true(case_outcome_parse(case_outcome_word((enum case_outcome)i), &outcome));
    assert_int_equal(outcome, i);
  }
  enum case_outcome outcome;
  assert_false(case_outcome_parse("Reported", &outcome));
  assert_string_equal(case_type_word(CASE_TYPE_COUNT), "unknown");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reads_every_name_of_a_type_in_any_case),
      cmocka_unit_test(test_refuses_unknown_types_and_leaves_the_answer_alone),
      cmocka_unit_test(test_words_are_read_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
