-- Copies what a script returned into tables of ours: raw, without metatables, and bounded, so that
-- nothing of the script runs while its manifest is read.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local MAX_DEPTH = 8
local MAX_VALUES = 10000

local function copy(value, depth, state)
  local kind = type(value)
  if kind == "userdata" or kind == "thread" then
    state.problem = "a " .. kind .. " is no data"
    return nil
  end
  if kind ~= "table" then return value end
  if getmetatable(value) ~= nil then
    state.problem = "a table with a metatable is no data"
    return nil
  end
  if depth == MAX_DEPTH then
    state.problem = "nested more than " .. MAX_DEPTH .. " deep"
    return nil
  end
  local result = {}
  for key, item in next, value do
    state.count = state.count + 1
    if state.count > MAX_VALUES then
      state.problem = "more than " .. MAX_VALUES .. " values"
    elseif type(key) ~= "string" and math.type(key) ~= "integer" then
      state.problem = "a key is a " .. type(key) .. ": only names and positions are keys"
    else
      result[key] = copy(item, depth + 1, state)
    end
    if state.problem then return nil end
  end
  return result
end

---@param value any
---@return any copy, string? problem nil and why not
function M.copy(value)
  local state = { count = 0 }
  local result = copy(value, 0, state)
  if state.problem then return nil, state.problem end
  return result
end

return M
