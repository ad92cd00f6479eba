// SPDX-License-Identifier: Apache-2.0
#include "base/value.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static void set_text(struct ap_value *value, const char *text)
{
  value->kind = AP_VALUE_STRING;
  value->text = ap_memdup(text, strlen(text));
  value->len = strlen(text);
  assert_non_null(value->text);
}

/* { list = { "a", {} }, name = "n" } */
static struct ap_value make_table(void)
{
  struct ap_value table = {.kind = AP_VALUE_TABLE, .len = 2};
  table.items = calloc(2, sizeof(*table.items));
  table.keys = calloc(2, sizeof(*table.keys));
  assert_true(table.items && table.keys);
  table.keys[0] = ap_memdup("list", 4);
  table.keys[1] = ap_memdup("name", 4);
  struct ap_value *list = &table.items[0];
  *list = (struct ap_value){.kind = AP_VALUE_LIST, .len = 2};
  list->items = calloc(2, sizeof(*list->items));
  assert_non_null(list->items);
  set_text(&list->items[0], "a");
  list->items[1].kind = AP_VALUE_LIST;
  set_text(&table.items[1], "n");
  return table;
}

static void test_members_are_found_in_tables_only(void **state)
{
  (void)state;
  struct ap_value table = make_table();
  assert_ptr_equal(ap_value_get(&table, "name"), &table.items[1]);
  assert_null(ap_value_get(&table, "nam"));
  assert_null(ap_value_get(ap_value_get(&table, "list"), "name"));
  assert_null(ap_value_get(ap_value_get(&table, "missing"), "name"));
  ap_value_deinit(&table);
}

static void test_text_of_what_is_no_string_is_the_fallback(void **state)
{
  (void)state;
  struct ap_value table = make_table();
  assert_string_equal(ap_value_text(ap_value_get(&table, "name"), "?"), "n");
  assert_string_equal(ap_value_text(ap_value_get(&table, "list"), "?"), "?");
  assert_null(ap_value_text(NULL, NULL));
  ap_value_deinit(&table);
}

static void test_deinit_leaves_nothing_and_may_be_repeated(void **state)
{
  (void)state;
  struct ap_value table = make_table();
  ap_value_deinit(&table);
  assert_int_equal(table.kind, AP_VALUE_NONE);
  assert_null(table.items);
  ap_value_deinit(&table);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_members_are_found_in_tables_only),
      cmocka_unit_test(test_text_of_what_is_no_string_is_the_fallback),
      cmocka_unit_test(test_deinit_leaves_nothing_and_may_be_repeated),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
