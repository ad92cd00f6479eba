-- What a look at a script found, as problems and warnings of FILE:LINE, in the order of the lines.
-- SPDX-License-Identifier: Apache-2.0
local M = {}
M.__index = M

---@param engine table
---@return table findings
function M.new(engine)
  return setmetatable({ engine = engine, list = {}, is_said = {} }, M)
end

local function add(self, path, line, message, is_warning)
  local key = path .. "\0" .. line .. "\0" .. message
  if self.is_said[key] then return end
  self.is_said[key] = true
  table.insert(self.list, {
    path = path, line = line, message = message, is_warning = is_warning, number = #self.list,
  })
end

--- Something that is wrong.
---@param place table { unit, line }
---@param message string what is wrong, and how it is put right
function M:problem(place, message) add(self, place.unit.path, place.line, message, false) end

--- Something that may be meant so.
---@param place table { unit, line }
---@param message string
function M:warning(place, message) add(self, place.unit.path, place.line, message, true) end

local SHORTEST_PART = 4

-- "risky" is far from "is_risky", and in it.
local function holding(word, known)
  if #word < SHORTEST_PART then return nil end
  for _, name in ipairs(known) do
    if name:find(word, 1, true) then return name end
  end
end

--- '; did you mean "NAME"?', or "" when no name is near.
---@param word string
---@param known string[]
---@return string, string? nearest
function M:hint(word, known)
  local nearest = self.engine.nearest(word, known) or holding(word, known)
  if not nearest or nearest == word then return "" end
  return ('; did you mean "%s"?'):format(nearest), nearest
end

local function is_before(a, b)
  if a.path ~= b.path then return a.path < b.path end
  if a.line ~= b.line then return a.line < b.line end
  return a.number < b.number
end

--- The lines: problems, then warnings.
---@return string[] problems, string[] warnings
function M:lines()
  local problems, warnings = {}, {}
  table.sort(self.list, is_before)
  for _, found in ipairs(self.list) do
    local place = found.path .. ":" .. found.line .. ": "
    if found.is_warning then
      table.insert(warnings, place .. "warning: " .. found.message)
    else
      table.insert(problems, place .. found.message)
    end
  end
  return problems, warnings
end

return M
