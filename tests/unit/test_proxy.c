// SPDX-License-Identifier: Apache-2.0
#include "net/proxy.h"
#include "unit.h"

#include <stdlib.h>

static void test_the_name_is_taken_off_and_decoded(void **state)
{
  static const char *const cases[][3] = {
      {"http://proxy.example.com:3128", "http://proxy.example.com:3128", NULL},
      {"http://ana@proxy.example.com:3128", "http://proxy.example.com:3128", "ana"},
      {"ana@proxy:3128", "proxy:3128", "ana"},
      {"socks5h://EXAMPLE%5cana%40b@[::1]:1", "socks5h://[::1]:1", "EXAMPLE\\ana@b"},
      {"http://50%@p:1", "http://p:1", "50%"},
      {"http://a%4@p:1", "http://p:1", "a%4"},
      {"http://@p:1", "http://p:1", ""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char *bare = NULL;
    char *user = NULL;
    assert_true(net_proxy_split(cases[i][0], &bare, &user));
    assert_string_equal(bare, cases[i][1]);
    if (cases[i][2])
      assert_string_equal(user, cases[i][2]);
    else
      assert_null(user);
    free(bare);
    free(user);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_name_is_taken_off_and_decoded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
