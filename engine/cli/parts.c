// SPDX-License-Identifier: Apache-2.0
#include "cli/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/kept.h"
#include "cli/notes.h"
#include "cli/rules.h"
#include "script/data.h"

enum { CONNECT_TIMEOUT_MS = 15000, REPORTS_IN_MEMORY = 16 << 20, KEY_BYTES = 32 };

static int said(int exit_code, const struct ap_error *err)
{
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err->text);
  return exit_code;
}

/* ---- loop and host ---- */

int cli_parts_base(struct cli_parts *parts, const struct cli_config *config)
{
  struct ap_error err = {0};
  struct script_limits limits;
  script_limits_init(&limits);
  limits.instructions = config->limits.instructions;
  limits.memory_bytes = config->limits.memory_bytes;
  limits.hang_ms = (uint32_t)config->limits.hang_ms;
  if (net_loop_new(&parts->loop) != AP_OK) {
    (void)ap_fail(&err, AP_E_NO_MEMORY, "the event loop did not start");
    return said(CLI_EXIT_LIMIT, &err);
  }
  if (script_host_new(parts->loop, &limits, &parts->host, &err) != AP_OK)
    return said(CLI_EXIT_LIMIT, &err);
  return CLI_EXIT_DONE;
}

/* ---- case and record ---- */

static int read_entities(struct cli_parts *parts, const struct run_request *request,
                         const struct cli_config *config)
{
  const struct cli_entities given = {
      .files = request->entities_files,
      .file_count = request->entities_file_count,
      .options = request->entity_options,
      .option_count = request->entity_option_count,
      .tlp = request->script.tlp,
      .most = config->limits.entities,
      .most_notes = CLI_NOTES_OF_RUN,
  };
  return cli_read_entities(&given, &parts->cf);
}

const char cli_no_state_folder[] =
    "there is no folder for the state: set HOME, or state_dir in the configuration";

const char *cli_temporary_folder(void)
{
  const char *folder = getenv("TMPDIR");
  return folder && *folder ? folder : "/tmp";
}

static int no_memory(void)
{
  struct ap_error err;
  (void)ap_fail(&err, AP_E_NO_MEMORY, "out of memory");
  return said(CLI_EXIT_LIMIT, &err);
}

static int said_of_kept(const char *id, struct ap_error *err)
{
  if (err->code == AP_E_BUSY) {
    (void)ap_fail(err, AP_E_BUSY, "the run %s is under way in another process", id);
    return said(CLI_EXIT_LOCKED, err);
  }
  (void)ap_fail_context(err, "the run %s", id);
  return said(err->code == AP_E_NO_MEMORY ? CLI_EXIT_LIMIT : CLI_EXIT_USAGE, err);
}

/* Three words each, a NUL behind each: step, type, identifier (script_blame). */
static int read_blame(struct case_restored *restored, const char *bytes, size_t len)
{
  const char *end = bytes + len;
  const char *words[3];
  int rc = AP_OK;
  for (int count = 0; rc == AP_OK && memchr(bytes, '\0', (size_t)(end - bytes));
       bytes += strlen(bytes) + 1) {
    enum case_type type;
    words[count++] = bytes;
    if (count < 3)
      continue;
    count = 0;
    if (case_type_parse(words[1], &type))
      rc = case_restored_blame(restored, words[0], type, words[2]);
  }
  return rc;
}

static int blame(struct cli_parts *parts, const char *id, const struct cli_config *config)
{
  enum { MAX_BYTES = 1 << 20 };
  struct ap_buf path = {0};
  struct ap_buf text = {0};
  cli_kept_blame_path(config, id, &path);
  FILE *file = fopen(ap_buf_cstr(&path), "re");
  ap_buf_deinit(&path);
  if (!file)
    return AP_OK;
  char *room = ap_buf_room(&text, MAX_BYTES);
  size_t len = room ? fread(room, 1, MAX_BYTES, file) : 0;
  (void)fclose(file);
  int rc = room ? read_blame(parts->restored, room, len) : AP_E_NO_MEMORY;
  ap_buf_deinit(&text);
  return rc;
}

/* Opens the file of a run that is kept and takes its entities. */
static int open_kept(struct cli_parts *parts, const struct run_request *request,
                     const struct cli_config *config)
{
  struct ap_error err = {0};
  struct ap_buf path = {0};
  uint64_t limit = config->limits.entities;
  bool is_to_grow = !request->is_report;
  cli_kept_path(config, request->id, &path);
  int rc = store_spool_reopen(parts->loop, ap_buf_cstr(&path), is_to_grow, &parts->spool, &err);
  if (rc == AP_OK)
    rc = case_restore(parts->spool, is_to_grow, limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit,
                      &parts->restored, &err);
  ap_buf_deinit(&path);
  if (rc != AP_OK)
    return said_of_kept(request->id, &err);
  parts->folder = config->state_dir;
  parts->cf = case_restored_take_case(parts->restored);
  casefile_set_tlp(parts->cf, request->script.tlp); /* of what joins it yet */
  if (case_record_new(parts->cf, parts->spool, &parts->record) != AP_OK ||
      blame(parts, request->id, config) != AP_OK)
    return no_memory();
  if (is_to_grow)
    case_record_resume(parts->record, parts->restored);
  return CLI_EXIT_DONE;
}

static int make_record(struct cli_parts *parts, const char *folder)
{
  struct ap_error err = {0};
  parts->folder = folder;
  if (!parts->folder) {
    (void)ap_fail(&err, AP_E_INVALID, "%s", cli_no_state_folder);
    return said(CLI_EXIT_NOT_WRITTEN, &err);
  }
  if (store_spool_open(parts->loop, parts->folder, &parts->spool, &err) != AP_OK) {
    (void)ap_fail_context(&err, "the state cannot be written");
    return said(CLI_EXIT_NOT_WRITTEN, &err);
  }
  if (case_record_new(parts->cf, parts->spool, &parts->record) != AP_OK)
    return no_memory();
  return CLI_EXIT_DONE;
}

/* ---- client ---- */

static void take_tier(const struct cli_tier *tier, struct sim_options *options)
{
  options->premium = tier->premium;
  options->per_minute = (uint32_t)tier->per_minute;
  options->per_day = (uint32_t)tier->per_day;
  options->per_month = (uint32_t)tier->per_month;
}

static int start_simulator(struct cli_parts *parts, const struct run_request *request,
                           const struct cli_config *config)
{
  struct ap_error err = {0};
  struct sim_options options;
  sim_options_init(&options);
  take_tier(&config->virustotal.tier, &options);
  options.request_log = request->request_log;
  if (request->scenario) {
    if (script_data_read(request->scenario, &parts->scenario, &err) != AP_OK)
      return said(CLI_EXIT_USAGE, &err);
    options.scenario = &parts->scenario;
  }
  if (sim_start(&options, &parts->sim, &err) != AP_OK)
    return said(CLI_EXIT_USAGE, &err);
  ap_log(AP_LOG_CLI, AP_LOG_INFO, "nothing is sent to VirusTotal: a simulator answers");
  return CLI_EXIT_DONE;
}

/* Any 64 hexadecimal digits are a key to the simulator. */
static int simulated_key(struct ap_secret **key, struct ap_error *err)
{
  unsigned char bytes[KEY_BYTES];
  char text[2 * KEY_BYTES + 1];
  ap_random_bytes(bytes, sizeof(bytes));
  for (size_t i = 0; i < sizeof(bytes); i++)
    (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
  return ap_secret_new("virustotal.api_key", text, 2 * KEY_BYTES, key, err);
}

/* What it lacks is told to the action that needs it, if one does. */
static bool has_key(struct cli_parts *parts, const struct run_request *request,
                    const struct cli_config *config)
{
  struct ap_error err = {0};
  int rc =
      parts->sim ? simulated_key(&parts->key, &err) : cli_config_api_key(config, &parts->key, &err);
  const struct cli_secret *key = &config->virustotal.api_key;
  bool may_simulate = !key->source && !key->bare && !request->id; /* a new run has the option */
  (void)snprintf(parts->no_client, sizeof(parts->no_client), "%s%s", err.text,
                 rc != AP_OK && may_simulate ? "; --simulate needs none" : "");
  return rc == AP_OK;
}

static int make_http(struct cli_parts *parts, const struct cli_config *config)
{
  struct ap_error err = {0};
  bool is_plain = parts->sim || strncmp(config->virustotal.url, "http://", 7) == 0;
  const struct net_http_options options = {
      .proxy = parts->sim ? NULL : config->virustotal.proxy,
      .proxy_password = parts->proxy_password,
      .ca_file = config->virustotal.ca_file,
      .verify_tls = config->virustotal.verify_ssl,
      .allow_plain = is_plain,
      .connect_timeout_ms = CONNECT_TIMEOUT_MS,
      .max_connections = (uint32_t)config->jobs,
  };
  if (net_http_global_init(&err) != AP_OK ||
      net_http_new(parts->loop, &options, &parts->http, &err) != AP_OK)
    return said(CLI_EXIT_USAGE, &err);
  return CLI_EXIT_DONE;
}

struct store_limits cli_limits_of(const struct cli_config *config)
{
  const struct cli_tier *tier = &config->virustotal.tier;
  return (struct store_limits){
      .per_minute = (uint32_t)tier->per_minute,
      .per_day = (uint32_t)tier->per_day,
      .per_month = (uint32_t)tier->per_month,
      .reserve = (uint32_t)config->reserve,
  };
}

struct store_lifetimes cli_lifetimes_of(const struct cli_config *config)
{
  uint64_t max_age_ms = config->cache.max_age_ms;
  if (config->no_cache)
    return (struct store_lifetimes){0};
  if (max_age_ms != CLI_NOT_GIVEN)
    return (struct store_lifetimes){max_age_ms, max_age_ms};
  return (struct store_lifetimes){config->cache.report_ms, config->cache.not_found_ms};
}

/* NULL where nobody needs to be told: a tier that somebody gave is as it should be. */
static const char *note_of_pace(const struct cli_parts *parts, const struct cli_config *config)
{
  if (!parts->sim || !cli_config_is_default(config, "virustotal.tier"))
    return NULL;
  return "the simulator keeps a public key's 4 a minute; --tier premium does not wait";
}

static void take_options(const struct cli_parts *parts, const struct cli_config *config,
                         struct vt_options *options)
{
  const struct cli_tier *tier = &config->virustotal.tier;
  vt_options_init(options);
  options->url = parts->sim ? sim_url(parts->sim) : config->virustotal.url;
  options->key = parts->key;
  const struct store_lifetimes lifetimes = cli_lifetimes_of(config);
  options->limits = cli_limits_of(config);
  options->list = (uint32_t)tier->list;
  options->jobs = (uint32_t)config->jobs;
  options->retries = (uint32_t)config->virustotal.retries;
  options->retry_delay_ms = config->virustotal.retry_delay_ms;
  options->poll_interval_ms = config->virustotal.poll_interval_ms;
  options->timeout_ms = config->virustotal.timeout_ms;
  options->max_wait_ms = config->max_wait_ms;
  options->minute_note = note_of_pace(parts, config);
  options->stop_on_limit = config->on_limit == CLI_LIMIT_STOP;
  options->report_lifetime_ms = lifetimes.report_ms;
  options->not_found_lifetime_ms = lifetimes.not_found_ms;
  options->upload_max_bytes = config->virustotal.upload_max_bytes;
  options->has_comments = tier->premium;
  options->policy = parts->policy;
  options->comments = (enum vt_comments)config->virustotal.comments;
}

/* ---- store ---- */

/* A simulated run leaves nothing: its answers are not VirusTotal's. */
static int open_store(struct cli_parts *parts, const struct run_request *request,
                      const struct cli_config *config)
{
  struct ap_error err = {0};
  struct store_options options;
  char spender[256];
  if (parts->sim || config->no_state) {
    if (store_memory_new(parts->loop, REPORTS_IN_MEMORY, &parts->store) == AP_OK)
      return CLI_EXIT_DONE;
    return no_memory();
  }
  (void)snprintf(spender, sizeof(spender), "%s%s%s", request->script.command,
                 request->script.target ? " " : "",
                 request->script.target ? request->script.target : "");
  store_options_init(&options);
  options.service = config->virustotal.url;
  options.key = parts->key;
  options.spender = spender;
  options.keep_reports_ms = config->keep.reports_ms;
  options.keep_runs_ms = config->keep.runs_ms;
  options.keep_bytes = config->keep.max_bytes;
  if (!config->state_dir)
    (void)ap_fail(&err, AP_E_INVALID, "%s", cli_no_state_folder);
  else if (store_open(parts->loop, config->state_dir, &options, &parts->store, &err) == AP_OK)
    return CLI_EXIT_DONE;
  (void)ap_fail_context(&err, "nothing was sent, for the state cannot be used (--no-state goes "
                              "without)");
  return said(CLI_EXIT_USAGE, &err);
}

/* Whether the services that actions ask are asked, or a scenario answers for them. A scenario alone
 * can send nobody anything: that takes an option. */
static int read_services(const struct cli_parts *parts, const struct run_request *request,
                         struct net_web_options *options, struct ap_error *err)
{
  options->answers = ap_value_get(&parts->scenario, "http");
  options->is_loopback_only = parts->sim && !options->answers && !request->ask_services;
  if (options->answers && request->ask_services)
    return ap_fail(err, AP_E_INVALID, "--ask-services does not go with the answers of a scenario");
  return AP_OK;
}

/* Of the services that actions ask: beside VirusTotal, and with or without its key. */
static int make_web(struct cli_parts *parts, const struct run_request *request,
                    const struct cli_config *config)
{
  struct ap_error err = {0};
  struct net_web_options options = {
      .proxy = config->virustotal.proxy,
      .proxy_password = parts->proxy_password,
      .ca_file = config->virustotal.ca_file,
      .private_hosts = (const char *const *)config->http.private_hosts.items,
      .private_count = config->http.private_hosts.count,
      .request_log = request->request_log,
  };
  if (read_services(parts, request, &options, &err) != AP_OK ||
      net_http_global_init(&err) != AP_OK ||
      net_web_new(parts->loop, &options, &parts->web, &err) != AP_OK)
    return said(CLI_EXIT_USAGE, &err);
  parts->secrets = calloc(config->secret_count + 1, sizeof(*parts->secrets));
  if (!parts->secrets)
    return no_memory();
  for (size_t i = 0; i < config->secret_count; i++)
    parts->secrets[i] =
        (struct script_param){.name = config->secrets[i].name, .value = config->secrets[i].source};
  return CLI_EXIT_DONE;
}

static int make_client(struct cli_parts *parts, const struct run_request *request,
                       const struct cli_config *config)
{
  struct ap_error err = {0};
  struct vt_options options;
  bool with_key = has_key(parts, request, config);
  if (cli_config_proxy_password(config, &parts->proxy_password, &err) != AP_OK)
    return said(CLI_EXIT_USAGE, &err);
  int exit_code = make_web(parts, request, config);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = open_store(parts, request, config);
  if (exit_code == CLI_EXIT_DONE && with_key)
    exit_code = make_http(parts, config);
  if (exit_code != CLI_EXIT_DONE || !with_key)
    return exit_code;
  take_options(parts, config, &options);
  if (vt_client_new(parts->loop, parts->http, parts->store, &options, &parts->client, &err) !=
      AP_OK)
    return said(CLI_EXIT_USAGE, &err);
  return CLI_EXIT_DONE;
}

static int warn_of_settings(struct cli_parts *parts, const struct cli_config *config)
{
  static const char text[] = "TLS certificates are not verified (virustotal.verify_ssl is false): "
                             "whoever is on the way can read the key";
  if (config->virustotal.verify_ssl || parts->sim)
    return CLI_EXIT_DONE;
  ap_log(AP_LOG_CLI, AP_LOG_WARN, "%s", text);
  return case_record_warn_run(parts->record, text) == AP_OK ? CLI_EXIT_DONE : CLI_EXIT_LIMIT;
}

int cli_parts_policy(struct cli_parts *parts, const struct cli_config *config)
{
  struct ap_error err = {0};
  int rc = cli_rules_new(config, &parts->policy, &err);
  return rc == AP_OK ? CLI_EXIT_DONE
                     : said(rc == AP_E_NO_MEMORY ? CLI_EXIT_LIMIT : CLI_EXIT_USAGE, &err);
}

int cli_parts_case(struct cli_parts *parts, const struct run_request *request,
                   const struct cli_config *config)
{
  int exit_code =
      request->id ? open_kept(parts, request, config) : read_entities(parts, request, config);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = cli_parts_policy(parts, config);
  if (exit_code == CLI_EXIT_DONE && request->simulate)
    exit_code = start_simulator(parts, request, config);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = make_client(parts, request, config);
  if (exit_code == CLI_EXIT_DONE && !request->id)
    exit_code = make_record(parts, config->no_state ? cli_temporary_folder() : config->state_dir);
  return exit_code == CLI_EXIT_DONE ? warn_of_settings(parts, config) : exit_code;
}

int cli_parts_client(struct cli_parts *parts, const struct run_request *request,
                     struct cli_config *config)
{
  int exit_code = cli_parts_base(parts, config);
  if (exit_code == CLI_EXIT_DONE && request->simulate)
    exit_code = start_simulator(parts, request, config);
  config->virustotal.tier.premium = true;
  if (exit_code == CLI_EXIT_DONE)
    exit_code = make_client(parts, request, config);
  return exit_code;
}

int cli_parts_report(struct cli_parts *parts, const struct run_request *request,
                     const struct cli_config *config)
{
  int exit_code = open_kept(parts, request, config);
  if (exit_code == CLI_EXIT_DONE && case_record_rebuild(parts->record, parts->restored) != AP_OK)
    return no_memory();
  return exit_code;
}

/* The ledger is nobody's where there is no key. */
int cli_parts_plan(struct cli_parts *parts, const struct run_request *request,
                   const struct cli_config *config)
{
  int exit_code = read_entities(parts, request, config);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = cli_parts_policy(parts, config);
  bool with_key = exit_code == CLI_EXIT_DONE && has_key(parts, request, config);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = open_store(parts, request, config);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = make_record(parts, cli_temporary_folder());
  const struct cli_tier *tier = &config->virustotal.tier;
  parts->plan = (struct script_plan){
      .store = parts->store,
      .lifetimes = cli_lifetimes_of(config),
      .limits = cli_limits_of(config),
      .list = (uint32_t)tier->list,
      .has_key = with_key && !config->no_state,
      .comments = tier->premium ? (enum vt_comments)config->virustotal.comments : VT_COMMENTS_NONE,
  };
  return exit_code;
}

/* ---- freeing ---- */

void cli_parts_free(struct cli_parts *parts)
{
  script_host_free(parts->host);
  vt_client_free(parts->client);
  vt_policy_free(parts->policy);
  net_web_free(parts->web);
  store_free(parts->store);
  net_http_free(parts->http);
  case_record_free(parts->record);
  case_restored_free(parts->restored);
  if (parts->spool)
    store_spool_close(parts->spool);
  casefile_free(parts->cf);
  if (parts->loop)
    net_loop_drain(parts->loop);
  net_loop_free(parts->loop);
  free(parts->secrets);
  ap_secret_free(parts->proxy_password);
  ap_secret_free(parts->key);
  sim_stop(parts->sim);
  ap_value_deinit(&parts->scenario);
}
