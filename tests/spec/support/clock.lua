-- The `clock` of scripts, standing still at 2024-03-10 12:00:00 UTC.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local PATTERN = "^(%d%d%d%d)-(%d%d)-(%d%d) (%d%d):(%d%d):(%d%d)$"

local function days_from_civil(year, month, day)
  local y = month <= 2 and year - 1 or year
  local era_year = y % 400
  local day_of_year = (153 * (month + (month > 2 and -3 or 9)) + 2) // 5 + day - 1
  return y // 400 * 146097 + era_year * 365 + era_year // 4 - era_year // 100 + day_of_year
    - 719468
end

function M.format(seconds) return os.date("!%Y-%m-%dT%H:%M:%SZ", seconds) end

function M.parse(text)
  local parts = { text:match(PATTERN) }
  if #parts == 0 then return nil, "no time", "invalid" end
  local n = {}
  for index, part in ipairs(parts) do n[index] = math.tointeger(tonumber(part)) end
  return days_from_civil(n[1], n[2], n[3]) * 86400 + n[4] * 3600 + n[5] * 60 + n[6]
end

function M.now() return M.parse "2024-03-10 12:00:00" end

return M
