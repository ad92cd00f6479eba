/* init: a first configuration. Asks for the key, tries it, and writes two files: the configuration,
 * and the key, which only this user can read. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/log.h"
#include "cli/ask_key.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/parts.h"

static const char eicar[] = "44d88612fea8a8f36de82e1278abb02f";
static const char usual_url[] = "https://www.virustotal.com/vtapi/v2";

struct init {
  bool is_forced;
  bool is_untried;
  struct cli_parts parts;
  char folder[PATH_MAX];
  struct ap_buf config_path;
  struct ap_buf key_path;
  int code; /* of the last answer */
  struct ap_buf message;
  bool is_premium;
};

static int take_force(void *into, char *value, struct ap_error *err)
{
  (void)value;
  (void)err;
  ((struct init *)into)->is_forced = true;
  return AP_OK;
}

static int take_untried(void *into, char *value, struct ap_error *err)
{
  (void)value;
  (void)err;
  ((struct init *)into)->is_untried = true;
  return AP_OK;
}

const struct cli_option cli_init_options[] = {
    {.name = "force",
     .doc = "write over a configuration and a key that are there",
     .take = take_force},
    {.name = "no-try", .doc = "write without asking VirusTotal", .take = take_untried},
    {0},
};

static int said(int exit_code, const struct ap_error *err)
{
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err->text);
  return exit_code;
}

/* ---- where ---- */

/* The folder of the configuration as it will be, without a slash behind. */
static bool add_folder(const char *file, struct ap_buf *out)
{
  const char *slash = file ? strrchr(file, '/') : NULL;
  const char *base = getenv("XDG_CONFIG_HOME");
  const char *home = getenv("HOME");
  if (file && !slash)
    ap_buf_add_char(out, '.');
  else if (file)
    ap_buf_add(out, file, slash == file ? 1 : (size_t)(slash - file));
  else if (base && *base == '/')
    ap_buf_add_fmt(out, "%s/apogee", base);
  else if (home && *home == '/')
    ap_buf_add_fmt(out, "%s/.config/apogee", home);
  return out->len > 0;
}

static int refuse_what_is_there(const struct init *init, struct ap_error *err)
{
  const struct ap_buf *paths[] = {&init->config_path, &init->key_path};
  for (size_t i = 0; i < 2 && !init->is_forced; i++)
    if (access(ap_buf_cstr(paths[i]), F_OK) == 0)
      return ap_fail(err, AP_E_INVALID, "%s is there already: --force writes over it",
                     ap_buf_cstr(paths[i]));
  return AP_OK;
}

/* Makes it where it is missing, for this user only, and finds its full path. */
static int make_folder(const char *path, char full[PATH_MAX], struct ap_error *err)
{
  int error = ap_folder_make(path);
  if (!error && !realpath(path, full))
    error = errno;
  return error ? ap_fail(err, AP_E_IO, "%s: %s", path, strerror(error)) : AP_OK;
}

/* @param file  --config or $APOGEE_CONFIG; NULL: the usual place */
static int find_paths(struct init *init, const char *file, bool is_rehearsal, struct ap_error *err)
{
  struct ap_buf folder = {0};
  const char *name = file ? (strrchr(file, '/') ? strrchr(file, '/') + 1 : file) : "config.lua";
  int rc = AP_OK;
  if (!add_folder(file, &folder))
    rc = ap_fail(err, AP_E_INVALID, "there is no folder for the configuration: set HOME");
  else if (!is_rehearsal)
    rc = make_folder(folder.ptr, init->folder, err);
  else
    (void)snprintf(init->folder, sizeof(init->folder), "%s", folder.ptr);
  ap_buf_deinit(&folder);
  if (rc != AP_OK)
    return rc;
  ap_buf_add_fmt(&init->config_path, "%s/%s", init->folder, name);
  ap_buf_add_fmt(&init->key_path, "%s/vt.key", init->folder);
  return refuse_what_is_there(init, err);
}

/* ---- trying ---- */

static void answered(void *arg, const struct vt_answer *answer)
{
  struct init *init = arg;
  init->code = answer->code;
  ap_buf_clear(&init->message);
  ap_buf_add_str(&init->message, answer->message);
  net_loop_stop(init->parts.loop);
}

static void turn(void *arg)
{
  struct init *init = arg;
  vt_client_turn(init->parts.client);
}

/* Asks for one thing and waits. */
static int ask(struct init *init, enum vt_call call)
{
  struct case_cost cost = {0};
  const struct vt_ask_options options = {
      .priority = VT_LOOKUP, .no_cache = true, .stop_on_limit = true, .cost = &cost};
  int rc = vt_ask(init->parts.client, call, eicar, &options, answered, init, NULL);
  if (rc != AP_PENDING)
    return rc;
  net_loop_on_turn(init->parts.loop, turn, init);
  net_loop_run(init->parts.loop);
  return init->code;
}

static bool is_answer(int code)
{
  return code == AP_OK || code == AP_E_NOT_FOUND || code == AP_E_QUEUED || code == AP_E_REJECTED;
}

/* A key without the right to read comments is a public one. */
static void try_comments(struct init *init)
{
  int code = ask(init, VT_COMMENTS);
  init->is_premium = is_answer(code);
  if (init->is_premium)
    (void)puts("Tier: premium: lists of 25, rescans and comments.");
  else if (code == AP_E_FORBIDDEN)
    (void)puts("Tier: public: 4 look-ups a minute, 500 a day; no rescans, no comments, and not for "
               "commercial use. Runs are paced by that.");
  else
    (void)puts("Tier: not known: VirusTotal did not say; \"public\" is written, which is slow but "
               "safe. Change virustotal.tier if the key can do more.");
}

static int try_key(struct init *init)
{
  int code = ask(init, VT_FILE_REPORT);
  const char *why = init->message.len ? ap_buf_cstr(&init->message) : ap_error_text(code);
  if (is_answer(code)) {
    (void)puts("VirusTotal answers, and the key works.");
    try_comments(init);
    return CLI_EXIT_DONE;
  }
  if (code == AP_E_LIMITED) {
    (void)puts("The key works, but its quota is spent: which tier it is of cannot be told, and "
               "\"public\" is written.");
    return CLI_EXIT_DONE;
  }
  bool is_refused = code == AP_E_UNAUTHORIZED || code == AP_E_FORBIDDEN;
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "nothing was written: %s (%s)%s",
         is_refused ? "VirusTotal refused the key" : "the key could not be tried", why,
         is_refused ? "" : "; --no-try writes without trying");
  return CLI_EXIT_FAILED;
}

/* ---- writing ---- */

static void add_quoted(struct ap_buf *out, const char *text)
{
  ap_buf_add_char(out, '"');
  for (; *text; text++) {
    if (*text == '"' || *text == '\\')
      ap_buf_add_char(out, '\\');
    if ((unsigned char)*text < ' ')
      ap_buf_add_fmt(out, "\\%03d", *text);
    else
      ap_buf_add_char(out, *text);
  }
  ap_buf_add_char(out, '"');
}

static void add_config(const struct init *init, const struct cli_config *config, struct ap_buf *out)
{
  struct ap_buf source = {0};
  ap_buf_add_fmt(&source, "file:%s", ap_buf_cstr(&init->key_path));
  ap_buf_add_str(out, "-- Written by apogee init. `apogee show config` prints every setting there "
                      "is.\nreturn {\n  virustotal = {\n    api_key = ");
  add_quoted(out, ap_buf_cstr(&source));
  if (strcmp(config->virustotal.url, usual_url) != 0) {
    ap_buf_add_str(out, ",\n    url = ");
    add_quoted(out, config->virustotal.url);
  }
  ap_buf_add_fmt(out, ",\n    tier = \"%s\",\n  },\n}\n", init->is_premium ? "premium" : "public");
  ap_buf_deinit(&source);
}

/* A file that its owner only can read, whole or not at all. */
static int write_file(const char *path, struct ap_slice text, struct ap_error *err)
{
  struct output *output = NULL;
  int rc = output_open(path, &output, err);
  if (rc != AP_OK)
    return rc;
  output_set_mode(output, 0600);
  rc = output_write(output, text.ptr, text.len);
  if (rc == AP_OK)
    rc = output_commit(output, err);
  else
    rc = output_problem(output, err);
  output_close(output);
  return rc;
}

static int write_files(const struct init *init, const struct cli_config *config,
                       const struct ap_secret *key)
{
  struct ap_error err = {0};
  struct ap_buf text = {0};
  add_config(init, config, &text);
  int rc = write_file(ap_buf_cstr(&init->key_path), ap_secret_bytes(key), &err);
  if (rc == AP_OK)
    rc = write_file(ap_buf_cstr(&init->config_path), ap_slice_of(&text), &err);
  ap_buf_deinit(&text);
  if (rc != AP_OK)
    return said(CLI_EXIT_NOT_WRITTEN, &err);
  (void)printf("Written: %s, and the key to %s, which only you can read.\n",
               ap_buf_cstr(&init->config_path), ap_buf_cstr(&init->key_path));
  (void)puts("Next: apogee run triage --entity url:http://malware.example.com/");
  return CLI_EXIT_DONE;
}

/* ---- the command ---- */

static int obtain_key(struct cli_config *config, struct ap_secret **key)
{
  struct ap_error err = {0};
  if (cli_ask_secret("virustotal.api_key", "VirusTotal API key (not shown): ", key, &err) != AP_OK)
    return said(CLI_EXIT_USAGE, &err);
  struct ap_slice bytes = ap_secret_bytes(*key);
  ap_secret_free(config->virustotal.api_key.bare);
  config->virustotal.api_key.bare = NULL;
  if (ap_secret_new("virustotal.api_key", bytes.ptr, bytes.len, &config->virustotal.api_key.bare,
                    &err) != AP_OK)
    return said(CLI_EXIT_LIMIT, &err);
  return CLI_EXIT_DONE;
}

static int set_up(struct init *init, const struct cli_args *args, struct cli_config *config)
{
  struct ap_error err = {0};
  struct ap_secret *key = NULL;
  const char *file = args->config ? args->config : getenv("APOGEE_CONFIG");
  const struct run_request request = {.script = {.command = "init"},
                                      .simulate = args->simulate,
                                      .scenario = args->scenario,
                                      .request_log = args->request_log};
  config->no_state = config->no_state || !config->state_dir;
  init->is_premium = config->virustotal.tier.premium;
  if (find_paths(init, file && *file ? file : NULL, args->simulate, &err) != AP_OK)
    return said(CLI_EXIT_USAGE, &err);
  int exit_code = args->simulate ? CLI_EXIT_DONE : obtain_key(config, &key);
  if (exit_code == CLI_EXIT_DONE && !init->is_untried)
    exit_code = cli_parts_client(&init->parts, &request, config);
  if (exit_code == CLI_EXIT_DONE && !init->is_untried)
    exit_code = try_key(init);
  if (exit_code == CLI_EXIT_DONE && args->simulate)
    (void)printf("A rehearsal: nothing was written. Without --simulate it would be %s and %s.\n",
                 ap_buf_cstr(&init->config_path), ap_buf_cstr(&init->key_path));
  else if (exit_code == CLI_EXIT_DONE)
    exit_code = write_files(init, config, key);
  ap_secret_free(key);
  return exit_code;
}

int cli_init(const struct cli_command *command, int argc, char **argv)
{
  struct init init = {0};
  struct cli_args args = {.own = &init};
  struct cli_config config;
  struct ap_error err = {0};
  int exit_code = CLI_EXIT_DONE;
  if (cli_config_init(&config, &err) != AP_OK)
    exit_code = said(CLI_EXIT_LIMIT, &err);
  else if (cli_options_parse(command, argc, argv, &args, &config, &err) != AP_OK)
    exit_code = cli_wrong_usage(command->name, "%s", err.text);
  else if (args.operands.count)
    /* It may be the key: it is not repeated. */
    exit_code = cli_wrong_usage(command->name, "there is a word too many: the key is asked for");
  else if (cli_config_environment(&config, &err) != AP_OK)
    exit_code = said(CLI_EXIT_USAGE, &err);
  if (exit_code == CLI_EXIT_DONE)
    exit_code = set_up(&init, &args, &config);
  cli_parts_free(&init.parts);
  ap_buf_deinit(&init.config_path);
  ap_buf_deinit(&init.key_path);
  ap_buf_deinit(&init.message);
  cli_args_deinit(&args);
  cli_config_deinit(&config);
  return exit_code;
}
