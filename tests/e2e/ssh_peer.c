/* The scripted SSH server of the unit tests as a program, for end-to-end tests of a login that an
 * ordinary user's sshd does not do: by password. Every path is a file of 1,000,000 zero bytes.
 *
 *   ssh_peer HOST_KEY [PROGRAM [ARGUMENT]...]
 *
 * Prints the port of loopback where it waits for its only connection. With a program it takes any
 * number of them, and the program's standard input and output are the subsystem of each. */
// SPDX-License-Identifier: Apache-2.0
#include <poll.h>

#include "../unit/sftp_peer.h"

static char *const *program;

/* Gives the program's ends to it: what it reads and what it writes. */
static pid_t start_program(int *to, int *from)
{
  int in[2];
  int out[2];
  if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
    return -1;
  pid_t pid = fork();
  if (pid == 0) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(in[0], 0);
    (void)dup2(out[1], 1);
    (void)execvp(program[0], program);
    _exit(127);
  }
  (void)close(in[0]);
  (void)close(out[1]);
  *to = in[1];
  *from = out[0];
  return pid;
}

/* From the client to the program; false: either has gone. */
static bool pass_in(ssh_channel channel, int to)
{
  char data[32768];
  int len;
  while ((len = ssh_channel_read_nonblocking(channel, data, sizeof(data), 0)) > 0)
    if (write(to, data, (size_t)len) != len)
      return false;
  return len == 0 && !ssh_channel_is_eof(channel) && ssh_channel_is_open(channel);
}

static bool pass_out(ssh_channel channel, int from)
{
  char data[32768];
  ssize_t len = read(from, data, sizeof(data));
  return len > 0 && ssh_channel_write(channel, data, (uint32_t)len) == len;
}

static void serve_program(ssh_session session, struct peer *peer)
{
  int to;
  int from;
  pid_t pid = start_program(&to, &from);
  while (pid > 0 && pass_in(peer->channel, to)) {
    struct pollfd waits[] = {{.fd = from, .events = POLLIN},
                             {.fd = ssh_get_fd(session), .events = POLLIN}};
    if (poll(waits, COUNT_OF(waits), -1) < 0 ||
        (waits[0].revents && !pass_out(peer->channel, from)))
      break;
  }
  peer_stop(pid);
  (void)ssh_channel_close(peer->channel);
  ssh_disconnect(session);
}

static void serve_all(int listener, const char *host_key, const struct peer_plan *plan)
{
  (void)signal(SIGCHLD, SIG_IGN);
  for (;;) {
    int connection = accept(listener, NULL, NULL);
    if (connection >= 0 && fork() == 0) {
      (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
      (void)signal(SIGCHLD, SIG_DFL);
      peer_run(connection, host_key, plan);
      _exit(0);
    }
    (void)close(connection);
  }
}

int main(int argc, char **argv)
{
  struct peer_plan plan = {.methods = SSH_AUTH_METHOD_PASSWORD};
  unsigned port = 0;
  if (argc < 2) {
    (void)fputs("usage: ssh_peer HOST_KEY [PROGRAM [ARGUMENT]...]\n", stderr);
    return 2;
  }
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  (void)signal(SIGPIPE, SIG_IGN);
  int listener = listen_on_loopback(&port);
  (void)printf("%u\n", port);
  (void)fflush(stdout);
  program = argv + 2;
  plan.serve = *program ? serve_program : NULL;
  if (*program)
    serve_all(listener, argv[1], &plan);
  peer_run(accept(listener, NULL, NULL), argv[1], &plan);
  return 0;
}
