-- What a provider gave, as a person reads it: one text for any value of JSON, and what an entity's
-- tables are about.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local MOST_ITEMS = 12
local MOST_DEPTH = 3
local MOST_NAMES = 2000 -- of an object; they are sorted
local MOST_ENGINES = 5000

local function sorted_names(value)
  local names = {}
  for name in pairs(value) do
    if #names == MOST_NAMES then break end
    table.insert(names, name)
  end
  table.sort(names, function(a, b)
    local left, right = a:lower(), b:lower()
    if left ~= right then return left < right end
    return a < b
  end)
  return names
end

--- The names of an object, sorted; not all of a very large one.
---@param value table
---@return string[]
function M.names(value) return sorted_names(value) end

local text_of

local function list_text(value, depth)
  local parts = {}
  for index = 1, math.min(#value, MOST_ITEMS) do
    table.insert(parts, text_of(value[index], depth + 1))
  end
  if #value > MOST_ITEMS then table.insert(parts, ("and %d more"):format(#value - MOST_ITEMS)) end
  return table.concat(parts, "; ")
end

local function object_text(value, depth)
  local parts = {}
  for index, name in ipairs(sorted_names(value)) do
    if index > MOST_ITEMS then
      table.insert(parts, "…")
      break
    end
    table.insert(parts, name .. ": " .. text_of(value[name], depth + 1))
  end
  return table.concat(parts, ", ")
end

function text_of(value, depth)
  if type(value) == "string" then return value end
  if type(value) == "table" then
    if depth >= MOST_DEPTH then return "…" end
    return #value > 0 and list_text(value, depth) or object_text(value, depth)
  end
  if type(value) == "userdata" or value == nil then return "" end -- null
  return tostring(value)
end

--- A value of JSON as one text.
---@param value any
---@return string
function M.text(value) return text_of(value, 0) end

local function is_engines(one)
  return one.columns[1] == "Engine" and one.columns[2] == "Detected" and #one.rows <= MOST_ENGINES
end

--- The engines of a report, apart from the other tables of an entity.
---@param tables table[] of one entity in one step
---@return table? engines { title, columns, rows = of those that detect, others = names }
---@return table[] tables the others
function M.engines(tables)
  local engines, others
  others = {}
  for _, one in ipairs(tables) do
    if is_engines(one) then
      engines = engines or { title = one.title, rows = {}, others = {} }
      for _, row in ipairs(one.rows) do
        if row[2] == true then
          table.insert(engines.rows, { row[1], row[3], row[4], row[5] })
        else
          table.insert(engines.others, M.text(row[1]))
        end
      end
    else
      table.insert(others, one)
    end
  end
  if engines then engines.columns = { "Engine", "Result", "Version", "Updated" } end
  return engines, others
end

return M
