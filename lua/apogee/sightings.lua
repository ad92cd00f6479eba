-- What VirusTotal has seen on an address or a domain: the lists of their reports. Members that are
-- null, or of another kind than they should be, are left out.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

--- A list of the report; an empty one where it has none.
---@param report table
---@param key string
---@return any[]
function M.list(report, key)
  local list = report[key]
  return type(list) == "table" and list or {}
end

--- A text that says something; nil for anything else.
---@param value any
---@return string?
function M.text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

--- Whole numbers that stand as text count too.
---@param value any
---@return integer?
function M.integer(value)
  return math.tointeger(tonumber(value))
end

--- What the name or address resolved to: { { [field], last_resolved } }; nil without such a list.
---@param report table
---@param field string "hostname" or "ip_address"
---@return table[]?
function M.resolutions(report, field)
  if type(report.resolutions) ~= "table" then return nil end
  local rows = {}
  for _, resolution in ipairs(report.resolutions) do
    if type(resolution) == "table" then
      table.insert(rows, {
        [field] = M.text(resolution[field]),
        last_resolved = M.text(resolution.last_resolved),
      })
    end
  end
  return rows
end

--- The same for entity:table; nil when there is nothing to show.
---@param report table
---@param field string "hostname" or "ip_address"
---@param column string what the field is called there
---@return table?
function M.resolutions_table(report, field, column)
  local rows = {}
  for _, resolution in ipairs(M.resolutions(report, field) or {}) do
    table.insert(rows, { resolution[field] or "", resolution.last_resolved or "" })
  end
  if #rows == 0 then return nil end
  return { title = "Resolutions", columns = { column, "Last resolved" }, rows = rows }
end

--- The URLs that engines detect, for entity:table; nil when there are none.
---@param report table
---@return table?
function M.detected_urls_table(report)
  local rows = {}
  for _, item in ipairs(M.list(report, "detected_urls")) do
    if type(item) == "table" and M.text(item.url) then
      local positives, total = M.integer(item.positives), M.integer(item.total)
      local score = positives and total and positives .. "/" .. total
      table.insert(rows, { item.url, score or positives or "", M.text(item.scan_date) or "" })
    end
  end
  if #rows == 0 then return nil end
  return { title = "Detected URLs", columns = { "URL", "Detections", "Scanned" }, rows = rows }
end

return M
