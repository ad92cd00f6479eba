-- A reader of the documentation: a folder of its own with a home, `apogee` on the PATH, and what
-- the pages take for granted. There VirusTotal is a simulator, and it is noon.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local simulator = require "e2e.support.simulator"

local Reader = {}
Reader.__index = Reader

local LIMIT_S = 120
local URL = "https://www.virustotal.com/vtapi/v2"
local HOME = "/home/ana"
local MACHINE = { "/etc/apogee", "/srv/", "/var/lib/", "/home/ana" }

local function pipe(command)
  local handle = assert(io.popen(command))
  local text = handle:read "a"
  handle:close()
  return (text:gsub("\n$", ""))
end

local function pattern_of(text)
  return (text:gsub("%p", "%%%0"))
end

local ROOT = pipe "pwd -P"
local BIN = pipe("realpath " .. program.quote(program.BUILD .. "/bin/apogee"))

--- A path in the folder that commands begin in; one that begins with a slash lies beside it.
function Reader:path(name)
  return self.folder .. (name:find "^/" and name or "/desk/" .. name)
end

--- Without a text only the folder is made.
function Reader:write(name, text)
  local path = self:path(name)
  assert(os.execute("mkdir -p " .. program.quote(path:match "^(.*)/")))
  if text then program.write(path, text) end
  return path
end

--- A text in which the paths of the machine are those of the reader's folder.
function Reader:here(text)
  text = "\n" .. text
  for _, place in ipairs(MACHINE) do
    text = text:gsub("([%s\"'=:>])" .. pattern_of(place), function(before)
      return before .. self.folder .. place
    end)
  end
  return text:sub(2)
end

-- And the other way round: as the reader sees it.
function Reader:seen(text)
  text = text:gsub("\r", ""):gsub("\27%[[%d;]*m", ""):gsub(pattern_of(self.folder .. "/desk/"), "")
  text = text:gsub(pattern_of(self.folder), "")
  return self.url and text:gsub(pattern_of(self.url), URL) or text
end

--- Where VirusTotal is from here on.
function Reader:ask(url)
  self.url = url
end

function Reader:environment()
  return {
    HOME = self.folder .. HOME, PATH = self.folder .. "/bin:" .. os.getenv "PATH",
    APOGEE_CLOCK = self.clock, APOGEE_VT_URL = self.url, NO_COLOR = "1", LC_ALL = "C.UTF-8",
    TERM = "xterm", ASAN_OPTIONS = os.getenv "ASAN_OPTIONS",
    UBSAN_OPTIONS = os.getenv "UBSAN_OPTIONS", LSAN_OPTIONS = os.getenv "LSAN_OPTIONS",
  }
end

local function words_of(env)
  local words = {}
  for name, value in pairs(env) do table.insert(words, name .. "=" .. program.quote(value)) end
  table.sort(words)
  return "env -i " .. table.concat(words, " ")
end

--- Runs a script of the shell in the folder; on a terminal if asked for.
---@param text string
---@param options table? { is_terminal, input }
---@return { out: string, err: string, exit: integer }
function Reader:sh(text, options)
  options = options or {}
  local script, out, err = self.folder .. "/script", self.folder .. "/out", self.folder .. "/err"
  local input = self.folder .. "/input"
  program.write(input, options.input or "")
  program.write(script, ("cd %s\nexec 2>%s <%s\n%s"):format(program.quote(self.folder .. "/desk"),
    program.quote(err), program.quote(input), self:here(text)))
  local command = "sh -e " .. program.quote(script)
  if options.is_terminal then
    command = "script -qec " .. program.quote("stty cols 100; " .. command) .. " /dev/null"
  end
  local _, how, code = os.execute(("%s timeout %d %s </dev/null >%s 2>%s"):format(
    words_of(self:environment()), LIMIT_S, command, program.quote(out), program.quote(err)))
  assert(how == "exit" and code ~= 124, "it did not end: " .. text)
  return { out = self:seen(program.read(out)), err = self:seen(program.read(err)), exit = code }
end

-- Sixty times as fast, and about noon UTC (today's or tomorrow's): no page is read at midnight,
-- when a quota returns.
local function clock()
  local speed, day, now = 60, 24 * 60 * 60, os.time()
  local until_noon = (day // 2 - now) % day
  return ("%d@%d"):format(speed, now - until_noon // (speed - 1))
end

-- A simulator serves until it is stopped: the one of a page is stopped as soon as it answers.
local APOGEE = [[#!/bin/sh
[ "$1" = simulate ] && [ "$2" != --help ] || exec %s "$@"
: >"$0.url"
%s "$@" >"$0.url" &
server=$!
until [ -s "$0.url" ] || ! kill -0 $server; do sleep 0.02; done
cat "$0.url"
kill $server
wait $server
]]

local M = {}

---@param given table { files = { name = text }, has_key }
---@param use fun(reader: table)
function M.with(given, use)
  local folder = pipe "mktemp -d"
  local reader = setmetatable({ folder = folder, clock = clock() }, Reader)
  assert(os.execute(([[cd %s && mkdir -m 700 -p .%s desk bin && mkdir -p etc/apogee srv var/lib &&
    ln -s %s/playbooks desk/playbooks]]):format(program.quote(folder), HOME, program.quote(ROOT))))
  program.write(folder .. "/bin/apogee", APOGEE:format(program.quote(BIN), program.quote(BIN)))
  assert(os.execute("chmod +x " .. program.quote(folder .. "/bin/apogee")))
  for name, text in pairs(given.files or {}) do reader:write(name, text) end
  if given.has_key then
    reader:write(HOME .. "/.config/apogee/vt.key", simulator.KEY .. "\n")
    reader:write(HOME .. "/.config/apogee/config.lua",
      ('return { virustotal = { api_key = "file:%s/.config/apogee/vt.key" } }\n')
      :format(folder .. HOME))
  end
  assert(os.execute("chmod -R go= " .. program.quote(folder)))
  local good, why = pcall(use, reader)
  os.execute("rm -rf " .. program.quote(folder))
  assert(good, why)
end

return M
