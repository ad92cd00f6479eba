-- Chromium, where there is one: what a page is like after its script has run.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"

local M = {}

local LIMIT_S = 60
local NAMES = { "chromium", "chromium-browser", "google-chrome" }

--- The program to run: $APOGEE_CHROMIUM or what is in the path; nil when there is none.
---@return string?
function M.find()
  local given = os.getenv "APOGEE_CHROMIUM"
  if given and given ~= "" then return given end
  for _, name in ipairs(NAMES) do
    if os.execute("command -v " .. name .. " >/dev/null 2>&1") then return name end
  end
end

--- A page with a script of the test behind its own, which the page's policy is made to allow. The
--- page's own style and script have to get through by their digests as before.
---@param page string
---@param script string sets document.title to what the test reads
---@return string
function M.with_script(page, script)
  local policy, count = page:gsub("(script%-src )", "%1'nonce-test' ", 1)
  assert(count == 1, "the page has no policy for scripts")
  policy, count = policy:gsub("<style>", function()
    return '<script nonce="test">var refused = [];'
      .. 'document.addEventListener("securitypolicyviolation", function (event) {'
      .. "refused.push(event.blockedURI + ' ' + event.violatedDirective); });</script><style>"
  end, 1)
  assert(count == 1)
  policy, count = policy:gsub("</body>", function()
    return '<script nonce="test">' .. script .. "</script></body>"
  end, 1)
  assert(count == 1)
  return policy
end

--- The title that a page has in the end.
---@param browser string
---@param folder string where there is room for its profile
---@param path string of the page
---@return string
function M.title(browser, folder, path)
  local command = ("HOME=%s timeout %d %s --headless --no-sandbox --disable-gpu "
    .. "--disable-dev-shm-usage --disable-background-networking --disable-component-update "
    .. "--user-data-dir=%s --virtual-time-budget=5000 --dump-dom %s 2>/dev/null"):format(
    program.quote(folder), LIMIT_S, program.quote(browser), program.quote(folder .. "/profile"),
    program.quote("file://" .. path))
  local pipe = assert(io.popen(command))
  local dom = pipe:read "a"
  pipe:close()
  return assert(dom:match "<title>(.-)</title>", "the browser showed nothing")
end

return M
