-- Checks the `params` of a manifest: { "threshold", type = "integer", min = 1, doc = "..." }.
-- SPDX-License-Identifier: Apache-2.0
local params = require "apogee.params"
local schema = require "apogee.schema"

local M = {}

local FIELDS = {
  [1] = { "string", required = true },
  type = { "string", required = true },
  required = { "boolean" },
  default = { "string", "number", "boolean", "table" },
  min = { "number" },
  max = { "number" },
  enum = { "table" },
  pattern = { "string" },
  label = { "string" },
  doc = { "string" },
  example = { "string", "number" },
  private = { "boolean" }, -- a file of this user that is closed to others: checked before the run
  zero = { "string" }, -- what 0 would do, where the least is 1: said when somebody gives 0
}

local ONLY_FOR = {
  min = { integer = true, number = true },
  max = { integer = true, number = true },
  zero = { integer = true, number = true },
  pattern = { string = true },
  private = { path = true },
  enum = { string = true, integer = true, number = true },
}

local function is_type(word)
  for _, known in ipairs(params.types) do
    if word == known then return true end
  end
  return false
end

local function check_use(problems, where, param)
  for _, field in ipairs(schema.sorted_keys(ONLY_FOR)) do
    if param[field] ~= nil and not ONLY_FOR[field][param.type] then
      problems:add(where .. field, "has no meaning for a " .. param.type)
    end
  end
  if param.pattern and not pcall(string.find, "", param.pattern) then
    problems:add(where .. "pattern", "is no Lua pattern")
  end
  if param.min and param.max and param.min > param.max then
    problems:add(where .. "min", "is larger than max")
  end
  if param.label and not schema.is_line(param.label) then
    problems:add(where .. "label", "must be one line of text")
  end
end

local function check_default(problems, where, param)
  if param.default == nil then return end
  local value, message = params.parse(param, param.default)
  if value == nil then problems:add(where .. "default", message) end
end

local function check_one(problems, index, param)
  if type(param) ~= "table" then
    problems:add("params." .. index, 'must be a table: { "name", type = "string" }')
    return nil
  end
  local where = "params." .. (type(param[1]) == "string" and param[1] or index) .. "."
  local before = problems.count
  schema.check(problems, where, param, FIELDS)
  if problems.count > before then return nil end
  if not param[1]:find "^[%a_][%w_]*$" then
    problems:add("params." .. index, "the name must be letters, digits and _", param[1])
  end
  if not is_type(param.type) then
    problems:add_none_of(where .. "type", "unknown type", param.type, params.types)
    return nil
  end
  param.id = param[1]
  param[1] = nil
  check_use(problems, where, param)
  if problems.count == before then check_default(problems, where, param) end
  return param
end

--- Turns a manifest's list into definitions.
---@param problems table
---@param list table?
---@return table[] defs
function M.check(problems, list)
  local defs = {}
  for _, key in ipairs(schema.sorted_keys(list or {})) do
    local def
    if math.type(key) == "integer" then
      def = check_one(problems, key, list[key])
    else
      problems:add("params." .. key, 'params is a list: { "' .. key .. '", type = "string" }')
    end
    if def and params.find(defs, def.id) then
      problems:add("params." .. def.id, "is there twice")
    elseif def then
      table.insert(defs, def)
    end
  end
  return defs
end

return M
