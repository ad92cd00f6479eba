-- A proxy that wants a name and a password, as a process of its own.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"

local M = {}

--- Starts the proxy, gives it to `use`, and stops it.
---@param credentials string NAME:PASSWORD
---@param log string path of the file for the first lines of the requests
---@param use fun(address: string) "127.0.0.1:PORT"
function M.with(credentials, log, use)
  local command = "echo $$; exec lua5.4 tests/e2e/support/proxy_server.lua %s %s 2>/dev/null"
  local pipe = io.popen(command:format(program.quote(credentials), program.quote(log)))
  local pid, port = pipe:read("l", "l")
  local good, why = pcall(use, "127.0.0.1:" .. tostring(port))
  os.execute("kill " .. pid)
  pipe:close()
  assert(port, "the proxy did not start")
  assert(good, why)
end

return M
