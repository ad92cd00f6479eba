-- The words of a Lua file that the parser of Lua has found to be right: what cannot be then is not
-- looked for. Three lists of equal length: what each is (a keyword or sign as itself, else "name",
-- "text", "number"), its value, its line. The last is "end of file".
--
-- A search in a long text is charged as if it walked over all of it, so the file is read through a
-- window, which grows only for a word that does not end in it.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local byte, find, match, sub = string.byte, string.find, string.match, string.sub

local IS_KEYWORD = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat
  return then true until while]]):gmatch "%S+" do
  IS_KEYWORD[word] = true
end

local LONG_SIGNS = {
  ["="] = { "==" }, ["~"] = { "~=" }, ["<"] = { "<=", "<<" }, [">"] = { ">=", ">>" },
  ["/"] = { "//" }, [":"] = { "::" }, ["."] = { "...", ".." },
}

-- Each reader gives what it is, its value, and where the next may begin. Nothing is a comment; no
-- place for the next: it does not end here.

-- Behind a long bracket that opens at `at`, what is in it, and whether there is one.
local function past_long(source, at)
  if find(source, "^%[=*$", at) then return nil, nil, true end
  local level, start = match(source, "^%[(=*)%[()", at)
  if not level then return nil, nil, false end
  local stop, last = find(source, "]" .. level .. "]", start, true)
  if not stop then return nil, nil, true end
  return last + 1, sub(source, start, stop - 1), true
end

-- The value of a text with escapes is not worked out: nil.
local function past_quoted(source, at)
  local wanted = sub(source, at, at) == '"' and '["\\]' or "['\\]"
  local is_plain, last = true, at
  while true do
    last = find(source, wanted, last + 1)
    if not last then return nil end
    if byte(source, last) ~= 92 then break end
    is_plain = false
    last = last + 1
  end
  return last + 1, is_plain and sub(source, at + 1, last - 1) or nil
end

local function past_number(source, at)
  local last
  if find(source, "^0[xX]", at) then
    last = match(source, "^0[xX][%x.]*()", at)
    return match(source, "^[pP][+-]?%d+()", last) or last
  end
  last = match(source, "^[%d.]+()", at)
  return match(source, "^[eE][+-]?%d+()", last) or last
end

local function sign_at(source, at)
  local sign = sub(source, at, at)
  for _, long in ipairs(LONG_SIGNS[sign] or {}) do
    if sub(source, at, at + #long - 1) == long then return long end
  end
  return sign
end

local function word(source, at)
  local text = match(source, "^[%w_]+", at)
  return IS_KEYWORD[text] and text or "name", text, at + #text
end

local function sign(source, at)
  local text = sign_at(source, at)
  return text, nil, at + #text
end

local function number(source, at) return "number", nil, past_number(source, at) end

local function quoted(source, at)
  local next_at, text = past_quoted(source, at)
  return "text", text, next_at
end

local function bracket(source, at)
  local next_at, text, is_long = past_long(source, at)
  if is_long then return "text", text and match(text, "^\r?\n?(.*)$"), next_at end
  return sign(source, at)
end

local function minus(source, at)
  if byte(source, at + 1) ~= 45 then return sign(source, at) end
  local next_at, _, is_long = past_long(source, at + 2)
  if is_long then return nil, nil, next_at end
  return nil, nil, find(source, "\n", at, true)
end

local function dot(source, at)
  if find(source, "^%.%d", at) then return number(source, at) end
  return sign(source, at)
end

local READERS = {}
for code = 0, 255 do
  local char = string.char(code)
  READERS[code] = find(char, "[%a_]") and word or find(char, "%d") and number or sign
end
READERS[byte '"'], READERS[byte "'"] = quoted, quoted
READERS[byte "["], READERS[byte "-"], READERS[byte "."] = bracket, minus, dot

local WINDOW = 1000

-- What may follow a word and be of it still: "1" and "e+5".
local LOOK_AHEAD = 2

local Window = {}
Window.__index = Window

--- The window begins `skip` bytes later; its lines are counted before that.
function Window:move(skip, width)
  self:count_lines(skip)
  self.base, self.width = self.base + skip, width
  self.text = sub(self.source, self.base + 1, self.base + width)
  self.line_end = find(self.text, "\n", 1, true)
  self.is_last = self.base + #self.text >= #self.source
end

--- Up to a place in the window.
function Window:count_lines(at)
  while self.line_end and self.line_end <= at do
    self.line = self.line + 1
    self.line_end = find(self.text, "\n", self.line_end + 1, true)
  end
end

--- The word at a place, or the window is moved, or made larger, to where it begins.
---@return integer next_at, string? kind, string? value
function Window:read(at)
  local kind, value, next_at = READERS[byte(self.text, at)](self.text, at)
  local is_whole = next_at and (next_at + LOOK_AHEAD <= #self.text or self.is_last)
  if is_whole then return next_at, kind, value end
  if self.is_last and kind then error("line " .. self.line .. ": it does not end", 0) end
  if self.is_last then return #self.text + 1 end
  self:move(at - 1, at == 1 and self.width * 2 or WINDOW)
  return 1
end

---@param source string
---@return string[] kinds, string?[] values, integer[] lines
function M.words(source)
  local kinds, values, lines, count = {}, {}, {}, 0
  local window = setmetatable({ source = source, base = 0, line = 1, text = "" }, Window)
  window:move(0, WINDOW)
  local at = find(source, "^\xef\xbb\xbf") and 4 or 1
  while true do
    at = find(window.text, "%S", at)
    if at then
      local kind, value
      window:count_lines(at)
      at, kind, value = window:read(at)
      if kind then
        count = count + 1
        kinds[count], values[count], lines[count] = kind, value, window.line
      end
    elseif window.is_last then
      break
    else
      window:move(#window.text, WINDOW)
      at = 1
    end
  end
  window:count_lines(#window.text)
  kinds[count + 1], lines[count + 1] = "end of file", window.line
  return kinds, values, lines
end

return M
