// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/nearest.h"

enum { COMMANDS_MAX = 32 };

const struct cli_command cli_commands[] = {
    {"entities", "FILE|-... [--entity TYPE:VALUE]... [--format table|json]",
     "show what would be taken from entities files, as what",
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
     "(hxxp, [.], (at)). Says on standard error what was merged, retyped or not understood.\n"
     "\n"
     "Options:\n"
     "  --entity TYPE:VALUE  add one entity; without TYPE: it is inferred\n"
     "  --format FORMAT      table (default) or json\n",
     cli_entities},
    {"simulate", "[--port N] [--tls [--ca-out FILE]] [--scenario FILE] [--premium] [--no-quota]",
     "answer as the VirusTotal API v2 would, on loopback, without a key",
     "Examples:\n"
     "  apogee simulate\n"
     "  apogee simulate --port 8080 --premium --no-quota\n"
     "  apogee simulate --tls --ca-out ca.pem --scenario outage.lua\n"
     "\n"
     "Prints the base URL and serves until SIGINT or SIGTERM. Any 64 hex characters are a key. "
     "What\n"
     "is not built in (EICAR is) is made up from the indicator, always the same.\n"
     "\n"
     "Options:\n"
     "  --port N            listen on 127.0.0.1:N; 0 (default) is any free port\n"
     "  --tls               HTTPS with a certificate made at start\n"
     "  --ca-out FILE       write the certificate to trust there\n"
     "  --scenario FILE     a Lua table of answers and faults to give instead\n"
     "  --premium           keys may rescan and read comments; lists of 25\n"
     "  --no-quota          without it: 4 a minute, 500 a day, 15,500 a month\n"
     "  --request-log FILE  a JSON line per request, without keys\n",
     cli_simulate},
    {0},
};

static const struct cli_command *find_command(const char *name)
{
  for (const struct cli_command *command = cli_commands; command->name; command++)
    if (strcmp(command->name, name) == 0)
      return command;
  return NULL;
}

static int print_help(FILE *to)
{
  (void)fputs("Apogee asks VirusTotal about indicators, by rules written in Lua.\n\n"
              "Usage: apogee COMMAND [OPTION]...\n\n",
              to);
  for (const struct cli_command *command = cli_commands; command->name; command++)
    (void)fprintf(to, "  %-10s %s\n", command->name, command->summary);
  (void)fputs("\napogee COMMAND --help explains a command; apogee --version says which this is.\n",
              to);
  return CLI_EXIT_DONE;
}

static int print_command_help(const struct cli_command *command)
{
  (void)printf("Usage: apogee %s %s\n\n%s", command->name, command->synopsis, command->help);
  return CLI_EXIT_DONE;
}

static int unknown_command(const char *name)
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

static int flush_output(int exit_code)
{
  if (fflush(stdout) == 0 && !ferror(stdout))
    return exit_code;
  ap_log(AP_LOG_CLI, AP_LOG_ERROR, "standard output could not be written");
  return CLI_EXIT_NOT_WRITTEN;
}

int cli_run(int argc, char **argv)
{
  if (argc < 2) {
    (void)print_help(stderr);
    return CLI_EXIT_USAGE;
  }
  if (strcmp(argv[1], "--version") == 0)
    return flush_output(printf("apogee %s\n", APOGEE_VERSION) < 0 ? CLI_EXIT_NOT_WRITTEN : 0);
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
    return flush_output(print_help(stdout));
  const struct cli_command *command = find_command(argv[1]);
  if (!command)
    return unknown_command(argv[1]);
  for (int i = 2; i < argc; i++)
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
      return flush_output(print_command_help(command));
  return flush_output(command->run(argc - 1, argv + 1));
}
