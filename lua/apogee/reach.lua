-- What an action reaches outside of VirusTotal: the hosts of `http`, how often it asks them, and
-- the secrets that it names. Checked for the manifest, and told to people.
-- SPDX-License-Identifier: Apache-2.0
local schema = require "apogee.schema"
local secret_names = require "apogee.secret_names"

local M = {}

local MAX_HOSTS = 32
local MAX_RATE = 10000
local MAX_RETRIES = 10
local RETRIES = 2
local PER_MS = { second = 1000, minute = 60000, hour = 3600000, day = 86400000 }
local PERIODS = { "second", "minute", "hour", "day" }

local function check_hosts(problems, hosts)
  if not schema.is_string_list(hosts) then
    problems:add("needs.http", 'must be a list of hosts: http = { "api.example.com" }')
    return {}
  end
  if #hosts == 0 or #hosts > MAX_HOSTS then
    problems:add("needs.http", "must name 1 to " .. MAX_HOSTS .. " hosts")
  end
  for _, host in ipairs(hosts) do
    local ok, why = problems.engine.web_host(host)
    if not ok then problems:add("needs.http", why) end
  end
  return hosts
end

local function check_rate(problems, rate)
  if rate == nil then return 0, 0 end
  schema.check(problems, "rate.", rate, { [1] = { "number" }, per = { "string" } })
  local count = math.tointeger(rate[1])
  if not count or count < 1 or count > MAX_RATE then
    problems:add("rate", 'must be like { 10, per = "minute" }, with 1 to ' .. MAX_RATE)
  end
  local per_ms = PER_MS[rate.per or "minute"]
  if not per_ms then
    problems:add_unknown("rate.per", "must be second, minute, hour or day", tostring(rate.per),
      PERIODS)
  end
  return count, per_ms
end

local function check_retries(problems, retries)
  if retries == nil then return RETRIES end
  local count = math.tointeger(retries)
  if not count or count < 0 or count > MAX_RETRIES then
    problems:add("retries", "must be a whole number from 0 to " .. MAX_RETRIES)
  end
  return count
end

local function secrets_of(problems, manifest)
  local named = manifest.secrets or {}
  if not schema.is_string_list(named) then
    problems:add("secrets", 'must be a list of names: { "abuseipdb_key" }')
    return {}
  end
  local is_known, names = {}, {}
  local seen = secret_names.of(problems.engine.source(problems.path) or "")
  for _, list in ipairs { named, seen } do
    for _, name in ipairs(list) do
      if not name:find "^[%a_][%w_]*$" then
        problems:add("secrets", "a name is letters, digits and _")
      elseif not is_known[name] then
        is_known[name] = true
        table.insert(names, name)
      end
    end
  end
  table.sort(names)
  return names
end

--- What the manifest says of it, checked.
---@param problems table
---@param manifest table
---@return table? http { action, hosts, rate, per_ms, retries, secrets }, string[] secrets
function M.check(problems, manifest)
  local hosts = (manifest.needs or {}).http
  local secrets = secrets_of(problems, manifest)
  if hosts == nil then
    for _, field in ipairs { "rate", "retries", "cost" } do
      if manifest[field] ~= nil then
        problems:add(field, 'goes with needs = { http = { "HOST" } }')
      end
    end
    return nil, secrets
  end
  local rate, per_ms = check_rate(problems, manifest.rate)
  return {
    action = manifest.id, hosts = check_hosts(problems, hosts), rate = rate, per_ms = per_ms,
    retries = check_retries(problems, manifest.retries), secrets = secrets,
  }, secrets
end

--- Capabilities as people read them: "vt", "http to api.example.com".
---@param action table
---@return string[]
function M.needs(action)
  local words = {}
  for _, name in ipairs(action.needs) do
    local is_http = name == "http" and action.http
    table.insert(words, is_http and "http to " .. table.concat(action.http.hosts, ", ") or name)
  end
  return words
end

--- What it reaches, in a line: "asks HOST; needs of secrets: NAME"; "" for nothing.
---@param action table
---@return string
function M.words(action)
  local words = {}
  if action.http then table.insert(words, "asks " .. table.concat(action.http.hosts, ", ")) end
  if #action.secrets > 0 then
    table.insert(words, "needs of secrets: " .. table.concat(action.secrets, ", "))
  end
  return table.concat(words, "; ")
end

--- How often hosts are asked, in words; nil: as often as they answer.
---@param action table
---@return string?
function M.rate(action)
  local http = action.http
  if not http or http.rate == 0 then return nil end
  for _, name in ipairs(PERIODS) do
    if PER_MS[name] == http.per_ms then return ("at most %d a %s"):format(http.rate, name) end
  end
end

return M
