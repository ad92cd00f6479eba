-- Running and measuring other programs: the shell's quoting, bench_measure, and servers that live
-- as long as a variable.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

---@param words string[]
---@return string command for the shell
function M.quote(words)
  local quoted = {}
  for i, word in ipairs(words) do
    quoted[i] = "'" .. tostring(word):gsub("'", "'\\''") .. "'"
  end
  return table.concat(quoted, " ")
end

function M.sh(...)
  local command = M.quote { ... }
  assert(os.execute(command), "this failed: " .. command)
end

function M.write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  assert(file:close())
end

--- The numbers of a flat JSON object.
---@param text string
---@return table<string, number>
function M.numbers(text)
  local numbers = {}
  for key, value in text:gmatch '"([%w_]+)": ([%d.]+)' do
    numbers[key] = tonumber(value)
  end
  return numbers
end

--- Runs a command under bench_measure.
---@param bench table `programs` and `out` are its folders, `key` the API key
---@param words string[]
---@return table<string, number> numbers exit, wall_s, user_s, system_s, peak_kib, and cpu_s
function M.measure(bench, words)
  local command = ("APOGEE_BENCH_KEY=%s %s %s 2>%s"):format(
    bench.key,
    M.quote { bench.programs .. "/bench_measure" },
    M.quote(words),
    M.quote { bench.out .. "/stderr" }
  )
  local pipe = assert(io.popen(command))
  local numbers = M.numbers(pipe:read "a")
  assert(pipe:close(), "bench_measure failed, see " .. bench.out .. "/stderr: " .. command)
  numbers.cpu_s = numbers.user_s + numbers.system_s
  return numbers
end

local Server = {}
Server.__index = Server

--- Starts a program that prints its base URL and serves until SIGTERM.
---@param words string[]
---@return table server `url`; a to-be-closed variable may hold it
function M.serve(words)
  local pipe = assert(io.popen("echo $$; exec " .. M.quote(words)))
  local pid, url = pipe:read("l", "l")
  assert(url, "the server did not start: " .. M.quote(words))
  return setmetatable({ pipe = pipe, pid = pid, url = url }, Server)
end

--- Ends it, and gives the numbers that it printed last.
---@return table<string, number>
function Server:stop()
  M.sh("kill", self.pid)
  local numbers = M.numbers(self.pipe:read "a")
  self.pipe:close()
  self.pipe = nil
  return numbers
end

function Server:__close()
  if self.pipe then self:stop() end
end

return M
