// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static const struct {
  const char *text;
  struct ap_digests digests;
} vectors[] = {
    {"",
     {"d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
    {"abc",
     {"900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d",
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}},
    {"message digest",
     {"f96b697d7cb7938d525a2f31aaf161d0", "c12252ceda8be8994d5fa0290a47231c1d16aae3",
      "f7846f55cf23e14eebeab5b4e1550cad5b509e3348fbc4efa3a1413d393cb650"}},
};

static struct ap_digests digests_of(const char *data, size_t len, size_t piece)
{
  struct ap_hasher *hasher = NULL;
  struct ap_digests digests;
  assert_int_equal(ap_hasher_new(&hasher), AP_OK);
  for (size_t at = 0; at < len; at += piece)
    assert_int_equal(ap_hasher_add(hasher, data + at, len - at < piece ? len - at : piece), AP_OK);
  assert_int_equal(ap_hasher_finish(hasher, &digests), AP_OK);
  ap_hasher_free(hasher);
  return digests;
}

static void assert_digests(const struct ap_digests *got, const struct ap_digests *want)
{
  assert_string_equal(got->md5, want->md5);
  assert_string_equal(got->sha1, want->sha1);
  assert_string_equal(got->sha256, want->sha256);
}

static void test_known_vectors_byte_by_byte_and_whole(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT_OF(vectors); i++) {
    size_t len = strlen(vectors[i].text);
    struct ap_digests slow = digests_of(vectors[i].text, len, 1);
    struct ap_digests whole = digests_of(vectors[i].text, len, len + 1);
    assert_digests(&slow, &vectors[i].digests);
    assert_digests(&whole, &vectors[i].digests);
  }
}

static void test_a_million_bytes_in_odd_pieces(void **state)
{
  (void)state;
  static const struct ap_digests want = {
      "7707d6ae4e027c70eea2a935c2296f21", "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"};
  enum { MILLION = 1000000 };
  char *data = malloc(MILLION);
  assert_non_null(data);
  memset(data, 'a', MILLION);
  struct ap_digests got = digests_of(data, MILLION, 4099);
  free(data);
  assert_digests(&got, &want);
}

static void test_sha256_of_one_piece(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT_OF(vectors); i++) {
    char hex[65];
    assert_int_equal(ap_sha256_hex(vectors[i].text, strlen(vectors[i].text), hex), AP_OK);
    assert_string_equal(hex, vectors[i].digests.sha256);
  }
}

static void test_unfinished_hasher_and_null_can_be_freed(void **state)
{
  (void)state;
  struct ap_hasher *hasher = NULL;
  assert_int_equal(ap_hasher_new(&hasher), AP_OK);
  assert_int_equal(ap_hasher_add(hasher, "x", 1), AP_OK);
  ap_hasher_free(hasher);
  ap_hasher_free(NULL);
}

static void test_random_bytes_differ(void **state)
{
  (void)state;
  unsigned char first[32] = {0};
  unsigned char second[32] = {0};
  ap_random_bytes(first, sizeof(first));
  ap_random_bytes(second, sizeof(second));
  assert_memory_not_equal(first, second, sizeof(first));
}

static void test_random_below_stays_below_and_reaches_all(void **state)
{
  (void)state;
  bool seen[3] = {false};
  for (int i = 0; i < 1000; i++) {
    uint64_t value = ap_random_below(COUNT_OF(seen));
    assert_in_range(value, 0, COUNT_OF(seen) - 1);
    seen[value] = true;
  }
  assert_true(seen[0] && seen[1] && seen[2]);
  assert_int_equal(ap_random_below(0), 0);
  assert_int_equal(ap_random_below(1), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_vectors_byte_by_byte_and_whole),
      cmocka_unit_test(test_a_million_bytes_in_odd_pieces),
      cmocka_unit_test(test_sha256_of_one_piece),
      cmocka_unit_test(test_unfinished_hasher_and_null_can_be_freed),
      cmocka_unit_test(test_random_bytes_differ),
      cmocka_unit_test(test_random_below_stays_below_and_reaches_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
