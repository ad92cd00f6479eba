/* Connections to a real sshd: host keys, keys, the agent, and servers that do not answer. */
// SPDX-License-Identifier: Apache-2.0
#include "sftp_unit.h"

/* libssh2 1.10 forgets the numbers of an ecdsa key in OpenSSH's format each time it reads one
 * (gen_publickey_from_ecdsa_openssh_priv_data): that is not our leak, and all others count. */
const char *__lsan_default_suppressions(void);
const char *__asan_default_options(void);
const char *__lsan_default_suppressions(void)
{
  return "leak:BN_new\nleak:BN_bin2bn\n";
}
const char *__asan_default_options(void)
{
  return "fast_unwind_on_malloc=0:print_suppressions=0"; /* to see who called libcrypto */
}

static struct server server;

static int set_up(void **state)
{
  (void)state;
  server_start(&server);
  make_key(&server, "other_ed25519", "ed25519", "", false);
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  server_stop(&server);
  return 0;
}

static void fingerprint(const char *key, char out[80])
{
  char line[512];
  char name[64];
  (void)snprintf(name, sizeof(name), "%s.pub", key);
  const char *path = path_in(&server, "fingerprint");
  (void)unlink(path);
  assert_int_equal(0, RUN(path, "ssh-keygen", "-lf", path_in(&server, name)));
  read_text(path, line, sizeof(line));
  const char *from = strstr(line, "SHA256:");
  assert_non_null(from);
  (void)snprintf(out, 80, "%.50s", from);
}

/* ---- host keys ---- */

static void test_a_known_host_and_a_key_open_a_connection(void **state)
{
  struct world world;
  (void)state;
  world_open(&world, &server);
  connect_well(&world);
  world_close(&world);
}

struct host_case {
  const char *name;
  const char *marker;
  const char *names; /* "": [127.0.0.1]:PORT */
  const char *key;
  bool is_good;
};

static void test_known_hosts_is_read_as_openssh_reads_it(void **state)
{
  static const struct host_case cases[] = {
      {"another key type of a host with several", "", "", "host_ecdsa", true},
      {"a name without the port", "", "127.0.0.1", "host_ed25519", true},
      {"a pattern", "", "10.*,127.?.0.*", "host_ed25519", true},
      {"a pattern with the port", "", "[127.*]:*", "host_ed25519", true},
      {"negation", "", "*,!127.0.0.1,![127.0.0.1]:*", "host_ed25519", false},
      {"another host", "", "127.0.0.2", "host_ed25519", false},
      {"an authority", "@cert-authority ", "", "host_ed25519", false},
      {"revoked", "@revoked ", "", "host_ed25519", false},
      {"another key", "", "", "other_ed25519", false},
  };
  struct world world;
  (void)state;
  world_open(&world, &server);
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char line[1200];
    known_line(&server, cases[i].marker, cases[i].names, cases[i].key, line, sizeof(line));
    put_text(&server, "known_hosts", line);
    struct heard heard = connect_with(&world);
    if ((heard.code == AP_OK) != cases[i].is_good)
      fail_msg("%s: %s", cases[i].name, heard.text);
    if (!cases[i].is_good)
      EXPECT(&heard, AP_E_DENIED, "host key");
  }
  world_close(&world);
}

static void test_a_hashed_name_is_known(void **state)
{
  struct world world;
  char text[1200];
  (void)state;
  world_open(&world, &server);
  assert_int_equal(0, RUN(NULL, "ssh-keygen", "-H", "-f", world.known_hosts));
  read_text(world.known_hosts, text, sizeof(text));
  assert_int_equal(0, strncmp(text, "|1|", 3));
  connect_well(&world);
  world_close(&world);
}

static void test_an_unknown_host_key_is_refused_with_what_to_do(void **state)
{
  struct world world;
  char shown[80];
  char command[400];
  (void)state;
  world_open(&world, &server);
  (void)unlink(world.known_hosts);
  fingerprint("host_ed25519", shown);
  (void)snprintf(command, sizeof(command), "ssh-keyscan -p %u 127.0.0.1 >> %s", server.port,
                 world.known_hosts);
  struct heard heard = connect_with(&world);
  EXPECT(&heard, AP_E_DENIED, "is not known", shown, command);

  /* And the command does trust it. */
  char port[16];
  (void)snprintf(port, sizeof(port), "%u", server.port);
  assert_int_equal(0, RUN(world.known_hosts, "ssh-keyscan", "-p", port, "127.0.0.1"));
  connect_well(&world);
  world_close(&world);
}

static void test_a_changed_host_key_is_refused_with_both_fingerprints(void **state)
{
  struct world world;
  char shown[80];
  char known[80];
  (void)state;
  world_open(&world, &server);
  know(&server, "other_ed25519");
  fingerprint("host_ed25519", shown);
  fingerprint("other_ed25519", known);
  struct heard heard = connect_with(&world);
  EXPECT(&heard, AP_E_DENIED, "has changed", shown, known, "known_hosts:1", "ssh-keygen -R",
         "ssh-keyscan -p");
  world_close(&world);
}

static void test_a_revoked_key_is_refused_though_it_is_known_too(void **state)
{
  struct world world;
  char lines[3000];
  char line[1200];
  (void)state;
  world_open(&world, &server);
  known_line(&server, "", "", "host_ed25519", lines, sizeof(lines));
  known_line(&server, "@revoked ", "*", "host_ed25519", line, sizeof(line));
  (void)strncat(lines, line, sizeof(lines) - strlen(lines) - 1);
  put_text(&server, "known_hosts", lines);
  struct heard heard = connect_with(&world);
  EXPECT(&heard, AP_E_DENIED, "revoked", "known_hosts:2");
  world_close(&world);
}

static void test_a_pinned_key_of_any_type_is_trusted(void **state)
{
  static const char *const keys[] = {"host_ed25519", "host_ecdsa"};
  struct world world;
  (void)state;
  world_open(&world, &server);
  (void)unlink(world.known_hosts);
  world.options.host_key = world.pin;
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    fingerprint(keys[i], world.pin);
    connect_well(&world);
  }
  world_close(&world);
}

static void test_another_key_than_the_pinned_one_is_refused(void **state)
{
  struct world world;
  char first[80];
  char second[80];
  (void)state;
  world_open(&world, &server);
  fingerprint("other_ed25519", world.pin);
  fingerprint("host_ed25519", first);
  fingerprint("host_ecdsa", second);
  world.options.host_key = world.pin;
  struct heard heard = connect_with(&world);
  EXPECT(&heard, AP_E_DENIED, "not the pinned one", world.pin, first, second);
  world_close(&world);
}

/* ---- keys ---- */

static void test_a_key_that_is_not_authorized_is_refused(void **state)
{
  struct world world;
  (void)state;
  world_open(&world, &server);
  world.options.key_file = path_in(&server, "other_ed25519");
  struct heard heard = connect_with(&world);
  EXPECT(&heard, AP_E_FORBIDDEN, "refused", "tried the key", "offers publickey");
  world_close(&world);
}

static void test_keys_with_and_without_passphrases_work(void **state)
{
  static const struct {
    const char *name;
    const char *type;
    const char *passphrase;
    bool is_pem;
  } cases[] = {
      {"ed25519_open", "ed25519", "", false}, {"ed25519_locked", "ed25519", "open sesame", false},
      {"ecdsa_open", "ecdsa", "", false},     {"ecdsa_locked", "ecdsa", "open sesame", false},
      {"ecdsa_pem", "ecdsa", "", true},       {"ecdsa_pem_locked", "ecdsa", "open sesame", true},
  };
  struct world world;
  struct ap_secret *passphrase = NULL;
  struct ap_secret *wrong = NULL;
  struct ap_error err;
  (void)state;
  world_open(&world, &server);
  assert_int_equal(AP_OK,
                   ap_secret_new("ssh_key_passphrase", "open sesame", 11, &passphrase, &err));
  assert_int_equal(AP_OK, ap_secret_new("ssh_key_passphrase", "mellon", 6, &wrong, &err));
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char path[256];
    make_key(&server, cases[i].name, cases[i].type, cases[i].passphrase, cases[i].is_pem);
    authorize(&server, &cases[i].name, 1);
    (void)snprintf(path, sizeof(path), "%s", path_in(&server, cases[i].name));
    world.options.key_file = path;
    world.options.key_passphrase = *cases[i].passphrase ? passphrase : NULL;
    struct heard heard = connect_with(&world);
    if (heard.code != AP_OK)
      fail_msg("%s: %s", cases[i].name, heard.text);
    if (!*cases[i].passphrase)
      continue;
    world.options.key_passphrase = wrong;
    heard = connect_with(&world);
    EXPECT(&heard, AP_E_INVALID, path, "passphrase is wrong");
    world.options.key_passphrase = NULL;
    heard = connect_with(&world);
    EXPECT(&heard, AP_E_INVALID, path, "no passphrase was given");
  }
  authorize(&server, (const char *const[]){"user_ed25519"}, 1);
  ap_secret_free(passphrase);
  ap_secret_free(wrong);
  world_close(&world);
}

static void test_key_files_that_cannot_be_used_say_why(void **state)
{
  struct world world;
  (void)state;
  world_open(&world, &server);
  make_key(&server, "rsa", "rsa", "", false);
  make_key(&server, "rsa_pem", "rsa", "", true);
  make_key(&server, "open_to_all", "ed25519", "", false);
  assert_int_equal(0, chmod(path_in(&server, "open_to_all"), 0644));
  put_text(&server, "no_key", "hello\n");
  give_to_server(&server, "no_key");
  assert_int_equal(0, chown(path_in(&server, "no_key"), geteuid(), getegid()));
  assert_int_equal(0, symlink(world.key, path_in(&server, "link_to_key")));
  const struct {
    const char *name;
    const char *says;
  } cases[] = {
      {"rsa", "ssh-keygen -t ed25519"},       {"rsa_pem", "ssh-keygen -t ed25519"},
      {"open_to_all", "chmod 600"},           {"no_key", "not a private key"},
      {"user_ed25519.pub", "open to others"}, {"link_to_key", "symbolic link"},
      {"nothing_here", "No such file"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char path[256];
    (void)snprintf(path, sizeof(path), "%s", path_in(&server, cases[i].name));
    world.options.key_file = path;
    struct heard heard = connect_with(&world);
    EXPECT(&heard, AP_E_INVALID, path, cases[i].says);
  }
  world_close(&world);
}

/* ---- the agent ---- */

struct agent {
  char socket[128];
  pid_t pid;
};

static void agent_start(struct agent *agent)
{
  (void)snprintf(agent->socket, sizeof(agent->socket), "%s", path_in(&server, "agent"));
  agent->pid = fork();
  assert_true(agent->pid >= 0);
  if (agent->pid == 0) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(open("/dev/null", O_WRONLY), 1);
    (void)execlp("ssh-agent", "ssh-agent", "-D", "-a", agent->socket, (char *)NULL);
    _exit(127);
  }
  assert_int_equal(0, setenv("SSH_AUTH_SOCK", agent->socket, 1));
  for (int i = 0; access(agent->socket, F_OK) != 0; i++) {
    assert_true(i < 1000);
    (void)usleep(10000);
  }
}

static void agent_stop(struct agent *agent)
{
  (void)kill(agent->pid, SIGCONT);
  (void)kill(agent->pid, SIGTERM);
  (void)waitpid(agent->pid, NULL, 0);
  (void)unsetenv("SSH_AUTH_SOCK");
  (void)unlink(agent->socket);
}

static void agent_add(const char *name)
{
  assert_int_equal(0, RUN(NULL, "ssh-add", "-q", path_in(&server, name)));
}

static void test_the_agent_logs_in_with_the_key_that_fits(void **state)
{
  struct world world;
  struct agent agent;
  (void)state;
  world_open(&world, &server);
  world.options.key_file = NULL;
  world.options.use_agent = true;
  agent_start(&agent);
  agent_add("other_ed25519");
  struct heard heard = connect_with(&world);
  EXPECT(&heard, AP_E_FORBIDDEN, "tried the agent");
  agent_add("user_ed25519");
  connect_well(&world);
  agent_stop(&agent);
  world_close(&world);
}

static void test_an_agent_with_an_ecdsa_key_logs_in(void **state)
{
  struct world world;
  struct agent agent;
  (void)state;
  world_open(&world, &server);
  world.options.key_file = NULL;
  world.options.use_agent = true;
  make_key(&server, "agent_ecdsa", "ecdsa", "", false);
  authorize(&server, (const char *const[]){"agent_ecdsa"}, 1);
  agent_start(&agent);
  agent_add("agent_ecdsa");
  connect_well(&world);
  authorize(&server, (const char *const[]){"user_ed25519"}, 1);
  agent_stop(&agent);
  world_close(&world);
}

static void test_an_agent_with_rsa_keys_only_says_so(void **state)
{
  struct world world;
  struct agent agent;
  (void)state;
  world_open(&world, &server);
  world.options.key_file = NULL;
  world.options.use_agent = true;
  make_key(&server, "agent_rsa", "rsa", "", false);
  agent_start(&agent);
  agent_add("agent_rsa");
  struct heard heard = connect_with(&world);
  EXPECT(&heard, AP_E_FORBIDDEN, "RSA keys only", "ssh-keygen -t ed25519");
  agent_stop(&agent);
  world_close(&world);
}

static void test_no_agent_and_a_silent_one_end(void **state)
{
  struct world world;
  struct agent agent;
  (void)state;
  world_open(&world, &server);
  world.options.key_file = NULL;
  world.options.use_agent = true;
  (void)unsetenv("SSH_AUTH_SOCK");
  struct heard heard = connect_with(&world);
  EXPECT(&heard, AP_E_FORBIDDEN, "SSH_AUTH_SOCK is not set");
  agent_start(&agent);
  assert_int_equal(0, kill(agent.pid, SIGSTOP));
  world.options.connect_ms = 1000;
  heard = connect_with(&world);
  EXPECT(&heard, AP_E_TIMEOUT, "the agent or the server did not answer in time");
  agent_stop(&agent);
  world_close(&world);
}

static void test_a_key_that_fails_leaves_the_agent_to_try(void **state)
{
  struct world world;
  struct agent agent;
  (void)state;
  world_open(&world, &server);
  world.options.key_file = path_in(&server, "other_ed25519");
  world.options.use_agent = true;
  agent_start(&agent);
  agent_add("user_ed25519");
  connect_well(&world);
  agent_stop(&agent);
  world_close(&world);
}

/* ---- servers that do not answer ---- */

static void test_a_server_that_says_nothing_is_left_at_the_deadline(void **state)
{
  struct world world;
  (void)state;
  world_open(&world, &server);
  int silent = listen_on_loopback(&world.options.port); /* the system accepts; nobody speaks */
  world.options.connect_ms = 300;
  struct heard heard = connect_with(&world);
  EXPECT(&heard, AP_E_TIMEOUT, "did not answer in time");
  (void)close(silent);
  world_close(&world);
}

static void test_a_port_where_nobody_listens_says_so(void **state)
{
  struct world world;
  (void)state;
  world_open(&world, &server);
  (void)close(listen_on_loopback(&world.options.port));
  struct heard heard = connect_with(&world);
  EXPECT(&heard, AP_E_NETWORK, "refused");
  world_close(&world);
}

static void test_a_peer_that_hangs_up_or_speaks_something_else_says_so(void **state)
{
  static const char *const words[] = {"", "SSH-2.0-x\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n"};
  struct world world;
  (void)state;
  world_open(&world, &server);
  for (size_t i = 0; i < COUNT_OF(words); i++) {
    int fd = listen_on_loopback(&world.options.port);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
      int peer = accept(fd, NULL, NULL);
      _exit(write(peer, words[i], strlen(words[i])) < 0);
    }
    (void)close(fd);
    struct heard heard = connect_with(&world);
    EXPECT(&heard, AP_E_NETWORK, "the server closed the connection");
    (void)waitpid(pid, NULL, 0);
  }
  world_close(&world);
}

static void test_a_name_that_does_not_exist_is_not_found(void **state)
{
  struct world world;
  (void)state;
  world_open(&world, &server);
  world.options.host = "no.such.host.invalid";
  struct heard heard = connect_with(&world);
  if (heard.code != AP_E_NOT_FOUND && heard.code != AP_E_NETWORK) /* a machine without DNS */
    fail_msg("%s", heard.text);
  EXPECT(&heard, heard.code, "cannot be resolved");
  world_close(&world);
}

static void test_a_connection_closes_at_any_moment(void **state)
{
  struct world world;
  struct heard heard = {0};
  struct ap_error err;
  (void)state;
  world_open(&world, &server);
  for (unsigned turns = 0; turns < 60; turns++) {
    struct net_sftp *sftp = NULL;
    assert_int_equal(AP_PENDING,
                     net_sftp_open(world.loop, &world.options, hear_ready, &heard, &sftp, &err));
    for (unsigned i = 0; i < turns && heard.times == 0; i++)
      (void)uv_run(net_loop_uv(world.loop), UV_RUN_ONCE);
    net_sftp_close(sftp);
    heard.times = 0;
  }
  (void)uv_run(net_loop_uv(world.loop), UV_RUN_NOWAIT);
  assert_int_equal(0, heard.times);
  world_close(&world);
}

static void test_options_that_cannot_be_right_are_refused_at_once(void **state)
{
  struct world world;
  struct heard heard = {0};
  struct net_sftp *sftp = NULL;
  (void)state;
  world_open(&world, &server);
  const struct net_sftp_options good = world.options;
  for (unsigned i = 0; i < 9; i++) {
    struct net_sftp_options options = good;
    struct ap_error err = {0};
    switch (i) {
    case 0:
      options.host = "";
      break;
    case 1:
      options.host = "-oProxyCommand=x";
      break;
    case 2:
      options.host = "a host";
      break;
    case 3:
      options.user = "";
      break;
    case 4:
      options.user = "ana\n";
      break;
    case 5:
      options.key_file = NULL;
      break;
    case 6:
      options.host_key = "SHA256:short";
      break;
    case 7:
      options.port = 65536;
      break;
    default:
      options.wait_ms = 0;
      break;
    }
    int rc = net_sftp_open(world.loop, &options, hear_ready, &heard, &sftp, &err);
    if (rc != AP_E_INVALID || !*err.text)
      fail_msg("case %u: %d", i, rc);
  }
  assert_null(sftp);
  assert_int_equal(0, heard.times);
  world_close(&world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_known_host_and_a_key_open_a_connection),
      cmocka_unit_test(test_known_hosts_is_read_as_openssh_reads_it),
      cmocka_unit_test(test_a_hashed_name_is_known),
      cmocka_unit_test(test_an_unknown_host_key_is_refused_with_what_to_do),
      cmocka_unit_test(test_a_changed_host_key_is_refused_with_both_fingerprints),
      cmocka_unit_test(test_a_revoked_key_is_refused_though_it_is_known_too),
      cmocka_unit_test(test_a_pinned_key_of_any_type_is_trusted),
      cmocka_unit_test(test_another_key_than_the_pinned_one_is_refused),
      cmocka_unit_test(test_a_key_that_is_not_authorized_is_refused),
      cmocka_unit_test(test_keys_with_and_without_passphrases_work),
      cmocka_unit_test(test_key_files_that_cannot_be_used_say_why),
      cmocka_unit_test(test_the_agent_logs_in_with_the_key_that_fits),
      cmocka_unit_test(test_an_agent_with_an_ecdsa_key_logs_in),
      cmocka_unit_test(test_an_agent_with_rsa_keys_only_says_so),
      cmocka_unit_test(test_no_agent_and_a_silent_one_end),
      cmocka_unit_test(test_a_key_that_fails_leaves_the_agent_to_try),
      cmocka_unit_test(test_a_server_that_says_nothing_is_left_at_the_deadline),
      cmocka_unit_test(test_a_port_where_nobody_listens_says_so),
      cmocka_unit_test(test_a_peer_that_hangs_up_or_speaks_something_else_says_so),
      cmocka_unit_test(test_a_name_that_does_not_exist_is_not_found),
      cmocka_unit_test(test_a_connection_closes_at_any_moment),
      cmocka_unit_test(test_options_that_cannot_be_right_are_refused_at_once),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
