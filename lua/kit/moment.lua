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

local function read(text)
  local year, month, day, rest = text:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$"
  if not year then return nil end
  if rest == "" then rest = "T00:00:00Z" end
  local hour, minute, second = rest:match "^T(%d%d):(%d%d):(%d%d)Z$"
  if not hour then return nil end
  local seconds = days(tonumber(year), tonumber(month), tonumber(day)) * DAY_S
    + tonumber(hour) * 3600 + tonumber(minute) * 60 + tonumber(second)
  local is_there = os.date("!%Y-%m-%dT%H:%M:%SZ", seconds) == text:sub(1, 10) .. rest
  return is_there and seconds or nil -- there is no 31st of April
end

--- Seconds since 1970.
---@param text string|integer "2026-01-15T12:00:00Z", "2026-01-15", or seconds
---@return integer
function M.seconds(text)
  if math.type(text) == "integer" then return text end
  local seconds = read(tostring(text))
  if seconds then return seconds end
  error(('"%s" is no time: write 2026-01-15T12:00:00Z'):format(tostring(text)), 0)
end

return M
