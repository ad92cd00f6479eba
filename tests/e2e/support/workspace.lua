-- A folder of its own for one test: a key, a configuration and a state that nobody else has.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"
local simulator = require "e2e.support.simulator"

local Workspace = {}
Workspace.__index = Workspace

local function write_value(value)
  if type(value) ~= "table" then return ("%q"):format(value) end
  local fields = {}
  for key, member in pairs(value) do
    table.insert(fields, ("[%s] = %s"):format(write_value(key), write_value(member)))
  end
  table.sort(fields)
  return "{ " .. table.concat(fields, ", ") .. " }"
end

--- A path in the folder.
function Workspace:path(name) return self.folder .. "/" .. name end

function Workspace:write(name, text)
  program.write(self:path(name), text)
  return self:path(name)
end

--- Writes the configuration. The tier is one without limits unless the settings say another.
---@param settings table as in the configuration file; `virustotal.url` is asked for
function Workspace:configure(settings)
  local virustotal = {}
  for key, value in pairs(settings.virustotal) do virustotal[key] = value end
  virustotal.api_key = virustotal.api_key or "file:" .. self:path "key"
  virustotal.retry_delay = virustotal.retry_delay or "20ms"
  virustotal.poll_interval = virustotal.poll_interval or "100ms"
  virustotal.tier = virustotal.tier
    or { per_minute = 0, per_day = 0, per_month = 0, list = 25, premium = true }
  local written = { virustotal = virustotal }
  for key, value in pairs(settings) do written[key] = written[key] or value end
  self:write("config.lua", "return " .. write_value(written) .. "\n")
end

--- Removes the state: what was fetched is fetched again.
function Workspace:forget() assert(os.execute("rm -rf " .. program.quote(self:path "state"))) end

--- Halves of results that were left in the folder: what --output writes to until it is whole.
---@return string names, a line each; "" for none
function Workspace:left_over()
  local pipe = assert(io.popen("ls -A " .. program.quote(self.folder) .. " | grep '^.apogee-'"))
  local names = pipe:read "a"
  pipe:close()
  return names
end

function Workspace:environment()
  local env = {
    HOME = self.folder, APOGEE_CONFIG = self:path "config.lua",
    APOGEE_STATE_DIR = self:path "state",
  }
  for name, value in pairs(self.env) do env[name] = value end
  return env
end

function Workspace:run(args, input)
  return program.run(args, input, self:environment())
end

--- Runs, and decodes what it printed.
---@return table document, table ran
function Workspace:json(args, input)
  local ran = self:run(args, input)
  local good, document = pcall(cjson.decode, ran.out)
  assert(good, ("no JSON (exit %d): %s%s"):format(ran.exit, ran.out:sub(1, 500), ran.err))
  return document, ran
end

--- Gives a workspace to `use` and removes it.
---@param use fun(workspace: table)
---@return any what `use` returned
local function with(use)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir -m 700 " .. program.quote(folder)))
  local workspace = setmetatable({ folder = folder, env = {} }, Workspace)
  workspace:write("key", simulator.KEY .. "\n")
  assert(os.execute("chmod 600 " .. program.quote(workspace:path "key")))
  local good, why = pcall(use, workspace)
  os.execute("rm -rf " .. program.quote(folder))
  assert(good, why)
end

local M = { with = with }

--- A workspace and a simulator that it is configured for.
---@param given table { args = of the simulator, scenario = text, settings = table,
---  tls = true, env = for both }
---@param use fun(workspace: table)
function M.simulated(given, use)
  with(function(workspace)
    local args = given.args or { "--premium", "--no-quota" }
    workspace.env = given.env or {}
    args = { "--request-log", workspace:path "requests", table.unpack(args) }
    if given.scenario then
      table.insert(args, "--scenario")
      table.insert(args, workspace:write("scenario.lua", given.scenario))
    end
    if given.tls then
      for _, word in ipairs { "--tls", "--ca-out", workspace:path "ca.pem" } do
        table.insert(args, word)
      end
    end
    local env = { HOME = workspace.folder }
    for name, value in pairs(given.env or {}) do env[name] = value end
    simulator.with(args, function(url)
      workspace.url = url
      local settings = { virustotal = { url = url } }
      if given.tls then settings.virustotal.ca_file = workspace:path "ca.pem" end
      for key, value in pairs(given.settings or {}) do
        if key ~= "virustotal" then settings[key] = value end
      end
      for key, value in pairs((given.settings or {}).virustotal or {}) do
        settings.virustotal[key] = value
      end
      workspace:configure(settings)
      use(workspace)
    end, env)
  end)
end

--- The requests that the simulator has had, in order: { endpoint, resources, status, ... }.
function Workspace:requests()
  local requests = {}
  for line in (program.read(self:path "requests") or ""):gmatch "[^\n]+" do
    table.insert(requests, cjson.decode(line))
  end
  return requests
end

return M
