/* The scripted SSH server of the unit tests as a program, for end-to-end tests of a login that an
 * ordinary user's sshd does not do: by password. Every path is a file of 1,000,000 zero bytes.
 *
 *   ssh_peer HOST_KEY
 *
 * Prints the port of loopback where it waits for its only connection. */
// SPDX-License-Identifier: Apache-2.0
#include "../unit/sftp_peer.h"

int main(int argc, char **argv)
{
  const struct peer_plan plan = {.methods = SSH_AUTH_METHOD_PASSWORD};
  unsigned port = 0;
  if (argc != 2) {
    (void)fputs("usage: ssh_peer HOST_KEY\n", stderr);
    return 2;
  }
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  int listener = listen_on_loopback(&port);
  (void)printf("%u\n", port);
  (void)fflush(stdout);
  peer_run(listener, argv[1], &plan);
  return 0;
}
