// SPDX-License-Identifier: Apache-2.0
#include "cli/ask_key.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct termios shown; /* the terminal as it was; signal handlers have no argument */

static void give_back(int signal_number)
{
  (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
  (void)raise(signal_number); /* SA_RESETHAND: this time it ends the process */
}

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { ENDING = sizeof(ending) / sizeof(ending[0]) };

static bool hide_typing(struct sigaction before[ENDING])
{
  struct termios hidden;
  struct sigaction restore = {.sa_handler = give_back, .sa_flags = (int)SA_RESETHAND};
  if (tcgetattr(STDIN_FILENO, &shown) != 0)
    return false;
  hidden = shown;
  hidden.c_lflag &= ~(tcflag_t)ECHO;
  for (int i = 0; i < ENDING; i++)
    (void)sigaction(ending[i], &restore, &before[i]);
  (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  return true;
}

static void show_typing(const struct sigaction before[ENDING])
{
  (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
  for (int i = 0; i < ENDING; i++)
    (void)sigaction(ending[i], &before[i], NULL);
  (void)!write(STDERR_FILENO, "\n", 1);
}

/* A byte at a time: what stands behind the line is not ours. */
static size_t read_line(char *line, size_t size)
{
  size_t len = 0;
  while (len < size) {
    ssize_t got = read(STDIN_FILENO, line + len, 1);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0 || line[len] == '\n')
      break;
    len++;
  }
  return len;
}

static bool is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\r';
}

int cli_ask_secret(const char *name, const char *prompt, struct ap_secret **out,
                   struct ap_error *err)
{
  char line[AP_SECRET_MAX_BYTES + 1]; /* one more: a longer one is refused, not cut */
  struct sigaction before[ENDING];
  const char *start = line;
  bool is_hidden = isatty(STDIN_FILENO) && hide_typing(before);
  if (is_hidden)
    (void)!write(STDERR_FILENO, prompt, strlen(prompt));
  size_t len = read_line(line, sizeof(line));
  if (is_hidden)
    show_typing(before);
  while (len && is_blank(start[len - 1]))
    len--;
  while (len && is_blank(*start)) {
    start++;
    len--;
  }
  int rc = AP_OK;
  for (size_t i = 0; rc == AP_OK && i < len; i++)
    if ((unsigned char)start[i] <= ' ' || (unsigned char)start[i] >= 0x7f)
      rc = ap_fail(err, AP_E_INVALID, "that is no key: it has blanks or letters that no key has");
  if (rc == AP_OK && len == 0)
    rc = ap_fail(err, AP_E_INVALID, "no key was given");
  if (rc == AP_OK)
    rc = ap_secret_new(name, start, len, out, err);
  explicit_bzero(line, sizeof(line));
  return rc;
}
