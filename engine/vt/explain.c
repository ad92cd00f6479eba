// SPDX-License-Identifier: Apache-2.0
#include "vt/explain.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { BAD_REQUEST = 400, PROXY_WANTS_PASSWORD = 407, TOO_LARGE = 413, SERVER_FAILED = 500 };

int vt_explain_status(long status, char text[VT_EXPLAIN_TEXT])
{
  const char *hint = ": is virustotal.url right?";
  if (status == BAD_REQUEST || status == TOO_LARGE || status >= SERVER_FAILED)
    hint = "";
  else if (status == PROXY_WANTS_PASSWORD)
    hint = ": the proxy wants a name (in virustotal.proxy) and virustotal.proxy_password";
  else if (status >= 300 && status < 400)
    hint = ", which sends elsewhere: is virustotal.url right?";
  (void)snprintf(text, VT_EXPLAIN_TEXT, "the server answered HTTP %ld%s", status, hint);
  return status == BAD_REQUEST ? AP_E_REJECTED : AP_E_BAD_ANSWER;
}

static bool is_web_page(const struct net_http_answer *answer)
{
  const char *at = answer->body.ptr;
  const char *end = at + answer->body.len;
  if (strncasecmp(answer->content_type, "text/html", strlen("text/html")) == 0)
    return true;
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n'))
    at++;
  return at < end && *at == '<';
}

void vt_explain_body(const struct net_http_answer *answer, struct ap_error *err)
{
  if (err->code == AP_E_BAD_ANSWER && is_web_page(answer))
    (void)ap_fail(err, AP_E_BAD_ANSWER,
                  "the answer is a web page, not JSON: is virustotal.url right, or does a proxy "
                  "answer in its place?");
}
