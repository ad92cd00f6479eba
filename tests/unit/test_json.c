// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "unit.h"

enum { MANY_VALUES = 10000000 };

static struct ap_slice slice_of(const char *text)
{
  return (struct ap_slice){text, strlen(text)};
}

static int check_text(const char *text)
{
  return ap_json_check(slice_of(text), AP_JSON_MAX_DEPTH, MANY_VALUES, NULL);
}

/* ---- the check ---- */

static void test_valid_texts_are_taken(void **state)
{
  (void)state;
  static const char *const texts[] = {
      "null",
      "true",
      "false",
      "0",
      "-0",
      "-0.0e-0",
      "1e5",
      "1E+5",
      "10.25e-3",
      "1e999",
      "123456789012345678901234567890",
      "\"\"",
      "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
      "\"\\ud83d\\ude00\"",
      "\"\\u0000\"",
      "\"\x7f\"",
      "\"\xf0\x9f\x98\x80 na\xc3\xafve\"",
      "[]",
      "{}",
      "[[],{},[{}]]",
      "{\"\":0}",
      "{\"a\":1,\"a\":2}",
      " \t\r\n{ \"a\" : [ 1 , 2 ] } \n",
      "[\"]\",\"}\",\"\\\"\",\",\"]",
  };
  for (size_t i = 0; i < COUNT_OF(texts); i++)
    if (check_text(texts[i]) != AP_OK)
      fail_msg("refused: %s", texts[i]);
}

static void test_invalid_texts_are_refused(void **state)
{
  (void)state;
  static const char *const texts[] = {
      /* nothing, or not all of it */
      "",
      "  ",
      "[",
      "{",
      "[1",
      "[1,",
      "{\"a\"",
      "{\"a\":",
      "{\"a\":1",
      "{\"a\":1,",
      "\"",
      "\"abc",
      "\"\\",
      "\"\\u12",
      "tru",
      "-",
      /* more than it */
      "1 2",
      "{}{}",
      "[]]",
      "{}}",
      "null,",
      "\"a\"b",
      "[1]x",
      "{} //",
      /* numbers */
      "01",
      "-01",
      "+1",
      ".5",
      "1.",
      "1.e5",
      "1e",
      "1e+",
      "0x10",
      "NaN",
      "Infinity",
      "-Infinity",
      "1_000",
      "--1",
      /* words */
      "True",
      "NULL",
      "nul",
      "nullx",
      "undefined",
      "'a'",
      /* commas and colons */
      "[1,]",
      "[,1]",
      "[1,,2]",
      "[1 2]",
      "[,]",
      "{,}",
      "{\"a\":1,}",
      "{\"a\" 1}",
      "{\"a\":}",
      "{\"a\"::1}",
      "{\"a\",1}",
      "{1:1}",
      "{a:1}",
      "{\"a\":1 \"b\":2}",
      "[\"a\":1]",
      /* closers that do not fit */
      "]",
      "}",
      "[}",
      "{]",
      "[1}",
      "{\"a\":1]",
      "[{]}",
      /* strings */
      "\"\t\"",
      "\"\n\"",
      "\"\x01\"",
      "\"\\x41\"",
      "\"\\a\"",
      "\"\\'\"",
      "\"\\U0041\"",
      "\"\\u12g4\"",
      "\"\\u 123\"",
      /* surrogates without their other half */
      "\"\\ud83d\"",
      "\"\\ude00\"",
      "\"\\ud83d\\ud83d\"",
      "\"\\ud83dx\"",
      "\"\\ud83d\\n\"",
      "\"\\ude00\\ud83d\"",
      "\"\\ud83d\\u0041\"",
      /* not UTF-8, or with a BOM */
      "\"\xff\"",
      "\"\xc0\x80\"",
      "\"\xed\xa0\x80\"",
      "\"\xe2\x82\"",
      "\xef\xbb\xbf{}",
      /* blanks and comments that JSON does not have */
      "\v1",
      "\f1",
      "\xc2\xa0"
      "1",
      "/* */ 1",
      "[1 /* */]",
  };
  for (size_t i = 0; i < COUNT_OF(texts); i++)
    if (check_text(texts[i]) != AP_E_BAD_ANSWER)
      fail_msg("taken: %s", texts[i]);
}

static void test_nul_bytes_are_refused_everywhere(void **state)
{
  (void)state;
  static const struct ap_slice texts[] = {
      {"{}\0", 3}, {"\0{}", 3}, {"\"a\0b\"", 5}, {"[1\0]", 4}, {"\"\\\0\"", 4}, {"1\0", 2},
  };
  for (size_t i = 0; i < COUNT_OF(texts); i++)
    assert_int_equal(ap_json_check(texts[i], 10, 10, NULL), AP_E_BAD_ANSWER);
  assert_int_equal(ap_json_check((struct ap_slice){0}, 10, 10, NULL), AP_E_BAD_ANSWER);
}

static void test_error_names_the_byte(void **state)
{
  (void)state;
  struct ap_error err = {0};
  assert_int_equal(ap_json_check(slice_of("{\"a\": tru}"), 10, 10, &err), AP_E_BAD_ANSWER);
  assert_string_equal(err.text, "not valid JSON at byte 6");
}

static void test_every_prefix_of_a_text_is_refused(void **state)
{
  (void)state;
  static const char text[] = "{\"k\\u00e9\":[1.5e3,\"\\ud83d\\ude00\xc3\xa9\",{},null,true,-2]}";
  for (size_t len = 0; len < strlen(text); len++) {
    /* A copy of just that length, so that a read past its end does not go unseen. */
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    if (ap_json_check((struct ap_slice){copy, len}, 10, 100, NULL) != AP_E_BAD_ANSWER)
      fail_msg("taken: %.*s", (int)len, copy);
    free(copy);
  }
  assert_int_equal(check_text(text), AP_OK);
}

static void test_depth_is_limited(void **state)
{
  (void)state;
  struct ap_error err = {0};
  assert_int_equal(ap_json_check(slice_of("[[{\"a\":1}]]"), 3, 100, &err), AP_OK);
  assert_int_equal(ap_json_check(slice_of("[[{\"a\":[]}]]"), 3, 100, &err), AP_E_TOO_LARGE);
  assert_non_null(strstr(err.text, "3 deep"));
  assert_int_equal(ap_json_check(slice_of("[]"), 0, 100, NULL), AP_E_TOO_LARGE);
  assert_int_equal(ap_json_check(slice_of("1"), 0, 100, NULL), AP_OK);
  /* Siblings are not depth. */
  assert_int_equal(ap_json_check(slice_of("[[],[],[],[]]"), 2, 100, NULL), AP_OK);
}

static void test_depth_never_passes_the_greatest(void **state)
{
  (void)state;
  char text[2 * AP_JSON_MAX_DEPTH + 4];
  for (size_t depth = AP_JSON_MAX_DEPTH; depth <= AP_JSON_MAX_DEPTH + 1; depth++) {
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
    int want = depth <= AP_JSON_MAX_DEPTH ? AP_OK : AP_E_TOO_LARGE;
    assert_int_equal(ap_json_check(slice_of(text), SIZE_MAX, MANY_VALUES, NULL), want);
  }
}

static void test_values_are_counted(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    size_t values;
  } cases[] = {{"1", 1}, {"[]", 1}, {"[1,2]", 3}, {"{\"a\":1,\"b\":[2]}", 4}, {"[[],{}]", 3}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_slice text = slice_of(cases[i].text);
    assert_int_equal(ap_json_check(text, 9, cases[i].values, NULL), AP_OK);
    assert_int_equal(ap_json_check(text, 9, cases[i].values - 1, NULL), AP_E_TOO_LARGE);
  }
}

/* ---- walking ---- */

static void test_kinds_are_told_by_the_first_byte(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    enum ap_json_kind kind;
  } cases[] = {
      {"null", AP_JSON_NULL},     {" true", AP_JSON_BOOL},  {"false", AP_JSON_BOOL},
      {"-1", AP_JSON_NUMBER},     {"0", AP_JSON_NUMBER},    {"\"1\"", AP_JSON_STRING},
      {"\n[1]\n", AP_JSON_ARRAY}, {"\t{}", AP_JSON_OBJECT},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    assert_int_equal(ap_json_kind(slice_of(cases[i].text)), cases[i].kind);
}

static void test_walk_of_a_pretty_printed_object(void **state)
{
  (void)state;
  static const char text[] = "\n{\n"
                             "  \"response_code\" : 1 ,\n"
                             "  \"scans\" : {\n"
                             "    \"Bkav\" : { \"detected\" : true , \"result\" : \"a, b: {c}\" }\n"
                             "  } ,\n"
                             "  \"list\" : [ 1 , [ 2 ] , \"]\" ] ,\n"
                             "  \"quo\\\"te\" : \"\\\\\" ,\n"
                             "  \"empty\" : { } ,\n"
                             "  \"last\" : null\n"
                             "}\n";
  static const struct {
    const char *key;
    const char *value;
  } members[] = {
      {"\"response_code\"", "1"},
      {"\"scans\"", "{\n    \"Bkav\" : { \"detected\" : true , \"result\" : \"a, b: {c}\" }\n  }"},
      {"\"list\"", "[ 1 , [ 2 ] , \"]\" ]"},
      {"\"quo\\\"te\"", "\"\\\\\""},
      {"\"empty\"", "{ }"},
      {"\"last\"", "null"},
  };
  assert_int_equal(check_text(text), AP_OK);
  struct ap_json_walk walk = ap_json_walk(slice_of(text));
  for (size_t i = 0; i < COUNT_OF(members); i++) {
    assert_true(ap_json_next(&walk));
    assert_true(ap_slice_is(walk.key, members[i].key));
    if (!ap_slice_is(walk.value, members[i].value))
      fail_msg("%s is %.*s", members[i].key, (int)walk.value.len, walk.value.ptr);
  }
  assert_false(ap_json_next(&walk));
  assert_false(ap_json_next(&walk));
}

static void test_walk_of_an_array(void **state)
{
  (void)state;
  static const char *const items[] = {"1", "\"a,]\"", "[ ]", "{\"k\":[0]}", "-2.5e3", "false"};
  struct ap_json_walk walk = ap_json_walk(slice_of(" [1,\"a,]\" ,[ ],{\"k\":[0]},-2.5e3,false ] "));
  for (size_t i = 0; i < COUNT_OF(items); i++) {
    assert_true(ap_json_next(&walk));
    assert_int_equal(walk.key.len, 0);
    assert_true(ap_slice_is(walk.value, items[i]));
  }
  assert_false(ap_json_next(&walk));
}

/* Whatever stands at whatever place of a block of bytes that is passed over at once. */
static void test_containers_end_where_they_end_at_every_place(void **state)
{
  (void)state;
  static const char *const items[] = {
      "{}",
      "[[],[[]],{}]",
      "{\"a\":\"}\",\"[\":[1,{\"b\":\"\\\"}]\"}]}",
      "[\"\\\\\",\"\\\\\\\"]\",\"\\u005d\",[[[[[[[[[[[[[[[[[[[\"]]]]\"]]]]]]]]]]]]]]]]]]]]",
      "{\"long enough for more than two blocks of sixteen\":{\"and\":[\"another }}]] that is\"]}}",
      "[{\"x\":1},{\"x\":2},{\"x\":3},{\"x\":4},{\"x\":5},{\"x\":6},{\"x\":7},{\"x\":8}]",
  };
  for (size_t i = 0; i < COUNT_OF(items); i++) {
    for (size_t place = 0; place < 40; place++) {
      struct ap_buf text = {0};
      ap_buf_add_fmt(&text, "[\"%.*s\",%s,\"}]\"%*s]", (int)place,
                     "a text of forty characters, to be cut off", items[i], (int)place, "");
      assert_int_equal(check_text(text.ptr), AP_OK);
      struct ap_json_walk walk = ap_json_walk(ap_slice_of(&text));
      assert_true(ap_json_next(&walk));
      assert_true(ap_json_next(&walk));
      assert_true(ap_slice_is(walk.value, items[i]));
      assert_true(ap_json_next(&walk));
      assert_true(ap_slice_is(walk.value, "\"}]\""));
      assert_false(ap_json_next(&walk));
      ap_buf_deinit(&text);
    }
  }
}

/* Also when the inner walk is left half way, or not begun. */
static void test_inner_walks_end_where_the_value_ends(void **state)
{
  (void)state;
  static const char text[] =
      "{\"a\": {\"x\": 1, \"y\": {\"}\": [2]}}, \"b\":[\"]\",[3],4], \"c\" : 5 ,"
      "\"d\":\"{\",\"e\":{ },\"f\":null}";
  static const struct {
    const char *value;
    size_t members;
  } expected[] = {{"{\"x\": 1, \"y\": {\"}\": [2]}}", 2},
                  {"[\"]\",[3],4]", 3},
                  {"5", 0},
                  {"\"{\"", 0},
                  {"{ }", 0},
                  {"null", 0}};
  for (size_t most = 0; most < 4; most++) {
    struct ap_json_walk walk = ap_json_walk(slice_of(text));
    struct ap_json_walk inner;
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
      assert_true(ap_json_next_inner(&walk, &inner));
      assert_int_equal(inner.is_object, expected[i].value[0] == '{');
      size_t members = 0;
      while (members < most && ap_json_next(&inner))
        members++;
      assert_int_equal(members, most < expected[i].members ? most : expected[i].members);
      ap_json_leave_inner(&walk, &inner);
      assert_true(ap_slice_is(walk.value, expected[i].value));
    }
    assert_false(ap_json_next_inner(&walk, &inner));
  }
}

static void test_walk_of_nothing_ends_at_once(void **state)
{
  (void)state;
  static const char *const texts[] = {"[]", "{}", " [ ] ", "{\n}", "5", "\"[1]\"", "null", ""};
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    struct ap_json_walk walk = ap_json_walk(slice_of(texts[i]));
    assert_false(ap_json_next(&walk));
  }
}

static void test_get_finds_members_of_this_object_only(void **state)
{
  (void)state;
  struct ap_slice object = slice_of("{\"a\":{\"deep\":1},\"ab\":2,\"s\":\"\\\"b\\\":3\"}");
  struct ap_slice value = {0};
  assert_true(ap_json_get(object, "ab", &value));
  assert_true(ap_slice_is(value, "2"));
  assert_false(ap_json_get(object, "deep", &value));
  /* no JSON at all, but nothing is read behind the key that is looked for */
  assert_false(ap_json_get((struct ap_slice){"{\"ab\0cdefghijklmnop\":1}", 24}, "ab", &value));
  assert_false(ap_json_get(object, "b", &value));
  assert_false(ap_json_get(object, "", &value));
  assert_false(ap_json_get(slice_of("[\"a\",1]"), "a", &value));
  assert_true(ap_slice_is(value, "2")); /* untouched */
}

static void test_get_takes_the_last_of_a_key_however_it_is_escaped(void **state)
{
  (void)state;
  struct ap_slice value = {0};
  assert_true(ap_json_get(slice_of("{\"code\":1,\"code\":2}"), "code", &value));
  assert_true(ap_slice_is(value, "2"));
  assert_true(ap_json_get(slice_of("{\"code\":1,\"c\\u006fde\":3}"), "code", &value));
  assert_true(ap_slice_is(value, "3"));
  assert_false(ap_json_get(slice_of("{\"c\\\\ode\":1}"), "code", &value));
}

static void test_strings_are_decoded(void **state)
{
  (void)state;
  static const struct {
    const char *token;
    const char *text;
  } cases[] = {
      {"\"\"", ""},
      {" \"plain\" ", "plain"},
      {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
      {"\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
      {"\"na\xc3\xafve\"", "na\xc3\xafve"},
      {"\"end\\\\\"", "end\\"},
      {"5", ""},
      {"null", ""},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_buf out = {0};
    ap_json_read_string(slice_of(cases[i].token), &out);
    if (strcmp(ap_buf_cstr(&out), cases[i].text) != 0)
      fail_msg("%s: %s", cases[i].token, ap_buf_cstr(&out));
    ap_buf_deinit(&out);
  }
  struct ap_buf out = {0};
  ap_json_read_string(slice_of("\"a\\u0000b\""), &out);
  assert_int_equal(out.len, 3);
  assert_memory_equal(out.ptr, "a\0b", 3);
  ap_buf_deinit(&out);
}

static void test_integers_are_read_in_every_dress(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    int64_t number;
  } cases[] = {
      {"0", 0},
      {"-0", 0},
      {"5", 5},
      {" 5\n", 5},
      {"-2", -2},
      {"\"5\"", 5},
      {"\"-2\"", -2},
      {"54.0", 54},
      {"\"54.0\"", 54},
      {"1e5", 100000},
      {"1E+2", 100},
      {"120e-1", 12},
      {"9007199254740993", 9007199254740993},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    int64_t number = -99;
    if (!ap_json_read_int(slice_of(cases[i].text), &number) || number != cases[i].number)
      fail_msg("%s: %lld", cases[i].text, (long long)number);
  }
}

static void test_what_is_no_integer_is_not_read_as_one(void **state)
{
  (void)state;
  static const char *const texts[] = {
      "",         "1.5",       "1e999",
      "-1e999",   "1e-1",      "9223372036854775808",
      "1e18",     "null",      "true",
      "[5]",      "{}",        "\"\"",
      "\" 5\"",   "\"5 \"",    "\"five\"",
      "\"0x10\"", "\"+5\"",    "\"inf\"",
      "\"nan\"",  "\"1e\"",    "\"-\"",
      "\"5\\n\"", "\"1.2.3\"", "\"00000000000000000000000000000000000000000000005\"",
  };
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    int64_t number = -99;
    if (ap_json_read_int(slice_of(texts[i]), &number))
      fail_msg("%s was read as %lld", texts[i], (long long)number);
    assert_int_equal(number, -99);
  }
}

/* ---- compacting and writing ---- */

static void test_compact_keeps_the_blanks_of_strings(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *compact;
  } cases[] = {
      {" { \"a b\" : [ 1 ,\t2 ] ,\r\n \"c\" : \" x  \\\" y \" } ",
       "{\"a b\":[1,2],\"c\":\" x  \\\" y \"}"},
      {"\"\\\\\" ", "\"\\\\\""},
      {"[ ]", "[]"},
      {"{\"a\":1.50,\"b\":12345678901234567890}", "{\"a\":1.50,\"b\":12345678901234567890}"},
      {" null ", "null"},
      {"", ""},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_buf out = {0};
    ap_json_compact(slice_of(cases[i].text), &out);
    assert_string_equal(ap_buf_cstr(&out), cases[i].compact);
    ap_buf_deinit(&out);
  }
}

static void test_written_strings_are_safe_in_a_line(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *token;
  } cases[] = {
      {"", "\"\""},
      {"plain / text", "\"plain / text\""},
      {"\"\\", "\"\\\"\\\\\""},
      {"a\nb\tc\rd\be", "\"a\\nb\\tc\\rd\\u0008e\""},
      {"\x1b[31m\x7f", "\"\\u001b[31m\\u007f\""},
      {"na\xc3\xafve \xf0\x9f\x98\x80", "\"na\xc3\xafve \xf0\x9f\x98\x80\""},
      {"\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\""},
      {"\xc2\x85\xc2\x9b\xc2\xa0", "\"\\u0085\\u009b\xc2\xa0\""},
      {"bad \xff\xc0\xaf.", "\"bad \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd.\""},
      {"cut \xe2\x82", "\"cut \xef\xbf\xbd\xef\xbf\xbd\""},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_buf out = {0};
    ap_json_write_cstr(&out, cases[i].text);
    assert_string_equal(ap_buf_cstr(&out), cases[i].token);
    assert_int_equal(ap_json_check(ap_slice_of(&out), 1, 1, NULL), AP_OK);
    ap_buf_deinit(&out);
  }
  struct ap_buf out = {0};
  ap_json_write_cstr(&out, NULL);
  ap_json_write_string(&out, "a\0b", 3);
  assert_string_equal(ap_buf_cstr(&out), "null\"a\\u0000b\"");
  ap_buf_deinit(&out);
}

static void test_numbers_are_written_in_the_fewest_digits(void **state)
{
  static const struct {
    double number;
    const char *text;
  } cases[] = {
      {0, "0"},
      {-0.0, "0"},
      {54, "54"},
      {-7, "-7"},
      {999999999999999, "999999999999999"},
      {0.1, "0.1"},
      {-2.5, "-2.5"},
      {1e15, "1e+15"},
      {1e300, "1e+300"},
      {1.0 / 3, "0.3333333333333333"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ap_buf out = {0};
    assert_true(ap_json_write_number(&out, cases[i].number));
    assert_string_equal(ap_buf_cstr(&out), cases[i].text);
    assert_true(strtod(ap_buf_cstr(&out), NULL) == cases[i].number);
    ap_buf_deinit(&out);
  }
  struct ap_buf out = {0};
  assert_false(ap_json_write_number(&out, HUGE_VAL));
  assert_false(ap_json_write_number(&out, -HUGE_VAL));
  assert_false(ap_json_write_number(&out, (double)NAN));
  assert_int_equal(0, out.len);
}

static void test_every_character_survives_writing_and_reading(void **state)
{
  (void)state;
  struct ap_buf text = {0};
  struct ap_buf token = {0};
  struct ap_buf back = {0};
  for (unsigned point = 0; point < 0x11000; point++)
    if (point < 0xd800 || point > 0xdfff)
      ap_utf8_add(&text, point);
  ap_json_write_string(&token, text.ptr, text.len);
  assert_int_equal(ap_json_check(ap_slice_of(&token), 1, 1, NULL), AP_OK);
  ap_json_read_string(ap_slice_of(&token), &back);
  assert_int_equal(back.len, text.len);
  assert_memory_equal(back.ptr, text.ptr, text.len);
  ap_buf_deinit(&text);
  ap_buf_deinit(&token);
  ap_buf_deinit(&back);
}

/* ---- recorded answers of VirusTotal, where they are at hand ---- */

static void read_file(const char *path, struct ap_buf *out)
{
  FILE *file = fopen(path, "re");
  if (!file)
    fail_msg("cannot open %s", path);
  char piece[4096];
  for (size_t got; (got = fread(piece, 1, sizeof(piece), file)) > 0;)
    ap_buf_add(out, piece, got);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(ap_buf_error(out), AP_OK);
}

static void check_body(const char *path)
{
  struct ap_buf body = {0};
  struct ap_buf compact = {0};
  struct ap_buf again = {0};
  struct ap_error err = {0};
  read_file(path, &body);
  if (ap_json_check(ap_slice_of(&body), AP_JSON_MAX_DEPTH, MANY_VALUES, &err) != AP_OK)
    fail_msg("%s: %s", path, err.text);
  ap_json_compact(ap_slice_of(&body), &compact);
  if (ap_json_check(ap_slice_of(&compact), AP_JSON_MAX_DEPTH, MANY_VALUES, &err) != AP_OK)
    fail_msg("%s, compact: %s", path, err.text);
  ap_json_compact(ap_slice_of(&compact), &again);
  assert_string_equal(ap_buf_cstr(&compact), ap_buf_cstr(&again));
  assert_null(strpbrk(ap_buf_cstr(&compact), "\r\n\t"));
  ap_buf_deinit(&body);
  ap_buf_deinit(&compact);
  ap_buf_deinit(&again);
}

static void test_recorded_answers_stay_valid_when_compacted(void **state)
{
  (void)state;
  const char *source = getenv("APOGEE_SOURCE_DIR");
  char folder[1024];
  (void)snprintf(folder, sizeof(folder), "%s/../shared/fixtures/virustotal-v2",
                 source ? source : ".");
  DIR *dir = opendir(folder);
  if (!dir) {
    print_message("no recorded answers in ../shared/fixtures/virustotal-v2: left out\n");
    skip();
    return;
  }
  size_t bodies = 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    const char *dot = strrchr(entry->d_name, '.');
    if (!dot || strcmp(dot, ".json") != 0)
      continue;
    char path[1400];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
    check_body(path);
    bodies++;
  }
  (void)closedir(dir);
  assert_true(bodies > 0);
}

static void test_several_members_are_found_in_one_walk(void **state)
{
  static const char *const keys[] = {"a", "missing", "b\"", "last"};
  struct ap_slice values[4];
  (void)state;
  ap_json_get_many(slice_of("{\"a\": 1, \"b\\\"\": [\"\\\\\", \"\\\"\"], \"a\": 2, "
                            "\"last\": {\"a\": 3}}"),
                   keys, 4, values);
  assert_true(ap_slice_is(values[0], "2"));
  assert_null(values[1].ptr);
  assert_true(ap_slice_is(values[2], "[\"\\\\\", \"\\\"\"]"));
  assert_true(ap_slice_is(values[3], "{\"a\": 3}"));
  ap_json_get_many(slice_of("[1, 2]"), keys, 4, values);
  assert_null(values[0].ptr);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_valid_texts_are_taken),
      cmocka_unit_test(test_invalid_texts_are_refused),
      cmocka_unit_test(test_nul_bytes_are_refused_everywhere),
      cmocka_unit_test(test_error_names_the_byte),
      cmocka_unit_test(test_every_prefix_of_a_text_is_refused),
      cmocka_unit_test(test_depth_is_limited),
      cmocka_unit_test(test_depth_never_passes_the_greatest),
      cmocka_unit_test(test_values_are_counted),
      cmocka_unit_test(test_kinds_are_told_by_the_first_byte),
      cmocka_unit_test(test_walk_of_a_pretty_printed_object),
      cmocka_unit_test(test_walk_of_an_array),
      cmocka_unit_test(test_containers_end_where_they_end_at_every_place),
      cmocka_unit_test(test_inner_walks_end_where_the_value_ends),
      cmocka_unit_test(test_walk_of_nothing_ends_at_once),
      cmocka_unit_test(test_get_finds_members_of_this_object_only),
      cmocka_unit_test(test_get_takes_the_last_of_a_key_however_it_is_escaped),
      cmocka_unit_test(test_several_members_are_found_in_one_walk),
      cmocka_unit_test(test_strings_are_decoded),
      cmocka_unit_test(test_integers_are_read_in_every_dress),
      cmocka_unit_test(test_what_is_no_integer_is_not_read_as_one),
      cmocka_unit_test(test_compact_keeps_the_blanks_of_strings),
      cmocka_unit_test(test_written_strings_are_safe_in_a_line),
      cmocka_unit_test(test_numbers_are_written_in_the_fewest_digits),
      cmocka_unit_test(test_every_character_survives_writing_and_reading),
      cmocka_unit_test(test_recorded_answers_stay_valid_when_compacted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
