-- Checks what a pack.lua returned and turns it into a pack:
--   { name, version, doc, actions = {paths}, playbooks = {paths}, needs = {capabilities},
--     hosts = {of http}, engine = least version, packs = { NAME = least version }, path, folder }
-- What `needs` says of capabilities is the most that an action of the pack may need, so that
-- pack.lua alone says what the pack reaches.
-- SPDX-License-Identifier: Apache-2.0
local manifest_check = require "apogee.manifest"
local problems_of = require "apogee.problems"
local reach = require "apogee.reach"
local schema = require "apogee.schema"
local versions = require "apogee.versions"

local M = {}

local FIELDS = {
  name = { "string", required = true },
  version = { "string", required = true },
  doc = { "string" },
  actions = { "table" },
  playbooks = { "table" },
  needs = { "table" },
}

-- Below the folder, and written in one way.
local function is_inside(name)
  if not name:find "^[%w_][%w_./ -]*%.lua$" then return false end
  for part in (name .. "/"):gmatch "(.-)/" do
    if part == "" or part == "." or part == ".." then return false end
  end
  return true
end

local function check_files(problems, folder, field, names)
  local paths = {}
  if not schema.is_string_list(names or {}) then
    problems:add(field, 'must be a list of files: { "abuse_score.lua" }')
    return paths
  end
  for _, name in ipairs(names or {}) do
    local path = folder .. "/" .. name
    if not is_inside(name) then
      problems:add(field, '"' .. name .. '" must be a .lua file in the folder of the pack', name)
    elseif schema.contains(paths, path) then
      problems:add(field, '"' .. name .. '" is there twice', name)
    elseif not problems.engine.source(path) then
      problems:add(field, 'there is no file "' .. name .. '"', name)
    else
      table.insert(paths, path)
    end
  end
  return paths
end

local function check_version(problems, field, version)
  if versions.parse(version) then return version end
  problems:add(field, 'must be a version such as "1.2.0"')
end

local function is_name(text) return text:find "^%l[%l%d_-]*$" ~= nil end

local function check_packs(problems, packs)
  local least = {}
  if packs ~= nil and type(packs) ~= "table" then
    problems:add("needs.packs", 'must be packs by name: packs = { base = "1.0" }')
    return least
  end
  for _, key in ipairs(schema.sorted_keys(packs or {})) do
    local name = tostring(key)
    if key ~= name or is_name(name) then
      least[name] = check_version(problems, "needs.packs." .. name, packs[key])
    else
      problems:add("needs.packs", ("%q is no name of a pack"):format(name:gsub("%c", "?")), name)
    end
  end
  return least
end

-- Capabilities as of an action, without what only a pack can need.
local function capabilities_of(needs)
  local of = {}
  for key, value in pairs(needs) do
    if key ~= "apogee" and key ~= "packs" then of[key] = value end
  end
  return of
end

local function check_needs(problems, pack, needs)
  local of = capabilities_of(needs)
  for _, key in ipairs(schema.sorted_keys(of)) do
    if type(key) == "string" and key ~= "http" then
      problems:add_unknown("needs." .. key, "unknown key", key, { "apogee", "http", "packs" })
      of[key] = nil
    end
  end
  local http = reach.check(problems, { needs = { http = of.http } })
  pack.needs = manifest_check.needs(problems, of)
  pack.hosts = http and http.hosts or {}
  pack.packs = check_packs(problems, needs.packs)
  if needs.apogee ~= nil then
    pack.engine = check_version(problems, "needs.apogee", needs.apogee)
  end
end

---@param engine table
---@param path string of its pack.lua
---@param returned any what the file returned
---@return table? pack, string? message lines of FILE:LINE: what is wrong
function M.check(engine, path, returned)
  local problems = problems_of.new(engine, path)
  local manifest = manifest_check.unwrap(problems, returned, "pack")
  if not manifest then return nil, problems:text() end
  schema.check(problems, "", manifest, FIELDS)
  if not problems:is_empty() then return nil, problems:text() end
  local folder = path:match "^(.*)/[^/]*$" or "."
  local pack = { name = manifest.name, doc = manifest.doc, path = path, folder = folder }
  if not is_name(pack.name) then
    problems:add("name", "must be lower-case letters, digits, - and _")
  end
  pack.version = check_version(problems, "version", manifest.version)
  pack.actions = check_files(problems, folder, "actions", manifest.actions)
  pack.playbooks = check_files(problems, folder, "playbooks", manifest.playbooks)
  check_needs(problems, pack, manifest.needs or {})
  if not problems:is_empty() then return nil, problems:text() end
  return pack
end

--- Whether what the pack needs is there.
---@param engine table
---@param pack table
---@param by_name table<string, table> all packs
---@return string? message
function M.lacks(engine, pack, by_name)
  local problems = problems_of.new(engine, pack.path)
  if pack.engine and not versions.is_at_least(engine.version, pack.engine) then
    problems:add("needs.apogee", ("this is Apogee %s, and %s or newer is needed")
      :format(engine.version, pack.engine))
  end
  for _, name in ipairs(schema.sorted_keys(pack.packs)) do
    local other, least = by_name[name], pack.packs[name]
    if not other then
      problems:add_unknown("needs.packs." .. name, "there is no such pack in actions_path", name,
        schema.sorted_keys(by_name))
    elseif not versions.is_at_least(other.version, least) then
      problems:add("needs.packs." .. name, ("is %s (%s), and %s or newer is needed")
        :format(other.version, other.path, least))
    end
  end
  return not problems:is_empty() and problems:text() or nil
end

--- Whether an action keeps within what its pack says that it reaches.
---@param engine table
---@param pack table
---@param action table
---@return string? message
function M.exceeds(engine, pack, action)
  local problems = problems_of.new(engine, action.path)
  for _, name in ipairs(action.needs) do
    if not schema.contains(pack.needs, name) then
      problems:add("needs", ("%s is not in the needs of the pack: add it in %s")
        :format(name, pack.path), name)
    end
  end
  local is_asking = action.http and schema.contains(pack.needs, "http")
  for _, host in ipairs(is_asking and action.http.hosts or {}) do
    if not schema.contains(pack.hosts, host) then
      problems:add("needs.http", ("%s is not in the needs of the pack: add it in %s")
        :format(host, pack.path), host)
    end
  end
  return not problems:is_empty() and problems:text() or nil
end

--- "pack abuse 1.2.0", as lists show it.
---@param pack table
---@return string
function M.title(pack) return "pack " .. pack.name .. " " .. pack.version end

return M
