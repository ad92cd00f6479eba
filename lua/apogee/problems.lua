-- What is wrong with a script file, as lines of "FILE:LINE: field: what is wrong".
-- SPDX-License-Identifier: Apache-2.0
local M = {}
M.__index = M

---@param engine table
---@param path string
---@return table problems
function M.new(engine, path)
  return setmetatable({ engine = engine, path = path, lines = {} }, M)
end

-- The likely spellings come first: "n" is in many lines, " n =" in few.
local function line_of(self, word)
  local as_key, as_text = " " .. word .. " =", '"' .. word .. '"'
  for _, written in ipairs { as_key, as_text, word .. " =", word .. "=", word } do
    local line = self.engine.read_manifest_line(self.path, written)
    if line then return line end
  end
end

---@param field string? where in the manifest: "params.threshold.min"
---@param message string
---@param word string? found in the file for the line's number; the field's last part without it
function M:add(field, message, word)
  word = word or field and field:match "[^.]+$"
  local line = word and line_of(self, word)
  local place = line and self.path .. ":" .. line or self.path
  table.insert(self.lines, place .. ": " .. (field and field .. ": " or "") .. message)
end

--- "unknown key", and what was probably meant.
---@param field string
---@param what string
---@param word string
---@param known string[]
function M:add_unknown(field, what, word, known)
  local nearest = self.engine.nearest(word, known)
  local hint = nearest and ('; did you mean "' .. nearest .. '"?') or ""
  self:add(field, what .. hint, word)
end

---@return boolean
function M:is_empty()
  return #self.lines == 0
end

--- All of them, a line each.
---@return string
function M:text()
  return table.concat(self.lines, "\n")
end

return M
