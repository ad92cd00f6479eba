-- Runs the program as a user would and gives back what it printed and how it ended.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local BIN = os.getenv "APOGEE_BIN" or "build/dev/bin/apogee"
local LIMIT_S = 60

--- A word as the shell takes it.
function M.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- The text of a file; nil when there is none.
function M.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

function M.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

local function take(path)
  local text = M.read(path)
  os.remove(path)
  return text
end

--- A file of its own with some text; the caller removes it.
function M.file(text)
  local path = os.tmpname()
  M.write(path, text)
  return path
end

-- What is a document of the program is kept in $APOGEE_DOCUMENTS: it is checked against the schema
-- when all tests have run.
local function keep_text(text)
  local folder = os.getenv "APOGEE_DOCUMENTS"
  if not folder then return end
  local path = os.tmpname()
  M.write(path, text)
  os.execute(("mv %s %s/"):format(M.quote(path), M.quote(folder)))
end

local function keep_document(text)
  if not text:find '^%s*[{%[]%s*{?%s*"' then return end
  if not (text:find '"schema"%s*:%s*"apogee%.' or text:find '^%[%s*{"identifier"') then return end
  keep_text(text)
end

-- So are the events and the lines of the log, where they are JSON.
local function keep_events(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do
    if line:find '^{"time":' then table.insert(lines, line) end
  end
  if #lines > 0 then keep_text(table.concat(lines, "\n")) end
end

-- Settings of what the program may be built with.
local TOOLS = { "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "GCOV_ERROR_FILE" }

local function environment(env)
  if not env then return "" end
  local words = { "env -i PATH=" .. M.quote(os.getenv "PATH") }
  for name, value in pairs(env) do table.insert(words, name .. "=" .. M.quote(value)) end
  for _, name in ipairs(TOOLS) do
    if os.getenv(name) then table.insert(words, name .. "=" .. M.quote(os.getenv(name))) end
  end
  return table.concat(words, " ") .. " "
end

--- The folder of the build that the program is of.
M.BUILD = BIN:gsub("/?bin/[^/]*$", "")

--- The program with its arguments and environment, as a command of the shell.
---@param args string[]
---@param env table<string, string>? all that there is; nil: that of the tests
---@param before string[]? a program that runs it, and its arguments
function M.command(args, env, before)
  local words = {}
  for _, word in ipairs(before or {}) do table.insert(words, M.quote(word)) end
  table.insert(words, M.quote(BIN))
  for _, arg in ipairs(args) do table.insert(words, M.quote(arg)) end
  return environment(env) .. table.concat(words, " ")
end

---@param args string[]
---@param input string|nil what standard input holds
---@param env table<string, string>?
---@param before string[]? a program that runs it, and its arguments
---@return { out: string, err: string, exit: integer }
function M.run(args, input, env, before)
  local input_path, out_path, err_path = M.file(input or ""), os.tmpname(), os.tmpname()
  local _, how, code = os.execute(("timeout %d %s <%s >%s 2>%s"):format(LIMIT_S,
    M.command(args, env, before), M.quote(input_path), M.quote(out_path), M.quote(err_path)))
  os.remove(input_path)
  local result = { out = take(out_path), err = take(err_path), exit = code }
  assert(how == "exit", "the program was ended by a signal: " .. result.err)
  assert(code ~= 124, "the program did not end within " .. LIMIT_S .. " s: " .. result.err)
  keep_document(result.out)
  keep_events(result.err)
  return result
end

local Process = {}
Process.__index = Process

--- Sends a signal by its name.
function Process:signal(name) os.execute(("kill -%s %d"):format(name, self.pid)) end

--- Waits for the end, at most limit_s.
---@return { out: string, err: string, exit: integer } a signal's number + 128 when it ended it
function Process:wait(limit_s)
  local is_over = os.execute(("timeout %d sh -c %s"):format(limit_s,
    M.quote("until [ -s " .. self.exit_path .. " ]; do sleep 0.02; done")))
  if not is_over then self:signal "KILL" end
  local result = { out = take(self.out_path), err = take(self.err_path) }
  result.exit = math.tointeger(tonumber(take(self.exit_path)))
  os.remove(self.pid_path)
  keep_events(result.err)
  assert(is_over, ("the program did not end within %d s: %s"):format(limit_s, result.err))
  return result
end

--- Starts the program and lets it run.
---@return table process with signal, wait and err (what it has said until now)
function M.start(args, env)
  local process = setmetatable({
    out_path = os.tmpname(), err_path = os.tmpname(), exit_path = os.tmpname(),
    pid_path = os.tmpname(),
  }, Process)
  local script = ("%s >%s 2>%s </dev/null & echo $! >%s; wait $!; echo $? >%s"):format(
    M.command(args, env), process.out_path, process.err_path, process.pid_path, process.exit_path)
  assert(os.execute("sh -c " .. M.quote(script) .. " &"))
  assert(os.execute(("timeout 5 sh -c 'until [ -s %s ]; do sleep 0.02; done'")
    :format(process.pid_path)))
  process.pid = math.tointeger(tonumber(M.read(process.pid_path):match "%d+"))
  return process
end

return M
