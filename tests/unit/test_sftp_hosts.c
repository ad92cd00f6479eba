/* known_hosts and text of a server, without a network: what a line means, and what is cleaned. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "net/ssh_hosts.h"
#include "net/ssh_memory.h"
#include "net/ssh_text.h"
#include "unit.h"

/* Two ed25519 keys that belong to nobody, and one of another type. */
#define KEY_A "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
#define KEY_B "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
#define KEY_C "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAA"

/* HMAC-SHA1 with the salt 0, 1, ... 19 follows. */
#define HASHED "|1|AAECAwQFBgcICQoLDA0ODxAREhM=|"

static struct ap_slice blob_of(const char *key, unsigned char *room, size_t size)
{
  const char *text = strchr(key, ' ') + 1;
  size_t len = 0;
  assert_true(net_ssh_base64(text, strlen(text), room, size, &len));
  return (struct ap_slice){(const char *)room, len};
}

static enum net_ssh_verdict judge(struct net_ssh_hosts *hosts, const char *text, const char *key,
                                  unsigned *number)
{
  unsigned char room[128];
  const struct net_ssh_host_line *line = NULL;
  assert_int_equal(AP_OK, net_ssh_hosts_add(hosts, "FILE", (struct ap_slice){text, strlen(text)}));
  enum net_ssh_verdict verdict =
      net_ssh_hosts_check(hosts, blob_of(key, room, sizeof(room)), &line);
  assert_int_equal(verdict == NET_SSH_UNKNOWN, line == NULL);
  *number = line ? line->number : 0;
  return verdict;
}

struct host_case {
  const char *text;
  unsigned port; /* 0: 22 */
  enum net_ssh_verdict verdict;
  unsigned line; /* that decided */
  unsigned bad;
};

static const struct host_case cases[] = {
    {"", 0, NET_SSH_UNKNOWN, 0, 0},
    {"\n\n# host.example " KEY_A "\n", 0, NET_SSH_UNKNOWN, 0, 0},
    {"host.example " KEY_A, 0, NET_SSH_MATCH, 1, 0},
    {"  host.example\t" KEY_A " a comment\r\n", 0, NET_SSH_MATCH, 1, 0},
    {"HOST.Example " KEY_A "\n", 0, NET_SSH_MATCH, 1, 0},
    {"other,host.example,10.0.0.1 " KEY_A "\n", 0, NET_SSH_MATCH, 1, 0},
    {"host.example.org " KEY_A "\n", 0, NET_SSH_UNKNOWN, 0, 0},
    {"ost.example " KEY_A "\n", 0, NET_SSH_UNKNOWN, 0, 0},
    {"host.example " KEY_B "\n", 0, NET_SSH_CHANGED, 1, 0},
    {"host.example " KEY_C "\nhost.example " KEY_B "\n", 0, NET_SSH_CHANGED, 2, 0},
    {"host.example " KEY_B "\nhost.example " KEY_A "\n", 0, NET_SSH_MATCH, 2, 0},
    /* patterns */
    {"*.example " KEY_A "\n", 0, NET_SSH_MATCH, 1, 0},
    {"h?st.ex*e " KEY_A "\n", 0, NET_SSH_MATCH, 1, 0},
    {"host?.example " KEY_A "\n", 0, NET_SSH_UNKNOWN, 0, 0},
    {"*.example,!host.* " KEY_A "\n", 0, NET_SSH_UNKNOWN, 0, 0},
    {"!host.example,* " KEY_A "\n", 0, NET_SSH_UNKNOWN, 0, 0},
    {"!other.example,* " KEY_A "\n", 0, NET_SSH_MATCH, 1, 0},
    {"!host.example " KEY_A "\n", 0, NET_SSH_UNKNOWN, 0, 0},
    {"********************************x " KEY_A "\n", 0, NET_SSH_UNKNOWN, 0, 0},
    /* ports */
    {"[host.example]:2222 " KEY_A "\n", 2222, NET_SSH_MATCH, 1, 0},
    {"[host.example]:2222 " KEY_A "\n", 0, NET_SSH_UNKNOWN, 0, 0},
    {"[host.example]:2222 " KEY_A "\n", 2223, NET_SSH_UNKNOWN, 0, 0},
    {"host.example " KEY_A "\n", 2222, NET_SSH_MATCH, 1, 0},
    {"host.example " KEY_B "\n", 2222, NET_SSH_UNKNOWN, 0, 0},
    {"host.example " KEY_B "\n[host.example]:2222 " KEY_A "\n", 2222, NET_SSH_MATCH, 2, 0},
    /* hashed */
    {HASHED "IZ1zV0swCfFUvwvqRtiJbYJ0/LA= " KEY_A "\n", 0, NET_SSH_MATCH, 1, 0},
    {HASHED "IZ1zV0swCfFUvwvqRtiJbYJ0/LA= " KEY_B "\n", 0, NET_SSH_CHANGED, 1, 0},
    {HASHED "DnpHtKjaC+vTmgwkAZCf9SqxJN8= " KEY_A "\n", 0, NET_SSH_UNKNOWN, 0, 0},
    {HASHED "DnpHtKjaC+vTmgwkAZCf9SqxJN8= " KEY_A "\n", 2222, NET_SSH_MATCH, 1, 0},
    {"|1|AAEC " KEY_A "\n|1|* " KEY_A "\n|1||| " KEY_A "\n", 0, NET_SSH_UNKNOWN, 0, 0},
    /* markers */
    {"@revoked * " KEY_A "\n", 0, NET_SSH_REVOKED, 1, 0},
    {"host.example " KEY_A "\n@revoked host.example " KEY_A "\n", 0, NET_SSH_REVOKED, 2, 0},
    {"@revoked * " KEY_A "\nhost.example " KEY_A "\n", 0, NET_SSH_REVOKED, 1, 0},
    {"@revoked other " KEY_A "\nhost.example " KEY_A "\n", 0, NET_SSH_MATCH, 2, 0},
    {"@revoked * " KEY_B "\n", 0, NET_SSH_UNKNOWN, 0, 0},
    {"@cert-authority * " KEY_A "\n", 0, NET_SSH_UNKNOWN, 0, 0},
    {"@something * " KEY_A "\n", 0, NET_SSH_UNKNOWN, 0, 1},
    /* lines that cannot be read do not hide the next */
    {"host.example\nhost.example ssh-ed25519\nhost.example ssh-ed25519 A*A=\n"
     "host.example 1024 35 1234\nhost.example ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA==\n"
     "host.example " KEY_A "\n",
     0, NET_SSH_MATCH, 6, 5},
};

static void test_what_a_line_means(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct net_ssh_hosts *hosts = calloc(1, sizeof(*hosts));
    unsigned number = 0;
    assert_non_null(hosts);
    hosts->host = "host.example";
    hosts->port = cases[i].port ? cases[i].port : 22;
    enum net_ssh_verdict verdict = judge(hosts, cases[i].text, KEY_A, &number);
    if (verdict != cases[i].verdict || number != cases[i].line || hosts->bad != cases[i].bad)
      fail_msg("case %zu: verdict %d, line %u, bad %u:\n%s", i, (int)verdict, number, hosts->bad,
               cases[i].text);
    net_ssh_hosts_deinit(hosts);
    free(hosts);
  }
}

static void test_types_that_are_known_for_the_host(void **state)
{
  static const char text[] = "host.example " KEY_C "\n@revoked host.example " KEY_A "\n";
  struct net_ssh_hosts *hosts = calloc(1, sizeof(*hosts));
  (void)state;
  assert_non_null(hosts);
  hosts->host = "host.example";
  hosts->port = 22;
  assert_int_equal(AP_OK, net_ssh_hosts_add(hosts, "FILE", (struct ap_slice){text, strlen(text)}));
  assert_true(net_ssh_hosts_has_type(hosts, "ecdsa-sha2-nistp256"));
  assert_false(net_ssh_hosts_has_type(hosts, "ssh-ed25519"));
  net_ssh_hosts_deinit(hosts);
  free(hosts);
}

static void test_more_keys_than_there_is_room_for_are_an_error(void **state)
{
  struct net_ssh_hosts *hosts = calloc(1, sizeof(*hosts));
  struct ap_buf text = {0};
  (void)state;
  assert_non_null(hosts);
  hosts->host = "host.example";
  hosts->port = 22;
  for (int i = 0; i <= NET_SSH_HOST_LINES_MAX; i++)
    ap_buf_add_str(&text, "* " KEY_B "\n");
  assert_int_equal(AP_E_TOO_LARGE, net_ssh_hosts_add(hosts, "FILE", ap_slice_of(&text)));
  net_ssh_hosts_deinit(hosts);
  free(hosts);
  ap_buf_deinit(&text);
}

static void test_base64_takes_what_is_base64_and_nothing_else(void **state)
{
  static const struct {
    const char *text;
    const char *bytes; /* NULL: refused */
  } texts[] = {{"aGVsbG8=", "hello"}, {"aGVsbG8", "hello"}, {"aGVsbG8h", "hello!"},
               {"aA==", "h"},         {"", NULL},           {"a", NULL},
               {"aGVs bG8=", NULL},   {"aGVsbG8*", NULL},   {"aGVsbG8hISEh", NULL}};
  unsigned char room[8];
  size_t len;
  (void)state;
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    bool is_good = net_ssh_base64(texts[i].text, strlen(texts[i].text), room, sizeof(room), &len);
    if (is_good != (texts[i].bytes != NULL))
      fail_msg("%s", texts[i].text);
    if (is_good && (len != strlen(texts[i].bytes) || memcmp(room, texts[i].bytes, len) != 0))
      fail_msg("%s is other bytes", texts[i].text);
  }
}

static void test_types_and_fingerprints_of_damaged_keys_are_harmless(void **state)
{
  static const char *const blobs[] = {"", "\0\0", "\xff\xff\xff\xff",
                                      "\0\0\0\x03"
                                      "a\nb"};
  static const size_t lens[] = {0, 2, 4, 7};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(blobs); i++) {
    char type[64];
    char text[NET_SSH_FINGERPRINT_TEXT];
    net_ssh_blob_type((struct ap_slice){blobs[i], lens[i]}, type);
    assert_string_equal("?", type);
    net_ssh_fingerprint((struct ap_slice){blobs[i], lens[i]}, text);
    assert_int_equal(50, strlen(text));
  }
}

static void test_text_of_a_server_is_cleaned(void **state)
{
  static const struct {
    const char *in;
    const char *out;
  } texts[] = {{"plain caf\xc3\xa9", "plain caf\xc3\xa9"},
               {"a\r\n\x1b[2Jb\x7f", "a???[2Jb?"},
               {"\xc2\x9b"
                "31m",
                "?31m"},
               {"\xff\xfe\xc3", "???"},
               {"\xe2\x80\xae"
                "exe.txt",
                "?exe.txt"},
               {"\xe2\x80\x8bx", "?x"},
               {"0123456789abcde\xc3\xa9", "0123456789abcde"}}; /* no half characters */
  char out[17];
  (void)state;
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    net_ssh_clean(out, sizeof(out), texts[i].in, strlen(texts[i].in));
    assert_string_equal(texts[i].out, out);
  }
}

static void test_words_in_a_list(void **state)
{
  (void)state;
  assert_true(net_ssh_list_has("publickey,password", "publickey"));
  assert_true(net_ssh_list_has("publickey,password", "password"));
  assert_false(net_ssh_list_has("publickey,password", "pass"));
  assert_false(net_ssh_list_has("publickey,password", "key"));
  assert_false(net_ssh_list_has("", "key"));
}

static void test_memory_of_a_session_is_capped_and_swept(void **state)
{
  struct net_ssh_memory memory = {0};
  (void)state;
  char *first = net_ssh_memory_new(&memory, 10);
  assert_non_null(first);
  memcpy(first, "0123456789", 10);
  char *grown = net_ssh_memory_resize(&memory, first, 1000);
  assert_non_null(grown);
  assert_memory_equal("0123456789", grown, 10);
  assert_int_equal(1000, memory.bytes);
  assert_null(net_ssh_memory_new(&memory, NET_SSH_MEMORY_MAX));
  assert_null(net_ssh_memory_new(&memory, SIZE_MAX));
  assert_non_null(net_ssh_memory_new(&memory, 5)); /* forgotten */
  net_ssh_memory_free(&memory, NULL);
  net_ssh_memory_free(&memory, grown);
  assert_int_equal(5, memory.bytes);
  net_ssh_memory_sweep(&memory);
  assert_int_equal(0, memory.bytes);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_a_line_means),
      cmocka_unit_test(test_types_that_are_known_for_the_host),
      cmocka_unit_test(test_more_keys_than_there_is_room_for_are_an_error),
      cmocka_unit_test(test_base64_takes_what_is_base64_and_nothing_else),
      cmocka_unit_test(test_types_and_fingerprints_of_damaged_keys_are_harmless),
      cmocka_unit_test(test_text_of_a_server_is_cleaned),
      cmocka_unit_test(test_words_in_a_list),
      cmocka_unit_test(test_memory_of_a_session_is_capped_and_swept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
