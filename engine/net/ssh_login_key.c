/* Logging in with a key: out of a file, whose passphrase costs so much arithmetic that it is done
 * on the pool; or by the agent, which signs. */
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "net/ssh_private.h"
#include "net/ssh_text.h"

enum { AGENT_KEYS_MAX = 16 };

/* What a call with a public key came to, for both. */
static bool is_refusal(int rc)
{
  return rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED || rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED;
}

/* ---- a key file ---- */

static void log_in(void *arg)
{
  struct net_ssh *ssh = arg;
  struct net_ssh_login *login = &ssh->login;
  const char *passphrase = ssh->passphrase ? ap_secret_bytes(ssh->passphrase).ptr : NULL;
  login->key_rc =
      libssh2_userauth_publickey_frommemory(ssh->session, ssh->user, strlen(ssh->user), NULL, 0,
                                            login->key.ptr, login->key.len, passphrase);
  login->has_key_rc = true;
}

static void logged_in(void *arg)
{
  struct net_ssh *ssh = arg;
  ssh->is_on_pool = false;
  net_ssh_run(ssh);
}

int net_ssh_login_key(struct net_ssh *ssh)
{
  struct net_ssh_login *login = &ssh->login;
  if (!login->has_key_rc) {
    ssh->is_on_pool = true;
    if (net_loop_work(ssh->loop, log_in, logged_in, ssh) == AP_PENDING)
      return NET_SSH_ELSEWHERE;
    ssh->is_on_pool = false;
    return net_ssh_fail(ssh, AP_E_NO_MEMORY, "out of memory");
  }
  login->has_key_rc = false;
  int rc = login->key_rc;
  if (rc == LIBSSH2_ERROR_EAGAIN)
    return AP_PENDING;
  if (rc == 0) {
    ssh->state = NET_SSH_OPEN;
    return AP_OK;
  }
  if (is_refusal(rc)) {
    ssh->state = NET_SSH_CHOOSE;
    return AP_OK;
  }
  if (rc == LIBSSH2_ERROR_FILE || rc == LIBSSH2_ERROR_KEYFILE_AUTH_FAILED ||
      rc == LIBSSH2_ERROR_PROTO || rc == LIBSSH2_ERROR_DECRYPT || rc == LIBSSH2_ERROR_METHOD_NONE)
    return net_ssh_fail(ssh, AP_E_INVALID, "the key file %s cannot be used: %s", ssh->key_file,
                        ssh->passphrase ? "the passphrase is wrong, or the file is damaged"
                                        : "the file is damaged");
  return net_ssh_login_lost(ssh, rc);
}

/* ---- the agent ---- */

static void keys_listed(void *arg, int code, const char *text, struct ap_slice answer)
{
  struct net_ssh *ssh = arg;
  (void)text;
  ssh->login.is_listed = true;
  if (code == AP_OK)
    ap_buf_add(&ssh->login.agent_keys, answer.ptr, answer.len);
  net_ssh_run(ssh);
}

static void key_signed(void *arg, int code, const char *text, struct ap_slice answer)
{
  struct net_ssh *ssh = arg;
  struct net_ssh_login *login = &ssh->login;
  struct ap_slice signature;
  (void)text;
  login->is_signing = false;
  if (code == AP_OK && net_ssh_agent_signature(answer, &signature) && signature.len)
    ap_buf_add(&login->agent_signature, signature.ptr, signature.len);
  else
    login->has_signature_failed = true; /* it was told not to, or is locked */
  net_ssh_run(ssh);
}

/* libssh2 asks again with the same data after EAGAIN. */
static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign)
{
  struct net_ssh *ssh = *abstract;
  struct net_ssh_login *login = &ssh->login;
  (void)session;
  if (login->has_signature_failed)
    return LIBSSH2_ERROR_AGENT_PROTOCOL;
  if (!login->agent_signature.len) {
    if (net_ssh_agent_sign(login->agent, login->agent_key,
                           (struct ap_slice){(const char *)data, data_len}, key_signed,
                           ssh) != AP_PENDING)
      return LIBSSH2_ERROR_AGENT_PROTOCOL;
    login->is_signing = true;
    return LIBSSH2_ERROR_EAGAIN;
  }
  *sig_len = login->agent_signature.len;
  *sig = net_ssh_memory_new(&ssh->memory, *sig_len); /* libssh2 frees it */
  if (!*sig)
    return LIBSSH2_ERROR_ALLOC;
  memcpy(*sig, login->agent_signature.ptr, *sig_len);
  return 0;
}

/* False when the agent has no other key that can be used. */
static bool take_next_key(struct net_ssh *ssh)
{
  struct net_ssh_login *login = &ssh->login;
  struct ap_slice key;
  char type[64];
  ap_buf_clear(&login->agent_signature);
  login->has_signature_failed = false;
  while (login->agent_tried < AGENT_KEYS_MAX &&
         net_ssh_agent_next_key(ap_slice_of(&login->agent_keys), &login->agent_at, &key)) {
    net_ssh_blob_type(key, type);
    if (strcmp(type, "ssh-rsa") == 0)
      login->agent_rsa++;
    if (strcmp(type, "ssh-ed25519") != 0 && strncmp(type, "ecdsa-sha2-nistp", 16) != 0)
      continue;
    if (strchr(type, '@'))
      continue; /* a certificate */
    login->agent_key = key;
    login->agent_tried++;
    return true;
  }
  return false;
}

static int open_agent(struct net_ssh *ssh)
{
  struct ap_error err;
  int rc = net_ssh_agent_open(ssh->loop, getenv("SSH_AUTH_SOCK"), &ssh->login.agent, &err);
  if (rc != AP_OK) { /* there may be a password too */
    net_ssh_clean(ssh->login.agent_problem, sizeof(ssh->login.agent_problem), err.text,
                  strlen(err.text));
    ssh->state = NET_SSH_CHOOSE;
    return AP_OK;
  }
  rc = net_ssh_agent_list(ssh->login.agent, keys_listed, ssh);
  return rc == AP_PENDING ? NET_SSH_ELSEWHERE : net_ssh_fail(ssh, rc, "%s", ap_error_text(rc));
}

static int try_agent_key(struct net_ssh *ssh)
{
  struct net_ssh_login *login = &ssh->login;
  int rc = libssh2_userauth_publickey(ssh->session, ssh->user,
                                      (const unsigned char *)login->agent_key.ptr,
                                      login->agent_key.len, sign, &ssh->self);
  if (rc == LIBSSH2_ERROR_EAGAIN)
    return login->is_signing ? NET_SSH_ELSEWHERE : AP_PENDING;
  if (rc == 0) {
    ssh->state = NET_SSH_OPEN;
    return AP_OK;
  }
  if (!is_refusal(rc))
    return net_ssh_login_lost(ssh, rc);
  login->agent_key = (struct ap_slice){NULL, 0};
  return AP_OK; /* the next one */
}

int net_ssh_login_agent(struct net_ssh *ssh)
{
  struct net_ssh_login *login = &ssh->login;
  if (!login->agent)
    return open_agent(ssh);
  if (!login->is_listed)
    return NET_SSH_ELSEWHERE;
  if (!login->agent_key.len && !take_next_key(ssh)) {
    net_ssh_agent_close(login->agent);
    login->agent = NULL;
    ssh->state = NET_SSH_CHOOSE;
    return AP_OK;
  }
  return try_agent_key(ssh);
}
