/* Logging in: which ways the server offers, which of ours comes next, and password and
 * keyboard-interactive, which need no one else. */
// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "net/ssh_key.h"
#include "net/ssh_private.h"
#include "net/ssh_text.h"

enum { WAY_COUNT = 4 };

static const struct {
  const char *name; /* for people */
  const char *method;
  enum net_ssh_state state;
} ways[WAY_COUNT] = {
    {"the key", "publickey", NET_SSH_KEY},
    {"the agent", "publickey", NET_SSH_AGENT},
    {"the password", "password", NET_SSH_PASSWORD},
    {"keyboard-interactive", "keyboard-interactive", NET_SSH_KEYBOARD},
};

static bool is_given(const struct net_ssh *ssh, unsigned way)
{
  switch (ways[way].state) {
  case NET_SSH_KEY:
    return ssh->key_file != NULL;
  case NET_SSH_AGENT:
    return ssh->use_agent;
  default:
    return ssh->password != NULL;
  }
}

void net_ssh_login_deinit(struct net_ssh *ssh)
{
  ap_buf_wipe(&ssh->login.key);
  ap_buf_deinit(&ssh->login.agent_keys);
  ap_buf_deinit(&ssh->login.agent_signature);
  net_ssh_agent_close(ssh->login.agent);
  ssh->login.agent = NULL;
}

/* ---- what the server offers ---- */

int net_ssh_methods(struct net_ssh *ssh)
{
  const char *list = libssh2_userauth_list(ssh->session, ssh->user, (unsigned)strlen(ssh->user));
  if (list) {
    net_ssh_clean(ssh->login.offered, sizeof(ssh->login.offered), list, strlen(list));
    ssh->state = NET_SSH_CHOOSE;
    return AP_OK;
  }
  int rc = libssh2_session_last_errno(ssh->session);
  if (rc == LIBSSH2_ERROR_EAGAIN)
    return AP_PENDING;
  if (!libssh2_userauth_authenticated(ssh->session))
    return net_ssh_login_lost(ssh, rc);
  ssh->state = NET_SSH_OPEN; /* it asks for nothing */
  return AP_OK;
}

/* ---- the next of our ways ---- */

static int nothing_is_left(struct net_ssh *ssh)
{
  const struct net_ssh_login *login = &ssh->login;
  char more[256] = "";
  if (*login->agent_problem)
    (void)snprintf(more, sizeof(more), "; %s", login->agent_problem);
  else if (login->agent_rsa && !login->agent_tried)
    (void)snprintf(more, sizeof(more), "; the agent has RSA keys only: %s", net_ssh_rsa_reason);
  else if (login->has_other_questions)
    (void)snprintf(more, sizeof(more),
                   "; keyboard-interactive asked for more than a password, which nobody is here to "
                   "answer");
  if (!*login->tried)
    return net_ssh_fail(ssh, AP_E_FORBIDDEN,
                        "no way to log in that was given is offered by the server, which offers "
                        "%s%s",
                        *login->offered ? login->offered : "nothing", more);
  return net_ssh_fail(ssh, AP_E_FORBIDDEN,
                      "the login was refused: tried %s; the server offers %s%s", login->tried,
                      *login->offered ? login->offered : "nothing more", more);
}

static void note_tried(struct net_ssh_login *login, const char *name)
{
  size_t used = strlen(login->tried);
  (void)snprintf(login->tried + used, sizeof(login->tried) - used, "%s%s", used ? ", " : "", name);
}

int net_ssh_choose(struct net_ssh *ssh)
{
  struct net_ssh_login *login = &ssh->login;
  for (unsigned way = login->next; way < WAY_COUNT; way++) {
    if (!is_given(ssh, way) || !net_ssh_list_has(login->offered, ways[way].method))
      continue;
    login->next = way + 1;
    note_tried(login, ways[way].name);
    ssh->state = ways[way].state;
    return AP_OK;
  }
  bool has_more = login->next < WAY_COUNT && is_given(ssh, WAY_COUNT - 1);
  if (!*login->tried || !has_more || login->has_asked_again)
    return nothing_is_left(ssh);
  /* A server that wants a key and then a password offers the password only now. */
  login->has_asked_again = true;
  ssh->state = NET_SSH_METHODS;
  return AP_OK;
}

int net_ssh_login_lost(struct net_ssh *ssh, int rc)
{
  struct ap_error err;
  int code = net_ssh_describe(ssh, rc, &err);
  if (rc == LIBSSH2_ERROR_PASSWORD_EXPIRED)
    return net_ssh_fail(ssh, AP_E_FORBIDDEN, "the password has expired: change it on the server");
  if (code == AP_E_NETWORK && *ssh->login.tried) /* as after too many tries */
    return net_ssh_fail(ssh, AP_E_FORBIDDEN, "the login was refused: tried %s; %s",
                        ssh->login.tried, err.text);
  return net_ssh_fail(ssh, code, "%s", err.text);
}

/* A refusal sends it to the next way. */
static int finish(struct net_ssh *ssh, int rc)
{
  switch (rc) {
  case 0:
    ssh->state = NET_SSH_OPEN;
    return AP_OK;
  case LIBSSH2_ERROR_EAGAIN:
    return AP_PENDING;
  case LIBSSH2_ERROR_AUTHENTICATION_FAILED:
    ssh->state = NET_SSH_CHOOSE;
    return AP_OK;
  default:
    return net_ssh_login_lost(ssh, rc);
  }
}

/* ---- password ---- */

int net_ssh_login_password(struct net_ssh *ssh)
{
  struct ap_slice password = ap_secret_bytes(ssh->password);
  return finish(ssh,
                libssh2_userauth_password_ex(ssh->session, ssh->user, (unsigned)strlen(ssh->user),
                                             password.ptr, (unsigned)password.len, NULL));
}

/* ---- keyboard-interactive ---- */

/* One hidden question is taken for the one for the password, once; the rest stays unanswered. */
static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(answer)
{
  struct net_ssh *ssh = *abstract;
  struct net_ssh_login *login = &ssh->login;
  (void)name;
  (void)name_len;
  (void)instruction;
  (void)instruction_len;
  if (num_prompts == 0)
    return;
  if (num_prompts != 1 || prompts[0].echo || login->has_answered) {
    login->has_other_questions = true;
    return;
  }
  struct ap_slice password = ap_secret_bytes(ssh->password);
  char *copy = net_ssh_memory_new(&ssh->memory, password.len);
  if (!copy)
    return;
  memcpy(copy, password.ptr, password.len);
  responses[0].text = copy; /* libssh2 frees it */
  responses[0].length = (unsigned)password.len;
  login->has_answered = true;
}

int net_ssh_login_keyboard(struct net_ssh *ssh)
{
  int rc = libssh2_userauth_keyboard_interactive_ex(ssh->session, ssh->user,
                                                    (unsigned)strlen(ssh->user), answer);
  return finish(ssh, rc);
}
