-- Checks the shape of a manifest's tables: which keys there may be, and of which Lua type.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local function is_before(a, b)
  if type(a) == type(b) then return a < b end
  return type(a) == "number"
end

--- Positions first, then names.
---@param map table
---@return (string|integer)[]
function M.sorted_keys(map)
  local keys = {}
  for key in pairs(map) do table.insert(keys, key) end
  table.sort(keys, is_before)
  return keys
end

--- Whether an item of a list is it.
---@param list any[]
---@param wanted any
---@return boolean
function M.contains(list, wanted)
  for _, item in ipairs(list) do
    if item == wanted then return true end
  end
  return false
end

local function is_of(value, types)
  for _, wanted in ipairs(types) do
    if type(value) == wanted then return true end
  end
  return false
end

--- Adds a problem for each key that is unknown, of the wrong type, or missing.
---@param problems table
---@param where string prefix of the field's name: "params.threshold."
---@param map table
---@param fields table<string|integer, table> key -> { type..., required = true }
function M.check(problems, where, map, fields)
  local names = {}
  for key in pairs(fields) do
    if type(key) == "string" then table.insert(names, key) end
  end
  table.sort(names)
  for _, key in ipairs(M.sorted_keys(map)) do
    local field = where .. tostring(key)
    local types = fields[key]
    if not types and type(key) == "string" then
      problems:add_unknown(field, "unknown key", key, names)
    elseif not types then
      problems:add(field, "only named keys are known here")
    elseif not is_of(map[key], types) then
      local wanted = table.concat(types, " or ")
      problems:add(field, "must be a " .. wanted .. ", not a " .. type(map[key]))
    end
  end
  for _, key in ipairs(M.sorted_keys(fields)) do
    if fields[key].required and map[key] == nil and key == 1 then
      problems:add(where:match "^(.*)%.$", "the name is missing: it comes first")
    elseif fields[key].required and map[key] == nil then
      problems:add(where .. key, "is missing")
    end
  end
end

--- One line of text without control characters.
---@param value any
---@return boolean
function M.is_line(value)
  return type(value) == "string" and value ~= "" and not value:find "%c"
end

--- Whether a table is a list of strings, maybe empty.
---@param value any
---@return boolean
function M.is_string_list(value)
  if type(value) ~= "table" then return false end
  local count = 0
  for _, item in pairs(value) do
    count = count + 1
    if type(item) ~= "string" then return false end
  end
  return count == #value
end

return M
