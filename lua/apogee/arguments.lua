-- What a step gives to its action: constants, "$name" of the playbook's parameters, and functions.
-- SPDX-License-Identifier: Apache-2.0
local params = require "apogee.params"
local plain = require "apogee.plain"

local M = {}

--- Values of their own for a script, which may write on them; the handles of secrets are shared.
---@param values table<string, any>
---@return table<string, any>
function M.copy(values)
  local copy = {}
  for id, value in pairs(values) do
    copy[id] = type(value) == "userdata" and value or plain.copy(value)
  end
  return copy
end

--- What the action itself says of its parameters.
---@param engine table
---@param action table
---@param values table<string, any>
---@return string? problem nil: none
function M.validate(engine, action, values)
  if not action.validate then return nil end
  local ok, problem = engine.call(action.validate, M.copy(values))
  if not ok then return "validate: " .. problem end
  if problem ~= nil and type(problem) ~= "string" then
    return "validate: must return a sentence or nothing, not a " .. type(problem)
  end
  return problem
end

--- Whether some of the values are known only when the step runs.
---@param step table
---@return boolean
function M.has_function(step)
  for _, entry in ipairs(step.with or {}) do
    if type(entry.value) == "function" then return true end
  end
  return false
end

local function result_of(fn, evaluate)
  local ok, result = evaluate(fn)
  if not ok then return nil, result end
  return plain.copy(result)
end

--- Before the run, without `evaluate`, functions are left out: everything else is checked then.
---@param engine table
---@param step table
---@param values table of the playbook's parameters
---@param evaluate (fun(fn: function): boolean, any)?
---@return table<string, any>? values, string? message
function M.resolve(engine, step, values, evaluate)
  local given, later = {}, {}
  for _, entry in ipairs(step.with) do
    local id, value = entry.def.id, entry.value
    if entry.ref then value = values[entry.ref] end
    if type(value) == "function" and not evaluate then
      later[id] = true
      value = nil
    elseif type(value) == "function" then
      local message
      value, message = result_of(value, evaluate)
      if message then return nil, id .. ": " .. message end
    end
    if value ~= nil then table.insert(given, { id, value }) end
  end
  return params.collect(engine, step.action.params, given, later)
end

return M
