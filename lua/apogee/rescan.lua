-- When a report is so old that the scan is asked for again.
-- SPDX-License-Identifier: Apache-2.0
-- luacheck: read globals clock
local M = {}

local DAY_S = 24 * 60 * 60

--- The parameter, for an action's manifest.
---@return table
function M.param()
  return {
    "rescan_after_days", type = "integer", min = 0, label = "Rescan after days", example = 7,
    doc = "Scan again when the last scan is as many days old, or older. "
      .. "0: always. Not given: never.",
  }
end

--- When the report's scan was, in seconds since 1970; nil when it has no date that can be read.
---@param report table
---@return integer?
function M.scanned_s(report)
  return type(report.scan_date) == "string" and clock.parse(report.scan_date) or nil
end

--- Whole days since the report's scan, rounded down; nil when it has no date that can be read.
---@param report table
---@return integer?
function M.age_days(report)
  local scanned_s = M.scanned_s(report)
  return scanned_s and (clock.now() - scanned_s) // DAY_S
end

--- A report of unknown age is due as well: nobody can say that it is fresh enough.
---@param report table
---@param after_days integer? nil: never
---@return boolean
function M.is_due(report, after_days)
  if not after_days then return false end
  local age = M.age_days(report)
  return after_days == 0 or not age or age >= after_days
end

return M
