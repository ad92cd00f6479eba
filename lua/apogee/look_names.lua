-- The names that a script uses and nobody has given it: globals that there are not, globals that it
-- makes, and fields that what it was given does not have.
-- SPDX-License-Identifier: Apache-2.0
local schema = require "apogee.schema"

local M = {}

--- What a capability gives.
M.CAPABILITIES = {
  files = { "open" },
  http = { "get", "post", "request" },
  sftp = { "open" },
  vt = {
    "await", "comments", "domain_report", "engines", "file_report", "file_rescan", "file_scan",
    "ip_report", "url_report", "url_scan",
  },
}

--- What an entity has.
M.METHODS = { "domain", "enrich", "insight", "link", "mark_suspicious", "result", "table" }

local OF_ACTIONS = "a playbook reaches nothing itself: a step with an action does"

local INSTEAD = {
  files = OF_ACTIONS, http = OF_ACTIONS, sftp = OF_ACTIONS, vt = OF_ACTIONS,
  collectgarbage = "leave it out: memory is collected as it is needed",
  debug = "leave it out: -v shows what log.debug says",
  dofile = 'put the code in a module of this folder, and write require "NAME"',
  io = 'files are read through needs = { "files" }',
  load = 'put the code in a module of this folder, and write require "NAME"',
  loadfile = 'put the code in a module of this folder, and write require "NAME"',
  loadstring = 'put the code in a module of this folder, and write require "NAME"',
  os = "clock.now() and clock.format() tell the time; a secret comes from secret \"NAME\"",
  package = 'require "NAME" finds the modules of this folder',
  setfenv = "leave it out",
  getfenv = "leave it out",
  unpack = "write table.unpack",
}

local function written_in(unit)
  local names, uses_env = {}, false
  unit.is_tested = {}
  for _, place in ipairs(unit.parsed.places) do
    local name = place.root.global
    if name and place.is_tested and not place.path[1] then unit.is_tested[name] = true end
    if name == "_ENV" then uses_env = true end
    if name and place.is_write and not place.path[1] and not place.is_open then
      names[name] = true
    end
  end
  for _, variable in ipairs(unit.parsed.variables) do
    uses_env = uses_env or variable.name == "_ENV"
  end
  return names, uses_env
end

local function near_names(known, unit)
  local names = schema.sorted_keys(known)
  for _, variable in ipairs(unit.parsed.variables) do table.insert(names, variable.name) end
  return names
end

local function check_unit(findings, unit, known, is_written)
  local is_said, near = {}, nil
  for _, place in ipairs(unit.parsed.places) do
    local name = place.root.global
    local makes = name and is_written[name] and place.is_write and not place.path[1]
    local is_missing = name and not is_written[name] and not known[name]
    if name and not is_said[name] and (makes or is_missing) then
      is_said[name] = true
      if makes then
        findings:problem(place, ('%s: a global, which all entities share: write "local %s"')
          :format(name, name))
      else
        near = near or near_names(known, unit)
        local instead = INSTEAD[name] and ": " .. INSTEAD[name]
        local said = ("%s: there is no such name%s"):format(name,
          instead or findings:hint(name, near))
        if unit.is_tested[name] then
          findings:warning(place, said) -- it may know that: unpack or table.unpack
        else
          findings:problem(place, said)
        end
      end
    end
  end
end

--- Globals that there are not, and those that the script makes.
---@param look table
---@param findings table
---@param env table what the script was given, and has made itself
---@param has_capabilities boolean it is one that can be given them
---@return table<string, table|boolean> known names that scripts are given
function M.globals(look, findings, env, has_capabilities)
  local known, is_written = {}, {}
  for _, unit in ipairs(look.units) do
    local names, uses_env = written_in(unit)
    unit.uses_env = uses_env
    for name in pairs(names) do is_written[name] = true end
  end
  for name, value in next, env do
    if type(name) == "string" then known[name] = type(value) == "table" and value or true end
  end
  for name in pairs(has_capabilities and M.CAPABILITIES or {}) do known[name] = true end
  for _, unit in ipairs(look.units) do
    if not unit.uses_env then check_unit(findings, unit, known, is_written) end
  end
  return known
end

--- The one thing that a place stands for; nil where it may be more.
---@param look table
---@param place table
---@return table? base, string[]? path
function M.only(look, place)
  local meant, is_sure = look:meanings(place)
  if not is_sure or not meant[1] then return nil end
  for _, other in ipairs(meant) do
    if other.base ~= meant[1].base then return nil end
  end
  return meant[1].base, meant[1].path
end

local function members_of(known, name)
  if M.CAPABILITIES[name] and known[name] then return M.CAPABILITIES[name] end
  if name == "_G" or type(known[name]) ~= "table" then return nil end
  local names = {}
  for member in next, known[name] do
    if type(member) == "string" then table.insert(names, member) end
  end
  table.sort(names)
  return names
end

local function check_member(findings, place, whose, name, known)
  if schema.contains(known, name) then return end
  findings:problem(place, ("%s.%s: there is no such name%s"):format(whose, name,
    findings:hint(name, known)))
end

--- Fields that the modules of scripts do not have: string.trim, vt.file_reprot.
---@param look table
---@param findings table
---@param known table of M.globals
function M.members(look, findings, known)
  local added = {}
  for _, place in ipairs(look.places) do
    local base, path = M.only(look, place)
    if base and base.kind == "global" and place.is_write and path[1] then
      added[base.name .. "." .. path[1]] = true
    end
  end
  for _, place in ipairs(look.places) do
    local base, path = M.only(look, place)
    local is_read = base and base.kind == "global" and path[1] and not place.is_write
    local names = is_read and not place.unit.uses_env and members_of(known, base.name)
    if names and not added[base.name .. "." .. path[1]] then
      check_member(findings, place, base.name, path[1], names)
    end
  end
end

return M
