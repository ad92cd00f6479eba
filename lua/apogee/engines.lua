-- What the engines of a report say: `scans` is a map from an engine's name to its verdict.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local COLUMNS = { "Engine", "Detected", "Result", "Version", "Updated" }

-- Names in bytewise order; nil for a report without scans.
local function names_of(report)
  if type(report.scans) ~= "table" then return nil end
  local names = {}
  for name, verdict in pairs(report.scans) do
    if type(name) == "string" and type(verdict) == "table" then table.insert(names, name) end
  end
  table.sort(names)
  return names
end

--- The engines that detect something, sorted; nil when the report has no scans.
---@param report table
---@return string[]?
function M.detecting(report)
  local names = names_of(report)
  if not names then return nil end
  local detecting = {}
  for _, name in ipairs(names) do
    if report.scans[name].detected == true then table.insert(detecting, name) end
  end
  return detecting
end

--- The same as one text, for the field "Detecting Engines".
---@param report table
---@return string?
function M.detecting_text(report)
  local names = M.detecting(report)
  return names and table.concat(names, ", ")
end

---@param report table
---@return integer detecting, integer? asked nil when the report has no scans
function M.count(report)
  local names = names_of(report)
  if not names then return 0, nil end
  return #M.detecting(report), #names
end

local function text_of(value)
  if type(value) == "string" or type(value) == "number" then return tostring(value) end
  return ""
end

--- A table of every engine's verdict, the detecting ones first; nil when there are none.
---@param report table
---@param title string
---@return table? for entity:table
function M.table(report, title)
  local names = names_of(report)
  if not names or #names == 0 then return nil end
  local detecting, others = {}, {}
  for _, name in ipairs(names) do
    local verdict = report.scans[name]
    local is_detecting = verdict.detected == true
    table.insert(is_detecting and detecting or others, {
      name, is_detecting, text_of(verdict.result), text_of(verdict.version),
      text_of(verdict.update),
    })
  end
  table.move(others, 1, #others, #detecting + 1, detecting)
  return { title = title, columns = COLUMNS, rows = detecting }
end

return M
