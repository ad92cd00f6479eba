/* Passwords, keyboard-interactive, and servers that answer what no honest one does. */
// SPDX-License-Identifier: Apache-2.0
#include "sftp_peer.h"

static struct server server;
static struct ap_secret *right;
static struct ap_secret *wrong;

static int set_up(void **state)
{
  struct ap_error err;
  (void)state;
  server_start(&server);
  return ap_secret_new("linux_password", PASSWORD, strlen(PASSWORD), &right, &err) == AP_OK &&
                 ap_secret_new("linux_password", "wrong horse", 11, &wrong, &err) == AP_OK
             ? 0
             : -1;
}

static int tear_down(void **state)
{
  (void)state;
  ap_secret_free(right);
  ap_secret_free(wrong);
  server_stop(&server);
  return 0;
}

/* Opens a connection to a peer with that plan. */
static struct heard connect_to(struct world *world, const struct peer_plan *plan, pid_t *pid)
{
  char line[1200];
  char names[64];
  *pid = peer_start(&server, plan, &world->options.port);
  (void)snprintf(names, sizeof(names), "[127.0.0.1]:%u", world->options.port);
  known_line(&server, "", names, "host_ed25519", line, sizeof(line));
  put_text(&server, "known_hosts", line);
  return connect_with(world);
}

static void open_world(struct world *world, const struct ap_secret *password)
{
  world_open(world, &server);
  world->options.key_file = NULL;
  world->options.password = password;
}

/* ---- logging in ---- */

struct login_case {
  const char *name;
  struct peer_plan plan;
  bool has_wrong;
  bool has_key; /* too, one that the peer does not take */
  int code;
  const char *says[3];
};

#define PASSWORD_ONLY SSH_AUTH_METHOD_PASSWORD
#define KEYBOARD SSH_AUTH_METHOD_INTERACTIVE

static const struct login_case logins[] = {
    {"a password", {.methods = PASSWORD_ONLY}, false, false, AP_OK, {""}},
    {"a wrong password",
     {.methods = PASSWORD_ONLY},
     true,
     false,
     AP_E_FORBIDDEN,
     {"tried the password", "offers password"}},
    {"keyboard-interactive", {.methods = KEYBOARD, .prompts = 1}, false, false, AP_OK, {""}},
    {"keyboard-interactive with a wrong password",
     {.methods = KEYBOARD, .prompts = 1},
     true,
     false,
     AP_E_FORBIDDEN,
     {"tried keyboard-interactive", "offers keyboard-interactive"}},
    {"keyboard-interactive without questions", {.methods = KEYBOARD}, false, false, AP_OK, {""}},
    {"two questions",
     {.methods = KEYBOARD, .prompts = 2},
     false,
     false,
     AP_E_FORBIDDEN,
     {"more than a password"}},
    {"a question that is shown",
     {.methods = KEYBOARD, .prompts = 1, .echo = 1},
     false,
     false,
     AP_E_FORBIDDEN,
     {"more than a password"}},
    {"a second question",
     {.methods = KEYBOARD, .prompts = 1, .asks_again = true},
     false,
     false,
     AP_E_FORBIDDEN,
     {"more than a password"}},
    {"a password, then keyboard-interactive",
     {.methods = PASSWORD_ONLY | KEYBOARD, .prompts = 1, .wants_both = true},
     false,
     false,
     AP_OK,
     {""}},
    {"a key that is refused, then the password",
     {.methods = PASSWORD_ONLY | SSH_AUTH_METHOD_PUBLICKEY},
     false,
     true,
     AP_OK,
     {""}},
    {"nothing that was given",
     {.methods = SSH_AUTH_METHOD_PUBLICKEY},
     false,
     false,
     AP_E_FORBIDDEN,
     {"no way to log in that was given", "offers publickey"}},
};

static void test_logins(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT_OF(logins); i++) {
    struct world world;
    pid_t pid;
    open_world(&world, logins[i].has_wrong ? wrong : right);
    world.options.key_file = logins[i].has_key ? world.key : NULL;
    struct heard heard = connect_to(&world, &logins[i].plan, &pid);
    if (heard.code != logins[i].code)
      fail_msg("%s: %s (%s)", logins[i].name, ap_error_word(heard.code), heard.text);
    expect(&heard, logins[i].code, logins[i].says, COUNT_OF(logins[i].says));
    assert_null(strstr(heard.text, "horse"));
    world_close(&world);
    peer_stop(pid);
  }
}

/* ---- answers of a server ---- */

struct asked {
  struct world world;
  pid_t pid;
};

static void ask_peer(struct asked *asked, const struct peer_plan *plan, uint64_t min_rate)
{
  open_world(&asked->world, right);
  asked->world.options.wait_ms = 1000;
  asked->world.options.min_rate = min_rate;
  struct heard heard = connect_to(&asked->world, plan, &asked->pid);
  if (heard.code != AP_OK)
    fail_msg("%s", heard.text);
}

static void ask_end(struct asked *asked)
{
  world_close(&asked->world);
  peer_stop(asked->pid);
}

static struct heard read_file(struct asked *asked)
{
  struct heard opened = {0};
  struct heard heard = {0};
  assert_int_equal(AP_PENDING,
                   net_sftp_open_file(asked->world.sftp, "/file", hear_file, &opened, NULL));
  wait_for(&asked->world, &opened, 1);
  if (opened.code != AP_OK)
    return opened;
  do {
    assert_int_equal(AP_PENDING, net_sftp_read(opened.file, hear_data, &heard, NULL));
    wait_for(&asked->world, &heard, heard.times + 1);
  } while (heard.code == AP_OK && !heard.is_end);
  net_sftp_file_close(opened.file);
  return heard;
}

struct answer_case {
  const char *name;
  enum peer_manner manner;
  uint64_t min_rate;
  int code;
  const char *says;
};

static void test_reading_from_servers_of_all_manners(void **state)
{
  static const struct answer_case cases[] = {
      {"an honest one", PEER_HONEST, 1000, AP_OK, ""},
      {"short answers", PEER_SHORT_READS, 0, AP_E_IO, "changed its length"},
      {"slow, but fast enough", PEER_SLOW_READS, 1000, AP_OK, ""},
      {"too slow", PEER_SLOW_READS, 10000000, AP_E_TIMEOUT, "less than 10000000 bytes a second"},
      {"silent", PEER_SILENT_READS, 0, AP_E_TIMEOUT, "did not answer in time"},
      {"without a type", PEER_NO_TYPE, 0, AP_E_INVALID, "not a regular file"},
      {"with a strange status", PEER_STATUS, 0, AP_E_IO, "status 77"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    const struct peer_plan plan = {.methods = PASSWORD_ONLY, .manner = cases[i].manner};
    struct asked asked;
    ask_peer(&asked, &plan, cases[i].min_rate);
    struct heard heard = read_file(&asked);
    if (heard.code != cases[i].code || !strstr(heard.text, cases[i].says))
      fail_msg("%s: %s (%s)", cases[i].name, ap_error_word(heard.code), heard.text);
    if (heard.code == AP_OK)
      assert_int_equal(PEER_FILE_BYTES, heard.data.len);
    heard_free(&heard);
    ask_end(&asked);
  }
}

static void test_names_that_lead_elsewhere_are_left_out_of_lists(void **state)
{
  const struct peer_plan plan = {.methods = PASSWORD_ONLY, .manner = PEER_ODD_NAMES};
  struct asked asked;
  struct heard heard = {0};
  (void)state;
  ask_peer(&asked, &plan, 0);
  assert_int_equal(AP_PENDING, net_sftp_list(asked.world.sftp, "/", 100, hear_list, &heard, NULL));
  wait_for(&asked.world, &heard, 1);
  EXPECT(&heard, AP_OK, "");
  assert_string_equal("new\nline\ngood\n", ap_buf_cstr(&heard.data));
  assert_int_equal(4, heard.left_out); /* "", "../up", "a/b" and the long one */
  heard_free(&heard);
  ask_end(&asked);
}

static void test_a_server_without_sftp_says_so(void **state)
{
  const struct peer_plan plan = {.methods = PASSWORD_ONLY, .manner = PEER_NO_SFTP};
  struct world world;
  pid_t pid;
  (void)state;
  open_world(&world, right);
  struct heard heard = connect_to(&world, &plan, &pid);
  EXPECT(&heard, AP_E_BAD_ANSWER, "does not offer SFTP");
  world_close(&world);
  peer_stop(pid);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_logins),
      cmocka_unit_test(test_reading_from_servers_of_all_manners),
      cmocka_unit_test(test_names_that_lead_elsewhere_are_left_out_of_lists),
      cmocka_unit_test(test_a_server_without_sftp_says_so),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
