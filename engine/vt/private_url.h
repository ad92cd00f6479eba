/* URLs that look as if they were for somebody's eyes only. Whoever submits one to VirusTotal makes
 * it public, and with it what it opens. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>

/* Why the URL is private, a part of a sentence ("it has an e-mail address"); NULL: nothing speaks
 * for that. Private is a URL, percent-encoded or not,
 *   - with a user name before its host;
 *   - with an e-mail address;
 *   - with a JSON Web Token (eyJ..., two parts);
 *   - with a parameter of the path, query or fragment that has a value and whose name holds one of
 *     token, session, sessid, secret, passw, apikey, signature, credential, jwt (- and _ do not
 *     count), or is one of key, sid, sig, auth, pwd, pass, otp, ticket;
 *   - with a UUID, or 24 or more letters and digits in a row, at least four of each, behind the
 *     host: what nobody guesses is often what protects a page.
 * What cannot be looked at for want of memory is private. */
const char *vt_private_url(const char *url);
