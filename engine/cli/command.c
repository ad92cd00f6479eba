// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/nearest.h"
#include "cli/help.h"

enum { COMMANDS_MAX = 32 };

enum {
  OFFLINE = CLI_GROUP_CONFIG | CLI_GROUP_LOG,
  ONLINE = OFFLINE | CLI_GROUP_SETTINGS | CLI_GROUP_RESULT | CLI_GROUP_RUN | CLI_GROUP_SIMULATE
};

const struct cli_command cli_commands[] = {
    {.name = "run",
     .synopsis = "PLAYBOOK [--entities FILE|-]... [--entity TYPE:VALUE]... [--param NAME=VALUE]...",
     .summary = "run a playbook on entities",
     .help = "Examples:\n"
             "  apogee run triage --entities indicators.txt\n"
             "  apogee run triage --simulate --entity url:http://malware.example.com/\n"
             "  apogee run ./mine.lua --entities - --threshold 5 --only urls <feed.csv\n"
             "  apogee run triage --entities feed.csv --format json --output result.json \\\n"
             "    --deadline 10m --fail-on-risky\n"
             "\n"
             "PLAYBOOK is a packaged playbook's name or a file. `apogee run PLAYBOOK --help` says "
             "what\n"
             "it does and which parameters it takes: each is an option too. The result goes to "
             "standard\n"
             "output, whatever else there is to say to standard error.\n",
     .has_exit_codes = true,
     .groups = ONLINE | CLI_GROUP_ENTITIES | CLI_GROUP_PARAMS | CLI_GROUP_STEPS | CLI_GROUP_CRON |
               CLI_GROUP_COMPARE,
     .own = cli_run_options,
     .run = cli_script},
    {.name = "action",
     .synopsis = "NAME [--entities FILE|-]... [--entity TYPE:VALUE]... [--param NAME=VALUE]...",
     .summary = "run one action on entities",
     .help =
         "Examples:\n"
         "  apogee action scan_hash --threshold 5 --entities hashes.txt\n"
         "  apogee action scan_url --threshold 3 --entity url:http://example.com/\n"
         "  apogee action scan_hash --threshold 5 --simulate --format json \\\n"
         "    --entity filehash:44d88612fea8a8f36de82e1278abb02f\n"
         "\n"
         "`apogee list` shows the actions, `apogee action NAME --help` what one takes: each of "
         "its\n"
         "parameters is an option, and --param NAME=VALUE gives any. Entities of types that the\n"
         "action does not accept are left out.\n",
     .has_exit_codes = true,
     .groups = ONLINE | CLI_GROUP_ENTITIES | CLI_GROUP_PARAMS | CLI_GROUP_CRON | CLI_GROUP_COMPARE,
     .run = cli_script},
    {.name = "plan",
     .synopsis = "PLAYBOOK|ACTION [--entities FILE|-]... [--entity TYPE:VALUE]... "
                 "[--param NAME=VALUE]...",
     .summary = "say what a run would ask, send and cost, sending nothing",
     .help =
         "Examples:\n"
         "  apogee plan triage --entities indicators.txt\n"
         "  apogee plan scan_hash --threshold 5 --entities hashes.txt --format json\n"
         "\n"
         "Takes what run and action take. Counts by step: what is in the cache, requests, quota,\n"
         "submissions that would become public, and what is skipped and why; then how long that\n"
         "takes at this key's rate, and whether the day's quota is enough. Where the cost depends\n"
         "on an answer, the least and the most are said. Needs no key; with one it knows what is\n"
         "left of the quota.\n",
     .groups =
         OFFLINE | CLI_GROUP_SETTINGS | CLI_GROUP_ENTITIES | CLI_GROUP_PARAMS | CLI_GROUP_STEPS,
     .own = cli_plan_options,
     .run = cli_plan},
    {.name = "resume",
     .synopsis = "[RUN|last]",
     .summary = "go on with a run that was cut off or left scans pending",
     .help = "Examples:\n"
             "  apogee resume\n"
             "  apogee resume 20261124T041152Z-3f2a --deadline 10m --output result.json\n"
             "\n"
             "RUN is an id of `apogee runs`; without one it is the last. What is found is not "
             "asked again,\n"
             "pending scans are waited for, the rest is done; what failed, was limited or "
             "forbidden is tried\n"
             "again. The result is that of the whole run.\n",
     .has_exit_codes = true,
     .groups = OFFLINE | CLI_GROUP_SETTINGS | CLI_GROUP_RESULT | CLI_GROUP_PARAMS | CLI_GROUP_CRON,
     .run = cli_resume},
    {.name = "runs",
     .synopsis = "[--format table|json]",
     .summary = "list the runs that are kept",
     .help = "Examples:\n"
             "  apogee runs\n"
             "  apogee runs --format json\n"
             "\n"
             "A run is kept for keep.runs (30 days), all of them within keep.max. STATE is how "
             "it ended,\n"
             "under_way, or cut_off: `apogee resume` goes on with that.\n",
     .groups = OFFLINE | CLI_GROUP_SETTINGS,
     .own = cli_runs_options,
     .run = cli_runs},
    {.name = "report",
     .synopsis = "[RUN|last] [--format json|ndjson|csv|markdown|html|table]",
     .summary = "show the result of a run that is kept",
     .help = "Examples:\n"
             "  apogee report\n"
             "  apogee report 20261124T041152Z-3f2a --format json\n"
             "\n"
             "Sends nothing and needs no key. A run that was cut off is shown as far as it came.\n",
     .groups = OFFLINE | CLI_GROUP_SETTINGS | CLI_GROUP_RESULT,
     .run = cli_resume},
    {.name = "list",
     .synopsis = "[--actions-path DIR:...] [--format table|json]",
     .summary = "list the actions, playbooks and packs there are",
     .help = "Examples:\n"
             "  apogee list\n"
             "  apogee list --actions-path ./actions\n"
             "  apogee list --format json | jq -r '.actions[] | [.id, .from] | @tsv'\n"
             "\n"
             "Says where each comes from. A folder of actions_path is a pack when it has a "
             "pack.lua.\n"
             "Needs no key and sends nothing.\n",
     .groups = OFFLINE,
     .own = cli_list_options,
     .run = cli_list},
    {.name = "show",
     .synopsis = "NAME|FILE|config",
     .summary = "explain an action or a playbook, or show the configuration",
     .help =
         "Examples:\n"
         "  apogee show scan_hash\n"
         "  apogee show triage\n"
         "  apogee show config\n"
         "\n"
         "`show config` prints every setting, its value and where it came from; of secrets, where\n"
         "they are kept. Needs no key and sends nothing.\n",
     .groups = OFFLINE | CLI_GROUP_SETTINGS,
     .run = cli_show},
    {.name = "check",
     .synopsis = "FILE...",
     .summary = "check files of actions, playbooks and packs",
     .help = "Examples:\n"
             "  apogee check my_action.lua\n"
             "  apogee check actions/*.lua playbooks/*.lua\n"
             "  apogee check abuse\n"
             "\n"
             "Reads them without running them; of a folder its pack.lua and all that is in it. A\n"
             "warning is what may be meant so. Exits with 0 when there are no problems, else with "
             "2.\n"
             "Needs no key and sends nothing.\n",
     .groups = OFFLINE,
     .run = cli_check},
    {.name = "new",
     .synopsis = "action|playbook NAME [--http HOST]",
     .summary = "write the first files of an action or a playbook",
     .help = "Examples:\n"
             "  apogee new action abuse_score\n"
             "  apogee new action greynoise_ip --http api.greynoise.io\n"
             "  apogee new playbook playbooks/nightly\n"
             "\n"
             "Makes a folder NAME with an action or a playbook that works, its spec and a README.\n"
             "What is there already is never written over. Needs no key and sends nothing.\n",
     .groups = CLI_GROUP_LOG,
     .own = cli_new_options,
     .run = cli_new},
    {.name = "test",
     .synopsis = "[DIR|FILE]... [--filter TEXT] [--format text|tap|junit] [--record]",
     .summary = "run the specs of actions and playbooks",
     .help =
         "Examples:\n"
         "  apogee test\n"
         "  apogee test actions/abuse_score --filter \"many reports\"\n"
         "  apogee test --record actions/abuse_score\n"
         "\n"
         "Runs every *_spec.lua below DIR (default: this folder) with busted, the Debian package\n"
         "lua-busted. A spec is a program that may do what you may: read a stranger's before you\n"
         "run it. Its action is run by the engine, in the sandbox, against the simulator and\n"
         "answers that the spec gives, and sends nothing; with --record it asks real services,\n"
         "with your secrets. docs/testing.md says how. Exits with 0 when all succeed, 1 when some\n"
         "fail, 2 when none ran. Needs no key.\n",
     .groups = CLI_GROUP_LOG,
     .own = cli_test_options,
     .run = cli_test},
    {.name = "ping",
     .synopsis = "[--simulate]",
     .summary = "see whether VirusTotal can be reached with this key",
     .help = "Examples:\n"
             "  apogee ping\n"
             "  APOGEE_VT_API_KEY=... apogee ping --timeout 5s\n"
             "\n"
             "Asks for one report, which costs one look-up, and says what to do when that fails.\n",
     .has_exit_codes = true,
     .groups = ONLINE,
     .run = cli_script},
    {.name = "entities",
     .synopsis = "FILE|-... [--entity TYPE:VALUE]... [--format table|json]",
     .summary = "show what would be taken from entities files, as what",
     .help =
         "Examples:\n"
         "  apogee entities indicators.txt\n"
         "  apogee entities --format json case.json feed.csv\n"
         "  journalctl -u mail | apogee entities -\n"
         "  apogee entities --entity 'hash:44d88612fea8a8f36de82e1278abb02f'\n"
         "\n"
         "Reads plain text (one indicator a line, # begins a comment), CSV with a header, JSON, "
         "NDJSON\n"
         "and SecOps-like cases, told apart by content; - is standard input. Indicators may be "
         "defanged\n"
         "(hxxp, [.], (at)). Says on standard error what was merged, retyped or skipped, with "
         "its line.\n"
         "At most limits.entities of the configuration are taken (1,000,000).\n",
     .groups = CLI_GROUP_CONFIG | CLI_GROUP_ENTITIES | CLI_GROUP_LOG,
     .own = cli_entities_options,
     .run = cli_entities},
    {.name = "quota",
     .synopsis = "[--format table|json]",
     .summary = "show what is left of the key's quota, and who spent it",
     .help =
         "Examples:\n"
         "  apogee quota\n"
         "  apogee quota --format json | jq .day.left\n"
         "\n"
         "By minute, day (UTC) and month: used, left, and when it returns; who spent it today\n"
         "and this month; and the submissions that are open. Asks the ledger in the state\n"
         "folder, which all runs of this user share; sends nothing, but needs the key, for the\n"
         "ledger is the key's.\n",
     .groups = OFFLINE | CLI_GROUP_SETTINGS,
     .own = cli_quota_options,
     .run = cli_quota},
    {.name = "cache",
     .synopsis = "[INDICATOR...] [--list] [--purge [--older-than DURATION]]",
     .summary = "list, explain or purge the reports that are kept",
     .help =
         "Examples:\n"
         "  apogee cache\n"
         "  apogee cache --list\n"
         "  apogee cache 44d88612fea8a8f36de82e1278abb02f http://example.com/\n"
         "  apogee cache --purge --older-than 7d\n"
         "  apogee cache --purge 44d88612fea8a8f36de82e1278abb02f\n"
         "\n"
         "Without more it says how much is kept. Of an INDICATOR (a hash, URL, host name, "
         "address;\n"
         "also TYPE:VALUE) it says what is known, under which hashes, since when, and how long it\n"
         "is good (cache.report, cache.not_found, --max-age). --purge removes what is named, or\n"
         "all, as far as it is older than --older-than. Needs no key and sends nothing.\n",
     .groups = OFFLINE | CLI_GROUP_SETTINGS,
     .own = cli_cache_options,
     .run = cli_cache},
    {.name = "doctor",
     .synopsis = "[--offline] [--format table|json]",
     .summary =
         "see what protects this process, and whether files and the key are as they should be",
     .help = "Examples:\n"
             "  apogee doctor\n"
             "  apogee doctor --offline --format json\n"
             "\n"
             "Looks at the process, the libraries (with those below a safe version), the\n"
             "configuration, the key's file, the state folder and the settings, and asks\n"
             "VirusTotal once whether the key works. Exits with 1 when something is to be\n"
             "mended.\n",
     .groups = OFFLINE | CLI_GROUP_SETTINGS,
     .own = cli_doctor_options,
     .run = cli_doctor},
    {.name = "simulate",
     .synopsis = "[--port N] [--tls [--ca-out FILE]] [--scenario FILE] [--premium] [--no-quota]",
     .summary = "answer as the VirusTotal API v2 would, on loopback, without a key",
     .help = "Examples:\n"
             "  apogee simulate\n"
             "  apogee simulate --port 8080 --premium --no-quota\n"
             "  apogee simulate --tls --ca-out ca.pem --scenario outage.lua\n"
             "\n"
             "Prints the base URL and serves until SIGINT or SIGTERM. Any 64 hex characters are a "
             "key. What\n"
             "is not built in (EICAR is) is made up from the indicator, always the same.\n",
     .groups = CLI_GROUP_LOG,
     .own = cli_simulate_options,
     .run = cli_simulate},
    {.name = "init",
     .synopsis = "[--force]",
     .summary = "write a first configuration, with your key",
     .help =
         "Examples:\n"
         "  apogee init\n"
         "  apogee init --simulate\n"
         "  pass show virustotal | apogee init --config /etc/apogee/config.lua --force\n"
         "\n"
         "Asks for the key without showing it (or reads a line of standard input), tries it, says\n"
         "which tier it is of, and writes $XDG_CONFIG_HOME/apogee/config.lua and vt.key beside "
         "it,\n"
         "which only you can read. Costs two look-ups. With --simulate nothing is written.\n",
     .groups = OFFLINE | CLI_GROUP_SETTINGS | CLI_GROUP_SIMULATE,
     .own = cli_init_options,
     .run = cli_init},
    {.name = "completion",
     .synopsis = "bash",
     .summary = "print what completes words of apogee in a shell",
     .help = "Examples:\n"
             "  source <(apogee completion bash)\n"
             "  mkdir -p ~/.local/share/bash-completion/completions\n"
             "  apogee completion bash >~/.local/share/bash-completion/completions/apogee\n"
             "\n"
             "Completes commands, options and their values, actions, playbooks, the options of "
             "their\n"
             "parameters, and runs. An installation has it in place already.\n",
     .run = cli_completion},
    {.name = "help",
     .synopsis = "[COMMAND]",
     .summary = "explain a command",
     .help = "Examples:\n"
             "  apogee help\n"
             "  apogee help run\n"
             "  apogee action scan_hash --help\n",
     .run = cli_help_command},
    {0},
};

const struct cli_command *cli_find_command(const char *name)
{
  for (const struct cli_command *command = cli_commands; command->name; command++)
    if (strcmp(command->name, name) == 0)
      return command;
  return NULL;
}

int cli_unknown_command(const char *name)
{
  const char *names[COMMANDS_MAX];
  size_t count = 0;
  for (const struct cli_command *command = cli_commands; command->name; command++)
    names[count++] = command->name;
  const char *near = ap_nearest(name, names, count);
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "unknown command \"%s\"%s%s%s; see apogee --help", name,
         near ? ": did you mean \"" : "", near ? near : "", near ? "\"?" : "");
  return CLI_EXIT_USAGE;
}

int cli_wrong_usage(const char *command, const char *fmt, ...)
{
  char text[512];
  va_list args;
  va_start(args, fmt);
  (void)vsnprintf(text, sizeof(text), fmt, args);
  va_end(args);
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s; see apogee %s --help", text, command);
  return CLI_EXIT_USAGE;
}

int cli_prepare(const struct cli_command *command, int argc, char **argv, struct cli_args *args,
                struct cli_config *config)
{
  struct ap_error err = {0};
  if (cli_config_init(config, &err) != AP_OK) {
    ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err.text);
    return CLI_EXIT_LIMIT;
  }
  int rc = cli_options_parse(command, argc, argv, args, config, &err);
  if (rc != AP_OK && rc != AP_E_NO_MEMORY)
    return cli_wrong_usage(command->name, "%s", err.text);
  if (rc == AP_OK)
    rc = cli_config_load(config, args->config, &err);
  if (rc == AP_OK)
    return CLI_EXIT_DONE;
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "%s", err.text);
  return rc == AP_E_NO_MEMORY ? CLI_EXIT_LIMIT : CLI_EXIT_USAGE;
}

static int flush_output(int exit_code)
{
  if (fflush(stdout) == 0 && !ferror(stdout))
    return exit_code;
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "standard output could not be written");
  return CLI_EXIT_NOT_WRITTEN;
}

/* Of a help text: who has read enough of it, as head has, has what was asked for. */
static int flush_help(int exit_code)
{
  struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
  bool is_failed = fflush(stdout) != 0 || ferror(stdout);
  if (is_failed && poll(&out, 1, 0) == 1 && (out.revents & POLLERR))
    return exit_code;
  return flush_output(exit_code);
}

/* What is no command. -1: it is one. */
static int answer(int argc, char **argv)
{
  if (argc < 2) {
    cli_help(stderr);
    return CLI_EXIT_USAGE;
  }
  if (strcmp(argv[1], "--version") == 0) {
    (void)printf("apogee %s\n", APOGEE_VERSION);
    return CLI_EXIT_DONE;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
    cli_help(stdout);
    return CLI_EXIT_DONE;
  }
  if (strcmp(argv[1], "--explain-exit") == 0)
    return cli_explain_exit(argv[2]);
  return -1;
}

int cli_run(int argc, char **argv)
{
  int exit_code = answer(argc, argv);
  if (exit_code >= 0)
    return flush_help(exit_code);
  const struct cli_command *command = cli_find_command(argv[1]);
  if (!command)
    return cli_unknown_command(argv[1]);
  for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
      return flush_help(cli_help_asked(command, argc - 1, argv + 1));
  exit_code = command->run(command, argc - 1, argv + 1);
  return command->run == cli_help_command ? flush_help(exit_code) : flush_output(exit_code);
}
