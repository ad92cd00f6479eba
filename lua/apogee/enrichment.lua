-- Writes what a report has into an entity's enrichment, by a list of { field, key } or
-- { field, function(report) }. What the report does not have is not written.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local SCALAR = { string = true, number = true, boolean = true }

local function value_of(report, source)
  if type(source) == "function" then return source(report) end
  local value = report[source]
  if SCALAR[type(value)] then return value end
end

--- Writes the fields.
---@param entity table
---@param report table
---@param fields table[]
function M.apply(entity, report, fields)
  for _, field in ipairs(fields) do entity:enrich(field[1], value_of(report, field[2])) end
end

--- The names of the fields, for an action's manifest.
---@param fields table[]
---@return string[]
function M.names(fields)
  local names = {}
  for _, field in ipairs(fields) do table.insert(names, field[1]) end
  return names
end

return M
