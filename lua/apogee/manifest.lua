-- Checks what an action file returned and turns it into an action:
--   { id, name, provider, doc, accepts = {types}, needs = {names}, params = {defs}, returns,
--     outputs = {names of enrichment fields}, run | run_case, each, validate, cost, path, http,
--     secrets = {names} }
--
-- validate(params) says what is wrong with parameters that are each fine alone, as one sentence, or
-- returns nothing. It is called before anything is sent, and reaches nothing but its argument.
-- cost(params, entity) says what other services are asked: see cost.lua.
-- SPDX-License-Identifier: Apache-2.0
local param_check = require "apogee.param_check"
local plain = require "apogee.plain"
local problems_of = require "apogee.problems"
local reach = require "apogee.reach"
local schema = require "apogee.schema"

local M = {}

local FIELDS = {
  id = { "string", required = true },
  name = { "string", required = true },
  provider = { "string" },
  doc = { "string", required = true },
  accepts = { "table" },
  needs = { "table" },
  params = { "table" },
  returns = { "string", required = true },
  outputs = { "table" },
  run = { "function" },
  run_case = { "function" },
  each = { "function" },
  validate = { "function" },
  cost = { "function" },
  rate = { "table" },
  retries = { "number" },
  secrets = { "table" },
}

local RESULTS = { "is_risky", "is_success" }

--- Canonical types for the names that a script gives; each unknown one is a problem.
---@param problems table
---@param field string
---@param names any
---@return string[]
function M.types(problems, field, names)
  local engine = problems.engine
  local types = {}
  if not schema.is_string_list(names) then
    problems:add(field, 'must be a list of types: { "filehash" }')
    return types
  end
  for _, name in ipairs(names) do
    local canonical = engine.type_of(name)
    if canonical then
      table.insert(types, canonical)
    else
      problems:add_none_of(field, 'unknown type "' .. name .. '"', name, engine.types)
    end
  end
  return types
end

--- The names of capabilities that `needs` asks for; each unknown one is a problem.
---@param problems table
---@param needs table
---@return string[]
function M.needs(problems, needs)
  local engine = problems.engine
  local result = {}
  for _, key in ipairs(schema.sorted_keys(needs)) do
    local name = key == "http" and key or needs[key]
    if type(name) ~= "string" then
      problems:add("needs", 'must be a list of names: { "vt" }')
    elseif name == "http" and needs.http == nil then
      problems:add("needs", 'http names its hosts: needs = { http = { "api.example.com" } }')
    else
      local is_known = false
      for _, known in ipairs(engine.capabilities) do is_known = is_known or known == name end
      if not is_known then
        problems:add_unknown("needs", 'unknown "' .. name .. '"', name, engine.capabilities)
      end
      table.insert(result, name)
    end
  end
  return result
end

local function check_texts(problems, manifest)
  if not manifest.id:find "^%l[%l%d_]*$" then
    problems:add("id", "must be lower-case letters, digits and _")
  end
  for _, field in ipairs { "name", "provider" } do
    local value = manifest[field]
    if value and not schema.is_line(value) then problems:add(field, "must be one line of text") end
  end
  if not schema.is_string_list(manifest.outputs or {}) then
    problems:add("outputs", 'must be a list of names: { "Scan date" }')
  end
  if manifest.returns ~= "is_risky" and manifest.returns ~= "is_success" then
    problems:add_unknown("returns", "must be is_risky or is_success", manifest.returns, RESULTS)
  end
end

local function check_functions(problems, manifest)
  if manifest.run and manifest.run_case then
    problems:add("run_case", "an action has run or run_case, not both")
  elseif not manifest.run and not manifest.run_case then
    problems:add("run", "is missing: the function that runs for each entity")
  elseif manifest.run_case and (manifest.accepts or manifest.each) then
    problems:add("run_case", "works on the whole case: accepts and each go with run")
  elseif manifest.run and not manifest.each and next(manifest.accepts or {}) == nil then
    problems:add("accepts", "is missing: the types of entities that run is for")
  end
end

local function normal(problems, manifest)
  local http, secrets = reach.check(problems, manifest)
  return {
    http = http,
    secrets = secrets,
    id = manifest.id,
    name = manifest.name,
    provider = manifest.provider or manifest.name,
    doc = manifest.doc,
    accepts = M.types(problems, "accepts", manifest.accepts or {}),
    needs = M.needs(problems, manifest.needs or {}),
    params = param_check.check(problems, manifest.params),
    returns = manifest.returns,
    outputs = manifest.outputs or {},
    run = manifest.run,
    run_case = manifest.run_case,
    each = manifest.each,
    validate = manifest.validate,
    cost = manifest.cost,
    path = problems.path,
  }
end

--- The manifest inside of what a file returned, if it is of that kind.
---@param problems table
---@param returned any
---@param kind "action"|"playbook"|"pack"
---@return table? manifest
function M.unwrap(problems, returned, kind)
  local copy, problem = plain.copy(returned)
  if problem then
    problems:add(nil, problem)
  elseif type(copy) ~= "table" or copy.kind ~= kind or type(copy.manifest) ~= "table" then
    problems:add(nil, ("is no %s: it does not return %s { ... }"):format(kind, kind))
  else
    return copy.manifest
  end
end

---@param engine table
---@param path string
---@param returned any what the file returned
---@return table? action, string? message lines of FILE:LINE: what is wrong
function M.check(engine, path, returned)
  local problems = problems_of.new(engine, path)
  local manifest = M.unwrap(problems, returned, "action")
  if not manifest then return nil, problems:text() end
  schema.check(problems, "", manifest, FIELDS)
  if not problems:is_empty() then return nil, problems:text() end
  check_texts(problems, manifest)
  check_functions(problems, manifest)
  local action = normal(problems, manifest)
  if not problems:is_empty() then return nil, problems:text() end
  return action
end

return M
