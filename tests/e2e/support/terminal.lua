-- The program on a terminal: what it writes there, frame by frame.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"

local M = {}

local LIMIT_S = 60

--- Runs the program with standard output and standard error on a terminal, but for what `redirect`
--- sends elsewhere.
---@param columns integer
---@param args string[]
---@param env table<string, string> TERM and LC_ALL are those of a terminal unless given
---@param redirect string? of the shell: ">PATH"
---@return { text: string, exit: integer }
function M.run(columns, args, env, redirect)
  local all = { TERM = "xterm", LC_ALL = "C.UTF-8" }
  for name, value in pairs(env) do all[name] = value end
  local shown = os.tmpname()
  local command = program.command(args, all) .. " " .. (redirect or "")
  local _, how, code = os.execute(("timeout %d python3 tests/e2e/support/terminal.py %d %s >%s")
    :format(LIMIT_S, columns, program.quote(command), shown))
  local text = program.read(shown)
  os.remove(shown)
  assert(how == "exit" and code ~= 124, "it did not end within " .. LIMIT_S .. " s: " .. text)
  return { text = text, exit = code }
end

--- The frames of the progress line, in order ("": it was taken off), and what else was written.
---@param text string
---@return string[] frames, string rest
function M.frames(text)
  local frames = {}
  local rest = text:gsub("\r([^\r\n]*)\27%[K", function(frame)
    table.insert(frames, frame)
    return ""
  end)
  return frames, (rest:gsub("\r\n", "\n"))
end

return M
