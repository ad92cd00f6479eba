/* known_hosts, for one host, and the public key that it shows. The first line is that key, raw. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "fuzz.h"
#include "net/ssh_hosts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = fuzz_input(data, size);
  struct ap_slice token = fuzz_line(&input);
  struct ap_slice text = {input.at, input.left};
  unsigned char blob[256];
  char type[64];
  char fingerprint[NET_SSH_FINGERPRINT_TEXT];
  size_t len = 0;
  const struct net_ssh_host_line *line = NULL;
  struct net_ssh_hosts *hosts = calloc(1, sizeof(*hosts));
  ap_require(hosts);
  if (!net_ssh_base64(token.ptr, token.len, blob, sizeof(blob), &len))
    len = 0;
  ap_require(len <= sizeof(blob));
  const struct ap_slice key = {(const char *)blob, len};
  hosts->host = "host.example";
  hosts->port = 2222;
  ap_require(net_ssh_hosts_add(hosts, "FILE", text) == AP_OK);
  ap_require(hosts->count <= NET_SSH_HOST_LINES_MAX);
  enum net_ssh_verdict verdict = net_ssh_hosts_check(hosts, key, &line);
  ap_require((verdict == NET_SSH_UNKNOWN) == !line);
  if (verdict == NET_SSH_MATCH)
    ap_require(!line->is_revoked && line->blob_len == len && memcmp(line->blob, blob, len) == 0);
  for (size_t i = 0; i < hosts->count; i++)
    ap_require(hosts->lines[i].is_revoked || net_ssh_hosts_has_type(hosts, hosts->lines[i].type));
  net_ssh_blob_type(key, type);
  net_ssh_fingerprint(key, fingerprint);
  ap_require(strncmp(fingerprint, "SHA256:", 7) == 0 && strlen(type) < sizeof(type));
  net_ssh_hosts_deinit(hosts);
  free(hosts);
  return 0;
}
