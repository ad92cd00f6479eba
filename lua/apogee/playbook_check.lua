-- Checks what a playbook file returned and turns it into a playbook:
--   { name, doc, params = {defs}, policy = { { rule, value }, ... },
--     groups = { {step, ...}, ... }, steps = all of them, path }
-- where the steps of a group run at the same time and a step is
--   { name, action | run, on, with = { { def, value | ref } }, when, on_error, tags }
-- SPDX-License-Identifier: Apache-2.0
local case = require "apogee.case"
local loader = require "apogee.loader"
local manifest_check = require "apogee.manifest"
local param_check = require "apogee.param_check"
local params = require "apogee.params"
local policy_of = require "apogee.policy"
local problems_of = require "apogee.problems"
local schema = require "apogee.schema"

local M = {}

local FIELDS = {
  name = { "string", required = true },
  doc = { "string" },
  params = { "table" },
  policy = { "table" },
  steps = { "table", required = true },
}

local STEP_FIELDS = {
  [1] = { "string", required = true },
  action = { "string" },
  run = { "function" },
  on = { "string", "table", "function" },
  when = { "string", "function" },
  with = { "table" },
  on_error = { "string" },
  tags = { "table" },
}

local ON_ERROR = { "stop", "continue" }

local function names_of(steps)
  local names = {}
  for _, step in ipairs(steps) do table.insert(names, step.name) end
  return names
end

local function check_name(check, name)
  local problems, where = check.problems, "steps." .. name
  if not name:find "^[%a_][%w_]*$" then
    problems:add(where, "the name must be letters, digits and _", name)
  elseif schema.contains(case.METHODS, name) then
    problems:add(where, "case:" .. name .. " is a method: choose another name", name)
  elseif schema.contains(names_of(check.steps), name) then
    problems:add(where, "two steps have this name", name)
  end
end

local function check_on(check, where, step, action)
  local on = step.on
  if on == nil then return action.accepts end
  if type(on) == "function" then return on end
  if action.run_case or action.each then
    check.problems:add(where .. "on", action.id .. " does not run on entities of the case")
    return {}
  end
  local names = type(on) == "string" and { on } or on
  local types = manifest_check.types(check.problems, where .. "on", names)
  for _, name in ipairs(types) do
    if not schema.contains(action.accepts, name) then
      local accepted = table.concat(action.accepts, ", ")
      check.problems:add(where .. "on",
        action.id .. " does not run on " .. name .. ", only on " .. accepted)
    end
  end
  return types
end

local function check_reference(check, field, name)
  local def = params.find(check.defs, name)
  if def then return def.id end
  check.problems:add_unknown(field, "there is no parameter $" .. name, name,
    params.names(check.defs))
end

local function check_value(check, field, def, value)
  local name = type(value) == "string" and value:match "^%$([%a_][%w_]*)$"
  if name then return { def = def, ref = check_reference(check, field, name) } end
  if type(value) ~= "function" then
    local parsed, message = params.parse(def, value)
    if parsed == nil then check.problems:add(field, message) end
  end
  return { def = def, value = value }
end

local function check_with(check, where, with, action)
  local entries, is_given = {}, {}
  for _, key in ipairs(schema.sorted_keys(with or {})) do
    local field = where .. "with." .. key
    local def = type(key) == "string" and params.find(action.params, key)
    if not def then
      check.problems:add_unknown(field, action.id .. " has no such parameter", tostring(key),
        params.names(action.params))
    elseif is_given[def.id] then
      check.problems:add(field, "is given twice")
    else
      is_given[def.id] = true
      table.insert(entries, check_value(check, field, def, with[key]))
    end
  end
  for _, def in ipairs(action.params) do
    if def.required and def.default == nil and not is_given[def.id] then
      check.problems:add(where .. "with", def.id .. " is required by " .. action.id)
    end
  end
  return entries
end

-- An action is looked for by its name in some folders: that of the playbook is none of them.
local function beside(check, word)
  local folder = check.problems.path:match "^.*/" or "./"
  local path = folder .. word .. ".lua"
  if word:find "/" or not check.engine.is_file(path) then return "" end
  local pack, dir = check.index.given, folder == "./" and "." or folder:sub(1, -2)
  local what_to_do = pack and "name it in actions of " .. pack.path
    or "put both into a pack, or give --actions-path " .. dir
  return ("; %s.lua lies beside it: %s"):format(word, what_to_do)
end

local function check_action(check, where, step, result)
  local action, message, is_missing = loader.find(check.index, step.action)
  if not action then
    if is_missing then message = message .. beside(check, step.action) end
    check.problems:add(where .. "action", message, step.action)
    return
  end
  result.action = action
  result.on = check_on(check, where, step, action)
  result.with = check_with(check, where, step.with, action)
end

local function check_what(check, where, step, result)
  if (step.action == nil) == (step.run == nil) then
    check.problems:add(where .. "action", "a step has an action or a function run", step[1])
  elseif step.action then
    check_action(check, where, step, result)
  elseif step.on or step.with then
    check.problems:add(where .. "run", "works on the case alone: on and with go with an action")
  end
end

-- Why a step that there is cannot be seen: the place in the list of its group tells.
local function why_not_before(check, name, when)
  if name == when then return ": it is this step itself" end
  for position, names in pairs(check.all_names) do
    if schema.contains(names, when) and position == check.position then
      return ": it runs at the same time: take it out of this group"
    elseif schema.contains(names, when) then
      return ": it comes later: move it up"
    end
  end
end

local function check_when(check, name, where, when)
  if type(when) ~= "string" or schema.contains(names_of(check.steps), when) then return end
  local why = why_not_before(check, name, when)
  local said = 'there is no step "' .. when .. '" before this one'
  if why then return check.problems:add(where .. "when", said .. why, when) end
  check.problems:add_unknown(where .. "when", said, when, names_of(check.steps))
end

local function check_step(check, step, position)
  if type(step) ~= "table" then
    check.problems:add("steps." .. position, 'must be a step: { "name", action = "..." }')
    return nil
  end
  local name = type(step[1]) == "string" and step[1] or position
  local where = "steps." .. name .. "."
  local before = check.problems.count
  check.problems:stands("steps." .. name, "steps." .. position)
  schema.check(check.problems, where, step, STEP_FIELDS)
  if check.problems.count > before then return nil end
  check_name(check, name)
  local result = {
    name = name, run = step.run, when = step.when, on_error = step.on_error or "stop",
    tags = step.tags or {},
  }
  check_what(check, where, step, result)
  check_when(check, name, where, step.when)
  if not schema.contains(ON_ERROR, result.on_error) then
    check.problems:add_unknown(where .. "on_error", "must be stop or continue", result.on_error,
      ON_ERROR)
  end
  if not schema.is_string_list(result.tags) then
    check.problems:add(where .. "tags", "must be a list of texts")
  end
  return result
end

local function is_group(step)
  return type(step) == "table" and type(step[1]) == "table"
end

--- The steps of a group do not see each other: they join the steps before only when all are read.
local function check_group(check, position, item)
  local members = is_group(item) and item or { item }
  local group = {}
  for index, member in ipairs(members) do
    local place = is_group(item) and position .. "." .. index or tostring(position)
    local step
    if is_group(member) then
      check.problems:add("steps." .. place, "a group holds steps, not groups")
    else
      step = check_step(check, member, place)
    end
    if step and schema.contains(names_of(group), step.name) then
      check.problems:add("steps." .. step.name, "two steps have this name", step.name)
    end
    table.insert(group, step)
  end
  for _, step in ipairs(group) do table.insert(check.steps, step) end
  return group
end

-- The names of the steps by their place in the list, before any is read.
local function all_names(list)
  local all = {}
  for position, item in pairs(list) do
    local names = {}
    for _, step in ipairs(is_group(item) and item or { item }) do
      local name = type(step) == "table" and step[1]
      if type(name) == "string" then table.insert(names, name) end
    end
    all[position] = names
  end
  return all
end

local function check_steps(check, list)
  local groups = {}
  check.all_names = all_names(list)
  if next(list) == nil then check.problems:add("steps", "there are none") end
  for _, key in ipairs(schema.sorted_keys(list)) do
    if type(key) == "string" then
      check.problems:add("steps." .. key, "steps is a list: { { \"" .. key .. '", action = ... } }')
    else
      check.position = key
      table.insert(groups, check_group(check, key, list[key]))
    end
  end
  return groups
end

---@param engine table
---@param path string
---@param returned any what the file returned
---@param index table of the actions, from the loader
---@return table? playbook, string? message lines of FILE:LINE: what is wrong; the playbook has
---  `warnings`, a list of such lines
function M.check(engine, path, returned, index)
  local problems = problems_of.new(engine, path)
  local manifest = manifest_check.unwrap(problems, returned, "playbook")
  if not manifest then return nil, problems:text() end
  schema.check(problems, "", manifest, FIELDS)
  if not problems:is_empty() then return nil, problems:text() end
  local defs = param_check.check(problems, manifest.params)
  local check = { engine = engine, problems = problems, index = index, defs = defs, steps = {} }
  local groups = check_steps(check, manifest.steps)
  local policy = policy_of.check(problems, manifest.policy)
  if not schema.is_line(manifest.name) then problems:add("name", "must be one line of text") end
  if not problems:is_empty() then return nil, problems:text() end
  return {
    name = manifest.name, doc = manifest.doc, params = defs, policy = policy, groups = groups,
    steps = check.steps, path = path, warnings = problems.warnings,
  }
end

return M
