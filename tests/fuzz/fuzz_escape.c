/* The escapers of the reports, in the engine's own Lua: what they make of any bytes stays in its
 * place. */
// SPDX-License-Identifier: Apache-2.0
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "script/host.h"

static const char checks[] =
    "local escape = require 'report.escape'\n"
    "local function seems(ok, what) if not ok then error(what, 0) end end\n"
    "return function(words, bytes)\n"
    "  local terminal = escape.terminal(words)\n"
    "  seems(utf8.len(terminal) and not terminal:find '%c', 'terminal')\n"
    "  local html = escape.html(words)\n"
    "  seems(utf8.len(html) and not html:find '[<>\"\\'%c]', 'html')\n"
    "  seems(not html:gsub('&%a+;', ''):gsub('&#39;', ''):find('&', 1, true), 'entities')\n"
    "  local url = escape.url(words)\n"
    "  seems(not url or url:lower():find '^https?://' and not url:find '[%s<>\"\\'`]', 'url')\n"
    "  local csv = escape.csv(words)\n"
    "  seems(csv:find '^\".*\"$' and not csv:sub(2, -2):gsub('\"\"', ''):find '\"', 'csv')\n"
    "  seems(not csv:find '^\"[=+%-@]' and not csv:find '%c', 'formula')\n"
    "  local markdown = escape.markdown(words)\n"
    "  seems(not markdown:find '%c' and not markdown:gsub('\\\\.', ''):find '[<>`*_|%[]',\n"
    "    'markdown')\n"
    "  local cell = escape.code(words, true)\n"
    "  seems(not cell:find '%c' and not cell:gsub('\\\\.', ''):find('|', 1, true), 'code')\n"
    "  seems(not escape.code(words):find '%c', 'code')\n"
    "  local clipped = escape.clip(words, bytes)\n"
    "  seems(#clipped <= bytes + 3 or clipped == words, 'clip')\n"
    "end\n";

static lua_State *state(void)
{
  static struct script_host *host;
  struct net_loop *loop;
  struct script_limits limits;
  struct ap_error err = {0};
  if (host)
    return script_host_state(host);
  script_limits_init(&limits);
  limits.load_instructions = UINT64_C(1) << 40;
  limits.hang_ms = 0;
  ap_require(net_loop_new(&loop) == AP_OK);
  ap_require(script_host_new(loop, &limits, &host, &err) == AP_OK);
  lua_State *L = script_host_state(host);
  script_env_push(L, NULL);
  const struct ap_slice source = {checks, sizeof(checks) - 1};
  if (script_run_source(L, -1, "checks.lua", source, &err) != AP_OK) {
    (void)fprintf(stderr, "%s\n", err.text);
    abort();
  }
  return L; /* with the function on top */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  enum { LONGEST = 512 /* Lua is slow under a sanitizer */ };
  struct fuzz_input input = fuzz_input(data, size);
  struct ap_error err = {0};
  lua_State *L = state();
  unsigned bytes = fuzz_byte(&input);
  struct ap_slice words = fuzz_bytes(&input, LONGEST);
  lua_pushvalue(L, -1);
  lua_pushlstring(L, words.ptr, words.len);
  lua_pushinteger(L, bytes);
  if (script_call(L, 2, 0, &err) != AP_OK) {
    (void)fprintf(stderr, "broken: %s\n", err.text);
    abort();
  }
  return 0;
}
