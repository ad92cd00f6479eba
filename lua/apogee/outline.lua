-- Where in its file a field of a manifest is written: "steps.urls.with.threshold" as a line. What
-- is not written down in one table, such as a parameter that a function makes, is found as near as
-- can be told.
-- SPDX-License-Identifier: Apache-2.0
local look_of = require "apogee.look"

local M = {}
M.__index = M

local MAX_DEPTH = 8

local function first_text(look, made)
  local item = made.items[1]
  return item and item.index == 1 and look.text(item.value) or nil
end

-- The item of a table by its key, its position, or the name that it begins with, also in a group.
local function find_item(look, made, word, depth)
  for _, item in ipairs(made.items) do
    if item.key == word or item.index and tostring(item.index) == word then return item end
  end
  for _, item in ipairs(made.items) do
    local inner = item.index and item.value and look:tables(item.value)[1]
    if inner and first_text(look, inner) == word then return item end
    local is_group = inner and depth > 0 and inner.items[1] and inner.items[1].value
      and look:tables(inner.items[1].value)[1]
    local found = is_group and find_item(look, inner, word, depth - 1)
    if found then return found end
  end
end

-- The line of a key or a text in a table.
local function line_of_word(look, value, word, depth)
  if not value or depth > MAX_DEPTH then return nil end
  if value.kind == "text" then return value.text == word and value.line or nil end
  for _, made in ipairs(look:tables(value)) do
    for _, item in ipairs(made.items) do
      if item.key == word then return item.line end
      local line = line_of_word(look, item.value, word, depth + 1)
      if line then return line end
    end
  end
end

--- The line of a field; nil: the manifest is not written down in one table.
---@param field string?
---@param word string? something in it
---@return integer?
function M:line(field, word)
  local made, line = self.made, self.made and self.made.line
  local item
  for part in (made and field or ""):gmatch "[^.]+" do
    item = made and find_item(self.look, made, part, 1)
    if not item then break end
    line = item.line
    made = item.value and self.look:tables(item.value)[1]
  end
  local value = item and item.value or self.made
  return word and value and line_of_word(self.look, value, word, 0) or line
end

---@param engine table
---@param path string
---@return table outline
function M.read(engine, path)
  local look = look_of.read(engine, path)
  local made = look:manifest "action" or look:manifest "playbook" or look:manifest "pack"
  return setmetatable({ look = look, made = made }, M)
end

return M
