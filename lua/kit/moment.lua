-- Times as people write them, in UTC.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local DAY_S = 86400

-- Days from 1970-01-01, by counting in years that begin in March.
local function days(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  local era_days = 365 * year + year // 4 - year // 100 + year // 400
  return era_days + (153 * (month - 3) + 2) // 5 + day - 1 - 719468
end

--- Seconds since 1970.
---@param text string|integer "2026-01-15T12:00:00Z", "2026-01-15", or seconds
---@return integer
function M.seconds(text)
  if math.type(text) == "integer" then return text end
  local year, month, day, rest = tostring(text):match "^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$"
  local hour, minute, second = "00", "00", "00"
  if rest and rest ~= "" then hour, minute, second = rest:match "^T(%d%d):(%d%d):(%d%d)Z$" end
  if not year or not hour then
    error(('"%s" is no time: write 2026-01-15T12:00:00Z'):format(tostring(text)), 0)
  end
  return days(tonumber(year), tonumber(month), tonumber(day)) * DAY_S + tonumber(hour) * 3600
    + tonumber(minute) * 60 + tonumber(second)
end

return M
