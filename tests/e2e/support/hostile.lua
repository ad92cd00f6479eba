-- A server that means harm, and runs of the program against it: many at once, each with a state of
-- its own and measured.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local M = {}

local quote = program.quote
local AT_ONCE, LIMIT_S = 4, 60

-- Sanitizers keep what was freed, and are slow.
local IS_SANITIZED = program.BUILD:find "asan" ~= nil
M.MORE_KIB = (IS_SANITIZED and 1024 or 32) * 1024
local GRACE_S = IS_SANITIZED and 10 or 1
local MEASURED_TIMES = 3

local Server = {}
Server.__index = Server

--- The address of a listener, with a page of its.
function Server:url(listener, page, host)
  local scheme = listener == "http" and "http" or "https"
  return ("%s://%s:%d/%s"):format(scheme, host or "127.0.0.1", self.ports[listener], page or "")
end

--- The requests that a listener has had, as they came.
---@return string[]
function Server:requests(listener)
  local requests = {}
  for line in (program.read(self.log) or ""):gmatch "[^\n]+" do
    local request = cjson.decode(line)
    if request.listener == listener then table.insert(requests, request.text) end
  end
  return requests
end

local function start(w, wants_bad_tls)
  local server = setmetatable({ log = w:path "log", ca = w:path "tls/root.pem" }, Server)
  local command = "echo $$; exec python3 -B tests/e2e/support/hostile_server.py %s %s %s"
  local pipe = assert(io.popen(command:format(quote(w:path "tls"), quote(server.log),
    wants_bad_tls and "bad-tls" or "")))
  server.pid, server.pipe = pipe:read "l", pipe
  local said = pipe:read "l"
  for key, value in pairs(said and cjson.decode(said) or {}) do server[key] = value end
  return server
end

local function stop(server)
  os.execute("kill " .. server.pid)
  server.pipe:close()
end

--- Gives a workspace and a server to `use`, and stops it.
---@param wants_bad_tls boolean? the listeners whose TLS is wrong too
---@param use fun(w: table, server: table)
function M.with(wants_bad_tls, use)
  workspace.with(function(w)
    local server = start(w, wants_bad_tls)
    local good, why = server.ports ~= nil, "the server did not start"
    if good then good, why = pcall(use, w, server) end
    stop(server)
    assert(good, why)
  end)
end

local function command_of(w, name, case)
  local folder = w:path(name)
  assert(os.execute("mkdir " .. quote(folder)))
  local env = w:environment()
  env.APOGEE_STATE_DIR = folder .. "/state"
  for key, value in pairs(case.env or {}) do env[key] = value end
  local args = table.move(case.args, 1, #case.args, 1, {})
  for _, word in ipairs { "--format", "json", "--output", folder .. "/document" } do
    table.insert(args, word)
  end
  local command = ("timeout %d %s >%s 2>%s </dev/null\n"):format(LIMIT_S,
    program.command(args, env, { program.BUILD .. "/tests/bench_measure" }),
    quote(folder .. "/used"), quote(folder .. "/err"))
  program.write(folder .. "/command", command)
  return folder
end

local function result_of(folder)
  local used = program.read(folder .. "/used")
  local err = program.read(folder .. "/err")
  assert(used ~= "", ("%s: no end within %d s: %s"):format(folder, LIMIT_S, err))
  local ran = cjson.decode(used)
  local text = program.read(folder .. "/document")
  ran.err, ran.out, ran.document = err, text or "", text and cjson.decode(text)
  os.execute("rm -rf " .. quote(folder))
  return ran
end

--- Runs the program for each case, some at once.
---@param w table
---@param cases table<string, { args: string[], env: table? }>
---@return table<string, table> ran { exit, wall_s, peak_kib, err, out, document } by name
function M.run(w, cases)
  local folders, commands = {}, {}
  for name, case in pairs(cases) do
    folders[name] = command_of(w, name, case)
    table.insert(commands, folders[name] .. "/command")
  end
  w:write("commands", table.concat(commands, "\0"))
  os.execute(("xargs -0 -P %d -n 1 sh <%s"):format(AT_ONCE, quote(w:path "commands")))
  local ran = {}
  for name, folder in pairs(folders) do ran[name] = result_of(folder) end
  return ran
end

--- Fails when a run took longer than its deadline and a second. What a busy machine made late is
--- run again, alone.
---@param w table
---@param name string
---@param case table as of M.run
---@param ran table what it took the first time
---@param deadline_s number
function M.check_end(w, name, case, ran, deadline_s)
  local wall_s = ran.wall_s
  for _ = 2, MEASURED_TIMES do
    if wall_s <= deadline_s + GRACE_S then return end
    wall_s = math.min(wall_s, M.run(w, { [name] = case })[name].wall_s)
  end
  assert(wall_s <= deadline_s + GRACE_S, ("%s: %.1f s"):format(name, wall_s))
end

return M
