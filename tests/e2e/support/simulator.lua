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
  local out, pid_path = os.tmpname(), os.tmpname()
  local command = program.command({ "simulate", table.unpack(args) }, env)
  assert(os.execute(("timeout 120 %s >%s 2>&1 & echo $! >%s"):format(command, out, pid_path)))
  local is_up = M.wait("grep -q . " .. out, 10)
  local url = (program.read(out) or ""):match "^[^\n]*"
  local good, why = pcall(use, url)
  local pid = program.read(pid_path):match "%d+"
  os.execute(("kill -TERM %s 2>/dev/null"):format(pid))
  local stopped = M.wait(("! kill -0 %s 2>/dev/null"):format(pid), 5)
  os.remove(out)
  os.remove(pid_path)
  assert(is_up, "the simulator did not start: " .. url)
  assert(good, why)
  assert(stopped, "the simulator did not stop within 5 s")
end

return M
