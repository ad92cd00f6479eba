/* known_hosts as OpenSSH writes and reads it: which keys a host may show.
 *
 * Names plain, hashed (|1|), with wildcards and negation, [host]:port; several keys of a host;
 * @revoked. A line of a @cert-authority is counted, not used: libssh2 cannot check certificates. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>

#include "base/buf.h"

enum net_ssh_verdict {
  NET_SSH_UNKNOWN, /* no key for this host */
  NET_SSH_MATCH,
  NET_SSH_CHANGED, /* other keys for this host, not this one */
  NET_SSH_REVOKED
};

/* A line that is about our host. */
struct net_ssh_host_line {
  const char *file; /* borrowed from net_ssh_hosts_add */
  unsigned number;
  bool is_revoked;
  bool is_exact; /* names the port too, where it is not 22 */
  char type[64];
  char *blob;
  size_t blob_len;
};

enum { NET_SSH_HOST_LINES_MAX = 128 };

/* Zeroed with a name and a port: no lines yet. */
struct net_ssh_hosts {
  const char *host; /* in lower case, without brackets; borrowed */
  unsigned port;
  struct net_ssh_host_line lines[NET_SSH_HOST_LINES_MAX];
  size_t count;
  unsigned authorities; /* @cert-authority lines about our host */
  unsigned bad;         /* lines that cannot be read, and the first of them in the last file */
  unsigned first_bad;
};

/* Takes the lines of one file that are about the host. */
int net_ssh_hosts_add(struct net_ssh_hosts *hosts, const char *file,
                      struct ap_slice text) AP_MUST_USE;
void net_ssh_hosts_deinit(struct net_ssh_hosts *hosts);

/* @param line  the line that decided: of the key itself, or for CHANGED one of the others, best of
 *              the same type; NULL for UNKNOWN */
enum net_ssh_verdict net_ssh_hosts_check(const struct net_ssh_hosts *hosts, struct ap_slice blob,
                                         const struct net_ssh_host_line **line);

/* True when a key of that type is known for the host. */
bool net_ssh_hosts_has_type(const struct net_ssh_hosts *hosts, const char *type);

/* "ssh-ed25519", out of a public key; "?" when it has none that can be printed. */
void net_ssh_blob_type(struct ap_slice blob, char out[64]);

/* "SHA256:" and 43 characters, as ssh-keygen -l prints it. */
#define NET_SSH_FINGERPRINT_TEXT 64
void net_ssh_fingerprint(struct ap_slice blob, char out[NET_SSH_FINGERPRINT_TEXT]);

/* Decodes base64, padded or not; false when it is not base64 or longer than max. */
bool net_ssh_base64(const char *text, size_t len, unsigned char *out, size_t max, size_t *out_len);
