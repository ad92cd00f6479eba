-- The engines of a report, by name. The engine itself reads them out of the answer (vt.engines):
-- this gives them the form in which actions show them.
-- SPDX-License-Identifier: Apache-2.0
-- luacheck: read globals vt
local M = {}

local COLUMNS = { "Engine", "Detected", "Result", "Version", "Updated" }

-- Several rules ask about the same report, one after the other.
local last_report, last_engines

local function engines_of(report)
  if report ~= last_report then last_report, last_engines = report, vt.engines(report) end
  return last_engines
end

--- The engines that detect something, sorted; nil when the report has no scans.
---@param report table
---@return string[]?
function M.detecting(report)
  local engines = engines_of(report)
  return engines and engines.detecting
end

--- The same as one text, for the field "Detecting Engines".
---@param report table
---@return string?
function M.detecting_text(report)
  local names = M.detecting(report)
  return names and table.concat(names, ", ")
end

--- How many detect something, of how many.
---@param report table
---@return integer detecting, integer? asked nil when the report has no scans
function M.count(report)
  local engines = engines_of(report)
  if not engines then return 0, nil end
  return #engines.detecting, engines.total
end

--- A table of every engine's verdict, the detecting ones first; nil when there are none.
---@param report table
---@param title string
---@return table? for entity:table
function M.table(report, title)
  local engines = engines_of(report)
  if not engines or engines.total == 0 then return nil end
  return { title = title, columns = COLUMNS, rows = engines.rows }
end

return M
