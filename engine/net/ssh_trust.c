/* Whether the server is the one that was meant: known_hosts, or a pinned fingerprint. There is no
 * trust on first use. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "net/ssh_key.h"
#include "net/ssh_private.h"
#include "net/ssh_text.h"

enum { KNOWN_HOSTS_MAX = 16 * 1024 * 1024, PIECE = 64 * 1024 };

/* Not RSA: libssh2 would take its signature by SHA-1. */
const char *const net_ssh_host_types[NET_SSH_HOST_TYPES] = {
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"};

/* ---- files, on the pool ---- */

static void read_known_hosts(struct net_ssh_file *file)
{
  struct stat st;
  int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    file->error = errno;
    return;
  }
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
    file->error = EINVAL;
  ap_buf_init(&file->text, KNOWN_HOSTS_MAX);
  while (!file->error) {
    char *room = ap_buf_room(&file->text, PIECE);
    ssize_t got = room ? read(fd, room, PIECE) : -1;
    if (!room)
      file->error = EFBIG;
    else if (got < 0 && errno != EINTR)
      file->error = errno;
    else if (got > 0)
      file->text.len += (size_t)got;
    if (got == 0)
      break;
  }
  (void)close(fd);
}

void net_ssh_read_files(void *arg)
{
  struct net_ssh *ssh = arg;
  for (size_t i = 0; i < ssh->file_count && !ssh->pin; i++)
    read_known_hosts(&ssh->files[i]);
  if (!ssh->key_file)
    return;
  const char *passphrase = ssh->passphrase ? ap_secret_bytes(ssh->passphrase).ptr : NULL;
  struct ap_error *err = &ssh->files_error;
  if (net_ssh_key_read(ssh->key_file, &ssh->login.key, err) == AP_OK &&
      net_ssh_key_check(&ssh->login.key, passphrase, err) != AP_OK)
    (void)ap_fail_context(err, "the key file %s cannot be used", ssh->key_file);
}

int net_ssh_take_files(struct net_ssh *ssh)
{
  if (ssh->files_error.code)
    return net_ssh_fail(ssh, ssh->files_error.code, "%s", ssh->files_error.text);
  for (size_t i = 0; i < ssh->file_count && !ssh->pin; i++) {
    struct net_ssh_file *file = &ssh->files[i];
    if (file->error == ENOENT || file->error == ENOTDIR)
      continue;
    if (file->error)
      return net_ssh_fail(ssh, AP_E_INVALID, "%s cannot be read: %s", file->path,
                          strerror(file->error));
    int rc = net_ssh_hosts_add(&ssh->hosts, file->path, ap_slice_of(&file->text));
    if (rc != AP_OK)
      return net_ssh_fail(ssh, rc, "%s: %s", file->path,
                          rc == AP_E_TOO_LARGE ? "too many keys for this host" : ap_error_text(rc));
    if (ssh->hosts.bad)
      ap_log(AP_LOG_NET, AP_LOG_WARN,
             "%s: %u lines cannot be read and are left out, the first is "
             "line %u",
             file->path, ssh->hosts.bad, ssh->hosts.first_bad);
    ap_buf_deinit(&file->text);
  }
  if (ssh->hosts.authorities)
    ap_log(
        AP_LOG_NET, AP_LOG_INFO,
        "%s: @cert-authority in known_hosts is left out: certificates of hosts cannot be checked",
        ssh->where);
  return AP_OK;
}

/* ---- a pinned key ---- */

static int refuse_pin(struct net_ssh *ssh, const char *type, const char *shown)
{
  size_t used = strlen(ssh->pin_seen);
  (void)snprintf(ssh->pin_seen + used, sizeof(ssh->pin_seen) - used, "%s%s %s", used ? ", " : "",
                 type, shown);
  for (size_t i = 0; i < NET_SSH_HOST_TYPES; i++)
    if (strcmp(net_ssh_host_types[i], type) == 0)
      ssh->pin_refused |= 1U << i;
  if (ssh->pin_refused == (1U << NET_SSH_HOST_TYPES) - 1)
    return net_ssh_fail(ssh, AP_E_DENIED,
                        "the host key is not the pinned one: wanted %s, it shows %s", ssh->pin,
                        ssh->pin_seen);
  ssh->state = NET_SSH_REACH; /* it may have another key: ask for the other types */
  return AP_OK;
}

/* ---- known_hosts ---- */

/* A path as a shell takes it. */
static void quote(char *out, size_t size, const char *path)
{
  bool is_plain = strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                               "/._-+,:@") == strlen(path);
  char clean[512];
  net_ssh_clean(clean, sizeof(clean), path, strlen(path));
  (void)snprintf(out, size, is_plain ? "%s" : "'%s'", clean);
}

static int refuse(struct net_ssh *ssh, enum net_ssh_verdict verdict, const char *type,
                  const char *shown, const struct net_ssh_host_line *line)
{
  char file[520];
  char known[NET_SSH_FINGERPRINT_TEXT] = "";
  quote(file, sizeof(file), ssh->files[0].path);
  if (line)
    net_ssh_fingerprint((struct ap_slice){line->blob, line->blob_len}, known);
  if (line && verdict == NET_SSH_REVOKED)
    return net_ssh_fail(ssh, AP_E_DENIED, "the host key is revoked: it shows %s %s, %s:%u", type,
                        shown, line->file, line->number);
  if (line && verdict == NET_SSH_CHANGED && strcmp(line->type, type) == 0)
    return net_ssh_fail(ssh, AP_E_DENIED,
                        "the host key has changed, or somebody is in between: it shows %s %s, but "
                        "%s:%u has %s. Only if the server's owner confirms the new fingerprint: "
                        "ssh-keygen -R '%s%s%s%.0u' -f %s; ssh-keyscan -p %u %s >> %s",
                        type, shown, line->file, line->number, known, ssh->port == 22 ? "" : "[",
                        ssh->host, ssh->port == 22 ? "" : "]:", ssh->port == 22 ? 0 : ssh->port,
                        file, ssh->port, ssh->host, file);
  if (line && verdict == NET_SSH_CHANGED)
    return net_ssh_fail(ssh, AP_E_DENIED,
                        "the host key is not known: it shows %s %s, but %s:%u has only %s %s. "
                        "Compare the fingerprint with the server's owner, then: ssh-keyscan -p %u "
                        "%s >> %s",
                        type, shown, line->file, line->number, line->type, known, ssh->port,
                        ssh->host, file);
  return net_ssh_fail(ssh, AP_E_DENIED,
                      "the host key is not known: it shows %s %s, and %s has none for this "
                      "host%s. Compare the fingerprint with the server's owner, then: ssh-keyscan "
                      "-p %u %s >> %s",
                      type, shown, file,
                      ssh->hosts.authorities ? " (but for a @cert-authority, which is not used)"
                                             : "",
                      ssh->port, ssh->host, file);
}

int net_ssh_trust(struct net_ssh *ssh)
{
  size_t len = 0;
  int kind = 0;
  char type[64];
  char shown[NET_SSH_FINGERPRINT_TEXT];
  const char *bytes = libssh2_session_hostkey(ssh->session, &len, &kind);
  struct ap_slice blob = {bytes, len};
  if (!bytes || len == 0)
    return net_ssh_fail(ssh, AP_E_DENIED, "the server shows no host key");
  net_ssh_blob_type(blob, type);
  net_ssh_fingerprint(blob, shown);
  if (ssh->pin && strcmp(ssh->pin, shown) != 0)
    return refuse_pin(ssh, type, shown);
  if (!ssh->pin) {
    const struct net_ssh_host_line *line = NULL;
    enum net_ssh_verdict verdict = net_ssh_hosts_check(&ssh->hosts, blob, &line);
    if (verdict != NET_SSH_MATCH)
      return refuse(ssh, verdict, type, shown, line);
  }
  ssh->state = NET_SSH_METHODS;
  return AP_OK;
}
