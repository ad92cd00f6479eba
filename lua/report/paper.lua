-- Reports in pieces: a render writes from its begin to its end as if there were one long text, and
-- whoever wants it takes it piece by piece, so that no report is in memory as a whole.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local PIECE_BYTES = 16384
local BREATH = 500 -- look-ups in a row: a piece has an account of instructions

local Sheet = {}
Sheet.__index = Sheet

local function hand_over(sheet)
  local text = table.concat(sheet.parts)
  sheet.parts, sheet.bytes, sheet.breaths = {}, 0, 0
  coroutine.yield(text)
end

--- Writes texts, one behind the other.
function Sheet:write(...)
  for _, text in ipairs { ... } do
    table.insert(self.parts, text)
    self.bytes = self.bytes + #text
    if self.bytes >= PIECE_BYTES then hand_over(self) end
  end
end

--- To be called in loops over all entities that write little or nothing.
function Sheet:breathe()
  self.breaths = self.breaths + 1
  if self.breaths >= BREATH then hand_over(self) end
end

--- The pieces of what `write(sheet)` writes; some may be empty. nil behind the last.
---@param write fun(sheet: table)
---@return fun(): string?
function M.pieces(write)
  local sheet = setmetatable({ parts = {}, bytes = 0, breaths = 0 }, Sheet)
  local resume = coroutine.wrap(function()
    write(sheet)
    hand_over(sheet)
    return nil
  end)
  local is_over = false
  return function()
    if is_over then return nil end
    local piece = resume()
    is_over = piece == nil
    return piece
  end
end

return M
