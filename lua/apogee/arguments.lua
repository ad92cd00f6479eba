-- What a step gives to its action: constants, "$name" of the playbook's parameters, and functions.
-- SPDX-License-Identifier: Apache-2.0
local params = require "apogee.params"
local plain = require "apogee.plain"

local M = {}

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
