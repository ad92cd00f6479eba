-- The simulator as a process of its own.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"

local M = {}

--- A key that the simulator takes.
M.KEY = ("0123456789abcdef"):rep(4)

--- Waits for a command of the shell to succeed.
---@param condition string
---@param limit_s integer
---@return boolean?
function M.wait(condition, limit_s)
  return os.execute(("timeout %d sh -c %s"):format(limit_s,
    program.quote("until " .. condition .. "; do sleep 0.02; done")))
end

--- Starts the simulator, gives its URL to `use`, and stops it.
---@param args string[] of `apogee simulate`
---@param use fun(url: string)
---@param env table<string, string>?
function M.with(args, use, env)
  local process = program.start({ "simulate", table.unpack(args) }, env)
  local is_up = M.wait(("[ -s %s ] || [ -s %s ]"):format(process.out_path, process.exit_path), 10)
  local url = (program.read(process.out_path) or ""):match "^[^\n]*"
  local good, why = pcall(use, url)
  process:signal "TERM"
  local ran = process:wait(5)
  assert(is_up and url ~= "", "the simulator did not start: " .. ran.err)
  assert(good, why)
  assert(ran.exit == 0, "the simulator ended badly: " .. ran.err)
end

return M
