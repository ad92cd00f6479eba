-- What is wrong with a script file, as lines of "FILE:LINE: field: what is wrong", and what may be
-- meant so, as "FILE:LINE: warning: field: ...".
-- SPDX-License-Identifier: Apache-2.0
local M = {}
M.__index = M

-- Each is looked for in the file; who has more mends these first.
local MAX_LINES = 100

---@param engine table
---@param path string
---@return table problems
function M.new(engine, path)
  return setmetatable({ engine = engine, path = path, count = 0, lines = {}, warnings = {} }, M)
end

-- Where the manifest is not written down in one table, in which line the word stands. The likely
-- spellings come first: "n" is in many lines, " n =" in few.
local function line_of_text(self, word)
  local as_key, as_text = " " .. word .. " =", '"' .. word .. '"'
  for _, written in ipairs { as_key, as_text, word .. " =", word .. "=", word } do
    local line = self.engine.read_manifest_line(self.path, written)
    if line then return line end
  end
end

--- From here on a field that begins with `field` stands in the file where `written` does: a step by
--- its name is the one by its position.
---@param field string
---@param written string
function M:stands(field, written) self.named, self.written = field, written end

local function as_written(self, field)
  local is_it = field and self.named and field:sub(1, #self.named) == self.named
    and field:find("^%f[.%z]", #self.named + 1)
  return is_it and self.written .. field:sub(#self.named + 1) or field
end

-- Only who did something wrong waits for the file to be looked into.
local function place_of(self, field, word)
  if not field and not word then return self.path end
  self.outline = self.outline or require("apogee.outline").read(self.engine, self.path)
  local line = self.outline:line(as_written(self, field), word)
    or line_of_text(self, word or field:match "[^.]+$" or field)
  return line and self.path .. ":" .. line or self.path
end

---@param field string? where in the manifest: "params.threshold.min"
---@param message string
---@param word string? in the field: where it stands is the line
function M:add(field, message, word)
  self.count = self.count + 1
  if self.count > MAX_LINES then return end
  local place = place_of(self, field, word)
  table.insert(self.lines, place .. ": " .. (field and field .. ": " or "") .. message)
end

--- Something that may be meant so: told by `check`, and in nobody's way.
---@param field string
---@param message string
---@param word string? as of add
function M:warn(field, message, word)
  table.insert(self.warnings, place_of(self, field, word) .. ": warning: " .. field .. ": "
    .. message)
end

--- "unknown key", and what was probably meant.
---@param field string
---@param what string
---@param word string
---@param known string[]
function M:add_unknown(field, what, word, known)
  local nearest = self.count < MAX_LINES and self.engine.nearest(word, known)
  local hint = nearest and ('; did you mean "' .. nearest .. '"?') or ""
  self:add(field, what .. hint, word)
end

--- The same for what is one of a few: all of them are named where none is near.
---@param field string
---@param what string
---@param word string
---@param known string[]
function M:add_none_of(field, what, word, known)
  if not self.engine.nearest(word, known) then
    what = what .. "; there are: " .. table.concat(known, ", ")
  end
  self:add_unknown(field, what, word, known)
end

---@return boolean
function M:is_empty()
  return self.count == 0
end

--- A line each.
---@return string
function M:text()
  local text = table.concat(self.lines, "\n")
  if self.count <= MAX_LINES then return text end
  return ("%s\n%s: and %d more"):format(text, self.path, self.count - MAX_LINES)
end

return M
