// SPDX-License-Identifier: Apache-2.0
#include "vt/private_url.h"

#include <string.h>

#include "base/memory.h"
#include "casefile/parts.h"
#include "vt/policy_private.h"

enum { RANDOM_RUN = 24, RANDOM_EACH = 4, TOKEN_PART = 10, NAME_MAX_BYTES = 64 };

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
  return is_digit(c) || is_letter(c) || c == '-' || c == '_';
}

static bool is_hex(char c)
{
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* How many characters that `is` takes there are from at on. */
static size_t span(const char *at, bool (*is)(char c))
{
  size_t len = 0;
  while (is(at[len]))
    len++;
  return len;
}

/* ---- e-mail addresses ---- */

static bool is_local_part(char c)
{
  return is_word(c) || c == '.' || c == '+';
}

/* Behind the @: labels, the last of letters, two at least. */
static bool is_mail_domain(const char *at)
{
  size_t labels = 0;
  size_t letters = 0;
  for (;;) {
    size_t len = span(at, is_word);
    if (!len)
      break;
    labels++;
    letters = span(at, is_letter) == len ? len : 0;
    at += len;
    if (*at != '.')
      break;
    at++;
  }
  return labels >= 2 && letters >= 2;
}

static bool has_mail(const char *text)
{
  for (const char *at = text; (at = strchr(at, '@')); at++)
    if (at > text && is_local_part(at[-1]) && is_mail_domain(at + 1))
      return true;
  return false;
}

/* ---- tokens ---- */

static bool has_jwt(const char *text)
{
  for (const char *at = text; (at = strstr(at, "eyJ")); at++) {
    size_t len = span(at, is_word);
    if (len >= TOKEN_PART && at[len] == '.' && span(at + len + 1, is_word) >= TOKEN_PART)
      return true;
  }
  return false;
}

static bool is_uuid(const char *text)
{
  static const unsigned char groups[] = {8, 4, 4, 4, 12};
  for (size_t i = 0; i < sizeof(groups); i++) {
    if (i && *text++ != '-')
      return false;
    if (span(text, is_hex) != groups[i])
      return false;
    text += groups[i];
  }
  return true;
}

static bool is_random(const char *text, size_t len)
{
  size_t digits = 0;
  for (size_t i = 0; i < len; i++)
    digits += is_digit(text[i]);
  return len >= RANDOM_RUN && digits >= RANDOM_EACH && len - digits >= RANDOM_EACH;
}

static bool is_alnum(char c)
{
  return is_digit(c) || is_letter(c);
}

static bool has_random(const char *text)
{
  while (*text) {
    size_t len = span(text, is_alnum);
    if (is_random(text, len) || (len == 8 && is_uuid(text)))
      return true;
    text += len ? len : 1;
  }
  return false;
}

/* ---- parameters ---- */

static bool is_secret_name(const char *name)
{
  static const char *const parts[] = {"token",  "session",   "sessid",     "secret", "passw",
                                      "apikey", "signature", "credential", "jwt"};
  static const char *const names[] = {"key", "sid", "sig", "auth", "pwd", "pass", "otp", "ticket"};
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
    if (strstr(name, parts[i]))
      return true;
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (strcmp(name, names[i]) == 0)
      return true;
  return false;
}

/* The name before the = at `equals`, in lower case, with letters and digits only. */
static void read_name(const char *text, const char *equals, char name[NAME_MAX_BYTES])
{
  const char *start = equals;
  size_t len = 0;
  while (start > text && !strchr("?&;#/=", start[-1]))
    start--;
  for (; start < equals && len + 1 < NAME_MAX_BYTES; start++)
    if (is_alnum(*start))
      name[len++] = (char)(is_letter(*start) ? *start | 0x20 : *start);
  name[len] = '\0';
}

static bool has_secret_parameter(const char *text)
{
  char name[NAME_MAX_BYTES];
  for (const char *at = text; (at = strchr(at, '=')); at++) {
    read_name(text, at, name);
    if (at[1] && !strchr("&;#", at[1]) && is_secret_name(name))
      return true;
  }
  return false;
}

/* ---- all of it ---- */

/* @param rest  what stands behind the host */
static const char *judge(const char *text, const char *rest)
{
  if (has_mail(text))
    return "it has an e-mail address";
  if (has_jwt(rest))
    return "it has a JSON Web Token";
  if (has_secret_parameter(rest))
    return "it has a parameter that looks like a credential";
  if (has_random(rest))
    return "it has a long random part";
  return NULL;
}

const char *vt_private_url(const char *url)
{
  static const char user[] = "it has a user name";
  struct ap_buf text = {0};
  if (case_url_split((struct ap_slice){url, strlen(url)}).user.len)
    return user;
  vt_policy_decode(url, &text);
  ap_buf_add_char(&text, '\0');
  if (ap_buf_error(&text))
    ap_out_of_memory(); /* a denial would stay in the record of a run that is gone on with */
  const struct case_url parts = case_url_split((struct ap_slice){text.ptr, text.len - 1});
  const char *rest = parts.host.ptr ? parts.host.ptr + parts.host.len : text.ptr;
  const char *why = parts.user.len ? user : judge(text.ptr, rest);
  ap_buf_deinit(&text);
  return why;
}
