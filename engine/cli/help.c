// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/nearest.h"
#include "cli/command.h"
#include "cli/print.h"

/* ---- exit codes ---- */

struct exit_row {
  int code;
  const char *meaning;
  const char *advice;
};

static const struct exit_row exit_rows[] = {
    {CLI_EXIT_DONE, "everything was done", "Nothing."},
    {CLI_EXIT_PART,
     "done in part: some entities failed, were limited, forbidden, denied or not asked, or were "
     "not rescanned as wished",
     "Read the reasons: `apogee report`. `apogee resume` asks again for what has no answer. "
     "limited: `apogee quota` says when VirusTotal's quota returns. not_asked: give a longer "
     "--deadline."},
    {CLI_EXIT_USAGE,
     "nothing was sent: wrong usage, configuration, playbook, action or entities file",
     "Standard error says what is wrong and where. `apogee COMMAND --help`, `apogee check FILE` "
     "and `apogee show config` help."},
    {CLI_EXIT_FAILED, "failed: the key was refused, or VirusTotal never answered",
     "`apogee ping` tells the two apart. Key: see `apogee show config` for where it comes from, "
     "and `apogee init --force` for a new one. Network: see --proxy, --ca-file and --timeout."},
    {CLI_EXIT_PENDING, "scans are still pending",
     "`apogee resume` goes on, a few minutes later; nothing is sent twice."},
    {CLI_EXIT_LOCKED, "another run holds the lock",
     "Wait for it, or look at the process that standard error names. The lock goes with it."},
    {CLI_EXIT_LIMIT, "a limit ended the process: script watchdog, memory cap, out of memory",
     "`apogee resume` goes on without the entity that did it. See limits in `apogee show config`."},
    {CLI_EXIT_NOT_WRITTEN, "the result, the state or the metrics could not be written",
     "Make room, or name another place: --output, --state-dir, --metrics. What was found is kept "
     "where the state could be written: `apogee report`."},
    {CLI_EXIT_RISKY, "with --fail-on-risky: something is risky, and everything was done",
     "Look at what is risky: `apogee report`."},
    {CLI_EXIT_RISKY_PART, "the same, and it was done in part", "As 10, and as 1."},
    {CLI_EXIT_RISKY_PENDING, "the same, and scans are pending", "As 10, and as 4."},
};

enum { EXIT_ROWS = sizeof(exit_rows) / sizeof(exit_rows[0]), EXIT_INDENT = 6 };

static void print_exit_codes(FILE *to)
{
  (void)fputs("\nExit codes (`apogee --explain-exit` says what to do):\n", to);
  for (size_t i = 0; i < EXIT_ROWS; i++) {
    (void)fprintf(to, "  %-4d", exit_rows[i].code);
    cli_print_words(to, exit_rows[i].meaning, EXIT_INDENT);
  }
}

static void explain(const struct exit_row *row)
{
  (void)printf("%-4d", row->code);
  cli_print_words(stdout, row->meaning, 4);
  (void)printf("    ");
  cli_print_words(stdout, row->advice, 4);
}

int cli_explain_exit(const char *code)
{
  char *end = NULL;
  const long wanted = code ? strtol(code, &end, 10) : -1;
  bool is_found = false;
  for (size_t i = 0; i < EXIT_ROWS; i++) {
    if (code && (exit_rows[i].code != wanted || end == code || *end))
      continue;
    if (is_found)
      (void)putchar('\n');
    explain(&exit_rows[i]);
    is_found = true;
  }
  if (is_found)
    return CLI_EXIT_DONE;
  ap_log(AP_LOG_CLI, AP_LOG_ERROR,
         "\"%.20s\" is no exit code of apogee: they are 0 to 7, 10, 11 and 12; a number above 128 "
         "is 128 and the signal that ended it",
         code);
  return CLI_EXIT_USAGE;
}

/* ---- commands ---- */

void cli_help(FILE *to)
{
  (void)fputs("Apogee asks VirusTotal about indicators, by rules written in Lua.\n\n"
              "Usage: apogee COMMAND [OPTION]...\n\n"
              "Examples:\n"
              "  apogee run triage --simulate --entity url:http://malware.example.com/\n"
              "  apogee init\n"
              "  apogee run triage --entities indicators.txt\n"
              "  apogee action scan_hash --threshold 5 --entities hashes.txt\n"
              "  apogee report --format html --output report.html\n\n"
              "The first needs no key and no network; init asks for your key and writes a\n"
              "configuration; then you are set up.\n\n"
              "Commands:\n",
              to);
  for (const struct cli_command *command = cli_commands; command->name; command++)
    (void)fprintf(to, "  %-10s %s\n", command->name, command->summary);
  (void)fputs("\n`apogee help COMMAND` explains one, `apogee action NAME --help` an action;\n"
              "apogee --explain-exit says what an exit code means, apogee --version which this "
              "is.\n",
              to);
}

static int help_of(const struct cli_command *command)
{
  (void)printf("Usage: apogee %s %s\n\n%s", command->name, command->synopsis, command->help);
  cli_options_help(command, stdout);
  if (command->has_exit_codes)
    print_exit_codes(stdout);
  return CLI_EXIT_DONE;
}

static bool is_help(const char *word)
{
  return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int cli_help_asked(const struct cli_command *command, int argc, char **argv)
{
  const unsigned runs = CLI_GROUP_PARAMS | CLI_GROUP_ENTITIES;
  int kept = 0;
  for (int i = 0; i < argc; i++)
    if (!is_help(argv[i]))
      argv[kept++] = argv[i];
  argv[kept] = NULL;
  if ((command->groups & runs) == runs && kept > 1 && *argv[1] != '-')
    return cli_help_of(command, kept, argv);
  return help_of(command);
}

int cli_help_command(const struct cli_command *command, int argc, char **argv)
{
  if (argc > 2)
    return cli_wrong_usage(command->name, "\"%.80s\" is one too many", argv[2]);
  if (argc < 2) {
    cli_help(stdout);
    return CLI_EXIT_DONE;
  }
  const struct cli_command *of = cli_find_command(argv[1]);
  return of ? help_of(of) : cli_unknown_command(argv[1]);
}
