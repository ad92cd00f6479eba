// SPDX-License-Identifier: Apache-2.0
#include "cli/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/config_keys.h"
#include "unit.h"

/* A folder of its own for each test, and an environment that says nothing. */
struct fixture {
  char folder[32];
  char file[64];
  struct cli_config config;
  struct ap_error err;
};

static const char *const variables[] = {
    "APOGEE_CONFIG",    "APOGEE_VT_API_KEY",    "APOGEE_VT_URL",   "APOGEE_CA_FILE",
    "APOGEE_STATE_DIR", "APOGEE_ACTIONS_PATH",  "XDG_CONFIG_HOME", "XDG_STATE_HOME",
    "STATE_DIRECTORY",  "CREDENTIALS_DIRECTORY"};

static int set_up(void **state)
{
  struct fixture *fixture = calloc(1, sizeof(*fixture));
  assert_non_null(fixture);
  (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/apogee-config-XXXXXX");
  assert_non_null(mkdtemp(fixture->folder));
  (void)snprintf(fixture->file, sizeof(fixture->file), "%s/config.lua", fixture->folder);
  for (size_t i = 0; i < COUNT_OF(variables); i++)
    assert_int_equal(unsetenv(variables[i]), 0);
  assert_int_equal(setenv("HOME", fixture->folder, 1), 0);
  assert_int_equal(cli_config_init(&fixture->config, &fixture->err), AP_OK);
  *state = fixture;
  return 0;
}

static int tear_down(void **state)
{
  struct fixture *fixture = *state;
  cli_config_deinit(&fixture->config);
  (void)unlink(fixture->file);
  assert_int_equal(rmdir(fixture->folder), 0);
  free(fixture);
  return 0;
}

static void write_file(const char *path, const char *text)
{
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(chmod(path, 0600), 0);
}

static int load(struct fixture *fixture, const char *text)
{
  write_file(fixture->file, text);
  return cli_config_load(&fixture->config, fixture->file, &fixture->err);
}

static const struct cli_key *key_of(const char *path)
{
  for (size_t i = 0; i < cli_key_count; i++)
    if (strcmp(cli_keys[i].path, path) == 0)
      return &cli_keys[i];
  fail_msg("no key %s", path);
  return NULL;
}

static int set_option(struct fixture *fixture, const char *path, const char *text)
{
  const struct cli_key *key = key_of(path);
  char origin[64];
  (void)snprintf(origin, sizeof(origin), "--%s", key->option);
  return cli_key_set(key, &fixture->config, text, CLI_FROM_OPTION, origin, &fixture->err);
}

static const char *origin_of(const struct fixture *fixture, const char *path)
{
  return fixture->config.origins[key_of(path) - cli_keys].text;
}

/* ---- values ---- */

static void test_the_defaults_are_those_of_the_design(void **state)
{
  struct fixture *fixture = *state;
  const struct cli_config *config = &fixture->config;
  assert_string_equal(config->virustotal.url, "https://www.virustotal.com/vtapi/v2");
  assert_null(config->virustotal.api_key.source);
  assert_true(config->virustotal.verify_ssl);
  assert_null(config->virustotal.ca_file);
  assert_null(config->virustotal.proxy);
  assert_int_equal(config->virustotal.tier.per_minute, 4);
  assert_int_equal(config->virustotal.tier.per_day, 500);
  assert_int_equal(config->virustotal.tier.per_month, 15500);
  assert_int_equal(config->virustotal.tier.list, 4);
  assert_false(config->virustotal.tier.premium);
  assert_int_equal(config->virustotal.timeout_ms, 60000);
  assert_int_equal(config->virustotal.retries, 3);
  assert_int_equal(config->virustotal.retry_delay_ms, 1000);
  assert_int_equal(config->virustotal.upload_max_bytes, 200000000);
  assert_int_equal(config->virustotal.poll_interval_ms, 20000);
  assert_int_equal(config->virustotal.comments, CLI_COMMENTS_ALL);
  assert_int_equal(config->jobs, 32);
  assert_int_equal(config->deadline_ms, 0);
  assert_int_equal(config->on_limit, CLI_LIMIT_WAIT);
  assert_int_equal(config->max_wait_ms, 3600000);
  assert_int_equal(config->reserve, 0);
  assert_true(config->cache.max_age_ms == CLI_NOT_GIVEN);
  assert_int_equal(config->actions_path.count, 0);
  assert_int_equal(config->cache.report_ms, 3600000);
  assert_int_equal(config->cache.not_found_ms, 600000);
  assert_false(config->no_cache);
  assert_int_equal(config->keep.runs_ms, 2592000000);
  assert_int_equal(config->keep.reports_ms, 2592000000);
  assert_int_equal(config->keep.max_bytes, 2147483648);
  assert_int_equal(config->limits.entities, 1000000);
  assert_int_equal(config->limits.hang_ms, 30000);
  assert_int_equal(config->limits.instructions, 100000000);
  assert_int_equal(config->limits.memory_bytes, 268435456);
}

static void test_every_key_can_be_said_in_the_file(void **state)
{
  struct fixture *fixture = *state;
  const struct cli_config *config = &fixture->config;
  assert_int_equal(
      load(
          fixture,
          "return { virustotal = { url = 'https://vt.example.com/v2', api_key = 'env:KEY',\n"
          "  verify_ssl = false, ca_file = '/ca.pem', proxy = "
          "'http://ana@proxy.example.com:3128',\n"
          "  proxy_password = 'credential:proxy', tier = 'premium', timeout = '5s', retries = 0,\n"
          "  retry_delay = 2, upload_max = '32MiB', poll_interval = 0.5, comments = 'none' },\n"
          "  jobs = 1024, deadline = '10m', on_limit = 'stop', max_wait = '1d', state_dir = '/s',\n"
          "  actions_path = { '/a', '/b' },\n"
          "  cache = { report = 0, not_found = '1m', max_age = 9 },\n"
          "  no_cache = true, no_state = true, reserve = 7,\n"
          "  http = { private = { 'hive.example.com' } }, secrets = { a_key = 'env:A', b = "
          "'file:b',"
          "  c = 'file:/c', d = 'credential:d' },\n"
          "  keep = { runs = '1d', reports = '2d', max = '5MiB' },\n"
          "  limits = { entities = 7, hang = 5, instructions = 1000000.0, "
          "memory = 134217728 },\n"
          "  policy = { lookup = 'deny', submit = 'unknown-only', upload = 'deny',\n"
          "    private_urls = 'allow', internal_domains = { 'a.example' }, never_send = {\n"
          "      domains = { 'b.example', '*.c.example' }, networks = '192.0.2.0/24',\n"
          "      paths = { '/srv/hr' } } } }"),
      AP_OK);
  assert_string_equal(config->virustotal.url, "https://vt.example.com/v2");
  assert_string_equal(config->virustotal.api_key.source, "env:KEY");
  assert_false(config->virustotal.verify_ssl);
  assert_string_equal(config->virustotal.ca_file, "/ca.pem");
  assert_string_equal(config->virustotal.proxy, "http://ana@proxy.example.com:3128");
  assert_string_equal(config->virustotal.proxy_password.source, "credential:proxy");
  assert_true(config->virustotal.tier.premium);
  assert_int_equal(config->virustotal.tier.list, 25);
  assert_int_equal(config->virustotal.tier.per_day, 0);
  assert_int_equal(config->virustotal.timeout_ms, 5000);
  assert_int_equal(config->virustotal.retries, 0);
  assert_int_equal(config->virustotal.retry_delay_ms, 2000);
  assert_int_equal(config->virustotal.upload_max_bytes, 33554432);
  assert_int_equal(config->virustotal.poll_interval_ms, 500);
  assert_int_equal(config->virustotal.comments, CLI_COMMENTS_NONE);
  assert_int_equal(config->jobs, 1024);
  assert_int_equal(config->deadline_ms, 600000);
  assert_int_equal(config->on_limit, CLI_LIMIT_STOP);
  assert_int_equal(config->max_wait_ms, 86400000);
  assert_int_equal(config->reserve, 7);
  assert_int_equal(config->cache.max_age_ms, 9000);
  assert_string_equal(config->state_dir, "/s");
  assert_int_equal(config->actions_path.count, 2);
  assert_string_equal(config->actions_path.items[1], "/b");
  assert_int_equal(config->cache.report_ms, 0);
  assert_int_equal(config->cache.not_found_ms, 60000);
  assert_true(config->no_cache);
  assert_true(config->no_state);
  assert_int_equal(config->keep.runs_ms, 86400000);
  assert_int_equal(config->keep.reports_ms, 172800000);
  assert_int_equal(config->keep.max_bytes, 5242880);
  assert_int_equal(config->limits.entities, 7);
  assert_int_equal(config->limits.hang_ms, 5000);
  assert_int_equal(config->limits.instructions, 1000000);
  assert_int_equal(config->limits.memory_bytes, 134217728);
  assert_int_equal(config->policy.lookup, 1);
  assert_int_equal(config->policy.submit, 1);
  assert_int_equal(config->policy.upload, 2);
  assert_int_equal(config->policy.private_urls, 0);
  assert_string_equal(config->policy.internal_domains.items[0], "a.example");
  assert_int_equal(config->policy.never_send.domains.count, 2);
  assert_string_equal(config->policy.never_send.domains.items[1], "*.c.example");
  assert_string_equal(config->policy.never_send.networks.items[0], "192.0.2.0/24");
  assert_string_equal(config->policy.never_send.paths.items[0], "/srv/hr");
  assert_string_equal(config->http.private_hosts.items[0], "hive.example.com");
  assert_int_equal(config->secret_count, 4);
  assert_string_equal(config->secrets[0].name, "a_key");
  assert_string_equal(config->secrets[0].source, "env:A");
  assert_true(strncmp(config->secrets[1].source, "file:/", 6) == 0); /* below the file's folder */
  assert_string_equal(strrchr(config->secrets[1].source, '/'), "/b");
  assert_string_equal(config->secrets[2].source, "file:/c");
  assert_string_equal(config->secrets[3].source, "credential:d");
  assert_string_equal(config->file, fixture->file);
  for (size_t i = 0; i < cli_key_count; i++)
    if (config->origins[i].kind != CLI_FROM_FILE)
      fail_msg("the file did not set %s", cli_keys[i].path);
}

static void test_every_example_is_a_value_of_its_key(void **state)
{
  struct fixture *fixture = *state;
  for (size_t i = 0; i < cli_key_count; i++) {
    struct ap_buf text = {0};
    const char *part = cli_keys[i].path;
    ap_buf_add_str(&text, "return { ");
    for (const char *dot; (dot = strchr(part, '.')); part = dot + 1)
      ap_buf_add_fmt(&text, "%.*s = { ", (int)(dot - part), part);
    ap_buf_add_fmt(&text, "%s = %s }", part, cli_keys[i].example);
    for (const char *dot = cli_keys[i].path; (dot = strchr(dot, '.')); dot++)
      ap_buf_add_str(&text, " }");
    if (load(fixture, ap_buf_cstr(&text)) != AP_OK)
      fail_msg("%s: %s", ap_buf_cstr(&text), fixture->err.text);
    ap_buf_deinit(&text);
  }
}

static void test_a_tier_may_be_a_table(void **state)
{
  struct fixture *fixture = *state;
  const struct cli_tier *tier = &fixture->config.virustotal.tier;
  assert_int_equal(load(fixture, "return { virustotal = { tier = { per_minute = 1000, list = 20,\n"
                                 "  premium = true } } }"),
                   AP_OK);
  assert_int_equal(tier->per_minute, 1000);
  assert_int_equal(tier->per_day, 0);
  assert_int_equal(tier->list, 20);
  assert_true(tier->premium);
  assert_int_equal(load(fixture, "return { virustotal = { tier = { per_day = 1000 } } }"), AP_OK);
  assert_int_equal(tier->per_minute, 4);
  assert_int_equal(tier->per_day, 1000);
  assert_int_equal(tier->list, 4);
  assert_false(tier->premium);
}

static void test_a_public_key_polls_slowly_unless_told(void **state)
{
  struct fixture *fixture = *state;
  const uint64_t *interval = &fixture->config.virustotal.poll_interval_ms;
  assert_int_equal(load(fixture, "return { virustotal = { tier = 'premium' } }"), AP_OK);
  assert_int_equal(*interval, 20000);
  assert_int_equal(load(fixture, "return { virustotal = { tier = 'public' } }"), AP_OK);
  assert_int_equal(*interval, 60000);
  assert_string_equal(origin_of(fixture, "virustotal.poll_interval"), "default of a public key");
  assert_int_equal(load(fixture, "return { virustotal = { poll_interval = '20s' } }"), AP_OK);
  assert_int_equal(*interval, 20000);
}

static void test_paths_of_the_file_are_below_its_folder(void **state)
{
  struct fixture *fixture = *state;
  char wanted[96];
  assert_int_equal(load(fixture,
                        "return { actions_path = { 'actions', '/opt/actions' },\n"
                        "  virustotal = { ca_file = 'ca.pem', api_key = 'file:vt.key' } }"),
                   AP_OK);
  (void)snprintf(wanted, sizeof(wanted), "%s/actions", fixture->folder);
  assert_string_equal(fixture->config.actions_path.items[0], wanted);
  assert_string_equal(fixture->config.actions_path.items[1], "/opt/actions");
  (void)snprintf(wanted, sizeof(wanted), "%s/ca.pem", fixture->folder);
  assert_string_equal(fixture->config.virustotal.ca_file, wanted);
  (void)snprintf(wanted, sizeof(wanted), "file:%s/vt.key", fixture->folder);
  assert_string_equal(fixture->config.virustotal.api_key.source, wanted);
}

/* ---- what is wrong ---- */

static void test_what_is_wrong_names_the_file_and_the_key(void **state)
{
  struct fixture *fixture = *state;
  static const struct {
    const char *text;
    const char *says;
  } cases[] = {
      {"return { jbos = 1 }", "unknown key jbos: did you mean jobs?"},
      {"return { zzzzzz = 1 }", "unknown key zzzzzz"},
      {"return { timeout = '5s' }", "unknown key timeout: did you mean virustotal.timeout?"},
      {"return { virustotal = { timout = '5s' } }",
       "unknown key virustotal.timout: did you mean virustotal.timeout?"},
      {"return { virustotal = { jobs = 5 } }", "unknown key virustotal.jobs: did you mean jobs?"},
      {"return { secret = {} }", "unknown key secret: did you mean secrets?"},
      {"return { secrets = 'x' }", "secrets must be a table, like"},
      {"return { secrets = { 'env:A' } }", "secrets must be a table, like"},
      {"return { secrets = { ['a b'] = 'env:A' } }", "a name is letters, digits and _"},
      {"return { secrets = { a = 'abcdefgh' } }", "secrets.a must be file:PATH"},
      {"return { secrets = { a = 5 } }", "secrets.a must be file:PATH"},
      {"return { http = { private = { 'a.example:8443' } } }", "a list of hosts without ports"},
      {"return { http = { private = { 'A.example' } } }", "in lower case"},
      {"return { http = { private = 'https://a' } }", "not \"https://a\""},
      {"return { http = { privat = {} } }", "unknown key http.privat: did you mean http.private?"},
      {"return { virustotall = {} }", "unknown key virustotall: did you mean virustotal?"},
      {"return { keep = { ['max.x'] = 1 } }", "unknown key keep.max.x"},
      {"return { ['keep.max'] = '1GiB' }", "unknown key keep.max"},
      {"return { virustotal = { tier = { perminute = 1 } } }",
       "unknown key virustotal.tier.perminute: did you mean virustotal.tier.per_minute?"},
      {"return { virustotal = 'x' }", "virustotal must be a table"},
      {"return { policy = { never_send = 'x' } }", "policy.never_send must be a table"},
      {"return { policy = { never_send = { domain = {} } } }",
       "unknown key policy.never_send.domain: did you mean policy.never_send.domains?"},
      {"return { policy = { never_sent = {} } }",
       "unknown key policy.never_sent: did you mean policy.never_send?"},
      {"return { policy = { submit = 'never' } }",
       "policy.submit must be allow, unknown-only or deny, not \"never\""},
      {"return { policy = { never_send = { networks = { '10.0.0.0/64' } } } }",
       "policy.never_send.networks: \"10.0.0.0/64\" must be an address or a range"},
      {"return { policy = { internal_domains = { 5 } } }",
       "policy.internal_domains must be a list, like { \"corp.example.com\" }, not 5"},
      {"return { virustotal = { 1 } }", "virustotal must be a table, like { ... }, not a list"},
      {"return { 1, 2 }", "it must return a table of names, not a list"},
      {"return 5", "does not return a table"},
      {"return { jobs = 0 }", "jobs must be a whole number from 1 to 1024, like 32, not 0"},
      {"return { jobs = 1025 }", "jobs must be a whole number from 1 to 1024, like 32, not 1025"},
      {"return { jobs = -1 }", "not -1"},
      {"return { jobs = 1.5 }",
       "jobs must be a whole number from 1 to 1024, like 32, not a number"},
      {"return { jobs = 0/0 }", "jobs must be a whole number"},
      {"return { jobs = 1e300 }", "jobs must be a whole number"},
      {"return { jobs = '32' }", "jobs must be a whole number from 1 to 1024, like 32, not \"32\""},
      {"return { jobs = true }",
       "jobs must be a whole number from 1 to 1024, like 32, not a boolean"},
      {"return { jobs = {} }", "not a list"},
      {"return { jobs = { a = 1 } }", "not a table"},
      {"return { deadline = 'soon' }",
       "deadline must be a duration from 0s to 3650d, like \"10m\", not \"soon\""},
      {"return { virustotal = { timeout = 0 } }",
       "virustotal.timeout must be a duration from 1ms to 1h, like \"60s\", not 0"},
      {"return { virustotal = { timeout = '2h' } }", "not \"2h\""},
      {"return { virustotal = { timeout = 0.0001 } }", "virustotal.timeout must be a duration"},
      {"return { virustotal = { upload_max = '1M' } }",
       "virustotal.upload_max must be a size from 1B to 650MiB, like \"200MB\", not \"1M\""},
      {"return { on_limit = 'go' }", "on_limit must be wait or stop, not \"go\""},
      {"return { virustotal = { comments = 5 } }",
       "virustotal.comments must be all, risky or none, not 5"},
      {"return { virustotal = { verify_ssl = 'no' } }",
       "virustotal.verify_ssl must be true or false, not \"no\""},
      {"return { virustotal = { verify_ssl = 0 } }", "virustotal.verify_ssl must be true or false"},
      {"return { no_cache = 'true' }", "no_cache must be true or false, not \"true\""},
      {"return { virustotal = { url = 'http://vt.example.com' } }",
       "virustotal.url must be an https URL (http on loopback only), like "
       "\"https://www.virustotal.com/vtapi/v2\", not \"http://vt.example.com\""},
      {"return { virustotal = { url = 'https://vt.example.com/?a=1' } }", "virustotal.url must be"},
      {"return { virustotal = { proxy = 'ftp://proxy.example.com' } }", "virustotal.proxy must be"},
      {"return { virustotal = { proxy = 'http://' } }", "virustotal.proxy must be"},
      {"return { virustotal = { ca_file = '' } }", "virustotal.ca_file must be a path"},
      {"return { virustotal = { ca_file = 'a\\0b' } }", "virustotal.ca_file must be a path"},
      {"return { actions_path = 5 }", "actions_path must be a list of folders"},
      {"return { actions_path = { 'a', 5 } }", "actions_path must be a list of folders"},
      {"return { actions_path = { 'a', '' } }", "actions_path must be a list of folders"},
      {"return { virustotal = { tier = 'gold' } }", "virustotal.tier must be public, premium or a"},
      {"return { virustotal = { tier = { list = 26 } } }",
       "virustotal.tier.list must be a whole number from 1 to 25, not 26"},
      {"return { virustotal = { tier = { per_day = -1 } } }", "virustotal.tier.per_day must be"},
      {"return { virustotal = { tier = { per_day = '9' } } }", "virustotal.tier.per_day must be"},
      {"return { virustotal = { tier = { premium = 'yes' } } }",
       "virustotal.tier.premium must be true or false, not \"yes\""},
      {"return { jobs = 5, }, 6 +", "unexpected symbol"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    int rc = load(fixture, cases[i].text);
    if (rc != AP_E_INVALID || !strstr(fixture->err.text, cases[i].says) ||
        strncmp(fixture->err.text, fixture->file, strlen(fixture->file)) != 0)
      fail_msg("%s\n  gave %d \"%s\"", cases[i].text, rc, fixture->err.text);
  }
}

static void test_a_secret_in_the_file_is_refused_and_not_repeated(void **state)
{
  struct fixture *fixture = *state;
  static const struct {
    const char *text;
    const char *says;
  } cases[] = {
      {"return { virustotal = { api_key = 'hunter2hunter2' } }",
       "virustotal.api_key must be file:PATH, env:NAME or credential:NAME and never the secret "
       "itself"},
      {"return { virustotal = { proxy_password = 'hunter2hunter2' } }",
       "virustotal.proxy_password must be file:PATH"},
      {"return { virustotal = { proxy = 'http://ana:hunter2hunter2@proxy.example.com' } }",
       "without a password (that is virustotal.proxy_password)"},
      {"return { virustotal = { url = 'https://ana:hunter2hunter2@vt.example.com' } }",
       "virustotal.url must be"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    assert_int_equal(load(fixture, cases[i].text), AP_E_INVALID);
    if (!strstr(fixture->err.text, cases[i].says) || strstr(fixture->err.text, "hunter2"))
      fail_msg("%s\n  gave \"%s\"", cases[i].text, fixture->err.text);
  }
}

static void test_a_file_that_others_may_write_is_refused(void **state)
{
  struct fixture *fixture = *state;
  static const mode_t modes[] = {0620, 0602};
  write_file(fixture->file, "return {}");
  for (size_t i = 0; i < COUNT_OF(modes); i++) {
    assert_int_equal(chmod(fixture->file, modes[i]), 0);
    assert_int_equal(cli_config_load(&fixture->config, fixture->file, &fixture->err), AP_E_INVALID);
    assert_non_null(strstr(fixture->err.text, fixture->file));
    assert_non_null(strstr(fixture->err.text, "chmod go-w"));
  }
  assert_int_equal(chmod(fixture->file, 0644), 0);
  assert_int_equal(cli_config_load(&fixture->config, fixture->file, &fixture->err), AP_OK);
}

static void test_a_file_of_another_user_is_refused(void **state)
{
  struct fixture *fixture = *state;
  write_file(fixture->file, "return {}");
  if (chown(fixture->file, 12345, (gid_t)-1) == 0) { /* as root */
    assert_int_equal(cli_config_load(&fixture->config, fixture->file, &fixture->err), AP_E_INVALID);
    assert_non_null(strstr(fixture->err.text, "belongs to another user"));
  } else { /* root's is fine: it is refused for what is in it only */
    assert_int_equal(cli_config_load(&fixture->config, "/etc/passwd", &fixture->err), AP_E_INVALID);
    assert_null(strstr(fixture->err.text, "belongs to another user"));
  }
}

/* ---- which file ---- */

static void test_a_named_file_must_be_there(void **state)
{
  struct fixture *fixture = *state;
  assert_int_equal(cli_config_load(&fixture->config, fixture->file, &fixture->err), AP_E_NOT_FOUND);
  assert_non_null(strstr(fixture->err.text, "--config"));
  assert_non_null(strstr(fixture->err.text, fixture->file));
  assert_int_equal(setenv("APOGEE_CONFIG", fixture->file, 1), 0);
  assert_int_equal(cli_config_load(&fixture->config, NULL, &fixture->err), AP_E_NOT_FOUND);
  assert_non_null(strstr(fixture->err.text, "APOGEE_CONFIG"));
}

static void test_a_folder_is_no_file(void **state)
{
  struct fixture *fixture = *state;
  assert_int_equal(cli_config_load(&fixture->config, fixture->folder, &fixture->err), AP_E_IO);
  assert_non_null(strstr(fixture->err.text, "not a regular file"));
}

static void test_the_environment_names_a_file_and_an_option_another(void **state)
{
  struct fixture *fixture = *state;
  char other[96];
  (void)snprintf(other, sizeof(other), "%s/other.lua", fixture->folder);
  write_file(fixture->file, "return { jobs = 5 }");
  write_file(other, "return { jobs = 6 }");
  assert_int_equal(setenv("APOGEE_CONFIG", other, 1), 0);
  assert_int_equal(cli_config_load(&fixture->config, NULL, &fixture->err), AP_OK);
  assert_int_equal(fixture->config.jobs, 6);
  assert_int_equal(cli_config_load(&fixture->config, fixture->file, &fixture->err), AP_OK);
  assert_int_equal(fixture->config.jobs, 5);
  assert_int_equal(unlink(other), 0);
}

static void test_files_are_searched_below_xdg_and_home(void **state)
{
  struct fixture *fixture = *state;
  char path[96];
  (void)snprintf(path, sizeof(path), "%s/.config", fixture->folder);
  assert_int_equal(mkdir(path, 0700), 0);
  (void)snprintf(path, sizeof(path), "%s/.config/apogee", fixture->folder);
  assert_int_equal(mkdir(path, 0700), 0);
  (void)snprintf(path, sizeof(path), "%s/.config/apogee/config.lua", fixture->folder);
  write_file(path, "return { jobs = 7 }");
  assert_int_equal(cli_config_load(&fixture->config, NULL, &fixture->err), AP_OK);
  assert_int_equal(fixture->config.jobs, 7);
  assert_string_equal(fixture->config.file, path);

  write_file(path, "return { jbos = 7 }"); /* one that is there is not passed over */
  assert_int_equal(cli_config_load(&fixture->config, NULL, &fixture->err), AP_E_INVALID);

  assert_int_equal(setenv("XDG_CONFIG_HOME", "/nonexistent", 1), 0);
  struct cli_config config;
  assert_int_equal(cli_config_init(&config, &fixture->err), AP_OK);
  assert_int_equal(cli_config_load(&config, NULL, &fixture->err), AP_OK);
  if (config.file) /* this machine's own */
    assert_string_equal(config.file, "/etc/apogee/config.lua");
  cli_config_deinit(&config);

  assert_int_equal(unlink(path), 0);
  *strrchr(path, '/') = '\0';
  assert_int_equal(rmdir(path), 0);
  *strrchr(path, '/') = '\0';
  assert_int_equal(rmdir(path), 0);
}

/* ---- strength ---- */

static void test_options_beat_the_environment_which_beats_the_file(void **state)
{
  struct fixture *fixture = *state;
  static const char text[] = "return { virustotal = { url = 'https://file.example.com' } }";
  const struct cli_config *config = &fixture->config;
  char origin[128];
  assert_int_equal(load(fixture, text), AP_OK);
  assert_string_equal(config->virustotal.url, "https://file.example.com");
  (void)snprintf(origin, sizeof(origin), "%s: virustotal.url", fixture->file);
  assert_string_equal(origin_of(fixture, "virustotal.url"), origin);

  assert_int_equal(setenv("APOGEE_VT_URL", "https://env.example.com", 1), 0);
  assert_int_equal(load(fixture, text), AP_OK);
  assert_string_equal(config->virustotal.url, "https://env.example.com");
  assert_string_equal(origin_of(fixture, "virustotal.url"), "APOGEE_VT_URL");

  assert_int_equal(set_option(fixture, "virustotal.url", "https://option.example.com"), AP_OK);
  assert_int_equal(load(fixture, text), AP_OK);
  assert_string_equal(config->virustotal.url, "https://option.example.com");
  assert_string_equal(origin_of(fixture, "virustotal.url"), "--url");

  assert_int_equal(set_option(fixture, "virustotal.url", "https://last.example.com"), AP_OK);
  assert_string_equal(config->virustotal.url, "https://last.example.com");
}

static void test_what_a_stronger_place_hides_is_checked_all_the_same(void **state)
{
  struct fixture *fixture = *state;
  assert_int_equal(set_option(fixture, "jobs", "5"), AP_OK);
  assert_int_equal(load(fixture, "return { jobs = 'many' }"), AP_E_INVALID);
}

static void test_the_environment_is_read(void **state)
{
  struct fixture *fixture = *state;
  const struct cli_config *config = &fixture->config;
  assert_int_equal(setenv("APOGEE_CA_FILE", "/env/ca.pem", 1), 0);
  assert_int_equal(setenv("APOGEE_STATE_DIR", "/env/state", 1), 0);
  assert_int_equal(setenv("APOGEE_ACTIONS_PATH", ":/env/a::b:", 1), 0);
  assert_int_equal(setenv("APOGEE_VT_URL", "", 1), 0);
  assert_int_equal(load(fixture, "return {}"), AP_OK);
  assert_string_equal(config->virustotal.ca_file, "/env/ca.pem");
  assert_string_equal(config->state_dir, "/env/state");
  assert_int_equal(config->actions_path.count, 2);
  assert_string_equal(config->actions_path.items[0], "/env/a");
  assert_string_equal(config->actions_path.items[1], "b");
  assert_string_equal(config->virustotal.url, "https://www.virustotal.com/vtapi/v2");

  assert_int_equal(setenv("APOGEE_VT_URL", "ftp://x", 1), 0);
  assert_int_equal(load(fixture, "return {}"), AP_E_INVALID);
  assert_non_null(strstr(fixture->err.text, "APOGEE_VT_URL: it must be an https URL"));
}

static void test_the_state_folder_follows_systemd_then_xdg(void **state)
{
  struct fixture *fixture = *state;
  char wanted[96];
  (void)snprintf(wanted, sizeof(wanted), "%s/.local/state/apogee", fixture->folder);
  static const struct {
    const char *variable;
    const char *value;
    const char *folder; /* NULL: the one below home */
  } cases[] = {
      {"XDG_STATE_HOME", "relative", NULL},
      {"XDG_STATE_HOME", "/xdg", "/xdg/apogee"},
      {"STATE_DIRECTORY", "/var/lib/apogee:/var/lib/other", "/var/lib/apogee"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct cli_config config;
    write_file(fixture->file, "return {}");
    assert_int_equal(setenv(cases[i].variable, cases[i].value, 1), 0);
    assert_int_equal(cli_config_init(&config, &fixture->err), AP_OK);
    assert_int_equal(cli_config_load(&config, fixture->file, &fixture->err), AP_OK);
    assert_string_equal(config.state_dir, cases[i].folder ? cases[i].folder : wanted);
    cli_config_deinit(&config);
  }
}

/* ---- secrets ---- */

static void test_the_key_comes_from_the_environment_by_its_name(void **state)
{
  struct fixture *fixture = *state;
  struct ap_secret *key = NULL;
  assert_int_equal(setenv("APOGEE_VT_API_KEY", "file:not-a-path", 1), 0);
  assert_int_equal(load(fixture, "return { virustotal = { api_key = 'env:OTHER' } }"), AP_OK);
  assert_string_equal(fixture->config.virustotal.api_key.source, "env:APOGEE_VT_API_KEY");
  assert_int_equal(cli_config_api_key(&fixture->config, &key, &fixture->err), AP_OK);
  assert_true(ap_slice_is(ap_secret_bytes(key), "file:not-a-path"));
  ap_secret_free(key);
}

static void test_a_key_of_the_command_line_is_taken_as_it_is(void **state)
{
  struct fixture *fixture = *state;
  struct ap_secret *key = NULL;
  assert_int_equal(setenv("APOGEE_VT_API_KEY", "weaker", 1), 0);
  assert_int_equal(set_option(fixture, "virustotal.api_key", "hunter2hunter2"), AP_OK);
  assert_int_equal(load(fixture, "return {}"), AP_OK);
  assert_int_equal(cli_config_api_key(&fixture->config, &key, &fixture->err), AP_OK);
  assert_true(ap_slice_is(ap_secret_bytes(key), "hunter2hunter2"));
  ap_secret_free(key);
  char line[] = "the key is hunter2hunter2";
  ap_redact(line, strlen(line));
  assert_string_equal(line, "the key is **************");
}

static void test_no_key_says_how_to_give_one(void **state)
{
  struct fixture *fixture = *state;
  struct ap_secret *secret = (struct ap_secret *)1;
  assert_int_equal(cli_config_api_key(&fixture->config, &secret, &fixture->err), AP_E_INVALID);
  assert_non_null(strstr(fixture->err.text, "APOGEE_VT_API_KEY"));
  assert_non_null(strstr(fixture->err.text, "virustotal.api_key"));
  assert_int_equal(cli_config_proxy_password(&fixture->config, &secret, &fixture->err), AP_OK);
  assert_null(secret);
}

/* ---- show config ---- */

static char *print(const struct cli_config *config)
{
  char *text = NULL;
  size_t len = 0;
  FILE *to = open_memstream(&text, &len);
  assert_non_null(to);
  cli_config_print(config, to);
  assert_int_equal(fclose(to), 0);
  return text;
}

static void test_values_are_printed_with_where_they_came_from(void **state)
{
  struct fixture *fixture = *state;
  char wanted[128];
  assert_int_equal(set_option(fixture, "virustotal.proxy_password", "hunter2hunter2"), AP_OK);
  assert_int_equal(set_option(fixture, "deadline", "90m"), AP_OK);
  assert_int_equal(setenv("APOGEE_VT_API_KEY", "sesame-sesame", 1), 0);
  assert_int_equal(load(fixture, "return { jobs = 5, actions_path = { '/a \"b\"' } }"), AP_OK);
  char *text = print(&fixture->config);
  (void)snprintf(wanted, sizeof(wanted), "# configuration file: %s\n", fixture->file);
  assert_non_null(strstr(text, wanted));
  (void)snprintf(wanted, sizeof(wanted), "\njobs = 5  # %s: jobs\n", fixture->file);
  assert_non_null(strstr(text, wanted));
  assert_non_null(strstr(text, "\ndeadline = \"1h30m\"  # --deadline\n"));
  assert_non_null(strstr(text, "\nactions_path = { \"/a \\\"b\\\"\" }  # "));
  assert_non_null(strstr(text, "\non_limit = \"wait\"  # default\n"));
  assert_non_null(strstr(text, "\nvirustotal.ca_file = nil  # default\n"));
  assert_non_null(strstr(
      text, "\nvirustotal.api_key = \"***\"  # env:APOGEE_VT_API_KEY, by APOGEE_VT_API_KEY\n"));
  assert_non_null(strstr(text, "\nvirustotal.proxy_password = \"***\"  # --proxy-password\n"));
  assert_null(strstr(text, "hunter2"));
  assert_null(strstr(text, "sesame"));
  free(text);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_FOLDER(test_the_defaults_are_those_of_the_design),
      WITH_FOLDER(test_every_key_can_be_said_in_the_file),
      WITH_FOLDER(test_every_example_is_a_value_of_its_key),
      WITH_FOLDER(test_a_tier_may_be_a_table),
      WITH_FOLDER(test_a_public_key_polls_slowly_unless_told),
      WITH_FOLDER(test_paths_of_the_file_are_below_its_folder),
      WITH_FOLDER(test_what_is_wrong_names_the_file_and_the_key),
      WITH_FOLDER(test_a_secret_in_the_file_is_refused_and_not_repeated),
      WITH_FOLDER(test_a_file_that_others_may_write_is_refused),
      WITH_FOLDER(test_a_file_of_another_user_is_refused),
      WITH_FOLDER(test_a_named_file_must_be_there),
      WITH_FOLDER(test_a_folder_is_no_file),
      WITH_FOLDER(test_the_environment_names_a_file_and_an_option_another),
      WITH_FOLDER(test_files_are_searched_below_xdg_and_home),
      WITH_FOLDER(test_options_beat_the_environment_which_beats_the_file),
      WITH_FOLDER(test_what_a_stronger_place_hides_is_checked_all_the_same),
      WITH_FOLDER(test_the_environment_is_read),
      WITH_FOLDER(test_the_state_folder_follows_systemd_then_xdg),
      WITH_FOLDER(test_the_key_comes_from_the_environment_by_its_name),
      WITH_FOLDER(test_a_key_of_the_command_line_is_taken_as_it_is),
      WITH_FOLDER(test_no_key_says_how_to_give_one),
      WITH_FOLDER(test_values_are_printed_with_where_they_came_from),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
