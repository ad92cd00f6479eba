-- Versions of one to three numbers: "1", "1.2", "1.2.3". What is not said is 0.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local MAX_DIGITS = 6

---@param text any
---@return integer[]? numbers three of them; nil: it is no version
function M.parse(text)
  if type(text) ~= "string" or not text:find "^%d[%d.]*$" then return nil end
  local numbers = {}
  for digits in (text .. "."):gmatch "(.-)%." do
    if digits == "" or #digits > MAX_DIGITS or #numbers == 3 then return nil end
    table.insert(numbers, math.tointeger(tonumber(digits)))
  end
  for index = #numbers + 1, 3 do numbers[index] = 0 end
  return numbers
end

--- Whether a version is another or newer.
---@param text string
---@param least string
---@return boolean
function M.is_at_least(text, least)
  local numbers, wanted = M.parse(text), M.parse(least)
  for index = 1, 3 do
    if numbers[index] ~= wanted[index] then return numbers[index] > wanted[index] end
  end
  return true
end

return M
